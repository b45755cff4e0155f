//! Whether harmonics are exact enough: a sample of tokens, whose velocities are computed pair by pair as well, in double precision.

use rand::RngExt;

use super::{
    algorithm::Harmonics,
    exact::columns_of,
    field::Visibility,
    part::Own,
    problem::Cpu,
    velocity::{Run, Sources},
};
use crate::{
    backend::{BackendError, Method, SumsState},
    problem::Algorithm,
    random::{Purpose, Stream},
    sums::{columns::Columns, real::Real},
};

/// Tokens in a sample.
pub(super) const SAMPLE: usize = 256;
/// Tokens that go through an expansion together: few, so that one which needs direct sums hides few others.
pub(super) const BLOCK: usize = 16;

impl<T: Real> Cpu<T> {
    /// Compares the velocities of a sample of tokens with direct ones in double precision, and records the largest difference. Above
    /// the tolerance sums are taken with more care, and looked at again, until there is no more care to take; then direct sums take over,
    /// unless harmonics were asked for.
    ///
    /// `sampled_error` is the largest |v - v_direct| over a sample of the tokens of all processes, in units of the largest velocity among
    /// them if that exceeds one; none if sums are to be widened first.
    pub(super) fn check_harmonics(
        &mut self,
        sampled_error: impl Fn(&Self) -> Result<Option<f64>, BackendError>,
    ) -> Result<(), BackendError> {
        let has_moved = self.checks > 0;
        let mut seen = 0.0f64;
        loop {
            let (Some(harmonics), Method::Harmonic { error: before, .. }) = (&mut self.harmonics, self.method) else {
                return Ok(());
            };
            seen = seen.max(before);
            let (asked, tolerance) = (harmonics.asked, harmonics.tolerance);
            let Some(sampled) = sampled_error(self)? else {
                self.widen();
                continue;
            };
            if sampled > tolerance && self.harmonics.as_mut().is_some_and(Harmonics::strengthen) {
                // Tokens have come here by the sums that are left.
                seen = if has_moved { seen.max(sampled) } else { seen };
                continue;
            }
            self.checks += 1;
            let error = seen.max(sampled);
            self.method = self.harmonics.as_ref().map_or(Method::Direct, |harmonics| harmonics.method(error));
            if sampled <= tolerance {
                return Ok(());
            }
            if asked == Algorithm::Harmonic {
                return Err(BackendError::AboveTolerance { error: sampled, tolerance });
            }
            self.method = Method::Abandoned { error };
            self.harmonics = None;
            return Ok(());
        }
    }

    /// What earlier checks have led to.
    pub(super) fn sums_state(&self) -> SumsState {
        let (is_widened, refinements) = match &self.harmonics {
            Some(harmonics) => (!harmonics.can_widen(), harmonics.refinements),
            None => (false, 0),
        };
        SumsState { method: self.method, is_widened, refinements, checks: self.checks, lost: 0.0 }
    }

    /// Goes on as if its own checks had led to `sums`.
    pub(super) fn take_up(&mut self, sums: &SumsState) {
        let SumsState { method, is_widened, refinements, checks, lost: _ } = *sums;
        if let Some(harmonics) = &mut self.harmonics {
            if is_widened {
                harmonics.widen();
            }
            (0..refinements).for_each(|_| harmonics.refine());
        }
        match method {
            Method::Harmonic { .. } => {}
            Method::Direct | Method::Abandoned { .. } => self.harmonics = None,
        }
        (self.method, self.checks) = (method, checks);
    }

    /// The error in tokens drawn from up to [`SAMPLE`] replicas. Velocities that are no numbers are left to whoever looks at the tokens.
    pub(super) fn sampled_error(&self) -> Option<f64> {
        let replicas = self.shape.replicas.min(SAMPLE);
        let mut errors = Errors::default();
        for turn in 0..replicas {
            let replica = turn * self.shape.replicas / replicas;
            let tokens = self.state.replica(replica);
            let dim = self.shape.dim;
            let sample = self.sample(replica, SAMPLE.div_ceil(replicas));
            let rows: Vec<f64> = sample.iter().flat_map(|token| tokens.part(*token, 1).rows(dim, 1)).collect();
            let sources = self.sources(replica, tokens, self.followed);
            let found = self.velocities_of(&rows, &sources)?;
            let Ok(direct) = self.exact(replica, tokens, &rows, self.followed, &Own);
            errors.add(&found, &direct, dim);
        }
        Some(errors.relative())
    }

    /// The numbers of tokens in a sample of those of all processes.
    pub(super) fn sample(&self, replica: usize, count: usize) -> Vec<usize> {
        let mut random = Stream::new(0, replica as u32, self.checks, Purpose::Check);
        (0..count).map(|_| random.random_range(0..self.part.whole.count)).collect()
    }

    /// The velocities at tokens with these `rows`, row-major, which see all sources; none if sums are to be widened first.
    fn velocities_of(&self, rows: &[f64], sources: &Sources<'_, T>) -> Option<Vec<f64>> {
        let dim = self.shape.dim;
        let block = |rows: &[f64]| {
            let (count, queries) = (rows.len() / dim, columns_of(dim, rows));
            let mut velocity = Columns::zeros(1, dim, count);
            let visible = vec![sources.keys.padded; count];
            let visibility = || Visibility { visible: visible.clone(), ..Visibility::default() };
            for mut velocity in velocity.replicas_mut() {
                let run = Run { tokens: queries.replica(0), first: 0 };
                if !self.velocity(sources, self.followed, run, visibility, &mut velocity) {
                    return None;
                }
            }
            Some(velocity.replica(0).rows(dim, count))
        };
        Some(rows.chunks(BLOCK * dim).map(block).collect::<Option<Vec<_>>>()?.concat())
    }
}

/// The largest error of a sample, and the largest velocity.
#[derive(Default)]
pub(super) struct Errors {
    error: f64,
    largest: f64,
}

impl Errors {
    /// Takes velocities that were `found` and what they should be, both row-major.
    pub(super) fn add(&mut self, found: &[f64], direct: &[f64], dim: usize) {
        for (found, direct) in found.chunks_exact(dim).zip(direct.chunks_exact(dim)) {
            let square: f64 = found.iter().zip(direct).map(|(a, b)| (a - b) * (a - b)).sum();
            self.error = self.error.max(square.sqrt());
            self.largest = self.largest.max(direct.iter().map(|b| b * b).sum::<f64>().sqrt());
        }
    }

    /// The error in units of the largest velocity if that exceeds one.
    pub(super) fn relative(&self) -> f64 {
        self.error / self.largest.max(1.0)
    }
}
