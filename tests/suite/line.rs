//! Tokens of one component, x_i' = sum_j P_ij V x_j on the line: what is known on paper, and every term against the reference.

use libtest_mimic::Trial;
use tokenfield::{
    model::{
        Activation, Attention, Calculus, Geometry, Head, Mask, Matrix, Model, Noise, NoiseField, Normalization,
        Position,
    },
    observables::{Among, Attention as Rows, NormMoments, Quantity, columns},
    problem::{Problem, Schedule},
    scheme::Scheme,
    tokens::{Shape, Tokens, Weights},
};

use crate::{
    backends::{Kind, laws, trials},
    clouds::{Numbers, assert_close, distance, general_head, problem, uneven},
    model::{NORMALIZATIONS, assert_evolves, euler, factored_head, makes_sense, perceptron},
};

pub fn all() -> Vec<Trial> {
    let suites = [
        laws("line::two_tokens_part_by_a_hyperbolic_tangent", two_tokens),
        laws("line::moments_and_energy_are_sums", sums),
        laws("line::copies_are_as_far_apart_as_their_order_statistics", copies),
        laws("line::signs_stay_what_they_are", signs),
        trials("line::fields_of_every_count", counts),
        trials("line::normalizations_and_masks", combinations),
        trials("line::heads_positions_and_perceptrons", terms),
        trials("line::ensembles", ensembles),
        trials("line::noise", noises),
        trials("line::a_moved_token_is_noticed", perturbation),
    ];
    suites.into_iter().flatten().collect()
}

/// Tokens in (-2, 2).
fn tokens(replicas: usize, count: usize, seed: u64) -> Tokens {
    let shape = Shape { replicas, count, dim: 1, passive: 0 };
    let coordinates = Numbers(seed).vector(replicas * count).iter().map(|x| 2.0 * x).collect();
    Tokens { shape, coordinates, weights: uneven(shape, seed + 1) }
}

fn on_line(tokens: Tokens, attention: Attention) -> Problem {
    euler(tokens, Model { geometry: Geometry::Euclidean, ..attention.into() })
}

/// Of tokens at a and -a each sees a tanh(beta a^2) on average, unnormalized a sinh(beta a^2): a' = c a tanh(beta a^2), whose solution is
/// found by small steps of Runge and Kutta.
fn two_tokens(kind: Kind) {
    for (normalization, pull) in
        [(Normalization::Softmax, f64::tanh as fn(f64) -> f64), (Normalization::Unnormalized, f64::sinh)]
    {
        for value in [0.8, -1.5] {
            let shape = Shape { replicas: 1, count: 2, dim: 1, passive: 0 };
            let tokens = Tokens { shape, coordinates: vec![0.7, -0.7], weights: Weights::Equal };
            let head = Head { value: Matrix::Scale(value), ..Head::default() };
            let mut problem =
                on_line(tokens, Attention { beta: 1.3, normalization, heads: vec![head], ..Attention::default() });
            problem.scheme = Scheme::Rk4;
            problem.schedule = Schedule::even(40, 0.4, 40);
            let velocity = |a: f64| value * a * pull(1.3 * a * a);
            let (mut a, h) = (0.7, 0.4 / 4000.0);
            for _ in 0..4000 {
                let first = velocity(a);
                let second = velocity(a + 0.5 * h * first);
                let third = velocity(a + 0.5 * h * second);
                let fourth = velocity(a + h * third);
                a += h / 6.0 * (first + 2.0 * second + 2.0 * third + fourth);
            }
            let what = format!("{normalization:?}, V = {value}");
            assert_close(&what, &kind.evolve(&problem).tokens, &[a, -a], kind.tolerance(2e-6, 1e-7));
        }
    }
}

/// The columns at time zero against literal sums: the mean, the second moment, lengths, the energy and the rows of attention.
fn sums(kind: Kind) {
    let (beta, count) = (0.9, 37);
    let mut problem = on_line(tokens(2, count, 5), Attention { beta, ..Attention::default() });
    problem.quantities = vec![
        Quantity::Moments,
        Quantity::Energy,
        Quantity::NormMoments(NormMoments { order: 3 }),
        Quantity::Attention(Rows { rows: 4096, of: Among::Sources, seed: 1 }),
    ];
    problem.schedule = Schedule::even(0, 0.0, 1);
    let names = columns(&problem.quantities, 1);
    for sample in kind.evolve(&problem).samples {
        let x = problem.tokens.replica(sample.replica);
        let weight = |i: usize| problem.tokens.weight(sample.replica, i);
        let mean = |of: &dyn Fn(f64) -> f64| (0..count).map(|i| weight(i) * of(x[i])).sum::<f64>();
        let pairs: f64 = (0..count)
            .flat_map(|i| (0..count).map(move |j| (i, j)))
            .map(|(i, j)| weight(i) * weight(j) * (beta * x[i] * x[j]).exp())
            .sum();
        let rows: Vec<Vec<f64>> = (0..count)
            .map(|i| {
                let row: Vec<f64> = (0..count).map(|j| weight(j) * (beta * x[i] * x[j]).exp()).collect();
                let sum: f64 = row.iter().sum();
                row.iter().map(|a| a / sum).collect()
            })
            .collect();
        let over_rows = |of: &dyn Fn(&[f64]) -> f64| rows.iter().map(|row| of(row)).sum::<f64>() / count as f64;
        let expected = [
            ("attention_entropy", over_rows(&|row| -row.iter().map(|a| a * a.ln()).sum::<f64>())),
            ("attention_largest", over_rows(&|row| row.iter().copied().fold(0.0, f64::max))),
            ("mean_0", mean(&|x| x)),
            ("mean_norm", mean(&|x| x).abs()),
            ("second_moment_eigenvalue_0", mean(&|x| x * x)),
            ("log_energy", (pairs / (2.0 * beta)).ln()),
            ("norm_moment_1", mean(&f64::abs)),
            ("norm_moment_3", mean(&|x| x.abs().powi(3))),
        ];
        for (name, expected) in expected {
            let found = sample.values[names.iter().position(|other| other == name).expect("a column")];
            assert_close(name, &[found], &[expected], kind.tolerance(5e-6, 1e-12));
        }
    }
}

/// W_1 of two clouds of as many points of equal weights: mean |x_(i) - y_(i)|.
fn copies(kind: Kind) {
    let tokens = Tokens { weights: Weights::Equal, ..tokens(2, 50, 19) };
    let mut problem = on_line(tokens, Attention::default());
    problem.quantities = vec![Quantity::W1Copies];
    problem.schedule = Schedule::even(0, 0.0, 1);
    let sorted = |replica: usize| {
        let mut x = problem.tokens.replica(replica).to_vec();
        x.sort_by(f64::total_cmp);
        x
    };
    let expected = sorted(0).iter().zip(sorted(1)).map(|(x, y)| (x - y).abs()).sum::<f64>() / 50.0;
    for sample in kind.evolve(&problem).samples {
        assert_close("w1_copies", &sample.values, &[expected], kind.tolerance(1e-6, 1e-12));
    }
}

/// One below, at and one above the tiles of the backends, and more than one chunk.
fn counts(kind: Kind) {
    for count in [1, 2, 7, 16, 17, 63, 64, 65, 256, 257, 1000, 2100] {
        for heads in [vec![Head::default()], vec![general_head(1, 17)]] {
            for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
                let what = format!("{count} tokens, {normalization:?}, {heads:?}");
                let heads = heads.clone();
                let attention = Attention { beta: 1.5, normalization, heads, ..Attention::default() };
                let mut problem = on_line(tokens(2, count, count as u64), attention);
                problem.tokens.shape.passive = count / 9;
                problem.tokens.weights = uneven(problem.tokens.shape, 3);
                // Unnormalized, the largest velocities are some e^{6 |A|}.
                let scale = if normalization == Normalization::Softmax { 1.0 } else { 400.0 };
                assert_evolves(kind, &what, &problem, 4e-6 * scale, 1e-12 * scale);
                problem.scheme = Scheme::Layer;
                assert_evolves(kind, &format!("a layer, {what}"), &problem, 4e-6 * scale, 1e-12 * scale);
            }
        }
    }
    let sharp = Attention { beta: 500.0, ..Attention::default() };
    assert_evolves(kind, "beta = 500", &on_line(tokens(1, 150, 11), sharp), 5e-4, 2e-10);
}

fn combinations(kind: Kind) {
    for geometry in [Geometry::Euclidean, Geometry::Rescaled] {
        for normalization in NORMALIZATIONS {
            for mask in [Mask::None, Mask::Causal, Mask::StrictlyCausal, Mask::Others] {
                let is_rescaled = geometry == Geometry::Rescaled;
                if !makes_sense(normalization, mask) || is_rescaled && normalization != Normalization::Softmax {
                    continue;
                }
                let other = Head { value: Matrix::Scale(-0.5), ..Head::default() };
                let heads = if is_rescaled { vec![other] } else { vec![general_head(1, 3), other] };
                let attention = Attention { beta: 1.2, normalization, mask, heads, ..Attention::default() };
                let what = format!("{geometry:?}, {normalization:?}, {mask:?}");
                let model = Model { geometry: geometry.clone(), ..attention.into() };
                assert_evolves(kind, &what, &euler(tokens(2, 41, 11), model), 2e-4, 1e-11);
            }
        }
    }
}

fn terms(kind: Kind) {
    let factored = factored_head(1, 3, 9);
    for (position, mask, window) in [
        (Position::Alibi { decay: 2.0 }, Mask::Causal, None),
        (Position::Additive { places: Numbers(8).vector(70), in_values: true }, Mask::None, None),
        (Position::Nowhere, Mask::None, Some(5)),
        (Position::Nowhere, Mask::StrictlyCausal, Some(9)),
    ] {
        for heads in [vec![Head::default()], vec![factored.clone(), Head { beta: Some(0.4), ..Head::default() }]] {
            let position = position.clone();
            let attention = Attention { beta: 0.8, mask, window, position, heads, ..Attention::default() };
            let what = format!(
                "{mask:?}, {window:?}, {} heads, {:.40}",
                attention.heads.len(),
                format!("{:?}", attention.position)
            );
            let mut problem = on_line(tokens(2, 70, 13), attention);
            assert_evolves(kind, &what, &problem, 1e-4, 1e-11);
            problem.model.perceptron = Some(perceptron(1, 5, Activation::Gelu, 43));
            assert_evolves(kind, &format!("{what}, a perceptron"), &problem, 1e-4, 1e-11);
        }
    }
}

/// Unit tokens of one component are 1 and -1, and stay there.
fn signs(kind: Kind) {
    let shape = Shape { replicas: 70, count: 9, dim: 1, passive: 0 };
    let coordinates: Vec<f64> = Numbers(5).vector(630).iter().map(|x| x.signum()).collect();
    let tokens = Tokens { shape, coordinates: coordinates.clone(), weights: Weights::Equal };
    for heads in [vec![Head::default()], vec![general_head(1, 3)]] {
        let problem = problem(tokens.clone(), 1.0);
        let mut problem = Problem { quantities: Vec::new(), ..problem };
        problem.model.attention.heads = heads;
        assert_close("signs", &kind.evolve(&problem).tokens, &coordinates, kind.tolerance(2e-7, 1e-15));
    }
}

/// Many small replicas for many steps, whose betas and matrices are their own or not.
fn ensembles(kind: Kind) {
    for (replicas, count) in [(64, 1), (65, 2), (81, 9), (70, 32)] {
        let mixed = Head { query_key: Matrix::Diagonal(vec![0.4]), value: Matrix::Scale(-0.5), ..Head::default() };
        let own = Matrix::OfReplicas(Numbers(3).vector(replicas));
        let of_replicas = Head { query_key: own.clone(), value: own, ..Head::default() };
        let betas: Vec<f64> = (0..replicas).map(|replica| 1.0 / (1.0 + replica as f64)).collect();
        for (heads, beta_factors) in [
            (vec![Head::default()], Vec::new()),
            (vec![general_head(1, 23), mixed], Vec::new()),
            (vec![of_replicas], Vec::new()),
            (vec![Head::default()], betas),
        ] {
            for mask in [Mask::None, Mask::Causal] {
                let what = format!("{replicas} replicas of {count}, {mask:?}, {} heads", heads.len());
                let (heads, beta_factors) = (heads.clone(), beta_factors.clone());
                let attention = Attention { beta: 0.7, mask, heads, beta_factors, ..Attention::default() };
                let mut problem = on_line(tokens(replicas, count, 7), attention);
                problem.scheme = Scheme::Heun;
                problem.schedule = Schedule::even(6, 0.3, 6);
                assert_evolves(kind, &what, &problem, 2e-5, 1e-12);
            }
        }
    }
}

fn noises(kind: Kind) {
    for field in [
        NoiseField::Independent,
        NoiseField::CommonAdditive,
        NoiseField::CommonMatrix,
        NoiseField::CommonPerceptron { width: 9, activation: Activation::Tanh },
    ] {
        for (scheme, calculus) in [(Scheme::Euler, Calculus::Ito), (Scheme::Heun, Calculus::Stratonovich)] {
            for is_shared in [true, false] {
                let noise = Noise { field, intensity: 0.5, calculus, seed: 0x1234_5678_9abc, is_shared };
                let mut problem = on_line(tokens(2, 33, 71), Attention::default());
                problem.model.noise = Some(noise);
                problem.scheme = scheme;
                problem.schedule = Schedule::even(5, 0.5, 5);
                let what = format!("{field:?}, {scheme:?}, shared {is_shared}");
                assert_evolves(kind, &what, &problem, 5e-5, 1e-12);
            }
        }
    }
}

/// The comparisons have teeth.
fn perturbation(kind: Kind) {
    let problem = problem(tokens(1, 20, 43), 1.0);
    let problem = on_line(problem.tokens, Attention::default());
    let right = kind.evolve(&problem).tokens;
    let mut moved = problem.clone();
    moved.tokens.coordinates[4] += 1e-3;
    let mut flipped = problem.clone();
    flipped.model.attention.heads[0].value = Matrix::Scale(-1.0);
    for other in [moved, flipped] {
        assert!(distance(&kind.evolve(&other).tokens, &right) > 1e-4);
    }
}
