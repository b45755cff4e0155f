//! One reduction of the queries of a segment over the keys of another, cut into dispatches.

use super::parts::Parts;
use crate::backend::gpu::{
    engine::{pipelines::BoundKernel, recorder::Recorder},
    kernels::{constants::Constants, params, sizes::WIDE_QUERIES},
    layout::{segments::Segment, tune},
};
use crate::{
    backend::BackendError,
    model::{Attention, Mask},
};

/// More than any number of tokens.
const FAR: i32 = 1 << 30;

/// Which sources a query attends to, by mask and window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisibleSources {
    mask: Mask,
    window: Option<usize>,
}

impl VisibleSources {
    pub fn of(attention: &Attention) -> VisibleSources {
        VisibleSources { mask: attention.mask, window: attention.window }
    }

    /// All of them.
    pub fn all() -> VisibleSources {
        VisibleSources { mask: Mask::None, window: None }
    }

    /// The same for queries and keys of two segments.
    pub fn between(self, queries: &Segment, keys: &Segment) -> SourceRange {
        SourceRange {
            reach: reach(self.mask, queries, keys),
            ahead: queries.first_token as i32 - keys.first_token as i32,
            // Beyond any source, and far from overflow when a query's number is added.
            window: self.window.map_or(FAR, |window| window.min(FAR as usize) as i32),
            others: u32::from(self.mask == Mask::Others),
        }
    }
}

/// The same as parameters of kernels.
pub struct SourceRange {
    pub reach: i32,
    pub ahead: i32,
    pub window: i32,
    pub others: u32,
}

/// Whether partials hold something already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partial {
    Fresh,
    Continued,
}

/// What is done with the scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReductionOutput {
    /// They are weighed and summed.
    Sums,
    /// The largest of each query is sought.
    Extremes,
    /// Their sigmoids are summed.
    Sigmoids,
    /// They are weighed, and the weights are summed, in replicas whose residual exceeds the tolerance.
    HalfStep { residuals_at: usize, tolerance: f32 },
}

/// The sizes of a head that all its reductions share.
#[derive(Clone, Copy, Debug)]
pub struct ReductionSizes {
    pub constants: Constants,
    /// Slices of the keys, and queries of a workgroup.
    pub slices: usize,
    pub group_queries: usize,
    /// Multiply-adds of a pair beside the exponential.
    pub width: usize,
    /// What scores are multiplied by, and a fixed shift.
    pub scale: f32,
    pub shift: f32,
}

impl ReductionSizes {
    /// The same in a kernel for wide tokens.
    pub fn wide(self) -> ReductionSizes {
        ReductionSizes { group_queries: WIDE_QUERIES as usize, ..self }
    }
}

pub struct Reduction<'a> {
    pub bound: &'a BoundKernel<params::Reduce>,
    pub queries: &'a Segment,
    pub keys: &'a Segment,
    pub visible: VisibleSources,
    pub partial: Partial,
    pub output: ReductionOutput,
}

impl Reduction<'_> {
    pub fn record(&self, recorder: &mut Recorder, sizes: &ReductionSizes) -> Result<(), BackendError> {
        let Reduction { queries, keys, visible, .. } = self;
        let ReductionSizes { constants, slices, group_queries, .. } = sizes;
        let blocks = queries.tokens.div_ceil(*group_queries);
        let groups = (queries.replicas * slices * blocks) as u64;
        // The exponential is about eight multiply-adds.
        let work = (group_queries * (sizes.width + 8)) as f64;
        let slice_keys = tune::slice_keys(keys.sources, *slices, constants);
        let (most_pairs, most_groups) = (recorder.dispatch_work() / work, recorder.dispatch_groups());
        let (residuals_at, tolerance) = match self.output {
            ReductionOutput::HalfStep { residuals_at, tolerance } => (residuals_at as u32, tolerance),
            ReductionOutput::Sums | ReductionOutput::Extremes | ReductionOutput::Sigmoids => (0, 0.0),
        };
        let range = visible.between(queries, keys);
        for part in Parts::new(groups, slice_keys, constants.chunk as usize, most_pairs, most_groups) {
            let params = params::Reduce {
                first_group: part.groups.start as u32,
                end_group: part.groups.end as u32,
                blocks: blocks as u32,
                slices: *slices as u32,
                queries: queries.tokens as u32,
                rows: queries.rows() as u32,
                sources: keys.sources as u32,
                key_rows: keys.tokens as u32,
                slice_keys: slice_keys as u32,
                first_key: part.keys.start as u32,
                end_key: part.keys.end as u32,
                fresh: u32::from(self.partial == Partial::Fresh && part.keys.start == 0),
                scale: sizes.scale,
                shift: sizes.shift,
                reach: range.reach,
                ahead: range.ahead,
                window: range.window,
                others: range.others,
                seeks: u32::from(self.output == ReductionOutput::Extremes),
                residuals_at,
                tolerance,
                sigmoid: u32::from(self.output == ReductionOutput::Sigmoids),
            };
            let groups = part.groups.end - part.groups.start;
            recorder.record(self.bound, &params, groups, groups as f64 * part.keys.len() as f64 * work)?;
            if let ReductionOutput::HalfStep { .. } = self.output {
                recorder.mark_skippable();
            }
        }
        Ok(())
    }
}

/// How many more of the sources of `keys` than its own number in `queries` a query attends to under `mask`.
pub fn reach(mask: Mask, queries: &Segment, keys: &Segment) -> i32 {
    let ahead = queries.first_token as i32 - keys.first_token as i32;
    match mask {
        // Beyond any source, and far from overflow when a query's number is added.
        Mask::None | Mask::Others => FAR,
        Mask::Causal => ahead + 1,
        Mask::StrictlyCausal => ahead,
    }
}
