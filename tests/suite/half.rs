//! Half precision, on adapters that have it: against the f64 reference, within what rounding to f16 explains. Elsewhere it is
//! refused, and these tests are shown as ignored, unless `TOKENFIELD_REQUIRE_HALF` asks for it: then they run, and fail.

use libtest_mimic::Trial;
use pollster::block_on;
use tokenfield::{
    backend::{
        Backend, BackendError, Point, Precision,
        gpu::{self, Bounds},
        reference,
    },
    model::{Field, Geometry, Head, Mask, Matrix, Normalization},
    problem::Problem,
    tokens::{Shape, Tokens},
};

use crate::{
    backends::Kind,
    clouds::{Numbers, assert_close, cloud, distance, general_head, identity_head, normalize, problem, uneven},
    graphics::{Mode, in_half},
};

pub fn all() -> Vec<Trial> {
    let opened = block_on(gpu::Device::open(gpu::Choice::Best, Precision::Half));
    let lacks = matches!(opened, Err(BackendError::NoMatrices { .. }));
    let ignores = opened.is_err() && std::env::var_os("TOKENFIELD_REQUIRE_HALF").is_none();
    let needs = |name: &str, test: fn()| {
        let run = move || {
            test();
            Ok(())
        };
        Trial::test(format!("half::{name}"), run).with_ignored_flag(ignores)
    };
    let refused = move || {
        assert!(opened.err().is_some_and(|error| error.to_string().contains("--precision single")));
        Ok(())
    };
    vec![
        needs("field_of_every_width_and_count", every_size),
        needs("field_under_masks", masks),
        needs("field_of_several_heads_and_replicas", several_heads),
        needs("field_of_rising_scores", rising_scores),
        needs("field_of_huge_and_tiny_matrices", scales),
        needs("field_in_pieces", pieces),
        needs("weights_sum_to_one", sum_to_one),
        needs("is_not_single", not_single),
        needs("repeats_bit_for_bit", repeats),
        needs("refuses_what_it_is_not_for", refusals),
        Trial::test("half::is_refused_where_an_adapter_lacks_it", refused).with_ignored_flag(!lacks),
    ]
}

/// Twice what was measured at beta up to 4, most of it the rounding of values of order one by 2^-12.
const HALF: f64 = 2e-4;

#[track_caller]
fn assert_parity(problem: &Problem, tolerance: f64) {
    let (x, dim) = (&problem.tokens.coordinates, problem.tokens.shape.dim);
    for field in [Field::Tangent, Field::Ambient] {
        let mut expected: Vec<f64> =
            x.iter().zip(reference::field(&problem.tokens, &problem.model, field)).map(|(x, f)| x + f).collect();
        normalize(&mut expected, dim);
        let what = format!("{field:?} field, {:?}, beta {}", problem.tokens.shape, problem.model.attention.beta);
        assert_close(&what, &Kind::Gpu(Mode::Half).shifted(problem, field), &expected, tolerance);
    }
}

fn every_size() {
    for dim in [32, 33, 48, 64, 96, 128, 200] {
        for count in [1, 31, 32, 33, 65, 200] {
            let tokens = cloud(1, count, dim, (dim * count) as u64);
            assert_parity(&problem(tokens.clone(), 4.0), HALF);
            let mut general = problem(Tokens { weights: uneven(tokens.shape, 3), ..tokens }, 1.5);
            general.model.attention.heads = vec![general_head(dim, 17)];
            for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
                general.model.attention.normalization = normalization;
                assert_parity(&general, HALF);
            }
        }
    }
}

fn masks() {
    for mask in [Mask::Causal, Mask::StrictlyCausal, Mask::Others] {
        for (count, window) in [(33, None), (150, None), (150, Some(40))] {
            let tokens = cloud(1, count, 32, 53);
            let mut problem = problem(Tokens { weights: uneven(tokens.shape, 7), ..tokens }, 3.0);
            problem.model.attention.mask = mask;
            problem.model.attention.window = window;
            problem.model.attention.heads = vec![general_head(32, 47)];
            assert_parity(&problem, HALF);
        }
    }
}

/// A product of 32 keys and 8 values, a full and a diagonal head; replicas, and a passive tail.
fn several_heads() {
    let dim = 40;
    let mut numbers = Numbers(71);
    let mut product = |rank: usize| {
        let mut side = || numbers.vector(rank * dim).iter().map(|entry| entry / 6.0).collect();
        Matrix::Product { left: side(), right: side() }
    };
    let thin = Head { query_key: product(32), value: product(8), ..Head::default() };
    let diagonal = Matrix::Diagonal((0..dim).map(|k| 1.0 - 0.04 * k as f64).collect());
    let tokens = cloud(3, 70, dim, 13);
    let shape = Shape { passive: 9, ..tokens.shape };
    let mut problem = problem(Tokens { shape, weights: uneven(shape, 9), ..tokens }, 2.0);
    let mixed = Head { query_key: diagonal, value: Matrix::Scale(-0.4), ..Head::default() };
    problem.model.attention.heads = vec![thin, identity_head(), general_head(dim, 23), mixed];
    assert_parity(&problem, 2.0 * HALF);
}

/// Every tile has larger scores than the last by more than f16 can hold, so that all sums start anew each time.
fn rising_scores() {
    let (count, dim) = (200, 32);
    let mut coordinates = vec![0.0; count * dim];
    for (i, token) in coordinates.chunks_mut(dim).enumerate() {
        let angle = 1.4 * (1.0 - i as f64 / count as f64);
        (token[0], token[1 + i % 31]) = (angle.cos(), angle.sin());
    }
    let tokens = Tokens { coordinates, ..cloud(1, count, dim, 1) };
    assert_parity(&problem(tokens, 150.0), 2e-3);
}

fn scales() {
    for scale in [1e6, 1e-7] {
        let mut head = general_head(32, 17);
        for matrix in [&mut head.query_key, &mut head.value] {
            if let Matrix::Dense(entries) = matrix {
                entries.iter_mut().for_each(|entry| *entry *= scale);
            }
        }
        head.weight = 1.0 / scale;
        let mut problem = problem(cloud(1, 70, 32, 5), 1.5 / scale);
        problem.model.attention.heads = vec![head];
        assert_parity(&problem, HALF);
    }
}

fn pieces() {
    let tokens = cloud(2, 1500, 32, 77);
    let problem = problem(Tokens { weights: uneven(tokens.shape, 3), ..tokens }, 4.0);
    let expected = reference::field(&problem.tokens, &problem.model, Field::Tangent);
    let pieces = Bounds { slices: Some(5), dispatch_work: Some(1e6), ..Bounds::default() };
    let segments = Bounds { segment_bytes: Some(100_000), ..Bounds::default() };
    for bounds in [Bounds::default(), pieces, segments] {
        assert_close("velocity", &velocity(&problem, bounds), &expected, HALF);
    }
}

fn velocity(problem: &Problem, bounds: Bounds) -> Vec<f64> {
    field(problem, bounds, Field::Tangent)
}

fn field(problem: &Problem, bounds: Bounds, field: Field) -> Vec<f64> {
    let mut gpu = in_half(problem, bounds).expect("the problem suits half precision");
    gpu.evaluate(Point::State, field, 0).expect("the field is recorded");
    block_on(gpu.velocity(0)).expect("the velocity is read")
}

/// A component that all tokens share, and f16 holds, is its own mean, however weights were rounded.
fn sum_to_one() {
    let dim = 32;
    // So few that roundings that did not cancel would show.
    let mut tokens = cloud(1, 12, dim, 91);
    for token in tokens.coordinates.chunks_mut(dim) {
        token[0] = 0.0;
        normalize(token, dim);
        token.iter_mut().for_each(|component| *component *= 0.75f64.sqrt());
        token[0] = 0.5;
    }
    let mean = field(&problem(tokens, 3.0), Bounds::default(), Field::Ambient);
    let first: Vec<f64> = mean.chunks(dim).map(|mean| mean[0]).collect();
    assert_close("mean", &first, &vec![0.5; first.len()], 1e-6);
}

fn not_single() {
    let problem = problem(cloud(1, 100, 32, 3), 4.0);
    let [half, single] =
        [Kind::Gpu(Mode::Half), Kind::Gpu(Mode::Single)].map(|kind| kind.shifted(&problem, Field::Tangent));
    assert!(distance(&half, &single) > 1e-6, "half precision is not in use");
}

fn repeats() {
    let problem = problem(cloud(2, 333, 48, 21), 4.0);
    assert_eq!(velocity(&problem, Bounds::default()), velocity(&problem, Bounds::default()));
}

fn refusals() {
    let wide = problem(cloud(1, 20, 32, 3), 1.0);
    let with = |change: &dyn Fn(&mut Problem)| {
        let mut problem = wide.clone();
        change(&mut problem);
        problem
    };
    let refused = [
        (problem(cloud(1, 20, 31, 3), 1.0), "32 components"),
        (with(&|p| p.model.attention.normalization = Normalization::Hardmax), "hardmax"),
        (with(&|p| p.model.attention.normalization = Normalization::Relu), "relu"),
        (with(&|p| p.model.attention.normalization = Normalization::Sigmoid), "sigmoid"),
        (
            with(&|p| p.model.attention.normalization = Normalization::Sinkhorn { iterations: 9, tolerance: 1e-3 }),
            "sinkhorn",
        ),
        (with(&|p| p.model.geometry = Geometry::Euclidean), "65504"),
        (with(&|p| p.model.attention.heads.clear()), "without attention"),
    ];
    for (problem, why) in refused {
        let message = in_half(&problem, Bounds::default()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains(why) && message.contains("--precision single"), "{why}: {message:?}");
    }
}
