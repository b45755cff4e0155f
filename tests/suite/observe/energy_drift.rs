//! The energy of an equation that changes, at fixed tokens against double loops, and along its flow against differences in time.

use tokenfield::{
    model::{
        Attention, Geometry, Head, Matrix, MatrixSchedule, Model, ModelSchedule, Normalization, Operand, Part, Ramp,
    },
    observables::{Quantity, columns},
    problem::{Problem, Schedule},
    scheme::Scheme,
};

use super::{dissipation::slope_in_the_middle, ends, weighted};
use crate::{
    backends::Kind,
    clouds::{assert_close, dot, problem},
};

const FREQUENCY: f64 = 3.0;
const BASE: [f64; 9] = [0.9, 0.2, -0.4, 0.2, 1.1, 0.3, -0.4, 0.3, 0.5];
const AMPLITUDE: [f64; 9] = [-0.5, 0.6, 0.1, 0.6, 0.3, 0.0, 0.1, 0.0, 0.8];

/// A ramp of beta, which the first head does not follow; a ramp of the weight of the second; and an oscillating A of the third, with
/// V = -A / 2.
fn changing(normalization: Normalization, geometry: Geometry, schedule: Schedule) -> Problem {
    let heads = vec![
        Head { beta: Some(0.8), weight: 0.6, ..Head::default() },
        Head { query_key: Matrix::Scale(0.7), ..Head::default() },
        Head {
            query_key: Matrix::Dense(BASE.to_vec()),
            value: Matrix::Dense(BASE.map(|a| -0.5 * a).to_vec()),
            ..Head::default()
        },
    ];
    let oscillating =
        MatrixSchedule::Oscillating { base: BASE.to_vec(), amplitude: AMPLITUDE.to_vec(), frequency: FREQUENCY };
    let matrix = |operand, schedule| Part::Matrix { head: 2, operand, schedule };
    let parts = vec![
        Part::Beta(Ramp { times: vec![0.0, 0.4], values: vec![1.0, 1.8] }.into()),
        Part::Weight { head: 1, schedule: Ramp { times: vec![0.0, 0.5], values: vec![1.0, -0.2] }.into() },
        matrix(Operand::QueryKey, oscillating),
        matrix(Operand::Value, MatrixSchedule::OfQueryKey(-0.5)),
    ];
    let attention = Attention { beta: 1.0, normalization, heads, ..Attention::default() };
    let tokens = weighted(3, Quantity::Energy).tokens;
    Problem {
        model: Model { geometry, attention, ..Default::default() },
        model_schedule: ModelSchedule::Parts(parts),
        quantities: vec![Quantity::Energy, Quantity::Dissipation, Quantity::EnergyDrift],
        scheme: Scheme::Rk4,
        schedule,
        ..problem(tokens, 1.0)
    }
}

/// sum_h (c_h / 2 beta_h) sum_ij w_i w_j e^{beta_h <x_i, A_h x_j>} of [`changing`] at `time`.
fn energy(problem: &Problem, tokens: &[f64], replica: usize, time: f64) -> f64 {
    let beta = 1.0 + 2.0 * time;
    let identity = |scale: f64| [scale, 0.0, 0.0, 0.0, scale, 0.0, 0.0, 0.0, scale];
    let turned: [f64; 9] = std::array::from_fn(|k| BASE[k] + (FREQUENCY * time).sin() * AMPLITUDE[k]);
    let heads = [(0.6, 0.8, identity(1.0)), (1.0 - 2.4 * time, beta, identity(0.7)), (1.0, beta, turned)];
    let x = |i: usize| &tokens[3 * (45 * replica + i)..][..3];
    let weight = |i: usize| problem.tokens.weight(replica, i);
    let mut energy = 0.0;
    for (c, beta, a) in heads {
        for i in 0..41 {
            let query: Vec<f64> = (0..3).map(|k| (0..3).map(|l| x(i)[l] * a[3 * l + k]).sum()).collect();
            for j in 0..41 {
                energy += c / (2.0 * beta) * weight(i) * weight(j) * (beta * dot(&query, x(j))).exp();
            }
        }
    }
    energy
}

pub fn at_fixed_tokens(kind: Kind) {
    for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
        for geometry in [Geometry::Sphere, Geometry::Euclidean] {
            let (time, h) = (0.2, 1e-3);
            let problem = changing(normalization, geometry, Schedule::even(4, time, 4));
            let outcome = kind.evolve(&problem);
            for replica in 0..2 {
                let log_energy = |time| energy(&problem, &outcome.tokens, replica, time).ln();
                let difference = |k: f64| (log_energy(time + k * h) - log_energy(time - k * h)) / (2.0 * k * h);
                let drift = (4.0 * difference(1.0) - difference(2.0)) / 3.0;
                let names = ["log_energy", "log_energy_rate", "log_energy_drift"];
                let found = ends(&problem, &outcome, replica, &names);
                assert!(drift.abs() > 0.1, "no test: a drift of {drift}");
                assert_close("energy", &found[..1], &[log_energy(time)], kind.tolerance(1e-5, 1e-12));
                assert_close("drift", &found[2..], &[drift], kind.tolerance(1e-5, 1e-9));
            }
        }
    }
}

/// d/dt ln E = log_energy_rate + log_energy_drift.
pub fn along_the_flow(kind: Kind) {
    for normalization in [Normalization::Softmax, Normalization::Unnormalized, Normalization::Shifted] {
        for geometry in [Geometry::Sphere, Geometry::Euclidean] {
            let problem = changing(normalization, geometry, Schedule::even(32, 0.1, 4));
            assert_eq!(columns(&problem.quantities, 3).len(), 3);
            let outcome = kind.evolve(&problem);
            for replica in 0..2 {
                let (slope, middle) = slope_in_the_middle(&outcome, replica, 0);
                let [_, rate, drift] = middle[..] else { panic!("three columns") };
                assert!(rate.abs() > 0.02 && drift.abs() > 0.02, "no test: {rate} and {drift}");
                assert_close("rate and drift", &[rate + drift], &[slope], kind.tolerance(1e-4, 1e-8));
            }
        }
    }
}
