//! What the equation is, as data: attention heads, their matrices, and the normalization of their weights.
//!
//! The velocity of token i, before projection to the tangent space of the sphere, is
//!
//! ```text
//! sum_h V_h sum_j a^h_ij x_j ,    a^h_ij = w_j e^{beta <x_i, A_h x_j>} / Z^h_i     (softmax)
//!                                 a^h_ij = w_j e^{beta <x_i, A_h x_j>}             (unnormalized)
//! ```
//!
//! with Z^h_i = sum_k w_k e^{beta <x_i, A_h x_k>} and A = Q^T K, sums running over the sources that the mask lets token i
//! see: equations SA and USA of Rigollet, "The Mean-Field
//! Dynamics of Transformers" (arXiv:2512.01868), with general matrices. Nothing here steps time.

use nalgebra::DMatrix;

/// A square matrix of width d, kept in the cheapest form that says what it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Matrix {
    Identity,
    /// A multiple of the identity.
    Scale(f64),
    Diagonal(Vec<f64>),
    /// Row-major, d * d numbers.
    Dense(Vec<f64>),
}

impl Matrix {
    /// The factor c if this matrix is c times the identity.
    pub fn multiple_of_identity(&self) -> Option<f64> {
        match self {
            Matrix::Identity => Some(1.0),
            Matrix::Scale(factor) => Some(*factor),
            Matrix::Diagonal(_) | Matrix::Dense(_) => None,
        }
    }

    /// |A|_2, the largest factor by which the matrix of width `dim` stretches a vector.
    pub fn spectral_norm(&self, dim: usize) -> f64 {
        match self {
            Matrix::Identity => 1.0,
            Matrix::Scale(factor) => factor.abs(),
            Matrix::Diagonal(entries) => entries.iter().fold(0.0, |largest, entry| entry.abs().max(largest)),
            Matrix::Dense(rows) => DMatrix::from_row_slice(dim, dim, rows).singular_values().max(),
        }
    }

    /// All d * d entries in row-major order, each multiplied by `factor`.
    pub fn dense(&self, dim: usize, factor: f64) -> Vec<f64> {
        let diagonal = |entry: &dyn Fn(usize) -> f64| {
            let mut rows = vec![0.0; dim * dim];
            for k in 0..dim {
                rows[k * dim + k] = factor * entry(k);
            }
            rows
        };
        match self {
            Matrix::Identity => diagonal(&|_| 1.0),
            Matrix::Scale(scale) => diagonal(&|_| *scale),
            Matrix::Diagonal(entries) => diagonal(&|k| entries[k]),
            Matrix::Dense(rows) => rows.iter().map(|entry| factor * entry).collect(),
        }
    }
}

/// One attention head: scores <x_i, A x_j> with A = `query_key` = Q^T K, values V x_j with V = `value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub query_key: Matrix,
    pub value: Matrix,
}

/// What divides the attention weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalization {
    /// By their sum: SA.
    Softmax,
    /// By nothing: USA.
    Unnormalized,
}

/// Which sources a token attends to, by their order in the replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// All of them.
    None,
    /// Those up to itself: j <= i.
    Causal,
    /// Those before itself: j < i. A token that sees none does not move.
    StrictlyCausal,
}

impl Mask {
    /// How many of the leading sources token `token` sees. A passive token comes after all sources and sees them all.
    pub fn visible(self, token: usize, sources: usize) -> usize {
        match self {
            Mask::None => sources,
            Mask::Causal => sources.min(token + 1),
            Mask::StrictlyCausal => sources.min(token),
        }
    }
}

/// The attention term: heads add up, and share the inverse temperature beta.
#[derive(Clone, Debug, PartialEq)]
pub struct Attention {
    pub beta: f64,
    pub normalization: Normalization,
    pub mask: Mask,
    pub heads: Vec<Head>,
}

/// The equation that moves the tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub attention: Attention,
}

/// Which of the two fields of the equation is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// P_x applied: the velocity dx/dt on the sphere.
    Tangent,
    /// The attention output itself, as a Transformer layer adds it.
    Ambient,
}
