//! What the device computed beside what it should have.

use std::sync::OnceLock;

use pollster::block_on;
use tokenfield::{
    backend::{
        Backend, BackendError, Point, Precision,
        gpu::{Bounds, Choice, Device, Gpu},
        reference,
    },
    model::Field,
    problem::Problem,
};

/// Sums of single precision, each of a few hundred terms, and an exponential good to three units: a few times 1e-7.
const VELOCITY: f64 = 3e-6;
/// A score beta <x, y> is rounded to about 1e-7 of beta, and the weight it makes moves by as much relatively.
const VELOCITY_PER_BETA: f64 = 4e-7;

/// Compares with `tolerance` times the largest expected magnitude.
pub fn compare(what: &str, found: &[f64], expected: &[f64], tolerance: f64) -> Result<(), String> {
    compare_within(what, found, expected, tolerance * largest(expected))
}

/// Compares entry by entry; the worst is named. NaN is worse than anything, but where it is expected.
pub fn compare_within(what: &str, found: &[f64], expected: &[f64], allowed: f64) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{what}: {} numbers, expected {}", found.len(), expected.len()));
    }
    let errors = found.iter().zip(expected).map(|(f, e)| {
        if f.is_nan() && e.is_nan() {
            0.0
        } else if (f - e).is_nan() {
            f64::INFINITY
        } else {
            (f - e).abs()
        }
    });
    let worst = errors.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
    match worst {
        Some((index, error)) if error > allowed => Err(format!(
            "{what}: entry {index} is {}, expected {}: off by {error:e}, allowed {allowed:e}",
            found[index], expected[index]
        )),
        _ => Ok(()),
    }
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The largest magnitude.
pub fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |largest, number| number.abs().max(largest))
}

pub fn tolerance(problem: &Problem) -> f64 {
    VELOCITY + VELOCITY_PER_BETA * problem.model.attention.beta
}

/// Both fields of `problem` on `device`, against the reference.
pub fn check_on(device: &Device, what: &str, problem: &Problem) -> Result<(), String> {
    for field in [Field::Ambient, Field::Tangent] {
        let found = velocity(device, problem, field)?;
        // The tangent field may be small against the ambient one, whose rounding it inherits.
        let allowed =
            tolerance(problem) * largest(&reference::field(&problem.tokens, &problem.model, Field::Ambient));
        compare_within(
            &format!("{what}, {field:?}"),
            &found,
            &reference::field(&problem.tokens, &problem.model, field),
            allowed,
        )?;
    }
    Ok(())
}

pub fn check(what: &str, problem: &Problem) -> Result<(), String> {
    check_on(device()?, what, problem)
}

pub fn velocity(device: &Device, problem: &Problem, field: Field) -> Result<Vec<f64>, String> {
    let mut gpu = block_on(Gpu::new(device, problem)).map_err(text)?;
    // A stage other than the first, so that its place in the buffer is checked too.
    gpu.evaluate(Point::State, field, 1).map_err(text)?;
    block_on(gpu.velocity(1)).map_err(text)
}

pub fn text(error: BackendError) -> String {
    error.to_string()
}

/// The best adapter, opened once.
pub fn device() -> Result<&'static Device, String> {
    static DEVICE: OnceLock<Result<Device, BackendError>> = OnceLock::new();
    DEVICE
        .get_or_init(|| block_on(Device::open(Choice::Best, Precision::Single)))
        .as_ref()
        .map_err(|error| error.to_string())
}

pub fn bounded(bounds: Bounds) -> Result<Device, String> {
    block_on(Device::open_bounded(Choice::Best, Precision::Single, bounds)).map_err(text)
}
