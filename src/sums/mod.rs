//! The one reduction on the CPU: for every query u, log2 sum_j w_j 2^{<u, y_j> + bias_j} and the mean of values under these weights, in
//! f32 and f64 from the same code, pair by pair in registers and tiles or by harmonics.
//!
//! It knows clouds of points and their weights, and neither models nor time; distances and backends are built on it.

pub(crate) mod columns;
pub(crate) mod exp2;
pub(crate) mod harmonic;
pub(crate) mod instructions;
pub(crate) mod keys;
mod precision;
pub(crate) mod real;
pub(crate) mod reduce;
pub(crate) mod reduction;
pub(crate) mod registers;
pub(crate) mod sources;
pub(crate) mod tiles;

pub use self::{precision::Precision, real::Real};
