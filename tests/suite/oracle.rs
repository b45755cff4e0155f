//! The reference that judges every backend: the equations written out literally, one scalar loop each, in f64.
//!
//! It shares no arithmetic with the library. It is slow on purpose: what it says must be plain to see.

use tokenfield::{
    model::{Field, Mask, Matrix, Normalization},
    problem::Problem,
    scheme::Scheme,
};

/// The entry (row, column) of a matrix.
fn entry(matrix: &Matrix, dim: usize, row: usize, column: usize) -> f64 {
    match matrix {
        Matrix::Identity => (row == column) as u8 as f64,
        Matrix::Scale(factor) => factor * (row == column) as u8 as f64,
        Matrix::Diagonal(entries) => entries[row] * (row == column) as u8 as f64,
        Matrix::Dense(rows) => rows[row * dim + column],
    }
}

/// M x.
fn apply(matrix: &Matrix, x: &[f64]) -> Vec<f64> {
    let dim = x.len();
    (0..dim).map(|row| (0..dim).map(|column| entry(matrix, dim, row, column) * x[column]).sum()).collect()
}

pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| a * b).sum()
}

/// M y for every source y of a replica.
fn images(matrix: &Matrix, tokens: &[f64], sources: usize, dim: usize) -> Vec<Vec<f64>> {
    tokens.chunks(dim).take(sources).map(|y| apply(matrix, y)).collect()
}

/// The field at every token of every replica, ordered as `coordinates`.
pub fn field(problem: &Problem, coordinates: &[f64], which: Field) -> Vec<f64> {
    let shape = problem.tokens.shape;
    let (n, d) = (shape.count, shape.dim);
    let attention = &problem.model.attention;
    let mut field = vec![0.0; coordinates.len()];
    for replica in 0..shape.replicas {
        let tokens = &coordinates[replica * n * d..(replica + 1) * n * d];
        let image = |matrix: &Matrix| images(matrix, tokens, shape.sources(), d);
        let heads: Vec<_> = attention.heads.iter().map(|head| (image(&head.query_key), image(&head.value))).collect();
        for i in 0..n {
            let x = &tokens[i * d..(i + 1) * d];
            let mut velocity = vec![0.0; d];
            for (keys, values) in &heads {
                let scores: Vec<f64> = keys.iter().map(|key| attention.beta * dot(x, key)).collect();
                let shift = match attention.normalization {
                    Normalization::Softmax => {
                        let end = if attention.mask == Mask::None { scores.len() } else { scores.len().min(i + 1) };
                        scores[..end].iter().copied().fold(f64::NEG_INFINITY, f64::max)
                    }
                    Normalization::Unnormalized => 0.0,
                };
                let sees = |j: usize| match attention.mask {
                    Mask::None => 1.0,
                    Mask::Causal => (j <= i) as u8 as f64,
                    Mask::StrictlyCausal => (j < i) as u8 as f64,
                };
                let weight = |j: usize| sees(j) * problem.tokens.weight(replica, j) * (scores[j] - shift).exp();
                let total = match attention.normalization {
                    Normalization::Softmax => (0..shape.sources()).map(weight).sum(),
                    Normalization::Unnormalized => 1.0,
                };
                for j in 0..shape.sources() {
                    // A token that sees nobody does not move.
                    let share = if total == 0.0 { 0.0 } else { weight(j) / total };
                    for k in 0..d {
                        velocity[k] += share * values[j][k];
                    }
                }
            }
            if which == Field::Tangent {
                let radial = dot(x, &velocity);
                for k in 0..d {
                    velocity[k] -= radial * x[k];
                }
            }
            field[(replica * n + i) * d..][..d].copy_from_slice(&velocity);
        }
    }
    field
}

/// N(x + sum of factor * k).
fn retracted(d: usize, x: &[f64], terms: &[(f64, &[f64])]) -> Vec<f64> {
    let mut y = x.to_vec();
    for (factor, k) in terms {
        for (y, k) in y.iter_mut().zip(*k) {
            *y += factor * k;
        }
    }
    for token in y.chunks_mut(d) {
        let length = dot(token, token).sqrt();
        token.iter_mut().for_each(|component| *component /= length);
    }
    y
}

/// The tokens at the end of the problem's schedule.
pub fn evolve(problem: &Problem) -> Vec<f64> {
    let d = problem.tokens.shape.dim;
    let h = problem.schedule.end / problem.schedule.steps.max(1) as f64;
    let v = |x: &[f64]| field(problem, x, Field::Tangent);
    let mut x = problem.tokens.coordinates.clone();
    for _ in 0..problem.schedule.steps {
        x = match problem.scheme {
            Scheme::Euler => retracted(d, &x, &[(h, &v(&x))]),
            Scheme::Layer => retracted(d, &x, &[(h, &field(problem, &x, Field::Ambient))]),
            Scheme::Heun => {
                let k1 = v(&x);
                let k2 = v(&retracted(d, &x, &[(h, &k1)]));
                retracted(d, &x, &[(h / 2.0, &k1), (h / 2.0, &k2)])
            }
            Scheme::Rk4 => {
                let k1 = v(&x);
                let k2 = v(&retracted(d, &x, &[(h / 2.0, &k1)]));
                let k3 = v(&retracted(d, &x, &[(h / 2.0, &k2)]));
                let k4 = v(&retracted(d, &x, &[(h, &k3)]));
                retracted(d, &x, &[(h / 6.0, &k1), (h / 3.0, &k2), (h / 3.0, &k3), (h / 6.0, &k4)])
            }
        };
    }
    x
}

/// ln [(1 / 2 beta) sum_h sum_ij w_i w_j e^{beta <x_i, A x_j>}] of one replica.
pub fn log_energy(problem: &Problem, coordinates: &[f64], replica: usize) -> f64 {
    let shape = problem.tokens.shape;
    let (n, d) = (shape.count, shape.dim);
    let beta = problem.model.attention.beta;
    let tokens = &coordinates[replica * n * d..(replica + 1) * n * d];
    let mut exponents = Vec::new();
    for head in &problem.model.attention.heads {
        let keys = images(&head.query_key, tokens, shape.sources(), d);
        for i in 0..shape.sources() {
            for (j, key) in keys.iter().enumerate() {
                let score = beta * dot(&tokens[i * d..(i + 1) * d], key);
                let weight = problem.tokens.weight(replica, i) * problem.tokens.weight(replica, j);
                exponents.push(score + weight.ln());
            }
        }
    }
    let largest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + exponents.iter().map(|e| (e - largest).exp()).sum::<f64>().ln() - (2.0 * beta).ln()
}

/// sum_j w_j x_j of one replica.
pub fn mean(problem: &Problem, coordinates: &[f64], replica: usize) -> Vec<f64> {
    let shape = problem.tokens.shape;
    let mut mean = vec![0.0; shape.dim];
    for j in 0..shape.sources() {
        for (k, mean) in mean.iter_mut().enumerate() {
            *mean += problem.tokens.weight(replica, j) * coordinates[(replica * shape.count + j) * shape.dim + k];
        }
    }
    mean
}

/// (sum_j w_j |x_j - e|^2)^{1/2} with e = mean / |mean|.
pub fn w2_dirac(problem: &Problem, coordinates: &[f64], replica: usize) -> f64 {
    let shape = problem.tokens.shape;
    let mean = mean(problem, coordinates, replica);
    let length = dot(&mean, &mean).sqrt();
    let mut sum = 0.0;
    for j in 0..shape.sources() {
        let x = &coordinates[(replica * shape.count + j) * shape.dim..][..shape.dim];
        let square: f64 = x.iter().zip(&mean).map(|(x, m)| (x - m / length).powi(2)).sum();
        sum += problem.tokens.weight(replica, j) * square;
    }
    sum.sqrt()
}

/// min_j <x_j, e> with e = mean / |mean|, over tokens of positive weight.
pub fn overlap_min(problem: &Problem, coordinates: &[f64], replica: usize) -> f64 {
    let shape = problem.tokens.shape;
    let mean = mean(problem, coordinates, replica);
    let length = dot(&mean, &mean).sqrt();
    let mut smallest = f64::INFINITY;
    for j in 0..shape.count {
        if problem.tokens.weight(replica, j) > 0.0 {
            let x = &coordinates[(replica * shape.count + j) * shape.dim..][..shape.dim];
            smallest = smallest.min(dot(x, &mean) / length);
        }
    }
    smallest
}

/// sum_ij w_i w_j <x_i, x_j>^2.
pub fn mean_square_overlap(problem: &Problem, coordinates: &[f64], replica: usize) -> f64 {
    let shape = problem.tokens.shape;
    let tokens = &coordinates[replica * shape.count * shape.dim..][..shape.sources() * shape.dim];
    let mut sum = 0.0;
    for (i, x) in tokens.chunks(shape.dim).enumerate() {
        for (j, y) in tokens.chunks(shape.dim).enumerate() {
            sum += problem.tokens.weight(replica, i) * problem.tokens.weight(replica, j) * dot(x, y).powi(2);
        }
    }
    sum
}
