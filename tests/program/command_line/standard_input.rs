//! `tokenfield run -`: an experiment from standard input, whose paths are relative to the current folder.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use ndarray::Array2;
use ndarray_npy::write_npy;

use super::{Bench, EXPERIMENT, assert_refused, assert_succeeds};

fn run(bench: &Bench, text: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
    command.args(["run", "-", "--backend", "cpu", "--no-plot"]).current_dir(&bench.folder);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(text).expect("it reads");
    child.wait_with_output().expect("it ends")
}

#[test]
fn an_experiment_from_standard_input_is_that_of_a_file() {
    let typed = "count = 40\ndim = 3\nreplicas = 2\nseed = 7\ninitial = { law = \"uniform\" }";
    let text = EXPERIMENT.replace(typed, "initial = { law = \"file\", path = \"start.npy\" }");
    assert_ne!(text, EXPERIMENT);
    let bench = Bench::new(&text);
    write_npy(bench.path("start.npy"), &Array2::<f64>::eye(3)).expect("an array");
    assert_succeeds(&run(&bench, text.as_bytes()));
    assert_succeeds(&bench.run("file", &["--no-plot"]));
    assert_eq!(bench.text("runs/small/samples.csv"), bench.text("file/samples.csv"));
}

#[test]
fn standard_input_that_is_no_experiment_is_refused() {
    let bench = Bench::new(EXPERIMENT);
    let misspelt = EXPERIMENT.replace("count", "cuont");
    assert_refused(&bench, &run(&bench, misspelt.as_bytes()), &["experiment: tokens.cuont"], "a word that is no key");
    let unreadable = "standard input cannot be read as an experiment";
    assert_refused(&bench, &run(&bench, &[0xff]), &[unreadable], "no text");
    assert!(!bench.path("runs").exists());
}
