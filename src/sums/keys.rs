//! The sources of one replica as the kernels read them: columns of coordinates, and a bias that carries the weights.

use super::{
    columns::{Columns, ColumnsRef, PADDING},
    real::Real,
};
use crate::tokens::{Shape, Weights};

/// log2 w_j of every source of every replica; passive tokens and padding are masked.
pub(crate) struct Bias<T> {
    columns: Columns<T>,
    /// Sources of a replica, padded.
    padded: usize,
}

impl<T: Real> Bias<T> {
    pub(crate) fn new(shape: Shape, weights: &Weights) -> Self {
        Self::of(shape, |replica, token| weights.of(shape, replica, token))
    }

    /// From the weight of each token of each replica.
    pub(crate) fn of(shape: Shape, weight: impl Fn(usize, usize) -> f64) -> Self {
        let mut columns = Columns::zeros(shape.replicas, 1, shape.count);
        for (replica, mut row) in columns.replicas_mut().enumerate() {
            let bias = row.column_mut(0);
            bias.fill(T::MASKED);
            for (token, bias) in bias.iter_mut().enumerate().take(shape.sources()) {
                let weight = weight(replica, token);
                if weight > 0.0 {
                    *bias = T::from_f64(weight.log2());
                }
            }
        }
        Self { columns, padded: shape.sources().next_multiple_of(PADDING) }
    }

    /// The same with what `log2_factor` of the place of a source adds to its weight.
    pub(crate) fn placed(&self, shape: Shape, log2_factor: impl Fn(usize) -> f64) -> Self {
        let mut columns = Columns::zeros(shape.replicas, 1, shape.count);
        for (replica, mut row) in columns.replicas_mut().enumerate() {
            let bias = row.column_mut(0);
            bias.copy_from_slice(self.replica(replica));
            for (token, bias) in bias.iter_mut().enumerate().filter(|(_, bias)| **bias > T::MASKED) {
                *bias = T::from_f64(bias.to_f64() + log2_factor(token));
            }
        }
        Self { columns, padded: self.padded }
    }

    /// The bias of every token of one replica.
    pub(crate) fn replica(&self, replica: usize) -> &[T] {
        self.columns.replica(replica).column(0)
    }

    /// That of the sources of one replica, padded.
    pub(crate) fn sources(&self, replica: usize) -> &[T] {
        &self.replica(replica)[..self.padded]
    }

    /// The sources among `columns`, all tokens of one replica.
    pub(crate) fn keys<'a>(&'a self, replica: usize, columns: ColumnsRef<'a, T>) -> Keys<'a, T> {
        let bias = self.sources(replica);
        let columns = columns.part(0, self.padded);
        Keys { replica, columns, values: None, bias, padded: self.padded, width: columns.width() }
    }
}

/// The sources of one replica.
#[derive(Clone, Copy)]
pub(crate) struct Keys<'a, T> {
    pub(crate) replica: usize,
    columns: ColumnsRef<'a, T>,
    /// What is summed, where that is not the keys themselves.
    values: Option<ColumnsRef<'a, T>>,
    bias: &'a [T],
    /// Sources, and the masked ones after them that make whole vectors.
    pub(crate) padded: usize,
    pub(crate) width: usize,
}

impl<'a, T: Real> Keys<'a, T> {
    /// Sources, as many as there are biases, that are the only replica.
    pub(crate) fn new(columns: ColumnsRef<'a, T>, bias: &'a [T]) -> Self {
        Self { replica: 0, columns, values: None, bias, padded: bias.len(), width: columns.width() }
    }

    /// One component of all sources.
    #[inline(always)]
    pub(crate) fn component(&self, component: usize) -> &'a [T] {
        self.columns.column(component)
    }

    /// The same sources with other keys, with other values, or with another bias.
    pub(crate) fn with(
        self,
        keys: Option<ColumnsRef<'a, T>>,
        values: Option<ColumnsRef<'a, T>>,
        bias: Option<&'a [T]>,
    ) -> Self {
        let sources = |columns: ColumnsRef<'a, T>| columns.part(0, self.padded);
        let values = values.map(sources).or(self.values).or_else(|| keys.is_some().then_some(self.columns));
        let columns = keys.map_or(self.columns, sources);
        Self { columns, values, bias: bias.unwrap_or(self.bias), width: columns.width(), ..self }
    }

    /// Components of a value.
    #[inline(always)]
    pub(crate) fn value_width(&self) -> usize {
        self.values.map_or(self.width, |values| values.width())
    }

    /// All sources.
    pub(crate) fn columns(&self) -> ColumnsRef<'a, T> {
        self.columns
    }

    /// The values, where they are not the keys.
    #[inline(always)]
    pub(crate) fn values(&self) -> Option<ColumnsRef<'a, T>> {
        self.values
    }

    /// log2 w_j of all sources.
    #[inline(always)]
    pub(crate) fn bias(&self) -> &'a [T] {
        self.bias
    }
}
