//! The draws of a step, and what they multiply.

use super::{linear::dot, perceptron::perceptron};
use crate::{
    model::{Noise, NoiseField, Perceptron},
    random::philox4x32,
    tokens::Tokens,
};

/// Purposes of draws, as they are numbered in the counter.
const OF_TOKENS: u32 = 2;
const COMMON: u32 = 3;

/// Standard normal numbers of a step, by Box and Muller's method: numbers 4 b .. 4 b + 3 come from the words of
/// Philox4x32-10 at the counter (step, replica, token, purpose + 256 b).
fn normals(seed: u64, step: u64, replica: usize, token: usize, purpose: u32, count: usize) -> Vec<f64> {
    let key = [seed as u32, (seed >> 32) as u32];
    let mut numbers = Vec::new();
    for block in 0..count.div_ceil(4) as u32 {
        let words = philox4x32([step as u32, replica as u32, token as u32, purpose + (block << 8)], key);
        for pair in words.chunks(2) {
            let uniform = |word: u32| (f64::from(word) + 0.5) / 4_294_967_296.0;
            let radius = (-2.0 * uniform(pair[0]).ln()).sqrt();
            let angle = std::f64::consts::TAU * uniform(pair[1]);
            numbers.extend([radius * angle.cos(), radius * angle.sin()]);
        }
    }
    numbers.truncate(count);
    numbers
}

/// What all tokens of a replica share.
pub(super) fn common(noise: &Noise, step: u64, replica: usize, count: usize) -> Vec<f64> {
    normals(noise.seed, step, if noise.is_shared { 0 } else { replica }, 0, COMMON, count)
}

/// G(x_i) xi_i of one step for every token, of intensity one.
pub(super) fn draws(tokens: &Tokens, noise: &Noise, step: u64) -> Vec<f64> {
    let (n, d) = (tokens.shape.count, tokens.shape.dim);
    let mut field = Vec::new();
    for (replica, tokens) in tokens.coordinates.chunks(n * d).enumerate() {
        let shared = |count| common(noise, step, replica, count);
        match noise.field {
            NoiseField::Independent => {
                field.extend((0..n).flat_map(|i| normals(noise.seed, step, replica, i, OF_TOKENS, d)));
            }
            NoiseField::CommonAdditive => field.extend(shared(d).repeat(n)),
            NoiseField::CommonMatrix => {
                let matrix = shared(d * d);
                field.extend(tokens.chunks(d).flat_map(|x| matrix.chunks(d).map(|row| dot(row, x))));
            }
            NoiseField::CommonPerceptron { width, activation } => {
                let m = width as usize;
                let numbers = shared(2 * m * d);
                let (inner, outer) = numbers.split_at(m * d);
                let layer = Perceptron {
                    inner: inner.to_vec(),
                    outer: outer.iter().map(|u| u / (m as f64).sqrt()).collect(),
                    bias: vec![0.0; m],
                    output_bias: vec![0.0; d],
                    activation,
                };
                field.extend(tokens.chunks(d).flat_map(|x| perceptron(&layer, x)));
            }
        }
    }
    field
}

/// intensity * G(x_i) xi_i of one step for every token of every replica.
pub fn fluctuation(tokens: &Tokens, noise: &Noise, step: u64) -> Vec<f64> {
    draws(tokens, noise, step).iter().map(|g| noise.intensity * g).collect()
}
