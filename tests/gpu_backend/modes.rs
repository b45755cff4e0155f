//! Modes that the device sums itself, against sums over all pairs of the tokens that it holds.

use pollster::block_on;
use tokenfield::{
    backend::{
        Backend,
        gpu::{Bounds, Device, Gpu},
    },
    model::Geometry,
    observables::{Modes, Quantity},
    problem::{Problem, Schedule},
    tokens::{Shape, Weights},
};

use crate::{
    compare::{bounded, compare_within, device, dot, text},
    problems::{Stream, problem, uneven_weights},
    sealed::agree,
};

const DEGREE: usize = 16;
const MODES: Quantity = Quantity::Modes(Modes { degree: DEGREE });
/// An amplitude, of whatever measure.
const AMPLITUDE: f64 = 1e-6;

/// Tokens of very different lengths.
fn long_and_short(shape: Shape) -> Problem {
    let mut problem = problem(shape, 1.0);
    problem.model.geometry = Geometry::PreNorm;
    for (token, x) in problem.tokens.coordinates.chunks_exact_mut(shape.dim).enumerate() {
        let length = [1.0, 1e-3, 40.0, 1e25, 1e-25][token % 5];
        x.iter_mut().for_each(|component| *component *= length);
    }
    problem
}

pub fn by_count() -> Result<(), String> {
    for dim in [2, 3] {
        for (count, replicas) in [(1, 2), (63, 3), (65, 1), (511, 1), (512, 2), (513, 1), (1300, 1)] {
            let mut problem = long_and_short(Shape { replicas, count, dim, passive: count / 20 });
            check(device()?, &problem)?;
            problem.tokens.weights = uneven_weights(problem.tokens.shape);
            check(device()?, &problem)?;
        }
    }
    Ok(())
}

/// One direction or two, where rounding is the same for all tokens: anywhere, near an axis, and very near one.
pub fn of_few_directions() -> Result<(), String> {
    let mut stream = Stream(29);
    for (dim, directions) in [(2, 1), (2, 2), (3, 1), (3, 2)] {
        let mut problem = problem(Shape { replicas: 400, count: 2, dim, passive: 0 }, 1.0);
        problem.model.geometry = Geometry::PreNorm;
        for (replica, tokens) in problem.tokens.coordinates.chunks_exact_mut(2 * dim).enumerate() {
            let axis = replica % dim;
            for x in tokens.chunks_exact_mut(dim) {
                x.iter_mut().for_each(|component| *component = stream.number());
                let near = [1.0, 0.03, 1e-4, 1e-9][replica / dim % 4];
                (0..dim).filter(|k| *k != axis).for_each(|k| x[k] *= near);
            }
            if directions == 1 {
                tokens.copy_within(..dim, dim);
            }
        }
        check(device()?, &problem)?;
    }
    Ok(())
}

pub fn in_many_segments() -> Result<(), String> {
    let few = Bounds { segment_bytes: Some(9000), ..Bounds::default() };
    let work = Bounds { dispatch_work: Some(2e5), grid: Some(3), ..few };
    for bounds in [few, work] {
        let device = bounded(bounds)?;
        for (dim, count, replicas) in [(3, 700, 2), (2, 700, 2), (3, 40, 9)] {
            check(&device, &long_and_short(Shape { replicas, count, dim, passive: 3 }))?;
        }
    }
    Ok(())
}

fn check(device: &Device, problem: &Problem) -> Result<(), String> {
    let Shape { count, dim, replicas, .. } = problem.tokens.shape;
    let mut gpu = block_on(Gpu::new(device, problem)).map_err(text)?;
    // Another degree before, whose sums lie elsewhere.
    block_on(gpu.observe(&[Quantity::Modes(Modes { degree: 3 })])).map_err(text)?;
    let statistics = block_on(gpu.observe(&[MODES])).map_err(text)?;
    let tokens = block_on(gpu.tokens()).map_err(text)?;
    for replica in 0..replicas {
        let what = format!("{:?}, replica {replica}", problem.tokens.shape);
        let found = statistics[replica].measured(&MODES.key()).ok_or_else(|| format!("{what}: not measured"))?;
        let unit = |i: usize| {
            let x = &tokens[(replica * count + i) * dim..][..dim];
            x.iter().map(|component| component / dot(x, x).sqrt()).collect::<Vec<f64>>()
        };
        let weighted: Vec<(f64, Vec<f64>)> = (0..count)
            .map(|i| (problem.tokens.weight(replica, i), unit(i)))
            .filter(|(weight, _)| *weight > 0.0)
            .collect();
        let mut squares = [0.0; DEGREE];
        for (i, (weight, x)) in weighted.iter().enumerate() {
            for (j, (other, y)) in weighted[..=i].iter().enumerate() {
                let factor = if i == j { 1.0 } else { 2.0 } * weight * other;
                squares.iter_mut().zip(polynomials(dim, dot(x, y))).for_each(|(sum, p)| *sum += factor * p);
            }
        }
        let expected = squares.map(|square| square.max(0.0).sqrt());
        compare_within(&what, found, &expected, AMPLITUDE)?;
    }
    Ok(())
}

/// The polynomials of Chebyshev or Legendre of degrees 1 to 16.
fn polynomials(dim: usize, u: f64) -> [f64; DEGREE] {
    let (mut before, mut current) = (1.0, u);
    std::array::from_fn(|k| {
        let l = (k + 1) as f64;
        let next = match dim {
            2 => 2.0 * u * current - before,
            _ => ((2.0 * l + 1.0) * u * current - l * before) / (l + 1.0),
        };
        let value = current;
        (before, current) = (current, next);
        value
    })
}

/// A token in the origin has no direction, and takes its replica with it if it has weight.
pub fn that_are_none() -> Result<(), String> {
    for dim in [2, 3] {
        let mut problem = problem(Shape { replicas: 3, count: 40, dim, passive: 1 }, 1.0);
        problem.model.geometry = Geometry::Euclidean;
        // A source of the second replica, and in the third one without weight and a passive one.
        for token in [57, 80, 119] {
            problem.tokens.coordinates[dim * token..][..dim].fill(0.0);
        }
        let weight = |token: usize| if token == 80 || token % 40 == 39 { 0.0 } else { 1.0 };
        let of_replica = |token: usize| if token / 40 == 2 { 38.0 } else { 39.0 };
        problem.tokens.weights = Weights::Each((0..120).map(|token| weight(token) / of_replica(token)).collect());
        let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
        let statistics = block_on(gpu.observe(&[MODES])).map_err(text)?;
        for (replica, statistics) in statistics.iter().enumerate() {
            let amplitudes = statistics.measured(&MODES.key()).ok_or("not measured")?;
            if amplitudes.len() != DEGREE || amplitudes.iter().any(|amplitude| amplitude.is_nan() != (replica == 1)) {
                return Err(format!("d = {dim}, replica {replica}: {amplitudes:?}"));
            }
        }
    }
    Ok(())
}

/// High degrees, whose rounding grows.
pub fn left_to_the_host() -> Result<(), String> {
    for dim in [2, 3] {
        let mut gpu = block_on(Gpu::new(device()?, &problem(Shape { replicas: 1, count: 9, dim, passive: 0 }, 1.0)))
            .map_err(text)?;
        let above = Quantity::Modes(Modes { degree: DEGREE + 1 });
        let statistics = block_on(gpu.observe(&[MODES, above])).map_err(text)?;
        if MODES.is_lacking_in(&statistics[0]) || !above.is_lacking_in(&statistics[0]) {
            return Err(format!("d = {dim}: {:?}", statistics[0].measured));
        }
    }
    Ok(())
}

pub fn tokens_stay() -> Result<(), String> {
    for dim in [2, 3] {
        let mut problem = problem(Shape { replicas: 2, count: 70, dim, passive: 5 }, 1.0);
        problem.tokens.weights = uneven_weights(problem.tokens.shape);
        problem.quantities = vec![MODES];
        problem.schedule = Schedule::even(4, 0.4, 2);
        agree(device()?, &problem, 4e-6)?;
    }
    Ok(())
}
