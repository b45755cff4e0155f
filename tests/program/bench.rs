//! The form of what `tokenfield bench` prints. How fast a machine is cannot be asserted.

use std::process::{Command, Output};

fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
    command.arg("bench").args(arguments).output().expect("the program starts")
}

/// The columns of the header and of the only row.
#[track_caller]
fn only_row(arguments: &[&str]) -> Vec<(String, String)> {
    let output = bench(&[&["--backend", "cpu", "--repeats", "1", "--csv"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut reader = csv::Reader::from_reader(output.stdout.as_slice());
    let header = reader.headers().expect("a header").clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("as wide as the header")).collect();
    assert_eq!(rows.len(), 1);
    header.iter().zip(&rows[0]).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn text<'a>(row: &'a [(String, String)], column: &str) -> &'a str {
    &row.iter().find(|(name, _)| name == column).expect("the column").1
}

fn number(row: &[(String, String)], column: &str) -> f64 {
    text(row, column).parse().expect("a number")
}

#[test]
fn a_row_names_its_size_and_its_numbers_agree() {
    let row = only_row(&["--dim", "3", "--count", "500"]);
    let names: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "backend",
            "algorithm",
            "precision",
            "replicas",
            "dim",
            "count",
            "beta",
            "seconds_per_evaluation",
            "pairs_per_second",
            "gflops",
            "share",
            "steps_per_second"
        ]
    );
    let described = ["backend", "algorithm", "precision", "replicas", "dim", "count", "beta"];
    assert_eq!(described.map(|column| text(&row, column)), ["cpu", "direct", "single", "1", "3", "500", "4.0"]);
    let pairs = number(&row, "pairs_per_second");
    let agree = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
    agree(pairs * number(&row, "seconds_per_evaluation"), 500.0 * 500.0);
    agree(number(&row, "gflops") * 1e9, 14.0 * pairs);
    assert!(number(&row, "steps_per_second") > 0.0);
}

#[test]
fn harmonic_sums_have_equivalent_pairs_and_no_share() {
    let row = only_row(&["--dim", "2", "--count", "500", "--algorithm", "harmonic"]);
    let agree = number(&row, "pairs_per_second") * number(&row, "seconds_per_evaluation");
    assert!((agree / 250_000.0 - 1.0).abs() < 1e-12, "{agree}");
    assert_eq!(["algorithm", "gflops", "share"].map(|column| text(&row, column)), ["harmonic", "", ""]);
}

#[test]
fn a_phase_diagram_has_its_own_size() {
    let row = only_row(&["--phase"]);
    assert_eq!(["replicas", "dim", "count"].map(|column| text(&row, column)), ["2048", "3", "32"]);
}

#[test]
fn what_an_experiment_refuses_is_refused() {
    for (arguments, word) in [
        (["--algorithm", "guess"], "guess"),
        (["--mask", "guess"], "guess"),
        (["--dim", "1"], "tokens.dim"),
        (["--beta", "inf"], "attention.beta"),
    ] {
        let output = bench(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(word), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}
