//! How sums over pairs are taken: by harmonics, as long as a sample of tokens finds them exact enough.

use super::problem::Gpu;
use crate::{
    backend::{BackendError, Method, Precision, SumsState, algorithm::held},
    problem::Algorithm,
};

impl Gpu {
    /// What earlier checks have led to.
    pub(super) async fn sums_state(&mut self) -> Result<SumsState, BackendError> {
        let Gpu { device, recorder, readback, harmonics, method, lost, .. } = self;
        let Some((harmonics, check)) = harmonics else { return Ok(SumsState::of(*method)) };
        *lost = lost.max(harmonics.lost(device, recorder, readback).await?);
        Ok(SumsState { checks: check.checks, lost: *lost, ..SumsState::of(*method) })
    }

    /// Goes on as if its own checks had led to `sums`.
    pub(super) fn take_up(&mut self, sums: &SumsState) {
        // Sums of single precision are neither widened nor refined here.
        let SumsState { method, is_widened: _, refinements: _, checks, lost } = *sums;
        match method {
            Method::Harmonic { .. } => {
                self.harmonics.iter_mut().for_each(|(_, check)| check.checks = checks);
            }
            Method::Direct | Method::Abandoned { .. } => self.leave_harmonics(),
        }
        (self.method, self.lost) = (method, lost);
    }

    /// Compares the velocities of a sample of tokens, for which the coefficients are recorded, with direct ones, and records
    /// the largest difference. Above the tolerance direct sums take over, unless harmonics were asked for.
    pub(super) async fn check_harmonics(&mut self) -> Result<(), BackendError> {
        let Gpu { device, recorder, readback, buffers, harmonics, .. } = self;
        let (Some((harmonics, check)), Method::Harmonic { degree, error: before, care }) = (harmonics, self.method)
        else {
            return Ok(());
        };
        let sampled = check.error(device, recorder, readback, buffers).await?;
        let lost = std::mem::take(&mut self.lost).max(harmonics.lost(device, recorder, readback).await?);
        let here = sampled.max(lost);
        let (asked, tolerance, error) = (harmonics.plan().asked, harmonics.plan().tolerance, here.max(before));
        self.method = Method::Harmonic { degree, error, care };
        // Both sums of the sample are off by as much as direct ones hold.
        let allowed =
            if asked == Algorithm::Harmonic { tolerance } else { tolerance.max(2.0 * held(Precision::Single)) };
        if here <= allowed {
            return Ok(());
        }
        if asked == Algorithm::Harmonic {
            return Err(BackendError::AboveTolerance { error, tolerance });
        }
        self.method = Method::Abandoned { error };
        self.leave_harmonics();
        Ok(())
    }

    /// From now on sums are taken pair by pair.
    pub(super) fn leave_harmonics(&mut self) {
        self.harmonics = None;
        self.velocity.series = None;
    }
}
