//! Runs that end where a condition holds, against closed forms.

use std::{fs, path::Path, process::Command};

use ndarray::Array4;
use ndarray_npy::read_npy;

/// Two orthogonal tokens under attention without temperature: their overlap is tanh(c t), c being the weight of the head. Above one half it
/// is from 0.549 / c on.
const BASE: &str = r#"
[tokens]
count = 2
dim = 2
replicas = 2
initial = { law = "orthonormal" }
[attention]
beta = 0.0
normalization = "softmax"
[[attention.head]]
weight = 1.0
[time]
scheme = "rk4"
step = 0.01
end = 1.2
stop = "pair_overlap > 0.5"
[observe]
every = 0.02
quantities = ["pair_overlap", "tokens"]
[[result]]
name = "area"
integral = "pair_overlap"
"#;

/// What a command says, in a folder in which it succeeds.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
    let output = command.current_dir(folder).args(arguments).output().expect("the command starts");
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{talk}");
    talk
}

fn run(folder: &Path, arguments: &[&str]) -> String {
    said(folder, &[arguments, &["--backend", "cpu", "--precision", "double"]].concat())
}

fn rows(path: &Path) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

fn manifest(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(folder.join("manifest.json")).expect("a manifest")).expect("JSON")
}

fn folder(base: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("base.toml"), base).expect("a file");
    folder
}

/// The samples are 0, 0.02 .. 0.56, of which tanh is above one half for the first time.
#[test]
fn a_run_ends_at_the_first_sample_at_which_its_condition_holds() {
    let folder = folder(BASE);
    let talk = run(folder.path(), &["run", "base.toml", "--out", "out"]);
    assert!(talk.contains("stopped at time 0.56: pair_overlap > 0.5 in all replicas"), "{talk}");
    let out = folder.path().join("out");
    let manifest = manifest(&out);
    assert_eq!((&manifest["status"], &manifest["end_time"]), (&"complete".into(), &0.56.into()));
    assert_eq!(manifest["end_reason"], "time.stop");
    let samples = rows(&out.join("samples.csv"));
    assert_eq!(samples.len(), 2 * 29);
    for (index, row) in samples.iter().enumerate() {
        let time = 0.02 * (index / 2) as f64;
        let found: [f64; 2] = ["time", "pair_overlap"].map(|name| row[name].parse().expect("a number"));
        assert!((found[0] - time).abs() < 1e-15 && (found[1] - time.tanh()).abs() < 1e-9, "{found:?} at {time}");
    }
    // Of 56 steps of 0.01; the trapezoidal rule is off by some h^2 / 12.
    let area: f64 = rows(&out.join("results.csv"))[0]["area"].parse().expect("a number");
    assert!((area - 0.56f64.cosh().ln()).abs() < 5e-5, "{area}");
    let kept: Array4<f64> = read_npy(out.join("trajectory.npy")).expect("tokens over time");
    assert_eq!(kept.dim(), (29, 2, 2, 2));
    let overlap: f64 = (0..2).map(|k| kept[[28, 1, 0, k]] * kept[[28, 1, 1, k]]).sum();
    assert!((overlap - 0.56f64.tanh()).abs() < 1e-9, "{overlap}");
    // It refuses files that are not what the run left.
    said(folder.path(), &["plot", "out"]);
}

#[test]
fn a_run_whose_condition_does_not_hold_ends_at_its_time() {
    let folder = folder(&BASE.replace("> 0.5", "> 0.9"));
    let talk = run(folder.path(), &["run", "base.toml", "--out", "out", "--no-plot"]);
    assert!(!talk.contains("stopped"), "{talk}");
    let manifest = manifest(&folder.path().join("out"));
    assert_eq!((&manifest["end_time"], &manifest["end_reason"]), (&1.2.into(), &"time.end".into()));
    let without = self::folder(&BASE.replace("stop = \"pair_overlap > 0.5\"\n", ""));
    run(without.path(), &["run", "base.toml", "--out", "out", "--no-plot"]);
    assert!(self::manifest(&without.path().join("out")).get("end_reason").is_none());
}

/// The first even hundredth after artanh(1/2) / c.
#[test]
fn every_cell_of_a_sweep_stops_by_itself() {
    let folder = folder(BASE);
    let sweep =
        "base = \"base.toml\"\n[axes]\n\"attention.head.0.weight\" = [0.5, 1.0, 2.0]\n\"tokens.seed\" = [1, 2]\n";
    fs::write(folder.path().join("sweep.toml"), sweep).expect("a file");
    run(folder.path(), &["sweep", "sweep.toml", "--out", "out"]);
    let cells = rows(&folder.path().join("out/cells.csv"));
    assert_eq!(cells.len(), 12);
    for cell in cells {
        let weight: f64 = cell["attention.head.0.weight"].parse().expect("a number");
        let end = [(0.5, 1.1), (1.0, 0.56), (2.0, 0.28)].iter().find(|(c, _)| *c == weight).expect("a cell").1;
        let found: f64 = cell["pair_overlap"].parse().expect("a number");
        assert!((found - (weight * end).tanh()).abs() < 1e-8, "{found} at {end}");
        assert_eq!(manifest(&folder.path().join("out/cells").join(&cell["cell"]))["end_time"], end);
    }
}

/// Two orthogonal tokens that meet as tanh t move with sqrt(1 - tanh(t)^2) / 2: less than 0.3 from t = arcosh(5/3) = 1.0986 on.
#[test]
fn a_run_ends_where_tokens_have_come_to_rest() {
    let base = BASE.replace("pair_overlap > 0.5", "velocity_largest < 0.3");
    let folder = folder(&base.replace("[\"pair_overlap\"", "[\"velocity\", \"pair_overlap\""));
    run(folder.path(), &["run", "base.toml", "--out", "out", "--no-plot"]);
    let out = folder.path().join("out");
    assert_eq!(manifest(&out)["end_time"], 1.1);
    for row in rows(&out.join("samples.csv")) {
        let [time, largest, rms] =
            ["time", "velocity_largest", "velocity_rms"].map(|name| row[name].parse::<f64>().expect("a number"));
        let expected = 0.5 / time.cosh();
        assert!((largest - expected).abs() < 1e-9 && (rms - expected).abs() < 1e-9, "{largest}, {rms} at {time}");
    }
}
