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

/// The number in the manifest of three tokens on the circle, after two iterations for e^{3 <x_i, x_j>} / 3 that are written out here.
#[test]
fn the_marginal_error_in_the_manifest_is_that_of_the_columns() {
    let angles = [0.0f64, 0.5, 2.0];
    let folder = TempDir::new().expect("a temporary folder");
    let points =
        ndarray::Array2::from_shape_fn((3, 2), |(i, k)| if k == 0 { angles[i].cos() } else { angles[i].sin() });
    let path = folder.path().join("three.npy");
    ndarray_npy::write_npy(&path, &points).expect("the tokens are written");
    let tokens = format!("tokens={{ count = 3, dim = 2, initial = {{ law = \"file\", path = {path:?} }} }}");
    let attention =
        "attention={ beta = 3.0, normalization = \"sinkhorn\", sinkhorn = { iterations = 2, tolerance = 0.0 } }";
    let (_, manifest) = run(MANY, &["--set", &tokens, "--set", attention, "--set", "time.end=0.1"]);
    let kernel = |i: usize, j: usize| (3.0 * (angles[i] - angles[j]).cos()).exp() / 3.0;
    let mut scaling = [1.0; 3];
    let columns = |scaling: &[f64; 3]| {
        let row = |i: usize| (0..3).map(|j| kernel(i, j) * scaling[j]).sum::<f64>();
        [0, 1, 2].map(|j| (0..3).map(|i| kernel(i, j) * scaling[j] / row(i)).sum::<f64>())
    };
    for _ in 0..2 {
        let sums = columns(&scaling);
        scaling = [0, 1, 2].map(|j| scaling[j] / sums[j]);
    }
    let expected = columns(&scaling).iter().map(|sum| sum.ln().abs()).fold(0.0, f64::max);
    let found = manifest["sinkhorn_marginal_error"].as_f64().expect("a number");
    assert!(expected > 1e-6 && (found / expected - 1.0).abs() < 1e-6, "{found:e}, expected {expected:e}");
}

#[test]
fn iterations_that_stop_short_are_spoken_of_at_the_end() {
    let sinkhorn = |iterations: u32| {
        let attention = format!(
            "attention={{ beta = 6.0, normalization = \"sinkhorn\", sinkhorn = {{ iterations = {iterations}, tolerance = 1e-6 }} }}"
        );
        run(MANY, &["--set", &attention, "--set", "tokens.count=40", "--set", "time.end=0.1"])
    };
    let (said, manifest) = sinkhorn(2);
    let error = manifest["sinkhorn_marginal_error"].as_f64().expect("a number");
    let sentence = format!(
        "attention.sinkhorn.iterations = 2 left log column sums of the attention matrix off by up to {error:.1e}, above \
         attention.sinkhorn.tolerance = 1e-6; write more iterations, or a larger tolerance"
    );
    assert_eq!(manifest["warnings"], serde_json::json!([sentence]));
    assert!(error > 1e-3 && said.contains(&sentence), "{said}");
    let (said, manifest) = sinkhorn(10_000);
    assert!(manifest["sinkhorn_marginal_error"].as_f64().is_some_and(|error| error <= 1e-6), "{manifest}");
    assert!(!said.contains("warning"), "{said}");
}

/// What theory lets rise falls where steps are far too long, and the other way round; where it promises nothing, nothing is said.
#[test]
fn energies_that_go_the_wrong_way_are_spoken_of() {
    let energy = "observe={ every = 0.5, quantities = [\"energy\"] }";
    let few = ["--set", "tokens.count=30", "--set", energy, "--set", "time.end=5"];
    let step = |step: &'static str| ["--set", step];
    let attention = |more: &str| format!("attention={{ beta = 9.0, normalization = \"unnormalized\"{more} }}");
    let doubt = |attention: &str, length: &'static str| {
        let (said, manifest) = run(MANY, &[&few[..], &step(length), &["--set", attention]].concat());
        let said = said.contains("warning: ").then_some(said);
        let kept = manifest["warnings"].as_array().map(|warnings| warnings.len());
        assert_eq!(kept, said.as_ref().map(|_| 1), "{manifest}");
        said
    };
    let repulsive = ", head = [{ value = { scale = -1.0 } }]";
    let fell = doubt(&attention(""), "time.step=0.5").expect("log_energy falls");
    assert!(fell.contains("log_energy fell by") && fell.contains("time.step = 0.5 is too long"), "{fell}");
    let rose = doubt(&attention(repulsive), "time.step=0.5").expect("log_energy rises");
    assert!(rose.contains("log_energy rose by"), "{rose}");
    for more in ["", repulsive] {
        assert_eq!(doubt(&attention(more), "time.step=0.0001"), None);
    }
    assert_eq!(doubt(&attention(", mask = \"causal\""), "time.step=0.5"), None);
}

/// Quantiles, points along lines and Fourier sums of the circle, and nodes that coupled tokens go with; of a normal law there are none.
#[test]
fn nodes_of_every_quantity_are_in_the_manifest() {
    let observe = "observe={ every = 0.2, quantities = [\"coupling_error\", \"w1_reference\", \"mmd_reference\", \"moments\"] }";
    let circle =
        ["--set", "tokens.count=50", "--set", "tokens.dim=2", "--set", "reference={ kind = \"quadrature\" }"];
    let (_, manifest) = run(MANY, &[&circle[..], &["--set", observe]].concat());
    let nodes = manifest["reference_nodes"].as_object().expect("a table");
    let counts: Vec<(&str, u64)> =
        nodes.iter().map(|(name, count)| (&name[..], count.as_u64().expect("a count"))).collect();
    let [("coupling_error", coupled), ("mmd_reference", points), ("w1_reference", quantiles)] = counts[..] else {
        panic!("{manifest}");
    };
    assert!(coupled >= 16 && points >= 4096 && quantiles >= 4096, "{manifest}");
    let normal = [
        "--set",
        "tokens={ count = 50, dim = 2, geometry = \"euclidean\", initial = { law = \"gaussian\", scale = 0.5 } }",
        "--set",
        "reference={ kind = \"gaussian\" }",
        "--set",
        "observe={ every = 0.2, quantities = [\"coupling_error\"] }",
    ];
    let (_, manifest) = run(MANY, &normal);
    assert!(manifest["reference_nodes"].is_null(), "{manifest}");
}
