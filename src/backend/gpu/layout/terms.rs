//! Which terms of the equation the kernels have, and which of their fast ways a model may go.

use crate::backend::gpu::engine::limits::unsupported;
use crate::{
    backend::BackendError,
    model::{Attention, Geometry, Head, Mask, Model, ModelSchedule, Normalization, Position},
    problem::{Algorithm, Problem},
};

/// Refuses what the kernels do not have: positions that change from layer to layer.
pub fn check(problem: &Problem) -> Result<(), BackendError> {
    let Problem {
        tokens: _,
        model,
        model_schedule,
        scheme: _,
        schedule: _,
        quantities: _,
        algorithm: _,
        tolerance: _,
    } = problem;
    let places = places_of(model);
    match model_schedule {
        ModelSchedule::Layers(layers) if layers.iter().any(|layer| places_of(layer) != places) => {
            Err(unsupported("positions that change"))
        }
        ModelSchedule::Layers(_) | ModelSchedule::Constant | ModelSchedule::Parts(_) => Ok(()),
    }
}

/// The position, and the decay of each head that has its own.
fn places_of(model: &Model) -> (&Position, Vec<Option<f64>>) {
    let Model { geometry: _, attention, perceptron: _, noise: _, frozen: _ } = model;
    let Attention { beta: _, beta_factors: _, normalization: _, mask: _, window: _, position, heads } = attention;
    let decay = |head: &Head| {
        let Head { query_key: _, value: _, biases: _, beta: _, decay, weight: _ } = head;
        *decay
    };
    (position, heads.iter().map(decay).collect())
}

/// The attention if it is all there is, on the sphere, with full matrices that stay and heads that share their beta.
fn simple(problem: &Problem) -> Option<&Attention> {
    let Problem {
        tokens: _,
        model,
        model_schedule,
        scheme: _,
        schedule: _,
        quantities: _,
        algorithm: _,
        tolerance: _,
    } = problem;
    // `is_attention_alone` decides of the others.
    let Model { geometry, attention, perceptron: _, noise: _, frozen: _ } = model;
    // Who asks decides of the other terms of the attention.
    let Attention { beta: _, beta_factors: _, normalization: _, mask: _, window: _, position: _, heads } = attention;
    let full = |head: &Head| {
        let Head { query_key: _, value: _, biases: _, beta, decay: _, weight: _ } = head;
        !head.has_products() && !head.has_biases() && beta.is_none()
    };
    let is_simple = !heads.is_empty()
        && *geometry == Geometry::Sphere
        && model.is_attention_alone()
        && model_schedule.is_constant()
        && heads.iter().all(full);
    is_simple.then_some(attention)
}

/// Whether workgroups that keep whole replicas can take their steps.
pub fn fits_advance(problem: &Problem) -> bool {
    let Some(attention) = simple(problem) else { return false };
    let Attention { beta: _, beta_factors: _, normalization, mask, window, position, heads: _ } = attention;
    let has_kernel = match normalization {
        Normalization::Softmax | Normalization::Unnormalized => true,
        Normalization::Shifted
        | Normalization::Hardmax
        | Normalization::Sinkhorn { .. }
        | Normalization::Relu
        | Normalization::Sigmoid => false,
    };
    let Problem {
        tokens: _,
        model,
        model_schedule: _,
        scheme: _,
        schedule: _,
        quantities: _,
        algorithm: _,
        tolerance: _,
    } = problem;
    let Model { geometry: _, attention: _, perceptron: _, noise: _, frozen } = model;
    has_kernel && *frozen == 0 && *mask != Mask::Others && window.is_none() && *position == Position::Nowhere
}

/// Whether harmonics can do the sums; fails where they were asked for and cannot.
pub fn is_plain(problem: &Problem) -> Result<bool, BackendError> {
    let plain = simple(problem).is_some_and(Attention::is_plain);
    let Problem {
        tokens: _,
        model: _,
        model_schedule: _,
        scheme: _,
        schedule: _,
        quantities: _,
        algorithm,
        tolerance: _,
    } = problem;
    if *algorithm == Algorithm::Harmonic && !plain {
        let remedy = "write algorithm = \"direct\"";
        return Err(BackendError::Unsupported { backend: "gpu", term: "harmonics for this model", remedy });
    }
    Ok(plain)
}
