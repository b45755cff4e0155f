//! The output of attention, from the matrix of all weights a_ij.

use std::ops::Range;

use super::{
    linear::{apply, dot, factor, transposed_factor, unit},
    sinkhorn::{doubly_stochastic, marginal_error},
};
use crate::{
    model::{Attention, Geometry, Head, Mask, Matrix, Model, Normalization, Position, TIE},
    tokens::Tokens,
};

/// All a_ij of a head in one replica: a row for every token, a column for every source. Rows of tokens that see nothing are zero.
pub fn attention_matrix(tokens: &Tokens, model: &Model, head: &Head, replica: usize) -> Vec<Vec<f64>> {
    ReplicaAttention::new(tokens, model, replica).weights(head, 0..tokens.shape.count)
}

/// What attention and perceptron see of a token.
pub(super) fn seen(model: &Model, x: &[f64]) -> Vec<f64> {
    if matches!(model.geometry, Geometry::PreNorm | Geometry::PeriNorm) { unit(x) } else { x.to_vec() }
}

/// Components 2m and 2m + 1 rotated by place * base^{-2m / r}.
fn rotated(x: &[f64], place: usize, base: f64) -> Vec<f64> {
    let mut y = x.to_vec();
    for m in 0..x.len() / 2 {
        let angle = place as f64 * base.powf(-2.0 * m as f64 / x.len() as f64);
        y[2 * m] = angle.cos() * x[2 * m] - angle.sin() * x[2 * m + 1];
        y[2 * m + 1] = angle.sin() * x[2 * m] + angle.cos() * x[2 * m + 1];
    }
    y
}

/// Attention among the tokens of one replica.
pub(super) struct ReplicaAttention<'a> {
    attention: &'a Attention,
    replica: usize,
    /// As attention sees them.
    tokens: Vec<Vec<f64>>,
    /// w_j of the sources.
    w: Vec<f64>,
}

impl<'a> ReplicaAttention<'a> {
    pub(super) fn new(tokens: &Tokens, model: &'a Model, replica: usize) -> Self {
        let shape = tokens.shape;
        Self {
            attention: &model.attention,
            replica,
            tokens: tokens.replica(replica).chunks(shape.dim).map(|x| seen(model, x)).collect(),
            w: (0..shape.sources()).map(|j| tokens.weight(replica, j)).collect(),
        }
    }

    /// The inverse temperature of a head.
    pub(super) fn beta(&self, head: &Head) -> f64 {
        match (head.beta, &self.attention.beta_factors[..]) {
            (Some(own), _) => own,
            (None, []) => self.attention.beta,
            (None, factors) => self.attention.beta * factors[self.replica],
        }
    }

    /// What token `i` has for a query and for a key, such that scores are products of these.
    fn query_and_key(&self, head: &Head, i: usize) -> (Vec<f64>, Vec<f64>) {
        let position = &self.attention.position;
        let mut x = self.tokens[i].clone();
        if let Position::Additive { places, .. } = position {
            let place = &places[i * x.len()..];
            x.iter_mut().zip(place).for_each(|(x, p)| *x += p);
        }
        let (query, key) = match &*head.query_key.in_replica(self.replica, x.len()) {
            Matrix::Product { left, right } => {
                (factor(left, &head.biases.query, &x), factor(right, &head.biases.key, &x))
            }
            matrix @ (Matrix::Identity
            | Matrix::Scale(_)
            | Matrix::Diagonal(_)
            | Matrix::Dense(_)
            | Matrix::OfReplicas(_)) => {
                let image = apply(matrix, &x);
                (x, image)
            }
        };
        match position {
            Position::Rotary { base } => (rotated(&query, i, *base), rotated(&key, i, *base)),
            Position::Nowhere | Position::Alibi { .. } | Position::Additive { .. } => (query, key),
        }
    }

    /// beta <q_i, k_j> for the tokens `rows` and all sources.
    pub(super) fn scores(&self, head: &Head, rows: Range<usize>) -> Vec<Vec<f64>> {
        let beta = self.beta(head);
        let keys: Vec<Vec<f64>> = (0..self.w.len()).map(|j| self.query_and_key(head, j).1).collect();
        let row = |i: usize| -> Vec<f64> {
            let query = self.query_and_key(head, i).0;
            keys.iter().map(|key| beta * dot(&query, key)).collect()
        };
        rows.map(row).collect()
    }

    /// Whether token i attends to the source j.
    fn attends(&self, i: usize, j: usize) -> bool {
        let near = self.attention.window.is_none_or(|window| i.abs_diff(j) < window);
        near && match self.attention.mask {
            Mask::None => true,
            Mask::Causal => j <= i,
            Mask::StrictlyCausal => j < i,
            Mask::Others => j != i,
        }
    }

    /// What source j weighs for token i before its score is looked at.
    fn prior(&self, head: &Head, i: usize, j: usize) -> f64 {
        match self.attention.position {
            _ if !self.attends(i, j) => 0.0,
            Position::Alibi { decay } => {
                let decay = head.decay.unwrap_or(decay);
                self.w[j] * (-decay * (i as f64 - j as f64) / self.w.len() as f64).exp()
            }
            Position::Nowhere | Position::Rotary { .. } | Position::Additive { .. } => self.w[j],
        }
    }

    /// a_ij for the tokens `rows` and all sources.
    pub(super) fn weights(&self, head: &Head, rows: Range<usize>) -> Vec<Vec<f64>> {
        if let Normalization::Sinkhorn { iterations, tolerance } = self.attention.normalization {
            let scores = self.scores(head, 0..self.tokens.len());
            return doubly_stochastic(&scores, &self.w, iterations, tolerance)[rows].to_vec();
        }
        let scores = self.scores(head, rows.clone());
        rows.zip(&scores).map(|(i, scores)| self.row(head, i, scores)).collect()
    }

    /// a_ij of token i, which does not depend on other rows.
    fn row(&self, head: &Head, i: usize, scores: &[f64]) -> Vec<f64> {
        let beta = self.beta(head);
        let prior: Vec<f64> = (0..scores.len()).map(|j| self.prior(head, i, j)).collect();
        let visible = || prior.iter().zip(scores).filter(|(prior, _)| **prior > 0.0);
        let largest = visible().map(|(_, score)| *score).fold(f64::NEG_INFINITY, f64::max);
        let size = visible().map(|(_, score)| score.abs()).fold(0.0, f64::max);
        let of = |prior: f64, score: f64| match self.attention.normalization {
            Normalization::Softmax => prior * (score - largest).exp(),
            Normalization::Shifted => prior * (score - beta).exp(),
            Normalization::Hardmax if score < largest - TIE * size => 0.0,
            Normalization::Hardmax => prior,
            Normalization::Unnormalized | Normalization::Sinkhorn { .. } => prior * score.exp(),
            Normalization::Relu => prior * score.max(0.0),
            Normalization::Sigmoid => prior / (1.0 + (-score).exp()),
        };
        let raw = prior.iter().zip(scores).map(|(prior, score)| if *prior > 0.0 { of(*prior, *score) } else { 0.0 });
        let raw: Vec<f64> = raw.collect();
        let divisor: f64 = match (self.attention.normalization, &self.attention.position) {
            (Normalization::Softmax | Normalization::Hardmax, _) => raw.iter().sum(),
            (_, Position::Alibi { .. }) => prior.iter().sum(),
            (
                Normalization::Unnormalized
                | Normalization::Shifted
                | Normalization::Sinkhorn { .. }
                | Normalization::Relu
                | Normalization::Sigmoid,
                Position::Nowhere | Position::Rotary { .. } | Position::Additive { .. },
            ) => 1.0,
        };
        raw.iter().map(|weight| if *weight > 0.0 { weight / divisor } else { *weight }).collect()
    }

    /// sum_h c_h (W_o sum_j a_ij (W_v x_j + b_v) + b_o) for the tokens `rows`.
    pub(super) fn output(&self, rows: Range<usize>) -> Vec<Vec<f64>> {
        let mut output: Vec<Vec<f64>> = rows.clone().map(|i| vec![0.0; self.tokens[i].len()]).collect();
        for head in &self.attention.heads {
            let value = |x: &Vec<f64>| match &head.value {
                Matrix::Product { right, .. } => factor(right, &head.biases.value, x),
                Matrix::Identity
                | Matrix::Scale(_)
                | Matrix::Diagonal(_)
                | Matrix::Dense(_)
                | Matrix::OfReplicas(_) => x.clone(),
            };
            let placed = |(j, x): (usize, &Vec<f64>)| match &self.attention.position {
                Position::Additive { places, in_values: true } => {
                    value(&x.iter().zip(&places[j * x.len()..]).map(|(x, p)| x + p).collect())
                }
                Position::Additive { places: _, in_values: false }
                | Position::Nowhere
                | Position::Alibi { .. }
                | Position::Rotary { .. } => value(x),
            };
            let values: Vec<Vec<f64>> = self.tokens[..self.w.len()].iter().enumerate().map(placed).collect();
            for ((i, output), weights) in rows.clone().zip(&mut output).zip(self.weights(head, rows.clone())) {
                // A token that sees nothing is not moved by the bias either.
                if (0..self.w.len()).all(|j| self.prior(head, i, j) == 0.0) {
                    continue;
                }
                let mut mean = vec![0.0; values[0].len()];
                for (weight, value) in weights.iter().zip(&values) {
                    mean.iter_mut().zip(value).for_each(|(mean, value)| *mean += weight * value);
                }
                let image = match &*head.value.in_replica(self.replica, output.len()) {
                    Matrix::Product { left, .. } => transposed_factor(left, &mean),
                    matrix @ (Matrix::Identity
                    | Matrix::Scale(_)
                    | Matrix::Diagonal(_)
                    | Matrix::Dense(_)
                    | Matrix::OfReplicas(_)) => apply(matrix, &mean),
                };
                let bias = |k: usize| head.biases.output.get(k).copied().unwrap_or(0.0);
                for k in 0..output.len() {
                    output[k] += head.weight * (image[k] + bias(k));
                }
            }
        }
        output
    }

    /// The largest error of a column sum of any head.
    pub(super) fn marginal_error(&self) -> f64 {
        let of = |head: &Head| marginal_error(&self.weights(head, 0..self.w.len()), &self.w);
        self.attention.heads.iter().map(of).fold(0.0, f64::max)
    }
}
