//! Attention whose rows and columns are both stochastic: Sinkhorn's iterations, each half of which is the one reduction.
//!
//! With scores s_ij in base 2 and potentials f, g, rows are normalized by f_i = -log2 sum_j w_j 2^{s_ij + g_j} and columns by
//! g_j = -log2 sum_i w_i 2^{s_ij + f_i}, over sources. What is kept is g, as a bias of the keys: the softmax over it normalizes
//! rows last ("Sinkformers", arXiv:2110.11773).

use std::f64::consts::LN_2;

use rayon::prelude::*;

use super::operands::{Operands, rows_of};
use crate::{
    cancel::Cancel,
    sums::{
        columns::{Columns, ColumnsRef},
        instructions::Instructions,
        keys::Keys,
        real::Real,
        reduce::reduce,
        reduction::{BLOCK, Queries, Reduced, Shift},
    },
};

/// What the iterations of one head and replica come to.
pub(super) struct Balanced<T> {
    /// log2 w_j + g_j for every source.
    pub bias: Columns<T>,
    /// The largest |ln sum_i w_i a_ij / w_j|, where rows have sums of one.
    pub marginal_error: f64,
}

/// Iterates until `tolerance` is above the error of the marginals, or as often as is allowed; then g is what came of that. It is worthless
/// if `cancel` was requested.
pub(super) fn balance<T: Real>(
    instructions: Instructions,
    operands: &Operands<T>,
    tokens: Keys<'_, T>,
    sources: usize,
    iterations: u32,
    tolerance: f64,
    cancel: &Cancel,
) -> Balanced<T> {
    // Sums of no components: only their logarithms are wanted.
    let nothing = Columns::zeros(1, 0, tokens.padded);
    let keys = operands.keys(tokens).with(None, Some(nothing.replica(0)), None);
    let queries = keys.with(Some(operands.queries.replica(0)), Some(nothing.replica(0)), None);
    let log2_sums = |queries: Keys<'_, T>, keys: Keys<'_, T>| log2_sums(instructions, queries, keys, sources, cancel);
    let mut potential = vec![0.0; sources];
    let mut bias = column(tokens.bias(), &potential);
    let mut iteration = 0;
    loop {
        let rows = log2_sums(queries, keys.with(None, None, Some(bias_of(&bias))));
        let minus: Vec<f64> = rows.iter().map(|sum| -sum).collect();
        let biased_rows = column(tokens.bias(), &minus);
        let columns = log2_sums(keys, queries.with(None, None, Some(bias_of(&biased_rows))));
        let off = columns.iter().zip(&potential).map(|(sum, g)| (sum + g).abs());
        let off = off.zip(tokens.bias()).filter(|(_, weight)| **weight > T::MASKED).map(|(off, _)| off);
        let marginal_error = LN_2 * off.fold(0.0, f64::max);
        if marginal_error <= tolerance || iteration == iterations || cancel.is_requested() {
            return Balanced { bias, marginal_error };
        }
        potential = columns.iter().map(|sum| -sum).collect();
        bias = column(tokens.bias(), &potential);
        iteration += 1;
    }
}

fn bias_of<T: Real>(columns: &Columns<T>) -> &[T] {
    columns.replica(0).column(0)
}

/// log2 w_j + potential_j; what is masked stays masked.
fn column<T: Real>(log2_weights: &[T], potential: &[f64]) -> Columns<T> {
    let mut columns = Columns::zeros(1, 1, log2_weights.len());
    for mut replica in columns.replicas_mut() {
        let column = replica.column_mut(0);
        column.copy_from_slice(log2_weights);
        for (bias, potential) in column.iter_mut().zip(potential) {
            if *bias > T::MASKED {
                *bias = T::from_f64(bias.to_f64() + potential);
            }
        }
    }
    columns
}

/// log2 sum_j 2^{<u_i, y_j> + bias_j} for each of the first `count` queries, which are given as if they were keys.
fn log2_sums<T: Real>(
    instructions: Instructions,
    queries: Keys<'_, T>,
    keys: Keys<'_, T>,
    count: usize,
    cancel: &Cancel,
) -> Vec<f64> {
    let block = |first: usize| {
        let here = BLOCK.min(count - first);
        if cancel.is_requested() {
            return vec![0.0; here];
        }
        let columns: ColumnsRef<'_, T> = queries.columns().part(first, here);
        let visible = vec![keys.padded; here];
        let mut reduced = Reduced::default();
        let rows = rows_of(columns, here);
        let queries = Queries { rows: &rows, visible: &visible, hidden: &[], own: None };
        reduce(instructions, queries, keys, Shift::RowMaximum, &mut reduced);
        reduced.log2_sum
    };
    let blocks: Vec<Vec<f64>> = (0..count).step_by(BLOCK).collect::<Vec<_>>().into_par_iter().map(block).collect();
    blocks.concat()
}
