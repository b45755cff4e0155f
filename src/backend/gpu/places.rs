//! How the places of tokens reach the kernels: as a table of what is added to rows, or of angles by which they turn, and as
//! weights that decay. What a replica multiplies its rows by goes the same way.
//!
//! e^{-decay (i - j) / n} is a factor of the source times a factor of the token. The first goes into the log-weights of the
//! keys, relative to the last source so that it never exceeds one; the second cancels, in the softmax and against the
//! divisor of unnormalized weights. All tables are made on the host in double precision: angles grow with n.

use std::f64::consts::LOG2_E;

use super::{
    betas::Betas,
    device::Device,
    kernels::{codes::TableRule, constants::Constants, declared, params, sizes::SILENT},
    ledger::Ledger,
    pipelines::{BoundKernel, Pipeline},
    recorder::Recorder,
    segments::Segment,
};
use crate::{
    backend::BackendError,
    model::{Normalization, Position},
    problem::Problem,
};

/// A table for the tokens of one segment, and what is done with it.
pub(super) struct Table {
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
    pub fn added(ledger: &Ledger, places: &[f64], segment: &Segment, dim: usize) -> Table {
        let own = &places[segment.first_token * dim..][..segment.tokens * dim];
        let numbers = padded(own.chunks_exact(dim).map(|place| place.iter().copied()), dim);
        let places = ledger.upload("places", &numbers);
        Table::of(places, segment, dim, TableRule::Add)
    }

    /// The cosine and the sine of i base^{-2m / width}, for the pair m of components of token i.
    pub fn turned(ledger: &Ledger, base: f64, segment: &Segment, width: usize) -> Table {
        let angle = |token: usize, pair: usize| token as f64 * base.powf(-2.0 * pair as f64 / width as f64);
        let row = |token: usize| {
            (0..width).map(move |k| match (angle(token, k / 2), k % 2) {
                (angle, 0) => angle.cos(),
                (angle, _) => angle.sin(),
            })
        };
        let numbers = padded((segment.first_token..segment.first_token + segment.tokens).map(row), width);
        Table::of(ledger.upload("turns", &numbers), segment, width, TableRule::Turn)
    }

    /// What each replica multiplies rows of so many components by.
    pub fn scaled(betas: &Betas, segment: &Segment, width: usize) -> Table {
        Table::of(betas.table.clone(), segment, width, TableRule::Scale)
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

/// The kernel that applies a table to rows of its width, where they lie.
pub(super) struct Placing {
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

/// Weights of sources that decay with their distance.
pub(super) struct Decay {
    /// For each row 1, and the base-two logarithm of its weight times e^{decay (j - n + 1) / n}.
    pub biases: wgpu::Buffer,
    /// For each row what divides its sums, as an exponent of two and a factor, where weights are not normalized.
    pub divisors: Option<wgpu::Buffer>,
}

impl Decay {
    /// Nothing if weights do not decay; `relative` is the weight of a row as the kernels know it.
    pub fn new(
        ledger: &Ledger,
        problem: &Problem,
        segment: &Segment,
        relative: impl Fn(usize) -> [f32; 2],
    ) -> Option<Decay> {
        let (shape, attention) = (problem.tokens.shape, &problem.model.attention);
        let Position::Alibi { decay } = attention.position else { return None };
        let sources = shape.sources();
        let log2_factor = |j: usize| decay * LOG2_E * (j as f64 + 1.0 - sources as f64) / sources as f64;
        let bias = |row: usize| {
            let [weight, log2_weight] = relative(row);
            let j = row % shape.count;
            let is_heard = j < sources && log2_weight > 0.5 * SILENT;
            let log2_bias = f64::from(log2_weight) + if is_heard { log2_factor(j) } else { 0.0 };
            [weight, log2_bias as f32]
        };
        let biases: Vec<f32> = segment.range(shape).flat_map(bias).collect();
        let divides = matches!(attention.normalization, Normalization::Unnormalized | Normalization::Shifted);
        let divisors = divides.then(|| {
            let last = segment.first_replica + segment.replicas;
            let replica = |replica: usize| {
                let mut totals = vec![0.0; sources + 1];
                for j in 0..sources {
                    totals[j + 1] = totals[j] + problem.tokens.weight(replica, j) * log2_factor(j).exp2();
                }
                let divisor = |token: usize| {
                    let sight = attention.sight(token, sources);
                    split(totals[sight.end] - totals[sight.start])
                };
                (segment.first_token..segment.first_token + segment.tokens).flat_map(divisor).collect::<Vec<_>>()
            };
            (segment.first_replica..last).flat_map(replica).collect::<Vec<f32>>()
        });
        let divisors = divisors.map(|divisors| ledger.upload("divisors", &divisors));
        Some(Decay { biases: ledger.upload("biases", &biases), divisors })
    }
}

/// A number as an exponent of two and a factor, that of nothing being one.
fn split(number: f64) -> [f32; 2] {
    let exponent = if number > 0.0 { number.log2().floor() } else { 0.0 };
    let factor = if number > 0.0 { number * (-exponent).exp2() } else { 1.0 };
    [exponent as f32, factor as f32]
}
