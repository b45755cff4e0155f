//! Results as typed: what is read of them, and what is refused.

use super::super::{tests::GOOD, *};
use crate::results::{Kind, Window};

fn experiment(result: &str) -> Result<Experiment, ExperimentError> {
    let experiment = Experiment::parse(&format!("{GOOD}\n[[result]]\n{result}\n"))?;
    experiment.resolve().map(|_| experiment)
}

#[test]
fn results_are_functionals_of_columns() {
    let experiment = experiment("name = \"rate\"\nslope = \"ln(mean_norm)\"\nfrom = 0.1").expect("a result");
    let results = experiment.results().expect("results");
    assert_eq!((results[0].name.as_str(), results[0].kind), ("rate", Kind::Slope));
    assert_eq!(results[0].window, Window { from: Some(0.1), to: None });
    let written = experiment.to_toml().expect("text");
    assert_eq!(Experiment::parse(&written).expect("it is read").results(), Ok(results));
}

#[test]
fn windows_follow_keys_of_the_experiment() {
    let typed = "name = \"rate\"\nslope = \"ln(mean_norm)\"\nfrom = \"2 * time.step\"\nto = \"time.end - time.step\"";
    let results = |keys: &str| {
        let experiment = experiment(typed).expect("a result");
        let overrides: Vec<Override> = keys.split_whitespace().map(|key| key.parse().expect("a key")).collect();
        let text = experiment.to_toml().expect("text");
        let table: Table = toml::from_str(&text).expect("a table");
        let source = Source { overrides, ..experiment.source };
        Experiment::from_table(table, source).expect("an experiment").results().expect("results").remove(0).window
    };
    assert_eq!(results("time.step=0.25 time.end=2"), Window { from: Some(0.5), to: Some(1.75) });
    assert_eq!(results("time.step=0.5 time.end=4"), Window { from: Some(1.0), to: Some(3.5) });
}

#[test]
fn results_that_mean_nothing_are_refused() {
    let cases = [
        ("last = \"mean_norm\"", "result.0.name: missing"),
        (
            "name = \"mean_norm\"\nlast = \"mean_norm\"",
            "result.0.name = \"mean_norm\": is a column of samples.csv already",
        ),
        ("name = \"a b\"\nlast = \"mean_norm\"", "result.0.name = \"a b\": must be letters, digits and underscores"),
        ("name = \"pi\"\nlast = \"mean_norm\"", "result.0.name = \"pi\": must be letters, digits and underscores"),
        (
            "name = \"time\"\nlast = \"mean_norm\"",
            "result.0.name = \"time\": must be letters, digits and underscores",
        ),
        (
            "name = \"a\"",
            "result.0 = { name = \"a\" }: has 0 of last, change, largest, smallest, integral, mean, slope, first-time, of",
        ),
        (
            "name = \"a\"\nlast = \"1\"\nmean = \"2\"",
            "result.0 = { last = \"1\", mean = \"2\", name = \"a\" }: has 2 of last",
        ),
        ("name = \"a\"\nlast = \"ln(\"", "result.0.last = \"ln(\": is no formula: nothing fits at character 4"),
        (
            "name = \"a\"\nlast = \"clusters\"",
            "result.0.last = \"clusters\": clusters is no column of samples.csv; add its quantity",
        ),
        ("name = \"a\"\nlast = \"time\"\nfrom = 2\nto = 1", "result.0.to = 1.0: is before `from`, which is 2; write"),
        ("name = \"a\"\nlast = \"time\"\nfrom = 1e9", "result.0.from = 1000000000.0: is after time.end"),
        (
            "name = \"a\"\nlast = \"time\"\nto = \"2 *\"",
            "result.0.to = \"2 *\": is no formula: nothing fits at character 4",
        ),
        (
            "name = \"a\"\nlast = \"time\"\nto = \"attention.mask\"",
            "result.0.to = \"attention.mask\": knows no attention.mask; write a time, or a formula of keys that are numbers",
        ),
        ("name = \"a\"\nlast = \"time\"\nto = \"-1\"", "result.0.to = \"-1\": is -1, which is no time"),
        ("name = \"a\"\nlast = \"time\"\nfrom = -1", "result.0.from = -1: must be finite and at least 0"),
        (
            "name = \"a\"\nof = \"1 + a\"",
            "result.0.of = \"1 + a\": a is no result above it; write results of columns above it, and a formula of their names",
        ),
        (
            "name = \"a\"\nlast = \"time\"\n[[result]]\nname = \"b\"\nof = \"a + time\"",
            "result.1.of = \"a + time\": time is no result above it; write a formula of a",
        ),
        (
            "name = \"a\"\nof = \"b\"\n[[result]]\nname = \"b\"\nlast = \"time\"",
            "result.0.of = \"b\": b is no result above it",
        ),
        (
            "name = \"a\"\nlast = \"time\"\n[[result]]\nname = \"b\"\nof = \"a\"\nfrom = 1",
            "result.1.from = 1: is a window of samples, and `of` is a formula of results; write the window",
        ),
        (
            "name = \"a\"\nlast = \"time\"\n[[result]]\nname = \"a\"\nlast = \"time\"",
            "result.1.name = \"a\": is the name of two results",
        ),
    ];
    for (typed, says) in cases {
        let error = experiment(typed).expect_err(typed).to_string();
        assert!(error.starts_with(&format!("experiment: {says}")), "{error}");
    }
}
