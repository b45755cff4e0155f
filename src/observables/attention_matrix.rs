//! The matrix of attention itself.

use super::{Definition, Need, Numbers, Objection, Observable, Setup, View, attention, equation::Equation};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    observe::Statistics,
};

/// Tokens whose matrix is a file of some megabytes.
const MOST: usize = 1024;

/// The matrices a_ij of all heads, which fill no column but a file of their own.
pub struct AttentionMatrix;

const DEFINITION: Definition = Definition {
    word: "attention_matrix",
    documentation: "no column, but a file attention.npy, (samples, replicas, heads, rows, sources), with a_ij of the tokens that \
        are not passive at every sample, of which the picture `attention` shows the last; rows are divided by their sums \
        whatever the normalization, and zero where these vanish; for at most 1024 tokens, not for hardmax and sinkhorn",
    needs: &[Need::Tokens],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for AttentionMatrix {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        Vec::new()
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        let together = || {
            Objection::new(
                "attention_matrix has rows that are weighed each by itself, and those of hardmax and sinkhorn are not",
                "leave \"attention_matrix\" out",
            )
        };
        (!setup.normalization.weighs_each_row()).then(together)
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        let sources = equation.tokens.shape.sources();
        let many = || {
            Objection::new(
                format!(
                    "attention_matrix is a file of n^2 numbers for each head and sample, and {sources} tokens are too many"
                ),
                format!(
                    "write tokens.count = {MOST} or less, or leave \"attention_matrix\" out; \"attention\" is for any number"
                ),
            )
        };
        (sources > MOST).then(many)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        let [_, count, dim] = sizes.shape();
        let longer = if sizes.dim > sizes.count { dim } else { count };
        let is_refused = sizes.count > MOST as u64;
        // Two copies while it is made, beside queries and keys.
        Part::new("matrix, queries and keys of attention", if is_refused { 0 } else { 6 * DOUBLE }, &[longer, longer])
    }

    fn measure(&self, _: &View, _: usize, _: &Statistics) -> Numbers {
        Ok(Vec::new())
    }
}

/// The matrix of one head in one replica, row-major.
pub fn attention_matrix(view: &View, replica: usize, head: usize) -> Vec<f64> {
    let head = &view.model.attention.heads[head];
    let rows: Vec<usize> = (0..view.equation.tokens.shape.sources()).collect();
    attention::matrix(view, head, replica, &attention::seen(view, replica), &rows)
}

/// Those rows of it that belong to these tokens, in their order: (row, source).
///
/// None where weights are not those of each row by itself, as under hardmax and sinkhorn. A token that there is not panics.
pub fn attention_rows(view: &View, replica: usize, head: usize, rows: &[usize]) -> Option<Vec<f64>> {
    let attention = &view.model.attention;
    let head = &attention.heads[head];
    attention
        .normalization
        .weighs_each_row()
        .then(|| attention::matrix(view, head, replica, &attention::seen(view, replica), rows))
}
