//! Tokenfield evolves tokens through the mean-field dynamics of Transformers, on any GPU and on any CPU.
//!
//! Tokens x_1..x_n on the sphere S^{d-1}, with weights w_j that sum to one, follow
//!
//! ```text
//! dx_i/dt = P_{x_i} sum_h V_h sum_j a^h_ij x_j ,    a_ij = w_j e^{beta <x_i, A x_j>} / sum_k w_k e^{beta <x_i, A x_k>}
//! ```
//!
//! An [`Experiment`](experiment::Experiment) is what a user typed; it resolves to a [`Problem`](problem::Problem);
//! [`simulate`](simulate::simulate) drives a [`Backend`](backend::Backend) through it and hands out samples.
//! `ARCHITECTURE.md` shows the house.

#![warn(missing_docs)]
// Rooms serve graphics and pictures with what nothing else needs; that nothing is dead the full build sees.
#![cfg_attr(
    any(not(feature = "gpu"), not(feature = "plot"), target_arch = "wasm32"),
    allow(dead_code, reason = "what serves the rooms that are left out")
)]

pub mod backend;
pub mod bench;
pub mod budget;
pub mod cancel;
pub mod check;
pub mod diffusion;
pub mod exchange;
pub mod experiment;
pub mod expression;
mod harmonic;
pub mod initial;
pub mod limit;
pub mod model;
pub mod observables;
pub mod observe;
#[cfg(not(target_arch = "wasm32"))]
pub mod papers;
#[cfg(all(feature = "plot", not(target_arch = "wasm32")))]
pub mod plot;
pub mod prelude;
pub mod problem;
pub mod random;
#[cfg(not(target_arch = "wasm32"))]
pub mod record;
pub mod results;
#[cfg(not(target_arch = "wasm32"))]
pub mod run;
pub mod scheme;
pub mod simulate;
mod sums;
#[cfg(not(target_arch = "wasm32"))]
pub mod sweep;
pub mod tokens;
pub mod transport;
mod vector;
pub mod warning;
