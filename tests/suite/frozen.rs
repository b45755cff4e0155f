//! Tokens that do not move: bit for bit where they were on every backend, sources like the others, in all combinations with other terms.

use libtest_mimic::Trial;
use pollster::block_on;
use tokenfield::{
    backend::{advance, reference},
    model::{Activation, Attention, Calculus, Field, Geometry, Head, Mask, Model, Noise, NoiseField, Normalization},
    observables::{Among, Quantity, Velocity},
    problem::{Problem, Schedule},
    scheme::Scheme,
    tokens::{Shape, Tokens, Weights},
};

use crate::{
    backends::{Kind, laws, trials},
    clouds::{assert_close, cloud, general_head, problem, uneven},
    model::{NORMALIZATIONS, makes_sense, perceptron, tokens},
};

pub fn all() -> Vec<Trial> {
    let suites = [
        laws("frozen::one_token_goes_to_another_that_does_not_move", half_angle),
        laws("frozen::they_have_no_velocity", velocities),
        trials("frozen::geometries_and_normalizations", combinations),
        trials("frozen::small_systems_side_by_side", ensembles),
        trials("frozen::noise_moves_the_others", noises),
        trials("frozen::layers", layers),
    ];
    suites.into_iter().flatten().collect()
}

/// The problem against the reference, and its frozen tokens against those that the backend began with.
#[track_caller]
fn assert_evolves(kind: Kind, what: &str, problem: &Problem, single: f64) {
    let mut backend = kind.open(problem);
    let start = block_on(backend.tokens()).expect("tokens are read");
    let mut done = 0;
    while done < problem.schedule.steps {
        done += advance(problem, backend.as_mut(), done, problem.schedule.steps - done).expect("steps");
    }
    let end = block_on(backend.tokens()).expect("tokens are read");
    let Shape { count, dim, .. } = problem.tokens.shape;
    let frozen = problem.model.frozen * dim;
    for (end, start) in end.chunks(count * dim).zip(start.chunks(count * dim)) {
        assert_eq!(end[..frozen], start[..frozen], "{what}: frozen tokens");
        assert!(end[frozen..] != start[frozen..], "{what}: no test, nothing moves");
    }
    assert_close(what, &end, &reference::evolve(problem), kind.tolerance(single, 1e-11));
}

/// Of a frozen token y and a free token x of the circle at the angle theta: where only y is a source, theta' = -sin theta under softmax,
/// so that tan(theta / 2) = tan(theta_0 / 2) e^{-t}; where both are, of weights w and 1 - w, theta' = -w sin theta at beta = 0.
fn half_angle(kind: Kind) {
    let (theta, w) = (2.5f64, 0.3);
    for (passive, beta, rate) in [(1, 2.0, 1.0), (0, 0.0, w)] {
        let shape = Shape { replicas: 1, count: 2, dim: 2, passive };
        let weights = if passive == 1 { Weights::Equal } else { Weights::Each(vec![w, 1.0 - w]) };
        let tokens = Tokens { shape, coordinates: vec![1.0, 0.0, theta.cos(), theta.sin()], weights };
        let mut problem = problem(tokens, beta);
        problem.model.frozen = 1;
        (problem.scheme, problem.schedule) = (Scheme::Rk4, Schedule::even(200, 2.0, 200));
        let end = kind.evolve(&problem).tokens;
        assert_eq!(end[..2], [1.0, 0.0]);
        let expected = 2.0 * ((theta / 2.0).tan() * (-2.0 * rate).exp()).atan();
        assert_close("angle", &[end[3].atan2(end[2])], &[expected], kind.tolerance(1e-5, 1e-9));
    }
}

/// The largest velocity is that of a token that is free.
fn velocities(kind: Kind) {
    let mut problem = Problem {
        quantities: vec![Quantity::Velocity(Velocity { of: Among::Sources })],
        ..problem(cloud(2, 20, 3, 5), 2.0)
    };
    problem.model.frozen = 7;
    problem.schedule = Schedule::even(0, 0.0, 1);
    let field = reference::field(&problem.tokens, &Model { frozen: 0, ..problem.model.clone() }, Field::Tangent);
    for sample in kind.evolve(&problem).samples {
        let free = field.chunks(60).nth(sample.replica).expect("a replica")[21..].chunks(3);
        let squares: Vec<f64> = free.map(|v| v.iter().map(|v| v * v).sum::<f64>()).collect();
        let largest = squares.iter().copied().fold(0.0, f64::max).sqrt();
        let expected = [largest, (squares.iter().sum::<f64>() / 20.0).sqrt()];
        assert_close("velocities", &sample.values, &expected, kind.tolerance(1e-6, 1e-13));
    }
}

/// Under Heun's scheme, whose stages read the frozen tokens too; the last case freezes passive tokens as well.
fn combinations(kind: Kind) {
    let dim = 5;
    for geometry in
        [Geometry::Sphere, Geometry::Euclidean, Geometry::PreNorm, Geometry::PeriNorm, Geometry::Ngpt { alpha: 0.8 }]
    {
        for normalization in NORMALIZATIONS {
            for (mask, frozen) in [(Mask::None, 40), (Mask::Causal, 9)] {
                if !makes_sense(normalization, mask) {
                    continue;
                }
                let heads = vec![general_head(dim, 3), Head::default()];
                let attention = Attention { beta: 0.5, normalization, mask, heads, ..Attention::default() };
                let mut tokens = tokens(&geometry, 41, dim, 11);
                tokens.shape.passive = 3;
                tokens.weights = uneven(tokens.shape, 5);
                let perceptron = Some(perceptron(dim, 6, Activation::Tanh, 7));
                let model = Model { geometry: geometry.clone(), perceptron, frozen, ..attention.into() };
                let schedule = Schedule::even(2, 0.1, 2);
                let problem = Problem { model, schedule, quantities: Vec::new(), ..problem(tokens, 1.0) };
                let what = format!("{geometry:?}, {normalization:?}, {mask:?}");
                assert_evolves(kind, &what, &problem, 2e-5);
            }
        }
    }
}

/// Replicas that a backend would keep where they are for many steps, and one that harmonics would serve.
fn ensembles(kind: Kind) {
    for (replicas, count, dim) in [(70, 9, 3), (5, 40, 3), (70, 9, 2), (1, 300, 2)] {
        for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
            let mut problem = problem(cloud(replicas, count, dim, 3), 2.0);
            problem.model.attention.normalization = normalization;
            problem.model.frozen = 4;
            problem.schedule = Schedule::even(3, 0.3, 3);
            problem.algorithm = tokenfield::problem::Algorithm::Auto;
            assert_evolves(kind, &format!("{replicas} replicas of {count}, d = {dim}"), &problem, 1e-5);
        }
    }
}

fn noises(kind: Kind) {
    for geometry in [Geometry::Sphere, Geometry::Euclidean] {
        for field in [
            NoiseField::Independent,
            NoiseField::CommonAdditive,
            NoiseField::CommonMatrix,
            NoiseField::CommonPerceptron { width: 5, activation: Activation::Tanh },
        ] {
            let noise = Noise { field, intensity: 0.3, calculus: Calculus::Stratonovich, seed: 3, is_shared: false };
            let mut tokens = cloud(3, 20, 3, 5);
            tokens.shape.passive = 2;
            let mut problem = problem(tokens, 1.0);
            problem.model = Model { geometry: geometry.clone(), noise: Some(noise), frozen: 6, ..problem.model };
            problem.schedule = Schedule::even(2, 0.2, 2);
            assert_evolves(kind, &format!("{geometry:?}, {field:?}"), &problem, 1e-5);
        }
    }
}

/// Steps of attention and perceptron in turn, each with a normalization of its own.
fn layers(kind: Kind) {
    let dim = 5;
    let norm = |seed| crate::model::layer_norm(dim, seed);
    for geometry in [Geometry::Sphere, Geometry::LayerNorm { attention: norm(1), perceptron: norm(2) }] {
        let perceptron = Some(perceptron(dim, 6, Activation::Gelu, 7));
        let attention = Attention { beta: 1.5, heads: vec![general_head(dim, 3)], ..Attention::default() };
        let tokens = tokens(&geometry, 30, dim, 11);
        let model = Model { geometry: geometry.clone(), perceptron, frozen: 8, ..attention.into() };
        let schedule = Schedule::even(2, 2.0, 2);
        let problem =
            Problem { model, scheme: Scheme::Layer, schedule, quantities: Vec::new(), ..problem(tokens, 1.0) };
        assert_evolves(kind, &format!("{geometry:?}"), &problem, 2e-5);
    }
}
