//! Where tokens start: laws on the unit sphere of R^d and in R^d, configurations without chance, and files.
//!
//! Every token is drawn from its own random stream, so token `i` of replica `r` starts at the same place whatever the
//! number of tokens, replicas or threads. All coordinates are f64, and every token of a law on the
//! sphere has length one to rounding.

mod axis;
mod circle;
mod coordinates;
mod definition;
mod draws;
mod error;
mod file;
mod law;
mod laws;
mod nodes;
pub(crate) mod npy;
mod perturbation;
mod quadrature;
mod sphere;

pub use circle::{CircleQuantiles, circle_quantiles};
pub(crate) use definition::{Axial, Form};
use draws::Draws;
pub use error::LawError;
pub(crate) use file::{Lengths, TokenFile};
pub(crate) use law::LawKind;
pub use law::{Law, Mixture};
pub use laws::*;
pub use nodes::{Nodes, gauss_legendre};
pub(crate) use perturbation::{normalise, perturb};
pub use quadrature::quadrature;

use crate::{random::Purpose, tokens::Shape};

/// The initial coordinates of every token, ordered (replica, token, component).
///
/// Errors: a parameter outside its range, more tokens than a configuration has room for, an unfit file, tokens of less
/// than two components for a law on the sphere, and more replicas or tokens than the 32 bits that number them in the random streams.
pub fn draw(law: &Law, shape: Shape, seed: u64) -> Result<Vec<f64>, LawError> {
    draw_for(Purpose::Initial, law, shape, seed)
}

/// The same from other random streams, those of `purpose`.
pub(crate) fn draw_for(purpose: Purpose, law: &Law, shape: Shape, seed: u64) -> Result<Vec<f64>, LawError> {
    law.check()?;
    if shape.dim == 0 {
        return Err(LawError::new("law", "tokens of dim = 0 are nowhere", "take dim = 1 or more"));
    }
    Draws { shape, seed, purpose }.coordinates(law.place(shape)?)
}

#[cfg(test)]
mod tests;
