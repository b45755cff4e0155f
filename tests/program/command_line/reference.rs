//! `--backend reference`: what it leaves is what the CPU leaves in double precision, and what it has not is refused.

use std::{collections::BTreeMap, path::Path};

use super::{Bench, EXPERIMENT, assert_refused, assert_succeeds, stderr};

/// The columns of `samples.csv`.
fn columns(text: &str) -> BTreeMap<String, Vec<f64>> {
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<&str>>());
    let names = lines.next().expect("a header");
    let rows: Vec<Vec<f64>> =
        lines.map(|row| row.iter().map(|field| field.parse().expect("a number")).collect()).collect();
    let column = |(k, name): (usize, &&str)| (name.to_string(), rows.iter().map(|row| row[k]).collect());
    names.iter().enumerate().map(column).collect()
}

/// Both sum in double precision, in another order.
const TOLERANCE: f64 = 1e-12;

/// Every column of every sample, relative to the largest magnitude in the column; rounding in a matrix moves all its eigenvalues alike,
/// so that these are relative to the first.
#[track_caller]
fn assert_alike(bench: &Bench, inside: &str, what: &str) {
    let [found, all] =
        ["reference", "cpu"].map(|folder| columns(&bench.text(&format!("{folder}/{inside}samples.csv"))));
    assert_eq!(found.keys().collect::<Vec<_>>(), all.keys().collect::<Vec<_>>(), "{what}");
    for (name, expected) in &all {
        let found = &found[name];
        assert_eq!(found.len(), expected.len(), "{what}, {name}");
        let eigenvalue = "second_moment_eigenvalue_";
        let scale = if name.starts_with(eigenvalue) { format!("{eigenvalue}0") } else { name.clone() };
        let largest =
            all[&scale].iter().filter(|value| !value.is_nan()).fold(0.0f64, |most, value| most.max(value.abs()));
        assert!(largest.is_finite(), "{what}, {name}: {expected:?}");
        for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
            let alike = (found - expected).abs() <= TOLERANCE * largest || (found.is_nan() && expected.is_nan());
            assert!(alike, "{what}, {name}, row {row}: {found:e}, and {expected:e} on the CPU");
        }
    }
}

/// Both backends on a file of `assets/experiments`.
#[track_caller]
fn assert_same_run(name: &str, set: &[&str]) {
    let bench = Bench::new(EXPERIMENT);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/experiments").join(name);
    let file = file.to_string_lossy();
    let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    for (backend, precision) in [("reference", None), ("cpu", Some(["--precision", "double"]))] {
        let mut arguments = vec!["run", &*file, "--backend", backend, "--out", backend, "--no-plot"];
        arguments.extend(precision.iter().flatten());
        arguments.extend(&set);
        assert_succeeds(&bench.tokenfield(&arguments));
    }
    assert_alike(&bench, "", name);
    let manifest: serde_json::Value =
        serde_json::from_str(&bench.text("reference/manifest.json")).expect("a manifest");
    assert_eq!(manifest["backend"], "reference");
    assert_eq!(manifest["precision"], "double");
    assert_eq!(manifest["algorithm"], "direct");
}

#[test]
fn the_reference_gives_what_the_cpu_gives_of_clusters() {
    assert_same_run("clusters.toml", &["tokens.count=40", "time.end=2.0"]);
}

#[test]
fn the_reference_gives_what_the_cpu_gives_of_metastable() {
    assert_same_run("metastable.toml", &["tokens.count=40", "time.end=2.0"]);
}

#[test]
fn the_reference_gives_what_the_cpu_gives_of_coupling() {
    assert_same_run("coupling.toml", &["tokens.count=40", "tokens.replicas=3"]);
}

#[test]
fn the_reference_gives_what_the_cpu_gives_of_copies() {
    assert_same_run("copies.toml", &["tokens.count=40", "tokens.replicas=4"]);
}

#[test]
fn the_reference_gives_what_the_cpu_gives_of_minilm_layers() {
    assert_same_run("minilm-layers.toml", &["attention.layers=[0]", "time.end=1"]);
}

/// Terms that no file of `assets/experiments` has: Sinkhorn, whose error is in the manifest, Pre-LN, and noise of two kinds.
#[test]
fn the_reference_gives_what_the_cpu_gives_of_other_terms() {
    for (what, set) in [
        (
            "sinkhorn",
            &["attention.normalization=\"sinkhorn\"", "attention.sinkhorn={ iterations = 5, tolerance = 1e-9 }"][..],
        ),
        ("pre-norm", &["tokens.geometry=\"pre-norm\"", "observe.quantities=[\"moments\", \"energy\"]"]),
        ("common noise", &["noise={ field = \"common-matrix\", intensity = 0.5, calculus = \"stratonovich\" }"]),
        ("independent noise", &["noise={ field = \"independent\", intensity = 0.5, calculus = \"stratonovich\" }"]),
    ] {
        let bench = Bench::new(EXPERIMENT);
        let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).chain(["--no-plot", "--out"]).collect();
        for (backend, precision) in [("reference", None), ("cpu", Some(["--precision", "double"]))] {
            let mut arguments = vec!["run", "small.toml", "--backend", backend];
            arguments.extend(precision.iter().flatten());
            arguments.extend(&set);
            arguments.push(backend);
            assert_succeeds(&bench.tokenfield(&arguments));
        }
        assert_alike(&bench, "", what);
        let error = |folder: &str| {
            let manifest = bench.text(&format!("{folder}/manifest.json"));
            let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("a manifest");
            manifest["sinkhorn_marginal_error"].as_f64()
        };
        match (error("reference"), error("cpu")) {
            (None, None) => assert_ne!(what, "sinkhorn"),
            (found, expected) => {
                let (found, expected) = (found.expect("an error"), expected.expect("an error"));
                assert!((found - expected).abs() < 1e-12 && expected > 1e-6, "{what}: {found:e}, {expected:e}");
            }
        }
    }
}

#[test]
fn the_reference_refuses_other_precisions_and_harmonics() {
    let bench = Bench::new(EXPERIMENT);
    for precision in ["single", "half"] {
        let arguments = ["run", "small.toml", "--backend", "reference", "--precision", precision, "--out", "out"];
        let names = [&format!("--precision {precision}"), "double precision", "leave --precision out"];
        assert_refused(&bench, &bench.tokenfield(&arguments), &names, precision);
    }
    let run = ["run", "small.toml", "--backend", "reference", "--no-plot", "--out", "out"];
    let harmonic = [&run[..], &["--set", "algorithm=\"harmonic\""]].concat();
    let names = ["reference backend", "no harmonics", "algorithm = \"direct\"", "--backend cpu"];
    assert_refused(&bench, &bench.tokenfield(&harmonic), &names, "harmonics");
    let large = [&run[..], &["--set", "tokens.count=2000000"]].concat();
    let output = bench.tokenfield(&large);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("tokens.count = 2000000"), "{}", stderr(&output));
    assert!(!bench.path("out").exists(), "nothing was started");
    let double = [&run[..], &["--precision", "double"]].concat();
    assert_succeeds(&bench.tokenfield(&double));
}

/// Its cells are those of the CPU.
#[test]
fn a_sweep_takes_the_reference() {
    let bench = Bench::new(EXPERIMENT);
    let sweep = "name = \"two\"\nbase = \"small.toml\"\n[axes]\n\"attention.beta\" = [1.0, 2.0]\n";
    std::fs::write(bench.path("two.toml"), sweep).expect("a sweep");
    let set = ["--set", "tokens.count=12", "--set", "time.end=0.1"];
    for (backend, precision) in [("reference", None), ("cpu", Some(["--precision", "double"]))] {
        let mut arguments = vec!["sweep", "two.toml", "--backend", backend, "--out", backend, "--no-plot"];
        arguments.extend(precision.iter().flatten());
        arguments.extend(&set);
        assert_succeeds(&bench.tokenfield(&arguments));
    }
    let cells = bench.names("reference/cells");
    assert_eq!(cells, bench.names("cpu/cells"));
    assert_eq!(cells.len(), 2);
    for cell in cells {
        let manifest = bench.text(&format!("reference/cells/{cell}/manifest.json"));
        assert!(manifest.contains("\"backend\": \"reference\""), "{manifest}");
        assert_alike(&bench, &format!("cells/{cell}/"), &cell);
    }
}
