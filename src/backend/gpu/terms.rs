//! Which terms of the equation the kernels have, and which of their fast ways a model may go.

use crate::{
    backend::BackendError,
    model::{Geometry, Head, Mask, Matrix, Normalization, Position},
    problem::{Algorithm, Problem},
};

/// The refusal of a term.
pub(super) fn unsupported(term: &'static str) -> BackendError {
    BackendError::Unsupported { backend: "gpu", term, remedy: "write --backend cpu" }
}

/// Refuses what the kernels do not have.
pub(super) fn check(problem: &Problem) -> Result<(), BackendError> {
    let (model, attention) = (&problem.model, &problem.model.attention);
    let of_heads = |found: fn(&Head) -> bool| attention.heads.iter().any(found);
    let product = |matrix: &Matrix| matches!(matrix, Matrix::Product { .. });
    let missing = [
        (model.geometry != Geometry::Sphere, "geometry but the sphere"),
        (model.perceptron.is_some(), "perceptron"),
        (model.noise.is_some(), "noise"),
        (!problem.course.is_constant(), "weights that change"),
        (attention.heads.is_empty(), "field without heads"),
        (of_heads(|head| head.beta.is_some()), "heads with a beta of their own"),
        (of_heads(|head| head.weight != 1.0), "weights of heads"),
        (attention.heads.iter().any(|head| product(&head.query_key) || product(&head.value)), "products of factors"),
        (of_heads(|head| head.biases != Default::default()), "biases of heads"),
        (attention.mask == Mask::Others, "mask that hides a token from itself"),
        (attention.window.is_some(), "attention windows"),
        (attention.position != Position::Nowhere, "positions"),
        (attention.normalization == Normalization::Shifted, "shifted normalization"),
        (attention.normalization == Normalization::Hardmax, "hardmax"),
        (matches!(attention.normalization, Normalization::Sinkhorn { .. }), "doubly stochastic attention"),
    ];
    match missing.into_iter().find(|(is_there, _)| *is_there) {
        Some((_, term)) => Err(unsupported(term)),
        None => Ok(()),
    }
}

/// Whether all there is is plain attention on the sphere with full matrices: what harmonics and `advance` are made for.
///
/// Fails where harmonics were asked for and it is not.
pub(super) fn is_plain(problem: &Problem) -> Result<bool, BackendError> {
    let (model, attention) = (&problem.model, &problem.model.attention);
    let full = |head: &Head| {
        ![&head.query_key, &head.value].iter().any(|matrix| matches!(matrix, Matrix::Product { .. }))
            && head.beta.is_none()
    };
    let plain = model.geometry == Geometry::Sphere
        && model.perceptron.is_none()
        && model.noise.is_none()
        && problem.course.is_constant()
        && attention.is_plain()
        && attention.heads.iter().all(full);
    if problem.algorithm == Algorithm::Harmonic && !plain {
        let remedy = "write algorithm = \"direct\"";
        return Err(BackendError::Unsupported { backend: "gpu", term: "harmonics for this model", remedy });
    }
    Ok(plain)
}
