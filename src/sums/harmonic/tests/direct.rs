//! Clouds, matrices, and the sums written out.

use super::super::{
    super::{harmonic, instructions::Instructions, keys::Bias, real::Real, reduction::Reduced},
    Expansion, Moments, Polynomials, Radial,
};
use crate::{
    sums::columns::state,
    tokens::{Shape, Tokens, Weights},
};

/// Numbers in (-1, 1) from a multiplicative congruential generator (Knuth's MMIX constants).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// Where the tokens of a test stand.
#[derive(Clone, Copy, Debug)]
pub enum Arrangement {
    /// All over, leaning toward the first axis.
    Spread,
    /// Within about 1e-3 of one point off every axis.
    Clustered,
    /// Within about 1e-3 of the north pole, the first exactly on it; on the circle, of the second axis.
    Polar,
    /// On the axes exactly, both ways, and then all over.
    Axes,
}

pub fn cloud(kind: Arrangement, count: usize, dim: usize, weights: Weights) -> Tokens {
    let mut numbers = Numbers(count as u64 + 17);
    let mut coordinates = Vec::new();
    for i in 0..count {
        let mut random: Vec<f64> = (0..dim).map(|_| numbers.next()).collect();
        match kind {
            Arrangement::Spread => random[0] += 0.5,
            Arrangement::Clustered => {
                let center = [0.6, 0.64, 0.48];
                random.iter_mut().zip(center).for_each(|(x, center)| *x = center + 1e-3 * *x);
            }
            Arrangement::Polar => {
                let nudge = if i == 0 { 0.0 } else { 1e-3 };
                random.iter_mut().for_each(|x| *x *= nudge);
                random[dim - 1] += 1.0;
            }
            Arrangement::Axes if i < 2 * dim => {
                random.fill(0.0);
                random[i / 2] = if i % 2 == 0 { 1.0 } else { -1.0 };
            }
            Arrangement::Axes => {}
        }
        let length = random.iter().map(|x| x * x).sum::<f64>().sqrt();
        coordinates.extend(random.iter().map(|x| x / length));
    }
    Tokens { shape: Shape { replicas: 1, count, dim, passive: 0 }, coordinates, weights }
}

/// Weights that sum to one, from one to three parts, every fifth of them zero.
pub fn uneven(count: usize) -> Weights {
    let mut numbers = Numbers(5);
    let parts: Vec<f64> = (0..count).map(|i| if i % 5 == 4 { 0.0 } else { 2.0 + numbers.next() }).collect();
    let total: f64 = parts.iter().sum();
    Weights::Each(parts.iter().map(|part| part / total).collect())
}

/// beta A^T x for each token, A by its entries (row, column).
pub fn queries(beta: f64, a: impl Fn(usize, usize) -> f64, tokens: &Tokens) -> Vec<f64> {
    let d = tokens.shape.dim;
    let mut queries = Vec::new();
    for x in tokens.coordinates.chunks(d) {
        for column in 0..d {
            queries.push(beta * (0..d).map(|row| a(row, column) * x[row]).sum::<f64>());
        }
    }
    queries
}

/// What the reduction of one query comes to.
pub struct Row {
    /// ln Z_i.
    pub log_sum: f64,
    /// M_i / Z_i.
    pub barycentre: Vec<f64>,
    /// log2 (e^{kappa_i} sum_j w_j / Z_i); in a result, NaN.
    pub lost: f64,
}

/// The sums written out.
pub fn direct(queries: &[f64], tokens: &Tokens) -> Vec<Row> {
    let d = tokens.shape.dim;
    let row = |q: &[f64]| {
        let scores: Vec<f64> =
            tokens.coordinates.chunks(d).map(|y| q.iter().zip(y).map(|(q, y)| q * y).sum()).collect();
        let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // A sum of sums of a thousand: a million terms one by one would lose four digits.
        let (mut sum, mut barycentre) = (0.0, vec![0.0; d]);
        for (block, scores) in scores.chunks(1000).enumerate() {
            let (mut part, mut parts) = (0.0, vec![0.0; d]);
            for (j, score) in (1000 * block..).zip(scores) {
                let weight = tokens.weight(0, j) * (score - largest).exp();
                part += weight;
                for (part, y) in parts.iter_mut().zip(&tokens.coordinates[j * d..]) {
                    *part += weight * y;
                }
            }
            sum += part;
            barycentre.iter_mut().zip(parts).for_each(|(moment, part)| *moment += part);
        }
        barycentre.iter_mut().for_each(|moment| *moment /= sum);
        let log_sum = sum.ln() + largest;
        let kappa = q.iter().map(|q| q * q).sum::<f64>().sqrt();
        Row { log_sum, barycentre, lost: (kappa - log_sum) / std::f64::consts::LN_2 }
    };
    queries.chunks(d).map(row).collect()
}

/// The moments of a cloud of one replica.
pub fn moments<T: Real>(instructions: Instructions, tokens: &Tokens, degree: usize) -> Moments {
    moments_by::<T>(instructions, tokens, &Polynomials::legendre(), degree)
}

pub fn moments_by<T: Real>(
    instructions: Instructions,
    tokens: &Tokens,
    polynomials: &Polynomials,
    degree: usize,
) -> Moments {
    let (state, bias) = (state::<T>(tokens), Bias::new(tokens.shape, &tokens.weights));
    let weights = harmonic::Weights::of(tokens.shape, &tokens.weights, tokens.weight(0, 0), |_| {
        (0..tokens.shape.count).map(|token| tokens.weight(0, token)).fold(0.0, f64::max)
    });
    Moments::new(instructions, bias.keys(0, state.replica(0)).columns(), weights.replica(0), polynomials, degree)
}

/// The harmonic reduction of `queries`, and the bits lost.
pub fn harmonic<T: Real>(
    instructions: Instructions,
    radial: &Radial<T>,
    queries: &[f64],
    tokens: &Tokens,
) -> (Vec<Row>, f64) {
    let moments = moments::<T>(instructions, tokens, radial.degree + 1);
    let mut reduced = Reduced::default();
    let lost = Expansion::new(&moments, radial).reduce(instructions, queries, &mut reduced);
    let rows = reduced.log2_sum.iter().zip(reduced.barycentre.chunks(tokens.shape.dim));
    let row = |(log2_sum, barycentre): (&f64, &[f64])| Row {
        log_sum: log2_sum * std::f64::consts::LN_2,
        barycentre: barycentre.to_vec(),
        lost: f64::NAN,
    };
    (rows.map(row).collect(), lost)
}
