//! Tokenfield in a browser: a session holds the tokens of an experiment, steps and measures them, and paints them.
//!
//! The page around it is in `page/`. What is here decides nothing about the equation: experiments, steps and observables are those of the
//! library, so that the numbers on the page are those of `tokenfield run`.

#![warn(missing_docs)]

pub mod axes;
pub mod colours;
#[cfg(target_arch = "wasm32")]
mod engine;
#[cfg(target_arch = "wasm32")]
mod experiments;
#[cfg(target_arch = "wasm32")]
mod failure;
#[cfg(target_arch = "wasm32")]
mod opening;
#[cfg(target_arch = "wasm32")]
mod painter;
#[cfg(target_arch = "wasm32")]
mod session;
