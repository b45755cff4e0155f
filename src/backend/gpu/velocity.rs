//! The velocity: for every head a reduction of all queries over all keys, then its output, then the tangent space.

use std::ops::Range;

use super::{
    cloud::{Cloud, Tract},
    device::Device,
    heads::{Lens, Query, Value},
    params,
    pipelines::{Bound, Pipeline},
    recorder::Recorder,
    shaders::{self, Constants, Kernel, NARROW, Shift, THREADS},
    tune,
};
use crate::{
    backend::{BackendError, Point},
    model::{Field, Normalization},
    problem::Problem,
};

/// What one head does to the queries of one segment at one point.
struct Pass {
    project_query: Option<Bound>,
    /// The reduction over the keys of each segment that is seen, by its index.
    reduce: Vec<(usize, Bound)>,
    settle: Bound,
    project_value: Option<Bound>,
}

/// One head: its lens, and its passes by point and segment.
struct Head {
    lens: Lens,
    passes: [Vec<Pass>; 2],
}

pub(super) struct Velocity {
    constants: Constants,
    softmax: bool,
    heads: Vec<Head>,
    /// By point and segment.
    tangent: [Vec<Bound>; 2],
}

/// The index of a point.
fn index(point: Point) -> usize {
    match point {
        Point::State => 0,
        Point::Stage => 1,
    }
}

fn tokens(tract: &Tract, point: Point) -> &wgpu::Buffer {
    match point {
        Point::State => &tract.state,
        Point::Stage => &tract.stage,
    }
}

const POINTS: [Point; 2] = [Point::State, Point::Stage];

impl Velocity {
    pub fn new(
        device: &Device,
        problem: &Problem,
        constants: Constants,
        cloud: &Cloud,
        recorder: &Recorder,
    ) -> Velocity {
        let kernels = Kernels::new(device, &constants);
        let attention = &problem.model.attention;
        let head = |head| {
            let lens = Lens::new(device, problem, head);
            let wire = Wire { device, cloud, recorder, kernels: &kernels, lens: &lens };
            let passes = POINTS.map(|point| cloud.tracts.iter().map(|tract| wire.pass(tract, point)).collect());
            Head { lens, passes }
        };
        let tangent = |point| {
            let bind = |tract| {
                let buffers = [tokens(tract, point), &tract.slopes];
                kernels.tangent.bind(device, recorder.uniforms(), &buffers)
            };
            cloud.tracts.iter().map(bind).collect()
        };
        Velocity {
            constants,
            softmax: attention.normalization == Normalization::Softmax,
            heads: attention.heads.iter().map(head).collect(),
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
        cloud: &Cloud,
        point: Point,
        field: Field,
        stage: usize,
    ) -> Result<(), BackendError> {
        for segment in 0..cloud.tracts.len() {
            for head in 0..self.heads.len() {
                self.reduce(recorder, cloud, point, segment, head)?;
                self.output(recorder, cloud, &Output { point, field, stage, segment, head })?;
            }
        }
        Ok(())
    }

    /// Records the partials of the queries of one segment under one head, over all their keys.
    pub fn reduce(
        &self,
        recorder: &mut Recorder,
        cloud: &Cloud,
        point: Point,
        segment: usize,
        head: usize,
    ) -> Result<(), BackendError> {
        let Head { lens, passes } = &self.heads[head];
        let pass = &passes[index(point)][segment];
        let queries = &cloud.tracts[segment].segment;
        if let Some(bound) = &pass.project_query {
            self.project(recorder, bound, queries.rows(), 0, Sum::Fresh)?;
        }
        let group_queries = tune::group_queries(&self.constants);
        let blocks = queries.tokens.div_ceil(group_queries);
        let groups = (queries.replicas * cloud.slices * blocks) as u64;
        for (turn, (segment, bound)) in pass.reduce.iter().enumerate() {
            let keys = &cloud.tracts[*segment].segment;
            let slice_keys = tune::slice_keys(keys.sources, cloud.slices, &self.constants);
            let work = group_queries as f64 * self.pair_work();
            for part in Parts::new(recorder, groups, slice_keys, self.constants.chunk as usize, work) {
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
                };
                let groups = part.groups.end - part.groups.start;
                recorder.record(bound, &params, groups, groups as f64 * part.keys.len() as f64 * work)?;
            }
        }
        Ok(())
    }

    /// Records the output of one head from its partials, added to that of the heads before it.
    fn output(&self, recorder: &mut Recorder, cloud: &Cloud, output: &Output) -> Result<(), BackendError> {
        let Head { lens, passes } = &self.heads[output.head];
        let pass = &passes[index(output.point)][output.segment];
        let rows = cloud.tracts[output.segment].segment.rows();
        let first_row = output.stage * rows;
        let last = output.head + 1 == self.heads.len() && output.field == Field::Tangent;
        let sum = if output.head == 0 { Sum::Fresh } else { Sum::Continued };
        let settle = |scale, first_row: usize, sum: Sum, project: bool| params::Settle {
            rows: rows as u32,
            slices: cloud.slices as u32,
            first_row: first_row as u32,
            accumulate: u32::from(sum == Sum::Continued),
            project: u32::from(project),
            softmax: u32::from(self.softmax),
            scale,
        };
        let (groups, work) =
            (rows.div_ceil(THREADS as usize) as u64, (rows * self.constants.dim as usize * 8) as f64);
        match (&lens.value, &pass.project_value) {
            (Value::Projected(scale, _), Some(project)) => {
                recorder.record(&pass.settle, &settle(*scale, 0, Sum::Fresh, false), groups, work)?;
                self.project(recorder, project, rows, first_row, sum)?;
                if last {
                    let params = params::Tangent { rows: rows as u32, first_row: first_row as u32 };
                    recorder.record(&self.tangent[index(output.point)][output.segment], &params, groups, work)?;
                }
                Ok(())
            }
            (Value::Projected(scale, _) | Value::Scaled(scale), _) => {
                recorder.record(&pass.settle, &settle(*scale, first_row, sum, last), groups, work)
            }
        }
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
                let columns = self.constants.width().div_ceil(shaders::PROJECT_VECTORS) as usize;
                rows.div_ceil(shaders::PROJECT_ROWS as usize) * columns
            }
        };
        let dim = self.constants.dim as usize;
        let work = (rows * dim * dim) as f64;
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

    /// Multiply-adds for one pair of tokens: score, value, and about eight for the exponential.
    fn pair_work(&self) -> f64 {
        f64::from(2 * self.constants.dim + 8)
    }
}

/// Which output of which head goes where.
struct Output {
    point: Point,
    field: Field,
    stage: usize,
    segment: usize,
    head: usize,
}

/// Whether a result starts a sum or goes on with one.
#[derive(Clone, Copy, PartialEq)]
enum Sum {
    Fresh,
    Continued,
}

/// A reduction cut into dispatches of bounded work: first along the keys, because fewer groups leave a large adapter idle,
/// then along the groups. Cuts lie between chunks, so they change no sum.
struct Parts {
    groups: u64,
    keys: usize,
    group_step: u64,
    key_step: usize,
    next: (u64, usize),
}

struct Part {
    groups: Range<u64>,
    keys: Range<usize>,
}

impl Parts {
    /// `work` is that of one group and one key.
    fn new(recorder: &Recorder, groups: u64, keys: usize, chunk: usize, work: f64) -> Parts {
        let most = recorder.dispatch_groups().min(groups);
        let budget = recorder.dispatch_work() / work;
        // Conversions from float saturate, so an enormous budget means all of it.
        let key_step = ((budget / groups as f64) as usize / chunk * chunk).clamp(chunk, keys.max(chunk));
        let group_step = ((budget / key_step as f64) as u64).clamp(1, most);
        Parts { groups, keys, group_step, key_step, next: (0, 0) }
    }
}

impl Iterator for Parts {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let (group, key) = self.next;
        if key >= self.keys {
            return None;
        }
        let group_end = (group + self.group_step).min(self.groups);
        let key_end = (key + self.key_step).min(self.keys);
        self.next = if group_end == self.groups { (0, key_end) } else { (group_end, key) };
        Some(Part { groups: group..group_end, keys: key..key_end })
    }
}

/// The kernels of the velocity.
struct Kernels {
    reduce: [Pipeline; 2],
    settle: Pipeline,
    project: Pipeline,
    tangent: Pipeline,
}

impl Kernels {
    fn new(device: &Device, constants: &Constants) -> Kernels {
        let kernel = |kernel| Pipeline::new(device, kernel, constants);
        let (reduction, projection) = match constants.dim as usize {
            ..=NARROW => (Kernel::ReduceNarrow, Kernel::ProjectNarrow),
            _ => (Kernel::ReduceWide, Kernel::ProjectWide),
        };
        let reduce = |shift| Pipeline::new(device, reduction, &Constants { shift, ..*constants });
        Kernels {
            reduce: [reduce(Shift::Fixed), reduce(Shift::Running)],
            settle: kernel(Kernel::Settle),
            project: kernel(projection),
            tangent: kernel(Kernel::Tangent),
        }
    }
}

/// Attaches the buffers of one head.
struct Wire<'a> {
    device: &'a Device,
    cloud: &'a Cloud,
    recorder: &'a Recorder,
    kernels: &'a Kernels,
    lens: &'a Lens,
}

impl Wire<'_> {
    fn pass(&self, tract: &Tract, point: Point) -> Pass {
        let Wire { cloud, kernels, lens, .. } = self;
        let tokens_here = tokens(tract, point);
        let (queries, project_query) = match &lens.query {
            Query::Scaled(_) => (tokens_here, None),
            Query::Projected(matrix) => {
                (&cloud.operands, Some(self.bind(&kernels.project, &[tokens_here, matrix, &cloud.operands])))
            }
        };
        let (settled, project_value) = match &lens.value {
            Value::Scaled(_) => (&tract.slopes, None),
            Value::Projected(_, matrix) => {
                (&cloud.outputs, Some(self.bind(&kernels.project, &[&cloud.outputs, matrix, &tract.slopes])))
            }
        };
        let reduce = match lens.shift {
            Shift::Fixed => &kernels.reduce[0],
            Shift::Running => &kernels.reduce[1],
        };
        let seen = cloud.tracts.iter().enumerate().filter(|(_, keys)| tract.segment.sees(&keys.segment));
        let over = |(segment, keys): (usize, &Tract)| {
            let buffers = [queries, tokens(keys, point), &keys.weights, &cloud.partials];
            (segment, self.bind(reduce, &buffers))
        };
        Pass {
            project_query,
            reduce: seen.map(over).collect(),
            settle: self.bind(&kernels.settle, &[tokens_here, &cloud.partials, settled]),
            project_value,
        }
    }

    fn bind(&self, pipeline: &Pipeline, buffers: &[&wgpu::Buffer]) -> Bound {
        pipeline.bind(self.device, self.recorder.uniforms(), buffers)
    }
}
