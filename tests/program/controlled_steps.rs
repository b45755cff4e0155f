//! What a run of controlled steps says of them, and that a cell of a sweep takes the steps that it takes alone.

use std::{fs, path::Path, process::Command};

/// Two tokens in one place, which do not move: no step has an error.
const STILL: &str = r#"
tokens = { count = 2, dim = 2, initial = { law = "points", rows = [[1.0, 0.0], [1.0, 0.0]] } }
attention = { beta = 1.0, normalization = "softmax" }
time = { scheme = "heun", step = { tolerance = 1e-6, first = 0.01, most = 0.25 }, end = 1.0 }
observe = { quantities = ["moments"] }
"#;

fn run(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
    command.current_dir(folder).args(arguments).args(["--backend", "cpu", "--precision", "double", "--no-plot"]);
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Steps grow five times at most, 0.01, 0.05 and 0.25, which is the most; three of these leave 0.19 to the end.
#[test]
fn the_manifest_counts_steps() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("still.toml"), STILL).expect("a file");
    run(folder.path(), &["run", "still.toml", "--out", "out"]);
    let text = fs::read_to_string(folder.path().join("out/manifest.json")).expect("a manifest");
    let steps = serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["steps"].take();
    assert_eq!((steps["taken"].as_u64(), steps["rejected"].as_u64()), (Some(6), Some(0)), "{steps}");
    assert_eq!((steps["shortest"].as_f64(), steps["longest"].as_f64()), (Some(0.01), Some(0.25)), "{steps}");
}

#[test]
fn a_cell_takes_the_steps_that_it_takes_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let moving = STILL.replace("law = \"points\", rows = [[1.0, 0.0], [1.0, 0.0]]", "law = \"uniform\"");
    fs::write(folder.path().join("moving.toml"), &moving).expect("a file");
    let sweep = "base = \"moving.toml\"\n[axes]\n\"tokens.seed\" = [1, 2]\n\"attention.mask\" = [{ unset = true }, \"causal\"]\n";
    fs::write(folder.path().join("sweep.toml"), sweep).expect("a file");
    run(folder.path(), &["sweep", "sweep.toml", "--out", "cells"]);
    run(folder.path(), &["run", "moving.toml", "--set", "tokens.seed=2", "--out", "alone"]);
    let table = fs::read_to_string(folder.path().join("cells/cells.csv")).expect("a table");
    let cell =
        table.lines().find(|line| line.contains(",2,") && line.contains("unset")).expect("a cell without a mask");
    let id = cell.split(',').next().expect("its name");
    let samples = |path: &str| fs::read(folder.path().join(path).join("samples.csv")).expect("samples");
    assert_eq!(samples(&format!("cells/cells/{id}")), samples("alone"));
    assert_eq!(table.lines().count(), 5, "{table}");
}
