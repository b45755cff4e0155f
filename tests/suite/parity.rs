//! Every backend against the literal f64 reference: awkward sizes, general matrices, weights, both normalizations.

use libtest_mimic::Trial;
use tokenfield::{
    backend::reference,
    model::{Attention, Field, Head, Mask, Matrix, Normalization, Position},
    observables::{Quantity, columns},
    problem::{Problem, Schedule},
    scheme::Scheme,
    tokens::{Shape, Tokens, Weights},
};

use crate::{
    backends::{Kind, trials},
    clouds::{self, assert_close, cloud, distance, dot, general_head, identity_head, problem, uneven},
};

pub fn all() -> Vec<Trial> {
    let suites = [
        trials("parity::field_of_every_width_and_count", every_size),
        trials("parity::field_with_one_source_and_passive_tail", passive_tail),
        trials("parity::field_where_no_shift_is_known", unknown_maximum),
        trials("parity::field_with_several_heads", several_heads),
        trials("parity::field_with_vanishing_weights", vanishing_weights),
        trials("parity::field_under_masks", masks),
        trials("parity::field_of_ensembles", ensembles),
        trials("parity::field_with_matrices_of_replicas", matrices_of_replicas),
        trials("parity::field_of_a_cluster_that_repels", repelling_cluster),
        trials("parity::schemes_evolve_like_the_reference", schemes),
        trials("parity::observables_are_those_of_the_reference", observables),
        trials("parity::a_perturbed_token_is_noticed", perturbation),
    ];
    suites.into_iter().flatten().collect()
}

/// One evaluation: a score of size beta is rounded to about beta * 1e-7, and the field is of order one.
const SINGLE: f64 = 2e-6;
const DOUBLE: f64 = 1e-13;

const WIDTHS: [usize; 9] = [2, 3, 4, 5, 8, 16, 33, 64, 128];
/// One below, at and one above the tiles of both backends; single tokens; more than one chunk.
const COUNTS: [usize; 12] = [1, 2, 15, 16, 17, 63, 64, 65, 255, 256, 257, 1000];

/// N(x + f) as the reference sees it.
fn expected(problem: &Problem, field: Field) -> Vec<f64> {
    let dim = problem.tokens.shape.dim;
    let field = reference::field(&problem.tokens, &problem.model, field);
    let mut moved: Vec<f64> = problem.tokens.coordinates.iter().zip(field).map(|(x, f)| x + f).collect();
    clouds::normalize(&mut moved, dim);
    moved
}

#[track_caller]
fn assert_parity(kind: Kind, problem: &Problem, scale: f64) {
    for field in [Field::Tangent, Field::Ambient] {
        let what = format!("{field:?} field, {:?}, beta {}", problem.tokens.shape, problem.model.attention.beta);
        let tolerance = scale * kind.tolerance(SINGLE, DOUBLE);
        assert_close(&what, &kind.shifted(problem, field), &expected(problem, field), tolerance);
    }
}

fn every_size(kind: Kind) {
    for dim in WIDTHS {
        for count in COUNTS {
            // The reference takes its time for every pair: keep n^2 d within a second.
            if count * count * dim > 40_000_000 {
                continue;
            }
            let tokens = cloud(1, count, dim, (dim * count) as u64);
            let tokens = Tokens { weights: uneven(tokens.shape, 3), ..tokens };
            let mut problem = problem(tokens, 1.5);
            problem.model.attention.heads = vec![general_head(dim, 17)];
            for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
                problem.model.attention.normalization = normalization;
                assert_parity(kind, &problem, 1.0);
            }
        }
    }
    // Identity matrices take paths of their own; at n = 1000 the widest too.
    for dim in WIDTHS {
        assert_parity(kind, &problem(cloud(1, if dim > 16 { 300 } else { 1000 }, dim, dim as u64), 4.0), 2.0);
    }
}

fn passive_tail(kind: Kind) {
    for (count, passive) in [(2, 1), (65, 64), (70, 5), (257, 1)] {
        for dim in [3, 33] {
            let mut tokens = cloud(2, count, dim, 31);
            tokens.shape.passive = passive;
            let weighted = Tokens { weights: uneven(tokens.shape, 9), ..tokens.clone() };
            assert_parity(kind, &problem(tokens, 2.0), 1.0);
            assert_parity(kind, &problem(weighted, 2.0), 1.0);
        }
    }
}

/// A = -I and all tokens together: every score of a row is the lowest there is, and every weight one of thousands.
fn repelling_cluster(kind: Kind) {
    let mut tokens = cloud(1, 3000, 3, 61);
    for token in tokens.coordinates.chunks_mut(3) {
        token[0] += 60.0;
    }
    clouds::normalize(&mut tokens.coordinates, 3);
    let mut problem = problem(tokens, 31.0);
    problem.model.attention.heads =
        vec![Head { query_key: Matrix::Scale(-1.0), value: Matrix::Identity, ..Head::default() }];
    assert_parity(kind, &problem, if kind == Kind::CpuDouble { 31.0 } else { 8.0 });
}

/// Many small replicas: as many as vectors have lanes, one more, and a remainder; every term that a head can have.
fn ensembles(kind: Kind) {
    for dim in [2, 3, 5, 16] {
        for (replicas, count) in [(64, 1), (65, 2), (81, 9), (70, 32)] {
            let tokens = cloud(replicas, count, dim, (7 * dim + count) as u64);
            assert_parity(kind, &problem(tokens.clone(), 4.0), 2.0);
            let shape = Shape { passive: count / 3, ..tokens.shape };
            let mut symmetric = problem(Tokens { shape, ..tokens.clone() }, 2.0);
            symmetric.model.attention.heads = vec![identity_head(), symmetric_head(dim, 11)];
            assert_parity(kind, &symmetric, 2.0);
            let mut general = problem(Tokens { shape, weights: uneven(shape, 5), ..tokens }, 1.5);
            let diagonal = Matrix::Diagonal((0..dim).map(|k| 0.3 + 0.1 * k as f64 / dim as f64).collect());
            let mixed = Head { query_key: diagonal, value: Matrix::Scale(-0.5), ..Head::default() };
            general.model.attention.heads = vec![general_head(dim, 23), mixed];
            for mask in [Mask::None, Mask::Causal, Mask::StrictlyCausal] {
                general.model.attention.mask = mask;
                for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
                    general.model.attention.normalization = normalization;
                    assert_parity(kind, &general, 2.0);
                }
            }
        }
    }
}

/// A matrix for each of `variety` replicas, of spectral norm near one.
fn of_replicas(variety: usize, dim: usize, seed: u64) -> Matrix {
    let own = |replica: usize| match general_head(dim, seed + replica as u64).query_key {
        Matrix::Dense(rows) => rows,
        matrix => panic!("{matrix:?} is not dense"),
    };
    Matrix::OfReplicas((0..variety).flat_map(own).collect())
}

/// Replicas with matrices of their own, as many as there are or half as many in turn: side by side, in turn and in pieces; beside heads
/// that all have; under every normalization, mask and position.
fn matrices_of_replicas(kind: Kind) {
    for (replicas, count, dim) in
        [(70, 9, 2), (64, 17, 3), (66, 8, 5), (64, 5, 16), (4, 300, 3), (2, 130, 33), (6, 20, 40)]
    {
        let mut tokens = cloud(replicas, count, dim, (3 * dim + count) as u64);
        tokens.shape.passive = count / 4;
        let weights = uneven(tokens.shape, 5);
        let mut problem = problem(Tokens { weights, ..tokens }, 1.5);
        let (own, half) = (of_replicas(replicas, dim, 40), of_replicas(replicas / 2, dim, 90));
        let Head { query_key, value, .. } = general_head(dim, 7);
        let heads = [
            Head { query_key: own.clone(), value: value.clone(), ..Head::default() },
            Head { query_key: query_key.clone(), value: own.clone(), weight: -0.5, ..Head::default() },
            Head { query_key: half.clone(), value: half.clone(), beta: Some(0.7), ..Head::default() },
            Head { query_key: own, value: half, ..Head::default() },
        ];
        for heads in [
            heads[..1].to_vec(),
            heads[1..2].to_vec(),
            heads[2..].to_vec(),
            [general_head(dim, 3), heads[3].clone()].to_vec(),
        ] {
            problem.model.attention.heads = heads;
            for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
                problem.model.attention.normalization = normalization;
                assert_parity(kind, &problem, 2.0);
            }
        }
        let attention = problem.model.attention.clone();
        let decay = Position::Alibi { decay: 0.8 };
        let places = Position::Additive {
            places: general_head(count.max(dim), 8).value.dense(count.max(dim), 0.1)[..count * dim].to_vec(),
            in_values: true,
        };
        let variants = [
            Attention { normalization: Normalization::Hardmax, ..attention.clone() },
            Attention {
                normalization: Normalization::Sinkhorn { iterations: 6, tolerance: 0.0 },
                ..attention.clone()
            },
            Attention {
                normalization: Normalization::Shifted,
                mask: Mask::Causal,
                position: decay,
                ..attention.clone()
            },
            Attention { mask: Mask::StrictlyCausal, window: Some(3), ..attention.clone() },
            Attention {
                position: places,
                beta_factors: (0..replicas).map(|r| 1.0 / (1.0 + r as f64)).collect(),
                ..attention
            },
        ];
        for attention in variants {
            problem.model.attention = attention;
            assert_parity(kind, &problem, 4.0);
        }
    }
}

/// A general value matrix behind an A that is its own transpose.
fn symmetric_head(dim: usize, seed: u64) -> Head {
    let Head { value, .. } = general_head(dim, seed);
    let entries = value.dense(dim, 0.5);
    let entry = |k: usize| entries[k] + entries[k % dim * dim + k / dim];
    Head { query_key: Matrix::Dense((0..dim * dim).map(entry).collect()), value, ..Head::default() }
}

/// beta = 100 and 1000 with general matrices: the row maximum must be found. A rounding of the score, 6e-8 beta, is a
/// relative error of the weights, so single precision is held to ten times that.
fn unknown_maximum(kind: Kind) {
    for beta in [100.0, 1000.0] {
        for dim in [2, 3, 16, 40] {
            let mut problem = problem(cloud(1, 150, dim, 11), beta);
            let tolerance_scale = if kind == Kind::CpuDouble { beta } else { beta / 4.0 };
            assert_parity(kind, &problem, tolerance_scale);
            problem.model.attention.heads = vec![general_head(dim, 5)];
            assert_parity(kind, &problem, tolerance_scale);
            problem.model.attention.heads =
                vec![Head { query_key: Matrix::Scale(-1.0), value: Matrix::Scale(0.5), ..Head::default() }];
            problem.tokens.shape.passive = 20;
            assert_parity(kind, &problem, tolerance_scale);
        }
    }
}

fn several_heads(kind: Kind) {
    for dim in [2, 3, 7, 24] {
        let mut problem = problem(cloud(2, 100, dim, 13), 2.0);
        let diagonal: Vec<f64> = (0..dim).map(|k| 1.0 - 0.3 * k as f64).collect();
        problem.model.attention.heads = vec![
            identity_head(),
            general_head(dim, 23),
            Head { query_key: Matrix::Diagonal(diagonal.clone()), value: Matrix::Scale(-0.4), ..Head::default() },
            Head { query_key: Matrix::Scale(2.0), value: Matrix::Diagonal(diagonal), ..Head::default() },
        ];
        assert_parity(kind, &problem, 2.0);
        problem.model.attention.normalization = Normalization::Unnormalized;
        // The unnormalized field grows like e^{beta |A|}, and its rounding with it.
        assert_parity(kind, &problem, 20.0);
    }
}

/// Weights of exactly zero among the sources, and weights too small for f32.
fn vanishing_weights(kind: Kind) {
    for dim in [3, 33] {
        for beta in [2.0, 500.0] {
            let mut tokens = cloud(1, 80, dim, 19);
            let mut weights = vec![1.0; 80];
            weights[..40].fill(0.0);
            weights[40..50].fill(1e-60);
            let total: f64 = weights.iter().sum();
            tokens.weights = Weights::Each(weights.iter().map(|weight| weight / total).collect());
            assert_parity(kind, &problem(tokens, beta), beta.max(4.0) / 2.0);
        }
    }
}

fn masks(kind: Kind) {
    for mask in [Mask::Causal, Mask::StrictlyCausal] {
        for (count, dim) in [(1, 3), (2, 2), (33, 3), (70, 5), (300, 8), (2100, 2), (17, 40), (600, 20)] {
            let tokens = cloud(1, count, dim, 53);
            let weights = uneven(tokens.shape, 7);
            let mut problem = problem(tokens.clone(), 3.0);
            problem.model.attention.mask = mask;
            assert_parity(kind, &problem, 2.0);
            problem.model.attention.heads = vec![general_head(dim, 47)];
            problem.model.attention.normalization = Normalization::Unnormalized;
            problem.tokens.weights = weights;
            assert_parity(kind, &problem, 4.0);
            problem.model.attention.normalization = Normalization::Softmax;
            problem.tokens.weights = leading_zeros(count);
            assert_parity(kind, &problem, 2.0);
            problem.model.attention.beta = 200.0;
            assert_parity(kind, &problem, 100.0);
            problem.tokens = Tokens { shape: Shape { passive: count / 9, ..tokens.shape }, ..tokens };
            assert_parity(kind, &problem, 100.0);
        }
    }
}

/// The first tokens weigh nothing, the next next to nothing: under a mask some rows see no others.
fn leading_zeros(count: usize) -> Weights {
    let mut weights = vec![1.0; count];
    weights[..count / 4].fill(0.0);
    weights[count / 4..count / 2].fill(1e-60);
    let total: f64 = weights.iter().sum();
    Weights::Each(weights.iter().map(|weight| weight / total).collect())
}

fn schemes(kind: Kind) {
    for scheme in [Scheme::Euler, Scheme::Heun, Scheme::Rk4, Scheme::Layer] {
        for (dim, normalization) in [(3, Normalization::Softmax), (6, Normalization::Unnormalized)] {
            let mut problem = problem(cloud(1, 60, dim, 29), 1.5);
            problem.model.attention.heads = vec![general_head(dim, 3)];
            problem.model.attention.normalization = normalization;
            problem.scheme = scheme;
            problem.schedule = Schedule::even(50, 2.5, 50);
            let what = format!("tokens after {scheme:?}, d = {dim}");
            let tolerance = kind.tolerance(1e-5, 1e-12);
            assert_close(&what, &kind.evolve(&problem).tokens, &reference::evolve(&problem), tolerance);
        }
    }
}

fn observables(kind: Kind) {
    for (count, dim, beta) in [(1, 2, 1.0), (100, 3, 4.0), (65, 5, 0.5), (257, 20, 30.0), (5000, 3, 2.0)] {
        let tokens = cloud(2, count, dim, 37);
        let tokens = Tokens { weights: uneven(tokens.shape, 41), ..tokens };
        let mut problem = problem(tokens, beta);
        // The energy is that of all pairs: a mask and further heads must leave it so.
        if dim == 5 {
            problem.model.attention.mask = Mask::StrictlyCausal;
            problem.model.attention.heads = vec![general_head(dim, 3), identity_head()];
            problem.tokens.shape.passive = 0;
        }
        problem.schedule = Schedule::even(0, 0.0, 1);
        if count > 1000 {
            problem.quantities.retain(|quantity| *quantity != Quantity::Energy);
        }
        let names = columns(&problem.quantities, dim);
        for sample in kind.evolve(&problem).samples {
            let value = |name: &str| sample.values[names.iter().position(|n| n == name).expect("a column")];
            let moments = reference::moments(&problem.tokens, sample.replica);
            let mean = moments.mean;
            let tolerance = kind.tolerance(2e-6, 1e-13);
            let found: Vec<f64> = (0..dim).map(|k| value(&format!("mean_{k}"))).collect();
            assert_close("mean", &found, &mean, tolerance);
            assert_close("mean_norm", &[value("mean_norm")], &[dot(&mean, &mean).sqrt()], tolerance);
            // The traces of the second moment and of its square, sum_ij w_i w_j <x_i, x_j>^2, pin its spectrum.
            let spectrum: Vec<f64> = (0..dim).map(|k| value(&format!("second_moment_eigenvalue_{k}"))).collect();
            assert!(spectrum.is_sorted_by(|a, b| a >= b), "largest first: {spectrum:?}");
            assert_close("trace", &[spectrum.iter().sum()], &[1.0], tolerance);
            if count <= 1000 {
                let squares = spectrum.iter().map(|eigenvalue| eigenvalue * eigenvalue).sum();
                assert_close(
                    "trace of the square",
                    &[squares],
                    &[mean_square_overlap(&problem.tokens, sample.replica)],
                    tolerance,
                );
            }
            let expected = moments.square_distance.sqrt();
            assert_close("w2_dirac", &[value("w2_dirac")], &[expected], kind.tolerance(1e-5, 1e-7));
            assert_close("overlap_min", &[value("overlap_min")], &[moments.overlap_min], tolerance);
            if problem.quantities.contains(&Quantity::Energy) {
                let expected = reference::log_energy(&problem.tokens, &problem.model, sample.replica);
                assert_close("log_energy", &[value("log_energy")], &[expected], kind.tolerance(1e-5, 1e-12));
            }
        }
    }
}

/// sum_ij w_i w_j <x_i, x_j>^2.
fn mean_square_overlap(tokens: &Tokens, replica: usize) -> f64 {
    let sources = tokens.shape.sources();
    let x = |i: usize| &tokens.replica(replica)[i * tokens.shape.dim..][..tokens.shape.dim];
    let pairs = (0..sources).flat_map(|i| (0..sources).map(move |j| (i, j)));
    pairs.map(|(i, j)| tokens.weight(replica, i) * tokens.weight(replica, j) * dot(x(i), x(j)).powi(2)).sum()
}

/// The comparison has teeth: one token moved by ten tolerances is seen, and so is a sign, and so is a field of zero.
fn perturbation(kind: Kind) {
    let problem = problem(cloud(1, 40, 3, 43), 2.0);
    let right = expected(&problem, Field::Tangent);
    let tolerance = kind.tolerance(SINGLE, DOUBLE);
    assert!(distance(&kind.shifted(&problem, Field::Tangent), &right) <= tolerance);
    let mut moved = problem.clone();
    moved.tokens.coordinates[4] += 10.0 * tolerance;
    assert!(distance(&kind.shifted(&moved, Field::Tangent), &right) > tolerance, "a moved token goes unnoticed");
    let mut flipped = problem.clone();
    flipped.model.attention.heads[0].value = Matrix::Scale(-1.0);
    assert!(distance(&kind.shifted(&flipped, Field::Tangent), &right) > 1e-2, "a sign goes unnoticed");
    assert!(distance(&problem.tokens.coordinates, &right) > 1e-2, "a field of zero goes unnoticed");
    let shape = Shape { passive: 1, ..problem.tokens.shape };
    let lighter = Problem { tokens: Tokens { shape, ..problem.tokens.clone() }, ..problem };
    assert!(distance(&kind.shifted(&lighter, Field::Tangent), &right) > tolerance, "a missing source goes unnoticed");
}
