//! Problems for the tests, written down directly, with deterministic tokens that no library code has touched.

use tokenfield::{
    model::{Attention, Head, Matrix, ModelSchedule},
    observables::Quantity,
    problem::{Algorithm, Problem, Schedule},
    scheme::Scheme,
    tokens::{Shape, Tokens, Weights},
};

/// Numbers in (-1, 1) from a multiplicative congruential generator (Knuth's MMIX constants).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    pub fn vector(&mut self, length: usize) -> Vec<f64> {
        (0..length).map(|_| self.next()).collect()
    }
}

pub fn normalize(coordinates: &mut [f64], dim: usize) {
    for token in coordinates.chunks_mut(dim) {
        let length = token.iter().map(|x| x * x).sum::<f64>().sqrt();
        token.iter_mut().for_each(|x| *x /= length);
    }
}

pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| a * b).sum()
}

/// Unit tokens that lean toward the first axis, so that velocities are of order one.
pub fn cloud(replicas: usize, count: usize, dim: usize, seed: u64) -> Tokens {
    let mut coordinates = Numbers(seed).vector(replicas * count * dim);
    for token in coordinates.chunks_mut(dim) {
        token[0] += 0.5;
    }
    normalize(&mut coordinates, dim);
    Tokens { shape: Shape { replicas, count, dim, passive: 0 }, coordinates, weights: Weights::Equal }
}

pub fn identity_head() -> Head {
    Head::default()
}

/// A head with full matrices of spectral norm near one.
pub fn general_head(dim: usize, seed: u64) -> Head {
    let mut numbers = Numbers(seed);
    let mut matrix =
        || Matrix::Dense(numbers.vector(dim * dim).iter().map(|entry| entry / (dim as f64).sqrt()).collect());
    Head { query_key: matrix(), value: matrix(), ..Head::default() }
}

/// Weights that differ by a factor of up to three, normalized in each replica.
pub fn uneven(shape: Shape, seed: u64) -> Weights {
    let mut weights: Vec<f64> = Numbers(seed).vector(shape.tokens()).iter().map(|number| 2.0 + number).collect();
    for replica in weights.chunks_mut(shape.count) {
        replica[shape.sources()..].fill(0.0);
        let total: f64 = replica.iter().sum();
        replica.iter_mut().for_each(|weight| *weight /= total);
    }
    Weights::Each(weights)
}

/// Softmax attention with identity matrices, one Heun step of 0.1, everything observed.
pub fn problem(tokens: Tokens, beta: f64) -> Problem {
    Problem {
        tokens,
        model: Attention { beta, ..Attention::default() }.into(),
        model_schedule: ModelSchedule::Constant,
        scheme: Scheme::Heun,
        schedule: Schedule::even(1, 0.1, 1),
        quantities: vec![Quantity::Moments, Quantity::Energy, Quantity::W2Dirac, Quantity::Overlap],
        algorithm: Algorithm::Direct,
        tolerance: None,
    }
}

/// The largest difference between two lists of numbers; NaN counts as infinitely wrong.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let difference = |(a, b): (&f64, &f64)| if (a - b).is_nan() { f64::INFINITY } else { (a - b).abs() };
    a.iter().zip(b).map(difference).fold(0.0, f64::max)
}

/// Fails with the place and both values where two lists of numbers are further apart than `tolerance`.
#[track_caller]
pub fn assert_close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: lengths differ");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(
            difference <= tolerance,
            "{what}: at {index} found {found}, expected {expected}: {difference:e} apart, tolerance {tolerance:e}"
        );
    }
}
