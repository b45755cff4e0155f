//! The dual potentials of Sinkhorn's iterations, and how far they are from balanced.

use crate::backend::{
    BackendError,
    gpu::{
        engine::{allocation::AllocationScope, readback::Readback, recorder::Recorder},
        layout::token_buffers::TokenBuffers,
    },
};

/// The two operands of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Queries,
    Keys,
}

impl Side {
    pub const BOTH: [Side; 2] = [Side::Queries, Side::Keys];

    pub fn other(self) -> Side {
        match self {
            Side::Queries => Side::Keys,
            Side::Keys => Side::Queries,
        }
    }
}

/// The log-weights of all rows with the potentials of queries and of keys, by segment.
pub struct Duals {
    pub of: [Vec<wgpu::Buffer>; 2],
    /// For each replica how far a log column sum is from zero, after the last iteration and after this one, and the largest that any
    /// evaluation was left with.
    pub residuals: wgpu::Buffer,
    pub replicas: usize,
}

impl Duals {
    pub fn new(scope: &AllocationScope, buffers: &TokenBuffers) -> Duals {
        let dual = |rows: usize| scope.upload("potentials", &vec![0.0; 2 * rows]);
        let all = || buffers.segments.iter().map(|segment_buffers| dual(segment_buffers.rows())).collect();
        let (of, replicas) = (Side::BOTH.map(|_| all()), replicas(buffers));
        Duals { of, residuals: scope.upload("residuals", &vec![0.0f32; 3 * replicas]), replicas }
    }

    /// Reads how far a natural logarithm of a column sum was from zero, at most, after all that is recorded.
    pub async fn marginal_error(&self, recorder: &mut Recorder, readback: &Readback) -> Result<f64, BackendError> {
        let worst = readback.numbers(recorder, &self.residuals, 2 * self.replicas, self.replicas).await?;
        Ok(worst.into_iter().map(f64::from).fold(0.0, f64::max))
    }
}

fn replicas(buffers: &TokenBuffers) -> usize {
    buffers
        .segments
        .iter()
        .map(|segment_buffers| segment_buffers.segment.first_replica + segment_buffers.segment.replicas)
        .max()
        .unwrap_or(0)
}
