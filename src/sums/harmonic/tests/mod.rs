//! The harmonic reduction against a literal direct sum in f64, which shares nothing with it.

mod direct;
mod moments;
mod parity;
mod polynomials;
mod table;
