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
mod part;
mod perceptron;
mod pointwise;
mod problem;
mod series;
mod share;
mod shift;
mod sinkhorn;
mod velocity;
mod verbs;

pub(crate) use self::{
    problem::Cpu,
    share::{Share, runs},
};
use super::{Backend, BackendError};
use crate::{problem::Problem, sums::instructions::Instructions};

/// Takes a copy of the tokens of `problem` at time zero, to be moved in single precision.
///
/// Fails with `Problem` where it is none, with `Shortage` where they do not fit, and with `TooManyHarmonics` or `AboveTolerance` where
/// the problem asks for harmonics and no affordable degree meets its tolerance.
// No caller sees a generic type: kernels are compiled here, once, and not again in every program that opens a backend.
pub fn single(problem: &Problem) -> Result<Box<dyn Backend>, BackendError> {
    Ok(Box::new(Cpu::<f32>::new(problem)?))
}

/// The same in double precision.
pub fn double(problem: &Problem) -> Result<Box<dyn Backend>, BackendError> {
    Ok(Box::new(Cpu::<f64>::new(problem)?))
}

/// The processor as this backend uses it: architecture, instruction set, threads.
pub fn describe() -> String {
    format!("{}, {} threads", arithmetic(), threads())
}

/// Architecture and instruction set.
fn arithmetic() -> String {
    format!("{}, {}", std::env::consts::ARCH, Instructions::detect().name())
}

/// The name of the instruction set in use.
pub(super) fn instructions() -> &'static str {
    Instructions::detect().name()
}

/// The threads that share the work.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// The width of a vector on the instruction set in use; none where the compiler chooses the instructions.
pub fn vector_bytes() -> Option<usize> {
    Instructions::detect().vector_bytes()
}
