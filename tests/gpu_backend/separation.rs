//! Distances between replicas that start next to each other, as the device takes them, against loops over its tokens.

use pollster::block_on;
use tokenfield::{
    backend::{
        Backend,
        gpu::{Bounds, Device, Gpu},
    },
    model::Geometry,
    observables::Quantity,
    problem::{Problem, Schedule},
    tokens::{Shape, Weights},
};

use crate::{
    compare::{bounded, device, text},
    problems::{Stream, problem, uneven_weights},
    sealed::agree,
};

/// A difference, its square and its weight in single precision.
const DISTANCE: f64 = 3e-7;

/// Replicas of R^d of which 2k + 1 is 2k with every component moved by at most `reach` of its size.
fn beside(shape: Shape, reach: f64) -> Problem {
    let mut problem = problem(shape, 1.0);
    problem.model.geometry = Geometry::Euclidean;
    let (length, mut stream) = (shape.count * shape.dim, Stream(23));
    for pair in problem.tokens.coordinates.chunks_mut(2 * length) {
        let (first, second) = pair.split_at_mut(length);
        for (y, x) in second.iter_mut().zip(first) {
            *y = *x * (1.0 + reach * stream.number());
        }
    }
    problem
}

pub fn by_width_and_count() -> Result<(), String> {
    for (dim, counts) in [(2, vec![1, 63, 64, 65, 1023, 1024, 1025]), (3, vec![2050]), (8, vec![130]), (48, vec![70])]
    {
        for (count, replicas) in counts.into_iter().zip([2, 4, 5, 1, 3].into_iter().cycle()) {
            for reach in [1.0, 1e-4] {
                let shape = Shape { replicas, count, dim, passive: count / 20 };
                let mut problem = beside(shape, reach);
                check(device()?, &problem)?;
                problem.tokens.weights = uneven_weights(shape);
                check(device()?, &problem)?;
            }
        }
    }
    Ok(())
}

/// A segment of 281 rows holds replicas that are paired with each other if they are an even number, and no piece does.
pub fn of_segments() -> Result<(), String> {
    let bounds = Bounds { segment_bytes: Some(9000), slices: Some(1), grid: Some(3), ..Bounds::default() };
    let device = bounded(bounds)?;
    let shape = |count, replicas| Shape { replicas, count, dim: 3, passive: 3 };
    for (count, replicas) in [(60, 10), (60, 11), (140, 6)] {
        check(&device, &beside(shape(count, replicas), 0.1))?;
    }
    for (count, replicas) in [(40, 10), (300, 2), (281, 2)] {
        let mut gpu = block_on(Gpu::new(&device, &beside(shape(count, replicas), 0.1))).map_err(text)?;
        let statistics = block_on(gpu.observe(&[Quantity::Lyapunov])).map_err(text)?;
        if !Quantity::Lyapunov.is_lacking_in(&statistics[0]) {
            return Err(format!("{replicas} replicas of {count} tokens are not all beside each other"));
        }
    }
    Ok(())
}

/// Squares that vanish and squares that overflow; and a weight that vanishes is left to the host.
pub fn beyond_single_precision() -> Result<(), String> {
    let mut problem = beside(Shape { replicas: 2, count: 90, dim: 3, passive: 0 }, 0.1);
    for scale in [1e-30, 1e30, 1.0] {
        problem.tokens.coordinates.iter_mut().for_each(|component| *component *= scale);
        check(device()?, &problem)?;
        problem.tokens.coordinates.iter_mut().for_each(|component| *component /= scale);
    }
    let mut weights = vec![1.0 / 89.0; 180];
    (weights[3], weights[93]) = (1e-45, 0.0);
    problem.tokens.weights = Weights::Each(weights);
    let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
    let statistics = block_on(gpu.observe(&[Quantity::Lyapunov])).map_err(text)?;
    if Quantity::Lyapunov.is_lacking_in(&statistics[0]) { Ok(()) } else { Err("a weight that is lost".into()) }
}

fn check(device: &Device, problem: &Problem) -> Result<(), String> {
    let Shape { count, dim, replicas, .. } = problem.tokens.shape;
    let mut gpu = block_on(Gpu::new(device, problem)).map_err(text)?;
    let statistics = block_on(gpu.observe(&[Quantity::Lyapunov])).map_err(text)?;
    let tokens = block_on(gpu.tokens()).map_err(text)?;
    for replica in (0..replicas).filter(|replica| replica ^ 1 < replicas) {
        let what = format!("{:?}, replica {replica}", problem.tokens.shape);
        let found =
            statistics[replica].measured(&Quantity::Lyapunov.key()).ok_or_else(|| format!("{what}: not measured"))?;
        let mut square = 0.0;
        for i in 0..count {
            for k in 0..dim {
                let [x, y] = [replica, replica ^ 1].map(|replica| tokens[(replica * count + i) * dim + k]);
                square += problem.tokens.weight(replica, i) * (x - y) * (x - y);
            }
        }
        let expected = square.sqrt();
        let off = (found[0] - expected).abs();
        if found.len() != 1 || off.is_nan() || off > DISTANCE * expected || expected == 0.0 {
            return Err(format!("{what}: {found:?}, expected {expected}, allowed {DISTANCE:e} of it"));
        }
    }
    Ok(())
}

/// The distance at the start is that of the host's tokens; the last of three replicas has none beside it.
pub fn tokens_stay() -> Result<(), String> {
    for replicas in [3, 4] {
        let mut problem = beside(Shape { replicas, count: 70, dim: 3, passive: 5 }, 0.1);
        problem.tokens.weights = uneven_weights(problem.tokens.shape);
        problem.quantities = vec![Quantity::Lyapunov];
        problem.schedule = Schedule::even(4, 0.4, 2);
        agree(device()?, &problem, 2e-5)?;
    }
    Ok(())
}
