//! Which buffers each kernel of a head reads and writes, decided once for every head, point and segment.

use super::{
    duals::{Duals, Side},
    heads::Lens,
    places::{Placing, Table},
    project::{Linear, Projection, Rows},
    replica_betas::Betas,
};
use crate::backend::gpu::{
    engine::{
        allocation::Ledger,
        device::Device,
        pipelines::{BoundKernel, Pipeline},
        recorder::Recorder,
    },
    kernels::{constants::Constants, declared, params},
    layout::{
        token_buffers::{Cloud, Tract},
        tune,
    },
};
use crate::{
    backend::{BackendError, Point},
    model::{Attention, Normalization, Position},
};

/// Queries or keys that a head makes of the rows of a segment, turned by their places if positions are rotary, and multiplied
/// by what a replica makes of beta.
pub struct Operand {
    projection: Projection,
    placings: Vec<Placing>,
}

impl Operand {
    pub fn record(&self, recorder: &mut Recorder, rows: usize) -> Result<(), BackendError> {
        self.projection.record(recorder, Rows::first(rows))?;
        self.placings.iter().try_for_each(|placing| placing.record(recorder, rows))
    }
}

/// What one head does to the queries of one segment at one point.
pub struct Pass {
    pub query: Option<Operand>,
    /// The keys of each segment that is seen.
    pub keys: Vec<KeyPass>,
    pub settle: BoundKernel<params::Settle>,
    pub output: Option<Projection>,
}

/// What one head does to the keys of one segment, and the reduction over them.
pub struct KeyPass {
    /// The index of the segment.
    pub segment: usize,
    pub key: Option<Operand>,
    pub value: Option<Projection>,
    /// The queries, keys and weights that the field is made of.
    pub read: [wgpu::Buffer; 3],
    /// With the weights of sources as they are, and as the field has them.
    pub plain: BoundKernel<params::Reduce>,
    pub reduce: BoundKernel<params::Reduce>,
}

/// The kernel that sums over keys.
enum Summation {
    Narrow(Pipeline<declared::ReduceNarrow>),
    Wide(Pipeline<declared::ReduceWide>),
    Half(Pipeline<declared::ReduceHalf>),
    Hardmax(Pipeline<declared::Hardmax>),
}

impl Summation {
    fn bind(
        &self,
        device: &Device,
        uniforms: &wgpu::Buffer,
        [queries, keys, weights, partials]: [&wgpu::Buffer; 4],
        values: &wgpu::Buffer,
        extremes: &wgpu::Buffer,
    ) -> BoundKernel<params::Reduce> {
        let with_values = [queries, keys, weights, partials, values];
        match self {
            Summation::Narrow(kernel) => kernel.bind(device, uniforms, [queries, keys, weights, partials]),
            Summation::Wide(kernel) => kernel.bind(device, uniforms, with_values),
            Summation::Half(kernel) => kernel.bind(device, uniforms, with_values),
            Summation::Hardmax(kernel) => {
                kernel.bind(device, uniforms, [queries, keys, weights, partials, values, extremes])
            }
        }
    }
}

/// Attaches the buffers of one head.
pub struct Wire<'a> {
    device: &'a Device,
    queries: &'a Cloud,
    keys: &'a Cloud,
    recorder: &'a Recorder,
    lens: &'a Lens<Linear>,
    /// Where replicas have betas of their own.
    betas: Option<&'a Betas>,
    constants: &'a Constants,
    /// With the weights of sources as they are, and as the field has them.
    plain: Summation,
    reduce: Summation,
    settle: Pipeline<declared::Settle>,
    /// Of the segments of queries and of keys, where positions are rotary.
    turns: Option<[Vec<Table>; 2]>,
    /// The log-weights of the field, where they are balanced.
    duals: Option<&'a Duals>,
}

impl<'a> Wire<'a> {
    pub fn new(
        ledger: &Ledger<'a>,
        [queries, keys]: [&'a Cloud; 2],
        recorder: &'a Recorder,
        (lens, betas): (&'a Lens<Linear>, Option<&'a Betas>),
        (attention, duals): (&Attention, Option<&'a Duals>),
        constants: &'a Constants,
    ) -> Wire<'a> {
        let device = ledger.device();
        let wide = tune::wide(constants, lens.key_dim, lens.value_dim);
        let plain = || match (lens.is_narrow(constants.dim as usize), device.half) {
            (true, _) => Summation::Narrow(Pipeline::new(device, &Constants { shift: lens.shift, ..*constants })),
            (false, Some(half)) => Summation::Half(Pipeline::new(device, &Constants { half, ..wide })),
            (false, None) => Summation::Wide(Pipeline::new(device, &wide)),
        };
        let reduce = match attention.normalization {
            Normalization::Hardmax => Summation::Hardmax(Pipeline::new(device, &wide)),
            _ => plain(),
        };
        let plain = plain();
        let dim = lens.value_dim as u32;
        let settle = Pipeline::new(device, &Constants { dim, ..*constants });
        let tables = |base: f64, cloud: &Cloud| {
            let segments = cloud.tracts.iter().map(|tract| &tract.segment);
            segments.map(|segment| Table::turned(ledger, base, segment, lens.key_dim)).collect()
        };
        let turns = match attention.position {
            Position::Rotary { base } => Some([tables(base, queries), tables(base, keys)]),
            _ => None,
        };
        Wire { device, queries, keys, recorder, lens, betas, constants, plain, reduce, settle, turns, duals }
    }

    /// What the head does to the queries of the segment that has the number `segment`.
    pub fn pass(&self, segment: usize, point: Point) -> Pass {
        let Wire { queries: cloud, keys, lens, .. } = self;
        let tract = &cloud.tracts[segment];
        let queries = self.rows(segment, point, Side::Queries);
        let (settled, output) = match &lens.output {
            None => (&tract.slopes, None),
            Some(matrix) => (&cloud.outputs, Some(self.project(matrix, [&cloud.outputs, &tract.slopes]))),
        };
        let divisors = tract.decay.as_ref().and_then(|decay| decay.divisors.as_ref()).unwrap_or(&tract.weights);
        // Any vectors stand where replicas have no clocks.
        let betas = self.betas.map_or(&cloud.partials, |betas| &betas.table);
        let others = keys.tracts.iter().enumerate().filter(|(_, keys)| tract.segment.sees(&keys.segment));
        Pass {
            query: self.operand_of(segment, point, Side::Queries),
            keys: others.map(|(segment, keys)| self.keys(segment, keys, point, queries)).collect(),
            settle: self.settle.bind(
                self.device,
                self.recorder.uniforms(),
                [tract.tokens(point), &cloud.partials, settled, divisors, betas],
            ),
            output,
        }
    }

    fn keys(&self, segment: usize, tract: &Tract, point: Point, queries: &wgpu::Buffer) -> KeyPass {
        let Wire { queries: cloud, keys: scratch, lens, .. } = self;
        let seen = tract.seen(point);
        let keys = self.rows(segment, point, Side::Keys);
        let (values, value) = match &lens.value {
            None => (seen, None),
            Some(matrix) => (&scratch.values, Some(self.project(matrix, [seen, &scratch.values]))),
        };
        let bind = |summation: &Summation, weights| {
            let sums = [queries, keys, weights, &cloud.partials];
            summation.bind(self.device, self.recorder.uniforms(), sums, values, &cloud.extremes)
        };
        let weights = self.duals.map_or(tract.biases(), |duals| &duals.of[Side::Keys as usize][segment]);
        KeyPass {
            segment,
            key: self.operand_of(segment, point, Side::Keys),
            value,
            read: [queries, keys, weights].map(Clone::clone),
            plain: bind(&self.plain, &tract.weights),
            reduce: bind(&self.reduce, weights),
        }
    }

    /// Where one side of a segment lies.
    pub fn rows(&self, segment: usize, point: Point, side: Side) -> &'a wgpu::Buffer {
        match self.made(side) {
            (Some(_), scratch, _) => scratch,
            (None, _, cloud) => cloud.tracts[segment].asked(point),
        }
    }

    /// What makes one side of a segment, if it is not what is there already.
    pub fn operand_of(&self, segment: usize, point: Point, side: Side) -> Option<Operand> {
        let (matrix, scratch, cloud) = self.made(side);
        let tract = &cloud.tracts[segment];
        let scaled = |betas| Table::scaled(betas, &tract.segment, self.lens.key_dim);
        let scale = self.betas.filter(|_| side == Side::Queries).map(scaled);
        let turn = self.turns.as_ref().map(|turns| &turns[side as usize][segment]);
        Some(self.operand(matrix?, [tract.asked(point), scratch], turn.into_iter().chain(&scale)))
    }

    /// The matrix of one side, where it leaves its rows, and the cloud that it takes them from.
    fn made(&self, side: Side) -> (Option<&'a Linear>, &'a wgpu::Buffer, &'a Cloud) {
        match side {
            Side::Queries => (self.lens.query.matrix(), &self.queries.operands, self.queries),
            Side::Keys => (self.lens.key.as_ref(), &self.keys.keys, self.keys),
        }
    }

    fn operand<'t>(
        &self,
        matrix: &Linear,
        buffers: [&wgpu::Buffer; 2],
        tables: impl Iterator<Item = &'t Table>,
    ) -> Operand {
        let Wire { device, recorder, constants, .. } = self;
        let placing = |table| Placing::new(device, recorder, constants, table, buffers[1]);
        Operand { projection: self.project(matrix, buffers), placings: tables.map(placing).collect() }
    }

    fn project(&self, matrix: &Linear, buffers: [&wgpu::Buffer; 2]) -> Projection {
        Projection::new(self.device, self.recorder, self.constants, matrix, buffers)
    }
}
