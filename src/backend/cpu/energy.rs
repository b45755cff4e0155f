//! The interaction energy of a replica.

use rayon::prelude::*;

use super::{Cpu, observe, real::Real, reduction::Reduced};
use crate::model::Field;

impl<T: Real> Cpu<T> {
    /// ln [(1 / 2 beta) sum_h sum_i w_i Z_i^h] of one replica, over all pairs whatever the mask.
    pub(super) fn log_energy(&self, replica: usize) -> f64 {
        let (shape, tokens) = (self.shape, self.state.replica(replica));
        let sums = self.sums(replica, tokens, Field::Ambient);
        let mut exponents = Vec::new();
        for (index, head) in self.heads.iter().enumerate() {
            let log2_sums = |first: usize| {
                let count = self.block().min(shape.sources() - first);
                let rows = tokens.part(first, count).rows(shape.dim, count);
                let mut reduced = Reduced::default();
                let all = vec![sums.keys.padded; count];
                let sums = self.head_sums(sums.keys, &all, sums.expansions.get(index));
                head.reduce(self.instructions, &rows, shape.dim, sums, &mut reduced);
                reduced.log2_sum
            };
            let blocks = (0..shape.sources()).step_by(self.block()).collect::<Vec<_>>().into_par_iter();
            let log2_sums: Vec<Vec<f64>> = blocks.map(log2_sums).collect();
            let weight = |token| self.weights.of(shape, replica, token);
            exponents.extend(log2_sums.concat().iter().enumerate().map(|(i, log2_sum)| log2_sum + weight(i).log2()));
        }
        observe::log_sum_exp2(&exponents) - (2.0 * self.model.attention.beta).ln()
    }
}
