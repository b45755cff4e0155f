//! The velocity: for every head a reduction of all queries over all keys, then its output; then the perceptron, and what
//! the geometry makes of the sum.

use super::{
    balance::Balance,
    bindings::{KeyPass, Pass, Wire},
    duals::Duals,
    heads::{Lens, Setting, is_divided},
    motion::Motion,
    perceptron::Perceptron,
    project::{Linear, Rows, Silence, Sum},
    reduction::{Aim, Gauge, Hearing, Partial, Reduction},
    replica_betas::Betas,
};
use crate::backend::gpu::{
    engine::{allocation::Ledger, device::Device, readback::Readback, recorder::Recorder},
    harmonic::series::Series,
    kernels::{
        constants::Constants,
        params,
        sizes::{THREADS, WIDE_QUERIES},
    },
    layout::{
        points::{POINTS, View},
        token_buffers::Cloud,
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

/// One head: its lens, and its passes by point and segment.
struct Head {
    lens: Lens<Linear>,
    /// Present where replicas have betas of their own.
    betas: Option<Betas>,
    /// Queries of one workgroup of the reduction.
    group_queries: usize,
    /// Present where rows and columns are normalized in turn.
    duals: Option<Duals>,
    balance: Option<Balance>,
    passes: [Vec<Pass>; 2],
}

pub struct Velocity {
    setting: Setting,
    constants: Constants,
    pub normalization: Normalization,
    pub hearing: Hearing,
    heads: Vec<Head>,
    pub motion: Motion,
    /// Present where the model has one.
    pub perceptron: Option<Perceptron>,
    /// Present as long as sums over keys are taken by harmonics.
    pub series: Option<Series>,
}

/// The field at the queries of one cloud, that the keys of another make.
///
/// Both are the same but where a sample is checked.
#[derive(Clone, Copy)]
pub struct Clouds<'a> {
    pub queries: &'a Cloud,
    pub keys: &'a Cloud,
}

impl<'a> Clouds<'a> {
    /// Tokens that move themselves.
    pub fn same(cloud: &'a Cloud) -> Clouds<'a> {
        Clouds { queries: cloud, keys: cloud }
    }
}

impl Velocity {
    pub fn new(
        ledger: &Ledger,
        problem: &Problem,
        constants: Constants,
        clouds: Clouds,
        recorder: &Recorder,
    ) -> Velocity {
        let device = ledger.device();
        let Clouds { queries, keys } = clouds;
        let (setting, attention) = (Setting::on(device, problem), &problem.model.attention);
        let head = |head| {
            let lens = Lens::new(ledger, &Lens::of(&setting, attention, head));
            let betas = Betas::new(ledger, attention, head);
            let (limits, duals) = match attention.normalization {
                Normalization::Sinkhorn { iterations, tolerance } => {
                    ((iterations, tolerance), Some(Duals::new(ledger, keys)))
                }
                _ => ((0, 0.0), None),
            };
            let (own, shared) = ((&lens, betas.as_ref()), (attention, duals.as_ref()));
            let wire = Wire::new(ledger, [queries, keys], recorder, own, shared, &constants);
            let balance = duals.as_ref().map(|duals| {
                let wide = tune::wide(&constants, lens.key_dim, lens.value_dim);
                Balance::new(device, (keys, &wire), recorder, (wide, duals), limits)
            });
            let passes =
                POINTS.map(|point| (0..queries.tracts.len()).map(|segment| wire.pass(segment, point)).collect());
            let group_queries = match lens.is_narrow(problem.tokens.shape.dim) {
                true => tune::group_queries(&constants),
                false => WIDE_QUERIES as usize,
            };
            Head { lens, betas, group_queries, duals, balance, passes }
        };
        Velocity {
            constants,
            normalization: attention.normalization,
            hearing: Hearing::of(attention),
            heads: attention.heads.iter().map(head).collect(),
            motion: Motion::new(ledger, problem, &constants, queries, recorder),
            perceptron: None,
            series: None,
            setting,
        }
    }

    /// Follows `model`, after whatever was submitted; false if it has other shapes.
    #[must_use]
    pub fn write(&mut self, device: &Device, model: &Model) -> bool {
        let (setting, attention) = (&self.setting, &model.attention);
        let as_many = attention.heads.len() == self.heads.len();
        let as_seen = (self.hearing, self.normalization) == (Hearing::of(attention), attention.normalization);
        let mut fits = as_many && as_seen && self.motion.write(device, model);
        for (own, head) in self.heads.iter_mut().zip(&attention.heads) {
            fits &= own.lens.write(device, &Lens::of(setting, attention, head))
                && Betas::write(own.betas.as_ref(), device, attention, head);
        }
        fits && match (&mut self.perceptron, &model.perceptron) {
            (Some(own), Some(perceptron)) => own.write(device, perceptron, setting.dim),
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
        self.heads[head].lens.value_dim.div_ceil(4) + 1
    }

    /// Records k_stage <- the field at `point`.
    pub fn evaluate(
        &self,
        recorder: &mut Recorder,
        clouds: Clouds,
        point: Point,
        field: Field,
        stage: usize,
    ) -> Result<(), BackendError> {
        self.look(recorder, clouds.queries, point)?;
        let heads = if field == Field::Perceptron { 0 } else { self.heads.len() };
        for (head, own) in self.heads[..heads].iter().enumerate() {
            if let Some(balance) = &own.balance {
                let gauge = self.gauge(head, clouds.keys.slices).wide();
                balance.record(recorder, clouds.keys, point, &gauge)?;
            }
        }
        (0..clouds.queries.tracts.len())
            .try_for_each(|segment| self.evaluate_segment(recorder, clouds, (point, segment), field, stage))
    }

    /// The same for the queries of one segment, whose partials stay until another is evaluated.
    pub fn evaluate_segment(
        &self,
        recorder: &mut Recorder,
        clouds: Clouds,
        (point, segment): (Point, usize),
        field: Field,
        stage: usize,
    ) -> Result<(), BackendError> {
        let heads = if field == Field::Perceptron { 0 } else { self.heads.len() };
        let is_fused = self.is_fused();
        let rows = clouds.queries.tracts[segment].segment.rows();
        let (first_row, mut sum) = (stage * rows, Sum::Fresh);
        for head in 0..heads {
            let view = View { point, segment, head };
            self.sum(recorder, clouds, view, Purpose::Field)?;
            let projects = field == Field::Tangent && is_fused && head + 1 == heads;
            self.output(recorder, clouds.queries, view, projects, (first_row, sum))?;
            sum = Sum::Continued;
        }
        if let (Field::Tangent | Field::Perceptron, Some(perceptron)) = (field, &self.perceptron) {
            perceptron.record(recorder, (point, segment, 0..rows), first_row, sum)?;
            sum = Sum::Continued;
        }
        if sum == Sum::Fresh {
            self.motion.rest(recorder, (point, segment, rows), first_row)?;
        }
        if field == Field::Tangent && !is_fused {
            self.motion.finish(recorder, (point, segment, rows), first_row)?;
        }
        Ok(())
    }

    /// Records what is seen of the tokens.
    pub fn look(&self, recorder: &mut Recorder, cloud: &Cloud, point: Point) -> Result<(), BackendError> {
        self.motion.look(recorder, cloud, point)
    }

    /// Whether the last head can project to the tangent space of the sphere while it leaves its output.
    fn is_fused(&self) -> bool {
        let adds_last = self.perceptron.is_none() && self.heads.last().is_some_and(|head| head.lens.output.is_none());
        self.motion.is_spherical() && adds_last
    }

    /// Records the partials of a view.
    pub fn sum(
        &self,
        recorder: &mut Recorder,
        clouds: Clouds,
        view: View,
        purpose: Purpose,
    ) -> Result<(), BackendError> {
        if let Some(query) = &self.pass(view).1.query {
            query.record(recorder, clouds.queries.tracts[view.segment].segment.rows())?;
        }
        if let Some(series) = &self.series {
            return series.record(recorder, clouds.queries, view);
        }
        let is_hard = purpose == Purpose::Field && self.normalization == Normalization::Hardmax;
        let gauge = self.gauge(view.head, clouds.queries.slices);
        let (gauge, aims) = match is_hard {
            true => (gauge.wide(), &[Aim::Extremes, Aim::Sums][..]),
            false => (gauge, &[Aim::Sums][..]),
        };
        for aim in aims {
            let mut partial = Partial::Fresh;
            for pass in &self.pass(view).1.keys {
                self.reduce(recorder, clouds, (view, pass), purpose, (&gauge, *aim, partial))?;
                partial = Partial::Continued;
            }
        }
        Ok(())
    }

    /// Records the partials of a view over the keys of one segment.
    fn reduce(
        &self,
        recorder: &mut Recorder,
        clouds: Clouds,
        (view, pass): (View, &KeyPass),
        purpose: Purpose,
        (gauge, aim, partial): (&Gauge, Aim, Partial),
    ) -> Result<(), BackendError> {
        let keys = &clouds.keys.tracts[pass.segment].segment;
        if let Some(key) = &pass.key {
            key.record(recorder, keys.rows())?;
        }
        if let Some(value) = &pass.value {
            value.record(recorder, Rows::first(keys.rows()))?;
        }
        let (bound, hearing) = match purpose {
            Purpose::Field => (&pass.reduce, self.hearing),
            Purpose::Energy => (&pass.plain, Hearing::all()),
        };
        let queries = &clouds.queries.tracts[view.segment].segment;
        Reduction { bound, queries, keys, hearing, partial, aim }.record(recorder, gauge)
    }

    /// The sizes of all reductions of a head, whose keys come in so many slices.
    fn gauge(&self, head: usize, slices: usize) -> Gauge {
        let Head { lens, group_queries, .. } = &self.heads[head];
        Gauge {
            constants: self.constants,
            slices,
            group_queries: *group_queries,
            width: lens.key_dim + lens.value_dim,
            scale: lens.score_scale(),
            shift: lens.fixed,
        }
    }

    /// Records the output of a view from its partials, into the rows of `slopes` from `first_row`.
    fn output(
        &self,
        recorder: &mut Recorder,
        cloud: &Cloud,
        view: View,
        projects: bool,
        (first_row, sum): (usize, Sum),
    ) -> Result<(), BackendError> {
        let (lens, pass) = self.pass(view);
        let tract = &cloud.tracts[view.segment];
        let (segment, rows) = (&tract.segment, tract.segment.rows());
        // Multiply-adds that take as long as moving so many rows through memory a few times.
        let (groups, work) = (rows.div_ceil(THREADS as usize) as u64, (rows * lens.value_dim * 8) as f64);
        let plain = params::Settle {
            rows: rows as u32,
            // A series leaves whole sums.
            slices: if self.series.is_some() { 1 } else { cloud.slices as u32 },
            first_row: 0,
            accumulate: 0,
            project: 0,
            softmax: u32::from(is_divided(self.normalization)),
            scale: lens.scale,
            offset: lens.offset,
            marked: u32::from(lens.silence == Silence::Marked),
            divided: u32::from(tract.decay.as_ref().is_some_and(|decay| decay.divisors.is_some())),
            clocked: self.heads[view.head].betas.as_ref().map_or(0, |_| segment.tokens as u32),
            first_replica: segment.first_replica as u32,
        };
        let Some(output) = &pass.output else {
            let accumulate = u32::from(sum == Sum::Continued);
            let settle =
                params::Settle { first_row: first_row as u32, accumulate, project: u32::from(projects), ..plain };
            return recorder.record(&pass.settle, &settle, groups, work);
        };
        recorder.record(&pass.settle, &plain, groups, work)?;
        output.record(recorder, Rows { first_output: first_row, sum, silence: lens.silence, ..Rows::first(rows) })
    }

    /// What is made of a view, and out of what.
    pub fn pass(&self, view: View) -> (&Lens<Linear>, &Pass) {
        let head = &self.heads[view.head];
        (&head.lens, &head.passes[view.point as usize][view.segment])
    }
}
