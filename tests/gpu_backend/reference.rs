//! The reference: the sums of `model` and of `observe`, written out as double loops in double precision.

use std::ops::Range;

use tokenfield::{
    model::{Field, Mask, Matrix, Model, Normalization},
    observe::Statistics,
    problem::Problem,
};

pub fn times(matrix: &Matrix, vector: &[f64]) -> Vec<f64> {
    let dim = vector.len();
    let rows = matrix.dense(dim, 1.0);
    rows.chunks_exact(dim).map(|row| dot(row, vector)).collect()
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The field of every token of every replica.
pub fn reference(problem: &Problem, field: Field) -> Vec<f64> {
    let shape = problem.tokens.shape;
    (0..shape.replicas).flat_map(|replica| reference_replica(problem, field, replica, 0..shape.count)).collect()
}

fn attends(mask: Mask, i: usize, j: usize) -> bool {
    match mask {
        Mask::None => true,
        Mask::Causal => j <= i,
        Mask::StrictlyCausal => j < i,
        Mask::Others => j != i,
    }
}

pub fn reference_replica(problem: &Problem, field: Field, replica: usize, rows: Range<usize>) -> Vec<f64> {
    let Problem { tokens, model: Model { attention, .. }, .. } = problem;
    let dim = tokens.shape.dim;
    let token = |j: usize| &tokens.replica(replica)[j * dim..][..dim];
    let mut result = Vec::new();
    let images: Vec<Vec<Vec<f64>>> = attention
        .heads
        .iter()
        .map(|head| (0..tokens.shape.sources()).map(|j| times(&head.query_key, token(j))).collect())
        .collect();
    for i in rows {
        let x = token(i);
        let mut velocity = vec![0.0; dim];
        for (head, images) in attention.heads.iter().zip(&images) {
            let visible = images.iter().enumerate().filter(|(j, _)| attends(attention.mask, i, *j));
            let scores: Vec<(usize, f64)> = visible.map(|(j, image)| (j, attention.beta * dot(x, image))).collect();
            let highest = match attention.normalization {
                Normalization::Softmax => scores.iter().map(|(_, score)| *score).fold(f64::NEG_INFINITY, f64::max),
                _ => 0.0,
            };
            let (mut sum, mut mean) = (0.0, vec![0.0; dim]);
            for (j, score) in &scores {
                let weight = tokens.weight(replica, *j) * (score - highest).exp();
                sum += weight;
                mean.iter_mut().zip(token(*j)).for_each(|(m, y)| *m += weight * y);
            }
            // A token without a visible source does not move.
            if attention.normalization == Normalization::Softmax && sum > 0.0 {
                mean.iter_mut().for_each(|m| *m /= sum);
            }
            velocity.iter_mut().zip(times(&head.value, &mean)).for_each(|(v, o)| *v += o);
        }
        if field == Field::Tangent {
            let radial = dot(x, &velocity);
            velocity.iter_mut().zip(x).for_each(|(v, x)| *v -= radial * x);
        }
        result.extend(velocity);
    }
    result
}

pub fn reference_statistics(problem: &Problem, replica: usize) -> Statistics {
    let Problem { tokens, model: Model { attention, .. }, .. } = problem;
    let dim = tokens.shape.dim;
    let all: Vec<(f64, &[f64])> = (0..tokens.shape.sources())
        .map(|j| (tokens.weight(replica, j), &tokens.replica(replica)[j * dim..][..dim]))
        .collect();
    let mean: Vec<f64> = (0..dim).map(|k| all.iter().map(|(w, x)| w * x[k]).sum()).collect();
    let second = |entry: usize| all.iter().map(|(w, x)| w * x[entry / dim] * x[entry % dim]).sum();
    let length = dot(&mean, &mean).sqrt();
    let direction: Vec<f64> = mean.iter().map(|c| c / length).collect();
    let distance = |x: &[f64]| x.iter().zip(&direction).map(|(x, e)| (x - e) * (x - e)).sum::<f64>();
    let mut terms = Vec::new();
    for head in &attention.heads {
        // The energy is that of all pairs, whatever the mask.
        for (w, y) in &all {
            let image = times(&head.query_key, y);
            let term = |(v, x): &(f64, &[f64])| (w * v > 0.0).then(|| (w * v).ln() + attention.beta * dot(x, &image));
            terms.extend(all.iter().filter_map(term));
        }
    }
    let highest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = terms.iter().map(|term| (term - highest).exp()).sum();
    Statistics {
        second_moment: (0..dim * dim).map(second).collect(),
        log_energy: highest + sum.ln() - (2.0 * attention.beta).ln(),
        square_distance: all.iter().map(|(w, x)| w * distance(x)).sum(),
        overlap_min: all
            .iter()
            .filter(|(w, _)| *w > 0.0)
            .map(|(_, x)| dot(x, &direction))
            .fold(f64::INFINITY, f64::min),
        mean,
        measured: Vec::new(),
    }
}
