//! `make scale`: runs every scenario, and writes `bench/results/scale.md` and `scale.json`.
//!
//! - `--before` writes `scale-before.json` instead, to compare a later policy with;
//! - `--tables` runs nothing, and makes the tables of what is there.

use std::{
    error::Error,
    fs,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use scale_simulation::{
    report::{all_runs, run, tables},
    scenarios::Run,
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    let read = |name: &str| -> Result<Vec<Run>, Box<dyn Error>> {
        Ok(serde_json::from_str(&fs::read_to_string(folder.join(name))?)?)
    };
    let option = std::env::args().nth(1).unwrap_or_default();
    let name = if option == "--before" { "scale-before.json" } else { "scale.json" };
    if option != "--tables" {
        fs::write(folder.join(name), serde_json::to_string_pretty(&run_all())? + "\n")?;
    }
    if option != "--before" {
        let before = if folder.join("scale-before.json").exists() { read("scale-before.json")? } else { Vec::new() };
        let tables = tables(&read(name)?, &before);
        fs::write(folder.join("scale.md"), &tables)?;
        print!("{tables}");
    }
    Ok(())
}

/// Runs everything, as many at a time as there are cores; the order of the results is always the same.
fn run_all() -> Vec<Run> {
    let (all, next, done) = (all_runs(), AtomicUsize::new(0), Mutex::new(Vec::new()));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some((deployment, scenario)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let run = run(deployment, *scenario);
                    eprintln!("{}, {}: {scenario:?}", run.size, run.placement);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push(run);
                }
            });
        }
    });
    let mut runs = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    runs.sort_by_cached_key(|run| {
        all.iter().position(|(deployment, scenario)| {
            (deployment.size.name, deployment.placement.name, *scenario) == (&run.size, &run.placement, run.scenario)
        })
    });
    runs
}
