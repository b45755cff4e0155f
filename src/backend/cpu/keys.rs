//! The sources of one replica as the kernels read them: columns of coordinates, and a bias that carries the weights.

use super::{
    columns::{Cloud, Columns, PADDING},
    real::Real,
};
use crate::tokens::Tokens;

/// log2 w_j of every source of every replica; passive tokens and padding are dead.
pub(super) struct Bias<T> {
    columns: Columns<T>,
    /// Sources of a replica, padded.
    padded: usize,
}

impl<T: Real> Bias<T> {
    pub(super) fn new(tokens: &Tokens) -> Self {
        let shape = tokens.shape;
        let mut columns = Columns::zeros(shape.replicas, 1, shape.count);
        for (replica, mut cloud) in columns.replicas_mut().enumerate() {
            let bias = cloud.column_mut(0);
            bias.fill(T::DEAD);
            for (token, bias) in bias.iter_mut().enumerate().take(shape.sources()) {
                let weight = tokens.weight(replica, token);
                if weight > 0.0 {
                    *bias = T::from_f64(weight.log2());
                }
            }
        }
        Self { columns, padded: shape.sources().next_multiple_of(PADDING) }
    }

    /// The bias of every token of one replica.
    pub(super) fn replica(&self, replica: usize) -> &[T] {
        self.columns.replica(replica).column(0)
    }

    /// The sources among `cloud`, all tokens of one replica.
    pub(super) fn keys<'a>(&'a self, replica: usize, cloud: Cloud<'a, T>) -> Keys<'a, T> {
        let bias = &self.replica(replica)[..self.padded];
        Keys { columns: cloud.part(0, self.padded), bias, padded: self.padded, width: cloud.width() }
    }
}

/// The sources of one replica.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a, T> {
    columns: Cloud<'a, T>,
    bias: &'a [T],
    /// Sources, and the dead ones after them that make whole vectors.
    pub(super) padded: usize,
    pub(super) width: usize,
}

impl<'a, T: Real> Keys<'a, T> {
    /// One component of all sources.
    #[inline(always)]
    pub(super) fn component(&self, component: usize) -> &'a [T] {
        self.columns.column(component)
    }

    /// log2 w_j of all sources.
    #[inline(always)]
    pub(super) fn bias(&self) -> &'a [T] {
        self.bias
    }
}
