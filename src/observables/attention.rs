//! How sharp attention is: statistics of rows of its weights, for some tokens and all heads.

use std::ops::Range;

use rand::Rng;
use rayon::prelude::*;

use super::{
    Among, Definition, Need, Numbers, Objection, Observable, OnDevice, Parameter, Parametrized, Setup, View,
    equation::Equation,
};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    model::{Alibi, Head, Mask, Matrix, Normalization, Position, rotary_frequency},
    observe::Statistics,
    random::{Purpose, Stream},
    vector::{dot, norm},
};

/// `attention_entropy`, `attention_largest`, `attention_gap`: means over heads and rows of -sum_j a_ij ln a_ij, of the largest
/// a_ij, and of ln(a_ij / a_ik) for the two largest, rows being divided by their sums whatever the normalization; all rows of
/// sources, or of passive tokens, or beyond that number of `rows` as many that are drawn by `seed`, the same at all times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attention {
    /// Rows of a replica that are measured at most.
    pub rows: usize,
    /// Which tokens have the rows.
    pub of: Among,
    /// The key of the draw.
    pub seed: u64,
}

const DEFINITION: Definition = Definition {
    word: "attention",
    documentation: "attention_entropy, attention_largest and attention_gap: -sum_j a_ij ln a_ij, max_j a_ij and ln(a_ij / \
        a_ik) of the two largest, as means over heads and over the rows i of all tokens that are not passive, \
        or of those that are (`of`), or of `rows` of them drawn by `seed`; rows are divided by their sums whatever the normalization, \
        and left out where these vanish; not for hardmax and sinkhorn; on a GPU entropy and gap are right to 1e-6 + 4e-7 beta",
    needs: &[Need::Tokens],
    replicas_a_sample: 1,
    curve: None,
};

impl Attention {
    pub(super) const DEFAULT: Self = Self { rows: 256, of: Among::Sources, seed: 0 };
}

impl Parametrized for Attention {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![rows(&mut self.rows), Parameter::among(&mut self.of)]
    }

    fn seed(&mut self) -> Option<&mut u64> {
        Some(&mut self.seed)
    }
}

impl Observable for Attention {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        ["entropy", "largest", "gap"].map(|name| format!("attention_{name}")).into()
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        let together = || {
            Objection::new(
                "attention is of rows with a second largest weight, each by itself, and those of hardmax and sinkhorn are not",
                "leave \"attention\" out",
            )
        };
        (!setup.normalization.weighs_each_row()).then(together)
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        self.of.objection(equation.tokens.shape)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        memory_of_operands(sizes)
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        Ok(statistics(view, replica, self).into())
    }

    fn on_device(&self) -> Option<OnDevice> {
        Some(OnDevice::Attention { rows: self.rows, of: self.of, seed: self.seed })
    }
}

/// The number of rows that are measured at most.
pub(super) fn rows(most: &mut usize) -> Parameter<'_> {
    Parameter::whole("rows", most, 1..=u64::from(u32::MAX))
}

/// What queries and keys of a replica take.
pub(super) fn memory_of_operands(sizes: &Sizes) -> Part {
    let [_, count, dim] = sizes.shape();
    let operands = if sizes.dim > sizes.count { [dim, dim] } else { [count, dim] };
    Part::new("queries and keys of attention", 4 * DOUBLE, &operands)
}

/// Means over rows and heads of the entropy -sum_j a_ij ln a_ij, of the largest weight max_j a_ij, and of the gap ln(a_ij / a_ik)
/// between the two largest, for rows divided by their sums whatever the normalization. Rows are those of all sources or passive tokens, or of
/// `rows` of them drawn by `seed` and replica, the same at all times. A row that sees no source, or gives none
/// a weight, is left out, and from the gap one that has no second.
fn statistics(view: &View, replica: usize, asked: &Attention) -> [f64; 3] {
    let Attention { rows, of, seed } = *asked;
    let tokens = drawn_rows(of.range(view.equation.tokens.shape), replica, rows, seed);
    let seen = seen(view, replica);
    let of_head = |head: &Head| {
        let operands = Operands::new(view, head, replica, &seen);
        let row = |token: &usize| {
            let log_weights = operands.log_weights(view, replica, *token);
            Row::new(log_weights.into_iter().filter(|weight| *weight != f64::NEG_INFINITY).collect())
        };
        tokens.par_iter().map(row).collect::<Vec<Option<Row>>>()
    };
    Row::means(&view.model.attention.heads.iter().flat_map(of_head).flatten().collect::<Vec<Row>>())
}

/// The rows of all tokens `among` those of a replica, or beyond that number of `rows` as many that are drawn.
pub(crate) fn drawn_rows(among: Range<usize>, replica: usize, rows: usize, seed: u64) -> Vec<usize> {
    let draw = |row: usize| {
        let word = Stream::new(seed, replica as u32, row as u32, Purpose::Rows).next_u64();
        among.start + ((u128::from(word) * among.len() as u128) >> 64) as usize
    };
    if among.len() <= rows { among.collect() } else { (0..rows).map(draw).collect() }
}

/// The tokens of one replica as attention sees them, row-major.
pub(super) fn seen(view: &View, replica: usize) -> Vec<f64> {
    let shape = view.equation.tokens.shape;
    let mut seen = view.replica(replica).to_vec();
    if view.model.geometry.sees_directions() {
        for x in seen.chunks_exact_mut(shape.dim) {
            let length = norm(x);
            x.iter_mut().for_each(|component| *component /= length);
        }
    }
    seen
}

/// The weights a_ij of one head in one replica for the tokens i of `rows` and all sources j, row-major, rows being divided by their sums whatever
/// the normalization; zero where j is not seen or has no weight, and in rows that vanish.
pub(super) fn matrix(view: &View, head: &Head, replica: usize, seen: &[f64], rows: &[usize]) -> Vec<f64> {
    let sources = view.equation.tokens.shape.sources();
    let operands = Operands::new(view, head, replica, seen);
    let row = |i: &usize| {
        let mut row = vec![0.0; sources];
        let log_weights = operands.log_weights(view, replica, *i);
        let largest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            return row;
        }
        let sum: f64 = log_weights.iter().map(|log_weight| (log_weight - largest).exp()).sum();
        for (j, log_weight) in visible(view, replica, *i).zip(log_weights) {
            row[j] = (log_weight - largest).exp() / sum;
        }
        row
    };
    rows.par_iter().flat_map_iter(row).collect()
}

/// Queries and keys of one head for all tokens, row-major, and what their products are multiplied by.
pub(super) struct Operands {
    pub width: usize,
    pub queries: Vec<f64>,
    pub keys: Vec<f64>,
    pub beta: f64,
    pub alibi: Option<Alibi>,
    pub normalization: Normalization,
}

impl Operands {
    pub fn new(view: &View, head: &Head, replica: usize, seen: &[f64]) -> Self {
        let (dim, attention) = (view.equation.tokens.shape.dim, &view.model.attention);
        let placed: Vec<f64> = match &attention.position {
            Position::Additive { places, .. } => seen.iter().zip(places).map(|(x, place)| x + place).collect(),
            Position::Nowhere | Position::Alibi { .. } | Position::Rotary { .. } => seen.to_vec(),
        };
        let (width, mut queries, mut keys) = match &*head.query_key.in_replica(replica, dim) {
            Matrix::Product { left, right } => (
                left.len() / dim,
                images(&placed, left, &head.biases.query, dim),
                images(&placed, right, &head.biases.key, dim),
            ),
            Matrix::Identity => (dim, placed.clone(), placed),
            matrix @ (Matrix::Scale(_) | Matrix::Diagonal(_) | Matrix::Dense(_) | Matrix::OfReplicas(_)) => {
                let rows = matrix.dense(dim, 1.0);
                let transposed: Vec<f64> = (0..dim * dim).map(|k| rows[k % dim * dim + k / dim]).collect();
                (dim, images(&placed, &transposed, &[], dim), placed)
            }
        };
        if let Position::Rotary { base } = attention.position {
            rotate(&mut queries, width, base);
            rotate(&mut keys, width, base);
        }
        let alibi = attention.alibi_of(head, view.equation.tokens.shape.sources());
        let (beta, normalization) = (attention.beta_in(head, replica), attention.normalization);
        Self { width, queries, keys, beta, alibi, normalization }
    }

    /// The score of the source j for the token i.
    pub fn score(&self, i: usize, j: usize) -> f64 {
        dot(&self.queries[i * self.width..][..self.width], &self.keys[j * self.width..][..self.width])
    }

    /// ln a_ij, up to a number that all j share, for the sources j of positive weight that token i sees.
    pub fn log_weights(&self, view: &View, replica: usize, i: usize) -> Vec<f64> {
        let tokens = view.equation.tokens;
        let log_weight = |j: usize| {
            let log_weight =
                log_share(self.normalization, self.beta * self.score(i, j)) + tokens.weight(replica, j).ln();
            log_weight + self.alibi.map_or(0.0, |alibi| alibi.log_factor(i, j))
        };
        visible(view, replica, i).map(log_weight).collect()
    }
}

/// ln of what a score makes of a weight, up to a number that a row shares; minus infinity where it makes nothing of it.
fn log_share(normalization: Normalization, score: f64) -> f64 {
    match normalization {
        Normalization::Relu if score <= 0.0 => f64::NEG_INFINITY,
        Normalization::Relu => score.ln(),
        Normalization::Sigmoid if score < 0.0 => score - score.exp().ln_1p(),
        Normalization::Sigmoid => -(-score).exp().ln_1p(),
        Normalization::Softmax
        | Normalization::Unnormalized
        | Normalization::Shifted
        | Normalization::Hardmax
        | Normalization::Sinkhorn { .. } => score,
    }
}

/// The sources of positive weight that token i sees.
pub(super) fn visible<'a>(view: &View<'a>, replica: usize, i: usize) -> impl Iterator<Item = usize> + use<'a> {
    let (tokens, attention) = (view.equation.tokens, &view.model.attention);
    let itself = (attention.mask == Mask::Others).then_some(i);
    let seen = attention.visible(i, tokens.shape.sources());
    seen.filter(move |j| Some(*j) != itself && tokens.weight(replica, *j) > 0.0)
}

/// L x + b for every row x.
pub(super) fn images(rows: &[f64], factor: &[f64], bias: &[f64], dim: usize) -> Vec<f64> {
    let image = |x: &[f64]| -> Vec<f64> {
        let biases = bias.iter().copied().chain(std::iter::repeat(0.0));
        factor.chunks_exact(dim).zip(biases).map(|(row, bias)| dot(row, x) + bias).collect()
    };
    rows.par_chunks_exact(dim).flat_map_iter(image).collect()
}

/// Components 2m and 2m + 1 of row i turned by the angle i base^{-2m / width}.
fn rotate(rows: &mut [f64], width: usize, base: f64) {
    for (i, row) in rows.chunks_exact_mut(width).enumerate() {
        for (m, pair) in row.chunks_exact_mut(2).enumerate() {
            let (sin, cos) = (i as f64 * rotary_frequency(base, m, width)).sin_cos();
            (pair[0], pair[1]) = (cos * pair[0] - sin * pair[1], sin * pair[0] + cos * pair[1]);
        }
    }
}

/// What is told of one row.
pub(crate) struct Row {
    pub entropy: f64,
    pub largest: f64,
    /// None with a single source.
    pub gap: Option<f64>,
}

impl Row {
    /// Means of entropies, of largest weights, and of the gaps that there are.
    pub fn means(rows: &[Row]) -> [f64; 3] {
        let mean = |numbers: &mut dyn Iterator<Item = f64>| {
            let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), number| (sum + number, count + 1.0));
            sum / count
        };
        [
            mean(&mut rows.iter().map(|row| row.entropy)),
            mean(&mut rows.iter().map(|row| row.largest)),
            mean(&mut rows.iter().filter_map(|row| row.gap)),
        ]
    }

    /// Nothing of a row without sources.
    fn new(log_weights: Vec<f64>) -> Option<Self> {
        let (mut first, mut second) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for log_weight in &log_weights {
            second = second.max(first.min(*log_weight));
            first = first.max(*log_weight);
        }
        // With e = ln(a / a_max): the sum is S = sum e^e, and the entropy ln S - sum e e^e / S.
        let shares = log_weights.iter().map(|log_weight| log_weight - first);
        let (sum, product) = shares.fold((0.0, 0.0), |(sum, product), e| (sum + e.exp(), product + e * e.exp()));
        (!log_weights.is_empty()).then(|| Self {
            entropy: sum.ln() - product / sum,
            largest: 1.0 / sum,
            gap: (log_weights.len() > 1).then_some(first - second),
        })
    }
}
