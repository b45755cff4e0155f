//! What is typed and would be dropped without a word.

use ndarray::Array3;
use ndarray_npy::write_npy;

use super::super::{tests::GOOD, *};

fn error_of(text: &str) -> String {
    let error = Experiment::parse(text).and_then(|experiment| experiment.resolve()).map(|_| ()).expect_err(text);
    error.to_string()
}

/// A key in a table that does not know it, and what is said of where it belongs.
#[test]
fn an_unknown_key_says_where_it_belongs() {
    let cases = [
        (
            "[attention.noise]\nfield = \"independent\"",
            "attention.noise",
            "noise is a table of its own: write [noise]",
        ),
        (
            "[attention.perceptron]\nbias = [0.0]",
            "attention.perceptron",
            "perceptron is a table of its own: write [perceptron]",
        ),
        ("[[attention.head]]\nnoise = 1", "attention.head.0.noise", "noise is a table of its own: write [noise]"),
        ("[[attention.head]]\nmask = \"causal\"", "attention.head.0.mask", "mask belongs in [attention]"),
        ("[observe]\nstep = 0.1", "observe.step", "step belongs in [time]"),
        (
            "[noise]\nalgorithm = \"direct\"",
            "noise.algorithm",
            "algorithm belongs at the top of the file, before all tables",
        ),
        ("[reference]\ninitial = 1", "reference.initial", "initial belongs in [tokens]"),
        ("[observe]\nseed = 1", "observe.seed", "seed belongs in [tokens] or [noise]"),
    ];
    for (typed, key, says) in cases {
        let error = error_of(&format!("{GOOD}\n{typed}\n"));
        assert!(error.starts_with(&format!("experiment: {key}: unknown key; {says}; known here: ")), "{error}");
    }
}

/// Every key of every table, typed in every other table that does not know it, is told of a table that does.
#[test]
fn every_key_has_a_home() {
    for (table, known) in keys::tables() {
        for (home, others) in keys::tables() {
            for key in others.iter().filter(|key| !known.contains(key)) {
                let said = keys::home(table, key, &known).unwrap_or_else(|| panic!("{key} of [{home}] in [{table}]"));
                let is_named = said.contains(&format!("[{home}]")) || said.contains(&format!("[{key}]"));
                assert!(
                    is_named || said.contains("at the top of the file"),
                    "{key} of [{home}] in [{table}]: {said}"
                );
            }
        }
    }
    assert_eq!(keys::home("tokens", "betta", typed::TOKENS), None);
}

#[test]
fn a_perturbation_drops_no_replica_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let typed = format!("{{ law = \"file\", path = '{}' }}\nperturbation = 1e-3", path.display());
    let text = GOOD.replace("{ law = \"uniform\" }", &typed);
    let mut tokens = Array3::<f64>::zeros((2, 6, 3));
    tokens.index_axis_mut(ndarray::Axis(2), 0).fill(1.0);
    write_npy(&path, &tokens).unwrap();
    let error = error_of(&text);
    let says = "tokens.perturbation = 0.001: every second replica is the one before it perturbed, and tokens.initial.path holds 2 \
                replicas of its own, of which every second would be dropped; save an array of shape (count, dim), or leave \
                tokens.perturbation out";
    assert_eq!(error, format!("experiment: {says}"));
    write_npy(&path, &tokens.index_axis(ndarray::Axis(0), 0)).unwrap();
    let pairs = Experiment::parse(&text.replace("seed = 7", "seed = 7\nreplicas = 4")).unwrap().resolve().unwrap();
    assert_eq!(pairs.tokens.replica(0), pairs.tokens.replica(2));
    assert_ne!(pairs.tokens.replica(0), pairs.tokens.replica(1));
}
