//! `results.csv`, and results in the tables of sweeps, against closed forms.

use std::{fs, path::Path, process::Command};

/// Two orthogonal tokens under attention without temperature: their overlap is tanh(c t), c being the weight of the head.
const BASE: &str = r#"
[tokens]
count = 2
dim = 2
initial = { law = "orthonormal" }
[attention]
beta = 0.0
normalization = "softmax"
[[attention.head]]
weight = 1.0
[time]
scheme = "rk4"
step = 0.01
end = 6.0
[observe]
every = 0.01
quantities = ["pair_overlap"]
[[result]]
name = "half"
first-time = "pair_overlap > 0.5"
[[result]]
name = "rate"
slope = "ln(1 - pair_overlap)"
from = 4
to = 5
[[result]]
name = "area"
integral = "pair_overlap"
to = 2
[[result]]
name = "gain"
change = "pair_overlap"
from = 1
to = 2
[[result]]
name = "both"
of = "gain / (2 * area)"
"#;

fn run(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
    command.current_dir(folder).args(arguments).args(["--backend", "cpu", "--precision", "double", "--no-plot"]);
    let output = command.output().expect("the command starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The rows of a table, by the names of their columns.
fn rows(path: &Path) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

#[track_caller]
fn assert_near(found: &str, expected: f64, error: f64) {
    let number: f64 = found.parse().expect("a number");
    assert!((number - expected).abs() <= error, "{found}, not {expected}");
}

#[test]
fn results_of_a_run_are_those_of_the_closed_form() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("base.toml"), BASE).expect("a file");
    run(folder.path(), &["run", "base.toml", "--out", "out"]);
    let rows = rows(&folder.path().join("out/results.csv"));
    assert_eq!(rows.len(), 1);
    // The trapezoidal rule and linear interpolation are off by some h^2 / 12.
    assert_near(&rows[0]["half"], 0.5f64.atanh(), 1e-5);
    assert_near(&rows[0]["area"], 2f64.cosh().ln(), 1e-5);
    let gain = 2f64.tanh() - 1f64.tanh();
    assert_near(&rows[0]["gain"], gain, 1e-9);
    assert_near(&rows[0]["both"], gain / (2.0 * 2f64.cosh().ln()), 1e-5);
    // d/dt ln(1 - tanh t) = -(1 + tanh t), which is nearly -2.
    assert_near(&rows[0]["rate"], -2.0, 2.0 * (-8f64).exp());
    assert_eq!(rows[0]["replica"], "0");
}

/// Time goes as the inverse of the weight, so the slope of ln half against ln weight is -1.
#[test]
fn sweeps_tabulate_and_fit_results() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("base.toml"), BASE).expect("a file");
    let sweep = "base = \"base.toml\"\n[axes]\n\"attention.head.0.weight\" = [0.5, 1.0, 2.0]\n\
                 [[fit]]\nquantity = \"half\"\nvariable = \"attention.head.0.weight\"\n";
    fs::write(folder.path().join("sweep.toml"), sweep).expect("a file");
    run(folder.path(), &["sweep", "sweep.toml", "--out", "out"]);
    let cells = rows(&folder.path().join("out/cells.csv"));
    assert_eq!(cells.len(), 3);
    for cell in &cells {
        let weight: f64 = cell["attention.head.0.weight"].parse().expect("a number");
        assert_near(&cell["half"], 0.5f64.atanh() / weight, 5e-5);
    }
    let rates = rows(&folder.path().join("out/rates.csv"));
    assert_near(&rates[0]["slope"], -1.0, 1e-4);
}

/// With a step that goes as the inverse of the weight every cell takes the same steps, so that times are in proportion to rounding,
/// whichever of the two keys they are fitted against.
#[test]
fn coupled_keys_follow_their_axes() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = BASE.split("[[result]]\nname = \"rate\"").next().expect("the first result");
    fs::write(folder.path().join("base.toml"), base).expect("a file");
    let sweep = r#"
base = "base.toml"
[axes]
"attention.head.0.weight" = [0.5, 1, 2]
"tokens.replicas" = [1, 2]
"time.step" = "0.01 / attention.head.0.weight"
"time.end" = "600 * time.step"
"observe.every" = "time.step"
"tokens.count" = "tokens.dim"
[[fit]]
quantity = "half"
variable = "attention.head.0.weight"
[[fit]]
quantity = "half"
variable = "time.step"
[[fit]]
quantity = "half"
variable = "attention.head.0.weight / time.end"
"#;
    fs::write(folder.path().join("sweep.toml"), sweep).expect("a file");
    run(folder.path(), &["sweep", "sweep.toml", "--out", "out"]);
    let cells = rows(&folder.path().join("out/cells.csv"));
    assert_eq!(cells.len(), 9);
    assert!(cells.iter().all(|cell| cell["tokens.count"] == "2"));
    let rates = rows(&folder.path().join("out/rates.csv"));
    let rates: Vec<[&str; 4]> = rates
        .iter()
        .map(|rate| ["variable", "tokens.replicas", "time.step", "attention.head.0.weight"].map(|key| &*rate[key]))
        .collect();
    let expected = ["attention.head.0.weight", "time.step", "attention.head.0.weight / time.end"]
        .map(|variable| ["1", "2"].map(|replicas| [variable, replicas, "", ""]));
    assert_eq!(rates, expected.concat());
    let slopes = self::rows(&folder.path().join("out/rates.csv"));
    for (rate, slope) in slopes.iter().zip([-1.0, -1.0, 1.0, 1.0, -0.5, -0.5]) {
        assert_near(&rate["slope"], slope, 1e-9);
    }
}

#[test]
fn formulas_that_no_cell_could_follow_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("base.toml"), BASE).expect("a file");
    for (axes, says) in [
        ("\"tokens.seed\" = [1]\n\"attention.beta\" = \"2 *\"", "axes = "),
        (
            "\"tokens.seed\" = [1]\n\"attention.beta\" = \"ln(tokens.cuont)\"",
            "axes.attention.beta = \"ln(tokens.cuont)\": knows no tokens.cuont",
        ),
        (
            "\"tokens.seed\" = [1]\n\"attention.beta\" = \"time.step\"\n\"time.step\" = \"attention.beta\"",
            "needs keys that need one another",
        ),
        ("\"tokens.seed\" = [1]\n\"attention.beta\" = \"1 / (tokens.seed - 1)\"", "is inf where the axes are 1"),
        ("\"tokens.seed\" = [1]\n\"tokens.count\" = \"tokens.seed / 2\"", "tokens.count"),
    ] {
        fs::write(folder.path().join("sweep.toml"), format!("base = \"base.toml\"\n[axes]\n{axes}\n"))
            .expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
        let output = command.current_dir(folder.path()).args(["sweep", "sweep.toml"]).output().expect("it starts");
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{talk}");
        assert!(talk.contains(says), "{talk}");
        assert!(!folder.path().join("runs").exists(), "{axes}");
    }
}

/// Trapezoids between the samples that there are: 0, 0.1 * 10^{k/2} in steps of 0.01, and the end.
#[test]
fn integrals_take_the_time_between_samples() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = BASE.replace("every = 0.01", "log = { from = 0.1, per-decade = 2 }").replace("to = 2\n", "");
    fs::write(folder.path().join("base.toml"), base).expect("a file");
    run(folder.path(), &["run", "base.toml", "--out", "out"]);
    let times = [0.0f64, 0.1, 0.32, 1.0, 3.16, 6.0];
    let samples = rows(&folder.path().join("out/samples.csv"));
    assert_eq!(samples.iter().map(|row| row["time"].parse()).collect::<Result<Vec<f64>, _>>().expect("times"), times);
    for (row, time) in samples.iter().zip(times) {
        assert_near(&row["pair_overlap"], time.tanh(), 1e-9);
    }
    let area = times.windows(2).map(|t| 0.5 * (t[1] - t[0]) * (t[0].tanh() + t[1].tanh())).sum();
    assert_near(&rows(&folder.path().join("out/results.csv"))[0]["area"], area, 1e-9);
}
