//! The total energy of attention and a perceptron, of which the equation is the gradient, against double loops.

use tokenfield::{
    model::{Activation, Attention, Geometry, Head, Matrix, Model, Normalization, Perceptron},
    observables::Quantity,
    problem::{Problem, Schedule},
    scheme::Scheme,
};

use super::{dissipation::slope_in_the_middle, weighted};
use crate::{
    backends::Kind,
    clouds::{assert_close, dot, problem},
};

const BETA: f64 = 1.5;
const SYMMETRIC: [f64; 9] = [0.9, 0.2, -0.4, 0.2, 1.1, 0.3, -0.4, 0.3, -0.5];
const DIRECTIONS: [[f64; 3]; 2] = [[1.3, -0.4, 0.7], [-0.2, 0.9, -1.6]];
const WEIGHTS: [f64; 2] = [0.8, -1.1];
const HEADS: [(f64, f64); 2] = [(1.0, BETA), (-0.3, 0.7)];

fn gradient(activation: Activation, geometry: Geometry, schedule: Schedule) -> Problem {
    let symmetric = Matrix::Dense(SYMMETRIC.to_vec());
    let heads = vec![
        Head { query_key: symmetric.clone(), value: symmetric, weight: HEADS[0].0, ..Head::default() },
        Head { beta: Some(HEADS[1].1), weight: HEADS[1].0, ..Head::default() },
    ];
    let perceptron = Perceptron {
        inner: DIRECTIONS.concat(),
        outer: DIRECTIONS.iter().zip(WEIGHTS).flat_map(|(a, c)| a.map(|a| c * a)).collect(),
        bias: vec![0.0; 2],
        output_bias: vec![0.0; 3],
        activation,
    };
    let attention =
        Attention { beta: BETA, normalization: Normalization::Unnormalized, heads, ..Attention::default() };
    Problem {
        model: Model { geometry, attention, perceptron: Some(perceptron), ..Default::default() },
        quantities: vec![Quantity::PotentialEnergy],
        scheme: Scheme::Rk4,
        schedule,
        ..problem(weighted(3, Quantity::Energy).tokens, BETA)
    }
}

/// sigma, and the integral of it from zero by Simpson's rule.
fn sigma(activation: Activation, s: f64) -> f64 {
    match activation {
        Activation::Relu => s.max(0.0),
        Activation::Gelu => 0.5 * s * libm::erfc(-s / 2f64.sqrt()),
        Activation::Tanh => s.tanh(),
        Activation::Identity => s,
    }
}

fn integral(activation: Activation, s: f64) -> f64 {
    let at = |k: u32| sigma(activation, s * f64::from(k) / 2000.0);
    let pairs = (0..1000).map(|k| at(2 * k) + 4.0 * at(2 * k + 1) + at(2 * k + 2));
    pairs.sum::<f64>() * s / 6000.0
}

fn image(a: &[f64; 9], x: &[f64]) -> Vec<f64> {
    a.chunks(3).map(|row| dot(row, x)).collect()
}

/// F, E + F, and sum_i w_i |P g_i|^2 with g_i = sum_h c_h sum_j w_j e^{beta_h <x_i, A_h x_j>} A_h x_j + sum_k c_k sigma(<a_k, x_i>) a_k.
fn expected(problem: &Problem, tokens: &[f64], replica: usize, activation: Activation) -> [f64; 3] {
    let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let x = |i: usize| &tokens[3 * (45 * replica + i)..][..3];
    let weight = |i: usize| problem.tokens.weight(replica, i);
    let (mut potential, mut energy, mut rate) = (0.0, 0.0, 0.0);
    for i in 0..41 {
        let mut pull = [0.0; 3];
        for (a, c) in DIRECTIONS.iter().zip(WEIGHTS) {
            potential += weight(i) * c * integral(activation, dot(a, x(i)));
            (0..3).for_each(|k| pull[k] += c * sigma(activation, dot(a, x(i))) * a[k]);
        }
        for ((c, beta), a) in HEADS.into_iter().zip([SYMMETRIC, identity]) {
            for j in 0..41 {
                let key = image(&a, x(j));
                let share = c * weight(j) * (beta * dot(x(i), &key)).exp();
                energy += weight(i) * share / (2.0 * beta);
                (0..3).for_each(|k| pull[k] += share * key[k]);
            }
        }
        let along = if problem.model.geometry == Geometry::Sphere { dot(x(i), &pull) } else { 0.0 };
        rate += weight(i) * (0..3).map(|k| (pull[k] - along * x(i)[k]).powi(2)).sum::<f64>();
    }
    [potential, energy + potential, rate]
}

pub fn total(kind: Kind) {
    for activation in [Activation::Relu, Activation::Gelu, Activation::Tanh, Activation::Identity] {
        for geometry in [Geometry::Sphere, Geometry::Euclidean] {
            let to = |steps, end| gradient(activation, geometry.clone(), Schedule::even(steps, end, steps / 8));
            // In R^d tokens run away, and differences are taken over a shorter time.
            let end = if geometry == Geometry::Sphere { 0.1 } else { 0.025 };
            let (whole, half) = (kind.evolve(&to(64, end)), kind.evolve(&to(32, end / 2.0)));
            for replica in 0..2 {
                let [potential, total, rate] = expected(&to(32, end / 2.0), &half.tokens, replica, activation);
                let (slope, middle) = slope_in_the_middle(&whole, replica, 1);
                let what = format!("{activation:?} {geometry:?}");
                // Simpson's rule is right to 1e-8, and to rounding elsewhere.
                assert_close(&what, &middle, &[potential, total], kind.tolerance(1e-5, 1e-8));
                assert!(rate > 0.02, "no test: a rate of {rate}");
                let slope = slope * 0.1 / end;
                // Where a token passes the kink of relu the second derivative of F in time jumps.
                let smooth: f64 = if activation == Activation::Relu { 5e-3 } else { 1e-7 };
                assert_close(&what, &[slope / rate], &[1.0], kind.tolerance(smooth.max(1e-3), smooth));
            }
        }
    }
}
