//! Runs that keep the matrices of their attention: what is in `attention.npy`, of each head, replica, sample and cell.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use ndarray::{Array4, Array5};
use ndarray_npy::read_npy;

/// Heads of beta 2 and -A of beta 3.5, causal, with a passive token.
const BASE: &str = r#"
name = "matrices"
[tokens]
count = 7
dim = 3
replicas = 2
passive = 1
seed = 7
initial = { law = "uniform" }
[attention]
beta = 2.0
normalization = "softmax"
mask = "causal"
head = [{}, { query-key = { scale = -1.0 }, beta = 3.5 }]
[time]
scheme = "heun"
step = 0.1
end = 1.0
[observe]
every = 0.5
quantities = ["moments", "tokens", "attention_matrix"]
"#;
const BETAS: [f64; 2] = [2.0, -3.5];

fn bench(base: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("base.toml"), base).expect("a file");
    folder
}

fn succeeds(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
    let output = command.current_dir(folder).args(arguments).output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn run(folder: &Path, out: &str, more: &[&str]) -> PathBuf {
    succeeds(folder, &[&["run", "base.toml", "--backend", "cpu", "--out", out], more].concat());
    folder.join(out)
}

/// Every a_ij is e^{beta <x_i, x_j>} divided by the sum over j <= i, of the tokens that the run has kept, and zero for j > i.
fn assert_softmax(tokens: &Array4<f64>, kept: &Array5<f64>, weight: impl Fn(f64) -> f64, tolerance: f64) {
    let (samples, replicas, count, dim) = tokens.dim();
    assert_eq!(kept.dim(), (samples, replicas, 2, count - 1, count - 1));
    for ((sample, replica, head, i, j), found) in kept.indexed_iter() {
        let share = |j: usize| {
            let overlap: f64 =
                (0..dim).map(|k| tokens[[sample, replica, i, k]] * tokens[[sample, replica, j, k]]).sum();
            if j <= i { weight(BETAS[head] * overlap) } else { 0.0 }
        };
        let sum: f64 = (0..count - 1).map(share).sum();
        let expected = if sum > 0.0 { share(j) / sum } else { 0.0 };
        let place = [sample, replica, head, i, j];
        assert!((found - expected).abs() < tolerance, "{found} at {place:?}, not {expected}");
    }
}

fn double(folder: &Path) -> (Array4<f64>, Array5<f64>) {
    let read = |name: &str| folder.join(name);
    (read_npy(read("trajectory.npy")).expect("tokens"), read_npy(read("attention.npy")).expect("attention"))
}

#[test]
fn kept_matrices_are_softmax_of_kept_tokens() {
    let bench = bench(BASE);
    let (tokens, kept) = double(&run(bench.path(), "double", &["--precision", "double", "--no-plot"]));
    assert_eq!(kept.dim(), (3, 2, 2, 6, 6));
    assert_softmax(&tokens, &kept, f64::exp, 1e-14);

    let out = run(bench.path(), "single", &["--precision", "single"]);
    let kept: Array5<f32> = read_npy(out.join("attention.npy")).expect("attention");
    let tokens: Array4<f32> = read_npy(out.join("trajectory.npy")).expect("tokens");
    assert_softmax(&tokens.mapv(f64::from), &kept.mapv(f64::from), f64::exp, 1e-6);
    let manifest = fs::read_to_string(out.join("manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    let bytes = fs::metadata(out.join("attention.npy")).expect("a file").len();
    assert_eq!(manifest["files"]["attention.npy"]["bytes"], bytes);
    let columns = fs::read_to_string(out.join("samples.csv")).expect("samples");
    assert!(!columns.lines().next().expect("a header").contains("attention"), "{columns}");
    assert!(["attention.svg", "attention.png"].iter().all(|name| out.join(name).is_file()));
}

#[test]
fn rows_of_kept_matrices_are_divided_by_their_sums_whatever_the_normalization() {
    let bench = bench(&BASE.replace("softmax", "relu"));
    let (tokens, kept) = double(&run(bench.path(), "out", &["--precision", "double", "--no-plot"]));
    assert_softmax(&tokens, &kept, |score| score.max(0.0), 1e-14);
    // Where the head of -A sees the token itself alone nothing is positive.
    assert_eq!(kept[[0, 0, 1, 0, 0]], 0.0);
}

#[test]
fn a_run_that_stops_keeps_the_matrices_of_its_samples() {
    let bench = bench(&BASE.replace("end = 1.0", "end = 1.0\nstop = \"time > 0.4\""));
    let out = run(bench.path(), "out", &["--precision", "double"]);
    let (tokens, kept) = double(&out);
    assert_eq!(kept.dim().0, 2);
    assert_softmax(&tokens, &kept, f64::exp, 1e-14);
}

#[test]
fn cells_that_run_together_keep_their_own_matrices() {
    let bench = bench(BASE);
    let sweep = "base = \"base.toml\"\n[axes]\n\"tokens.seed\" = [1, 2, 3]\n";
    fs::write(bench.path().join("sweep.toml"), sweep).expect("a file");
    let arguments = ["sweep", "sweep.toml", "--backend", "cpu", "--precision", "double", "--no-plot", "--out", "out"];
    succeeds(bench.path(), &arguments);
    let cells: Vec<_> = fs::read_dir(bench.path().join("out/cells")).expect("cells").collect();
    assert_eq!(cells.len(), 3);
    for cell in cells {
        let (tokens, kept) = double(&cell.expect("a cell").path());
        assert_softmax(&tokens, &kept, f64::exp, 1e-14);
    }
}
