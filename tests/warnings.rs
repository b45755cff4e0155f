//! What a run says of itself while it goes on: on stderr, and in the manifest.

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

/// Runs an experiment on the CPU in double precision; what was said, and the manifest.
fn run(experiment: &str, more: &[&str]) -> (String, serde_json::Value) {
    let folder = TempDir::new().expect("a temporary folder");
    fs::write(folder.path().join("small.toml"), experiment).expect("the experiment is written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
    command.args(["run", "small.toml", "--backend", "cpu", "--precision", "double", "--no-plot", "--out", "out"]);
    let output = command.args(more).current_dir(&folder).output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    (said, manifest(&folder.path().join("out")))
}

fn manifest(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(folder.join("manifest.json")).expect("a file")).expect("a manifest")
}

const MANY: &str = r#"
name = "many"
[tokens]
count = 5000
dim = 3
seed = 7
initial = { law = "uniform" }
[attention]
beta = 1.0
normalization = "softmax"
[time]
scheme = "euler"
step = 0.1
end = 0.2
[observe]
every = 0.1
"#;

/// A tolerance that `auto` cannot hold with harmonics, at any of three samples.
#[test]
fn what_is_amiss_is_said_once_and_kept() {
    let sparse = "tokens.initial={ law = \"von-mises-fisher\", concentration = 3.0, axis = [0.0, 0.0, 1.0] }";
    let (said, manifest) = run(MANY, &["--set", "tolerance=2e-16", "--set", "attention.beta=3.0", "--set", sparse]);
    let lines: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("warning: ")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(lines[0].contains("direct sums"), "{said}");
    assert_eq!(manifest["warnings"], serde_json::json!(lines));
    assert_eq!(manifest["status"], "complete");
}

#[test]
fn what_is_not_amiss_is_not_spoken_of() {
    let (said, manifest) = run(MANY, &["--set", "tokens.count=50"]);
    assert!(!said.contains("warning"), "{said}");
    assert!(manifest["warnings"].is_null(), "{manifest}");
}

/// On the circle half a step of common noise is good up to s^2 h / 2 = 1024 / 20; here it is 512, ten times as long, and the error
/// of half a percent a hundred times as large.
#[test]
fn steps_that_are_too_long_for_common_noise_are_spoken_of() {
    let circle = ["--set", "tokens.count=5", "--set", "tokens.dim=2", "--set", "time.step=2", "--set", "time.end=2"];
    let noise =
        |field: &str| format!("noise={{ field = \"{field}\", intensity = 22.627416997969522, calculus = \"ito\" }}");
    let every = ["--set", "observe.every=2", "--set"];
    let (said, manifest) = run(MANY, &[&circle[..], &every, &[&noise("common-additive")]].concat());
    let sentence = "time.step = 2 is too long for this noise: of half a step, taken in 1024 parts, the decay of the mean of tokens \
                    is off by about 50.0 % where 0.5 % is promised; take a time.step of at most 2.000e-1";
    assert_eq!(manifest["warnings"], serde_json::json!([sentence]), "{said}");
    let (said, _) = run(MANY, &[&circle[..], &every, &[&noise("independent")]].concat());
    assert!(!said.contains("warning"), "independent noise is good for any step: {said}");
}
