//! Observations against the reference.

use pollster::block_on;
use tokenfield::{
    backend::{
        Backend,
        gpu::{Bounds, Device, Gpu},
        reference,
    },
    model::Matrix,
    observables::{self, NormMoments, OverlapHistogram, Quantity},
    observe::Statistics,
    tokens::Shape,
};

use crate::{
    compare::{bounded, compare, compare_within, device, dot, text},
    problems::{problem, shape, varied_problems},
    sealed::{self, SEAL, Sealed},
};

/// Statistics are sums of at most a thousand terms a chunk, finished in double precision.
const STATISTICS: f64 = 3e-6;

pub fn observe() -> Result<(), String> {
    check_observations(device()?)
}

pub fn observe_in_many_segments() -> Result<(), String> {
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
            let expected = reference::moments(&problem.tokens, replica);
            let second = |s: &Statistics| s.second_moment.clone();
            compare(&format!("{what}, mean"), &found.mean, &expected.mean, 10.0 * STATISTICS)?;
            compare(&format!("{what}, second moment"), &second(found), &second(&expected), STATISTICS)?;
            let log_energy = reference::log_energy(&problem.tokens, &problem.model, replica);
            compare(&format!("{what}, energy"), &[found.log_energy], &[log_energy], STATISTICS)?;
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

/// What the device has no room to reduce is left to the host, with the same numbers.
pub fn without_room() -> Result<(), String> {
    let (roomy, full) = (device()?, bounded(Bounds { spare_bytes: Some(0), ..Bounds::default() })?);
    let mut problem = problem(Shape { replicas: 2, count: 150, dim: 18, passive: 7 }, 2.0);
    for quantity in [
        Quantity::Moments,
        Quantity::OverlapHistogram(OverlapHistogram { bins: 7, pairs: usize::MAX, seed: 0 }),
        Quantity::NormMoments(NormMoments { order: 3 }),
        Quantity::Attention(observables::Attention { rows: 40, of: observables::Among::Sources, seed: 5 }),
        Quantity::Lyapunov,
    ] {
        problem.quantities = vec![quantity];
        let samples = |device: &Device| {
            let mut gpu = block_on(Gpu::new(device, &problem)).map_err(text)?;
            sealed::samples(&problem, &mut gpu)
        };
        let what = format!("{quantity:?}");
        compare_within(&what, &samples(&full)?.concat(), &samples(roomy)?.concat(), 2e-5)?;
        // Second moments are read in a way of their own.
        if quantity != Quantity::Moments {
            let asked = sealed::samples(&problem, &mut Sealed::new(&full, &problem)?);
            if asked != Err(SEAL.to_string()) {
                return Err(format!("{what}: {asked:?} without room and without tokens"));
            }
        }
    }
    Ok(())
}

pub fn energy_at_extreme_beta() -> Result<(), String> {
    for dim in [3, 17] {
        for query_key in [Matrix::Identity, Matrix::Scale(-1.0)] {
            let mut problem = problem(shape(300, dim), 1000.0);
            problem.model.attention.heads[0].query_key = query_key;
            let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
            let found = block_on(gpu.observe(&[Quantity::Energy])).map_err(text)?[0].log_energy;
            let expected = reference::log_energy(&problem.tokens, &problem.model, 0);
            compare(&format!("d = {dim}"), &[found], &[expected], STATISTICS)?;
        }
    }
    Ok(())
}
