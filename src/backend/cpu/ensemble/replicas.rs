//! Which replicas run across the lanes, and what they have in common.

use crate::{
    backend::cpu::{decay::Decays, field::HeadField},
    model::{Attention, Field, Geometry, Mask, Model, Position},
    sums::{keys::Bias, real::Real},
    tokens::Shape,
};

/// Replicas of one task: whole vectors on every instruction set.
pub(crate) const REPLICAS: usize = 16;

/// Replicas of the smallest ensemble: fewer would leave threads idle.
const FEWEST_REPLICAS: usize = 4 * REPLICAS;

/// Tokens of the largest replicas that are evaluated so: beyond, lanes are filled by keys as well.
const MOST_TOKENS: usize = 128;

/// The widest tokens that the kernel is compiled for; those of a width in between are padded with zeros.
pub(super) const WIDEST: usize = 16;

/// Numbers that a head has for each replica.
pub(super) const NORMALIZERS: usize = 3;

/// Whether the kernel has the terms of a model: attention on the sphere to leading sources. Noise has stages of its own.
pub(crate) fn serves(model: &Model) -> bool {
    let Model { geometry, attention, perceptron, noise: _, frozen: _ } = model;
    // Heads have what is made of betas, normalizations and matrices, and are asked by `suits`.
    let Attention { beta: _, beta_factors: _, normalization: _, mask, window, position, heads: _ } = attention;
    let sees_leading = match mask {
        Mask::None | Mask::Causal | Mask::StrictlyCausal => window.is_none(),
        Mask::Others => false,
    };
    let is_of_keys = match position {
        Position::Nowhere | Position::Alibi { .. } => true,
        Position::Rotary { .. } | Position::Additive { .. } => false,
    };
    sees_leading && *geometry == Geometry::Sphere && is_of_keys && perceptron.is_none()
}

/// Whether replicas of that shape should be evaluated side by side, under heads whose sums stay within the exponents of `T`.
pub(crate) fn suits<T: Real>(shape: Shape, heads: &[HeadField<T>]) -> bool {
    shape.replicas >= FEWEST_REPLICAS
        && shape.count <= MOST_TOKENS
        && shape.dim <= WIDEST
        && heads.iter().all(|head| head.projections.is_none() && head.stays_in_range())
}

/// How the sums of a replica are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pairs {
    /// Row by row: an exponential for each ordered pair.
    Ordered,
    /// w_j e^{<x_i, A x_j>} is that of (j, i) too, so that one exponential serves both.
    Unordered,
}

/// The equation of an ensemble.
#[derive(Clone, Copy)]
pub(crate) struct Ensemble<'a, T> {
    pub(crate) heads: &'a [HeadField<T>],
    pub(crate) mask: Mask,
    pub(crate) pairs: Pairs,
    pub(crate) field: Field,
    /// log2 w_j.
    pub(crate) bias: &'a Bias<T>,
    pub(crate) decays: Option<&'a Decays<T>>,
    pub(crate) count: usize,
    pub(crate) sources: usize,
    /// Leading tokens that are not moved.
    pub(crate) frozen: usize,
}
