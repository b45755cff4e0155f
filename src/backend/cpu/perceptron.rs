//! The perceptron, for runs of tokens.

use super::affine::Affine;
use crate::{
    model::{Activation, Perceptron},
    sums::{
        columns::{Columns, ColumnsRef},
        instructions::Instructions,
        real::Real,
    },
};

pub(super) struct Hidden<T> {
    inner: Affine<T>,
    outer: Affine<T>,
    activation: Activation,
}

impl<T: Real> Hidden<T> {
    pub(super) fn new(perceptron: &Perceptron, dim: usize) -> Self {
        let width = perceptron.width();
        let outer: Vec<f64> = (0..dim).flat_map(|c| (0..width).map(move |k| perceptron.outer[k * dim + c])).collect();
        Self {
            inner: Affine::new(&perceptron.inner, &perceptron.bias, dim, 1.0),
            outer: Affine::new(&outer, &perceptron.output_bias, width, 1.0),
            activation: perceptron.activation,
        }
    }

    /// fields_i += the perceptron of token i, for the tokens of a run that are given rows.
    pub(super) fn add(&self, instructions: Instructions, tokens: ColumnsRef<'_, T>, fields: &mut [f64]) {
        let dim = self.outer.rows();
        let mut hidden = Columns::zeros(1, self.inner.rows(), tokens.len());
        let mut output = Columns::zeros(1, dim, tokens.len());
        for mut hidden in hidden.replicas_mut() {
            self.inner.apply(instructions, tokens, &mut hidden);
            for unit in 0..self.inner.rows() {
                hidden.column_mut(unit).iter_mut().for_each(|s| *s = T::from_f64(self.activation.of(s.to_f64())));
            }
        }
        for mut output in output.replicas_mut() {
            self.outer.apply(instructions, hidden.replica(0), &mut output);
        }
        let rows = output.replica(0).rows(dim, fields.len() / dim);
        fields.iter_mut().zip(rows).for_each(|(field, output)| *field += output);
    }
}
