//! Which buffers each kernel of a head reads and writes, decided once for every head, point and segment.

use super::{
    duals::{Duals, Side},
    heads::HeadLayout,
    places::{Placing, Table},
    project::{Linear, Projection, ReplicaRows, Rows},
    replica_betas::ReplicaBetas,
};
use crate::backend::gpu::{
    engine::{
        allocation::AllocationScope,
        device::Device,
        pipelines::{BoundKernel, Pipeline},
        recorder::Recorder,
    },
    kernels::{constants::Constants, declared, params},
    layout::{
        token_buffers::{SegmentBuffers, TokenBuffers},
        tune,
    },
};
use crate::{
    backend::{BackendError, Point},
    model::{Attention, Normalization, Position},
};

/// The product that makes queries or keys of the rows of a segment. Where positions are rotary the rows are then rotated, and where
/// replicas have betas of their own they are multiplied.
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
    /// The keys of each segment whose tokens are sources of the queries.
    pub keys: Vec<KeyPass>,
    pub write_output: BoundKernel<params::WriteOutput>,
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
    /// The sums with the weights of the sources as they are, and as the field has them.
    pub plain: BoundKernel<params::Reduce>,
    pub reduce: BoundKernel<params::Reduce>,
}

/// The kernel that sums over keys.
enum Summation {
    Narrow(Pipeline<declared::ReduceNarrow>),
    Wide(Pipeline<declared::ReduceWide>),
    Half(Pipeline<declared::ReduceHalf>),
    Hardmax(Pipeline<declared::Hardmax>),
    Pointwise(Pipeline<declared::Pointwise>),
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
            Summation::Pointwise(kernel) => kernel.bind(device, uniforms, with_values),
            Summation::Hardmax(kernel) => {
                kernel.bind(device, uniforms, [queries, keys, weights, partials, values, extremes])
            }
        }
    }
}

/// The buffers that a head has of its own.
#[derive(Clone, Copy)]
pub struct HeadBuffers<'a> {
    /// The number of the head.
    pub head: usize,
    pub layout: &'a HeadLayout<Linear>,
    /// Where replicas have betas of their own.
    pub replica_betas: Option<&'a ReplicaBetas>,
    /// The log-weights of the field, where they are balanced.
    pub duals: Option<&'a Duals>,
}

/// Attaches the buffers of one head.
pub struct Bindings<'a> {
    pub device: &'a Device,
    queries: &'a TokenBuffers,
    pub keys: &'a TokenBuffers,
    pub recorder: &'a Recorder,
    own: HeadBuffers<'a>,
    constants: &'a Constants,
    /// With the weights of sources as they are, and as the field has them.
    plain: Summation,
    reduce: Summation,
    write_output: Pipeline<declared::WriteOutput>,
    /// Of the segments of queries and of keys, where positions are rotary.
    turns: Option<[Vec<Table>; 2]>,
}

impl<'a> Bindings<'a> {
    pub fn new(
        scope: &AllocationScope<'a>,
        [queries, keys]: [&'a TokenBuffers; 2],
        recorder: &'a Recorder,
        attention: &Attention,
        own: HeadBuffers<'a>,
        constants: &'a Constants,
    ) -> Bindings<'a> {
        let (device, layout) = (scope.device(), own.layout);
        let wide = tune::wide(constants, layout.key_dim, layout.value_dim);
        let plain = || match (layout.is_narrow(constants.dim as usize), device.half) {
            (true, _) => Summation::Narrow(Pipeline::new(device, &Constants { shift: layout.shift, ..*constants })),
            (false, Some(half)) => Summation::Half(Pipeline::new(device, &Constants { half, ..wide })),
            (false, None) => Summation::Wide(Pipeline::new(device, &wide)),
        };
        let reduce = match attention.normalization {
            Normalization::Hardmax => Summation::Hardmax(Pipeline::new(device, &wide)),
            Normalization::Relu | Normalization::Sigmoid => Summation::Pointwise(Pipeline::new(device, &wide)),
            Normalization::Softmax
            | Normalization::Unnormalized
            | Normalization::Shifted
            | Normalization::Sinkhorn { .. } => plain(),
        };
        let plain = plain();
        let dim = layout.value_dim as u32;
        let write_output = Pipeline::new(device, &Constants { dim, ..*constants });
        let tables = |base: f64, buffers: &TokenBuffers| {
            let segments = buffers.segments.iter().map(|segment_buffers| &segment_buffers.segment);
            segments.map(|segment| Table::turned(scope, base, segment, layout.key_dim)).collect()
        };
        let turns = match attention.position {
            Position::Rotary { base } => Some([tables(base, queries), tables(base, keys)]),
            Position::Nowhere | Position::Alibi { .. } | Position::Additive { .. } => None,
        };
        Bindings { device, queries, keys, recorder, own, constants, plain, reduce, write_output, turns }
    }

    /// The number of the head.
    pub fn head(&self) -> usize {
        self.own.head
    }

    /// What the head does to the queries of the segment that has the number `segment`.
    pub fn pass(&self, segment: usize, point: Point) -> Pass {
        let Bindings { queries: buffers, keys, own, .. } = self;
        let segment_buffers = &buffers.segments[segment];
        let queries = self.rows(segment, point, Side::Queries);
        let (written, output) = match &own.layout.output {
            None => (&segment_buffers.velocities, None),
            Some(matrix) => {
                let projection = self.project(matrix, [&buffers.outputs, &segment_buffers.velocities]);
                (&buffers.outputs, Some(projection.of_replicas(place_of(segment_buffers))))
            }
        };
        let divisors = segment_buffers
            .decay_of(own.head)
            .and_then(|decay| decay.divisors.as_ref())
            .unwrap_or(&segment_buffers.weights);
        // Without betas of replicas the table is not read; any buffer of vectors can be bound.
        let replica_betas = own.replica_betas.map_or(&buffers.partials, |replica_betas| &replica_betas.table);
        let others = keys.segments.iter().enumerate().filter(|(_, keys)| segment_buffers.segment.sees(&keys.segment));
        Pass {
            query: self.operand_of(segment, point, Side::Queries),
            keys: others.map(|(segment, keys)| self.keys(segment, keys, point, queries)).collect(),
            write_output: self.write_output.bind(
                self.device,
                self.recorder.uniforms(),
                [segment_buffers.tokens(point), &buffers.partials, written, divisors, replica_betas],
            ),
            output,
        }
    }

    fn keys(
        &self,
        segment: usize,
        segment_buffers: &SegmentBuffers,
        point: Point,
        queries: &wgpu::Buffer,
    ) -> KeyPass {
        let Bindings { queries: buffers, keys: scratch, own, .. } = self;
        let inputs = segment_buffers.value_inputs(point);
        let keys = self.rows(segment, point, Side::Keys);
        let (values, value) = match &own.layout.value {
            None => (inputs, None),
            Some(matrix) => (&scratch.values, Some(self.project(matrix, [inputs, &scratch.values]))),
        };
        let bind = |summation: &Summation, weights| {
            let sums = [queries, keys, weights, &buffers.partials];
            summation.bind(self.device, self.recorder.uniforms(), sums, values, &buffers.extremes)
        };
        let weights =
            own.duals.map_or(segment_buffers.biases_of(own.head), |duals| &duals.of[Side::Keys as usize][segment]);
        KeyPass {
            segment,
            key: self.operand_of(segment, point, Side::Keys),
            value,
            read: [queries, keys, weights].map(Clone::clone),
            plain: bind(&self.plain, &segment_buffers.weights),
            reduce: bind(&self.reduce, weights),
        }
    }

    /// The buffer that holds one side of a segment.
    pub fn rows(&self, segment: usize, point: Point, side: Side) -> &'a wgpu::Buffer {
        match self.made(side) {
            (Some(_), scratch, _) => scratch,
            (None, _, buffers) => buffers.segments[segment].score_inputs(point),
        }
    }

    /// The product that makes one side of a segment; none where its rows are there already.
    pub fn operand_of(&self, segment: usize, point: Point, side: Side) -> Option<Operand> {
        let (matrix, scratch, buffers) = self.made(side);
        let segment_buffers = &buffers.segments[segment];
        let scaled = |replica_betas| Table::scaled(replica_betas, &segment_buffers.segment, self.own.layout.key_dim);
        let scale = self.own.replica_betas.filter(|_| side == Side::Queries).map(scaled);
        let turn = self.turns.as_ref().map(|turns| &turns[side as usize][segment]);
        let rows = [segment_buffers.score_inputs(point), scratch];
        Some(self.operand(matrix?, rows, place_of(segment_buffers), turn.into_iter().chain(&scale)))
    }

    /// The matrix of one side, the buffer for its rows, and the buffers of the tokens that they are made of.
    fn made(&self, side: Side) -> (Option<&'a Linear>, &'a wgpu::Buffer, &'a TokenBuffers) {
        match side {
            Side::Queries => (self.own.layout.query.matrix(), &self.queries.operands, self.queries),
            Side::Keys => (self.own.layout.key.as_ref(), &self.keys.keys, self.keys),
        }
    }

    fn operand<'t>(
        &self,
        matrix: &Linear,
        buffers: [&wgpu::Buffer; 2],
        place: ReplicaRows,
        tables: impl Iterator<Item = &'t Table>,
    ) -> Operand {
        let Bindings { device, recorder, constants, .. } = self;
        let placing = |table| Placing::new(device, recorder, constants, table, buffers[1]);
        let projection = self.project(matrix, buffers).of_replicas(place);
        Operand { projection, placings: tables.map(placing).collect() }
    }

    fn project(&self, matrix: &Linear, buffers: [&wgpu::Buffer; 2]) -> Projection {
        Projection::new(self.device, self.recorder, self.constants, matrix, buffers)
    }
}

/// Where the rows of a segment are among those of replicas.
fn place_of(segment_buffers: &SegmentBuffers) -> ReplicaRows {
    let segment = &segment_buffers.segment;
    ReplicaRows { tokens: segment.tokens, first_replica: segment.first_replica }
}
