//! Experiments that are fine.

use super::*;
use crate::{
    model::{Head, Matrix, Normalization},
    observe::Quantity,
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
    assert_eq!(problem.model.attention.heads, [Head { query_key: Matrix::Identity, value: Matrix::Identity }]);
    assert_eq!(problem.scheme, Scheme::Heun);
    assert_eq!(problem.schedule, Schedule { steps: 200, end: 10.0, observe_every: 200 });
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

    [time]
    scheme = "heun"
    step = 0.05
    end = 10.0

    [observe]
    every = 10.0
    quantities = ["moments", "energy", "w2_dirac"]
    "#);
}
