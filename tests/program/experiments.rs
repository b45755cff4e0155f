//! Every experiment in `assets/experiments`, run to its end and held against numbers that were found once.
//!
//! The numbers are those of the CPU in double precision; single precision must find the same physics.

use std::{path::Path, process::Command};

use ndarray::{Array2, Array3};
use ndarray_npy::read_npy;
use tokenfield::{
    backend::{Backend, BackendError, Precision, cpu, reference::Reference},
    experiment::{Experiment, SweepFile},
    observables::columns,
    problem::Problem,
    simulate::{Event, simulate},
    sweep::cells,
};

fn problem(name: &str) -> Problem {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/experiments").join(name);
    Experiment::read(&path, &[]).and_then(|experiment| experiment.resolve()).expect("the experiment is right")
}

type Open = fn(&Problem) -> Result<Box<dyn Backend>, BackendError>;

/// The last value of each named quantity.
fn last(open: Open, problem: &Problem, names: &[&str]) -> Vec<f64> {
    let columns = columns(&problem.quantities, problem.tokens.shape.dim);
    let mut values = Vec::new();
    let mut backend = open(problem).expect("the problem suits the CPU");
    let run = simulate(problem, backend.as_mut(), |event| {
        if let Event::Sample(sample) = event {
            values.clone_from(&sample.values);
        }
        Ok(())
    });
    pollster::block_on(run).expect("the experiment ends");
    names.iter().map(|name| values[columns.iter().position(|column| column == name).expect("a column")]).collect()
}

#[track_caller]
fn assert_ends(name: &str, expected: &[(&str, f64)]) {
    let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    let problem = problem(name);
    for (precision, found, tolerance) in
        [("single", last(cpu::single, &problem, &names), 1e-4), ("double", last(cpu::double, &problem, &names), 1e-9)]
    {
        for ((column, expected), found) in expected.iter().zip(found) {
            assert!((found - expected).abs() < tolerance, "{name}, {precision}: {column} = {found}, was {expected}");
        }
    }
}

#[test]
fn clusters() {
    assert_ends(
        "clusters.toml",
        &[("log_energy", 10.538027802369164), ("mean_norm", 0.03793303202989241), ("w2_dirac", 1.387131549616048)],
    );
}

/// Of 512 tokens 313 and 199 end together: 313 * 312 + 199 * 198 of 512 * 511 pairs overlap by nearly one.
#[test]
fn metastable() {
    assert_ends(
        "metastable.toml",
        &[
            ("log_energy", 2.870339682635738),
            ("clusters", 2.0),
            ("cluster_weight_0", 313.0 / 512.0),
            ("overlap_histogram_39", 137_058.0 / 261_632.0),
            ("mode_2", 0.9543440461603947),
        ],
    );
}

#[test]
fn minilm() {
    assert_ends(
        "minilm-warm.toml",
        &[("log_energy", 5.18021483979177), ("mean_norm", 0.9801517336667122), ("w2_dirac", 0.19923988723791047)],
    );
    assert_ends(
        "minilm-cold.toml",
        &[("log_energy", 8.590126092167546), ("mean_norm", 0.33628519554051367), ("w2_dirac", 1.152141314648066)],
    );
}

/// The tokens after the first `layers` layers of a trained encoder, from the command line.
fn after_layers(layers: usize, backend: &str, precision: &str) -> Option<Vec<f64>> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/experiments/minilm-layers.toml");
    let numbers: Vec<String> = (0..layers).map(|layer| layer.to_string()).collect();
    let set = [format!("attention.layers=[{}]", numbers.join(", ")), format!("time.end={layers}")];
    let output = Command::new(env!("CARGO_BIN_EXE_tokenfield"))
        .arg("run")
        .arg(file)
        .args(["--backend", backend, "--precision", precision, "--no-plot", "--out", "out"])
        .args(["--set", &set[0], "--set", &set[1]])
        .current_dir(&folder)
        .output()
        .expect("the program starts");
    let message = String::from_utf8_lossy(&output.stderr);
    if message.contains("no graphics adapter") && std::env::var_os("TOKENFIELD_REQUIRE_GPU").is_none() {
        return None;
    }
    assert!(output.status.success(), "{message}");
    let tokens = folder.path().join("out/tokens.npy");
    Some(match precision {
        "double" => read_npy::<_, Array3<f64>>(tokens).expect("tokens").into_iter().collect(),
        _ => read_npy::<_, Array3<f32>>(tokens).expect("tokens").into_iter().map(f64::from).collect(),
    })
}

/// Hidden states of the encoder, computed elsewhere in f64 and stored in f32: that rounding, up to 2^-22 of numbers below
/// 8, is within the 1e-6 of double precision.
fn assert_layers(backend: &str, precision: &str, tolerance: f64) {
    for layers in [1, 2] {
        let Some(found) = after_layers(layers, backend, precision) else {
            eprintln!("no adapter on this machine: the encoder ran on no GPU");
            return;
        };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/minilm/hidden-{layers}.npy"));
        let expected: Array2<f32> = read_npy(path).expect("hidden states");
        assert_eq!(found.len(), expected.len());
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let difference = (found - f64::from(*expected)).abs();
            assert!(
                difference <= tolerance,
                "{backend}, {precision}, after {layers}: component {index} is {found}, expected {expected}"
            );
        }
    }
}

#[test]
fn minilm_layers_on_the_cpu() {
    assert_layers("cpu", "single", 2e-5);
    assert_layers("cpu", "double", 1e-6);
}

#[cfg(feature = "gpu")]
#[test]
fn minilm_layers_on_the_gpu() {
    assert_layers("gpu", "single", 2e-5);
}

/// A column of every replica at the end, from the command line, in double precision.
fn column_at_end(name: &str, column: &str, end: f64, set: &[&str]) -> Vec<f64> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/experiments").join(name);
    let output = Command::new(env!("CARGO_BIN_EXE_tokenfield"))
        .arg("run")
        .arg(file)
        .args(["--backend", "cpu", "--precision", "double", "--no-plot", "--out", "out"])
        .args(set.iter().flat_map(|set| ["--set", set]))
        .current_dir(&folder)
        .output()
        .expect("the command starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut reader = csv::Reader::from_path(folder.path().join("out/samples.csv")).expect("samples");
    let column = reader.headers().expect("a header").iter().position(|name| name == column).expect("a column");
    let rows = reader.records().map(|row| row.expect("a row"));
    rows.filter(|row| row[1].parse::<f64>() == Ok(end)).map(|row| row[column].parse().expect("a number")).collect()
}

/// The root mean square over replicas of the coupling error.
fn coupling_error(count: usize) -> f64 {
    let set = ["tokens.replicas=16", &format!("tokens.count={count}"), "reference.steps=\"tokens\""];
    let errors = column_at_end("coupling.toml", "coupling_error", 2.0, &set);
    assert_eq!(errors.len(), 16);
    (errors.iter().map(|error| error * error).sum::<f64>() / 16.0).sqrt()
}

#[test]
fn coupling() {
    let (few, many) = (coupling_error(256), coupling_error(4096));
    assert!((few - COUPLING[0]).abs() < 1e-9 && (many - COUPLING[1]).abs() < 1e-9, "{few}, {many}");
    assert!((few / many / 4.0 - 1.0).abs() < 0.3, "like n^-1/2: {few}, {many}");
}

/// With 256 and with 4096 tokens.
const COUPLING: [f64; 2] = [0.096_181_815_244_920_21, 0.022_779_161_055_361_683];

#[test]
fn copies() {
    let found = column_at_end("copies.toml", "w1_copies", 1.0, &["tokens.replicas=4", "tokens.count=64"]);
    assert_eq!((found.len(), found[0], found[2]), (4, found[1], found[3]));
    assert!((found[0] - COPIES[0]).abs() < 1e-9 && (found[2] - COPIES[1]).abs() < 1e-9, "{found:?}");
}

/// Of two pairs.
const COPIES: [f64; 2] = [0.692_474_985_997_706_8, 0.593_232_588_606_230_1];

#[test]
fn sweeps_resolve() {
    for (name, count) in [("coupling.toml", 4), ("copies.toml", 10)] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/sweeps").join(name);
        let sweep = SweepFile::read(&file, &[]).expect("the sweep is right");
        assert_eq!(cells(&sweep, Precision::Single).expect("cells").len(), count);
    }
}

/// Columns are padded to whole vectors; with these counts a block of queries has nothing but padding.
#[test]
fn counts_that_fill_their_blocks_are_those_of_the_reference() {
    let names = ["log_energy", "mean_norm"];
    let judge: Open = |problem| Ok(Box::new(Reference::new(problem)?));
    for count in [780, 840, 1260] {
        let text = format!(
            "algorithm = \"direct\"\ntokens = {{ count = {count}, dim = 3, initial = {{ law = \"uniform\" }} }}\n\
             attention = {{ beta = 4.0, normalization = \"softmax\" }}\n\
             time = {{ scheme = \"euler\", step = 0.1, end = 0.1 }}\nobserve = {{ quantities = [\"energy\", \"moments\"] }}\n"
        );
        let problem = Experiment::parse(&text).and_then(|experiment| experiment.resolve()).expect("it is right");
        let (found, expected) = (last(cpu::double, &problem, &names), last(judge, &problem, &names));
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{count}: {found}, not {expected}");
        }
    }
}
