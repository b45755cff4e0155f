//! Sums of powers of lengths that the device takes itself, against loops over the tokens that it holds.

use pollster::block_on;
use tokenfield::{
    backend::{
        Backend,
        gpu::{Bounds, Device, Gpu},
    },
    model::Geometry,
    observables::{NormMoments, Quantity},
    problem::{Problem, Schedule},
    tokens::{Shape, Weights},
};

use crate::{
    compare::{bounded, device, dot, text},
    problems::{problem, uneven_weights},
    sealed::agree,
};

const ORDER: usize = 16;
const MOMENTS: Quantity = Quantity::NormMoments(NormMoments { order: ORDER });
/// A length, its weight and their product in single precision, for each power.
const LENGTH: f64 = 3e-7;

/// Tokens of R^d whose lengths are those of `lengths` in turn.
fn with_lengths(shape: Shape, lengths: &[f64]) -> Problem {
    let mut problem = problem(shape, 1.0);
    problem.model.geometry = Geometry::Euclidean;
    for (x, length) in problem.tokens.coordinates.chunks_exact_mut(shape.dim).zip(lengths.iter().cycle()) {
        x.iter_mut().for_each(|component| *component *= length);
    }
    problem
}

pub fn by_width_and_count() -> Result<(), String> {
    for (dim, counts) in [(2, vec![1, 63, 64, 65, 1023, 1024, 1025]), (3, vec![2050]), (8, vec![130]), (48, vec![70])]
    {
        for count in counts {
            let shape = Shape { replicas: 3, count, dim, passive: count / 20 };
            // Alike, and some of them so much longer or shorter that their powers leave single precision.
            for lengths in [vec![1.0, 0.7, 1.9, 2.1], vec![1.0, 1e-3, 40.0, 1e-25], vec![3e17, 1e18, 0.0]] {
                let mut problem = with_lengths(shape, &lengths);
                check(device()?, &problem)?;
                problem.tokens.weights = uneven_weights(shape);
                check(device()?, &problem)?;
            }
        }
    }
    Ok(())
}

pub fn in_many_segments() -> Result<(), String> {
    let device = bounded(Bounds { segment_bytes: Some(9000), grid: Some(3), ..Bounds::default() })?;
    for (dim, count, replicas) in [(3, 700, 2), (3, 40, 9), (48, 150, 2)] {
        let shape = Shape { replicas, count, dim, passive: 3 };
        check(&device, &with_lengths(shape, &[1.0, 0.3, 40.0, 1e9, 1.7]))?;
    }
    Ok(())
}

/// Up to what double precision holds, and beyond: infinite on the host and here.
pub fn beyond_single_precision() -> Result<(), String> {
    let problem = with_lengths(Shape { replicas: 2, count: 90, dim: 3, passive: 0 }, &[1e19, 2e19, 1e18]);
    check(device()?, &problem)?;
    check(device()?, &with_lengths(problem.tokens.shape, &[1e25, 1.0, 1e-30]))?;
    // One whose power alone is too much, and with its weight is not.
    let one = |token: usize| if token == 7 { 2e19 } else { 1.0 };
    check(device()?, &with_lengths(problem.tokens.shape, &(0..90).map(one).collect::<Vec<f64>>()))?;
    check(device()?, &with_lengths(problem.tokens.shape, &[1e-18, 3e-19]))?;
    check(device()?, &with_lengths(problem.tokens.shape, &[0.0]))
}

fn check(device: &Device, problem: &Problem) -> Result<(), String> {
    let Shape { count, dim, replicas, .. } = problem.tokens.shape;
    let mut gpu = block_on(Gpu::new(device, problem)).map_err(text)?;
    // Another order before, whose sums lie elsewhere.
    block_on(gpu.observe(&[Quantity::NormMoments(NormMoments { order: 1 })])).map_err(text)?;
    let statistics = block_on(gpu.observe(&[MOMENTS])).map_err(text)?;
    let tokens = block_on(gpu.tokens()).map_err(text)?;
    for replica in 0..replicas {
        let what = format!("{:?}, replica {replica}", problem.tokens.shape);
        let found = statistics[replica].measured(&MOMENTS.key()).ok_or_else(|| format!("{what}: not measured"))?;
        if found.len() != ORDER {
            return Err(format!("{what}: {} numbers", found.len()));
        }
        for (p, found) in (1..).zip(found) {
            let moment = |i: usize| {
                let x = &tokens[(replica * count + i) * dim..][..dim];
                // A small weight of a power that overflows may not.
                (0..p).fold(problem.tokens.weight(replica, i), |power, _| power * dot(x, x).sqrt())
            };
            let expected: f64 = (0..count).map(moment).sum();
            let allowed = f64::from(p + 1) * LENGTH * expected;
            if *found != expected && ((found - expected).is_nan() || (found - expected).abs() > allowed) {
                return Err(format!("{what}: power {p} is {found}, expected {expected}, allowed {allowed:e}"));
            }
        }
    }
    Ok(())
}

/// High powers, whose rounding grows, and weights that single precision loses.
pub fn left_to_the_host() -> Result<(), String> {
    let mut problem = with_lengths(Shape { replicas: 1, count: 4, dim: 2, passive: 1 }, &[1.0, 2.0]);
    let measures = |problem: &Problem, order| {
        let mut gpu = block_on(Gpu::new(device()?, problem)).map_err(text)?;
        let statistics = block_on(gpu.observe(&[Quantity::NormMoments(NormMoments { order })])).map_err(text)?;
        Ok::<bool, String>(!Quantity::NormMoments(NormMoments { order }).is_lacking_in(&statistics[0]))
    };
    let orders = [measures(&problem, ORDER)?, measures(&problem, ORDER + 1)?];
    problem.tokens.weights = Weights::Each(vec![0.5, 0.5, 0.0, 0.0]);
    let without = measures(&problem, 1)?;
    problem.tokens.weights = Weights::Each(vec![0.5, 0.5, 1e-40, 0.0]);
    match (orders, without, measures(&problem, 1)?) {
        ([true, false], true, false) => Ok(()),
        other => Err(format!("measured here: {other:?}")),
    }
}

pub fn tokens_stay() -> Result<(), String> {
    let mut problem = with_lengths(Shape { replicas: 2, count: 70, dim: 3, passive: 5 }, &[1.0, 2.0]);
    problem.tokens.weights = uneven_weights(problem.tokens.shape);
    problem.quantities = vec![Quantity::NormMoments(NormMoments { order: 3 })];
    problem.schedule = Schedule::even(4, 0.4, 2);
    agree(device()?, &problem, 2e-6)
}
