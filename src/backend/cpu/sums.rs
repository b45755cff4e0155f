//! The reduction for those who have a cloud and no model: logarithms of sums of exponentials, in f64.

use std::f64::consts::{LN_2, LOG2_E};

use rayon::prelude::*;

use super::{
    columns::{Cloud, Columns},
    instructions::Instructions,
    keys::Bias,
    reduction::{Queries, Reduced, Shift, block, reduce},
};
use crate::tokens::{Shape, Weights};

/// The points y_j that are summed over.
pub(crate) struct Sources {
    instructions: Instructions,
    shape: Shape,
    points: Columns<f64>,
    bias: Bias<f64>,
    /// Values of no components: only sums are wanted.
    nothing: Columns<f64>,
}

impl Sources {
    /// At least one point of at least one component, row-major (point, component).
    pub(crate) fn new(coordinates: &[f64], dim: usize) -> Self {
        let shape = Shape { replicas: 1, count: coordinates.len() / dim, dim, passive: 0 };
        let mut points = Columns::zeros(1, dim, shape.count);
        points.replicas_mut().for_each(|mut cloud| cloud.set_rows(dim, coordinates));
        let nothing = Columns::zeros(1, 0, shape.count);
        let bias = Bias::new(shape, &Weights::Equal);
        Self { instructions: Instructions::detect(), shape, points, bias, nothing }
    }

    /// ln sum_j e^{scale <x_i, y_j> + bias_j} for every query x_i, row-major (query, component), and one finite bias for
    /// every point.
    pub(crate) fn log_sums(&self, queries: &[f64], scale: f64, bias: &[f64]) -> Vec<f64> {
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
    fn reduced(&self, queries: &[f64], scale: f64, bias: &[f64], values: Option<Cloud<'_, f64>>) -> Vec<Reduced> {
        let dim = self.shape.dim;
        let weights: Vec<f64> = bias.iter().map(|bias| bias * LOG2_E).collect();
        let mut biases = Columns::zeros(1, 1, self.shape.count);
        for mut cloud in biases.replicas_mut() {
            let column = cloud.column_mut(0);
            column.copy_from_slice(self.bias.replica(0));
            column[..weights.len()].copy_from_slice(&weights);
        }
        let keys = self.bias.keys(0, self.points.replica(0));
        let keys = keys.with(None, values, Some(biases.replica(0).column(0)));
        let rows: Vec<f64> = queries.iter().map(|x| x * scale * LOG2_E).collect();
        let reduced = |rows: &[f64]| {
            let visible = vec![keys.padded; rows.len() / dim];
            let queries = Queries { rows, visible: &visible, hidden: &[], own: None };
            let mut reduced = Reduced::default();
            reduce(self.instructions, queries, keys, Shift::RowMaximum, &mut reduced);
            reduced
        };
        rows.par_chunks(block(dim, rows.len() / dim) * dim).map(reduced).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More queries than a block, fewer points than a vector and more than a tile, scores far beyond the exponents of f64.
    #[test]
    fn log_sums_are_sums_taken_one_by_one() {
        let scale = 3e3;
        for (dim, count) in [(1, 3), (3, 700), (17, 41)] {
            let points: Vec<f64> = (0..count * dim).map(|k| (0.7 * k as f64).sin()).collect();
            let queries: Vec<f64> = (0..150 * dim).map(|k| (1.3 * k as f64).cos()).collect();
            let bias: Vec<f64> = (0..count).map(|j| (0.3 * j as f64).sin() - 5.0).collect();
            let found = Sources::new(&points, dim).log_sums(&queries, scale, &bias);
            assert_eq!(found.len(), 150);
            let (sums, means) = Sources::new(&points, dim).log_sums_and_means(&queries, scale, &bias);
            // Another kernel may take these, with other roundings.
            assert!(sums.iter().zip(&found).all(|(sum, found)| (sum - found).abs() < 5e-11), "dim {dim}");
            let mut means = means.into_iter();
            for (x, found) in queries.chunks_exact(dim).zip(found) {
                let scores = points
                    .chunks_exact(dim)
                    .zip(&bias)
                    .map(|(y, bias)| scale * x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>() + bias);
                let scores: Vec<f64> = scores.collect();
                let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let expected = largest + scores.iter().map(|score| (score - largest).exp()).sum::<f64>().ln();
                let mean = |c: usize| {
                    let share = |(y, score): (&[f64], &f64)| (score - expected).exp() * y[c];
                    points.chunks_exact(dim).zip(&scores).map(share).sum::<f64>()
                };
                for (c, found) in means.by_ref().take(dim).enumerate() {
                    assert!((found - mean(c)).abs() < 5e-11, "dim {dim}: mean {found} instead of {}", mean(c));
                }
                // Scores up to 5e4 are rounded to 1e-11.
                assert!((found - expected).abs() < 5e-11, "dim {dim}: {found} instead of {expected}");
            }
        }
    }
}
