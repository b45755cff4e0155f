//! The fields of the equation, and where they move tokens: what the geometry makes of attention and perceptron.

use std::ops::Range;

use super::{
    attention::{ReplicaAttention, seen},
    linear::{apply, tangent, unit},
    perceptron::perceptron,
};
use crate::{
    model::{Field, Geometry, LayerNorm, Model},
    tokens::{Shape, Tokens},
};

/// The chosen field of `model` at every token of every replica, ordered as the coordinates.
pub fn field(tokens: &Tokens, model: &Model, which: Field) -> Vec<f64> {
    let of_replica = |replica| field_of_rows(tokens, model, which, replica, 0..tokens.shape.count);
    (0..tokens.shape.replicas).flat_map(of_replica).collect()
}

/// The chosen field at the tokens `rows` of one replica: where all would take too long.
pub fn field_of_rows(tokens: &Tokens, model: &Model, which: Field, replica: usize, rows: Range<usize>) -> Vec<f64> {
    let mut field = field_of_free(tokens, model, which, replica, rows.clone());
    for (i, f) in rows.zip(field.chunks_mut(tokens.shape.dim)) {
        if i < model.frozen {
            f.fill(0.0);
        }
    }
    field
}

/// As if no token were frozen.
fn field_of_free(tokens: &Tokens, model: &Model, which: Field, replica: usize, rows: Range<usize>) -> Vec<f64> {
    let d = tokens.shape.dim;
    let seen = |i: usize| seen(model, &tokens.replica(replica)[i * d..][..d]);
    let mlp = |x: &[f64]| model.perceptron.as_ref().map_or_else(|| vec![0.0; d], |layer| perceptron(layer, x));
    if which == Field::Perceptron {
        return rows.flat_map(|i| mlp(&seen(i))).collect();
    }
    let attention = ReplicaAttention::new(tokens, model, replica).output(rows.clone());
    if which == Field::Ambient {
        return attention.concat();
    }
    let velocity = |(i, attention): (usize, &Vec<f64>)| -> Vec<f64> {
        let x = seen(i);
        let f: Vec<f64> = attention.iter().zip(mlp(&x)).map(|(a, m)| a + m).collect();
        match model.geometry {
            Geometry::Sphere => tangent(&x, &f),
            Geometry::Euclidean | Geometry::PreNorm | Geometry::LayerNorm { .. } => f,
            Geometry::PeriNorm => unit(&f),
            Geometry::Ngpt { alpha } => tangent(&x, &unit(&f)).iter().map(|c| alpha * c).collect(),
            Geometry::Rescaled => {
                let image = model.attention.heads.first().map_or_else(|| vec![0.0; d], |head| apply(&head.value, &x));
                f.iter().zip(image).map(|(f, vz)| f - vz).collect()
            }
        }
    };
    rows.zip(&attention).flat_map(velocity).collect()
}

/// N(x + sum of factor * k) for tokens that are not frozen, a layer norm being that after the field `after`.
pub(super) fn moved(model: &Model, shape: Shape, x: &[f64], terms: &[(f64, &[f64])], after: Field) -> Vec<f64> {
    let mut y = x.to_vec();
    for (factor, k) in terms {
        for (y, k) in y.iter_mut().zip(*k) {
            *y += factor * k;
        }
    }
    let token = |y: &[f64]| match &model.geometry {
        Geometry::Sphere | Geometry::Ngpt { .. } => unit(y),
        Geometry::LayerNorm { attention, .. } if after == Field::Ambient => normed(y, attention),
        Geometry::LayerNorm { perceptron, .. } if after == Field::Perceptron => normed(y, perceptron),
        Geometry::LayerNorm { .. }
        | Geometry::Euclidean
        | Geometry::Rescaled
        | Geometry::PreNorm
        | Geometry::PeriNorm => y.to_vec(),
    };
    let moved = y.chunks(shape.dim).flat_map(token).collect();
    held(shape, model.frozen, x, moved)
}

/// `moved`, but for the tokens that are frozen, which stay those of `x`.
pub(super) fn held(shape: Shape, frozen: usize, x: &[f64], mut moved: Vec<f64>) -> Vec<f64> {
    for i in (0..shape.tokens()).filter(|i| i % shape.count < frozen) {
        let token = i * shape.dim..(i + 1) * shape.dim;
        moved[token.clone()].copy_from_slice(&x[token]);
    }
    moved
}

/// gain (x - mean) / sqrt(variance + epsilon) + bias.
fn normed(x: &[f64], norm: &LayerNorm) -> Vec<f64> {
    let d = x.len() as f64;
    let mean = x.iter().sum::<f64>() / d;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / d;
    let scaled = x.iter().map(|x| (x - mean) / (variance + norm.epsilon).sqrt());
    scaled.zip(norm.gain.iter().zip(&norm.bias)).map(|(x, (gain, bias))| gain * x + bias).collect()
}
