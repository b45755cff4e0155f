//! The harmonic reduction against a literal direct sum in f64, which shares nothing with it.

mod bessel;
mod direct;
mod moments;
mod parity;
mod table;
mod truncation;
