//! Queries, keys and values of a head that must be made of the tokens before they are reduced: because they are of
//! another width, carry a bias, know their place, or are asked for more than once.

use std::f64::consts::LOG2_E;

use super::affine::Affine;
use crate::{
    model::{Attention, Head, Matrix, Position, rotary_frequency},
    sums::{
        columns::{Columns, ColumnsMut, ColumnsRef},
        instructions::Instructions,
        keys::Keys,
        real::Real,
    },
};

/// Tokens that one task projects at once.
const BLOCK: usize = 64;

/// What makes queries, keys and values of one head; keys and values are the tokens where nothing else is said.
pub(super) struct Projections<T> {
    /// beta log2(e) (Q x + b_q), for each replica in turn where these have their own.
    query: Vec<Affine<T>>,
    key: Option<Affine<T>>,
    value: Option<Affine<T>>,
    position: Position,
}

impl<T: Real> Projections<T> {
    /// Nothing if the reduction makes what it needs of the tokens by itself.
    pub(super) fn new(head: &Head, attention: &Attention, dim: usize) -> Option<Self> {
        // The reduction knows betas, masks and windows.
        let Attention { beta: _, beta_factors: _, normalization, mask: _, window: _, position, heads: _ } = attention;
        let is_placed = position.is_in_operands();
        if !head.has_products() && !is_placed && normalization.takes_one_reduction() {
            return None;
        }
        let identity = || Affine::new(&Matrix::Identity.dense(dim, 1.0), &[], dim, 1.0);
        let factor = attention.beta_of(head) * LOG2_E;
        let (query, key) = match &head.query_key {
            Matrix::Product { left, right } => (
                vec![Affine::new(left, &head.biases.query, dim, factor)],
                Some(Affine::new(right, &head.biases.key, dim, 1.0)),
            ),
            matrix @ (Matrix::Identity
            | Matrix::Scale(_)
            | Matrix::Diagonal(_)
            | Matrix::Dense(_)
            | Matrix::OfReplicas(_)) => {
                let query = |rows: &[f64]| {
                    let transposed: Vec<f64> = (0..dim * dim).map(|k| rows[k % dim * dim + k / dim]).collect();
                    Affine::new(&transposed, &[], dim, factor)
                };
                let queries = matrix.dense(dim, 1.0).chunks_exact(dim * dim).map(query).collect();
                (queries, is_placed.then(identity))
            }
        };
        let value = match &head.value {
            Matrix::Product { right, .. } => Some(Affine::new(right, &head.biases.value, dim, 1.0)),
            Matrix::Identity | Matrix::Scale(_) | Matrix::Diagonal(_) | Matrix::Dense(_) | Matrix::OfReplicas(_) => {
                position.is_in_values().then(identity)
            }
        };
        Some(Self { query, key, value, position: position.clone() })
    }

    /// The operands of all tokens of one replica, queries times `factor`.
    pub(super) fn apply(
        &self,
        instructions: Instructions,
        replica: usize,
        tokens: ColumnsRef<'_, T>,
        factor: f64,
    ) -> Operands<T> {
        let moved = match &self.position {
            Position::Additive { places, .. } => Some(translated(tokens, places)),
            Position::Nowhere | Position::Alibi { .. } | Position::Rotary { .. } => None,
        };
        let placed = moved.as_ref().map_or(tokens, |moved| moved.replica(0));
        let images = |map: &Affine<T>, tokens: ColumnsRef<'_, T>| {
            let mut images = Columns::zeros(1, map.rows(), tokens.len());
            for columns in images.replicas_mut() {
                use rayon::prelude::*;
                columns.parts(BLOCK).enumerate().for_each(|(index, mut part)| {
                    map.apply(instructions, tokens.part(index * BLOCK, BLOCK), &mut part);
                });
            }
            images
        };
        let mut queries = images(&self.query[replica % self.query.len()], placed);
        let mut keys = self.key.as_ref().map(|key| images(key, placed));
        if let Position::Rotary { base } = self.position {
            for columns in std::iter::once(&mut queries).chain(&mut keys) {
                columns.replicas_mut().for_each(|mut columns| rotate(&mut columns, base));
            }
        }
        if factor != 1.0 {
            queries.replicas_mut().for_each(|mut columns| scale(&mut columns, factor));
        }
        let valued = if self.position.is_in_values() { placed } else { tokens };
        let values = self.value.as_ref().map(|value| images(value, valued));
        Operands { queries, keys, values, potentials: None }
    }
}

/// x_i + p_i.
fn translated<T: Real>(tokens: ColumnsRef<'_, T>, places: &[f64]) -> Columns<T> {
    let dim = tokens.width();
    let mut moved = Columns::zeros(1, dim, tokens.len());
    for mut columns in moved.replicas_mut() {
        for component in 0..dim {
            let column = columns.column_mut(component);
            column.copy_from_slice(tokens.column(component));
            for (x, place) in column.iter_mut().zip(places[component..].iter().step_by(dim)) {
                *x = T::from_f64(x.to_f64() + place);
            }
        }
    }
    moved
}

/// Every component times `factor`.
fn scale<T: Real>(columns: &mut ColumnsMut<'_, T>, factor: f64) {
    for component in 0..columns.width() {
        columns.column_mut(component).iter_mut().for_each(|x| *x = T::from_f64(x.to_f64() * factor));
    }
}

/// Components 2m and 2m + 1 of token i rotated by i base^{-2m / width}.
fn rotate<T: Real>(columns: &mut ColumnsMut<'_, T>, base: f64) {
    let (width, count) = (columns.width(), columns.len());
    for m in 0..width / 2 {
        let frequency = rotary_frequency(base, m, width);
        for i in 0..count {
            let (sin, cos) = (i as f64 * frequency).sin_cos();
            let (x, y) = (columns.column_mut(2 * m)[i].to_f64(), columns.column_mut(2 * m + 1)[i].to_f64());
            columns.column_mut(2 * m)[i] = T::from_f64(cos * x - sin * y);
            columns.column_mut(2 * m + 1)[i] = T::from_f64(sin * x + cos * y);
        }
    }
}

/// The queries, keys and values of one head and one replica.
pub(super) struct Operands<T> {
    pub(super) queries: Columns<T>,
    /// The tokens where there are none, and so for values.
    keys: Option<Columns<T>>,
    values: Option<Columns<T>>,
    /// log2 w_j and the dual potential of each source, where attention is balanced.
    pub(super) potentials: Option<Columns<T>>,
}

impl<T: Real> Operands<T> {
    /// The sources of `tokens` as this head sees them.
    pub(super) fn keys<'a>(&'a self, tokens: Keys<'a, T>) -> Keys<'a, T> {
        let columns = |columns: &'a Option<Columns<T>>| columns.as_ref().map(|columns| columns.replica(0));
        let bias = self.potentials.as_ref().map(|columns| &columns.replica(0).column(0)[..tokens.padded]);
        tokens.with(columns(&self.keys), columns(&self.values), bias)
    }

    /// The queries of tokens `first` .. `first` + `count`, row-major.
    pub(super) fn query_rows(&self, first: usize, count: usize) -> Vec<T> {
        rows_of(self.queries.replica(0).part(first, count), count)
    }

    pub(super) fn has_potentials(&self) -> bool {
        self.potentials.is_some()
    }
}

/// The first `count` rows of a run, row-major.
pub(super) fn rows_of<T: Real>(columns: ColumnsRef<'_, T>, count: usize) -> Vec<T> {
    let width = columns.width();
    let mut rows = vec![T::ZERO; count * width];
    for component in 0..width {
        for (row, value) in rows[component..].iter_mut().step_by(width).zip(columns.column(component)) {
            *row = *value;
        }
    }
    rows
}
