//! `make scale`: runs every scenario, and writes `bench/results/scale.md` and `scale.json`. With `--before` it writes
//! `scale-before.json` instead, to compare a later policy with.

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

use scale_simulation::report::{Run, all_runs, run, tables};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    let runs = run_all();
    let json = serde_json::to_string_pretty(&runs)? + "\n";
    if std::env::args().any(|argument| argument == "--before") {
        fs::write(folder.join("scale-before.json"), json)?;
        return Ok(());
    }
    let before: Vec<Run> = match fs::read_to_string(folder.join("scale-before.json")) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => Vec::new(),
    };
    let tables = tables(&runs, &before);
    fs::write(folder.join("scale.json"), json)?;
    fs::write(folder.join("scale.md"), &tables)?;
    print!("{tables}");
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
