//! Sums over tokens of powers of norms, which overflow: the device keeps each as (shift, sum 2^-shift).

use super::{
    observed::Observed,
    statistics::{ChunkStatistics, pairs},
};
use crate::backend::gpu::{
    engine::{
        allocation::AllocationScope,
        pipelines::{BoundKernel, Pipeline},
        readback::Readback,
        recorder::Recorder,
    },
    kernels::{declared, kernel::Kernel, params},
    layout::{segments::Segment, token_buffers::TokenBuffers},
};
use crate::{
    backend::BackendError,
    tokens::{Tokens, Weights},
};

/// Powers up to this are taken on the device, whose error grows with the power: that of a length, about 2e-7, so many times.
const MOST_ORDER: usize = 16;

/// sum_j w_j |x_j|^p for p = 1 .. order of every replica, unless the order is too high or the sums do not fit the device. Single
/// precision must hold all weights.
pub async fn norm_moments(
    laid_out: &mut Option<NormSums>,
    observed: &mut Observed<'_>,
    statistics: &ChunkStatistics,
    order: usize,
) -> Result<Option<Vec<Vec<f64>>>, BackendError> {
    if order > MOST_ORDER {
        return Ok(None);
    }
    if laid_out.as_ref().is_none_or(|sums| sums.numbers != order) {
        let lay_out =
            |scope: &AllocationScope| Ok(NormSums::new::<declared::NormMoments>(scope, observed, order, statistics));
        *laid_out = AllocationScope::afford(observed.device, lay_out).await?.flatten();
    }
    let Some(sums) = laid_out else { return Ok(None) };
    sums.record(observed.recorder, statistics, observed.buffers)?;
    sums.read(observed.recorder, observed.readback, statistics).await.map(Some)
}

/// d = (sum_j w_j |x_j - y_j|^2)^{1/2} of every replica and the one beside it, 0 and 1, 2 and 3, .., as one number each; unless
/// two of them are in different buffers, or the sums do not fit the device. Single precision must hold all weights.
///
/// A difference is one of tokens in single precision, and its own rounding no more: d is right to about 3e-7 of itself.
pub async fn separations(
    laid_out: &mut Option<NormSums>,
    observed: &mut Observed<'_>,
    statistics: &ChunkStatistics,
) -> Result<Option<Vec<Vec<f64>>>, BackendError> {
    let is_whole = |segment: &Segment| {
        let is_last = segment.first_replica + segment.replicas == observed.shape.replicas;
        segment.first_replica.is_multiple_of(2) && (segment.replicas.is_multiple_of(2) || is_last)
    };
    if !observed.buffers.segments.iter().all(|segment_buffers| is_whole(&segment_buffers.segment)) {
        return Ok(None);
    }
    if laid_out.is_none() {
        let lay_out =
            |scope: &AllocationScope| Ok(NormSums::new::<declared::Separation>(scope, observed, 1, statistics));
        *laid_out = AllocationScope::afford(observed.device, lay_out).await?.flatten();
    }
    let Some(sums) = laid_out else { return Ok(None) };
    sums.record(observed.recorder, statistics, observed.buffers)?;
    let squares = sums.read(observed.recorder, observed.readback, statistics).await?;
    Ok(Some(squares.into_iter().map(|square| square.into_iter().map(f64::sqrt).collect()).collect()))
}

/// Weights below this share of their mean might be lost when they are shifted beside others.
const SMALLEST: f64 = 5.4e-20;

/// Whether single precision holds every positive weight, relative to their mean.
pub fn weights_are_held(tokens: &Tokens) -> bool {
    let Weights::Each(weights) = &tokens.weights else { return true };
    let sources = tokens.shape.sources() as f64;
    weights.iter().all(|weight| *weight == 0.0 || weight * sources >= SMALLEST)
}

/// Some sums of every chunk.
pub struct NormSums {
    pub numbers: usize,
    /// By segment.
    bounds: Vec<BoundKernel<params::Statistics>>,
    sums: wgpu::Buffer,
}

impl NormSums {
    /// Those of the kernel K; none if they do not fit the device.
    pub fn new<K: Kernel<Params = params::Statistics>>(
        scope: &AllocationScope,
        observed: &Observed<'_>,
        numbers: usize,
        statistics: &ChunkStatistics,
    ) -> Option<NormSums> {
        let Observed { constants, buffers, ref recorder, .. } = *observed;
        let bytes = (8 * statistics.chunks * numbers) as u64;
        let device = scope.device();
        let limits = device.device.limits();
        if bytes > limits.max_storage_buffer_binding_size.min(limits.max_buffer_size) {
            return None;
        }
        let sums = scope.buffer(K::DECLARATION.name, bytes);
        let pipeline = Pipeline::<K>::new(device, constants);
        let segments = buffers.segments.iter();
        let bound = segments.map(|segment_buffers| {
            pipeline.bind(device, recorder.uniforms(), [&segment_buffers.state, &segment_buffers.weights, &sums])
        });
        Some(NormSums { numbers, bounds: bound.collect(), sums })
    }

    /// Records the sums of the state.
    pub fn record(
        &self,
        recorder: &mut Recorder,
        statistics: &ChunkStatistics,
        buffers: &TokenBuffers,
    ) -> Result<(), BackendError> {
        for (segment, bound) in self.bounds.iter().enumerate() {
            let params = params::Statistics { stride: self.numbers as u32, ..statistics.params(buffers, segment, 0) };
            // A power and its place in a sum are about twenty multiply-adds.
            let powers = (buffers.segments[segment].rows() * self.numbers * 20) as f64;
            recorder.record(bound, &params, params.groups.into(), statistics.work(buffers, segment) + powers)?;
        }
        Ok(())
    }

    /// Reads what was recorded: for every replica its sums.
    pub async fn read(
        &self,
        recorder: &mut Recorder,
        readback: &Readback,
        statistics: &ChunkStatistics,
    ) -> Result<Vec<Vec<f64>>, BackendError> {
        let words = 2 * self.numbers;
        let parts = readback.numbers(recorder, &self.sums, 0, statistics.chunks * words).await?;
        let replica = |chunks: &[f32]| {
            let number = |k: usize| {
                let column: Vec<f32> =
                    chunks.chunks(words).flat_map(|chunk| [chunk[2 * k], chunk[2 * k + 1]]).collect();
                sum(&pairs(&column, 2, statistics.unit()))
            };
            (0..self.numbers).map(number).collect()
        };
        Ok(parts.chunks(statistics.replica_chunks * words).map(replica).collect())
    }
}

/// sum_k z_k 2^shift_k, of pairs (shift, z), which overflows only where it must.
fn sum(parts: &[(f64, f64)]) -> f64 {
    let highest = parts.iter().map(|(shift, _)| *shift).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = parts.iter().map(|(shift, z)| (shift - highest).exp2() * z).sum();
    let half = (0.5 * highest).floor();
    sum * half.exp2() * (highest - half).exp2()
}
