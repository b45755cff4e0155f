//! Whether the terms of an equation fit the tokens that it moves.

use super::error::{Place, ProblemError};
use crate::{
    model::{
        Attention, Biases, Geometry, Head, LayerNorm, Matrix, Model, Noise, NoiseField, Normalization, Perceptron,
        Position,
    },
    tokens::Shape,
};

/// What terms must fit.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub replicas: usize,
    pub count: usize,
    pub dim: usize,
}

impl Sizes {
    pub fn of(shape: Shape) -> Self {
        let Shape { replicas, count, dim, passive: _ } = shape;
        Self { replicas, count, dim }
    }
}

pub(super) fn check(place: &Place, model: &Model, sizes: Sizes) -> Result<(), ProblemError> {
    let Model { geometry, attention, perceptron, noise, frozen } = model;
    let range = format!("at most tokens.shape.count = {}", sizes.count);
    place.field("frozen").require(*frozen <= sizes.count, frozen, &range)?;
    if *frozen > 0 && *geometry == Geometry::Rescaled {
        let problem = "keeps tokens e^{-tV} x where they are, while those x move";
        return Err(place.field("frozen").error(problem, "take none, or Geometry::Euclidean"));
    }
    check_geometry(&place.field("geometry"), geometry, attention, sizes.dim)?;
    check_attention(&place.field("attention"), attention, sizes)?;
    if let Some(perceptron) = perceptron {
        check_perceptron(&place.field("perceptron"), perceptron, sizes.dim)?;
    }
    if let Some(Noise { field, intensity, calculus: _, seed: _, is_shared: _ }) = noise {
        let place = place.field("noise");
        let holds = intensity.is_finite() && *intensity >= 0.0;
        place.field("intensity").require(holds, intensity, "finite and at least 0")?;
        match field {
            NoiseField::CommonPerceptron { width, activation: _ } => {
                place.field("field.width").require(*width > 0, width, "at least 1")?;
            }
            NoiseField::Independent | NoiseField::CommonAdditive | NoiseField::CommonMatrix => {}
        }
    }
    Ok(())
}

pub(super) fn check_geometry(
    place: &Place,
    geometry: &Geometry,
    attention: &Attention,
    dim: usize,
) -> Result<(), ProblemError> {
    match geometry {
        Geometry::Sphere | Geometry::Euclidean | Geometry::PreNorm | Geometry::PeriNorm => Ok(()),
        Geometry::Rescaled => one_head(place, attention),
        Geometry::Ngpt { alpha } => place.field("alpha").finite(*alpha),
        Geometry::LayerNorm { attention, perceptron } => {
            for (name, LayerNorm { gain, bias, epsilon }) in [("attention", attention), ("perceptron", perceptron)] {
                let place = place.field(name);
                place.field("gain").numbers(gain, dim, "dim")?;
                place.field("bias").numbers(bias, dim, "dim")?;
                let holds = epsilon.is_finite() && *epsilon >= 0.0;
                place.field("epsilon").require(holds, epsilon, "finite and at least 0")?;
            }
            Ok(())
        }
    }
}

/// Refuses rescaled coordinates of several value matrices.
pub(super) fn one_head(place: &Place, attention: &Attention) -> Result<(), ProblemError> {
    let heads = attention.heads.len();
    let problem = || format!("is for one head, and there are {heads}");
    if heads == 1 { Ok(()) } else { Err(place.error(problem(), "take one head, or Geometry::Euclidean")) }
}

fn check_attention(place: &Place, attention: &Attention, sizes: Sizes) -> Result<(), ProblemError> {
    let Attention { beta, beta_factors, normalization, mask: _, window: _, position, heads } = attention;
    place.field("beta").finite(*beta)?;
    let factors = place.field("beta_factors");
    factors.optional_numbers(beta_factors, sizes.replicas, "replicas")?;
    for (replica, factor) in beta_factors.iter().enumerate() {
        factors.entry(replica).require((0.0..=1.0).contains(factor), factor, "from 0 to 1")?;
    }
    match normalization {
        Normalization::Sinkhorn { iterations: _, tolerance } => {
            place.field("normalization.tolerance").require(*tolerance >= 0.0, tolerance, "at least 0")?;
        }
        Normalization::Softmax
        | Normalization::Unnormalized
        | Normalization::Shifted
        | Normalization::Hardmax
        | Normalization::Relu
        | Normalization::Sigmoid => {}
    }
    let position_place = place.field("position");
    match position {
        Position::Nowhere => {}
        Position::Alibi { decay: _ } if normalization.is_pointwise() => {
            let problem = "divides weights by sums of theirs, and those of relu and sigmoid are divided by nothing";
            return Err(position_place.error(problem, "take Position::Nowhere, or Normalization::Unnormalized"));
        }
        Position::Alibi { decay } => position_place.field("decay").finite(*decay)?,
        Position::Rotary { base } => {
            position_place.field("base").require(
                *base > 0.0 && base.is_finite(),
                base,
                "finite and greater than 0",
            )?;
        }
        Position::Additive { places, .. } => {
            position_place.numbers(places, sizes.count * sizes.dim, "count * dim")?
        }
    }
    for (index, head) in heads.iter().enumerate() {
        check_head(&place.field("heads").entry(index), head, sizes.dim)?;
    }
    Ok(())
}

fn check_head(place: &Place, head: &Head, dim: usize) -> Result<(), ProblemError> {
    let Head { query_key, value, biases, beta, decay, weight } = head;
    check_matrix(&place.field("query_key"), query_key, dim)?;
    check_matrix(&place.field("value"), value, dim)?;
    place.field("beta").finite(beta.unwrap_or(0.0))?;
    place.field("decay").finite(decay.unwrap_or(0.0))?;
    place.field("weight").finite(*weight)?;
    let Biases { query, key, value: of_values, output } = biases;
    let rank = |matrix: &Matrix| matrix.factors().map_or(0, |(left, _)| left.len() / dim);
    let place = place.field("biases");
    for (name, bias, rank) in
        [("query", query, rank(query_key)), ("key", key, rank(query_key)), ("value", of_values, rank(value))]
    {
        place.field(name).optional_numbers(bias, rank, "one for each row of the product")?;
    }
    place.field("output").optional_numbers(output, dim, "dim")
}

pub(super) fn check_matrix(place: &Place, matrix: &Matrix, dim: usize) -> Result<(), ProblemError> {
    match matrix {
        Matrix::Identity => Ok(()),
        Matrix::Scale(scale) => place.finite(*scale),
        Matrix::Diagonal(entries) => place.numbers(entries, dim, "dim"),
        Matrix::Dense(rows) => place.numbers(rows, dim * dim, "dim * dim"),
        Matrix::OfReplicas(rows) => {
            let count = (rows.len() / (dim * dim)).max(1);
            place.numbers(rows, count * dim * dim, "a multiple of dim * dim")
        }
        Matrix::Product { left, right } => {
            let rank = left.len() / dim;
            place.require(rank > 0, rank, "of rank 1 at least")?;
            place.field("left").numbers(left, rank * dim, "rank * dim")?;
            place.field("right").numbers(right, rank * dim, "rank * dim")
        }
    }
}

pub(super) fn check_perceptron(place: &Place, perceptron: &Perceptron, dim: usize) -> Result<(), ProblemError> {
    let Perceptron { inner, outer, bias, output_bias, activation: _ } = perceptron;
    let width = bias.len();
    place.field("bias").numbers(bias, width, "width")?;
    place.field("inner").numbers(inner, width * dim, "width * dim")?;
    place.field("outer").numbers(outer, width * dim, "width * dim")?;
    place.field("output_bias").numbers(output_bias, dim, "dim")
}
