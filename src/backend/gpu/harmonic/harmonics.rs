//! The harmonic algorithm on the device: moments of the keys, coefficients of every head, series at every query.
//!
//! The mathematics is that of [`crate::harmonic`]. One pass over the keys (`moments`) serves all heads; their coefficients
//! follow on the device (`coefficients`), so that nothing is read back between steps; a series then leaves the same
//! partials (M, shift, Z) as the direct reduction would, with one slice, and what comes after knows no difference.
//!
//! In single precision every error is relative to e^kappa_i sum_j w_j, and the result to Z_i. Where the ratio of the two,
//! the cancellation, takes more bits than the plan allows, the kernel keeps the least ratio that it met, and the next check
//! counts it as an error above the tolerance: `harmonic` then fails and `auto` goes on with direct sums. (The CPU, which
//! can afford to branch, sums the blocks of such queries directly.)

use super::{
    coefficients::Coefficients,
    moments::{Basis, Moments},
    series::{Expansion, Series},
};
use crate::backend::gpu::{
    engine::{allocation::AllocationScope, device::Device, readback::Readback, recorder::Recorder},
    kernels::constants::Constants,
    layout::{terms, token_buffers::TokenBuffers},
};
use crate::{
    backend::{BackendError, Point, algorithm::Plan},
    problem::{Algorithm, Problem},
};

/// Pairs of one evaluation, a tenth of a second's work of a large adapter, below which `auto` stays with direct sums: rounding
/// in the harmonics leaves several times the error of direct sums.
const FEWEST_PAIRS: f64 = 2e11;

/// What harmonics of `problem` would take, as far as the device goes; `None` where sums are taken pair by pair.
pub fn plan(device: &Device, problem: &Problem) -> Result<Option<Plan>, BackendError> {
    if !terms::is_plain(problem)? {
        return Ok(None);
    }
    let plan = Plan::choose(problem, device.precision(), f64::from(f32::EPSILON), FEWEST_PAIRS)?;
    Ok(plan.map(|plan| match device.bounds.degree {
        Some(most) => plan.cut(most.into()),
        None => plan,
    }))
}

/// The moments and coefficients of a problem whose sums go through harmonics.
pub struct Harmonics {
    plan: Plan,
    moments: Moments,
    /// One a head.
    heads: Vec<Coefficients>,
    /// The least Z_i e^{-kappa_i} / sum_j w_j that a series met, among those that lost too much; or infinity.
    worst: wgpu::Buffer,
}

impl Harmonics {
    /// Lays out `plan` for the keys of `buffers`; none if the adapter has no room for it and direct sums will do.
    ///
    /// Fails with `BelowLimit` or `OutOfMemory` where they will not.
    pub async fn new(
        device: &Device,
        plan: Plan,
        constants: &Constants,
        buffers: &TokenBuffers,
        recorder: &Recorder,
    ) -> Result<Option<Harmonics>, BackendError> {
        let asked = plan.asked;
        match Self::lay_out(device, plan, constants, buffers, recorder).await {
            Ok(harmonics) => Ok(Some(harmonics)),
            Err(BackendError::BelowLimit { .. } | BackendError::OutOfMemory { .. }) if asked == Algorithm::Auto => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn lay_out(
        device: &Device,
        plan: Plan,
        constants: &Constants,
        buffers: &TokenBuffers,
        recorder: &Recorder,
    ) -> Result<Harmonics, BackendError> {
        let lay_out = |scope: &AllocationScope| {
            let moments = Moments::new(scope, constants, buffers, recorder, Basis::Harmonics, plan.degree + 1)?;
            let head = |reach| Coefficients::new(scope, constants, &moments, recorder, reach);
            let heads = plan.heads.iter().map(head).collect::<Result<Vec<_>, _>>()?;
            Ok((moments, heads, scope.upload("worst", &[f32::INFINITY])))
        };
        let (moments, heads, worst) = AllocationScope::allocate(device, lay_out).await?;
        Ok(Harmonics { plan, moments, heads, worst })
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Records the coefficients of every head for the keys of `buffers` at `point`.
    pub fn prepare(&self, recorder: &mut Recorder, buffers: &TokenBuffers, point: Point) -> Result<(), BackendError> {
        self.moments.record(recorder, buffers, point)?;
        self.heads.iter().try_for_each(|head| head.record(recorder, &self.moments))
    }

    /// The series at the queries of `queries`.
    pub fn series(
        &self,
        device: &Device,
        problem: &Problem,
        constants: &Constants,
        queries: &TokenBuffers,
        recorder: &Recorder,
    ) -> Series {
        let expansion = Expansion {
            heads: &self.heads,
            worst: &self.worst,
            // The least share of Z that cancellation may leave.
            least: (-self.plan.most_lost).exp2() as f32,
        };
        Series::new(device, problem, constants, &expansion, queries, recorder)
    }

    /// The error that cancellation may have left in the velocities since it was asked for last, at most one: as large
    /// as the velocity itself. Zero where no query lost too much.
    pub async fn lost(
        &self,
        device: &Device,
        recorder: &mut Recorder,
        readback: &Readback,
    ) -> Result<f64, BackendError> {
        let worst = readback.numbers(recorder, &self.worst, 0, 1).await?;
        self.forget(device);
        Ok(worst.first().map_or(0.0, |ratio| (self.plan.floor / f64::from(*ratio)).min(1.0)))
    }

    fn forget(&self, device: &Device) {
        device.queue.write_buffer(&self.worst, 0, bytemuck::bytes_of(&f32::INFINITY));
    }
}
