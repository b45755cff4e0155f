//! The reference that judges all other backends: the equations written out as double loops in f64, one thread, no approximation.
//!
//! Its purpose is independence. It shares no arithmetic with the CPU and the GPU: dot products, exponentials of scores, draws, the
//! turns of a diffusion and the schemes are written a second time here, from the formulas in the documentation, and that is
//! intended. What it has in common with the others is data (the problem, the model, its schedule, the generator of random words)
//! and, as a backend, the order in which steps ask for stages; [`evolve`] writes that order out as well. It is slow, O(n^2) numbers
//! of memory included, and serves every model.

mod attention;
mod diffusion;
mod evolve;
mod field;
mod linear;
mod noise;
mod observe;
mod perceptron;
mod sinkhorn;
mod verbs;

pub use self::{
    attention::attention_matrix,
    evolve::evolve,
    field::{field, field_of_rows},
    noise::fluctuation,
    observe::{log_energy, moments},
    verbs::Reference,
};
