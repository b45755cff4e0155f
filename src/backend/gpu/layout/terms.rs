//! Which terms of the equation the kernels have, and which of their fast ways a model may go.

use crate::backend::gpu::engine::limits::unsupported;
use crate::{
    backend::BackendError,
    model::{Biases, Geometry, Head, Mask, Matrix, ModelSchedule, Normalization, Position},
    problem::{Algorithm, Problem},
};

/// Refuses what the kernels do not have.
pub fn check(problem: &Problem) -> Result<(), BackendError> {
    let position = &problem.model.attention.position;
    match &problem.model_schedule {
        ModelSchedule::Layers(layers) if layers.iter().any(|layer| layer.attention.position != *position) => {
            Err(unsupported("positions that change"))
        }
        _ => Ok(()),
    }
}

/// Whether all there is is attention on the sphere with full matrices, whose heads share their beta.
fn is_simple(problem: &Problem) -> bool {
    let (model, attention) = (&problem.model, &problem.model.attention);
    let full = |head: &Head| {
        ![&head.query_key, &head.value].iter().any(|matrix| matches!(matrix, Matrix::Product { .. }))
            && head.beta.is_none()
            && head.biases == Biases::default()
    };
    !attention.heads.is_empty()
        && model.geometry == Geometry::Sphere
        && model.perceptron.is_none()
        && model.noise.is_none()
        && problem.model_schedule.is_constant()
        && attention.heads.iter().all(full)
}

/// Whether workgroups that keep whole replicas can take their steps.
pub fn fits_advance(problem: &Problem) -> bool {
    let attention = &problem.model.attention;
    let is_divided = matches!(attention.normalization, Normalization::Softmax | Normalization::Unnormalized);
    let sees_leading = attention.mask != Mask::Others && attention.window.is_none();
    is_simple(problem) && is_divided && sees_leading && attention.position == Position::Nowhere
}

/// Whether harmonics can do the sums; fails where they were asked for and cannot.
pub fn is_plain(problem: &Problem) -> Result<bool, BackendError> {
    let plain = is_simple(problem) && problem.model.attention.is_plain();
    if problem.algorithm == Algorithm::Harmonic && !plain {
        let remedy = "write algorithm = \"direct\"";
        return Err(BackendError::Unsupported { backend: "gpu", term: "harmonics for this model", remedy });
    }
    Ok(plain)
}
