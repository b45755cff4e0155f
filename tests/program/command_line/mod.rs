//! The public contract of the commands: exit codes, what lands in a run folder, and what does not.

mod reference;
mod standard_input;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use ndarray::{Array1, Array2, Array3, Array4, Axis};
use ndarray_npy::{read_npy, write_npy};
use tempfile::TempDir;

const EXPERIMENT: &str = r#"
name = "small"
[tokens]
count = 40
dim = 3
replicas = 2
seed = 7
initial = { law = "uniform" }
[attention]
beta = 4.0
normalization = "softmax"
[time]
scheme = "heun"
step = 0.05
end = 0.5
[observe]
every = 0.1
quantities = ["moments", "energy", "w2_dirac", "overlap"]
"#;

/// A folder with an experiment in it, gone when dropped.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new(experiment: &str) -> Bench {
        let folder = TempDir::new().expect("a temporary folder");
        fs::write(folder.path().join("small.toml"), experiment).expect("the experiment is written");
        Bench { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `tokenfield ARGUMENTS` inside the folder.
    fn tokenfield(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
        command.args(arguments).current_dir(&self.folder).output().expect("the program starts")
    }

    /// A run on the CPU into `out`, with further arguments.
    fn run(&self, out: &str, more: &[&str]) -> Output {
        self.tokenfield(&[&["run", "small.toml", "--backend", "cpu", "--out", out], more].concat())
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).expect("the folder is there");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a text file")
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn assert_succeeds(output: &Output) {
    assert!(output.status.success(), "exit {:?}: {}", output.status.code(), stderr(output));
}

#[test]
fn a_run_folder_holds_what_the_contract_says() {
    let bench = Bench::new(EXPERIMENT);
    let output = bench.run("out", &[]);
    assert_succeeds(&output);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "out\n", "stdout is the folder and nothing else");
    let mut expected = vec!["experiment.toml", "manifest.json", "samples.csv", "tokens.npy"];
    const PICTURES: [&str; 8] = [
        "log_energy",
        "mean",
        "mean_norm",
        "overlap_mean",
        "overlap_min",
        "second_moment_eigenvalue",
        "tokens",
        "w2_dirac",
    ];
    for picture in PICTURES {
        expected.extend([".png", ".svg"].map(|ending| &*Box::leak(format!("{picture}{ending}").into_boxed_str())));
    }
    expected.sort_unstable();
    assert_eq!(bench.names("out"), expected);

    let tokens: Array3<f32> = read_npy(bench.path("out/tokens.npy")).expect("tokens in single precision");
    assert_eq!(tokens.shape(), [2, 40, 3]);
    let samples = bench.text("out/samples.csv");
    let mut lines = samples.lines();
    assert_eq!(
        lines.next(),
        Some(
            "replica,time,mean_0,mean_1,mean_2,mean_norm,second_moment_eigenvalue_0,second_moment_eigenvalue_1,\
             second_moment_eigenvalue_2,log_energy,w2_dirac,overlap_min,overlap_mean"
        )
    );
    let keys: Vec<String> = lines.map(|line| line.split(',').take(2).collect::<Vec<_>>().join(",")).collect();
    let times = ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"];
    assert_eq!(keys, times.iter().flat_map(|t| [format!("0,{t}"), format!("1,{t}")]).collect::<Vec<_>>());

    let manifest: serde_json::Value = serde_json::from_str(&bench.text("out/manifest.json")).expect("a manifest");
    assert_eq!(manifest["status"], "complete");
    assert_eq!(manifest["backend"], "cpu");
    assert_eq!(manifest["precision"], "single");
    assert_eq!(manifest["algorithm"], "direct");
    assert_eq!(manifest["seed"], 7);
    // Two stages in each of ten steps, and one energy for each of six samples.
    assert_eq!(manifest["pairs_evaluated"], 2 * 40 * 40 * (20 + 6));
    for key in ["version", "commit", "adapter", "driver", "wall_seconds"] {
        assert!(!manifest[key].is_null(), "{key} is missing");
    }
}

#[test]
fn the_resolved_experiment_repeats_the_run_byte_for_byte() {
    let bench = Bench::new(EXPERIMENT);
    for precision in ["single", "double"] {
        let (first, second, third) = (format!("a-{precision}"), format!("b-{precision}"), format!("c-{precision}"));
        let more = ["--no-plot", "--precision", precision, "--set", "attention.beta=2.5"];
        assert_succeeds(&bench.run(&first, &more));
        assert_succeeds(&bench.run(&second, &more));
        let resolved = format!("{first}/experiment.toml");
        let arguments =
            ["run", &resolved, "--backend", "cpu", "--out", &third, "--no-plot", "--precision", precision];
        assert_succeeds(&bench.tokenfield(&arguments));
        for name in ["tokens.npy", "samples.csv", "experiment.toml"] {
            let bytes = |folder: &str| fs::read(bench.path(folder).join(name)).expect("a file");
            assert_eq!(bytes(&first), bytes(&second), "{name}");
            assert_eq!(bytes(&first), bytes(&third), "{name}");
        }
        assert_eq!(bench.names(&first), ["experiment.toml", "manifest.json", "samples.csv", "tokens.npy"]);
    }
    let double: Array3<f64> = read_npy(bench.path("a-double/tokens.npy")).expect("tokens in double precision");
    let single: Array3<f32> = read_npy(bench.path("a-single/tokens.npy")).expect("tokens in single precision");
    assert!(double.iter().zip(&single).all(|(a, b)| (a - f64::from(*b)).abs() < 1e-5));
    assert!(bench.text("a-single/experiment.toml").contains("beta = 2.5"));
}

#[cfg(feature = "gpu")]
#[test]
fn the_gpu_gives_what_the_cpu_gives() {
    let required = std::env::var_os("TOKENFIELD_REQUIRE_GPU").is_some();
    let bench = Bench::new(EXPERIMENT);
    let output = bench.tokenfield(&["run", "small.toml", "--backend", "gpu", "--out", "gpu", "--no-plot"]);
    if !required && stderr(&output).contains("no graphics adapter") {
        eprintln!("no adapter on this machine: only the refusal was tested");
        assert_eq!(output.status.code(), Some(1));
        return;
    }
    assert_succeeds(&output);
    assert_succeeds(&bench.run("cpu", &["--no-plot", "--precision", "double"]));
    let gpu: Array3<f32> = read_npy(bench.path("gpu/tokens.npy")).expect("tokens of the GPU");
    let cpu: Array3<f64> = read_npy(bench.path("cpu/tokens.npy")).expect("tokens of the CPU");
    assert!(gpu.iter().zip(&cpu).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5));
    assert!(bench.text("gpu/manifest.json").contains("\"backend\": \"gpu\""));
}

/// A program without the feature `gpu` says so, with the remedy, and begins nothing.
#[cfg(not(feature = "gpu"))]
#[test]
fn a_gpu_that_was_left_out_is_asked_for_in_vain() {
    let bench = Bench::new(EXPERIMENT);
    for precision in ["single", "half"] {
        let output =
            bench.tokenfield(&["run", "small.toml", "--backend", "gpu", "--precision", precision, "--out", "gpu"]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains("build it with `--features gpu`"), "{}", stderr(&output));
        assert!(!bench.path("gpu").exists(), "nothing was started");
    }
    let output = bench.tokenfield(&["devices"]);
    assert_succeeds(&output);
    assert!(stderr(&output).contains("build it with `--features gpu`"), "{}", stderr(&output));
    // What takes whatever there is takes the CPU, and says so.
    let output = bench.tokenfield(&["run", "small.toml", "--out", "auto", "--no-plot"]);
    assert_succeeds(&output);
    assert!(stderr(&output).contains("small on cpu"), "{}", stderr(&output));
}

#[test]
fn pictures_can_be_drawn_later() {
    let bench = Bench::new(EXPERIMENT);
    assert_succeeds(&bench.run("out", &["--no-plot"]));
    let output = bench.tokenfield(&["plot", "out"]);
    assert_succeeds(&output);
    let drawn = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(drawn.lines().count(), 16);
    assert!(drawn.lines().all(|line| bench.path(line).is_file()), "{drawn}");
}

#[test]
fn a_run_that_keeps_its_tokens_can_be_animated() {
    let bench = Bench::new(EXPERIMENT);
    for (out, precision) in [("single", "single"), ("double", "double")] {
        let keep = ["--set", "observe.quantities=[\"tokens\"]", "--precision", precision, "--no-plot"];
        assert_succeeds(&bench.run(out, &keep));
    }
    let kept: Array4<f64> = read_npy(bench.path("double/trajectory.npy")).expect("tokens over time");
    let last: Array3<f64> = read_npy(bench.path("double/tokens.npy")).expect("final tokens");
    assert_eq!(kept.shape(), [6, 2, 40, 3]);
    assert_eq!(kept.index_axis(Axis(0), 5), last);
    assert!(kept.index_axis(Axis(0), 0) != last && kept.iter().all(|component| component.abs() <= 1.0 + 1e-12));
    let single: Array4<f32> = read_npy(bench.path("single/trajectory.npy")).expect("tokens over time");
    assert!(kept.iter().zip(&single).all(|(a, b)| (a - f64::from(*b)).abs() < 1e-5));
    assert_eq!(bench.text("double/samples.csv").lines().next(), Some("replica,time"));
    let output = bench.tokenfield(&["plot", "double", "--animate"]);
    assert_succeeds(&output);
    assert!(bench.path("double/tokens.gif").is_file());
}

#[test]
fn a_folder_with_anything_in_it_is_left_alone() {
    let bench = Bench::new(EXPERIMENT);
    fs::create_dir(bench.path("taken")).expect("a folder");
    fs::write(bench.path("taken/thesis.tex"), "years of work").expect("a file");
    let output = bench.run("taken", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("taken: the folder is not empty"), "{}", stderr(&output));
    assert_eq!(bench.names("taken"), ["thesis.tex"]);
}

#[test]
fn without_out_every_run_gets_a_folder_of_its_own() {
    let bench = Bench::new(EXPERIMENT);
    for expected in ["runs/small", "runs/small-2", "runs/small-3"] {
        let output = bench.tokenfield(&["run", "small.toml", "--backend", "cpu", "--no-plot"]);
        assert_succeeds(&output);
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), Path::new(expected).to_string_lossy());
    }
}

#[test]
fn an_overflowing_run_fails_and_says_so_in_its_manifest() {
    let bench =
        Bench::new(&EXPERIMENT.replace("\"softmax\"", "\"unnormalized\"").replace("beta = 4.0", "beta = 1000.0"));
    let output = bench.run("out", &["--set", "observe.quantities=[\"moments\", \"tokens\"]"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(bench.names("out"), ["experiment.toml", "manifest.json", "samples.csv"], "no part of a trajectory");
    assert!(stderr(&output).contains("no longer finite at time 0.1"), "{}", stderr(&output));
    let manifest = bench.text("out/manifest.json");
    assert!(manifest.contains("\"status\": \"failed\"") && manifest.contains("no longer finite"), "{manifest}");
    assert_eq!(bench.text("out/samples.csv").lines().count(), 3, "the samples of time 0 are kept");
}

/// Under softmax tokens grow like e^t and no faster, and the covariance s of a normal law like s' = 2 s^2: it is infinite at
/// 1 / 2, whatever the step.
#[test]
fn a_limit_that_blows_up_ends_the_run_and_says_so() {
    let bench = Bench::new(&EXPERIMENT.replace("beta = 4.0", "beta = 1.0").replace("end = 0.5", "end = 2.0"));
    let set = [
        "tokens.geometry=\"euclidean\"",
        "tokens.initial={ law = \"gaussian\", scale = 1.0 }",
        "reference={ kind = \"gaussian\" }",
        "observe.quantities=[\"coupling_error\", \"tokens\"]",
    ];
    let more: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).chain(["--precision", "double"]).collect();
    let output = bench.run("out", &more);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let said = "the limit that runs beside the tokens is no longer finite at time ";
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
    assert!(stderr(&output).contains("take an earlier time.end, or leave out [reference]"), "{}", stderr(&output));
    assert_eq!(bench.names("out"), ["experiment.toml", "manifest.json", "samples.csv"], "no part of a trajectory");
    let manifest = bench.text("out/manifest.json");
    assert!(manifest.contains("\"status\": \"failed\"") && manifest.contains(said), "{manifest}");
    let samples = bench.text("out/samples.csv");
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for line in samples.lines().skip(1) {
        rows.push(line.split(',').map(|field| field.parse().expect("a number")).collect());
    }
    assert!(samples.ends_with('\n') && rows.len() == 10, "whole samples: {samples}");
    assert!(rows.iter().all(|row| row.len() == 3 && row[2].is_finite()), "{samples}");
    let last = rows[rows.len() - 1][1];
    let (_, after) = manifest.split_once(said).expect("a time");
    let failed: f64 = after.split(';').next().and_then(|time| time.parse().ok()).expect("a time");
    assert!(last == 0.4 && (failed - 0.5).abs() < 1e-6, "ended at {failed}, with samples until {last}");
}

/// What is wrong, the arguments or the file that make it so, and what the message must name.
#[test]
fn wrong_input_exits_with_two_names_the_key_and_writes_nothing() {
    let set: [(&str, &[&str]); 17] = [
        ("attention.betta=1.0", &["attention.betta", "attention.beta"]),
        ("attention.beta=\"four\"", &["attention.beta", "four"]),
        ("attention.beta=-1", &["attention.beta", "-1"]),
        ("attention.beta=nan", &["attention.beta", "nan"]),
        ("tokens.dim=1", &["tokens.dim", "1"]),
        ("tokens.count=0", &["tokens.count", "0"]),
        ("time.end=0.52", &["time.end", "0.5", "0.55"]),
        ("observe.every=0.07", &["observe.every", "0.05", "0.1"]),
        ("attention.mask=\"diagonal\"", &["attention.mask", "diagonal", "causal"]),
        ("algorithm=\"harmonics\"", &["algorithm", "harmonics", "direct"]),
        ("tokens.passive=40", &["tokens.passive", "40"]),
        ("tokens.initial={ law = \"file\", path = \"absent.npy\" }", &["tokens.initial.path", "absent.npy"]),
        ("tokens.initial={ law = \"file\", path = \"flat.npy\" }", &["tokens.initial.path", "flat.npy"]),
        ("tokens.initial={ law = \"file\", path = \"long.npy\" }", &["tokens.initial.path", "long.npy", "4"]),
        ("tokens.initial={ law = \"file\", path = \"nan.npy\" }", &["tokens.initial.path", "nan.npy"]),
        ("tokens.weights={ path = \"heavy.npy\" }", &["tokens.weights.path", "heavy.npy"]),
        (
            "attention.head=[{ query-key = { rows = [[1.0, 0.0], [0.0, 1.0]] }, value = \"identity\" }]",
            &["attention.head", "query-key"],
        ),
    ];
    let bench = Bench::new(EXPERIMENT);
    write_npy(bench.path("flat.npy"), &Array1::<f64>::zeros(12)).expect("a file");
    let mut tokens = Array2::<f64>::zeros((40, 3));
    tokens.column_mut(2).fill(1.0);
    tokens[(4, 0)] = 0.2;
    write_npy(bench.path("long.npy"), &tokens).expect("a file");
    tokens[(4, 0)] = f64::NAN;
    write_npy(bench.path("nan.npy"), &tokens).expect("a file");
    write_npy(bench.path("heavy.npy"), &Array1::<f64>::ones(40)).expect("a file");
    for (set, names) in set {
        let output = bench.run("out", &["--set", set]);
        assert_refused(&bench, &output, &[&["small.toml"], names].concat(), set);
    }
}

#[track_caller]
fn assert_refused(bench: &Bench, output: &Output, names: &[&str], what: &str) {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{what}: {message}");
    for name in names {
        assert!(message.contains(name), "{what}: {name} is not named in: {message}");
    }
    assert_eq!(message.lines().count(), 1, "{what}: one line says it all: {message}");
    assert!(!bench.path("out").exists(), "{what}: something was written");
}

#[test]
fn what_cannot_be_read_or_written_is_named() {
    let bench = Bench::new(EXPERIMENT);
    let output = bench.tokenfield(&["run", "absent.toml", "--out", "out"]);
    assert_refused(&bench, &output, &["absent.toml"], "a missing experiment");
    fs::write(bench.path("broken.toml"), "name = \"small\"\n[tokens\n").expect("a file");
    let output = bench.tokenfield(&["run", "broken.toml", "--out", "out"]);
    assert_refused(&bench, &output, &["broken.toml", "line 2"], "a broken experiment");
    fs::write(bench.path("file"), "").expect("a file");
    let output = bench.run("file/out", &[]);
    assert_refused(&bench, &output, &["file/out", "--out"], "a folder inside a file");
    let output = bench.run("out", &["--backend", "gpu", "--precision", "double"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let output = bench.tokenfield(&["plot", "absent"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("absent"));
}

#[test]
fn devices_marks_what_auto_takes_and_check_finds_every_backend_right() {
    let bench = Bench::new(EXPERIMENT);
    let output = bench.tokenfield(&["devices"]);
    assert_succeeds(&output);
    assert_eq!(String::from_utf8_lossy(&output.stdout).matches("<- auto").count(), 1);
    let output = bench.tokenfield(&["check"]);
    assert_succeeds(&output);
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("cpu single") && table.contains("cpu double") && !table.contains("ABOVE"), "{table}");
}

/// What asks for half precision gets it or an error, and no run folder; the CPU never has it.
#[test]
fn half_precision_is_never_replaced() {
    let bench = Bench::new(EXPERIMENT);
    let output = bench.run("out", &["--precision", "half"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("use --backend gpu, or --precision single"), "{}", stderr(&output));
    assert!(!bench.path("out").exists(), "nothing was started");
}

#[cfg(feature = "gpu")]
#[test]
fn half_precision_is_never_replaced_on_a_gpu() {
    let bench = Bench::new(EXPERIMENT);
    // On a GPU that has it, d = 3 has not.
    let output = bench.tokenfield(&["run", "small.toml", "--backend", "gpu", "--precision", "half", "--out", "out"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("--precision single"), "{}", stderr(&output));
    assert!(!bench.path("out").exists(), "nothing was started");
}
