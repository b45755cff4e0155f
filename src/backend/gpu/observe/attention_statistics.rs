//! Entropy, largest weight and gap of rows of attention, for a sample of tokens, from the queries and keys that the reduction makes.

use std::{f64::consts::LN_2, ops::Range};

use super::observed::Observed;
use crate::backend::gpu::{
    engine::{
        allocation::AllocationScope,
        pipelines::{BoundKernel, Pipeline},
        readback::Readback,
        recorder::Recorder,
    },
    field::{bindings::KeyPass, velocity::Velocity},
    kernels::{
        constants::Constants,
        declared, params,
        sizes::{MASKED_SCORE, THREADS},
    },
    layout::{
        points::View,
        token_buffers::{SegmentBuffers, TokenBuffers},
    },
};
use crate::{
    backend::{BackendError, Point},
    observables::{
        Among,
        attention::{Row, drawn_rows},
    },
    tokens::Shape,
};

/// Keys of one workgroup at most: as many terms a thread as stay exact.
const SLICE_KEYS: usize = 64 * THREADS as usize;

/// Entropy, largest weight and gap, means over heads and rows of a sample, for every replica; unless rows have no largest weight
/// of their own, or the results do not fit the device.
///
/// A score is right to about 1e-7 of the largest there is, and so are the logarithms of weights that follow from it.
pub async fn attention(
    laid_out: &mut Option<AttentionStatistics>,
    observed: &mut Observed<'_>,
    sample: RowSample,
) -> Result<Option<Vec<Vec<f64>>>, BackendError> {
    let normalization = observed.velocity.normalization;
    if !normalization.takes_one_reduction() {
        return Ok(None);
    }
    if laid_out.as_ref().is_none_or(|attention_statistics| attention_statistics.sample != sample) {
        let lay_out = |scope: &AllocationScope| Ok(AttentionStatistics::new(scope, observed, sample));
        *laid_out = AllocationScope::afford(observed.device, lay_out).await?.flatten();
    }
    let Some(attention_statistics) = laid_out else { return Ok(None) };
    attention_statistics.record(observed.recorder, observed.buffers, observed.velocity)?;
    attention_statistics.read(observed.recorder, observed.readback).await.map(Some)
}

/// Which rows are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RowSample {
    pub rows: usize,
    pub of: Among,
    pub seed: u64,
}

/// The rows of one segment under one head, over the keys of a segment.
struct Site {
    view: View,
    /// The keys, by their number among the segments that the queries attend to.
    keys: usize,
    /// Slices of the keys, and where their results start.
    slices: usize,
    at: usize,
    bound: BoundKernel<params::AttentionStatistics>,
}

pub struct AttentionStatistics {
    sample: RowSample,
    replicas: usize,
    sites: Vec<Site>,
    /// Of each segment the replicas of its rows.
    owners: Vec<Vec<usize>>,
    found: wgpu::Buffer,
    end: usize,
}

impl AttentionStatistics {
    /// None if there are no rows, or their results do not fit the device.
    fn new(scope: &AllocationScope, observed: &Observed<'_>, sample: RowSample) -> Option<AttentionStatistics> {
        let Observed { shape, constants, buffers, velocity, ref recorder, .. } = *observed;
        let range = |segment_buffers: &SegmentBuffers| segment_buffers.segment.range(shape);
        let chosen: Vec<Vec<usize>> =
            buffers.segments.iter().map(|segment_buffers| chosen(shape, range(segment_buffers), sample)).collect();
        let mut end = 0;
        let mut places = Vec::new();
        for head in 0..velocity.heads() {
            for (segment, rows) in chosen.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
                let view = View { point: Point::State, segment, head };
                for (keys, pass) in velocity.pass(view).1.keys.iter().enumerate() {
                    let slices = buffers.segments[pass.segment].segment.sources.div_ceil(SLICE_KEYS);
                    places.push((view, keys, slices, end));
                    end += rows.len() * slices;
                }
            }
        }
        let device = scope.device();
        let limits = device.device.limits();
        let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(16 * u64::from(u32::MAX));
        let bytes = 16 * end as u64;
        if bytes == 0 || bytes > most {
            return None;
        }
        let found = scope.buffer("found", bytes);
        let words = |rows: &Vec<usize>| rows.iter().map(|row| *row as u32).collect::<Vec<u32>>();
        let lists: Vec<_> = chosen.iter().map(|rows| scope.upload("chosen", &words(rows))).collect();
        let site = |(view, keys, slices, at): (View, usize, usize, usize)| {
            let (layout, pass) = velocity.pass(view);
            let own = Constants { inner: layout.key_dim as u32, ..*constants };
            let [queries, key_rows, weights] = &pass.keys[keys].read;
            let storage = [queries, key_rows, weights, &lists[view.segment], &found];
            let bound = Pipeline::<declared::AttentionStatistics>::new(device, &own).bind(
                device,
                recorder.uniforms(),
                storage,
            );
            Site { view, keys, slices, at, bound }
        };
        let sites = places.into_iter().map(site).collect();
        let owner = |segment_buffers: &SegmentBuffers, rows: &Vec<usize>| -> Vec<usize> {
            rows.iter()
                .map(|row| segment_buffers.segment.first_replica + row / segment_buffers.segment.tokens)
                .collect()
        };
        let owners = buffers
            .segments
            .iter()
            .zip(&chosen)
            .map(|(segment_buffers, rows)| owner(segment_buffers, rows))
            .collect();
        Some(AttentionStatistics { sample, replicas: shape.replicas, sites, owners, found, end })
    }

    /// Records the rows of the state, whatever the mask and the positions.
    fn record(
        &self,
        recorder: &mut Recorder,
        buffers: &TokenBuffers,
        velocity: &Velocity,
    ) -> Result<(), BackendError> {
        velocity.normalize_inputs(recorder, buffers, Point::State)?;
        for site in &self.sites {
            let (layout, pass) = velocity.pass(site.view);
            let queries = &buffers.segments[site.view.segment].segment;
            let KeyPass { segment, key, .. } = &pass.keys[site.keys];
            let keys = &buffers.segments[*segment].segment;
            // Both are scratch that all heads and segments share.
            if let (Some(query), 0) = (&pass.query, site.keys) {
                query.record(recorder, queries.rows())?;
            }
            if let Some(key) = key {
                key.record(recorder, keys.rows())?;
            }
            let range = velocity.visible.between(queries, keys);
            let groups = (self.owners[site.view.segment].len() * site.slices) as u64;
            // An exponential is about eight multiply-adds, and a token is not read twice.
            let work = groups as f64 * (keys.sources.min(SLICE_KEYS) * (2 * layout.key_dim + 32)) as f64;
            recorder.record_parts(&site.bound, groups, work, |part| params::AttentionStatistics {
                first_group: part.start,
                end_group: part.end,
                slices: site.slices as u32,
                slice_keys: SLICE_KEYS as u32,
                sources: keys.sources as u32,
                key_rows: keys.tokens as u32,
                queries: queries.tokens as u32,
                at: site.at as u32,
                scale: layout.score_scale(),
                reach: range.reach,
                ahead: range.ahead,
                window: range.window,
                others: range.others,
            })?;
        }
        Ok(())
    }

    /// Reads what was recorded, and joins it.
    async fn read(&self, recorder: &mut Recorder, readback: &Readback) -> Result<Vec<Vec<f64>>, BackendError> {
        let numbers = readback.numbers(recorder, &self.found, 0, 4 * self.end).await?;
        let mut rows: Vec<Vec<Row>> = (0..self.replicas).map(|_| Vec::new()).collect();
        for of_row in self.sites.chunk_by(|a, b| a.view == b.view) {
            for (index, owner) in self.owners[of_row[0].view.segment].iter().enumerate() {
                let slices = of_row
                    .iter()
                    .flat_map(|site| (0..site.slices).map(|slice| site.at + index * site.slices + slice));
                let parts = slices.map(|at| [0, 1, 2, 3].map(|k| f64::from(numbers[4 * at + k])));
                rows[*owner].extend(row(&parts.collect::<Vec<_>>()));
            }
        }
        Ok(rows.iter().map(|rows| Row::means(rows).to_vec()).collect())
    }
}

/// The rows of a segment, counted from its first, that a sample has among the `range` of all.
fn chosen(shape: Shape, range: Range<usize>, RowSample { rows, of, seed }: RowSample) -> Vec<usize> {
    let of_replica = |replica| {
        let drawn = drawn_rows(of.range(shape), replica, rows, seed).into_iter();
        drawn.map(move |token| replica * shape.count + token)
    };
    let replicas = range.start / shape.count..range.end.div_ceil(shape.count);
    replicas.flat_map(of_replica).filter(|row| range.contains(row)).map(|row| row - range.start).collect()
}

/// What the slices of a row say together, each the two largest logarithms of weights to base two, and with the first of them as the
/// unit the sum of all weights, and the sum of their logarithms times themselves; nothing of a row without weights.
fn row(slices: &[[f64; 4]]) -> Option<Row> {
    let is_visible = |log: f64| log > 0.5 * f64::from(MASKED_SCORE);
    let first = slices.iter().map(|slice| slice[0]).fold(f64::NEG_INFINITY, f64::max);
    let leader = slices.iter().position(|slice| slice[0] == first)?;
    let others = slices.iter().enumerate().filter(|(index, _)| *index != leader).map(|(_, slice)| slice[0]);
    let second = slices.iter().map(|slice| slice[1]).chain(others).fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut product) = (0.0, 0.0);
    for slice in slices.iter().filter(|slice| is_visible(slice[0])) {
        let down = slice[0] - first;
        sum += down.exp2() * slice[2];
        product += down.exp2() * (slice[3] + down * slice[2]);
    }
    is_visible(first).then(|| Row {
        entropy: sum.ln() - LN_2 * product / sum,
        largest: 1.0 / sum,
        gap: is_visible(second).then_some(LN_2 * (first - second)),
    })
}
