//! What the trait promises of every backend, where no law of the equation would show it.

use libtest_mimic::Trial;
use tokenfield::{
    model::{Geometry, Mask, Normalization},
    problem::{Problem, Schedule},
    scheme::Scheme,
};

use crate::{
    backends::{Kind, trials},
    clouds::{assert_close, cloud, problem},
};

pub fn all() -> Vec<Trial> {
    let suites = [
        trials("contract::a_model_without_noise_does_not_fluctuate", no_noise),
        trials("contract::marginal_error_is_that_of_the_columns", marginal_error),
        trials("contract::marginal_error_is_the_largest_of_all_fields", largest_marginal_error),
        trials("contract::marginal_error_is_one_of_sinkhorn", no_marginals),
    ];
    suites.into_iter().flatten().collect()
}

/// `fluctuate` leaves a stage of zeros, whatever was in it, and `diffuse` the tokens where they are.
fn no_noise(kind: Kind) {
    for geometry in [Geometry::Sphere, Geometry::Euclidean] {
        let mut problem = problem(cloud(2, 30, 3, 5), 2.0);
        problem.model.geometry = geometry;
        let found = kind.fluctuated(&problem);
        assert_close("tokens", &found, &problem.tokens.coordinates, kind.tolerance(1e-6, 1e-14));
    }
}

/// The largest |ln sum_i w_i a_ij / w_j| after `iterations` of Sinkhorn's algorithm for e^{beta <x_i, x_j>}, in which rows come last,
/// of one replica; fewer where `tolerance` is met.
fn expected(problem: &Problem, replica: usize, iterations: u32, tolerance: f64) -> f64 {
    let (tokens, shape) = (problem.tokens.replica(replica), problem.tokens.shape);
    let n = shape.sources();
    let weight = |j: usize| problem.tokens.weight(replica, j);
    let x = |i: usize| &tokens[i * shape.dim..][..shape.dim];
    let kernel = |i: usize, j: usize| {
        let score: f64 = x(i).iter().zip(x(j)).map(|(a, b)| a * b).sum();
        (problem.model.attention.beta * score).exp()
    };
    let mut scaling = vec![1.0; n];
    for iteration in 0.. {
        let rows: Vec<f64> =
            (0..n).map(|i| 1.0 / (0..n).map(|j| weight(j) * kernel(i, j) * scaling[j]).sum::<f64>()).collect();
        let columns: Vec<f64> =
            (0..n).map(|j| scaling[j] * (0..n).map(|i| weight(i) * rows[i] * kernel(i, j)).sum::<f64>()).collect();
        let error = columns.iter().map(|sum| sum.ln().abs()).fold(0.0, f64::max);
        if iteration == iterations || error <= tolerance {
            return error;
        }
        scaling.iter_mut().zip(&columns).for_each(|(g, sum)| *g /= sum);
    }
    f64::NAN
}

fn balanced(iterations: u32, tolerance: f64, steps: u64) -> Problem {
    let mut problem = problem(cloud(2, 40, 3, 11), 3.0);
    problem.tokens.shape.passive = 3;
    problem.model.attention.normalization = Normalization::Sinkhorn { iterations, tolerance };
    problem.scheme = Scheme::Euler;
    problem.schedule = Schedule { steps, end: 0.1 * steps as f64, observe_every: 1 };
    problem
}

fn marginal_error(kind: Kind) {
    for (iterations, tolerance) in [(1, 0.0), (3, 0.0), (60, 1e-3)] {
        let problem = balanced(iterations, tolerance, 1);
        let expected = (0..2).map(|replica| expected(&problem, replica, iterations, tolerance)).fold(0.0, f64::max);
        let found = kind.evolve(&problem).summary.marginal_error.expect("rows and columns are balanced");
        let what = format!("{iterations} iterations: {found:e}, expected {expected:e}");
        assert!((found - expected).abs() < kind.tolerance(3e-6, 1e-12), "{what}");
        assert!(expected > 1e-5, "no test: {what}");
    }
}

/// At the end tokens are nearer to each other, and rows and columns nearer to being balanced, than they were.
fn largest_marginal_error(kind: Kind) {
    let [once, often] = [1, 40].map(|steps| kind.evolve(&balanced(2, 0.0, steps)).summary.marginal_error);
    let at_end = {
        let mut problem = balanced(2, 0.0, 1);
        problem.tokens.coordinates = kind.evolve(&balanced(2, 0.0, 40)).tokens;
        kind.evolve(&problem).summary.marginal_error
    };
    assert!(often >= once && often > at_end, "{once:?}, {often:?}, {at_end:?}");
}

fn no_marginals(kind: Kind) {
    let mut problem = problem(cloud(1, 20, 3, 11), 3.0);
    problem.model.attention.mask = Mask::Causal;
    assert_eq!(kind.evolve(&problem).summary.marginal_error, None);
}
