//! The fields of the equation: what the geometry makes of attention, perceptron and noise.

use tokenfield::{
    model::{Activation, Field, Geometry, LayerNorm, Matrix, Model, NoiseField, Perceptron},
    problem::Problem,
    random::philox4x32,
};

use super::{attention, dot};

/// erf by the series of positive terms e^{-x^2} sum_n 2^n x^{2n+1} / (1 3 5 .. (2n+1)).
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-18 {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

pub fn sigma(activation: Activation, s: f64) -> f64 {
    match activation {
        Activation::Relu => s.max(0.0),
        Activation::Gelu => s * 0.5 * (1.0 + erf(s / std::f64::consts::SQRT_2)),
        Activation::Tanh => s.tanh(),
        Activation::Identity => s,
    }
}

fn perceptron(perceptron: &Perceptron, x: &[f64]) -> Vec<f64> {
    let d = x.len();
    let mut output = perceptron.output_bias.clone();
    for k in 0..perceptron.bias.len() {
        let s = dot(&perceptron.inner[k * d..(k + 1) * d], x) + perceptron.bias[k];
        for c in 0..d {
            output[c] += sigma(perceptron.activation, s) * perceptron.outer[k * d + c];
        }
    }
    output
}

/// |x|; one for a field of zero, which has no direction.
pub fn length(x: &[f64]) -> f64 {
    let length = dot(x, x).sqrt();
    if length == 0.0 { 1.0 } else { length }
}

/// v - x <x, v>.
pub fn tangent(x: &[f64], v: &[f64]) -> Vec<f64> {
    let radial = dot(x, v);
    x.iter().zip(v).map(|(x, v)| v - radial * x).collect()
}

/// What attention and perceptron see of a token.
pub fn seen(model: &Model, x: &[f64]) -> Vec<f64> {
    match model.geometry {
        Geometry::PreNorm | Geometry::PeriNorm => x.iter().map(|c| c / length(x)).collect(),
        _ => x.to_vec(),
    }
}

/// The chosen field of `model` at every token of every replica, ordered as `coordinates`.
pub fn field_of(problem: &Problem, model: &Model, coordinates: &[f64], which: Field) -> Vec<f64> {
    let shape = problem.tokens.shape;
    let mut field = Vec::new();
    for (replica, tokens) in coordinates.chunks(shape.count * shape.dim).enumerate() {
        let seen: Vec<Vec<f64>> = tokens.chunks(shape.dim).map(|x| seen(model, x)).collect();
        let mlp = |x: &[f64]| match &model.perceptron {
            Some(layer) => perceptron(layer, x),
            None => vec![0.0; shape.dim],
        };
        if which == Field::Perceptron {
            field.extend(seen.iter().flat_map(|x| mlp(x)));
            continue;
        }
        let output = attention::output(problem, &model.attention, &seen, replica);
        if which == Field::Ambient {
            field.extend(output.concat());
            continue;
        }
        for (x, attention) in seen.iter().zip(&output) {
            let f: Vec<f64> = attention.iter().zip(mlp(x)).map(|(a, m)| a + m).collect();
            field.extend(match model.geometry {
                Geometry::Sphere => tangent(x, &f),
                Geometry::Euclidean | Geometry::PreNorm | Geometry::LayerNorm { .. } => f,
                Geometry::PeriNorm => f.iter().map(|c| c / length(&f)).collect(),
                Geometry::Ngpt { alpha } => tangent(x, &f).iter().map(|c| alpha * c / length(&f)).collect(),
                Geometry::Rescaled => {
                    let v: &Matrix = &model.attention.heads[0].value;
                    f.iter().zip(attention::apply(v, x)).map(|(f, vz)| f - vz).collect::<Vec<f64>>()
                }
            });
        }
    }
    field
}

/// The field of the problem at time zero.
pub fn field(problem: &Problem, coordinates: &[f64], which: Field) -> Vec<f64> {
    field_of(problem, &problem.model, coordinates, which)
}

/// N(x + sum of factor * k), a layer norm being that after the field `after`.
pub fn moved(model: &Model, d: usize, x: &[f64], terms: &[(f64, &[f64])], after: Field) -> Vec<f64> {
    let mut y = x.to_vec();
    for (factor, k) in terms {
        for (y, k) in y.iter_mut().zip(*k) {
            *y += factor * k;
        }
    }
    let normed = |token: &[f64], norm: &LayerNorm| -> Vec<f64> {
        let mean = token.iter().sum::<f64>() / d as f64;
        let variance = token.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / d as f64;
        let scaled = token.iter().map(|x| (x - mean) / (variance + norm.epsilon).sqrt());
        scaled.zip(norm.gain.iter().zip(&norm.bias)).map(|(x, (gain, bias))| gain * x + bias).collect()
    };
    let token = |y: &[f64]| match &model.geometry {
        Geometry::Sphere | Geometry::Ngpt { .. } => y.iter().map(|c| c / length(y)).collect(),
        Geometry::LayerNorm { attention, .. } if after == Field::Ambient => normed(y, attention),
        Geometry::LayerNorm { perceptron, .. } if after == Field::Perceptron => normed(y, perceptron),
        _ => y.to_vec(),
    };
    y.chunks(d).flat_map(token).collect()
}

/// Standard normal numbers of a step, by Box and Muller's method: numbers 4 b .. 4 b + 3 come from the words of
/// Philox4x32-10 at the counter (step, replica, token, purpose + 256 b).
pub fn normals(seed: u64, step: u64, replica: usize, token: usize, purpose: u32, count: usize) -> Vec<f64> {
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

/// intensity * G(x_i) xi_i of one step.
pub fn fluctuation(problem: &Problem, coordinates: &[f64], step: u64) -> Vec<f64> {
    let noise = problem.model.noise.as_ref().expect("a noise");
    let (n, d) = (problem.tokens.shape.count, problem.tokens.shape.dim);
    let mut field = Vec::new();
    for (replica, tokens) in coordinates.chunks(n * d).enumerate() {
        let common = |count| normals(noise.seed, step, if noise.is_shared { 0 } else { replica }, 0, 3, count);
        for (i, x) in tokens.chunks(d).enumerate() {
            let g: Vec<f64> = match noise.field {
                NoiseField::Independent => normals(noise.seed, step, replica, i, 2, d),
                NoiseField::CommonAdditive => common(d),
                NoiseField::CommonMatrix => common(d * d).chunks(d).map(|row| dot(row, x)).collect(),
                NoiseField::CommonPerceptron { width, activation } => {
                    let m = width as usize;
                    let numbers = common(2 * m * d);
                    let (inner, outer) = numbers.split_at(m * d);
                    let layer = Perceptron {
                        inner: inner.to_vec(),
                        outer: outer.iter().map(|u| u / (m as f64).sqrt()).collect(),
                        bias: vec![0.0; m],
                        output_bias: vec![0.0; d],
                        activation,
                    };
                    perceptron(&layer, x)
                }
            };
            let g: Vec<f64> = g.iter().map(|g| noise.intensity * g).collect();
            field.extend(g);
        }
    }
    field
}
