//! Experiments that are fine.

mod arrays;
mod combinations;
mod dropped;
mod forms;
mod observe;
mod reference;
mod refusals;
mod results;
mod terms;
mod times;
mod trained;

use ndarray::{arr1, arr2};
use ndarray_npy::write_npy;

use super::*;
use crate::{
    model::{Head, Matrix, Normalization},
    observables::Quantity,
    problem::Schedule,
    scheme::Scheme,
    tokens::{Shape, Weights},
};

pub(super) const GOOD: &str = r#"
name = "clusters"
[tokens]
count = 6
dim = 3
seed = 7
initial = { law = "uniform" }
[attention]
beta = 4.0
normalization = "softmax"
[time]
scheme = "heun"
step = 0.05
end = 10.0
"#;

#[test]
fn a_plain_experiment_resolves() {
    let experiment = Experiment::parse(GOOD).unwrap();
    assert_eq!((experiment.name(), experiment.seed(), experiment.algorithm()), ("clusters", 7, Algorithm::Auto));
    let problem = experiment.resolve().unwrap();
    assert_eq!(problem.tokens.shape, Shape { replicas: 1, count: 6, dim: 3, passive: 0 });
    assert_eq!(problem.tokens.weights, Weights::Equal);
    assert_eq!(problem.tokens.coordinates.len(), 18);
    assert_eq!(problem.model.attention.beta, 4.0);
    assert_eq!(problem.model.attention.normalization, Normalization::Softmax);
    assert_eq!(problem.model.attention.heads, [Head::default()]);
    assert_eq!(problem.scheme, Scheme::Heun);
    assert_eq!(problem.schedule, Schedule::even(200, 10.0, 200));
    assert_eq!(problem.quantities, [Quantity::Moments, Quantity::Energy, Quantity::W2Dirac]);
}

#[test]
fn the_resolved_file_means_the_same_problem() {
    let experiment = Experiment::parse(GOOD).unwrap();
    let written = experiment.to_toml().unwrap();
    let again = Experiment::parse(&written).unwrap();
    assert_eq!(again.resolve().unwrap(), experiment.resolve().unwrap());
    assert_eq!(again.to_toml().unwrap(), written);
    insta::assert_snapshot!(written, @r#"
    name = "clusters"
    algorithm = "auto"

    [tokens]
    count = 6
    dim = 3
    replicas = 1
    seed = 7
    passive = 0
    geometry = "sphere"

    [tokens.initial]
    law = "uniform"

    [attention]
    beta = 4.0
    normalization = "softmax"
    mask = "none"

    [[attention.head]]
    query-key = "identity"
    value = "identity"
    weight = 1.0

    [time]
    scheme = "heun"
    step = 0.05
    end = 10.0

    [observe]
    every = 10.0
    quantities = ["moments", "energy", "w2_dirac"]
    "#);
}

/// An experiment whose every array comes from a file, in a folder of its own.
const FILES: &str = r#"
algorithm = "direct"
[tokens]
initial = { law = "file", path = "tokens.npy" }
weights = { path = "weights.npy" }
passive = 1
replicas = 2
[attention]
beta = 0
normalization = "unnormalized"
[[attention.head]]
query-key = { path = "matrix.npy" }
value = { rows = [[0, -1], [1, 0]] }
[[attention.head]]
query-key = { diagonal = [1, -0.1] }
value = { scale = -1 }
[time]
scheme = "layer"
step = 0.1
end = 0.3
[observe]
every = 0.2
"#;

fn folder_of_files() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_npy(at("tokens.npy"), &arr2(&[[1.0, 0.0], [0.0, 1.0], [-0.6, 0.8f32]])).unwrap();
    write_npy(at("weights.npy"), &arr1(&[0.25, 0.75, 0.0])).unwrap();
    write_npy(at("matrix.npy"), &arr2(&[[1.0, 2.0], [3.0, 4.0]])).unwrap();
    let file = at("rotation.toml");
    std::fs::write(&file, FILES).unwrap();
    (folder, file)
}

#[test]
fn files_are_found_beside_the_experiment() {
    let (_folder, file) = folder_of_files();
    let experiment = Experiment::read(&file, &[]).unwrap();
    assert_eq!((experiment.name(), experiment.seed(), experiment.algorithm()), ("rotation", 0, Algorithm::Direct));
    let problem = experiment.resolve().unwrap();
    assert_eq!(problem.tokens.shape, Shape { replicas: 2, count: 3, dim: 2, passive: 1 });
    assert_eq!(problem.tokens.weights, Weights::Each(vec![0.25, 0.75, 0.0, 0.25, 0.75, 0.0]));
    assert_eq!(problem.tokens.coordinates[..4], [1.0, 0.0, 0.0, 1.0]);
    // The file is in f32.
    assert!((problem.tokens.coordinates[4] + 0.6).abs() < 1e-7);
    let heads = [
        Head {
            query_key: Matrix::Dense(vec![1.0, 2.0, 3.0, 4.0]),
            value: Matrix::Dense(vec![0.0, -1.0, 1.0, 0.0]),
            ..Head::default()
        },
        Head { query_key: Matrix::Diagonal(vec![1.0, -0.1]), value: Matrix::Scale(-1.0), ..Head::default() },
    ];
    assert_eq!(problem.model.attention.heads, heads);
    assert_eq!(problem.schedule, Schedule::even(3, 0.3, 2));
    assert_eq!(problem.quantities, [Quantity::Moments, Quantity::W2Dirac], "no energy for beta = 0");
}

#[test]
fn the_resolved_file_means_the_same_from_any_folder() {
    let (_folder, file) = folder_of_files();
    let experiment = Experiment::read(&file, &[]).unwrap();
    let again = Experiment::parse(&experiment.to_toml().unwrap()).unwrap();
    assert_eq!(again.resolve().unwrap(), experiment.resolve().unwrap());
    assert_eq!((again.name(), again.algorithm()), (experiment.name(), experiment.algorithm()));
    for law in [
        "{ law = \"von-mises-fisher\", concentration = 0.1, axis = [0, 1, 2] }",
        "{ law = \"cap\", angle = 0.3, axis = [0, 1, 2] }",
        "{ law = \"simplex\", overlap = 0.3 }",
        "{ law = \"simplex\" }",
        "{ law = \"orthonormal\" }",
        "{ law = \"two-clusters\", overlap = 0.1, fraction = 0.5 }",
    ] {
        let text =
            GOOD.replace("{ law = \"uniform\" }", law).replace("dim = 3", "dim = 6").replace("[0,", "[0, 0, 0, 0,");
        let experiment = Experiment::parse(&text).unwrap();
        let again = Experiment::parse(&experiment.to_toml().unwrap()).unwrap();
        assert_eq!(again.resolve().unwrap(), experiment.resolve().unwrap());
    }
}

#[test]
fn without_time_only_the_start_is_observed() {
    let experiment = Experiment::parse(&GOOD.replace("end = 10.0", "end = 0")).unwrap();
    let schedule = experiment.resolve().unwrap().schedule;
    assert_eq!(schedule, Schedule::even(0, 0.0, 1));
    let again = Experiment::parse(&experiment.to_toml().unwrap()).unwrap();
    assert_eq!(again.resolve().unwrap().schedule, schedule);
}

#[test]
fn weights_may_be_zero_before_the_passive_tail() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.npy");
    write_npy(&path, &arr1(&[0.0, 0.5, 0.0, 0.5, 0.0, 0.0])).unwrap();
    let typed = format!("seed = 7\nweights = {{ path = '{}' }}", path.display());
    let tokens = Experiment::parse(&GOOD.replace("seed = 7", &typed)).unwrap().resolve().unwrap().tokens;
    assert_eq!(tokens.shape.passive, 0);
    assert_eq!((tokens.weight(0, 0), tokens.weight(0, 1)), (0.0, 0.5));
}

#[test]
fn overrides_take_keys_out() {
    let (_folder, file) = folder_of_files();
    let read = |changes: &[&str]| {
        let changes: Vec<Override> = changes.iter().map(|text| text.parse().unwrap()).collect();
        Experiment::read(&file, &changes)
    };
    let heads = |changes: &[&str]| read(changes).unwrap().resolve().unwrap().model.attention.heads;
    let before = heads(&[]);
    assert_ne!(before[1].query_key, Matrix::Identity);
    let without = "attention.head.1.query-key={ unset = true }";
    assert_eq!(heads(&[without])[1].query_key, Matrix::Identity, "the default holds");
    assert_eq!(heads(&["attention.head.0={ unset = true }"]), before[1..]);
    assert_eq!(heads(&["attention.window={ unset = true }"]), before, "it was not there");
    let refused = read(&["attention.beta={ unset = true }"]).and_then(|experiment| experiment.resolve()).unwrap_err();
    assert!(refused.to_string().contains("attention.beta: missing"), "{refused}");
}

#[test]
fn overrides_replace_what_was_typed() {
    let (_folder, file) = folder_of_files();
    let changes = [
        "attention.beta=2",
        "attention.beta = 3.5",
        "time.scheme=rk4",
        "observe.quantities=[\"overlap\"]",
        "attention.head.0.value=\"identity\"",
        "attention.head.1.query-key.diagonal.1=7",
        "attention.head.2={ query-key = \"identity\", value = \"identity\" }",
        "name=turned",
        "tokens.replicas=1",
    ]
    .map(|text| text.parse().unwrap());
    let experiment = Experiment::read(&file, &changes).unwrap();
    assert_eq!(experiment.name(), "turned");
    let problem = experiment.resolve().unwrap();
    assert_eq!(problem.model.attention.beta, 3.5, "the last one counts");
    assert_eq!(problem.scheme, Scheme::Rk4);
    assert_eq!(problem.quantities, [Quantity::Overlap]);
    let heads = &problem.model.attention.heads;
    assert_eq!(heads.len(), 3);
    assert_eq!(heads[0].value, Matrix::Identity);
    assert_eq!(heads[1].query_key, Matrix::Diagonal(vec![1.0, 7.0]));
    assert_eq!(problem.tokens.shape.replicas, 1);
}
