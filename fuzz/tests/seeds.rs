//! Every seed passes its target's check. Inputs that once broke a property are among them.

use std::{fs, path::PathBuf};

use mcp_edge_fuzz::TARGETS;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn every_seed_passes() {
    for (target, check) in TARGETS {
        let mut seeds = 0;
        for entry in fs::read_dir(folder("seeds").join(target)).expect("each target has seeds") {
            let path = entry.expect("the folder can be read").path();
            println!("{}", path.display()); // shown if it panics
            check(&fs::read(path).expect("the seed can be read"));
            seeds += 1;
        }
        assert!(seeds > 0, "{target} has no seeds");
    }
}

#[test]
fn every_target_has_a_program_and_a_check() {
    let mut programs: Vec<String> = fs::read_dir(folder("fuzz_targets"))
        .expect("the folder can be read")
        .map(|entry| entry.expect("the folder can be read").path())
        .map(|path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    programs.sort();
    assert_eq!(programs, TARGETS.map(|(name, _)| name));
}
