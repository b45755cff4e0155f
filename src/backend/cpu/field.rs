//! One head's share of the field: queries out of tokens, their reduction, and the value matrix after it.

use std::f64::consts::LOG2_E;

use super::{
    map::{Map, Maps},
    operands::{Operands, Projections},
    shift::{HeadInputs, shift},
};
use crate::{
    model::{Head, Matrix, Normalization},
    sums::{
        instructions::Instructions,
        keys::Keys,
        real::Real,
        reduce::{add, reduce},
        reduction::{Queries, Reduced, Shift, Sums},
    },
};

/// A head made ready for the reduction.
pub(super) struct HeadField<T> {
    /// The largest of all replicas.
    pub(super) beta: f64,
    /// What beta is multiplied by in each replica; empty for one everywhere.
    factors: Vec<f64>,
    /// c if A = c I, and if V = c I, the weight of the head included.
    query_multiple: Option<f64>,
    pub(super) value_multiple: Option<f64>,
    /// A^T, which takes tokens to queries.
    query: Maps,
    /// What takes sums of values to the field: V, or W_o where values are projected.
    value: Maps,
    /// W_o's bias; empty for none.
    output_bias: Vec<f64>,
    pub(super) normalization: Normalization,
    shift: Shift,
    /// beta |A|_2, which no |beta A^T x| exceeds on the sphere.
    pub(super) longest_query: f64,
    /// Present where queries, keys or values must be made before the reduction.
    pub(super) projections: Option<Projections<T>>,
}

/// The leading keys that queries see, and how many of these they do not; the latter empty for none.
#[derive(Clone, Debug, Default)]
pub(super) struct Visibility {
    pub(super) visible: Vec<usize>,
    pub(super) hidden: Vec<usize>,
    /// The number of the first query, if queries do not see themselves.
    pub(super) own: Option<usize>,
}

impl Visibility {
    /// Queries with these rows.
    fn queries<'a, T>(&'a self, rows: &'a [T]) -> Queries<'a, T> {
        Queries { rows, visible: &self.visible, hidden: &self.hidden, own: self.own }
    }
}

impl<T: Real> HeadField<T> {
    pub(super) fn new(head: &Head, inputs: HeadInputs<'_>) -> Self {
        let dim = inputs.shape.dim;
        let attention = inputs.attention;
        let beta = attention.beta_of(head);
        let stretch = head.query_key.spectral_norm(dim);
        let value = match &head.value {
            Matrix::Product { left, .. } => Map::transpose(left, dim, head.weight).into(),
            matrix @ (Matrix::Identity
            | Matrix::Scale(_)
            | Matrix::Diagonal(_)
            | Matrix::Dense(_)
            | Matrix::OfReplicas(_)) => Maps::new(matrix, dim, head.weight),
        };
        Self {
            beta,
            factors: attention.factors_of(head).to_vec(),
            query_multiple: head.query_key.multiple_of_identity(),
            value_multiple: head.value.multiple_of_identity().map(|multiple| head.weight * multiple),
            query: Maps::new(&head.query_key, dim, 1.0).transposed(dim),
            value,
            output_bias: head.biases.output.iter().map(|bias| head.weight * bias).collect(),
            normalization: attention.normalization,
            shift: shift::<T>(head, beta * LOG2_E * stretch, inputs),
            longest_query: beta * stretch,
            projections: Projections::new(head, attention, dim),
        }
    }

    /// What beta is multiplied by in a replica.
    pub(super) fn factor(&self, replica: usize) -> f64 {
        self.factors.get(replica).copied().unwrap_or(1.0)
    }

    /// beta c if A = c I: queries are the tokens times this.
    pub(super) fn query_factor(&self) -> Option<f64> {
        self.query_multiple.map(|multiple| self.beta * multiple)
    }

    /// Whether the velocity that this head gives a token is the gradient of a function of the token: A = c I, c != 0, and
    /// V a multiple of the identity too.
    pub(super) fn is_gradient(&self) -> bool {
        self.query_factor().is_some_and(|factor| factor != 0.0) && self.value_multiple.is_some()
    }

    /// Whether A is its transpose, so that <x, A y> is <y, A x>.
    pub(super) fn is_symmetric(&self) -> bool {
        self.query.is_symmetric()
    }

    /// The shift in base 2 that serves every row, if there is one.
    pub(super) fn constant_shift(&self) -> Option<f64> {
        match self.shift {
            Shift::Constant(shift) => Some(shift),
            Shift::RowMaximum => None,
        }
    }

    /// Whether one sum over keys, of scores less the constant shift or the maximum of their row, stays within the exponents of `T` and
    /// gives all that weights need: where they are not divided by their total, 2 to the shift must be a number.
    pub(super) fn stays_in_range(&self) -> bool {
        match self.normalization {
            Normalization::Softmax => true,
            Normalization::Unnormalized | Normalization::Shifted => {
                self.constant_shift().is_some_and(|shift| shift <= T::EXPONENT_SPAN)
            }
            Normalization::Hardmax
            | Normalization::Sinkhorn { .. }
            | Normalization::Relu
            | Normalization::Sigmoid => false,
        }
    }

    /// log2 of what sums of weights are multiplied by in a replica where they are not divided by their total.
    pub(super) fn log2_normalizer(&self, replica: usize) -> f64 {
        match self.normalization {
            Normalization::Shifted => -self.beta * self.factor(replica) * LOG2_E,
            Normalization::Softmax
            | Normalization::Unnormalized
            | Normalization::Hardmax
            | Normalization::Relu
            | Normalization::Sigmoid
            | Normalization::Sinkhorn { .. } => 0.0,
        }
    }

    /// A^T, and what its images are multiplied by for scores in base 2.
    pub(super) fn query_map(&self) -> (&Maps, f64) {
        (&self.query, self.beta * LOG2_E)
    }

    /// V, times the weight of the head.
    pub(super) fn value_map(&self) -> &Maps {
        &self.value
    }

    /// beta A^T x_i for each token, row-major, where all replicas have the same A.
    pub(super) fn queries(&self, tokens: &[f64], dim: usize) -> Vec<f64> {
        let mut queries = vec![0.0; tokens.len()];
        for (query, token) in queries.chunks_exact_mut(dim).zip(tokens.chunks_exact(dim)) {
            self.query.in_replica(0).apply(token, |k, value| query[k] = self.beta * value);
        }
        queries
    }

    /// (log2 Z_i, M_i / Z_i) for each token as a query, pair by pair.
    pub(super) fn reduce(
        &self,
        instructions: Instructions,
        tokens: &[f64],
        dim: usize,
        keys: Keys<'_, T>,
        visibility: &Visibility,
        reduced: &mut Reduced,
    ) {
        let rows = self.query_rows(tokens, dim, keys.width, keys.replica);
        reduce(instructions, visibility.queries(&rows), keys, self.shift_in(keys.replica), reduced);
    }

    /// Each token as a query, in base 2, and padded with zeros to the `width` of the keys.
    pub(super) fn query_rows(&self, tokens: &[f64], dim: usize, width: usize, replica: usize) -> Vec<T> {
        let scale = self.beta * self.factor(replica) * LOG2_E;
        let mut rows = vec![T::ZERO; tokens.len() / dim * width];
        let map = self.query.in_replica(replica);
        for (query, token) in rows.chunks_exact_mut(width).zip(tokens.chunks_exact(dim)) {
            map.apply(token, |k, value| query[k] = T::from_f64(scale * value));
        }
        rows
    }

    /// Adds to the sums of such queries, of which each sees all, those over more `keys`.
    pub(super) fn add_keys(
        &self,
        instructions: Instructions,
        rows: &[T],
        keys: Keys<'_, T>,
        visible: &[usize],
        sums: &mut Sums,
    ) {
        add(instructions, Queries { rows, visible, hidden: &[], own: None }, keys, self.shift_in(keys.replica), sums);
    }

    /// The same as [`reduce`](Self::reduce) for tokens from `first` on whose queries, keys and values are made already.
    pub(super) fn reduce_operands(
        &self,
        instructions: Instructions,
        operands: &Operands<T>,
        first: usize,
        keys: Keys<'_, T>,
        visibility: &Visibility,
        reduced: &mut Reduced,
    ) {
        let replica = keys.replica;
        let keys = operands.keys(keys);
        let rows = operands.query_rows(first, visibility.visible.len());
        let shift = if operands.has_potentials() { Shift::RowMaximum } else { self.shift_in(replica) };
        reduce(instructions, visibility.queries(&rows), keys, shift, reduced);
    }

    /// The shift for the scores of one replica: a constant one bounds them, or is the largest, in proportion to beta.
    fn shift_in(&self, replica: usize) -> Shift {
        match self.shift {
            Shift::Constant(shift) => Shift::Constant(shift * self.factor(replica)),
            Shift::RowMaximum => Shift::RowMaximum,
        }
    }

    /// field_i += c_h (W_o sum_j a_ij v_j + bias), from the sums of each token and log2 of what divides them beside; a token
    /// that sees nothing gets nothing.
    pub(super) fn add(
        &self,
        replica: usize,
        dim: usize,
        reduced: &Reduced,
        log2_divisor: Option<&[f64]>,
        field: &mut [f64],
    ) {
        let width = reduced.barycentre.len() / reduced.log2_sum.len();
        let value_width = if self.projections.is_some() { width } else { dim };
        let value = self.value.in_replica(replica);
        let rows = field.chunks_exact_mut(dim).zip(reduced.barycentre.chunks_exact(width)).zip(&reduced.log2_sum);
        for (row, ((field, barycentre), log2_sum)) in rows.enumerate() {
            if *log2_sum == f64::NEG_INFINITY {
                continue;
            }
            let total = if self.normalization.is_divided() {
                1.0
            } else {
                let divisor = log2_divisor.map_or(0.0, |divisors| divisors[row]);
                (log2_sum + self.log2_normalizer(replica) - divisor).exp2()
            };
            value.apply(&barycentre[..value_width], |k, value| field[k] += total * value);
            field.iter_mut().zip(&self.output_bias).for_each(|(field, bias)| *field += bias);
        }
    }
}
