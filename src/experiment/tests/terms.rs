//! Terms of the equation that are typed wrongly, and the whole text of what the user is told.

use ndarray::{Array1, Array2, Array3};
use ndarray_npy::write_npy;

use super::super::{tests::GOOD, *};

/// The errors of the good experiment with each of these overrides, in a folder of a few arrays.
fn refusals(sets: &[&[&str]]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_npy(at("two.npy"), &Array1::<f64>::ones(2)).unwrap();
    write_npy(at("square.npy"), &Array2::<f64>::eye(2)).unwrap();
    write_npy(at("stack.npy"), &Array3::<f64>::zeros((4, 3, 3))).unwrap();
    write_npy(at("origin.npy"), &Array2::<f64>::zeros((6, 3))).unwrap();
    let file = at("clusters.toml");
    std::fs::write(&file, GOOD).unwrap();
    let message = |set: &&[&str]| {
        let overrides: Vec<Override> = set.iter().map(|text| text.parse().unwrap()).collect();
        let error = match Experiment::read(&file, &overrides).and_then(|experiment| experiment.resolve()) {
            Ok(_) => panic!("{set:?} is accepted"),
            Err(error) => error.to_string(),
        };
        let error = error.replace(&format!("{}", folder.path().display()), "FOLDER");
        let (head, tail) = error.split_once(": ").unwrap();
        assert!(head.starts_with("FOLDER/clusters.toml"), "{error}");
        tail.to_owned()
    };
    sets.iter().map(message).collect::<Vec<_>>().join("\n")
}

#[test]
fn heads() {
    let refusals = refusals(&[
        &["attention.head=[{ query = [[1, 0, 0]] }]"],
        &["attention.head=[{ query = [[1, 0, 0]], key = [[1, 0]] }]"],
        &["attention.head=[{ query = [[1, 0, 0]], key = [[1, 0, 0], [0, 1, 0]] }]"],
        &["attention.head=[{ query = { path = \"square.npy\" }, key = [[1, 0, 0]] }]"],
        &["attention.head=[{ query = { rows = [] }, key = [[1, 0, 0]] }]"],
        &["attention.head=[{ query = { rows = [], path = \"square.npy\" }, key = [[1, 0, 0]] }]"],
        &["attention.head=[{ query = [[1, 0, 0]], key = [[1, 0, 0]], query-key = \"identity\" }]"],
        &["attention.head=[{ query = [[1, 0, 0]], key = [[1, 0, 0]], query-bias = [1, 2] }]"],
        &["attention.head=[{ query = [[1, 0, 0]], key = [[1, 0, 0]], key-bias = { path = \"two.npy\" } }]"],
        &["attention.head=[{ query-bias = [1] }]"],
        &["attention.head=[{ output-bias = [1, 2, 3] }]"],
        &["attention.head=[{ value = [[1, 0, 0]], output = [[1], [0]] }]"],
        &["attention.head=[{ value = \"identity\", output = [[1], [0], [0]] }]"],
        &["attention.head=[{ weight = inf }]"],
        &["attention.head=[{ beta = -1 }]"],
    ]);
    insta::assert_snapshot!(refusals, @"");
}

#[test]
fn attention_words_and_numbers() {
    let refusals = refusals(&[
        &["attention.normalization=sinkhorn"],
        &["attention.normalization=sinkhorn", "attention.sinkhorn={ iterations = 0, tolerance = 0 }"],
        &["attention.sinkhorn={ iterations = 1, tolerance = 0 }"],
        &["attention.window=0"],
        &["attention.position={ alibi = -1 }"],
        &["attention.position={ alibi = 1, rotary = 10 }"],
        &["attention.position={ additive = [[1, 0, 0]] }"],
        &["attention.beta={ times = [1, 0], values = [1, 2] }"],
        &["attention.beta={ times = [0, 1], values = [1] }"],
        &["attention.beta={ times = [0, 1], values = [1, -2] }"],
        &["attention.layers=[0]"],
    ]);
    insta::assert_snapshot!(refusals, @"");
}

#[test]
fn courses_of_matrices() {
    let head = |form: &str| format!("attention.head=[{{ query-key = {form} }}]");
    let sets = [
        head("{ layers = \"stack.npy\" }"),
        head("{ layers = \"square.npy\" }"),
        head("{ layers = [[[1, 0], [0, 1]]] }"),
        head("{ ensemble = \"goe\" }"),
        head("{ ensemble = \"gue\", variance = 1 }"),
        head("{ ensemble = \"goe\", variance = 0 }"),
        head("{ ensemble = \"goe\", variance = 1, every = 0 }"),
        head("{ base = \"identity\", amplitude = { layers = \"stack.npy\" }, frequency = 1 }"),
        head("{ base = \"identity\", frequency = 1 }"),
        head("{ ornstein-uhlenbeck = { mean = \"identity\", rate = 0, intensity = 1 } }"),
        head("{ ornstein-uhlenbeck = { mean = { diagonal = [1] }, rate = 1, intensity = 1 } }"),
        head("{ query-key = 1 }"),
        head("{ layers = \"stack.npy\", scale = 2 }"),
    ];
    let sets: Vec<[&str; 1]> = sets.iter().map(|set| [set.as_str()]).collect();
    let sets: Vec<&[&str]> = sets.iter().map(|set| &set[..]).collect();
    insta::assert_snapshot!(refusals(&sets), @"");
}

#[test]
fn perceptrons_and_noises() {
    let refusals = refusals(&[
        &["perceptron={ inner = [[1, 0, 0]], outer = [[1, 0, 0]] }"],
        &["perceptron={ inner = [[1, 0]], outer = [[1, 0, 0]], activation = \"relu\" }"],
        &["perceptron={ inner = [[1, 0, 0]], outer = [[1, 0, 0], [0, 1, 0]], activation = \"relu\" }"],
        &["perceptron={ inner = [[1, 0, 0]], outer = [[1, 0, 0]], bias = [1, 2], activation = \"relu\" }"],
        &["perceptron={ gradient = { directions = [[1, 0, 0]], weights = [1, 2] }, activation = \"relu\" }"],
        &["perceptron={ gradient = { directions = [[1, 0, 0]], weights = [1] }, activation = \"relu\", bias = [0] }"],
        &["noise={ intensity = 1, calculus = \"ito\" }"],
        &["noise={ field = \"independent\", intensity = -1, calculus = \"ito\" }"],
        &["noise={ field = \"independent\", intensity = 1 }"],
        &["noise={ field = \"independent\", intensity = 1, calculus = \"ito\", replicas = \"shared\" }"],
        &["noise={ field = \"common-matrix\", intensity = 1, calculus = \"ito\", width = 3 }"],
        &["noise={ field = \"common-perceptron\", intensity = 1, calculus = \"ito\", width = 3 }"],
    ]);
    insta::assert_snapshot!(refusals, @"");
}

#[test]
fn geometries_and_where_tokens_start() {
    let refusals = refusals(&[
        &["tokens.geometry=ngpt"],
        &["tokens.alpha=1"],
        &["tokens.geometry=mix-norm"],
        &["tokens.geometry=mix-norm", "tokens.switch=0.12"],
        &["tokens.geometry=layer-norm", "time.scheme=layer"],
        &["layer-norm={ epsilon = 1e-12 }"],
        &[
            "tokens.geometry=layer-norm",
            "time.scheme=layer",
            "layer-norm={ epsilon = 0, attention = { gain = [1] } }",
        ],
        &["tokens.geometry=pre-norm", "tokens.initial={ law = \"file\", path = \"origin.npy\" }"],
        &["tokens.geometry=euclidean", "tokens.initial={ law = \"gaussian\" }"],
        &["tokens.geometry=euclidean", "tokens.initial={ law = \"gaussian\", scale = -1 }"],
        &["tokens.geometry=euclidean", "tokens.initial={ law = \"gaussian\", scale = 1, mean = [1] }"],
        &["tokens.geometry=euclidean", "tokens.initial={ law = \"gaussian\", scale = 1, covariance = [[1]] }"],
        &["tokens.geometry=euclidean", "tokens.initial={ law = \"gaussian\", covariance = [[1]] }"],
        &[
            "tokens.geometry=euclidean",
            "tokens.dim=2",
            "tokens.initial={ law = \"gaussian\", covariance = [[1, 2], [2, 1]] }",
        ],
        &[
            "tokens.geometry=euclidean",
            "tokens.dim=2",
            "tokens.initial={ law = \"gaussian\", covariance = [[1, 2], [0, 1]] }",
        ],
    ]);
    insta::assert_snapshot!(refusals, @"");
}
