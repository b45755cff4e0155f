//! Attention whose rows and columns are both stochastic: Sinkhorn's iterations, each half of which is the one reduction.
//!
//! With scores s_ij in base two and potentials f, g, rows are normalized by f_i = -log2 sum_j w_j 2^{s_ij + g_j} and columns by
//! g_j = -log2 sum_i w_i 2^{s_ij + f_i}, over sources. What is kept is log2 w + g: the softmax with it for log-weights
//! normalizes rows last ("Sinkformers", arXiv:2110.11773). That sums here count weights in units of their mean cancels between
//! the halves. Nothing is read back: a replica that is balanced to the tolerance is passed over by all further iterations. After the
//! last one the marginals of those that are not are measured once more.

use super::{
    bindings::{Bindings, Operand},
    duals::{Duals, Side},
    reduction::{Partial, Reduction, ReductionOutput, ReductionSizes, VisibleSources},
};
use crate::backend::gpu::{
    engine::{
        pipelines::{BoundKernel, Pipeline},
        recorder::Recorder,
    },
    kernels::{codes::SinkhornPhase, constants::Constants, declared, params},
    layout::{points::POINTS, token_buffers::TokenBuffers},
};
use crate::backend::{BackendError, Point};

/// What is dispatched for one segment at one point; arrays are by the side whose sums are taken.
struct Site {
    segment: usize,
    operands: [Option<Operand>; 2],
    /// The segments of the other side, and the reduction over each.
    halves: [Vec<(usize, BoundKernel<params::Reduce>)>; 2],
    potentials: [BoundKernel<params::Potential>; 2],
}

/// Half an iteration: the side whose sums are taken.
#[derive(Clone, Copy)]
struct Half {
    side: Side,
    iteration: u32,
}

/// The iterations of one head.
pub struct Balance {
    iterations: u32,
    /// Of natural logarithms of column sums.
    tolerance: f32,
    replicas: usize,
    /// Vectors of a partial.
    stride: usize,
    /// By point; segments without sources have no site.
    sites: [Vec<Site>; 2],
}

impl Balance {
    pub fn new(bindings: &Bindings, wide: &Constants, duals: &Duals, iterations: u32, tolerance: f64) -> Balance {
        let Bindings { device, keys: buffers, recorder, .. } = *bindings;
        let half_step = Pipeline::<declared::HalfStep>::new(device, wide);
        let potential = Pipeline::<declared::Potential>::new(device, wide);
        let uniforms = recorder.uniforms();
        let with_sources = |segment: &usize| buffers.segments[*segment].segment.sources > 0;
        let site = |segment: usize, point: Point| {
            let own = &buffers.segments[segment];
            let halves = Side::BOTH.map(|side| {
                let others =
                    (0..buffers.segments.len()).filter(|other| own.segment.sees(&buffers.segments[*other].segment));
                let half = |other: usize| {
                    let (queries, keys) =
                        (bindings.rows(segment, point, side), bindings.rows(other, point, side.other()));
                    let weights = &duals.of[side.other() as usize][other];
                    half_step.bind(device, uniforms, [queries, keys, weights, &buffers.partials, &duals.residuals])
                };
                others.map(|other| (other, half(other))).collect()
            });
            let potentials = Side::BOTH.map(|side| {
                let dual = &duals.of[side as usize][segment];
                potential.bind(
                    device,
                    uniforms,
                    [&buffers.partials, own.biases_of(bindings.head()), dual, &duals.residuals],
                )
            });
            let operands = Side::BOTH.map(|side| bindings.operand_of(segment, point, side));
            Site { segment, operands, halves, potentials }
        };
        let sites =
            |point| (0..buffers.segments.len()).filter(with_sources).map(|segment| site(segment, point)).collect();
        let (stride, sites) = (wide.width() as usize + 1, POINTS.map(sites));
        Balance { iterations, tolerance: tolerance as f32, replicas: duals.replicas, stride, sites }
    }

    /// Records the potentials of the keys at `point`, whose inputs are recorded.
    pub fn record(
        &self,
        recorder: &mut Recorder,
        buffers: &TokenBuffers,
        point: Point,
        sizes: &ReductionSizes,
    ) -> Result<(), BackendError> {
        let sites = &self.sites[point as usize];
        for site in sites {
            self.potential(recorder, buffers, site, Side::Keys, SinkhornPhase::Start, 0)?;
        }
        for iteration in 0..=self.iterations {
            for side in Side::BOTH {
                let half = match side {
                    Side::Queries => SinkhornPhase::Rows,
                    Side::Keys => SinkhornPhase::Columns,
                };
                for site in sites {
                    self.half_step(recorder, buffers, sites, site, Half { side, iteration }, sizes)?;
                    self.potential(recorder, buffers, site, side, half, iteration)?;
                }
            }
            let end = if iteration == self.iterations { SinkhornPhase::Last } else { SinkhornPhase::End };
            for site in sites {
                self.potential(recorder, buffers, site, Side::Keys, end, iteration)?;
            }
        }
        Ok(())
    }

    /// Records the sums of one segment over the other side.
    fn half_step(
        &self,
        recorder: &mut Recorder,
        buffers: &TokenBuffers,
        sites: &[Site],
        site: &Site,
        Half { side, iteration }: Half,
        sizes: &ReductionSizes,
    ) -> Result<(), BackendError> {
        let make = |recorder: &mut Recorder, site: &Site, side: Side| match &site.operands[side as usize] {
            Some(operand) => operand.record(recorder, buffers.segments[site.segment].rows()),
            None => Ok(()),
        };
        make(recorder, site, side)?;
        let queries = &buffers.segments[site.segment].segment;
        let mut partial = Partial::Fresh;
        for (other, bound) in &site.halves[side as usize] {
            for other in sites.iter().filter(|site| site.segment == *other) {
                make(recorder, other, side.other())?;
            }
            let keys = &buffers.segments[*other].segment;
            let residuals_at = self.residuals_at(iteration + 1) + queries.first_replica;
            let output = ReductionOutput::HalfStep { residuals_at, tolerance: self.tolerance };
            Reduction { bound, queries, keys, visible: VisibleSources::all(), partial, output }
                .record(recorder, sizes)?;
            partial = Partial::Continued;
        }
        Ok(())
    }

    /// Records a phase that follows the sums of a segment.
    fn potential(
        &self,
        recorder: &mut Recorder,
        buffers: &TokenBuffers,
        site: &Site,
        side: Side,
        phase: SinkhornPhase,
        iteration: u32,
    ) -> Result<(), BackendError> {
        let segment = &buffers.segments[site.segment].segment;
        let rows = segment.rows();
        let params = params::Potential {
            rows: rows as u32,
            slices: buffers.slices as u32,
            stride: self.stride as u32,
            tokens: segment.tokens as u32,
            sources: segment.sources as u32,
            phase,
            last_at: (self.residuals_at(iteration + 1) + segment.first_replica) as u32,
            next_at: (self.residuals_at(iteration) + segment.first_replica) as u32,
            worst_at: (2 * self.replicas + segment.first_replica) as u32,
            tolerance: self.tolerance,
        };
        recorder.record_rows(&site.potentials[side as usize], &params, rows, (rows * 16) as f64)
    }

    /// Where the residuals of an iteration start: iterations take turns.
    fn residuals_at(&self, iteration: u32) -> usize {
        (iteration % 2) as usize * self.replicas
    }
}
