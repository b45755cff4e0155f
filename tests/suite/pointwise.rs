//! What is known on paper of attention by positive parts and sigmoids of scores, on every backend.

use libtest_mimic::Trial;
use tokenfield::{
    model::{Attention, Normalization},
    observables::Quantity,
    problem::{Problem, Schedule},
    scheme::Scheme,
    tokens::{Shape, Tokens, Weights},
};

use crate::{
    backends::{Kind, laws},
    clouds::{assert_close, dot, problem},
};

pub fn all() -> Vec<Trial> {
    let suites = [
        laws("pointwise::equiangular_tokens_follow_the_scalar_ode", equiangular),
        laws("pointwise::two_tokens_follow_the_tangent_of_their_angle", two_tokens),
        laws("pointwise::late_gaps_close_at_the_rate_of_equal_tokens", late),
    ];
    suites.into_iter().flatten().collect()
}

fn phi(normalization: Normalization, score: f64) -> f64 {
    if normalization == Normalization::Relu { score.max(0.0) } else { 1.0 / (1.0 + (-score).exp()) }
}

/// n tokens that overlap by rho, under A = V = I.
fn evolved(normalization: Normalization, [rho, beta, end]: [f64; 3], n: usize, kind: Kind) -> Vec<f64> {
    // (x_i)_k = b + (a - b) [i = k]: (a - b)^2 = 1 - rho, and n b^2 + 2 b (a - b) = rho.
    let side = (1.0 - rho).sqrt();
    let b = ((side * side + n as f64 * rho).sqrt() - side) / n as f64;
    let coordinates: Vec<f64> = (0..n * n).map(|k| if k % (n + 1) == 0 { b + side } else { b }).collect();
    let shape = Shape { replicas: 1, count: n, dim: n, passive: 0 };
    let problem = Problem {
        model: Attention { beta, normalization, ..Attention::default() }.into(),
        scheme: Scheme::Rk4,
        schedule: Schedule::even(300, end, 300),
        quantities: vec![Quantity::Moments],
        ..problem(Tokens { shape, coordinates, weights: Weights::Equal }, beta)
    };
    kind.evolve(&problem).tokens
}

/// rho' = (2 / n) phi(beta rho) (1 - rho) ((n - 1) rho + 1): of a_ij = phi(beta <x_i, x_j>) / n (arXiv:2605.04279).
fn equiangular(kind: Kind) {
    for (normalization, rho, beta, end) in [
        (Normalization::Relu, 0.1, 2.0, 2.0),
        (Normalization::Sigmoid, 0.0, 3.0, 2.0),
        (Normalization::Sigmoid, -0.1, 3.0, 2.0),
    ] {
        let n = 8;
        let speed =
            |rho: f64| 2.0 / n as f64 * phi(normalization, beta * rho) * (1.0 - rho) * ((n - 1) as f64 * rho + 1.0);
        let h = end / 20_000.0;
        let expected = (0..20_000).fold(rho, |rho, _| {
            let middle = rho + h / 2.0 * speed(rho);
            rho + h * speed(middle)
        });
        assert!(expected > rho + 0.15 && expected < 0.99, "no test: {rho} to {expected}");
        let x = evolved(normalization, [rho, beta, end], n, kind);
        let overlaps: Vec<f64> = (1..n).map(|i| dot(&x[..n], &x[i * n..][..n])).collect();
        assert_close("overlap", &overlaps, &vec![expected; n - 1], kind.tolerance(1e-5, 1e-8));
    }
}

/// Two tokens under relu: theta' = -beta cos theta sin theta, so that tan theta falls by e^{-beta t}; obtuse ones stay.
fn two_tokens(kind: Kind) {
    let (beta, end) = (1.5f64, 1.0);
    for rho in [0.3f64, 0.9, -0.4] {
        let x = evolved(Normalization::Relu, [rho, beta, end], 2, kind);
        let tangent = (1.0 - rho * rho).sqrt() / rho * (-beta * end).exp();
        let expected = if rho > 0.0 { 1.0 / (1.0 + tangent * tangent).sqrt() } else { rho };
        assert_close("overlap", &[dot(&x[..2], &x[2..])], &[expected], kind.tolerance(1e-6, 1e-9));
    }
}

/// Near rho = 1 the gap 1 - rho falls by e^{-2 phi(beta) t}, whatever n.
fn late(kind: Kind) {
    let (n, beta, gap, end) = (5, 1.2, 1e-3, 1.0);
    for normalization in [Normalization::Relu, Normalization::Sigmoid] {
        let x = evolved(normalization, [1.0 - gap, beta, end], n, kind);
        let between: f64 = x[..n].iter().zip(&x[n..]).map(|(x, y)| (x - y) * (x - y)).sum::<f64>() / 2.0;
        let rate = (gap / between).ln() / end;
        // Corrections are of the order of the gap.
        assert_close("rate", &[rate], &[2.0 * phi(normalization, beta)], 4e-3);
    }
}
