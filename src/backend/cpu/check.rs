//! Whether harmonics are exact enough: a sample of tokens, whose velocities are computed pair by pair as well, in double precision.

use rand::RngExt;

use super::{
    algorithm::Harmonics,
    field::Visibility,
    problem::Cpu,
    velocity::{Run, Sources},
};
use crate::{
    backend::{BackendError, Method, SumsState},
    problem::Algorithm,
    random::{Purpose, Stream},
    sums::{
        columns::{Columns, ColumnsRef},
        real::Real,
    },
};

/// Tokens in a sample.
const SAMPLE: usize = 256;
/// Tokens that go through an expansion together: few, so that one which needs direct sums hides few others.
const BLOCK: usize = 16;

impl<T: Real> Cpu<T> {
    /// Compares the velocities of a sample of tokens with direct ones in double precision, and records the largest difference. Above
    /// the tolerance sums are taken with more care, and looked at again, until there is no more care to take; then direct sums take over,
    /// unless harmonics were asked for.
    pub(super) fn check_harmonics(&mut self) -> Result<(), BackendError> {
        let has_moved = self.checks > 0;
        let mut seen = 0.0f64;
        loop {
            let (Some(harmonics), Method::Harmonic { error: before, .. }) = (&mut self.harmonics, self.method) else {
                return Ok(());
            };
            seen = seen.max(before);
            let (asked, tolerance) = (harmonics.asked, harmonics.tolerance);
            let Some(sampled) = self.sampled_error() else {
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

    /// The largest |v - v_direct| over tokens drawn from up to `SAMPLE` replicas, in units of the largest velocity among
    /// them if that exceeds one. Velocities that are no numbers are left to whoever looks at the tokens. None if sums are to be
    /// widened first.
    fn sampled_error(&self) -> Option<f64> {
        let replicas = self.shape.replicas.min(SAMPLE);
        let (mut error, mut largest) = (0.0f64, 1.0f64);
        for turn in 0..replicas {
            let replica = turn * self.shape.replicas / replicas;
            let tokens = self.state.replica(replica);
            let mut random = Stream::new(0, replica as u32, self.checks, Purpose::Check);
            let draw = |_| random.random_range(0..self.shape.count);
            let sample: Vec<usize> = (0..SAMPLE.div_ceil(replicas)).map(draw).collect();
            let sources = self.sources(replica, tokens, self.followed);
            let found = self.velocities_of(&sample, tokens, &sources)?;
            let direct = self.exact(replica, tokens, &sample, self.followed);
            let dim = self.shape.dim;
            for (found, direct) in found.chunks_exact(dim).zip(direct.chunks_exact(dim)) {
                let square: f64 = found.iter().zip(direct).map(|(a, b)| (a - b) * (a - b)).sum();
                error = error.max(square.sqrt());
                largest = largest.max(direct.iter().map(|b| b * b).sum::<f64>().sqrt());
            }
        }
        Some(error / largest)
    }

    /// The velocities of a sample of `tokens`, row-major; none if sums are to be widened first.
    fn velocities_of(
        &self,
        sample: &[usize],
        tokens: ColumnsRef<'_, T>,
        sources: &Sources<'_, T>,
    ) -> Option<Vec<f64>> {
        let dim = self.shape.dim;
        let block = |sample: &[usize]| {
            let mut queries = Columns::zeros(1, dim, sample.len());
            let mut velocity = Columns::zeros(1, dim, sample.len());
            let rows: Vec<f64> = sample.iter().flat_map(|token| tokens.part(*token, 1).rows(dim, 1)).collect();
            let visibility = || Visibility {
                visible: sample.iter().flat_map(|token| self.visibility(*token, 1).visible).collect(),
                ..Visibility::default()
            };
            for mut queries in queries.replicas_mut() {
                queries.set_rows(dim, &rows);
                queries.pad(sample.len());
            }
            for mut velocity in velocity.replicas_mut() {
                let run = Run { tokens: queries.replica(0), first: 0 };
                if !self.velocity(sources, self.followed, run, visibility, &mut velocity) {
                    return None;
                }
            }
            Some(velocity.replica(0).rows(dim, sample.len()))
        };
        Some(sample.chunks(BLOCK).map(block).collect::<Option<Vec<_>>>()?.concat())
    }
}
