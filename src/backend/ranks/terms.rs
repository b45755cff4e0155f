//! Which problems several processes can share.

use crate::{
    backend::BackendError,
    model::{Attention, Geometry, Head, Mask, Model, ModelSchedule, Normalization, Position},
    problem::Problem,
    tokens::Tokens,
};

fn unsupported(term: &'static str, remedy: &'static str) -> Result<(), BackendError> {
    Err(BackendError::Unsupported { backend: "cpu", term, remedy })
}

/// What is said of terms that cannot be left out alone.
const IN_ONE_PROCESS: &str = "run it in one process, without mpirun";

/// Refuses all but tokens of one replica that see all others, by one reduction, under an equation that stays as it is and has no noise.
pub(super) fn check(problem: &Problem) -> Result<(), BackendError> {
    // Whatever is observed is measured by the first process, which asks for tokens where it needs them.
    let Problem { tokens, model, model_schedule, scheme: _, schedule: _, quantities: _, algorithm: _, tolerance: _ } =
        problem;
    let Tokens { shape, coordinates: _, weights: _ } = tokens;
    let Model { geometry, attention, perceptron: _, noise, frozen } = model;
    if shape.replicas > 1 {
        return unsupported(
            "replicas that several processes share",
            "write tokens.replicas = 1, or sweep over seeds, whose cells several processes share",
        );
    }
    match model_schedule {
        ModelSchedule::Constant => {}
        ModelSchedule::Layers(_) | ModelSchedule::Parts(_) => {
            return unsupported("equation that changes among several processes", IN_ONE_PROCESS);
        }
    }
    match geometry {
        Geometry::Sphere
        | Geometry::Euclidean
        | Geometry::PreNorm
        | Geometry::PeriNorm
        | Geometry::Ngpt { .. }
        | Geometry::LayerNorm { .. } => {}
        Geometry::Rescaled => return unsupported("rescaled tokens among several processes", IN_ONE_PROCESS),
    }
    if noise.is_some() {
        return unsupported("noise among several processes", "leave out [noise], or run in one process");
    }
    if *frozen > 0 {
        return unsupported("frozen tokens among several processes", "leave them out, or run in one process");
    }
    check_attention(attention)
}

fn check_attention(attention: &Attention) -> Result<(), BackendError> {
    let Attention { beta: _, beta_factors, normalization, mask, window, position, heads } = attention;
    match normalization {
        Normalization::Softmax | Normalization::Unnormalized | Normalization::Shifted => {}
        Normalization::Hardmax | Normalization::Sinkhorn { .. } | Normalization::Relu | Normalization::Sigmoid => {
            return unsupported(
                "such attention.normalization among several processes",
                "write \"softmax\", \"unnormalized\" or \"shifted\", or run in one process",
            );
        }
    }
    match mask {
        Mask::None => {}
        Mask::Causal | Mask::StrictlyCausal | Mask::Others => {
            return unsupported("attention.mask among several processes", "leave it out, or run in one process");
        }
    }
    match position {
        Position::Nowhere => {}
        Position::Alibi { .. } | Position::Rotary { .. } | Position::Additive { .. } => {
            return unsupported("attention.position among several processes", "leave it out, or run in one process");
        }
    }
    if window.is_some() {
        return unsupported("attention.window among several processes", "leave it out, or run in one process");
    }
    let is_square = |head: &Head| {
        let Head { query_key: _, value: _, biases: _, beta: _, decay: _, weight: _ } = head;
        !(head.has_products() || head.has_biases() || head.has_matrices_of_replicas())
    };
    if !heads.iter().all(is_square) || !beta_factors.is_empty() {
        return unsupported(
            "heads with factors, biases or betas of replicas among several processes",
            IN_ONE_PROCESS,
        );
    }
    Ok(())
}
