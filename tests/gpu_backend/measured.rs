//! Histograms of overlaps that the device counts itself, against double loops over the tokens that it holds.

use pollster::block_on;
use tokenfield::{
    backend::{
        Backend,
        gpu::{Bounds, Device, Gpu},
    },
    model::Geometry,
    observables::{Clusters, OverlapHistogram, Quantity},
    problem::Problem,
    simulate::simulate,
    tokens::{Shape, Weights},
};

use crate::{
    compare::{bounded, device, dot, text},
    problems::{problem, shape, uneven_weights},
    sealed::{SEAL, Sealed},
};

/// How near an edge of a bin a pair may be to be counted on its other side: some roundings of single precision.
const EDGE: f64 = 1e-6;
const BINS: usize = 7;
const HISTOGRAM: Quantity = Quantity::OverlapHistogram(OverlapHistogram { bins: BINS, pairs: usize::MAX, seed: 0 });

/// Tokens of very different lengths.
fn long_and_short(shape: Shape) -> Problem {
    let mut problem = problem(shape, 1.0);
    problem.model.geometry = Geometry::Euclidean;
    for (token, x) in problem.tokens.coordinates.chunks_exact_mut(shape.dim).enumerate() {
        let length = [1.0, 1e-3, 40.0, 1e25, 1e-25][token % 5];
        x.iter_mut().for_each(|component| *component *= length);
    }
    problem
}

pub fn overlaps_by_width_and_count() -> Result<(), String> {
    let device = device()?;
    for dim in [2, 3, 8, 48] {
        for count in [2, 63, 64, 65, 130] {
            check_overlaps(device, &long_and_short(Shape { replicas: 3, count, dim, passive: count / 20 }))?;
        }
    }
    [1023, 1024, 1025].into_iter().try_for_each(|count| check_overlaps(device, &long_and_short(shape(count, 3))))
}

pub fn overlaps_in_many_segments() -> Result<(), String> {
    let few = Bounds { segment_bytes: Some(9000), ..Bounds::default() };
    let work = Bounds { dispatch_work: Some(2e5), grid: Some(3), ..few };
    for bounds in [few, work] {
        let device = bounded(bounds)?;
        for (dim, count, replicas) in [(3, 700, 2), (3, 40, 9), (48, 150, 2)] {
            check_overlaps(&device, &long_and_short(Shape { replicas, count, dim, passive: 3 }))?;
        }
    }
    Ok(())
}

/// Some tokens have no weight, all others the same.
pub fn overlaps_of_tokens_with_weight() -> Result<(), String> {
    let mut problem = long_and_short(shape(150, 3));
    problem.tokens.weights = Weights::Each((0..150).map(|token| if token % 3 == 0 { 0.0 } else { 0.01 }).collect());
    problem.tokens.coordinates[..3].fill(0.0);
    check_overlaps(device()?, &problem)
}

fn check_overlaps(device: &Device, problem: &Problem) -> Result<(), String> {
    let mut gpu = block_on(Gpu::new(device, problem)).map_err(text)?;
    // Twice, since what was counted before must not be.
    block_on(gpu.observe(&[HISTOGRAM])).map_err(text)?;
    let statistics = block_on(gpu.observe(&[HISTOGRAM])).map_err(text)?;
    let Shape { count, dim, replicas, .. } = problem.tokens.shape;
    let tokens = block_on(gpu.tokens()).map_err(text)?;
    for replica in 0..replicas {
        let what = format!("{:?}, replica {replica}", problem.tokens.shape);
        let found = statistics[replica].measured(&HISTOGRAM.key()).ok_or_else(|| format!("{what}: not measured"))?;
        let (mut expected, mut near, mut total) = ([0.0; BINS], [0.0; BINS], 0.0);
        let weighted: Vec<usize> = (0..count).filter(|i| problem.tokens.weight(replica, *i) > 0.0).collect();
        let x = |i: usize| &tokens[(replica * count + i) * dim..][..dim];
        for (before, i) in weighted.iter().enumerate() {
            for j in &weighted[..before] {
                let overlap = dot(x(*i), x(*j)) / dot(x(*i), x(*i)).sqrt() / dot(x(*j), x(*j)).sqrt();
                let bin = |overlap: f64| ((0.5 * (overlap + 1.0) * BINS as f64).max(0.0) as usize).min(BINS - 1);
                expected[bin(overlap)] += 1.0;
                total += 1.0;
                let [low, high] = [bin(overlap - EDGE), bin(overlap + EDGE)];
                if low != high {
                    near[low] += 1.0;
                    near[high] += 1.0;
                }
            }
        }
        for k in 0..BINS {
            let counted = found[k] * total;
            if (counted - expected[k]).is_nan() || (counted - expected[k]).abs() > near[k] + 1e-6 {
                return Err(format!(
                    "{what}: bin {k} has {counted} pairs, expected {} but for {}",
                    expected[k], near[k]
                ));
            }
        }
        let sum: f64 = found.iter().sum();
        if (sum - 1.0).abs() > 1e-12 || near.iter().sum::<f64>() > 0.001 * total + 4.0 {
            return Err(format!("{what}: shares add up to {sum}, or too many pairs are near an edge: {near:?}"));
        }
    }
    Ok(())
}

/// More pairs in a bin than a word can count.
pub fn overlaps_of_many_tokens() -> Result<(), String> {
    let (many, few) = (96_000usize, 4_000usize);
    let mut problem = problem(shape(many + few, 2), 1.0);
    for (token, x) in problem.tokens.coordinates.chunks_exact_mut(2).enumerate() {
        x.copy_from_slice(if token % 25 == 3 { &[0.0, 1.0] } else { &[1.0, 0.0] });
    }
    let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
    let statistics = block_on(gpu.observe(&[HISTOGRAM])).map_err(text)?;
    let found = statistics[0].measured(&HISTOGRAM.key()).ok_or("not measured")?;
    let inside = |count: usize| count * (count - 1) / 2;
    let (total, alike) = (inside(many + few), inside(many) + inside(few));
    assert!(alike > 1 << 32, "no test: {alike} pairs");
    let mut expected = [0.0; BINS];
    expected[BINS / 2] = (total - alike) as f64 / total as f64;
    expected[BINS - 1] = alike as f64 / total as f64;
    if found == expected { Ok(()) } else { Err(format!("{found:?}, expected {expected:?}")) }
}

/// What is no number on the host is none here: one token has no pairs, and a token in the origin no direction.
pub fn overlaps_that_are_none() -> Result<(), String> {
    let mut with_origin = problem(Shape { replicas: 2, count: 40, dim: 3, passive: 0 }, 1.0);
    with_origin.model.geometry = Geometry::Euclidean;
    with_origin.tokens.coordinates[3 * 57..3 * 58].fill(0.0);
    for (problem, none) in [(problem(shape(1, 3), 1.0), 0), (with_origin, 1)] {
        let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
        let statistics = block_on(gpu.observe(&[HISTOGRAM])).map_err(text)?;
        for (replica, statistics) in statistics.iter().enumerate() {
            let shares = statistics.measured(&HISTOGRAM.key()).ok_or("not measured")?;
            if shares.len() != BINS || shares.iter().any(|share| share.is_nan() != (replica == none)) {
                return Err(format!("replica {replica}: {shares:?}"));
            }
        }
    }
    Ok(())
}

/// Tokens are read back only for what the device has not measured.
pub fn tokens_stay() -> Result<(), String> {
    let measured = Problem { quantities: vec![HISTOGRAM], ..problem(shape(70, 3), 1.0) };
    let mut uneven = measured.clone();
    uneven.tokens.weights = uneven_weights(uneven.tokens.shape);
    let mut drawn = measured.clone();
    drawn.quantities =
        vec![Quantity::OverlapHistogram(OverlapHistogram { bins: BINS, pairs: 70 * 69 / 2 - 1, seed: 0 })];
    let mut also = measured.clone();
    also.quantities.push(Quantity::Clusters(Clusters { threshold: 0.9, largest: 1 }));
    for (what, problem, stay) in
        [("equal", measured, true), ("uneven", uneven, false), ("drawn", drawn, false), ("also", also, false)]
    {
        let mut sealed = Sealed::new(device()?, &problem)?;
        let mut samples = 0;
        let run = block_on(simulate(&problem, &mut sealed, |_| {
            samples += 1;
            Ok(())
        }));
        match run {
            Ok(_) if stay && samples > 1 => {}
            Err(error) if !stay && error.to_string() == SEAL.to_string() => {}
            other => return Err(format!("{what} weights or pairs: {other:?} after {samples} events")),
        }
    }
    Ok(())
}
