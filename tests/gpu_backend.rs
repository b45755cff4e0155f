//! The graphics backend on whatever adapter there is, against double loops written out here, along every path that a
//! large problem takes: several segments, several slices, many dispatches, two-dimensional grids.
//!
//! Without an adapter the tests are ignored, and say so; with TOKENFIELD_REQUIRE_GPU=1 they fail instead.

use std::{process::ExitCode, sync::OnceLock, time::Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use pollster::block_on;
use tokenfield::{
    backend::{
        Backend, BackendError, Point,
        gpu::{Bounds, Choice, Device, Gpu, Kind, adapters},
    },
    model::{Attention, Field, Head, Mask, Matrix, Model, Normalization},
    observe::Quantity,
    problem::{Algorithm, Problem, Schedule},
    scheme::Scheme,
    tokens::{Shape, Tokens, Weights},
};

/// Sums of single precision, each of a few hundred terms, and an exponential good to three units: a few times 1e-7.
const VELOCITY: f64 = 3e-6;
/// A score beta <x, y> is rounded to about 1e-7 of beta, and the weight it makes moves by as much relatively.
const VELOCITY_PER_BETA: f64 = 4e-7;
/// The same over a hundred thousand terms, where a plain sum would be off by ten times as much.
const LONG_SUM: f64 = 2e-6;
/// Statistics are sums of at most a thousand terms a chunk, finished in double precision.
const STATISTICS: f64 = 3e-6;
/// One addition, one square root and one division, each of which may be off by two units or so.
const RETRACTION: f64 = 1e-6;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let absent = block_on(adapters()).is_empty();
    let required = std::env::var("TOKENFIELD_REQUIRE_GPU").is_ok_and(|value| value == "1");
    let trials = tests().into_iter().map(|(name, test)| {
        let run = move || test().map_err(Failed::from);
        Trial::test(name, run).with_ignored_flag(absent && !required)
    });
    let mut trials: Vec<Trial> = trials.collect();
    trials.push(Trial::test("throughput", || throughput().map_err(Failed::from)).with_ignored_flag(true));
    libtest_mimic::run(&arguments, trials).exit_code()
}

type Test = Box<dyn FnOnce() -> Result<(), String> + Send>;

fn tests() -> Vec<(String, Test)> {
    let mut tests: Vec<(String, Test)> = Vec::new();
    for dim in [2, 3, 4, 5, 8, 16, 17, 33, 64, 128, 384] {
        tests.push((format!("velocity_at_width_{dim}"), Box::new(move || velocity_at_width(dim))));
    }
    let mut add = |name: &str, test: fn() -> Result<(), String>| tests.push((name.into(), Box::new(test)));
    add("velocity_with_general_matrices", general_matrices);
    add("velocity_of_several_heads", several_heads);
    add("velocity_with_weights", weights);
    add("velocity_with_passive_tokens", passive_tokens);
    add("velocity_of_replicas", replicas);
    add("velocity_at_extreme_beta", extreme_beta);
    add("velocity_of_distant_tokens_at_extreme_beta", distant_tokens);
    add("velocity_of_long_sums", long_sums);
    add("velocity_in_many_segments", many_segments);
    add("velocity_in_many_slices", many_slices);
    add("velocity_as_shaped_for_hardware", shaped_for_hardware);
    add("velocity_in_many_dispatches", many_dispatches);
    add("velocity_on_a_small_grid", small_grid);
    add("velocity_repeats_bit_for_bit", repeats);
    add("velocity_comparison_has_teeth", teeth);
    add("combine_moves_and_retracts", combine);
    add("observe_reduces_the_state", observe);
    add("observe_energy_at_extreme_beta", energy_at_extreme_beta);
    add("observe_in_many_segments", observe_in_many_segments);
    add("tokens_return_as_they_came", tokens_return);
    add("open_refuses_what_does_not_fit", refuses);
    add("a_lost_device_is_told", lost_device);
    tests
}

// --- Problems
// ---------------------------------------------------------------------------------------------------------

/// A repeatable stream of numbers in [-1, 1): the high bits of a linear congruence (Knuth's MMIX constants).
struct Stream(u64);

impl Stream {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    fn matrix(&mut self, dim: usize) -> Matrix {
        let scale = 1.0 / (dim as f64).sqrt();
        Matrix::Dense((0..dim * dim).map(|_| f64::from((scale * self.next()) as f32)).collect())
    }
}

/// Unit tokens whose coordinates single precision holds exactly, so that rounding the input is no error.
fn unit_tokens(shape: Shape, seed: u64) -> Vec<f64> {
    let mut stream = Stream(seed);
    let mut coordinates: Vec<f64> = (0..shape.coordinates()).map(|_| stream.next()).collect();
    for token in coordinates.chunks_exact_mut(shape.dim) {
        let norm = token.iter().map(|c| c * c).sum::<f64>().sqrt();
        token.iter_mut().for_each(|c| *c = f64::from((*c / norm) as f32));
    }
    coordinates
}

fn shape(count: usize, dim: usize) -> Shape {
    Shape { replicas: 1, count, dim, passive: 0 }
}

fn identity() -> Head {
    Head { query_key: Matrix::Identity, value: Matrix::Identity }
}

fn problem(shape: Shape, beta: f64) -> Problem {
    Problem {
        tokens: Tokens { shape, coordinates: unit_tokens(shape, 7), weights: Weights::Equal },
        model: Model {
            attention: Attention {
                beta,
                normalization: Normalization::Softmax,
                mask: Mask::None,
                heads: vec![identity()],
            },
        },
        scheme: Scheme::Heun,
        schedule: Schedule { steps: 1, end: 0.1, observe_every: 1 },
        quantities: vec![],
        algorithm: Algorithm::Direct,
        tolerance: None,
    }
}

/// Weights of very different sizes, one of them zero.
fn uneven_weights(shape: Shape) -> Weights {
    let mut stream = Stream(11);
    let mut weights = vec![0.0; shape.tokens()];
    for replica in weights.chunks_exact_mut(shape.count) {
        let sources = &mut replica[..shape.sources()];
        sources.iter_mut().for_each(|weight| *weight = (3.0 * stream.next()).exp());
        if shape.sources() > 1 {
            sources[shape.sources() / 2] = 0.0;
        }
        let sum: f64 = sources.iter().sum();
        sources.iter_mut().for_each(|weight| *weight /= sum);
    }
    Weights::Each(weights)
}

// --- The reference: the sums of src/model.rs, literally
// ------------------------------------------------------------------

fn times(matrix: &Matrix, vector: &[f64]) -> Vec<f64> {
    let dim = vector.len();
    let rows = matrix.dense(dim, 1.0);
    rows.chunks_exact(dim).map(|row| dot(row, vector)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The field of every token of every replica.
fn reference(problem: &Problem, field: Field) -> Vec<f64> {
    let shape = problem.tokens.shape;
    (0..shape.replicas).flat_map(|replica| reference_replica(problem, field, replica, 0..shape.count)).collect()
}

fn reference_replica(problem: &Problem, field: Field, replica: usize, rows: std::ops::Range<usize>) -> Vec<f64> {
    let Problem { tokens, model: Model { attention }, .. } = problem;
    let dim = tokens.shape.dim;
    let token = |j: usize| &tokens.replica(replica)[j * dim..][..dim];
    let mut result = Vec::new();
    let images: Vec<Vec<Vec<f64>>> = attention
        .heads
        .iter()
        .map(|head| (0..tokens.shape.sources()).map(|j| times(&head.query_key, token(j))).collect())
        .collect();
    for i in rows {
        let x = token(i);
        let mut velocity = vec![0.0; dim];
        for (head, images) in attention.heads.iter().zip(&images) {
            let scores: Vec<f64> = images.iter().map(|image| attention.beta * dot(x, image)).collect();
            let highest = match attention.normalization {
                Normalization::Softmax => scores.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                Normalization::Unnormalized => 0.0,
            };
            let (mut sum, mut mean) = (0.0, vec![0.0; dim]);
            for (j, score) in scores.iter().enumerate() {
                let weight = tokens.weight(replica, j) * (score - highest).exp();
                sum += weight;
                mean.iter_mut().zip(token(j)).for_each(|(m, y)| *m += weight * y);
            }
            if attention.normalization == Normalization::Softmax {
                mean.iter_mut().for_each(|m| *m /= sum);
            }
            velocity.iter_mut().zip(times(&head.value, &mean)).for_each(|(v, o)| *v += o);
        }
        if field == Field::Tangent {
            let radial = dot(x, &velocity);
            velocity.iter_mut().zip(x).for_each(|(v, x)| *v -= radial * x);
        }
        result.extend(velocity);
    }
    result
}

// --- Comparison
// -------------------------------------------------------------------------------------------------------

/// Compares with `tolerance` times the largest expected magnitude.
fn compare(what: &str, found: &[f64], expected: &[f64], tolerance: f64) -> Result<(), String> {
    compare_within(what, found, expected, tolerance * largest(expected))
}

/// Compares entry by entry; the worst is named. NaN is worse than anything.
fn compare_within(what: &str, found: &[f64], expected: &[f64], allowed: f64) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{what}: {} numbers, expected {}", found.len(), expected.len()));
    }
    let errors =
        found.iter().zip(expected).map(|(f, e)| if (f - e).is_nan() { f64::INFINITY } else { (f - e).abs() });
    let worst = errors.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
    match worst {
        Some((index, error)) if error > allowed => Err(format!(
            "{what}: entry {index} is {}, expected {}: off by {error:e}, allowed {allowed:e}",
            found[index], expected[index]
        )),
        _ => Ok(()),
    }
}

/// The largest magnitude.
fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |largest, number| number.abs().max(largest))
}

fn tolerance(problem: &Problem) -> f64 {
    VELOCITY + VELOCITY_PER_BETA * problem.model.attention.beta
}

/// Both fields of `problem` on `device`, against the reference.
fn check_on(device: &Device, what: &str, problem: &Problem) -> Result<(), String> {
    for field in [Field::Ambient, Field::Tangent] {
        let found = velocity(device, problem, field)?;
        // The tangent field may be small against the ambient one, whose rounding it inherits.
        let allowed = tolerance(problem) * largest(&reference(problem, Field::Ambient));
        compare_within(&format!("{what}, {field:?}"), &found, &reference(problem, field), allowed)?;
    }
    Ok(())
}

fn check(what: &str, problem: &Problem) -> Result<(), String> {
    check_on(device()?, what, problem)
}

fn velocity(device: &Device, problem: &Problem, field: Field) -> Result<Vec<f64>, String> {
    let mut gpu = block_on(Gpu::new(device, problem)).map_err(text)?;
    // A stage other than the first, so that its place in the buffer is checked too.
    gpu.evaluate(Point::State, field, 1).map_err(text)?;
    block_on(gpu.velocity(1)).map_err(text)
}

fn text(error: BackendError) -> String {
    error.to_string()
}

/// The best adapter, opened once.
fn device() -> Result<&'static Device, String> {
    static DEVICE: OnceLock<Result<Device, BackendError>> = OnceLock::new();
    DEVICE.get_or_init(|| block_on(Device::open(Choice::Best))).as_ref().map_err(|error| error.to_string())
}

fn bounded(bounds: Bounds) -> Result<Device, String> {
    block_on(Device::open_bounded(Choice::Best, bounds)).map_err(text)
}

// --- Tests
// ------------------------------------------------------------------------------------------------------------

/// Sizes on both sides of a tile and of a block of queries, in the narrow kernel (tiles of 128 or 256) and the wide
/// one (tiles of 32, blocks of 64).
fn velocity_at_width(dim: usize) -> Result<(), String> {
    let sizes: &[usize] = match dim {
        ..=4 => &[1, 2, 3, 255, 256, 257, 300, 520],
        5..=16 => &[1, 2, 127, 128, 129, 300],
        17..=64 => &[1, 2, 31, 32, 33, 63, 65, 300],
        _ => &[1, 33, 100],
    };
    for &count in sizes {
        for beta in [0.0, 1.0, 5.0] {
            let mut problem = problem(shape(count, dim), beta);
            check(&format!("n = {count}, beta = {beta}, softmax"), &problem)?;
            problem.model.attention.normalization = Normalization::Unnormalized;
            check(&format!("n = {count}, beta = {beta}, unnormalized"), &problem)?;
        }
    }
    Ok(())
}

fn general_matrices() -> Result<(), String> {
    for dim in [2, 3, 5, 16, 17, 40] {
        let mut stream = Stream(3);
        let diagonal = Matrix::Diagonal((0..dim).map(|k| 1.0 + k as f64 / 8.0).collect());
        let dense = |stream: &mut Stream| stream.matrix(dim);
        let heads = [
            Head { query_key: dense(&mut stream), value: Matrix::Identity },
            Head { query_key: Matrix::Identity, value: dense(&mut stream) },
            Head { query_key: dense(&mut stream), value: dense(&mut stream) },
            Head { query_key: diagonal.clone(), value: diagonal },
            Head { query_key: Matrix::Scale(-2.0), value: Matrix::Scale(-0.5) },
        ];
        for head in heads {
            let mut problem = problem(shape(150, dim), 3.0);
            let what = format!("d = {dim}, {head:?}");
            problem.model.attention.heads = vec![head];
            check(&what[..what.len().min(60)], &problem)?;
        }
    }
    Ok(())
}

fn several_heads() -> Result<(), String> {
    for dim in [3, 20] {
        let mut stream = Stream(5);
        let (a, v) = (stream.matrix(dim), stream.matrix(dim));
        let general = Head { query_key: a, value: v.clone() };
        let scaled = Head { query_key: Matrix::Scale(2.0), value: Matrix::Scale(0.5) };
        let half = Head { query_key: Matrix::Identity, value: v };
        // Both orders, because the last head projects to the tangent space.
        for heads in [vec![general.clone(), scaled.clone(), half.clone()], vec![half, general, scaled]] {
            for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
                let mut problem = problem(shape(130, dim), 2.0);
                problem.model.attention.heads = heads.clone();
                problem.model.attention.normalization = normalization;
                check(&format!("d = {dim}, {normalization:?}"), &problem)?;
            }
        }
    }
    Ok(())
}

fn weights() -> Result<(), String> {
    for (dim, count) in [(3, 2), (3, 300), (8, 140), (17, 70)] {
        for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
            let mut problem = problem(shape(count, dim), 4.0);
            problem.tokens.weights = uneven_weights(problem.tokens.shape);
            problem.model.attention.normalization = normalization;
            check(&format!("d = {dim}, n = {count}, {normalization:?}"), &problem)?;
        }
    }
    Ok(())
}

fn passive_tokens() -> Result<(), String> {
    for (dim, count, passive) in [(3, 300, 40), (3, 257, 256), (4, 10, 3), (17, 70, 33)] {
        for beta in [2.0, 1000.0] {
            let shape = Shape { replicas: 2, count, dim, passive };
            let mut problem = problem(shape, beta);
            check(&format!("d = {dim}, {passive} of {count}, beta = {beta}, equal weights"), &problem)?;
            problem.tokens.weights = uneven_weights(shape);
            check(&format!("d = {dim}, {passive} of {count}, beta = {beta}, uneven weights"), &problem)?;
        }
    }
    Ok(())
}

fn replicas() -> Result<(), String> {
    for (dim, count, replicas) in [(3, 32, 50), (3, 300, 3), (2, 1, 9), (17, 20, 7)] {
        let shape = Shape { replicas, count, dim, passive: 0 };
        let mut problem = problem(shape, 3.0);
        check(&format!("d = {dim}, {replicas} of {count}"), &problem)?;
        problem.tokens.weights = uneven_weights(shape);
        check(&format!("d = {dim}, {replicas} of {count}, uneven weights"), &problem)?;
    }
    Ok(())
}

fn extreme_beta() -> Result<(), String> {
    for dim in [2, 3, 16, 17] {
        for query_key in [Matrix::Identity, Matrix::Scale(-1.0), Stream(9).matrix(dim)] {
            let mut problem = problem(shape(300, dim), 1000.0);
            problem.model.attention.heads[0].query_key = query_key;
            check(&format!("d = {dim}"), &problem)?;
        }
    }
    Ok(())
}

/// With A = -I and tokens close together every score is near -beta, where a shift by the largest possible score would
/// leave nothing of the softmax.
fn distant_tokens() -> Result<(), String> {
    for dim in [3, 17] {
        let mut problem = problem(shape(300, dim), 1000.0);
        problem.model.attention.heads[0].query_key = Matrix::Scale(-1.0);
        for token in problem.tokens.coordinates.chunks_exact_mut(dim) {
            token.iter_mut().for_each(|c| *c *= 0.1);
            token[0] = 1.0;
            let norm = dot(token, token).sqrt();
            token.iter_mut().for_each(|c| *c = f64::from((*c / norm) as f32));
        }
        check(&format!("d = {dim}"), &problem)?;
    }
    Ok(())
}

/// A hundred thousand terms in every sum under a fixed shift, fewer under a running one, which takes longer; a sample
/// of queries is compared.
fn long_sums() -> Result<(), String> {
    for (count, query_key) in [(100_000, Matrix::Identity), (40_000, Matrix::Diagonal(vec![1.0; 3]))] {
        let mut problem = problem(shape(count, 3), 4.0);
        problem.model.attention.heads[0].query_key = query_key;
        let found = velocity(device()?, &problem, Field::Ambient)?;
        let expected = reference_replica(&problem, Field::Ambient, 0, 0..64);
        compare(&format!("n = {count}"), &found[..expected.len()], &expected, LONG_SUM)?;
    }
    Ok(())
}

/// Problems that take every path of the layout: narrow and wide, fixed and running shifts, general matrices.
fn varied_problems() -> Vec<Problem> {
    let mut problems = Vec::new();
    for (dim, count, replicas, passive) in [(3, 700, 1, 0), (3, 700, 2, 50), (3, 40, 9, 4), (18, 150, 2, 70)] {
        let mut problem = problem(Shape { replicas, count, dim, passive }, 3.0);
        problems.push(problem.clone());
        problem.tokens.weights = uneven_weights(problem.tokens.shape);
        let mut stream = Stream(13);
        problem.model.attention.heads.push(Head { query_key: stream.matrix(dim), value: stream.matrix(dim) });
        problems.push(problem);
    }
    problems
}

fn many_segments() -> Result<(), String> {
    // The widest row of these problems takes some 400 bytes, so segments hold from ten rows to a hundred.
    for segment_bytes in [4096, 5000, 9000] {
        let device = bounded(Bounds { segment_bytes: Some(segment_bytes), ..Bounds::default() })?;
        for problem in varied_problems() {
            check_on(&device, &format!("{segment_bytes} bytes, {:?}", problem.tokens.shape), &problem)?;
        }
    }
    Ok(())
}

fn many_slices() -> Result<(), String> {
    for slices in [2, 3, 7] {
        let device = bounded(Bounds { slices: Some(slices), ..Bounds::default() })?;
        for problem in varied_problems() {
            check_on(&device, &format!("{slices} slices, {:?}", problem.tokens.shape), &problem)?;
        }
    }
    Ok(())
}

/// The workgroups, queries and slices that a large adapter gets, whatever this one is.
fn shaped_for_hardware() -> Result<(), String> {
    let device = bounded(Bounds { shaped_for: Some(Kind::Discrete), ..Bounds::default() })?;
    let mut problems = varied_problems();
    // Four queries a thread and many slices; the widest tokens of the narrow kernel; one query a thread.
    problems.push(problem(shape(4000, 3), 3.0));
    problems.push(problem(shape(1500, 16), 3.0));
    problems.push(problem(Shape { replicas: 40, count: 33, dim: 2, passive: 3 }, 3.0));
    for problem in problems {
        check_on(&device, &format!("{:?}", problem.tokens.shape), &problem)?;
    }
    Ok(())
}

/// Cuts between dispatches lie between chunks, so they change no bit. On a grid of 5 x 5 the smallest work makes every
/// workgroup a dispatch, and the others leave parts that do not fill their rectangle of the grid.
fn many_dispatches() -> Result<(), String> {
    let check = |bounds, problems: &[Problem]| {
        let device = bounded(bounds)?;
        for problem in problems {
            let whole = velocity(self::device()?, problem, Field::Tangent)?;
            let split = velocity(&device, problem, Field::Tangent)?;
            compare(&format!("{bounds:?}, {:?}", problem.tokens.shape), &split, &whole, 0.0)?;
        }
        Ok::<(), String>(())
    };
    for work in [1.0, 4.5e3, 3e4] {
        check(Bounds { dispatch_work: Some(work), grid: Some(5), ..Bounds::default() }, &varied_problems())?;
    }
    // Several chunks of keys, narrow and wide.
    let long = [problem(shape(9000, 3), 3.0), problem(shape(2500, 17), 3.0)];
    check(Bounds { dispatch_work: Some(1.0), ..Bounds::default() }, &long)
}

/// Grids of at most 10 x 10 workgroups, so that both dimensions are needed.
fn small_grid() -> Result<(), String> {
    let device = bounded(Bounds { grid: Some(10), ..Bounds::default() })?;
    for problem in varied_problems() {
        check_on(&device, &format!("{:?}", problem.tokens.shape), &problem)?;
    }
    // 150 workgroups of the reduction exceed the grid, and are cut.
    let shape = Shape { replicas: 150, count: 20, dim: 3, passive: 0 };
    check_on(&device, "150 replicas", &problem(shape, 3.0))
}

fn repeats() -> Result<(), String> {
    for problem in varied_problems() {
        let runs: Vec<_> = (0..2)
            .map(|_| {
                let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
                for _ in 0..3 {
                    heun_step(&mut gpu).map_err(text)?;
                }
                let tokens = block_on(gpu.tokens()).map_err(text)?;
                let quantities = [Quantity::Moments, Quantity::Energy, Quantity::Overlap];
                Ok((tokens, block_on(gpu.observe(&quantities)).map_err(text)?))
            })
            .collect::<Result<_, String>>()?;
        if runs[0] != runs[1] {
            return Err(format!("{:?}: two runs differ", problem.tokens.shape));
        }
    }
    Ok(())
}

fn heun_step(gpu: &mut Gpu) -> Result<(), BackendError> {
    gpu.evaluate(Point::State, Field::Tangent, 0)?;
    gpu.combine(&[0.1], Point::Stage)?;
    gpu.evaluate(Point::Stage, Field::Tangent, 1)?;
    gpu.combine(&[0.05, 0.05], Point::State)
}

/// Moves one coordinate of one token by ten tolerances: the comparison must see it.
fn teeth() -> Result<(), String> {
    for dim in [3, 17] {
        let problem = problem(shape(300, dim), 1.0);
        let expected = reference(&problem, Field::Ambient);
        let mut found = velocity(device()?, &problem, Field::Ambient)?;
        compare("unperturbed", &found, &expected, tolerance(&problem))?;
        found[5 * dim + 1] += 10.0 * tolerance(&problem) * largest(&expected);
        if compare("perturbed", &found, &expected, tolerance(&problem)).is_ok() {
            return Err("a velocity off by ten tolerances passed".into());
        }
        // And a token that is elsewhere changes the velocity of the others beyond tolerance.
        let mut moved = problem.clone();
        moved.tokens.coordinates[..dim].iter_mut().for_each(|c| *c = -*c);
        let others = &velocity(device()?, &moved, Field::Ambient)?[dim..];
        if compare("moved", others, &expected[dim..], tolerance(&problem)).is_ok() {
            return Err("a token on the other side went unnoticed".into());
        }
    }
    Ok(())
}

fn combine() -> Result<(), String> {
    for dim in [2, 3, 17] {
        let mut problem = problem(Shape { replicas: 2, count: 70, dim, passive: 5 }, 2.0);
        problem.scheme = Scheme::Rk4;
        let retracted = |coefficients: &[f64], slopes: &[Vec<f64>]| -> Vec<f64> {
            let mut tokens = problem.tokens.coordinates.clone();
            for (coefficient, slope) in coefficients.iter().zip(slopes) {
                tokens.iter_mut().zip(slope).for_each(|(x, k)| *x += coefficient * k);
            }
            for token in tokens.chunks_exact_mut(dim) {
                let norm = dot(token, token).sqrt();
                token.iter_mut().for_each(|c| *c /= norm);
            }
            tokens
        };
        let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
        let first = reference(&problem, Field::Tangent);
        gpu.evaluate(Point::State, Field::Tangent, 0).map_err(text)?;
        gpu.combine(&[0.3], Point::Stage).map_err(text)?;
        // The stage is seen through the velocity there.
        let mut there = problem.clone();
        there.tokens.coordinates = retracted(&[0.3], std::slice::from_ref(&first));
        let mut slopes = vec![first];
        for stage in 1..4 {
            gpu.evaluate(Point::Stage, Field::Tangent, stage).map_err(text)?;
            slopes.push(reference(&there, Field::Tangent));
            let found = block_on(gpu.velocity(stage)).map_err(text)?;
            compare(&format!("d = {dim}, stage {stage}"), &found, &slopes[stage], 2.0 * tolerance(&problem))?;
        }
        let coefficients = [0.1, -0.2, 0.3, 0.4];
        gpu.combine(&coefficients, Point::State).map_err(text)?;
        let found = block_on(gpu.tokens()).map_err(text)?;
        compare(&format!("d = {dim}"), &found, &retracted(&coefficients, &slopes), RETRACTION + tolerance(&problem))?;
    }
    Ok(())
}

fn observe() -> Result<(), String> {
    check_observations(device()?)
}

fn observe_in_many_segments() -> Result<(), String> {
    check_observations(&bounded(Bounds { segment_bytes: Some(9000), slices: Some(2), ..Bounds::default() })?)
}

fn check_observations(device: &Device) -> Result<(), String> {
    let mut problems = varied_problems();
    problems.push(problem(shape(3000, 3), 2.0));
    for problem in problems {
        let what = format!("{:?}", problem.tokens.shape);
        let mut gpu = block_on(Gpu::new(device, &problem)).map_err(text)?;
        let quantities = [Quantity::Moments, Quantity::Energy, Quantity::W2Dirac, Quantity::Overlap];
        let found = block_on(gpu.observe(&quantities)).map_err(text)?;
        if found.len() != problem.tokens.shape.replicas {
            return Err(format!("{what}: {} replicas", found.len()));
        }
        for (replica, found) in found.iter().enumerate() {
            let expected = reference_statistics(&problem, replica);
            let second = |s: &tokenfield::observe::Statistics| s.second_moment.clone();
            compare(&format!("{what}, mean"), &found.mean, &expected.mean, 10.0 * STATISTICS)?;
            compare(&format!("{what}, second moment"), &second(found), &second(&expected), STATISTICS)?;
            compare(&format!("{what}, energy"), &[found.log_energy], &[expected.log_energy], STATISTICS)?;
            compare(&format!("{what}, distance"), &[found.square_distance], &[expected.square_distance], STATISTICS)?;
            // The direction is the mean over its length, and inherits its rounding enlarged by that.
            let enlarged = STATISTICS / dot(&expected.mean, &expected.mean).sqrt();
            compare(&format!("{what}, overlap"), &[found.overlap_min], &[expected.overlap_min], enlarged)?;
        }
        let plain = block_on(gpu.observe(&[])).map_err(text)?;
        if plain[0].mean != found[0].mean || !plain[0].second_moment.is_empty() || plain[0].log_energy != 0.0 {
            return Err(format!("{what}: what was not asked for was measured, or the mean depends on it"));
        }
    }
    Ok(())
}

fn reference_statistics(problem: &Problem, replica: usize) -> tokenfield::observe::Statistics {
    let Problem { tokens, model: Model { attention }, .. } = problem;
    let dim = tokens.shape.dim;
    let all: Vec<(f64, &[f64])> = (0..tokens.shape.sources())
        .map(|j| (tokens.weight(replica, j), &tokens.replica(replica)[j * dim..][..dim]))
        .collect();
    let mean: Vec<f64> = (0..dim).map(|k| all.iter().map(|(w, x)| w * x[k]).sum()).collect();
    let second = |entry: usize| all.iter().map(|(w, x)| w * x[entry / dim] * x[entry % dim]).sum();
    let length = dot(&mean, &mean).sqrt();
    let direction: Vec<f64> = mean.iter().map(|c| c / length).collect();
    let distance = |x: &[f64]| x.iter().zip(&direction).map(|(x, e)| (x - e) * (x - e)).sum::<f64>();
    let mut terms = Vec::new();
    for head in &attention.heads {
        for (w, y) in all.iter().filter(|(w, _)| *w > 0.0) {
            let image = times(&head.query_key, y);
            terms.extend(
                all.iter().filter(|(v, _)| *v > 0.0).map(|(v, x)| (w * v).ln() + attention.beta * dot(x, &image)),
            );
        }
    }
    let highest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = terms.iter().map(|term| (term - highest).exp()).sum();
    tokenfield::observe::Statistics {
        second_moment: (0..dim * dim).map(second).collect(),
        log_energy: highest + sum.ln() - (2.0 * attention.beta).ln(),
        square_distance: all.iter().map(|(w, x)| w * distance(x)).sum(),
        overlap_min: all
            .iter()
            .filter(|(w, _)| *w > 0.0)
            .map(|(_, x)| dot(x, &direction))
            .fold(f64::INFINITY, f64::min),
        mean,
    }
}

fn energy_at_extreme_beta() -> Result<(), String> {
    for dim in [3, 17] {
        for query_key in [Matrix::Identity, Matrix::Scale(-1.0)] {
            let mut problem = problem(shape(300, dim), 1000.0);
            problem.model.attention.heads[0].query_key = query_key;
            let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
            let found = block_on(gpu.observe(&[Quantity::Energy])).map_err(text)?[0].log_energy;
            let expected = reference_statistics(&problem, 0).log_energy;
            compare(&format!("d = {dim}"), &[found], &[expected], STATISTICS)?;
        }
    }
    Ok(())
}

fn tokens_return() -> Result<(), String> {
    let device = bounded(Bounds { segment_bytes: Some(5000), ..Bounds::default() })?;
    for problem in varied_problems() {
        for device in [self::device()?, &device] {
            let mut gpu = block_on(Gpu::new(device, &problem)).map_err(text)?;
            let found = block_on(gpu.tokens()).map_err(text)?;
            compare("tokens", &found, &problem.tokens.coordinates, 0.0)?;
        }
    }
    Ok(())
}

fn refuses() -> Result<(), String> {
    let device = bounded(Bounds { segment_bytes: Some(100), ..Bounds::default() })?;
    match block_on(Gpu::new(&device, &problem(shape(10, 100), 1.0))) {
        Err(BackendError::BelowLimit { limit, needed, available, .. }) => {
            if (limit, available) != ("max_storage_buffer_binding_size", 100) || needed <= available {
                return Err(format!("{limit}: needed {needed}, available {available}"));
            }
            Ok(())
        }
        Err(error) => Err(format!("another error: {error}")),
        Ok(_) => Err("a token larger than a buffer was taken".into()),
    }
}

fn lost_device() -> Result<(), String> {
    let device = bounded(Bounds::default())?;
    let mut gpu = block_on(Gpu::new(&device, &problem(shape(100, 3), 1.0))).map_err(text)?;
    gpu.evaluate(Point::State, Field::Tangent, 0).map_err(text)?;
    device.destroy();
    match block_on(gpu.tokens()) {
        Err(BackendError::DeviceLost { .. }) => Ok(()),
        Err(error) => Err(format!("another error: {error}")),
        Ok(_) => Err("a lost device returned tokens".into()),
    }
}

/// Pairs and steps per second, to be read: `cargo test --test gpu_backend -- --ignored --nocapture throughput`.
fn throughput() -> Result<(), String> {
    let device = device()?;
    println!("{}", device.summary().name);
    let shapes =
        [(16384, 3, 1), (16384, 2, 1), (8192, 8, 1), (8192, 16, 1), (4096, 64, 1), (2048, 384, 1), (32, 3, 2048)];
    for (count, dim, replicas) in shapes {
        for (shift, query_key) in [("fixed", Matrix::Identity), ("running", Matrix::Diagonal(vec![1.0; dim]))] {
            let mut problem = problem(Shape { replicas, count, dim, passive: 0 }, 4.0);
            problem.model.attention.heads[0].query_key = query_key;
            let mut gpu = block_on(Gpu::new(device, &problem)).map_err(text)?;
            let evaluations = if replicas > 1 { 20 } else { 1 };
            let seconds = shortest(&mut gpu, |gpu| {
                (0..evaluations).try_for_each(|_| gpu.evaluate(Point::State, Field::Tangent, 0))
            })?;
            let rate = (evaluations * replicas * count * count) as f64 / seconds;
            println!("n = {count}, d = {dim}, replicas = {replicas}, {shift} shift: {rate:.3e} pairs/s");
        }
    }
    let mut gpu = block_on(Gpu::new(device, &problem(shape(64, 3), 4.0))).map_err(text)?;
    let seconds = shortest(&mut gpu, |gpu| (0..1000).try_for_each(|_| heun_step(gpu)))?;
    println!("n = 64, d = 3: {:.3e} steps of Heun/s", 1000.0 / seconds);
    Ok(())
}

/// The shortest of four rounds, each until the device is done; the first compiles and learns the pace.
fn shortest(gpu: &mut Gpu, round: impl Fn(&mut Gpu) -> Result<(), BackendError>) -> Result<f64, String> {
    let mut shortest = f64::INFINITY;
    for _ in 0..4 {
        let start = Instant::now();
        round(gpu).map_err(text)?;
        gpu.wait().map_err(text)?;
        shortest = shortest.min(start.elapsed().as_secs_f64());
    }
    Ok(shortest)
}
