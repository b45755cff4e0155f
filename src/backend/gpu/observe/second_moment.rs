//! The second moment: d^2 numbers a chunk, so its chunks are as few as keep the reading small.

use super::observed::Observed;
use crate::backend::gpu::{
    engine::{
        allocation::AllocationScope,
        pipelines::{BoundKernel, Pipeline},
        readback::Readback,
        recorder::Recorder,
    },
    kernels::{declared, params, sizes::EDGE},
    layout::token_buffers::{SegmentBuffers, TokenBuffers},
};
use crate::{backend::BackendError, tokens::Shape};

/// Tokens of a chunk at least.
const CHUNK_ROWS: usize = 4096;
/// Entries of all chunks together, unless one chunk a replica is more.
const ENTRIES: usize = 1 << 20;

/// Tokens that are read back at a time.
const HOST_ROWS: usize = 1 << 14;

/// The chunks of one segment.
struct Site {
    chunks: usize,
    chunk_rows: usize,
    first_chunk: usize,
    bound: BoundKernel<params::SecondMoment>,
}

pub struct SecondMoments {
    sites: Vec<Site>,
    moments: wgpu::Buffer,
    chunks: usize,
    shape: Shape,
}

impl SecondMoments {
    fn new(scope: &AllocationScope, observed: &Observed<'_>) -> Result<SecondMoments, BackendError> {
        let Observed { shape, constants, buffers, ref recorder, .. } = *observed;
        let square = shape.dim * shape.dim;
        let affordable = ENTRIES / (square * shape.replicas * buffers.segments.len());
        let division = |tokens: usize| {
            let chunks = tokens.div_ceil(CHUNK_ROWS).min(affordable.max(1));
            let chunk_rows = tokens.div_ceil(chunks);
            (tokens.div_ceil(chunk_rows), chunk_rows)
        };
        let chunks: usize = buffers
            .segments
            .iter()
            .map(|segment_buffers| segment_buffers.segment.replicas * division(segment_buffers.segment.tokens).0)
            .sum();
        let bytes = (chunks * square * 4) as u64;
        let device = scope.device();
        let limits = device.device.limits();
        device.within("max_storage_buffer_binding_size", bytes, limits.max_storage_buffer_binding_size)?;
        let moments = scope.buffer("second moments", bytes);
        let pipeline = Pipeline::<declared::SecondMoment>::new(device, constants);
        let mut first_chunk = 0;
        let mut sites = Vec::new();
        for segment_buffers in &buffers.segments {
            let (chunks, chunk_rows) = division(segment_buffers.segment.tokens);
            let bound = pipeline.bind(
                device,
                recorder.uniforms(),
                [&segment_buffers.state, &segment_buffers.weights, &moments],
            );
            sites.push(Site { chunks, chunk_rows, first_chunk, bound });
            first_chunk += segment_buffers.segment.replicas * chunks;
        }
        Ok(SecondMoments { sites, moments, chunks, shape })
    }

    /// Records the second moments of the state.
    pub fn record(&self, recorder: &mut Recorder, buffers: &TokenBuffers) -> Result<(), BackendError> {
        let squares = (self.shape.dim as u32).div_ceil(EDGE).pow(2);
        for (site, segment_buffers) in self.sites.iter().zip(&buffers.segments) {
            let groups = u64::from(squares) * (segment_buffers.segment.replicas * site.chunks) as u64;
            let work = segment_buffers.rows() as f64 * f64::from(squares * EDGE * EDGE);
            recorder.record_parts(&site.bound, groups, work, |part| params::SecondMoment {
                first_group: part.start,
                end_group: part.end,
                chunks: site.chunks as u32,
                rows: segment_buffers.segment.tokens as u32,
                chunk_rows: site.chunk_rows as u32,
                first_chunk: site.first_chunk as u32,
            })?;
        }
        Ok(())
    }

    /// Reads what was recorded: for every replica sum_j w_j x_j x_j^T, row-major. Weights are relative to 1 / sources
    /// on the device.
    pub async fn read(&self, recorder: &mut Recorder, readback: &Readback) -> Result<Vec<Vec<f64>>, BackendError> {
        let square = self.shape.dim * self.shape.dim;
        let unit = 1.0 / self.shape.sources() as f64;
        let entries = readback.numbers(recorder, &self.moments, 0, self.chunks * square).await?;
        let replica_chunks = self.chunks / self.shape.replicas;
        let replica = |chunks: &[f32]| {
            let entry = |k| unit * chunks.chunks(square).map(|chunk| f64::from(chunk[k])).sum::<f64>();
            (0..square).map(entry).collect()
        };
        Ok(entries.chunks(replica_chunks * square).map(replica).collect())
    }
}

/// The second moment of every replica.
pub async fn second_moments(
    laid_out: &mut Option<SecondMoments>,
    observed: &mut Observed<'_>,
) -> Result<Vec<Vec<f64>>, BackendError> {
    if laid_out.is_none() {
        let lay_out = |scope: &AllocationScope| SecondMoments::new(scope, observed);
        *laid_out = AllocationScope::afford(observed.device, lay_out).await?;
    }
    let Some(moments) = laid_out else { return of_tokens(observed).await };
    moments.record(observed.recorder, observed.buffers)?;
    moments.read(observed.recorder, observed.readback).await
}

/// The same of tokens that are read back, where the device has no room for the moments of its chunks.
async fn of_tokens(observed: &mut Observed<'_>) -> Result<Vec<Vec<f64>>, BackendError> {
    let Observed { shape, constants, buffers, ref mut recorder, readback, .. } = *observed;
    let (dim, padded) = (shape.dim, 4 * constants.width() as usize);
    let unit = 1.0 / shape.sources() as f64;
    let mut moments = vec![vec![0.0; dim * dim]; shape.replicas];
    for SegmentBuffers { segment, state, weights, .. } in &buffers.segments {
        let rows = segment.rows();
        for first in (0..rows).step_by(HOST_ROWS) {
            let count = HOST_ROWS.min(rows - first);
            let tokens = readback.numbers(recorder, state, first * padded, count * padded).await?;
            // A weight and its logarithm.
            let weights = readback.numbers(recorder, weights, 2 * first, 2 * count).await?;
            for (row, (x, weight)) in tokens.chunks_exact(padded).zip(weights.chunks_exact(2)).enumerate() {
                let replica = segment.first_replica + (first + row) / segment.tokens;
                for (sums, x_k) in moments[replica].chunks_exact_mut(dim).zip(x) {
                    let share = unit * f64::from(weight[0]) * f64::from(*x_k);
                    sums.iter_mut().zip(x).for_each(|(sum, x_l)| *sum += share * f64::from(*x_l));
                }
            }
        }
    }
    Ok(moments)
}
