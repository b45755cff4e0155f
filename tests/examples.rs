//! The examples, as a reader would run them, in a folder of their own.

#[path = "../examples/distance.rs"]
mod distance;
#[path = "../examples/energy.rs"]
mod energy;
#[path = "../examples/limit.rs"]
mod limit;
#[path = "../examples/run.rs"]
mod run;
#[path = "../examples/sweep.rs"]
mod sweep;

use std::{fs, path::Path};

/// One test, because the current folder is that of the process.
#[test]
fn every_example_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    std::env::set_current_dir(&folder).expect("it is there");
    energy::main().expect("energy");
    distance::main().expect("distance");
    limit::main().expect("limit");
    run::main().expect("run");
    sweep::main().expect("sweep");
    let samples = fs::read_to_string("runs/chaos/samples.csv").expect("samples");
    assert!(samples.starts_with("replica,time,w1_reference,coupling_error\n"), "{samples}");
    assert_eq!(samples.lines().count(), 1 + 11);
    assert!(Path::new("runs/rate/rates.csv").exists());
}

/// An example that no test runs is not known to work.
#[test]
fn every_example_is_among_them() {
    let own = include_str!("examples.rs");
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).expect("a folder") {
        let name = entry.expect("a file").file_name();
        let name = name.to_string_lossy();
        assert!(own.contains(&format!("\"../examples/{name}\"")), "no test runs {name}");
    }
}
