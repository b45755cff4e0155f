//! The rate of the energy along its flow against differences of the energy in time.

use tokenfield::{
    model::{Attention, Geometry, Head, Matrix, Model, Normalization},
    observables::{Quantity, columns},
    problem::{Problem, Schedule},
    scheme::Scheme,
};

use super::weighted;
use crate::{
    backends::{Kind, Outcome},
    clouds::{Numbers, assert_close, problem},
};

/// The slope of a column of a replica at the middle of nine samples between times 0 and 0.1, by the difference of order 8, and what was
/// measured there.
pub fn slope_in_the_middle(outcome: &Outcome, replica: usize, column: usize) -> (f64, Vec<f64>) {
    let samples = outcome.samples.iter().filter(|sample| sample.replica == replica);
    let values: Vec<&[f64]> = samples.map(|sample| &sample.values[..]).collect();
    let difference = |k: usize| values[4 + k][column] - values[4 - k][column];
    let weights = [4.0 / 5.0, -1.0 / 5.0, 4.0 / 105.0, -1.0 / 280.0];
    let slope = (1..5).map(|k| weights[k - 1] * difference(k)).sum::<f64>() / 0.0125;
    (slope, values[4].to_vec())
}

/// One head and several, on the sphere and in R^d.
pub fn along_the_flow(kind: Kind) {
    let mut matrix = Numbers(3).vector(9);
    for (k, l) in [(1, 3), (2, 6), (5, 7)] {
        matrix[l] = matrix[k];
    }
    let symmetric = Matrix::Dense(matrix);
    let general = Head { value: symmetric.scaled(-0.5), query_key: symmetric, weight: 1.5, ..Head::default() };
    // Several heads, of other betas and weights; V is no multiple of A in one of them, and its energy no Lyapunov function.
    let turned = Matrix::Dense(vec![1.3, -1.0, 0.2, 0.9, 1.1, 0.0, -0.4, 0.5, 1.8]);
    let several = vec![
        Head { beta: Some(0.8), ..general.clone() },
        Head { weight: -0.2, ..Head::default() },
        Head { value: turned, query_key: Matrix::Scale(0.6), weight: 1.2, ..Head::default() },
    ];
    for normalization in [Normalization::Softmax, Normalization::Unnormalized, Normalization::Shifted] {
        for (geometry, heads) in [
            (Geometry::Sphere, vec![Head::default()]),
            (Geometry::Sphere, vec![general.clone()]),
            (Geometry::Euclidean, vec![Head { value: Matrix::Scale(-0.7), ..Head::default() }]),
            (Geometry::Sphere, several.clone()),
            (Geometry::Euclidean, several[..2].to_vec()),
            (Geometry::Sphere, several[2..].to_vec()),
        ] {
            let attention = Attention { beta: 1.5, normalization, heads, ..Attention::default() };
            let tokens = weighted(3, Quantity::Energy).tokens;
            let problem = Problem {
                model: Model { geometry, attention, ..Default::default() },
                quantities: vec![Quantity::Energy, Quantity::Dissipation],
                scheme: Scheme::Rk4,
                schedule: Schedule::even(32, 0.1, 4),
                ..problem(tokens, 1.5)
            };
            assert_eq!(columns(&problem.quantities, 3), ["log_energy", "log_energy_rate"]);
            for replica in 0..2 {
                let (slope, middle) = slope_in_the_middle(&kind.evolve(&problem), replica, 0);
                assert!(slope.abs() > 0.02, "no test: a slope of {slope}");
                assert_close("rate", &[middle[1]], &[slope], kind.tolerance(1e-4, 1e-8));
            }
        }
    }
}
