//! Every term of the equation on every backend, against the reference: alone, and in every combination that makes sense.

use libtest_mimic::Trial;
use tokenfield::{
    backend::reference,
    model::{
        Activation, Attention, Biases, Calculus, Geometry, Head, LayerNorm, Mask, Matrix, Model, ModelSchedule,
        Noise, NoiseField, Normalization, Part, Perceptron, Position,
    },
    observables::{Quantity, columns},
    problem::{Problem, Schedule},
    scheme::Scheme,
    tokens::Tokens,
};

use crate::{
    backends::{Kind, trials},
    clouds::{Numbers, assert_close, cloud, general_head, problem, uneven},
};

pub fn all() -> Vec<Trial> {
    let suites = [
        trials("model::normalizations_masks_and_geometries", combinations),
        trials("model::positions", positions),
        trials("model::windows", windows),
        trials("model::heads_of_their_own_width_beta_and_weight", heads),
        trials("model::perceptrons", perceptrons),
        trials("model::a_transformer_layer", transformer),
        trials("model::general_configurations", general),
        trials("model::hardmax_breaks_no_ties", ties),
        trials("model::noise", noises),
        trials("model::betas_of_replicas", betas_of_replicas),
        trials("model::fields_without_heads", headless),
        trials("model::energy_of_heads_with_their_own_beta", energies),
        trials("model::layers_of_a_schedule", layers_of_a_schedule),
        trials("model::post_norms_that_become_pre_norms", mixed_norms),
    ];
    suites.into_iter().flatten().collect()
}

fn matrix(numbers: &mut Numbers, rows: usize, columns: usize) -> Vec<f64> {
    numbers.vector(rows * columns).iter().map(|entry| entry / (columns as f64).sqrt()).collect()
}

/// A head of factors of `rank` rows, and of twice as many for the values, with biases.
pub fn factored_head(dim: usize, rank: usize, seed: u64) -> Head {
    let numbers = &mut Numbers(seed);
    Head {
        query_key: Matrix::Product { left: matrix(numbers, rank, dim), right: matrix(numbers, rank, dim) },
        value: Matrix::Product { left: matrix(numbers, 2 * rank, dim), right: matrix(numbers, 2 * rank, dim) },
        biases: Biases {
            query: numbers.vector(rank),
            key: numbers.vector(rank),
            value: numbers.vector(2 * rank),
            output: numbers.vector(dim),
        },
        beta: Some(1.3),
        decay: None,
        weight: 0.7,
    }
}

pub fn perceptron(dim: usize, width: usize, activation: Activation, seed: u64) -> Perceptron {
    let numbers = &mut Numbers(seed);
    Perceptron {
        inner: matrix(numbers, width, dim),
        outer: matrix(numbers, dim, width),
        bias: numbers.vector(width),
        output_bias: numbers.vector(dim),
        activation,
    }
}

pub fn layer_norm(dim: usize, seed: u64) -> LayerNorm {
    let numbers = &mut Numbers(seed);
    LayerNorm {
        gain: numbers.vector(dim).iter().map(|number| 1.0 + 0.5 * number).collect(),
        bias: numbers.vector(dim),
        epsilon: 1e-5,
    }
}

/// Tokens of all lengths where the geometry has lengths.
pub fn tokens(geometry: &Geometry, count: usize, dim: usize, seed: u64) -> Tokens {
    let mut tokens = cloud(2, count, dim, seed);
    if !geometry.is_unit() {
        for (i, token) in tokens.coordinates.chunks_mut(dim).enumerate() {
            token.iter_mut().for_each(|x| *x *= 0.5 + 0.1 * (i % 17) as f64);
        }
    }
    Tokens { weights: uneven(tokens.shape, seed), ..tokens }
}

pub fn euler(tokens: Tokens, model: Model) -> Problem {
    let schedule = Schedule::even(1, 0.5, 1);
    Problem { scheme: Scheme::Euler, schedule, model, quantities: Vec::new(), ..problem(tokens, 1.0) }
}

#[track_caller]
pub fn assert_evolves(kind: Kind, what: &str, problem: &Problem, single: f64, double: f64) {
    let expected = reference::evolve(problem);
    assert_close(what, &kind.evolve(problem).tokens, &expected, kind.tolerance(single, double));
}

pub const NORMALIZATIONS: [Normalization; 7] = [
    Normalization::Softmax,
    Normalization::Unnormalized,
    Normalization::Shifted,
    Normalization::Hardmax,
    Normalization::Sinkhorn { iterations: 4, tolerance: 1e-9 },
    Normalization::Relu,
    Normalization::Sigmoid,
];

fn geometries() -> Vec<Geometry> {
    vec![
        Geometry::Sphere,
        Geometry::Euclidean,
        Geometry::Rescaled,
        Geometry::PreNorm,
        Geometry::PeriNorm,
        Geometry::Ngpt { alpha: 0.8 },
    ]
}

/// Sinkhorn's iterations balance all pairs; the own token is left out of the largest score only.
pub fn makes_sense(normalization: Normalization, mask: Mask) -> bool {
    match (normalization, mask) {
        (Normalization::Sinkhorn { .. }, _) => mask == Mask::None,
        (_, Mask::Others) => normalization == Normalization::Hardmax,
        _ => true,
    }
}

fn combinations(kind: Kind) {
    let dim = 5;
    for geometry in geometries() {
        for normalization in NORMALIZATIONS {
            for mask in [Mask::None, Mask::Causal, Mask::StrictlyCausal, Mask::Others] {
                if !makes_sense(normalization, mask) {
                    continue;
                }
                let heads = match geometry {
                    Geometry::Rescaled => vec![general_head(dim, 3)],
                    _ => vec![general_head(dim, 3), Head { value: Matrix::Scale(-0.5), ..Head::default() }],
                };
                let attention = Attention { beta: 1.5, normalization, mask, heads, ..Attention::default() };
                let mut tokens = tokens(&geometry, 41, dim, 11);
                tokens.shape.passive = if matches!(mask, Mask::Others) { 0 } else { 3 };
                tokens.weights = uneven(tokens.shape, 5);
                let what = format!("{geometry:?}, {normalization:?}, {mask:?}");
                let model = Model { geometry: geometry.clone(), ..attention.into() };
                assert_evolves(kind, &what, &euler(tokens, model), 1e-5, 1e-12);
            }
        }
    }
}

fn positions(kind: Kind) {
    for dim in [4, 24] {
        let places: Vec<f64> = Numbers(8).vector(70 * dim).iter().map(|place| place / (dim as f64).sqrt()).collect();
        let product = factored_head(dim, dim / 4 * 2, 9);
        for (position, mask) in [
            (Position::Alibi { decay: 1.0 }, Mask::Causal),
            (Position::Alibi { decay: 30.0 }, Mask::StrictlyCausal),
            (Position::Rotary { base: 100.0 }, Mask::None),
            (Position::Rotary { base: 100.0 }, Mask::Causal),
            (Position::Additive { places: places.clone(), in_values: false }, Mask::None),
            (Position::Additive { places, in_values: true }, Mask::Causal),
        ] {
            let (name, decays) = (format!("{position:?}"), matches!(position, Position::Alibi { .. }));
            let sharper = Head { decay: decays.then_some(7.0), weight: -0.5, ..Head::default() };
            for heads in [vec![Head::default()], vec![product.clone(), sharper]] {
                for normalization in NORMALIZATIONS {
                    if !makes_sense(normalization, mask) || (decays && !normalization.takes_one_reduction()) {
                        continue;
                    }
                    let (position, heads) = (position.clone(), heads.clone());
                    let attention =
                        Attention { beta: 2.0, normalization, mask, position, heads, ..Attention::default() };
                    let what = format!("d = {dim}, {normalization:?}, {mask:?}, {name:.40}");
                    let tokens = tokens(&Geometry::Sphere, 70, dim, 13);
                    assert_evolves(kind, &what, &euler(tokens, attention.into()), 2e-5, 1e-12);
                }
            }
        }
    }
}

fn windows(kind: Kind) {
    for (count, dim, window) in [(70, 3, 1), (300, 3, 40), (300, 20, 17), (90, 5, 1000)] {
        for mask in [Mask::None, Mask::Causal, Mask::StrictlyCausal] {
            for normalization in NORMALIZATIONS.into_iter().filter(|n| makes_sense(*n, Mask::Causal)) {
                let attention =
                    Attention { beta: 3.0, normalization, mask, window: Some(window), ..Attention::default() };
                let mut tokens = tokens(&Geometry::Sphere, count, dim, 17);
                tokens.shape.passive = count / 20;
                tokens.weights = uneven(tokens.shape, 19);
                let what = format!("n = {count}, d = {dim}, window {window}, {mask:?}, {normalization:?}");
                assert_evolves(kind, &what, &euler(tokens, attention.into()), 1e-5, 1e-12);
            }
        }
    }
}

fn heads(kind: Kind) {
    for (dim, ranks) in [(3, vec![1, 2]), (7, vec![3, 9]), (40, vec![8, 5, 16]), (130, vec![32])] {
        for geometry in [Geometry::Sphere, Geometry::Euclidean] {
            let mut heads: Vec<Head> =
                ranks.iter().enumerate().map(|(seed, rank)| factored_head(dim, *rank, seed as u64)).collect();
            heads.push(Head { beta: Some(0.4), weight: -0.3, ..general_head(dim, 23) });
            let full = general_head(dim, 29).value;
            heads.push(Head { value: full, biases: Biases::default(), ..factored_head(dim, ranks[0], 31) });
            for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
                let attention = Attention { heads: heads.clone(), normalization, ..Attention::default() };
                let what = format!("d = {dim}, ranks {ranks:?}, {normalization:?}, {geometry:?}");
                let model = Model { geometry: geometry.clone(), ..attention.into() };
                assert_evolves(kind, &what, &euler(tokens(&geometry, 67, dim, 37), model), 2e-5, 1e-12);
            }
        }
    }
}

/// Few replicas and many small ones; heads that share the betas of the replicas, one with its own, one of factors.
fn betas_of_replicas(kind: Kind) {
    for (replicas, count, dim) in [(3, 40, 3), (70, 9, 3), (70, 9, 6), (3, 30, 20)] {
        let beta_factors: Vec<f64> = (0..replicas).map(|replica| [1.0, 0.3, 0.0, 0.7][replica % 4]).collect();
        let heads = [
            vec![Head::default()],
            vec![general_head(dim, 97), Head { beta: Some(0.4), ..Head::default() }],
            vec![Head { beta: None, ..factored_head(dim, 2, 101) }],
        ];
        let forms = NORMALIZATIONS.into_iter().filter(|n| n.weighs_each_row());
        for (normalization, heads) in forms.flat_map(|form| heads.clone().map(|heads| (form, heads))) {
            let beta_factors = beta_factors.clone();
            let attention = Attention { beta: 2.5, beta_factors, normalization, heads, ..Attention::default() };
            let what = format!("{replicas} replicas, d = {dim}, {normalization:?}, {} heads", attention.heads.len());
            let problem = euler(cloud(replicas, count, dim, 103), attention.into());
            assert_evolves(kind, &what, &problem, 2e-5, 1e-12);
        }
    }
    let attention = Attention { beta: 900.0, beta_factors: vec![1.0, 1e-3, 0.5], ..Attention::default() };
    let mut problem = euler(cloud(3, 50, 3, 107), attention.into());
    assert_evolves(kind, "hot beside cold", &problem, 2e-5, 1e-11);
    problem.quantities = vec![Quantity::Energy];
    problem.schedule = Schedule::even(0, 0.0, 1);
    for sample in kind.evolve(&problem).samples {
        let expected = reference::log_energy(&problem.tokens, &problem.model, sample.replica);
        assert_close("log_energy", &sample.values, &[expected], kind.tolerance(1e-5 * expected.abs(), 1e-12));
    }
}

fn perceptrons(kind: Kind) {
    for activation in [Activation::Relu, Activation::Gelu, Activation::Tanh, Activation::Identity] {
        for (dim, width) in [(2, 1), (3, 5), (20, 64), (48, 130)] {
            for scheme in [Scheme::Heun, Scheme::Layer] {
                let mut problem = euler(tokens(&Geometry::Sphere, 50, dim, 41), Model::default());
                problem.model.perceptron = Some(perceptron(dim, width, activation, 43));
                problem.scheme = scheme;
                let what = format!("{activation:?}, d = {dim}, m = {width}, {scheme:?}");
                assert_evolves(kind, &what, &problem, 1e-5, 1e-12);
            }
        }
    }
}

/// A perceptron by itself, and tokens that nothing moves.
fn headless(kind: Kind) {
    let attention = || Attention { heads: Vec::new(), ..Attention::default() };
    for geometry in [Geometry::Sphere, Geometry::Euclidean, Geometry::PreNorm] {
        let tokens = tokens(&geometry, 40, 5, 109);
        let mut problem = euler(tokens, Model { geometry: geometry.clone(), ..attention().into() });
        assert_evolves(kind, &format!("nothing, {geometry:?}"), &problem, 1e-6, 1e-14);
        problem.model.perceptron = Some(perceptron(5, 7, Activation::Tanh, 113));
        assert_evolves(kind, &format!("a perceptron, {geometry:?}"), &problem, 1e-5, 1e-12);
    }
}

/// A layer as in BERT: biases everywhere, layer norms after both parts, an exact gelu.
fn layer(dim: usize, heads: usize, seed: u64) -> Model {
    let head = |h| Head { beta: None, weight: 1.0, ..factored_head(dim, dim / heads, seed + h as u64) };
    Model {
        geometry: Geometry::LayerNorm { attention: layer_norm(dim, seed), perceptron: layer_norm(dim, seed + 1) },
        attention: Attention {
            beta: (dim as f64 / heads as f64).sqrt().recip(),
            heads: (0..heads).map(head).collect(),
            ..Attention::default()
        },
        perceptron: Some(perceptron(dim, 2 * dim, Activation::Gelu, seed + 2)),
        ..Model::default()
    }
}

fn transformer(kind: Kind) {
    for dim in [6, 48] {
        let mut problem = euler(tokens(&Geometry::Euclidean, 60, dim, 47), layer(dim, 3, 53));
        problem.scheme = Scheme::Layer;
        problem.schedule = Schedule::even(2, 2.0, 2);
        assert_evolves(kind, &format!("d = {dim}"), &problem, 2e-5, 1e-12);
    }
}

/// Three heads of full matrices, causal, a perceptron, weights.
fn general(kind: Kind) {
    for dim in [7, 48] {
        let heads = (0..3).map(|seed| general_head(dim, 59 + seed)).collect();
        let attention = Attention { beta: 2.0, mask: Mask::Causal, heads, ..Attention::default() };
        let mut problem = euler(tokens(&Geometry::Sphere, 90, dim, 61), attention.into());
        problem.model.perceptron = Some(perceptron(dim, 3 * dim, Activation::Gelu, 67));
        problem.scheme = Scheme::Rk4;
        problem.schedule = Schedule::even(10, 1.0, 10);
        assert_evolves(kind, &format!("d = {dim}"), &problem, 1e-5, 1e-11);
    }
}

/// Tokens at the corners of a square: two are equally near to the one between them.
fn ties(kind: Kind) {
    let mut tokens = cloud(1, 4, 2, 1);
    tokens.coordinates = vec![1.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0, -1.0];
    for mask in [Mask::None, Mask::Others] {
        let attention = Attention { normalization: Normalization::Hardmax, mask, ..Attention::default() };
        let mut problem = euler(tokens.clone(), attention.into());
        problem.model.attention.heads[0].value = Matrix::Dense(vec![1.0, 0.5, 0.0, 1.0]);
        assert_evolves(kind, &format!("{mask:?}"), &problem, 1e-6, 1e-14);
    }
}

fn noises(kind: Kind) {
    let fields = [
        NoiseField::Independent,
        NoiseField::CommonAdditive,
        NoiseField::CommonMatrix,
        NoiseField::CommonPerceptron { width: 9, activation: Activation::Tanh },
    ];
    for field in fields {
        for (geometry, dim) in [(Geometry::Sphere, 3), (Geometry::Sphere, 7), (Geometry::Euclidean, 5)] {
            for (scheme, calculus) in [(Scheme::Euler, Calculus::Ito), (Scheme::Heun, Calculus::Stratonovich)] {
                for is_shared in [true, false] {
                    let noise = Noise { field, intensity: 0.5, calculus, seed: 0x1234_5678_9abc, is_shared };
                    let model = Model { geometry: geometry.clone(), noise: Some(noise), ..Model::default() };
                    let mut problem = euler(tokens(&geometry, 33, dim, 71), model);
                    problem.scheme = scheme;
                    problem.schedule = Schedule::even(5, 0.5, 5);
                    let what = format!("{field:?}, {geometry:?}, d = {dim}, {scheme:?}, shared {is_shared}");
                    assert_evolves(kind, &what, &problem, 2e-5, 1e-12);
                }
            }
        }
    }
}

fn energies(kind: Kind) {
    let dim = 6;
    let heads = vec![
        Head { beta: Some(0.5), ..general_head(dim, 73) },
        Head { weight: 3.0, ..Head::default() },
        factored_head(dim, 2, 79),
    ];
    for geometry in [Geometry::Sphere, Geometry::Euclidean, Geometry::PreNorm] {
        let attention = Attention { beta: 2.0, mask: Mask::Causal, heads: heads.clone(), ..Attention::default() };
        let model = Model { geometry: geometry.clone(), ..attention.into() };
        let mut tokens = tokens(&geometry, 40, dim, 83);
        tokens.shape.passive = 4;
        tokens.weights = uneven(tokens.shape, 89);
        let mut problem = Problem { quantities: vec![Quantity::Energy], ..euler(tokens, model) };
        problem.schedule = Schedule::even(0, 0.0, 1);
        assert_eq!(columns(&problem.quantities, dim), ["log_energy"]);
        for sample in kind.evolve(&problem).samples {
            let expected = reference::log_energy(&problem.tokens, &problem.model, sample.replica);
            assert_close("log_energy", &sample.values, &[expected], kind.tolerance(1e-5, 1e-12));
        }
    }
}

fn layers_of_a_schedule(kind: Kind) {
    for (dim, scheme) in [(3, Scheme::Euler), (7, Scheme::Heun), (24, Scheme::Layer)] {
        let layer = |seed| Model {
            attention: Attention {
                beta: 1.0 + seed as f64,
                heads: vec![general_head(dim, seed), factored_head(dim, 2, seed + 7)],
                ..Attention::default()
            },
            perceptron: Some(perceptron(dim, 6, Activation::Tanh, seed)),
            ..Model::default()
        };
        let mut problem = euler(tokens(&Geometry::Sphere, 40, dim, 97), layer(0));
        problem.model_schedule = ModelSchedule::Layers((0..4).map(layer).collect());
        problem.scheme = scheme;
        problem.schedule = Schedule::even(4, 1.0, 1);
        assert_evolves(kind, &format!("d = {dim}, {scheme:?}"), &problem, 1e-5, 1e-12);
    }
}

fn mixed_norms(kind: Kind) {
    let mut problem = euler(tokens(&Geometry::Sphere, 40, 5, 101), Model::default());
    problem.model_schedule = ModelSchedule::Parts(vec![Part::Geometry { from: 3, geometry: Geometry::PreNorm }]);
    problem.scheme = Scheme::Heun;
    problem.schedule = Schedule::even(6, 1.2, 6);
    assert_evolves(kind, "mix-norm", &problem, 1e-5, 1e-12);
}
