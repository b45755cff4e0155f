//! The harmonic algorithm on the device against the double loops.

use pollster::block_on;
use tokenfield::{
    backend::{
        Backend, Method,
        gpu::{Bounds, Device, Gpu, Kind},
        reference,
    },
    model::{Field, Head, Matrix, Normalization},
    observables::Quantity,
    problem::{Algorithm, Problem},
    tokens::{Shape, Tokens},
};

use crate::{
    compare::{bounded, compare, compare_within, device, text, velocity},
    problems::{Stream, identity, problem, shape, uneven_weights},
    scheme::heun_step,
};

/// The largest error of a velocity up to beta = 4: rounding relative to e^kappa, of which Z is a tenth or so there.
pub const VELOCITY: f64 = 2e-6;
/// At beta = 64 a token in the crowd finds Z below a thousandth of e^kappa.
const VELOCITY_AT_64: f64 = 1e-3;

pub fn harmonic(shape: Shape, beta: f64) -> Problem {
    Problem { algorithm: Algorithm::Harmonic, ..problem(shape, beta) }
}

fn general(stream: &mut Stream, dim: usize) -> Head {
    Head { query_key: stream.matrix(dim), value: stream.matrix(dim), ..Head::default() }
}

fn check_within(device: &Device, what: &str, problem: &Problem, allowed: f64) -> Result<(), String> {
    for field in [Field::Ambient, Field::Tangent] {
        let found = velocity(device, problem, field)?;
        let beta = problem.model.attention.beta;
        let what = format!("{what}, {:?}, beta = {beta}, {field:?}", problem.tokens.shape);
        compare_within(&what, &found, &reference::field(&problem.tokens, &problem.model, field), allowed)?;
    }
    Ok(())
}

/// Sizes on both sides of a tile of keys (512) and of a block of queries (64 or 256), and every form of the radial part.
pub fn velocity_by_temperature() -> Result<(), String> {
    for dim in [2, 3] {
        let mut stream = Stream(3);
        let query_keys = [
            Matrix::Identity,
            Matrix::Scale(-0.7),
            Matrix::Scale(0.0),
            Matrix::Diagonal((0..dim).map(|k| 1.0 - k as f64 / 2.0).collect()),
            stream.matrix(dim),
            Matrix::Dense(vec![0.0; dim * dim]),
        ];
        for query_key in query_keys {
            for beta in [0.0, 0.5, 4.0] {
                // Few tokens and a matrix that turns them away leave Z far below e^kappa.
                let few = if query_key == Matrix::Identity || beta < 4.0 { &[1, 2][..] } else { &[] };
                for &count in few.iter().chain(&[63, 65, 255, 257, 511, 512, 513, 1030]) {
                    let mut problem = harmonic(shape(count, dim), beta);
                    problem.model.attention.heads[0].query_key = query_key.clone();
                    check_within(device()?, &format!("{query_key:?}"), &problem, VELOCITY)?;
                }
            }
            let mut problem = harmonic(shape(1030, dim), 64.0);
            problem.model.attention.heads[0].query_key = query_key.clone();
            check_within(device()?, &format!("{query_key:?}"), &problem, VELOCITY_AT_64)?;
        }
    }
    Ok(())
}

/// Degrees of a hundred: powers and polynomials of that order, in single precision. Rounding is 2e-6 of e^kappa there (as on
/// the CPU), and Z may be a thousandth of that where tokens are sparse.
pub fn velocity_at_high_degree() -> Result<(), String> {
    for (dim, beta, least, allowed) in [(2, 1000.0, 140, 2e-3), (3, 250.0, 90, 4e-3)] {
        for query_key in [Matrix::Identity, Matrix::Diagonal(vec![1.0; dim])] {
            let mut problem = harmonic(shape(2000, dim), beta);
            problem.model.attention.heads[0].query_key = query_key;
            problem.tolerance = Some(6e-6);
            let gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
            match gpu.method() {
                Method::Harmonic { degree, .. } if degree >= least => {}
                other => return Err(format!("d = {dim}: {other:?}")),
            }
            check_within(device()?, "high degree", &problem, allowed)?;
        }
    }
    Ok(())
}

/// Weights, passive tokens, replicas, several heads, both normalizations.
pub fn varied() -> Vec<Problem> {
    let mut problems = Vec::new();
    for dim in [2, 3] {
        for (replicas, count, passive) in [(1, 700, 0), (3, 530, 20), (9, 40, 4), (2, 600, 400)] {
            let shape = Shape { replicas, count, dim, passive };
            let mut stream = Stream(13);
            let mut problem = harmonic(shape, 2.0);
            problems.push(problem.clone());
            problem.tokens.weights = uneven_weights(shape);
            let scaled = Head { query_key: Matrix::Scale(-0.5), value: Matrix::Scale(0.5), ..Head::default() };
            problem.model.attention.heads = vec![general(&mut stream, dim), identity(), scaled];
            problems.push(problem.clone());
            problem.model.attention.normalization = Normalization::Unnormalized;
            problem.model.attention.heads.push(general(&mut stream, dim));
            problems.push(problem);
        }
    }
    problems
}

/// Three or four heads add up, and the unnormalized field of each is of size e^beta at most.
fn allowed(problem: &Problem) -> f64 {
    match problem.model.attention.normalization {
        Normalization::Softmax => VELOCITY,
        _ => 8.0 * VELOCITY,
    }
}

fn check_varied(bounds: Bounds) -> Result<(), String> {
    let device = bounded(bounds)?;
    for problem in varied() {
        check_within(&device, &format!("{bounds:?}"), &problem, allowed(&problem))?;
    }
    Ok(())
}

pub fn velocity_of_varied_problems() -> Result<(), String> {
    check_varied(Bounds::default())?;
    check_varied(Bounds { shaped_for: Some(Kind::Discrete), ..Bounds::default() })
}

pub fn velocity_in_many_segments() -> Result<(), String> {
    for segment_bytes in [1024, 5000, 20_000] {
        check_varied(Bounds { segment_bytes: Some(segment_bytes), grid: Some(20), ..Bounds::default() })?;
    }
    Ok(())
}

/// Cuts lie between workgroups, and change no bit.
pub fn velocity_in_many_dispatches() -> Result<(), String> {
    for work in [1.0, 1e5] {
        let device = bounded(Bounds { dispatch_work: Some(work), grid: Some(6), ..Bounds::default() })?;
        for problem in varied() {
            let whole = velocity(crate::compare::device()?, &problem, Field::Tangent)?;
            let split = velocity(&device, &problem, Field::Tangent)?;
            compare(&format!("{work}, {:?}", problem.tokens.shape), &split, &whole, 0.0)?;
        }
    }
    Ok(())
}

/// More tiles than busy workgroups, so that a span has several; a sample of queries is compared.
pub fn velocity_of_long_sums() -> Result<(), String> {
    for (count, dim) in [(2_200_000, 2), (1_100_000, 3)] {
        let problem = harmonic(shape(count, dim), 4.0);
        let found = velocity(device()?, &problem, Field::Ambient)?;
        let expected = reference::field_of_rows(&problem.tokens, &problem.model, Field::Ambient, 0, 0..8);
        compare_within(&format!("n = {count}"), &found[..expected.len()], &expected, 1e-6)?;
    }
    Ok(())
}

pub fn repeats() -> Result<(), String> {
    for mut problem in varied() {
        problem.tolerance = Some(1e-4);
        let run = || {
            let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
            for _ in 0..3 {
                heun_step(&mut gpu).map_err(text)?;
            }
            let observed = block_on(gpu.observe(&[Quantity::Energy])).map_err(text)?;
            Ok::<_, String>((block_on(gpu.tokens()).map_err(text)?, observed, gpu.method()))
        };
        if run()? != run()? {
            return Err(format!("{:?}: two runs differ", problem.tokens.shape));
        }
    }
    Ok(())
}

/// Tokens that moved while harmonics served are compared too: a step with them is a step with the reference.
pub fn a_step_follows_the_field() -> Result<(), String> {
    let mut problem = harmonic(shape(600, 3), 4.0);
    let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
    let first = reference::field(&problem.tokens, &problem.model, Field::Tangent);
    heun_step(&mut gpu).map_err(text)?;
    let start = problem.tokens.clone();
    problem.tokens.coordinates = moved(&start, &first, 0.1);
    let second = reference::field(&problem.tokens, &problem.model, Field::Tangent);
    let mean: Vec<f64> = first.iter().zip(&second).map(|(a, b)| 0.5 * (a + b)).collect();
    compare_within("tokens", &block_on(gpu.tokens()).map_err(text)?, &moved(&start, &mean, 0.1), VELOCITY)
}

fn moved(tokens: &Tokens, velocities: &[f64], step: f64) -> Vec<f64> {
    let mut moved: Vec<f64> = tokens.coordinates.iter().zip(velocities).map(|(x, k)| x + step * k).collect();
    for token in moved.chunks_exact_mut(tokens.shape.dim) {
        let norm = token.iter().map(|c| c * c).sum::<f64>().sqrt();
        token.iter_mut().for_each(|c| *c /= norm);
    }
    moved
}
