//! The CPU backend: one generic vector code in f32 and f64, on all cores.
//!
//! Tokens are kept component by component in the precision of the reduction, so that they are keys as they stand. Sums
//! over many keys are carried in f64, and every query is reduced in a fixed order, so that a run repeats bit for bit
//! on any number of threads.

mod affine;
mod algorithm;
mod check;
mod decay;
mod energy;
mod ensemble;
mod evaluate;
mod exact;
mod field;
mod flow;
mod geometry;
mod hardmax;
mod map;
mod motion;
mod noise;
mod normalize;
mod observe;
mod operands;
mod perceptron;
mod problem;
mod series;
mod shift;
mod sinkhorn;
mod velocity;
mod verbs;

pub use self::problem::Cpu;
pub use crate::sums::Real;
use crate::sums::instructions::Instructions;

/// The processor as this backend uses it: architecture, instruction set, threads.
pub fn describe() -> String {
    format!("{}, {}, {} threads", std::env::consts::ARCH, Instructions::detect().name(), threads())
}

/// The threads that share the work.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// The width of a vector on the instruction set in use; none where the compiler chooses the instructions.
pub fn vector_bytes() -> Option<usize> {
    Instructions::detect().vector_bytes()
}
