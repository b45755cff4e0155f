//! How the positions of tokens reach the kernels: as a table of vectors that are added to rows, or of angles by which they turn.
//! The factor of a replica, by which its rows are multiplied, goes the same way.
//!
//! All tables are made on the host in double precision, because angles grow with n.

use super::replica_betas::ReplicaBetas;
use crate::backend::BackendError;
use crate::backend::gpu::{
    engine::{
        allocation::AllocationScope,
        device::Device,
        pipelines::{BoundKernel, Pipeline},
        recorder::Recorder,
    },
    kernels::{codes::TableRule, constants::Constants, declared, params},
    layout::segments::Segment,
};
use crate::model::rotary_frequency;

/// A table for the tokens of one segment, and how it enters their rows.
pub struct Table {
    places: wgpu::Buffer,
    /// Components of a row.
    width: usize,
    /// Tokens of one replica in the segment, and the first replica.
    tokens: usize,
    first_replica: usize,
    rule: TableRule,
}

impl Table {
    /// p_i of the tokens of `segment`, `dim` numbers each.
    pub fn added(scope: &AllocationScope, places: &[f64], segment: &Segment, dim: usize) -> Table {
        let own = &places[segment.first_token * dim..][..segment.tokens * dim];
        let numbers = padded(own.chunks_exact(dim).map(|place| place.iter().copied()), dim);
        let places = scope.upload("places", &numbers);
        Table::of(places, segment, dim, TableRule::Add)
    }

    /// The cosine and the sine of i base^{-2m / width}, for the pair m of components of token i.
    pub fn turned(scope: &AllocationScope, base: f64, segment: &Segment, width: usize) -> Table {
        let angle = |token: usize, pair: usize| token as f64 * rotary_frequency(base, pair, width);
        let row = |token: usize| {
            (0..width).map(move |k| match (angle(token, k / 2), k % 2) {
                (angle, 0) => angle.cos(),
                (angle, _) => angle.sin(),
            })
        };
        let numbers = padded((segment.first_token..segment.first_token + segment.tokens).map(row), width);
        Table::of(scope.upload("turns", &numbers), segment, width, TableRule::Turn)
    }

    /// The factor of each replica, for rows of so many components.
    pub fn scaled(replica_betas: &ReplicaBetas, segment: &Segment, width: usize) -> Table {
        Table::of(replica_betas.table.clone(), segment, width, TableRule::Scale)
    }

    fn of(places: wgpu::Buffer, segment: &Segment, width: usize, rule: TableRule) -> Table {
        Table { places, width, tokens: segment.tokens, first_replica: segment.first_replica, rule }
    }
}

/// The numbers of all rows, each padded like a token.
fn padded(rows: impl Iterator<Item = impl Iterator<Item = f64>>, width: usize) -> Vec<f32> {
    let pad = width.next_multiple_of(4) - width;
    rows.flat_map(|row| row.map(|number| number as f32).chain(std::iter::repeat_n(0.0, pad))).collect()
}

/// The kernel that applies a table to rows of its width, in place.
pub struct Placing {
    bound: BoundKernel<params::Place>,
    width: usize,
    tokens: usize,
    first_replica: usize,
    rule: TableRule,
}

impl Placing {
    pub fn new(
        device: &Device,
        recorder: &Recorder,
        constants: &Constants,
        table: &Table,
        rows: &wgpu::Buffer,
    ) -> Placing {
        let Table { ref places, width, tokens, first_replica, rule } = *table;
        let dim = width as u32;
        let pipeline = Pipeline::<declared::Place>::new(device, &Constants { dim, inner: dim, ..*constants });
        let bound = pipeline.bind(device, recorder.uniforms(), [places, rows]);
        Placing { bound, width, tokens, first_replica, rule }
    }

    pub fn record(&self, recorder: &mut Recorder, rows: usize) -> Result<(), BackendError> {
        let params = params::Place {
            rows: rows as u32,
            tokens: self.tokens as u32,
            first_replica: self.first_replica as u32,
            rule: self.rule,
        };
        recorder.record_rows(&self.bound, &params, rows, (rows * self.width * 8) as f64)
    }
}
