//! The output of attention, from the matrix of all weights a_ij.

use tokenfield::{
    model::{Attention, Head, Mask, Matrix, Normalization, Position, TIE},
    problem::Problem,
};

use super::dot;

/// The entry (row, column) of a matrix.
fn entry(matrix: &Matrix, dim: usize, row: usize, column: usize) -> f64 {
    match matrix {
        Matrix::Identity => (row == column) as u8 as f64,
        Matrix::Scale(factor) => factor * (row == column) as u8 as f64,
        Matrix::Diagonal(entries) => entries[row] * (row == column) as u8 as f64,
        Matrix::Dense(rows) => rows[row * dim + column],
        Matrix::Product { left, right } => {
            (0..left.len() / dim).map(|k| left[k * dim + row] * right[k * dim + column]).sum()
        }
    }
}

/// M x.
pub fn apply(matrix: &Matrix, x: &[f64]) -> Vec<f64> {
    let dim = x.len();
    (0..dim).map(|row| (0..dim).map(|column| entry(matrix, dim, row, column) * x[column]).sum()).collect()
}

/// F x + bias for a factor F of a product.
fn factor(rows: &[f64], bias: &[f64], x: &[f64]) -> Vec<f64> {
    let plus = |k: usize| bias.get(k).copied().unwrap_or(0.0);
    rows.chunks(x.len()).enumerate().map(|(k, row)| dot(row, x) + plus(k)).collect()
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

/// The queries and the keys of all tokens of a replica, such that scores are their products.
fn queries_and_keys(attention: &Attention, head: &Head, tokens: &[Vec<f64>]) -> Vec<(Vec<f64>, Vec<f64>)> {
    let placed = |(i, x): (usize, &Vec<f64>)| match &attention.position {
        Position::Additive(places) => x.iter().zip(&places[i * x.len()..]).map(|(x, p)| x + p).collect::<Vec<f64>>(),
        _ => x.clone(),
    };
    let split = |x: &[f64]| match &head.query_key {
        Matrix::Product { left, right } => (factor(left, &head.biases.query, x), factor(right, &head.biases.key, x)),
        matrix => (x.to_vec(), apply(matrix, x)),
    };
    let turned = |(i, (query, key)): (usize, (Vec<f64>, Vec<f64>))| match attention.position {
        Position::Rotary { base } => (rotated(&query, i, base), rotated(&key, i, base)),
        _ => (query, key),
    };
    tokens.iter().enumerate().map(placed).map(|x| split(&x)).enumerate().map(turned).collect()
}

/// The inverse temperature of a head in a replica.
pub fn beta(attention: &Attention, head: &Head, replica: usize) -> f64 {
    match (head.beta, &attention.beta_factors[..]) {
        (Some(own), _) => own,
        (None, []) => attention.beta,
        (None, factors) => attention.beta * factors[replica],
    }
}

/// beta <q_i, k_j>, row by row.
pub fn scores(
    problem: &Problem,
    attention: &Attention,
    head: &Head,
    tokens: &[Vec<f64>],
    replica: usize,
) -> Vec<Vec<f64>> {
    let both = queries_and_keys(attention, head, tokens);
    let beta = beta(attention, head, replica);
    let sources = problem.tokens.shape.sources();
    both.iter().map(|(query, _)| both[..sources].iter().map(|(_, key)| beta * dot(query, key)).collect()).collect()
}

/// Whether token i sees the source j.
fn sees(attention: &Attention, i: usize, j: usize) -> bool {
    let near = attention.window.is_none_or(|window| i.abs_diff(j) < window);
    near && match attention.mask {
        Mask::None => true,
        Mask::Causal => j <= i,
        Mask::StrictlyCausal => j < i,
        Mask::Others => j != i,
    }
}

/// All a_ij of one head; rows that see nothing are zero.
pub fn weights(
    problem: &Problem,
    attention: &Attention,
    scores: &[Vec<f64>],
    replica: usize,
    beta: f64,
) -> Vec<Vec<f64>> {
    let sources = problem.tokens.shape.sources();
    let decay = match attention.position {
        Position::Alibi { decay } => decay,
        _ => 0.0,
    };
    // What source j weighs for token i before its score is looked at.
    let prior = |i: usize, j: usize| {
        let seen = sees(attention, i, j) as u8 as f64;
        seen * problem.tokens.weight(replica, j) * (-decay * (i as f64 - j as f64) / sources as f64).exp()
    };
    let row = |(i, scores): (usize, &Vec<f64>)| -> Vec<f64> {
        let heard = |j: &usize| prior(i, *j) > 0.0;
        let largest = (0..sources).filter(heard).map(|j| scores[j]).fold(f64::NEG_INFINITY, f64::max);
        let raw: Vec<f64> = match attention.normalization {
            Normalization::Softmax => (0..sources).map(|j| prior(i, j) * (scores[j] - largest).exp()).collect(),
            Normalization::Unnormalized => (0..sources).map(|j| prior(i, j) * scores[j].exp()).collect(),
            Normalization::Shifted => (0..sources).map(|j| prior(i, j) * (scores[j] - beta).exp()).collect(),
            Normalization::Hardmax => {
                let size = (0..sources).filter(heard).map(|j| scores[j].abs()).fold(0.0, f64::max);
                (0..sources).map(|j| if scores[j] >= largest - TIE * size { prior(i, j) } else { 0.0 }).collect()
            }
            Normalization::Sinkhorn { .. } => unreachable!("has weights of its own"),
        };
        let divisor: f64 = match (attention.normalization, &attention.position) {
            (Normalization::Softmax | Normalization::Hardmax, _) => raw.iter().sum(),
            (_, Position::Alibi { .. }) => (0..sources).map(|j| prior(i, j)).sum(),
            _ => 1.0,
        };
        raw.iter().zip(0..sources).map(|(w, j)| if prior(i, j) > 0.0 { w / divisor } else { 0.0 }).collect()
    };
    match attention.normalization {
        Normalization::Sinkhorn { iterations, tolerance } => {
            let w: Vec<f64> = (0..sources).map(|j| problem.tokens.weight(replica, j)).collect();
            doubly_stochastic(scores, &w, iterations, tolerance)
        }
        _ => scores.iter().enumerate().map(row).collect(),
    }
}

/// w_j e^{s_ij + f_i + g_j} with rows and columns normalized in turn, rows last.
fn doubly_stochastic(scores: &[Vec<f64>], w: &[f64], iterations: u32, tolerance: f64) -> Vec<Vec<f64>> {
    let sources = w.len();
    let log_sum = |terms: Vec<f64>| {
        let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        largest + terms.iter().map(|term| (term - largest).exp()).sum::<f64>().ln()
    };
    let mut g = vec![0.0; sources];
    let rows = |g: &[f64]| -> Vec<f64> {
        scores.iter().map(|s| -log_sum((0..sources).map(|j| w[j].ln() + s[j] + g[j]).collect())).collect()
    };
    for _ in 0..iterations {
        let f = rows(&g);
        let column = |j: usize| -log_sum((0..sources).map(|i| w[i].ln() + scores[i][j] + f[i]).collect());
        let next: Vec<f64> = (0..sources).map(column).collect();
        let off = next.iter().zip(&g).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        if off <= tolerance {
            break;
        }
        g = next;
    }
    let f = rows(&g);
    let row = |(s, f): (&Vec<f64>, &f64)| (0..sources).map(|j| w[j] * (s[j] + f + g[j]).exp()).collect();
    scores.iter().zip(&f).map(row).collect()
}

/// sum_h c_h (W_o sum_j a_ij (W_v x_j + b_v) + b_o) for each token of a replica.
pub fn output(problem: &Problem, attention: &Attention, tokens: &[Vec<f64>], replica: usize) -> Vec<Vec<f64>> {
    let d = problem.tokens.shape.dim;
    let mut output = vec![vec![0.0; d]; tokens.len()];
    for head in &attention.heads {
        let scores = scores(problem, attention, head, tokens, replica);
        let all = weights(problem, attention, &scores, replica, beta(attention, head, replica));
        let value = |x: &Vec<f64>| match &head.value {
            Matrix::Product { right, .. } => factor(right, &head.biases.value, x),
            _ => x.clone(),
        };
        let values: Vec<Vec<f64>> = tokens[..problem.tokens.shape.sources()].iter().map(value).collect();
        for (output, row) in output.iter_mut().zip(&all) {
            if row.iter().all(|weight| *weight == 0.0) {
                continue;
            }
            let width = values[0].len();
            let mean: Vec<f64> =
                (0..width).map(|k| row.iter().zip(&values).map(|(weight, value)| weight * value[k]).sum()).collect();
            let image = match &head.value {
                Matrix::Product { left, .. } => {
                    (0..d).map(|k| (0..width).map(|r| left[r * d + k] * mean[r]).sum()).collect()
                }
                matrix => apply(matrix, &mean),
            };
            for k in 0..d {
                output[k] += head.weight * (image[k] + head.biases.output.get(k).copied().unwrap_or(0.0));
            }
        }
    }
    output
}
