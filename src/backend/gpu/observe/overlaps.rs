//! The histogram of overlaps of all pairs, counted on the device.
//!
//! Only equal weights are counted here, as whole numbers of pairs. Single precision would lose small ones among many
//! pairs whose weights differ, so those are left to the host, as is a histogram of pairs that are drawn.

use super::observed::Observed;
use crate::backend::gpu::{
    engine::{
        allocation::AllocationScope,
        pipelines::{BoundKernel, Pipeline},
        readback::Readback,
        recorder::Recorder,
    },
    kernels::{
        declared, params,
        sizes::{OVERLAP_BINS, OVERLAP_COLUMNS, OVERLAP_ROWS},
    },
    layout::token_buffers::{SegmentBuffers, TokenBuffers},
};
use crate::{
    backend::BackendError,
    tokens::{Shape, Tokens, Weights},
};

/// The most tokens of positive weight in a replica, if in every replica all of these have the same.
pub fn most_alike(tokens: &Tokens) -> Option<usize> {
    let shape = tokens.shape;
    let Weights::Each(weights) = &tokens.weights else { return Some(shape.sources()) };
    let mut most = 0;
    for replica in weights.chunks_exact(shape.count) {
        let mut weights = replica[..shape.sources()].iter().filter(|weight| **weight > 0.0);
        let first = weights.next()?;
        let mut count = 1;
        for weight in weights {
            if weight != first {
                return None;
            }
            count += 1;
        }
        most = most.max(count);
    }
    Some(most)
}

/// For every replica, whose tokens of positive weight have the same weight each; unless the histogram does not fit the device.
pub async fn overlap_histograms(
    laid_out: &mut Option<Overlaps>,
    observed: &mut Observed<'_>,
    bins: usize,
) -> Result<Option<Vec<Vec<f64>>>, BackendError> {
    if laid_out.as_ref().is_none_or(|overlaps| overlaps.bins != bins) {
        // What was laid out before makes room.
        *laid_out = None;
        let lay_out = |scope: &AllocationScope| Ok(Overlaps::new(scope, observed, bins));
        *laid_out = AllocationScope::afford(observed.device, lay_out).await?.flatten();
    }
    let Some(overlaps) = laid_out else { return Ok(None) };
    overlaps.record(observed.recorder, observed.buffers)?;
    overlaps.read(observed.recorder, observed.readback).await.map(Some)
}

/// The pairs of a segment with itself, or with one behind it.
struct Site {
    rows: usize,
    columns: usize,
    bound: BoundKernel<params::Overlaps>,
}

pub struct Overlaps {
    pub bins: usize,
    sites: Vec<Site>,
    reciprocals: Vec<BoundKernel<params::Reciprocal>>,
    /// For every replica two words a bin, the lower first, and two more for tokens that are no directions.
    counts: wgpu::Buffer,
    shape: Shape,
    width: usize,
}

impl Overlaps {
    /// None if so many bins or replicas do not fit the device.
    pub fn new(scope: &AllocationScope, observed: &Observed<'_>, bins: usize) -> Option<Overlaps> {
        let Observed { shape, constants, buffers, ref recorder, .. } = *observed;
        let bytes = (shape.replicas * (bins + 1) * 8) as u64;
        let groups = |segment_buffers: &SegmentBuffers| {
            let tokens = segment_buffers.segment.tokens as u64;
            segment_buffers.segment.replicas as u64
                * tokens.div_ceil(OVERLAP_ROWS.into())
                * tokens.div_ceil(OVERLAP_COLUMNS.into())
        };
        let countable = buffers.segments.iter().all(|segment_buffers| groups(segment_buffers) <= u32::MAX.into());
        let device = scope.device();
        let limits = device.device.limits();
        let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        if bins > OVERLAP_BINS as usize || bytes > most || !countable {
            return None;
        }
        let counts = scope.buffer("counts", bytes);
        let factors: Vec<_> = buffers
            .segments
            .iter()
            .map(|segment_buffers| scope.buffer("factors", 4 * segment_buffers.rows() as u64))
            .collect();
        let reciprocal = Pipeline::<declared::Reciprocal>::new(device, constants);
        let overlaps = Pipeline::<declared::Overlaps>::new(device, constants);
        let bind = |(segment_buffers, factors): (&SegmentBuffers, &wgpu::Buffer)| {
            reciprocal.bind(
                device,
                recorder.uniforms(),
                [&segment_buffers.state, &segment_buffers.weights, factors, &counts],
            )
        };
        let reciprocals = buffers.segments.iter().zip(&factors).map(bind).collect();
        let mut sites = Vec::new();
        for (rows, left) in buffers.segments.iter().enumerate() {
            for (columns, right) in buffers.segments.iter().enumerate().skip(rows) {
                if right.segment.first_replica != left.segment.first_replica {
                    break;
                }
                let storage = [&left.state, &factors[rows], &right.state, &factors[columns], &counts];
                sites.push(Site { rows, columns, bound: overlaps.bind(device, recorder.uniforms(), storage) });
            }
        }
        Some(Overlaps { bins, sites, reciprocals, counts, shape, width: constants.width() as usize })
    }

    /// Records the counts of the state.
    pub fn record(&self, recorder: &mut Recorder, buffers: &TokenBuffers) -> Result<(), BackendError> {
        recorder.clear(&self.counts)?;
        for (bound, segment_buffers) in self.reciprocals.iter().zip(&buffers.segments) {
            let rows = segment_buffers.rows();
            let params = params::Reciprocal {
                rows: rows as u32,
                tokens: segment_buffers.segment.tokens as u32,
                first_replica: segment_buffers.segment.first_replica as u32,
                bins: self.bins as u32,
            };
            recorder.record_rows(bound, &params, rows, (rows * self.width * 8) as f64)?;
        }
        self.sites.iter().try_for_each(|site| self.count(site, recorder, buffers))
    }

    fn count(&self, site: &Site, recorder: &mut Recorder, buffers: &TokenBuffers) -> Result<(), BackendError> {
        let [left, right] = [site.rows, site.columns].map(|segment| &buffers.segments[segment].segment);
        let blocks = left.tokens.div_ceil(OVERLAP_ROWS as usize);
        let strips = right.tokens.div_ceil(OVERLAP_COLUMNS as usize);
        let groups = (left.replicas * blocks * strips) as u64;
        // A pair and its bin are about eight multiply-adds beside its product.
        let pairs = f64::from(OVERLAP_ROWS) * right.tokens.min(OVERLAP_COLUMNS as usize) as f64;
        let work = groups as f64 * pairs * (4 * self.width + 8) as f64;
        recorder.record_parts(&site.bound, groups, work, |part| params::Overlaps {
            first_group: part.start,
            end_group: part.end,
            blocks: blocks as u32,
            strips: strips as u32,
            rows: left.tokens as u32,
            columns: right.tokens as u32,
            first_replica: left.first_replica as u32,
            halved: u32::from(site.rows == site.columns),
            bins: self.bins as u32,
        })
    }

    /// Reads what was recorded: for every replica the share of pairs in each bin; not numbers where there are no two tokens,
    /// or where one of them has no direction.
    pub async fn read(&self, recorder: &mut Recorder, readback: &Readback) -> Result<Vec<Vec<f64>>, BackendError> {
        let words = 2 * (self.bins + 1);
        let counts: Vec<u32> = readback.words(recorder, &self.counts, 0, words * self.shape.replicas).await?;
        let shares = |replica: &[u32]| {
            let counts: Vec<u64> =
                replica.chunks(2).map(|word| u64::from(word[0]) | u64::from(word[1]) << 32).collect();
            let (counts, lost) = (&counts[..self.bins], counts[self.bins]);
            let total = if lost == 0 { counts.iter().sum::<u64>() as f64 } else { f64::NAN };
            counts.iter().map(|count| *count as f64 / total).collect()
        };
        Ok(counts.chunks(words).map(shares).collect())
    }
}
