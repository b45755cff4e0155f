//! Weights of sources that decay with their distance, as numbers of sources and of queries.
//!
//! Factors of sources go into the log-weights of the keys. They and the divisors are made on the host in double precision.

use super::segments::Segment;
use crate::backend::gpu::{engine::allocation::AllocationScope, kernels::sizes::MASKED_SCORE};
use crate::{model::Head, problem::Problem};

/// Weights of sources that decay with their distance, in one head.
#[derive(Clone)]
pub struct Decay {
    /// For each row 1, and the base-two logarithm of its weight times e^{decay (j - n + 1) / n}.
    pub biases: wgpu::Buffer,
    /// For each row what divides its sums, as an exponent of two and a factor, where weights are not normalized.
    pub divisors: Option<wgpu::Buffer>,
}

impl Decay {
    /// Nothing if weights do not decay; `relative` is the weight of a row as the kernels know it.
    pub fn new(
        scope: &AllocationScope,
        problem: &Problem,
        head: &Head,
        segment: &Segment,
        relative: impl Fn(usize) -> [f32; 2],
    ) -> Option<Decay> {
        let (shape, attention) = (problem.tokens.shape, &problem.model.attention);
        let sources = shape.sources();
        let alibi = attention.alibi_of(head, sources)?;
        let bias = |row: usize| {
            let [weight, log2_weight] = relative(row);
            let j = row % shape.count;
            let is_visible = j < sources && log2_weight > 0.5 * MASKED_SCORE;
            let log2_bias = f64::from(log2_weight) + if is_visible { alibi.log2_factor(j) } else { 0.0 };
            [weight, log2_bias as f32]
        };
        let biases: Vec<f32> = segment.range(shape).flat_map(bias).collect();
        let divisors = (!attention.normalization.is_divided()).then(|| {
            let last = segment.first_replica + segment.replicas;
            let replica = |replica: usize| {
                let totals = alibi.totals(|j| problem.tokens.weight(replica, j));
                let divisor = |token: usize| {
                    let visible = attention.visible(token, sources);
                    split(totals[visible.end] - totals[visible.start])
                };
                (segment.first_token..segment.first_token + segment.tokens).flat_map(divisor).collect::<Vec<_>>()
            };
            (segment.first_replica..last).flat_map(replica).collect::<Vec<f32>>()
        });
        let divisors = divisors.map(|divisors| scope.upload("divisors", &divisors));
        Some(Decay { biases: scope.upload("biases", &biases), divisors })
    }
}

/// A number as an exponent of two and a factor, that of nothing being one.
fn split(number: f64) -> [f32; 2] {
    let exponent = if number > 0.0 { number.log2().floor() } else { 0.0 };
    let factor = if number > 0.0 { number * (-exponent).exp2() } else { 1.0 };
    [exponent as f32, factor as f32]
}
