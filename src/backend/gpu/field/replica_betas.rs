//! Replicas of different beta: the factor of the queries of each, and the normalizer of its sums.

use std::f64::consts::LOG2_E;

use crate::backend::gpu::engine::{allocation::AllocationScope, device::Device};
use crate::model::{Attention, Head, Normalization};

/// For each replica of the problem (f, e, q, 0): queries are multiplied by f, and sums of weights that are not divided by their
/// total are divided by 2^e q.
pub struct ReplicaBetas {
    pub table: wgpu::Buffer,
}

impl ReplicaBetas {
    /// Nothing if a head has the same beta everywhere.
    pub fn new(scope: &AllocationScope, attention: &Attention, head: &Head) -> Option<ReplicaBetas> {
        let numbers = numbers(attention, head);
        (!numbers.is_empty()).then(|| ReplicaBetas { table: scope.upload("replica_betas", &numbers) })
    }

    /// Replaces the numbers of a head that has betas of replicas or none, after whatever was submitted; false if it must be otherwise.
    #[must_use]
    pub fn write(own: Option<&ReplicaBetas>, device: &Device, attention: &Attention, head: &Head) -> bool {
        let numbers = numbers(attention, head);
        if let Some(own) = own.filter(|_| !numbers.is_empty()) {
            device.queue.write_buffer(&own.table, 0, bytemuck::cast_slice(&numbers));
        }
        own.is_some() != numbers.is_empty()
    }
}

/// The table of a head; empty if it has the same beta everywhere.
fn numbers(attention: &Attention, head: &Head) -> Vec<f32> {
    let of_replica = |(replica, factor): (usize, &f64)| {
        let down = match attention.normalization {
            Normalization::Shifted => attention.beta_in(head, replica) * LOG2_E,
            Normalization::Softmax
            | Normalization::Unnormalized
            | Normalization::Hardmax
            | Normalization::Relu
            | Normalization::Sigmoid
            | Normalization::Sinkhorn { .. } => 0.0,
        };
        // 2^down in two parts, so that its exponent is exact.
        [*factor, down.floor(), (down - down.floor()).exp2(), 0.0].map(|number| number as f32)
    };
    attention.factors_of(head).iter().enumerate().flat_map(of_replica).collect()
}
