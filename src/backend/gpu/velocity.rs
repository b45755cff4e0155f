//! The velocity: for every head a reduction of all queries over all keys, then its output, then the tangent space.

use super::{
    cloud::Cloud,
    device::Device,
    harmonic::Series,
    heads::{Lens, Query},
    params,
    parts::Parts,
    pipelines::Bound,
    recorder::Recorder,
    segments::Segment,
    shaders::{Constants, NARROW, PROJECT_ROWS, PROJECT_VECTORS, THREADS},
    tune,
    wiring::{Kernels, Pass, Wire},
};
use crate::{
    backend::{BackendError, Point},
    model::{Field, Mask, Normalization},
    problem::Problem,
};

/// The points in the order in which everything is kept that exists for both.
pub(super) const POINTS: [Point; 2] = [Point::State, Point::Stage];

/// One head: its lens, and its passes by point and segment.
struct Head {
    lens: Lens,
    passes: [Vec<Pass>; 2],
}

pub(super) struct Velocity {
    constants: Constants,
    normalization: Normalization,
    mask: Mask,
    heads: Vec<Head>,
    /// Present as long as sums over keys are taken by harmonics.
    pub series: Option<Series>,
    /// By point and segment.
    tangent: [Vec<Bound>; 2],
}

/// The field at the queries of one cloud, that the keys of another make.
///
/// Both are the same but where a sample is checked.
#[derive(Clone, Copy)]
pub(super) struct Clouds<'a> {
    pub queries: &'a Cloud,
    pub keys: &'a Cloud,
}

impl<'a> Clouds<'a> {
    /// Tokens that move themselves.
    pub fn same(cloud: &'a Cloud) -> Clouds<'a> {
        Clouds { queries: cloud, keys: cloud }
    }
}

/// One head at one point, for the queries of one segment.
#[derive(Clone, Copy)]
pub(super) struct View {
    pub point: Point,
    pub segment: usize,
    pub head: usize,
}

/// Whether a result starts a sum or goes on with one.
#[derive(Clone, Copy, PartialEq)]
enum Sum {
    Fresh,
    Continued,
}

impl Velocity {
    pub fn new(
        device: &Device,
        problem: &Problem,
        constants: Constants,
        clouds: Clouds,
        recorder: &Recorder,
    ) -> Velocity {
        let Clouds { queries, keys } = clouds;
        let kernels = Kernels::new(device, &constants);
        let attention = &problem.model.attention;
        let head = |head| {
            let lens = Lens::new(device, problem, head);
            let wire = Wire { device, queries, keys, recorder, kernels: &kernels, lens: &lens };
            let passes = POINTS.map(|point| queries.tracts.iter().map(|tract| wire.pass(tract, point)).collect());
            Head { lens, passes }
        };
        let tangent = |point| {
            let bind = |tract: &super::cloud::Tract| {
                kernels.tangent.bind(device, recorder.uniforms(), &[tract.tokens(point), &tract.slopes])
            };
            queries.tracts.iter().map(bind).collect()
        };
        Velocity {
            constants,
            normalization: attention.normalization,
            mask: attention.mask,
            heads: attention.heads.iter().map(head).collect(),
            series: None,
            tangent: POINTS.map(tangent),
        }
    }

    pub fn heads(&self) -> usize {
        self.heads.len()
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
        for segment in 0..clouds.queries.tracts.len() {
            for head in 0..self.heads.len() {
                let view = View { point, segment, head };
                self.sum(recorder, clouds, view, self.mask)?;
                self.output(recorder, clouds.queries, view, field, stage)?;
            }
        }
        Ok(())
    }

    /// Records the partials of a view, over all keys that its queries see under `mask`: that of the model, or none.
    pub fn sum(&self, recorder: &mut Recorder, clouds: Clouds, view: View, mask: Mask) -> Result<(), BackendError> {
        if let Some(bound) = &self.pass(view).1.project_query {
            let rows = clouds.queries.tracts[view.segment].segment.rows();
            self.project(recorder, bound, rows, 0, Sum::Fresh)?;
        }
        match &self.series {
            Some(series) => series.record(recorder, clouds.queries, view),
            None => self.reduce(recorder, clouds, view, mask),
        }
    }

    /// Records the partials of a view pair by pair.
    fn reduce(&self, recorder: &mut Recorder, clouds: Clouds, view: View, mask: Mask) -> Result<(), BackendError> {
        let (lens, pass) = self.pass(view);
        let Clouds { queries: cloud, keys } = clouds;
        let queries = &cloud.tracts[view.segment].segment;
        let group_queries = tune::group_queries(&self.constants);
        let blocks = queries.tokens.div_ceil(group_queries);
        let groups = (queries.replicas * cloud.slices * blocks) as u64;
        let work = group_queries as f64 * self.pair_work();
        for (turn, (segment, bound)) in pass.reduce.iter().enumerate() {
            let keys = &keys.tracts[*segment].segment;
            let slice_keys = tune::slice_keys(keys.sources, cloud.slices, &self.constants);
            let chunk = self.constants.chunk as usize;
            let (most_pairs, most_groups) = (recorder.dispatch_work() / work, recorder.dispatch_groups());
            for part in Parts::new(groups, slice_keys, chunk, most_pairs, most_groups) {
                let params = params::Reduce {
                    first_group: part.groups.start as u32,
                    end_group: part.groups.end as u32,
                    blocks: blocks as u32,
                    slices: cloud.slices as u32,
                    queries: queries.tokens as u32,
                    rows: queries.rows() as u32,
                    sources: keys.sources as u32,
                    key_rows: keys.tokens as u32,
                    slice_keys: slice_keys as u32,
                    first_key: part.keys.start as u32,
                    end_key: part.keys.end as u32,
                    fresh: u32::from(turn == 0 && part.keys.start == 0),
                    scale: match lens.query {
                        Query::Scaled(scale) => scale,
                        Query::Projected(_) => 1.0,
                    },
                    shift: lens.fixed,
                    reach: reach(mask, queries, keys),
                };
                let groups = part.groups.end - part.groups.start;
                recorder.record(bound, &params, groups, groups as f64 * part.keys.len() as f64 * work)?;
            }
        }
        Ok(())
    }

    /// Records the output of a view from its partials, added to that of the heads before it.
    fn output(
        &self,
        recorder: &mut Recorder,
        cloud: &Cloud,
        view: View,
        field: Field,
        stage: usize,
    ) -> Result<(), BackendError> {
        let (lens, pass) = self.pass(view);
        let rows = cloud.tracts[view.segment].segment.rows();
        let first_row = stage * rows;
        let sum = if view.head == 0 { Sum::Fresh } else { Sum::Continued };
        let projects = field == Field::Tangent && view.head + 1 == self.heads.len();
        let (groups, work) = (rows.div_ceil(THREADS as usize) as u64, self.row_work(rows));
        let plain = params::Settle {
            rows: rows as u32,
            // A series leaves whole sums.
            slices: if self.series.is_some() { 1 } else { cloud.slices as u32 },
            first_row: 0,
            accumulate: 0,
            project: 0,
            softmax: u32::from(self.normalization == Normalization::Softmax),
            scale: lens.scale,
        };
        let Some(project) = &pass.project_value else {
            let accumulate = u32::from(sum == Sum::Continued);
            let settle =
                params::Settle { first_row: first_row as u32, accumulate, project: u32::from(projects), ..plain };
            return recorder.record(&pass.settle, &settle, groups, work);
        };
        recorder.record(&pass.settle, &plain, groups, work)?;
        self.project(recorder, project, rows, first_row, sum)?;
        if projects {
            let params = params::Tangent { rows: rows as u32, first_row: first_row as u32 };
            recorder.record(&self.tangent[view.point as usize][view.segment], &params, groups, work)?;
        }
        Ok(())
    }

    /// Records rows times a matrix.
    fn project(
        &self,
        recorder: &mut Recorder,
        bound: &Bound,
        rows: usize,
        first_row: usize,
        sum: Sum,
    ) -> Result<(), BackendError> {
        let groups = match self.constants.dim as usize {
            ..=NARROW => rows.div_ceil(THREADS as usize),
            _ => {
                let columns = self.constants.width().div_ceil(PROJECT_VECTORS) as usize;
                rows.div_ceil(PROJECT_ROWS as usize) * columns
            }
        };
        let work = rows as f64 * f64::from(self.constants.dim).powi(2);
        for part in recorder.cut(groups as u64, work) {
            let params = params::Project {
                first_group: part.start as u32,
                end_group: part.end as u32,
                rows: rows as u32,
                first_row: first_row as u32,
                accumulate: u32::from(sum == Sum::Continued),
            };
            let count = part.end - part.start;
            recorder.record(bound, &params, count, work * count as f64 / groups as f64)?;
        }
        Ok(())
    }

    fn pass(&self, view: View) -> (&Lens, &Pass) {
        let head = &self.heads[view.head];
        (&head.lens, &head.passes[view.point as usize][view.segment])
    }

    /// Multiply-adds for one pair of tokens: score, value, and about eight for the exponential.
    fn pair_work(&self) -> f64 {
        f64::from(2 * self.constants.dim + 8)
    }

    /// Multiply-adds that take as long as moving so many rows through memory a few times.
    fn row_work(&self, rows: usize) -> f64 {
        rows as f64 * f64::from(8 * self.constants.dim)
    }
}

/// How many more of the sources of `keys` than its own number in `queries` a query sees under `mask`.
pub(super) fn reach(mask: Mask, queries: &Segment, keys: &Segment) -> i32 {
    let ahead = queries.first_token as i32 - keys.first_token as i32;
    match mask {
        // Beyond any source, and far from overflow when a query's number is added.
        Mask::None | Mask::Others => 1 << 30,
        Mask::Causal => ahead + 1,
        Mask::StrictlyCausal => ahead,
    }
}
