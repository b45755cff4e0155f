//! The velocity: for every head a reduction of all queries over all keys, then its output; then the perceptron, and what
//! the geometry makes of the sum.

use super::{
    balance::Balance,
    bindings::{Bindings, HeadBuffers, KeyPass, Pass},
    duals::Duals,
    heads::{HeadInputs, HeadLayout},
    motion::Motion,
    perceptron::Perceptron,
    project::{Linear, MaskedRows, Rows, Sum},
    reduction::{Partial, Reduction, ReductionOutput, ReductionSizes, VisibleSources},
    replica_betas::ReplicaBetas,
};
use crate::backend::gpu::{
    engine::{allocation::AllocationScope, device::Device, readback::Readback, recorder::Recorder},
    harmonic::series::Series,
    kernels::{
        constants::Constants,
        params,
        sizes::{THREADS, WIDE_QUERIES},
    },
    layout::{
        points::{POINTS, View},
        token_buffers::TokenBuffers,
        tune,
    },
};
use crate::{
    backend::{BackendError, Point},
    model::{Field, Model, Normalization},
    problem::Problem,
};

/// What sums over keys are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The field, under mask and window and with weights as positions make them.
    Field,
    /// The energy of all pairs.
    Energy,
}

/// One head: its layout, and its passes by point and segment.
struct Head {
    layout: HeadLayout<Linear>,
    /// Present where replicas have betas of their own.
    replica_betas: Option<ReplicaBetas>,
    /// Queries of one workgroup of the reduction.
    group_queries: usize,
    /// Present where rows and columns are normalized in turn.
    duals: Option<Duals>,
    balance: Option<Balance>,
    passes: [Vec<Pass>; 2],
}

pub struct Velocity {
    inputs: HeadInputs,
    constants: Constants,
    pub normalization: Normalization,
    pub visible: VisibleSources,
    heads: Vec<Head>,
    pub motion: Motion,
    /// Present where the model has one.
    pub perceptron: Option<Perceptron>,
    /// Present as long as sums over keys are taken by harmonics.
    pub series: Option<Series>,
}

/// One reduction among those that make the partials of a view.
struct Step<'a> {
    purpose: Purpose,
    sizes: &'a ReductionSizes,
    output: ReductionOutput,
    partial: Partial,
}

/// The tokens at which the field is evaluated, and the tokens that make it.
///
/// They are the same, but where a sample of tokens is checked.
#[derive(Clone, Copy)]
pub struct QueriesAndKeys<'a> {
    pub queries: &'a TokenBuffers,
    pub keys: &'a TokenBuffers,
}

impl<'a> QueriesAndKeys<'a> {
    /// Tokens that move themselves.
    pub fn same(buffers: &'a TokenBuffers) -> QueriesAndKeys<'a> {
        QueriesAndKeys { queries: buffers, keys: buffers }
    }
}

impl Velocity {
    pub fn new(
        scope: &AllocationScope,
        problem: &Problem,
        constants: Constants,
        pair: QueriesAndKeys,
        recorder: &Recorder,
    ) -> Velocity {
        let device = scope.device();
        let QueriesAndKeys { queries, keys } = pair;
        let (inputs, attention) = (HeadInputs::on(device, problem), &problem.model.attention);
        let head = |(index, head)| {
            let layout = HeadLayout::new(scope, &HeadLayout::of(&inputs, attention, head));
            let replica_betas = ReplicaBetas::new(scope, attention, head);
            let (iterations, tolerance, duals) = match attention.normalization {
                Normalization::Sinkhorn { iterations, tolerance } => {
                    (iterations, tolerance, Some(Duals::new(scope, keys)))
                }
                Normalization::Softmax
                | Normalization::Unnormalized
                | Normalization::Shifted
                | Normalization::Hardmax
                | Normalization::Relu
                | Normalization::Sigmoid => (0, 0.0, None),
            };
            let own = HeadBuffers {
                head: index,
                layout: &layout,
                replica_betas: replica_betas.as_ref(),
                duals: duals.as_ref(),
            };
            let bindings = Bindings::new(scope, [queries, keys], recorder, attention, own, &constants);
            let balance = duals.as_ref().map(|duals| {
                let wide = tune::wide(&constants, layout.key_dim, layout.value_dim);
                Balance::new(&bindings, &wide, duals, iterations, tolerance)
            });
            let passes = POINTS
                .map(|point| (0..queries.segments.len()).map(|segment| bindings.pass(segment, point)).collect());
            let group_queries = match layout.is_narrow(problem.tokens.shape.dim) {
                true => tune::group_queries(&constants),
                false => WIDE_QUERIES as usize,
            };
            Head { layout, replica_betas, group_queries, duals, balance, passes }
        };
        Velocity {
            constants,
            normalization: attention.normalization,
            visible: VisibleSources::of(attention),
            heads: attention.heads.iter().enumerate().map(head).collect(),
            motion: Motion::new(scope, problem, &constants, queries, recorder),
            perceptron: None,
            series: None,
            inputs,
        }
    }

    /// Follows `model`, after whatever was submitted; false if it has other shapes.
    #[must_use]
    pub fn write(&mut self, device: &Device, model: &Model) -> bool {
        let (inputs, attention) = (&self.inputs, &model.attention);
        let as_many = attention.heads.len() == self.heads.len();
        let as_masked =
            (self.visible, self.normalization) == (VisibleSources::of(attention), attention.normalization);
        let mut fits = as_many && as_masked && self.motion.write(device, model);
        for (own, head) in self.heads.iter_mut().zip(&attention.heads) {
            fits &= own.layout.write(device, &HeadLayout::of(inputs, attention, head))
                && ReplicaBetas::write(own.replica_betas.as_ref(), device, attention, head);
        }
        fits && match (&mut self.perceptron, &model.perceptron) {
            (Some(own), Some(perceptron)) => own.write(device, perceptron, inputs.dim),
            (None, None) => true,
            _ => false,
        }
    }

    pub fn heads(&self) -> usize {
        self.heads.len()
    }

    /// The largest error of a marginal of any head; none where they are not balanced.
    pub async fn marginal_error(
        &self,
        recorder: &mut Recorder,
        readback: &Readback,
    ) -> Result<Option<f64>, BackendError> {
        let mut worst = None;
        for duals in self.heads.iter().filter_map(|head| head.duals.as_ref()) {
            let error = duals.marginal_error(recorder, readback).await?;
            worst = Some(worst.map_or(error, |worst: f64| worst.max(error)));
        }
        Ok(worst)
    }

    /// Vectors of a partial of a head.
    pub fn stride(&self, head: usize) -> usize {
        self.heads[head].layout.value_dim.div_ceil(4) + 1
    }

    /// Records k_stage <- the field at `point`.
    pub fn evaluate(
        &self,
        recorder: &mut Recorder,
        pair: QueriesAndKeys,
        point: Point,
        field: Field,
        stage: usize,
    ) -> Result<(), BackendError> {
        self.normalize_inputs(recorder, pair.queries, point)?;
        let heads = if field == Field::Perceptron { 0 } else { self.heads.len() };
        for (head, own) in self.heads[..heads].iter().enumerate() {
            if let Some(balance) = &own.balance {
                let sizes = self.sizes(head, pair.keys.slices).wide();
                balance.record(recorder, pair.keys, point, &sizes)?;
            }
        }
        (0..pair.queries.segments.len())
            .try_for_each(|segment| self.evaluate_segment(recorder, pair, point, segment, field, stage))
    }

    /// The same for the queries of one segment, whose partials stay until another is evaluated.
    pub fn evaluate_segment(
        &self,
        recorder: &mut Recorder,
        pair: QueriesAndKeys,
        point: Point,
        segment: usize,
        field: Field,
        stage: usize,
    ) -> Result<(), BackendError> {
        let heads = if field == Field::Perceptron { 0 } else { self.heads.len() };
        let is_fused = self.is_fused();
        let rows = pair.queries.segments[segment].rows();
        let (first_row, mut sum) = (stage * rows, Sum::Fresh);
        for head in 0..heads {
            let view = View { point, segment, head };
            self.sum(recorder, pair, view, Purpose::Field)?;
            let projects = field == Field::Tangent && is_fused && head + 1 == heads;
            self.output(recorder, pair.queries, view, projects, first_row, sum)?;
            sum = Sum::Continued;
        }
        if let (Field::Tangent | Field::Perceptron, Some(perceptron)) = (field, &self.perceptron) {
            perceptron.record(recorder, point, segment, 0..rows, first_row, sum)?;
            sum = Sum::Continued;
        }
        if sum == Sum::Fresh {
            self.motion.zero_velocity(recorder, point, segment, rows, first_row)?;
        }
        if field == Field::Tangent && !is_fused {
            self.motion.finish(recorder, point, segment, rows, first_row)?;
        }
        Ok(())
    }

    /// Records the inputs of attention and perceptron.
    pub fn normalize_inputs(
        &self,
        recorder: &mut Recorder,
        buffers: &TokenBuffers,
        point: Point,
    ) -> Result<(), BackendError> {
        self.motion.normalize_inputs(recorder, buffers, point)
    }

    /// Whether the last head can project to the tangent space of the sphere while it writes its output.
    fn is_fused(&self) -> bool {
        let adds_last =
            self.perceptron.is_none() && self.heads.last().is_some_and(|head| head.layout.output.is_none());
        self.motion.is_spherical() && adds_last
    }

    /// Records the partials of a view.
    pub fn sum(
        &self,
        recorder: &mut Recorder,
        pair: QueriesAndKeys,
        view: View,
        purpose: Purpose,
    ) -> Result<(), BackendError> {
        if let Some(query) = &self.pass(view).1.query {
            query.record(recorder, pair.queries.segments[view.segment].rows())?;
        }
        if let Some(series) = &self.series {
            return series.record(recorder, pair.queries, view);
        }
        let sizes = self.sizes(view.head, pair.queries.slices);
        let (sizes, outputs) = match (purpose, self.normalization) {
            (Purpose::Field, Normalization::Hardmax) => {
                (sizes.wide(), &[ReductionOutput::Extremes, ReductionOutput::Sums][..])
            }
            (Purpose::Field, Normalization::Relu) => (sizes.wide(), &[ReductionOutput::Sums][..]),
            (Purpose::Field, Normalization::Sigmoid) => (sizes.wide(), &[ReductionOutput::Sigmoids][..]),
            (
                Purpose::Field,
                Normalization::Softmax
                | Normalization::Unnormalized
                | Normalization::Shifted
                | Normalization::Sinkhorn { .. },
            )
            | (Purpose::Energy, _) => (sizes, &[ReductionOutput::Sums][..]),
        };
        for output in outputs {
            let mut partial = Partial::Fresh;
            for pass in &self.pass(view).1.keys {
                let step = Step { purpose, sizes: &sizes, output: *output, partial };
                self.reduce(recorder, pair, view, pass, &step)?;
                partial = Partial::Continued;
            }
        }
        Ok(())
    }

    /// Records the partials of a view over the keys of one segment.
    fn reduce(
        &self,
        recorder: &mut Recorder,
        pair: QueriesAndKeys,
        view: View,
        pass: &KeyPass,
        step: &Step,
    ) -> Result<(), BackendError> {
        let Step { purpose, sizes, output, partial } = *step;
        let keys = &pair.keys.segments[pass.segment].segment;
        if let Some(key) = &pass.key {
            key.record(recorder, keys.rows())?;
        }
        if let Some(value) = &pass.value {
            value.record(recorder, Rows::first(keys.rows()))?;
        }
        let (bound, visible) = match purpose {
            Purpose::Field => (&pass.reduce, self.visible),
            Purpose::Energy => (&pass.plain, VisibleSources::all()),
        };
        let queries = &pair.queries.segments[view.segment].segment;
        Reduction { bound, queries, keys, visible, partial, output }.record(recorder, sizes)
    }

    /// The sizes of all reductions of a head, whose keys come in so many slices.
    fn sizes(&self, head: usize, slices: usize) -> ReductionSizes {
        let Head { layout, group_queries, .. } = &self.heads[head];
        ReductionSizes {
            constants: self.constants,
            slices,
            group_queries: *group_queries,
            width: layout.key_dim + layout.value_dim,
            scale: layout.score_scale(),
            shift: layout.fixed,
        }
    }

    /// Records the output of a view from its partials, into the rows of `velocities` from `first_row`.
    fn output(
        &self,
        recorder: &mut Recorder,
        buffers: &TokenBuffers,
        view: View,
        projects: bool,
        first_row: usize,
        sum: Sum,
    ) -> Result<(), BackendError> {
        let (layout, pass) = self.pass(view);
        let segment_buffers = &buffers.segments[view.segment];
        let (segment, rows) = (&segment_buffers.segment, segment_buffers.rows());
        // Multiply-adds that take as long as moving so many rows through memory a few times.
        let (groups, work) = (rows.div_ceil(THREADS as usize) as u64, (rows * layout.value_dim * 8) as f64);
        let plain = params::WriteOutput {
            rows: rows as u32,
            // A series leaves whole sums.
            slices: if self.series.is_some() { 1 } else { buffers.slices as u32 },
            first_row: 0,
            accumulate: 0,
            project: 0,
            softmax: u32::from(self.normalization.is_divided()),
            scale: layout.scale,
            offset: layout.offset,
            marked: u32::from(layout.masked_rows == MaskedRows::Marked),
            divided: u32::from(segment_buffers.decay_of(view.head).is_some_and(|decay| decay.divisors.is_some())),
            normalizer_tokens: self.heads[view.head].replica_betas.as_ref().map_or(0, |_| segment.tokens as u32),
            first_replica: segment.first_replica as u32,
        };
        let Some(output) = &pass.output else {
            let accumulate = u32::from(sum == Sum::Continued);
            let write_output = params::WriteOutput {
                first_row: first_row as u32,
                accumulate,
                project: u32::from(projects),
                ..plain
            };
            return recorder.record(&pass.write_output, &write_output, groups, work);
        };
        recorder.record(&pass.write_output, &plain, groups, work)?;
        output.record(
            recorder,
            Rows { first_output: first_row, sum, masked_rows: layout.masked_rows, ..Rows::first(rows) },
        )
    }

    /// The layout of the head of a view, and its bound kernels.
    pub fn pass(&self, view: View) -> (&HeadLayout<Linear>, &Pass) {
        let head = &self.heads[view.head];
        (&head.layout, &head.passes[view.point as usize][view.segment])
    }
}
