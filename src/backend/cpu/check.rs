//! Whether harmonics are exact enough: a sample of tokens, whose velocities are computed pair by pair as well.

use rand::RngExt;

use super::{Cpu, project, real::Real, reduction::Reduced};
use crate::{
    backend::{BackendError, Method},
    model::Field,
    problem::Algorithm,
    random::{Purpose, Stream},
};

/// Tokens in a sample.
const SAMPLE: usize = 256;
/// Tokens that go through an expansion together: few, so that one which needs direct sums hides few others.
const BLOCK: usize = 16;

impl<T: Real> Cpu<T> {
    /// Compares the velocities of a sample of tokens, whose keys are packed, with direct ones, and records the largest
    /// difference. Above the tolerance direct sums take over, unless harmonics were asked for.
    pub(super) fn check_harmonics(&mut self) -> Result<(), BackendError> {
        let (Some(harmonics), Method::Harmonic { degree, error: before }) = (&self.harmonics, self.method) else {
            return Ok(());
        };
        let sampled = self.sampled_error();
        let error = sampled.max(before);
        self.checks += 1;
        self.method = Method::Harmonic { degree, error };
        if sampled <= harmonics.tolerance {
            return Ok(());
        }
        if harmonics.asked == Algorithm::Harmonic {
            return Err(BackendError::AboveTolerance { error, tolerance: harmonics.tolerance });
        }
        self.method = Method::Abandoned { error };
        self.harmonics = None;
        Ok(())
    }

    /// The largest |v - v_direct| over tokens drawn from up to `SAMPLE` replicas, in units of the largest velocity among
    /// them if that exceeds one. Velocities that are no numbers are left to whoever looks at the tokens.
    fn sampled_error(&self) -> f64 {
        let shape = self.shape();
        let replicas = shape.replicas.min(SAMPLE);
        let (mut error, mut largest) = (0.0f64, 1.0f64);
        for turn in 0..replicas {
            let replica = turn * shape.replicas / replicas;
            let tokens = self.state.replica(replica);
            let mut random = Stream::new(0, replica as u32, self.checks, Purpose::Check);
            let draw = |_| random.random_range(0..shape.count);
            let sample: Vec<usize> = (0..SAMPLE.div_ceil(replicas)).map(draw).collect();
            let queries: Vec<f64> =
                sample.iter().flat_map(|token| &tokens[token * shape.dim..][..shape.dim]).copied().collect();
            let visible: Vec<usize> = sample.iter().map(|token| self.visible[*token]).collect();
            let velocity = |expansions: &[_]| {
                let mut velocity = vec![0.0; queries.len()];
                let size = BLOCK * shape.dim;
                let blocks = queries.chunks(size).zip(visible.chunks(BLOCK)).zip(velocity.chunks_mut(size));
                for ((queries, visible), velocity) in blocks {
                    self.field(replica, queries, visible, expansions, &mut Reduced::default(), velocity);
                }
                if self.followed == Field::Tangent {
                    project(&queries, &mut velocity, shape.dim);
                }
                velocity
            };
            let (found, direct) = (velocity(&self.expansions(replica)), velocity(&[]));
            for (found, direct) in found.chunks_exact(shape.dim).zip(direct.chunks_exact(shape.dim)) {
                let square: f64 = found.iter().zip(direct).map(|(a, b)| (a - b) * (a - b)).sum();
                error = error.max(square.sqrt());
                largest = largest.max(direct.iter().map(|b| b * b).sum::<f64>().sqrt());
            }
        }
        error / largest
    }
}
