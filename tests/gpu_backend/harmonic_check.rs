//! What the harmonic algorithm on the device says of its own error, and what it observes.

use pollster::block_on;
use tokenfield::{
    backend::{
        Backend, BackendError, Care, Method, Point,
        gpu::{Bounds, Gpu},
        reference,
    },
    model::Field,
    observables::Quantity,
    problem::{Algorithm, Problem},
    tokens::Shape,
};

use crate::{
    compare::{bounded, compare_within, device, text},
    harmonic::{VELOCITY, harmonic, varied},
    problems::{problem, shape},
};

pub fn observations() -> Result<(), String> {
    let segments = bounded(Bounds { segment_bytes: Some(5000), slices: Some(3), ..Bounds::default() })?;
    for mut problem in varied() {
        problem.tolerance = Some(1e-4);
        for device in [device()?, &segments] {
            let mut gpu = block_on(Gpu::new(device, &problem)).map_err(text)?;
            let found = block_on(gpu.observe(&[Quantity::Energy])).map_err(text)?;
            let what = format!("{:?}", problem.tokens.shape);
            for (replica, found) in found.iter().enumerate() {
                let expected = reference::log_energy(&problem.tokens, &problem.model, replica);
                compare_within(&what, &[found.log_energy], &[expected], 3e-6)?;
            }
            match gpu.method() {
                Method::Harmonic { error, .. } if error > 0.0 && error < 10.0 * VELOCITY => {}
                other => return Err(format!("{what}: {other:?}")),
            }
        }
    }
    Ok(())
}

/// So many keys, in one dispatch, that a driver which counts the iterations of a thread would leave the direct sums of the
/// sample too early.
pub fn a_sample_sees_many_keys() -> Result<(), String> {
    let device = bounded(Bounds { dispatch_work: Some(1e15), ..Bounds::default() })?;
    let problem = Problem { tolerance: Some(1e-5), ..harmonic(shape(300_000, 3), 4.0) };
    let mut gpu = block_on(Gpu::new(&device, &problem)).map_err(text)?;
    block_on(gpu.observe(&[])).map_err(text)?;
    match gpu.method() {
        Method::Harmonic { error, .. } if error > 0.0 && error < VELOCITY => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// Observes, and expects to hear of an error of `least` or more.
fn above_tolerance(gpu: &mut Gpu, least: f64) -> Result<(), String> {
    match block_on(gpu.observe(&[])) {
        Err(BackendError::AboveTolerance { error, tolerance }) if error > tolerance && error >= least => Ok(()),
        other => Err(format!("harmonics are off and nobody says so: {other:?}")),
    }
}

/// A degree too small for the tolerance is found by the sample, in the state and after a step, in every segment and replica.
pub fn a_short_expansion_is_owned() -> Result<(), String> {
    for segment_bytes in [None, Some(5000)] {
        let short = bounded(Bounds { degree: Some(4), segment_bytes, ..Bounds::default() })?;
        for mut problem in varied() {
            problem.model.attention.beta = 3.0;
            problem.tolerance = Some(1e-4);
            above_tolerance(&mut block_on(Gpu::new(&short, &problem)).map_err(text)?, 1e-4)?;
        }
    }
    Ok(())
}

/// Rounding alone, at a tolerance that single precision meets in bounds only.
pub fn rounding_is_owned() -> Result<(), String> {
    let mut problem = harmonic(shape(3000, 3), 0.5);
    problem.tolerance = Some(2e-8);
    above_tolerance(&mut block_on(Gpu::new(device()?, &problem)).map_err(text)?, 2e-8)
}

/// Enough tokens for `auto` to take harmonics; the check sends it back to direct sums.
pub fn auto_goes_on_with_direct_sums() -> Result<(), String> {
    let device = bounded(Bounds { degree: Some(2), ..Bounds::default() })?;
    let auto = |count| Problem { algorithm: Algorithm::Auto, ..problem(shape(count, 3), 4.0) };
    let few = block_on(Gpu::new(&device, &auto(100_000))).map_err(text)?;
    let mut many = block_on(Gpu::new(&device, &auto(460_000))).map_err(text)?;
    if few.method() != Method::Direct
        || many.method() != (Method::Harmonic { degree: 2, error: 0.0, care: Care::Usual })
    {
        return Err(format!("few: {:?}, many: {:?}", few.method(), many.method()));
    }
    block_on(many.observe(&[])).map_err(text)?;
    match many.method() {
        Method::Abandoned { error } if error > 1e-3 => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// A token where nobody else is: its Z is far below what the expansion resolves. The sample does not draw it, yet it is
/// remarked on.
pub fn a_lonely_token_is_remarked_on() -> Result<(), String> {
    let mut problem = harmonic(Shape { passive: 1, ..shape(3000, 3) }, 7.0);
    for token in problem.tokens.coordinates.chunks_mut(3) {
        token[0] += 3.0;
        let norm = token.iter().map(|c| c * c).sum::<f64>().sqrt();
        token.iter_mut().for_each(|c| *c /= norm);
    }
    let crowd = problem.clone();
    let last = problem.tokens.coordinates.len() - 3;
    problem.tokens.coordinates[last..].copy_from_slice(&[-0.8, 0.6, 0.0]);
    let evaluated = |problem: &Problem| {
        let mut gpu = block_on(Gpu::new(device()?, problem)).map_err(text)?;
        gpu.evaluate(Point::State, Field::Tangent, 0).map_err(text)?;
        Ok::<_, String>(gpu)
    };
    block_on(evaluated(&crowd)?.observe(&[])).map_err(text)?;
    above_tolerance(&mut evaluated(&problem)?, 1e-6)
}
