//! One physics suite, run on every backend: what is known of the equation, whoever computes it.

use libtest_mimic::Trial;
use tokenfield::{
    model::{Activation, Field, Geometry, Head, Mask, Matrix, Normalization, Perceptron},
    observables::Quantity,
    problem::{Problem, Schedule},
    scheme::Scheme,
    tokens::{Shape, Tokens, Weights},
};

use crate::{
    backends::{Kind, laws},
    clouds::{self, assert_close, cloud, distance, normalize, problem, uneven},
};

pub fn all() -> Vec<Trial> {
    let suites = [
        laws("law::equiangular_tokens_follow_the_scalar_ode", equiangular),
        laws("law::two_tokens_at_beta_zero_follow_tanh", two_tokens),
        laws("law::energy_never_decreases", energy_never_decreases),
        laws("law::tokens_stay_on_the_sphere", unit_length),
        laws("law::rotations_commute_with_the_flow", rotation),
        laws("law::permutations_commute_with_the_flow", permutation),
        laws("law::duplicated_tokens_equal_doubled_weights", duplication),
        laws("law::a_passive_token_follows_its_active_copy", passive_follows),
        laws("law::a_passive_token_moves_nobody", passive_moves_nobody),
        laws("law::at_beta_zero_the_normalizations_agree", beta_zero),
        laws("law::replicas_do_not_see_each_other", replicas),
        laws("law::a_lone_token_stays", lone_token),
        laws("law::a_run_repeats_bit_for_bit", repeats),
        laws("law::large_beta_keeps_the_softmax", large_beta),
        laws("law::long_steps_end_on_the_sphere", long_steps),
        laws("law::causal_tokens_converge_to_the_first", causal),
        laws("law::an_output_bias_is_that_of_a_perceptron", output_bias),
        laws("law::layer_norms_decide_how_fast_tokens_meet", contraction),
    ];
    suites.into_iter().flatten().collect()
}

/// Single precision: a few hundred steps, each rounded to 6e-8, on a flow that contracts; double leaves the scheme.
const SINGLE: f64 = 1e-5;
const DOUBLE: f64 = 1e-10;

fn schedule(steps: u64, end: f64) -> Schedule {
    Schedule::even(steps, end, steps)
}

fn with(mut problem: Problem, normalization: Normalization, scheme: Scheme, schedule: Schedule) -> Problem {
    problem.model.attention.normalization = normalization;
    problem.scheme = scheme;
    problem.schedule = schedule;
    problem
}

/// rho' = 2 e^{beta rho} (1 - rho) ((n - 1) rho + 1) / s with s = e^beta + (n - 1) e^{beta rho} (softmax) or n
/// (unnormalized), from orthonormal tokens: Rigollet, arXiv:2512.01868, the equiangular model.
fn equiangular_overlap(n: f64, beta: f64, end: f64, normalization: Normalization) -> f64 {
    let speed = |rho: f64| {
        let scale = match normalization {
            Normalization::Softmax => beta.exp() + (n - 1.0) * (beta * rho).exp(),
            _ => n,
        };
        2.0 * (beta * rho).exp() * (1.0 - rho) * ((n - 1.0) * rho + 1.0) / scale
    };
    let steps = 20_000;
    let h = end / steps as f64;
    (0..steps).fold(0.0, |rho, _| {
        let k1 = speed(rho);
        let k2 = speed(rho + h / 2.0 * k1);
        let k3 = speed(rho + h / 2.0 * k2);
        let k4 = speed(rho + h * k3);
        rho + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    })
}

fn equiangular(kind: Kind) {
    for (normalization, end, known) in
        [(Normalization::Softmax, 2.0, Some(0.659_873_709_505)), (Normalization::Unnormalized, 0.5, None)]
    {
        let (n, beta) = (8, 2.0);
        let mut coordinates = vec![0.0; n * n];
        (0..n).for_each(|i| coordinates[i * n + i] = 1.0);
        let shape = Shape { replicas: 1, count: n, dim: n, passive: 0 };
        let tokens = Tokens { shape, coordinates, weights: Weights::Equal };
        let problem = with(problem(tokens, beta), normalization, Scheme::Rk4, schedule(400, end));
        let tokens = kind.evolve(&problem).tokens;
        let expected = equiangular_overlap(n as f64, beta, end, normalization);
        if let Some(known) = known {
            assert!((expected - known).abs() < 1e-11, "the scalar solver itself is off: {expected}");
        }
        let mut overlaps = Vec::new();
        for i in 0..n {
            for j in 0..i {
                overlaps.push((0..n).map(|k| tokens[i * n + k] * tokens[j * n + k]).sum());
            }
        }
        assert_close("overlap", &overlaps, &vec![expected; overlaps.len()], kind.tolerance(SINGLE, DOUBLE));
    }
}

/// n = 2, beta = 0: the overlap of two orthogonal tokens is tanh t.
fn two_tokens(kind: Kind) {
    let shape = Shape { replicas: 1, count: 2, dim: 2, passive: 0 };
    let tokens = Tokens { shape, coordinates: vec![1.0, 0.0, 0.0, 1.0], weights: Weights::Equal };
    let problem = with(problem(tokens, 0.0), Normalization::Softmax, Scheme::Rk4, schedule(200, 1.0));
    let problem = Problem { quantities: vec![Quantity::Moments], ..problem };
    let x = kind.evolve(&problem).tokens;
    assert_close("overlap", &[x[0] * x[2] + x[1] * x[3]], &[1f64.tanh()], kind.tolerance(SINGLE, DOUBLE));
}

/// dE/dt = sum_i Z_i |x_i'|^2 w_i >= 0 along both flows.
fn energy_never_decreases(kind: Kind) {
    for (normalization, beta, end) in [
        (Normalization::Softmax, 4.0, 8.0),
        (Normalization::Softmax, 60.0, 8.0),
        (Normalization::Unnormalized, 2.0, 2.0),
    ] {
        let schedule = Schedule::even(160, end, 8);
        let problem = with(problem(cloud(1, 200, 3, 5), beta), normalization, Scheme::Heun, schedule);
        let column = tokenfield::observables::columns(&problem.quantities, 3).iter().position(|c| c == "log_energy");
        let energies: Vec<f64> =
            kind.evolve(&problem).samples.iter().map(|sample| sample.values[column.expect("asked for")]).collect();
        // An energy at rest may show the rounding of its own logarithm, which is of size beta.
        let slack = kind.tolerance(1e-7, 1e-14) * beta;
        for (k, pair) in energies.windows(2).enumerate() {
            assert!(pair[1] >= pair[0] - slack, "the energy falls at sample {k}: {} to {}", pair[0], pair[1]);
        }
        assert!(energies[energies.len() - 1] > energies[0] + 0.01, "the energy never moves");
    }
}

fn unit_length(kind: Kind) {
    for scheme in [Scheme::Euler, Scheme::Heun, Scheme::Rk4, Scheme::Layer] {
        let dim = 5;
        let problem = with(problem(cloud(2, 65, dim, 3), 3.0), Normalization::Softmax, scheme, schedule(40, 4.0));
        let lengths: Vec<f64> =
            kind.evolve(&problem).tokens.chunks(dim).map(|x| x.iter().map(|c| c * c).sum::<f64>().sqrt()).collect();
        // One rounding a component.
        assert_close("length", &lengths, &vec![1.0; lengths.len()], kind.tolerance(3e-7, 1e-15));
    }
}

/// With identity matrices, rotating the start rotates the end.
fn rotation(kind: Kind) {
    let (s, c) = 0.7f64.sin_cos();
    let rotate = |tokens: &[f64]| -> Vec<f64> {
        tokens.chunks(3).flat_map(|x| [c * x[0] - s * x[1], s * x[0] + c * x[1], x[2]]).collect()
    };
    let straight = with(problem(cloud(1, 150, 3, 9), 4.0), Normalization::Softmax, Scheme::Heun, schedule(50, 2.0));
    let mut turned = straight.clone();
    turned.tokens.coordinates = rotate(&straight.tokens.coordinates);
    let expected = rotate(&kind.evolve(&straight).tokens);
    assert_close("tokens", &kind.evolve(&turned).tokens, &expected, kind.tolerance(SINGLE, DOUBLE));
}

fn permutation(kind: Kind) {
    let (n, dim) = (130, 4);
    let reverse = |tokens: &[f64]| -> Vec<f64> { tokens.chunks(dim).rev().flatten().copied().collect() };
    let straight = with(problem(cloud(1, n, dim, 2), 5.0), Normalization::Softmax, Scheme::Heun, schedule(50, 2.0));
    let mut reversed = straight.clone();
    reversed.tokens.coordinates = reverse(&straight.tokens.coordinates);
    let expected = reverse(&kind.evolve(&straight).tokens);
    assert_close("tokens", &kind.evolve(&reversed).tokens, &expected, kind.tolerance(SINGLE, DOUBLE));
}

/// A token that stands twice counts as one of twice the weight.
fn duplication(kind: Kind) {
    let (n, dim) = (40, 3);
    for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
        let single = cloud(1, n, dim, 4);
        let mut doubled = single.clone();
        doubled.shape.count = n + 1;
        doubled.coordinates.extend_from_slice(&single.coordinates[..dim]);
        let mut weights = vec![1.0 / (n + 1) as f64; n];
        weights[0] *= 2.0;
        let weighted = Tokens { weights: Weights::Each(weights), ..single };
        let run = |tokens| {
            let problem = with(problem(tokens, 3.0), normalization, Scheme::Heun, schedule(40, 1.0));
            kind.evolve(&problem)
        };
        let (weighted, doubled) = (run(weighted), run(doubled));
        let tolerance = kind.tolerance(SINGLE, DOUBLE);
        assert_close("tokens", &doubled.tokens[..n * dim], &weighted.tokens, tolerance);
        assert_close("copy", &doubled.tokens[n * dim..], &weighted.tokens[..dim], tolerance);
        for (doubled, weighted) in doubled.samples.iter().zip(&weighted.samples) {
            assert_close("sample", &doubled.values, &weighted.values, tolerance);
        }
    }
}

/// A passive token started where an active one starts stays with it; one started elsewhere moves as the field says.
fn passive_follows(kind: Kind) {
    let (n, dim) = (50, 3);
    let mut tokens = cloud(1, n, dim, 6);
    tokens.coordinates.extend_from_within(7 * dim..8 * dim);
    tokens.shape = Shape { count: n + 1, passive: 1, ..tokens.shape };
    // At beta = 300 tokens rest, and the row maximum must be found; at beta = 2 the copy is carried along.
    for (beta, travelled) in [(2.0, 0.1), (300.0, 0.0)] {
        let problem = with(problem(tokens.clone(), beta), Normalization::Softmax, Scheme::Heun, schedule(40, 1.0));
        let tokens = kind.evolve(&problem).tokens;
        assert_close("passive token", &tokens[n * dim..], &tokens[7 * dim..8 * dim], kind.tolerance(SINGLE, DOUBLE));
        assert!(distance(&tokens[7 * dim..8 * dim], &problem.tokens.coordinates[7 * dim..8 * dim]) >= travelled);
    }
}

fn passive_moves_nobody(kind: Kind) {
    let (n, dim) = (50, 3);
    let alone = cloud(1, n, dim, 6);
    let mut watched = alone.clone();
    let mut witnesses = clouds::Numbers(77).vector(5 * dim);
    normalize(&mut witnesses, dim);
    watched.coordinates.extend(witnesses);
    watched.shape = Shape { count: n + 5, passive: 5, ..watched.shape };
    let run =
        |tokens| kind.evolve(&with(problem(tokens, 2.0), Normalization::Softmax, Scheme::Heun, schedule(40, 1.0)));
    let (alone, watched) = (run(alone), run(watched));
    assert_close("tokens", &watched.tokens[..n * dim], &alone.tokens, kind.tolerance(1e-6, 1e-13));
    for (watched, alone) in watched.samples.iter().zip(&alone.samples) {
        assert_close("sample", &watched.values, &alone.values, kind.tolerance(1e-6, 1e-13));
    }
}

/// At beta = 0 every weight is w_j, whichever way it is divided; the field is P_x mean.
fn beta_zero(kind: Kind) {
    let tokens = cloud(1, 90, 6, 8);
    let tokens = Tokens { weights: uneven(tokens.shape, 1), ..tokens };
    let run = |normalization| {
        let problem = with(problem(tokens.clone(), 0.0), normalization, Scheme::Heun, schedule(1, 0.1));
        kind.shifted(&problem, Field::Ambient)
    };
    let mean: Vec<f64> =
        (0..6).map(|k| (0..90).map(|j| tokens.weight(0, j) * tokens.coordinates[j * 6 + k]).sum()).collect();
    let mut expected: Vec<f64> =
        tokens.coordinates.chunks(6).flat_map(|x| x.iter().zip(&mean).map(|(x, m)| x + m)).collect();
    normalize(&mut expected, 6);
    assert_close("softmax", &run(Normalization::Softmax), &expected, kind.tolerance(1e-6, 1e-14));
    assert_close("unnormalized", &run(Normalization::Unnormalized), &expected, kind.tolerance(1e-6, 1e-14));
}

fn replicas(kind: Kind) {
    let (count, dim) = (33, 3);
    let together =
        with(problem(cloud(3, count, dim, 12), 4.0), Normalization::Softmax, Scheme::Heun, schedule(20, 1.0));
    let outcome = kind.evolve(&together);
    for replica in 0..3 {
        let mut alone = together.clone();
        alone.tokens.shape.replicas = 1;
        alone.tokens.coordinates = together.tokens.replica(replica).to_vec();
        let alone = kind.evolve(&alone);
        let tokens = &outcome.tokens[replica * count * dim..][..count * dim];
        assert_close("tokens", tokens, &alone.tokens, kind.tolerance(1e-6, 1e-13));
        let samples = outcome.samples.iter().filter(|sample| sample.replica == replica);
        for (together, alone) in samples.zip(&alone.samples) {
            assert_eq!(together.time, alone.time);
            assert_close("sample", &together.values, &alone.values, kind.tolerance(1e-6, 1e-13));
        }
    }
}

fn lone_token(kind: Kind) {
    for beta in [0.5, 1000.0] {
        let problem = with(problem(cloud(1, 1, 3, 1), beta), Normalization::Softmax, Scheme::Rk4, schedule(20, 2.0));
        let tokens = kind.evolve(&problem).tokens;
        assert_close("token", &tokens, &problem.tokens.coordinates, kind.tolerance(1e-6, 1e-14));
    }
}

fn repeats(kind: Kind) {
    let problem = with(problem(cloud(2, 300, 3, 21), 4.0), Normalization::Softmax, Scheme::Heun, schedule(10, 1.0));
    let (first, second) = (kind.evolve(&problem), kind.evolve(&problem));
    assert_eq!(first.tokens, second.tokens);
    assert_eq!(first.samples, second.samples);
}

/// beta = 1000: weights span e^{-2000}, and each of two tight pairs sees itself alone.
fn large_beta(kind: Kind) {
    let tokens = Tokens {
        shape: Shape { replicas: 1, count: 3, dim: 2, passive: 0 },
        coordinates: vec![1.0, 0.0, 0.6, 0.8, -1.0, 0.0],
        weights: Weights::Equal,
    };
    let problem = with(problem(tokens, 1000.0), Normalization::Softmax, Scheme::Heun, schedule(10, 1.0));
    let outcome = kind.evolve(&problem);
    assert_close("tokens", &outcome.tokens, &problem.tokens.coordinates, kind.tolerance(1e-6, 1e-14));
    let expected = 1000.0 - 3f64.ln() - 2000f64.ln();
    let columns = tokenfield::observables::columns(&problem.quantities, 2);
    let column = columns.iter().position(|name| name == "log_energy").expect("asked for");
    assert_close("log_energy", &[outcome.samples[0].values[column]], &[expected], kind.tolerance(1e-3, 1e-10));
}

/// V = I, d >= 2: almost surely every token converges to where the first one stands, which never moves (Karagodin,
/// Polyanskiy, Rigollet, arXiv:2411.04990). Under the strict mask the first token is frozen and the others still come.
fn causal(kind: Kind) {
    for mask in [Mask::Causal, Mask::StrictlyCausal] {
        let mut problem =
            with(problem(cloud(1, 24, 3, 15), 1.0), Normalization::Softmax, Scheme::Heun, schedule(600, 60.0));
        problem.model.attention.mask = mask;
        let tokens = kind.evolve(&problem).tokens;
        let first = &problem.tokens.coordinates[..3];
        for token in tokens.chunks(3) {
            assert_close("token", token, first, 1e-4);
        }
        assert_close("first token", &tokens[..3], first, kind.tolerance(1e-6, 1e-14));
    }
}

/// A velocity whose square overflows still has a direction, and the retraction takes it.
fn long_steps(kind: Kind) {
    let beta = kind.tolerance(60.0, 400.0);
    let problem =
        with(problem(cloud(1, 20, 3, 33), beta), Normalization::Unnormalized, Scheme::Euler, schedule(1, 1.0));
    let problem = Problem { quantities: vec![Quantity::Moments], ..problem };
    let tokens = kind.evolve(&problem).tokens;
    let lengths: Vec<f64> = tokens.chunks(3).map(|x| x.iter().map(|c| c * c).sum::<f64>().sqrt()).collect();
    assert_close("length", &lengths, &[1.0; 20], kind.tolerance(3e-7, 1e-14));
}

/// Rows of softmax sum to one, so that a head adds its bias times its weight to every field, whatever its value matrix is.
fn output_bias(kind: Kind) {
    let (dim, bias) = (3, vec![0.4, -0.2, 0.3]);
    let factors = Matrix::Product { left: vec![0.5, 0.1, -0.3], right: vec![-0.2, 0.7, 0.4] };
    for value in [Matrix::Identity, Matrix::Scale(-0.5), factors] {
        let mut without = problem(cloud(2, 30, dim, 19), 2.0);
        without.quantities.clear();
        without.model.attention.heads[0] = Head { value, weight: 0.7, ..Head::default() };
        let mut with = without.clone();
        with.model.attention.heads[0].biases.output = bias.clone();
        without.model.perceptron = Some(Perceptron {
            inner: vec![0.0; dim],
            outer: vec![0.0; dim],
            bias: vec![0.0],
            output_bias: bias.iter().map(|b| 0.7 * b).collect(),
            activation: Activation::Identity,
        });
        let (found, expected) = (kind.evolve(&with).tokens, kind.evolve(&without).tokens);
        assert_close("tokens", &found, &expected, kind.tolerance(1e-6, 1e-14));
        assert!(distance(&found, &with.tokens.coordinates) > 1e-2, "nothing moves");
    }
}

/// Late contraction of two tokens under a normalization: post-LN e^{-2t}, and t^{-2} where lengths grow like t, of 1 - cos of
/// their angle ("Normalization in attention dynamics", arXiv:2510.22026).
fn contraction(kind: Kind) {
    let gap = |geometry: Geometry, end: f64| {
        let mut problem = problem(cloud(1, 2, 3, 67), 1.0);
        problem.tokens.coordinates = vec![0.6, 0.8, 0.0, 0.6, 0.0, 0.8];
        problem.model.geometry = geometry;
        problem.schedule = Schedule::even((end / 0.02).round() as u64, end, u64::MAX);
        problem.quantities = vec![Quantity::Moments];
        let x = kind.evolve(&problem).tokens;
        let square = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
        let lengths = (square(&x[..3]) * square(&x[3..])).sqrt();
        // 1 - cos by differences of directions, which do not cancel.
        let direction = |x: &[f64]| x.iter().map(|c| c / square(x).sqrt()).collect::<Vec<f64>>();
        let apart: f64 = direction(&x[..3]).iter().zip(direction(&x[3..])).map(|(a, b)| (a - b) * (a - b)).sum();
        assert!(lengths > 0.0);
        apart / 2.0
    };
    let rate = -(gap(Geometry::Sphere, 4.0) / gap(Geometry::Sphere, 3.0)).ln();
    assert!((rate - 2.0).abs() < 0.03, "post-LN: rate {rate}");
    for geometry in [Geometry::PreNorm, Geometry::PeriNorm] {
        let power = -(gap(geometry.clone(), 80.0) / gap(geometry.clone(), 40.0)).log2();
        assert!((power - 2.0).abs() < 0.15, "{geometry:?}: power {power}");
    }
}
