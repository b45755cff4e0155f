//! The identity of the energy of an equation that changes, ln E(T) - ln E(0) = int (log_energy_rate + log_energy_drift) dt
//! (arXiv:2605.18870), as a result of the printed columns.

use std::{fs, process::Command};

const BASE: &str = r#"
[tokens]
count = 24
dim = 3
initial = { law = "uniform" }
[attention]
beta = 1.0
normalization = "softmax"
[[attention.head]]
[time]
scheme = "rk4"
step = 0.0125
end = 1.0
[observe]
every = 0.1
quantities = ["energy", "dissipation", "energy_drift"]
[[result]]
name = "change_of_energy"
change = "log_energy"
[[result]]
name = "flow"
integral = "log_energy_rate"
[[result]]
name = "gained"
integral = "log_energy_rate + log_energy_drift"
[[result]]
name = "residual"
of = "change_of_energy - gained"
[[result]]
name = "drift"
of = "gained - flow"
"#;

/// The results of a run with these keys, by name.
fn results(keys: &[&str], every: &str) -> std::collections::HashMap<String, f64> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("base.toml"), BASE).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
    command.current_dir(folder.path()).args(["run", "base.toml", "--out", "out", "--backend", "cpu"]);
    command.args(["--precision", "double", "--no-plot", "--set", &format!("observe.every={every}")]);
    command.args(keys.iter().flat_map(|key| ["--set", key]));
    let output = command.output().expect("the command starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut reader = csv::Reader::from_path(folder.path().join("out/results.csv")).expect("a table");
    reader.deserialize().next().expect("a replica").expect("a row")
}

/// The trapezoidal rule between samples is off by h^2 / 12 (f'(T) - f'(0)), which falls to a quarter with h / 2. The ramp has a kink at
/// the end of the run, and one at a sample where its slope stays.
#[test]
fn the_residual_of_the_energy_falls_at_second_order() {
    let ramp = ["attention.beta={ times = [0.0, 0.5, 1.0], values = [1.0, 2.0, 3.0] }"];
    let turned = "{ rows = [[0.2, 0.5, 0.0], [0.5, -0.3, 0.1], [0.0, 0.1, 0.4]] }";
    let matrix = format!(
        "attention.head=[{{ query-key = {{ base = \"identity\", amplitude = {turned}, frequency = 2.0 }}, value = {{ query-key = 1.0 }} }}]"
    );
    for keys in [&ramp[..], &[matrix.as_str()]] {
        let found = ["0.1", "0.05", "0.025"].map(|every| results(keys, every));
        assert!(
            found.iter().all(|found| found["drift"].abs() > 0.02 && found["flow"].abs() > 0.02),
            "no test: {found:?}"
        );
        let residuals = found.map(|found| found["residual"]);
        assert!(residuals[0].abs() > 1e-5 && residuals[0].abs() < 1e-2, "{residuals:?}");
        for pair in residuals.windows(2) {
            assert!((pair[0] / pair[1] - 4.0).abs() < 0.2, "{keys:?}: {residuals:?}");
        }
    }
}
