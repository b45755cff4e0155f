//! `tokenfield papers`: what is predicted and measured, as printed and as tabulated, and what is refused.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// Two orthogonal tokens under attention without temperature: their overlap is tanh t.
const LAW: &str = r#"
title = "A title"
authors = "Nobody"
arxiv = "0000.00000"
[[law]]
name = "tanh"
says = "The overlap is tanh t."
certainty = "derived"
full = { "time.step" = 0.1, "tokens.replicas" = [1] }
[law.axes]
"tokens.replicas" = [1, 2]
[law.experiment]
tokens = { count = 2, dim = 2, initial = { law = "orthonormal" } }
attention = { beta = 0.0, normalization = "softmax" }
time = { scheme = "rk4", step = 0.05, end = 1.5 }
observe = { quantities = ["pair_overlap"] }
[law.let]
overlap = { ode = { u = "1 - u^2" }, start = { u = 0 }, value = "u", at = "time.end" }
[[law.expect]]
measured = "pair_overlap"
predicted = "overlap"
within = "1e-6"
reason = "steps"
"#;

fn papers(folder: &Path, law: &str, options: &[&str]) -> Output {
    fs::write(folder.join("own.toml"), law).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
    command.current_dir(folder).args(["papers", "own.toml"]).args(options).output().expect("the command starts")
}

#[track_caller]
fn assert_ends(output: &Output, code: i32, says: &str) {
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{talk}");
    assert!(talk.contains(says), "{talk}");
}

#[test]
fn a_law_that_holds_is_shown_and_not_computed_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = papers(folder.path(), LAW, &[]);
    assert_ends(&output, 0, "laws.csv");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let expected =
        "own (arXiv:0000.00000) | tanh | tokens.replicas = 1 | pair_overlap | 0.905148 | 0.905148 |  | holds";
    assert_eq!(shown.lines().nth(1), Some(expected));
    assert_eq!(shown.lines().count(), 1 + 2 + 1);
    let out = folder.path().join("runs/papers");
    let mut table = csv::Reader::from_path(out.join("laws.csv")).expect("a table");
    let rows: Vec<csv::StringRecord> = table.records().collect::<Result<_, _>>().expect("rows");
    for row in &rows {
        let number = |index: usize| row[index].parse::<f64>().expect("a number");
        assert!((number(4) - 1.5f64.tanh()).abs() < 1e-6 && (number(5) - 1.5f64.tanh()).abs() < 2e-6, "{row:?}");
    }
    assert!(out.join("own/tanh/law.png").exists());
    let page = fs::read_to_string(out.join("laws.md")).expect("a page");
    assert!(page.contains("**tanh** (derived). The overlap is tanh t."), "{page}");
    let again = papers(folder.path(), LAW, &[]);
    assert_ends(&again, 0, "laws.csv");
    assert_eq!(again.stdout, output.stdout);
    assert!(!String::from_utf8_lossy(&again.stderr).contains("on cpu"), "its cells were complete");
    let full = papers(folder.path(), LAW, &["--full", "--no-plot"]);
    assert_ends(&full, 0, "runs/papers-full");
    assert_eq!(String::from_utf8_lossy(&full.stdout).lines().count(), 1 + 1 + 1);
}

#[test]
fn a_law_that_fails_is_told_and_exits_with_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = papers(folder.path(), &LAW.replace("beta = 0.0", "beta = 1.0"), &[]);
    assert_ends(&output, 1, "2 of 2 rows do not hold");
    assert!(String::from_utf8_lossy(&output.stdout).contains("| FAILS"));
}

#[test]
fn laws_that_cannot_be_tried_are_refused_before_they_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases = [
        (LAW.replace("\"1 - u^2\"", "\"1 - u^\""), "own, law tanh: let.overlap"),
        (LAW.replace("predicted = \"overlap\"", "predicted = \"overlap +\""), "expect.predicted"),
        (LAW.replace("reason = \"steps\"", ""), "expect.reason"),
        (LAW.replace("says =", "tells ="), "unknown field `tells`"),
        (LAW.replace("count = 2", "cuont = 2"), "tokens.cuont"),
        (LAW.replace("measured = \"pair_overlap\"", "measured = \"mean_norm\""), "knows no mean_norm"),
        (LAW.replace("predicted = \"overlap\"", "predicted = \"overlop\""), "knows no overlop"),
    ];
    for (law, says) in cases {
        assert_ends(&papers(folder.path(), &law, &[]), 2, says);
        assert!(!folder.path().join("runs").exists(), "{says}");
    }
    assert_ends(&papers(folder.path(), LAW, &["no-such-paper"]), 2, "no-such-paper: no such paper; known are");
}

/// The papers whose laws take seconds; `TOKENFIELD_ALL_LAWS` asks for all of them.
const FAST: [&str; 14] = [
    "mean-field-dynamics",
    "emergence-of-clusters",
    "perceptrons-localization",
    "spectral-selection",
    "multi-head-gradient-flow",
    "lost-in-the-middle",
    "sequence-interpolation",
    "time-dependent-gradient-flows",
    "mathematical-perspective",
    "dynamic-metastability",
    "causal-clustering",
    "normalization-in-attention-dynamics",
    "dynamics-of-deep-transformers",
    "attention-and-frank-wolfe",
];

#[test]
fn laws_of_the_literature_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
    command.current_dir(folder.path()).args(["papers", "--no-plot"]);
    if std::env::var_os("TOKENFIELD_ALL_LAWS").is_none() {
        command.args(FAST);
    }
    let output = command.output().expect("the command starts");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let failing: Vec<&str> = shown.lines().filter(|line| line.ends_with("FAILS")).collect();
    assert!(failing.is_empty(), "{}", failing.join("\n"));
    assert_ends(&output, 0, "laws.csv");
    assert!(shown.lines().count() > 200, "{shown}");
}
