//! The reduction for those who have a cloud and no model: logarithms of sums of exponentials, in f64, pair by pair or, between
//! clouds of unit vectors of the plane or space, by harmonics where that is faster.

mod lengths;
mod points;
mod series;
#[cfg(test)]
mod tests;

use std::f64::consts::{LN_2, LOG2_E};

use rayon::prelude::*;

pub(crate) use self::points::Sources;
use self::{lengths::Lengths, series::Plan};
pub(crate) use self::{lengths::are_unit, series::by_harmonics};
use super::{
    columns::{Columns, ColumnsRef},
    reduce::reduce,
    reduction::{Queries, Reduced, Shift, block},
};

impl Sources {
    /// ln sum_j e^{scale <x_i, y_j> + bias_j} for every query x_i, row-major (query, component), one finite bias for
    /// every point, and scale > 0.
    ///
    /// Sums of harmonics are taken where they are within `accuracy`, a relative error of the sum, and cost less; queries for
    /// which they are not within it are summed pair by pair, as are all others.
    pub(crate) fn log_sums(&self, queries: &[f64], scale: f64, bias: &[f64], accuracy: f64) -> Vec<f64> {
        let dim = self.shape.dim;
        let count = queries.len() / dim;
        let choose = || Plan::choose(dim, Lengths::of(queries, dim, scale), self.shape.count, count, accuracy);
        let plan = self.are_unit.then(choose);
        match plan.flatten() {
            Some(plan) => self.expanded(&plan, queries, scale, bias),
            None => self.pair_by_pair(queries, scale, bias),
        }
    }

    /// The same, every sum from its pairs.
    fn pair_by_pair(&self, queries: &[f64], scale: f64, bias: &[f64]) -> Vec<f64> {
        let blocks = self.reduced(queries, scale, bias, Some(self.nothing.replica(0)));
        blocks.into_iter().flat_map(|block| block.log2_sum).map(|sum| sum * LN_2).collect()
    }

    /// The same, and sum_j e^{scale <x_i, y_j> + bias_j} y_j divided by the sum, row-major (query, component).
    pub(crate) fn log_sums_and_means(&self, queries: &[f64], scale: f64, bias: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (mut sums, mut means) = (Vec::new(), Vec::with_capacity(queries.len()));
        for block in self.reduced(queries, scale, bias, None) {
            sums.extend(block.log2_sum.into_iter().map(|sum| sum * LN_2));
            means.extend(block.barycentre);
        }
        (sums, means)
    }

    /// Block by block; the values are the points unless others are given.
    fn reduced(
        &self,
        queries: &[f64],
        scale: f64,
        bias: &[f64],
        values: Option<ColumnsRef<'_, f64>>,
    ) -> Vec<Reduced> {
        let dim = self.shape.dim;
        let weights: Vec<f64> = bias.iter().map(|bias| bias * LOG2_E).collect();
        let mut biases = Columns::zeros(1, 1, self.shape.count);
        for mut columns in biases.replicas_mut() {
            let column = columns.column_mut(0);
            column.copy_from_slice(self.bias.replica(0));
            column[..weights.len()].copy_from_slice(&weights);
        }
        let keys = self.bias.keys(0, self.points.replica(0));
        let keys = keys.with(None, values, Some(biases.replica(0).column(0)));
        let rows: Vec<f64> = queries.iter().map(|x| x * scale * LOG2_E).collect();
        let reduced = |rows: &[f64]| {
            if self.cancel.is_requested() {
                let count = rows.len() / dim;
                let barycentre = vec![0.0; count * keys.value_width()];
                return Reduced { log2_sum: vec![0.0; count], barycentre };
            }
            let visible = vec![keys.padded; rows.len() / dim];
            let queries = Queries { rows, visible: &visible, hidden: &[], own: None };
            let mut reduced = Reduced::default();
            reduce(self.instructions, queries, keys, Shift::RowMaximum, &mut reduced);
            reduced
        };
        rows.par_chunks(block(dim, rows.len() / dim) * dim).map(reduced).collect()
    }
}
