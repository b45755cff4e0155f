//! Where tokens start: laws on the unit sphere of R^d and in R^d, configurations without chance, and files.
//!
//! Every token is drawn from its own random stream, so token `i` of replica `r` starts at the same place whatever the
//! number of tokens, replicas or threads. All coordinates are f64, and every token of a law on the
//! sphere has length one to rounding.

mod axis;
mod circle;
mod configuration;
mod coordinates;
mod error;
mod file;
mod gaussian;
mod law;
pub(crate) mod npy;
mod perturbation;
mod quadrature;
mod sphere;

use rayon::prelude::*;

pub(crate) use axis::unit_axis;
pub use circle::{CircleQuantiles, circle_quantiles};
use coordinates::zeros;
pub use error::LawError;
pub(crate) use file::{Lengths, TokenFile};
pub(crate) use gaussian::sigma_points;
pub use law::{Law, Spread};
pub(crate) use perturbation::{normalise, perturb};
pub use quadrature::{Nodes, gauss_legendre, quadrature};

use crate::{
    random::{Purpose, Stream},
    tokens::Shape,
};

/// The initial coordinates of every token, ordered (replica, token, component).
///
/// Errors: a parameter outside its range, more tokens than a configuration has room for, an unfit file, tokens of less
/// than two components, and more replicas or tokens than the 32 bits that number them in the random streams.
pub fn draw(law: &Law, shape: Shape, seed: u64) -> Result<Vec<f64>, LawError> {
    draw_for(Purpose::Initial, law, shape, seed)
}

/// The same from other random streams, those of `purpose`.
pub(crate) fn draw_for(purpose: Purpose, law: &Law, shape: Shape, seed: u64) -> Result<Vec<f64>, LawError> {
    law.check()?;
    if shape.dim < 2 {
        let problem = format!("tokens of dim = {} have no directions", shape.dim);
        return Err(LawError { key: "law", problem, remedy: "take dim = 2 or more".into() });
    }
    let scatter = |place: &(dyn Fn(&mut Stream, usize, &mut [f64]) + Sync)| scatter(shape, seed, purpose, place);
    match law {
        Law::Uniform => scatter(&|stream, _, token| sphere::uniform(stream, token)),
        Law::VonMisesFisher { concentration, axis } => {
            let axis = unit_axis(axis, shape.dim)?;
            scatter(&|stream, _, token| sphere::von_mises_fisher(stream, &axis, *concentration, token))
        }
        Law::Cap { axis, angle } => {
            let axis = unit_axis(axis, shape.dim)?;
            scatter(&|stream, _, token| sphere::cap(stream, &axis, *angle, token))
        }
        Law::Simplex { overlap } => {
            let tokens = configuration::equiangular(shape.count, shape.dim, *overlap)?;
            scatter(&|_, i, token| token.copy_from_slice(&tokens[i * shape.dim..][..shape.dim]))
        }
        Law::Orthonormal => {
            configuration::at_most_an_orthonormal_basis(shape.count, shape.dim)?;
            scatter(&|_, i, token| token[i] = 1.0)
        }
        Law::TwoClusters { overlap, fraction, concentration } => {
            let first = configuration::first_cluster(shape.count, *fraction)?;
            let centres = configuration::two_centres(shape.dim, *overlap);
            scatter(&|stream, i, token| {
                let centre = &centres[usize::from(i >= first)];
                sphere::von_mises_fisher(stream, centre, *concentration, token)
            })
        }
        Law::Gaussian { mean, spread } => {
            let gaussian = gaussian::Gaussian::new(mean.as_deref(), spread, shape.dim)?;
            scatter(&|stream, _, token| gaussian.draw(stream, token))
        }
        Law::File { path } => TokenFile::read(path, Lengths::One)?.place(shape),
    }
}

/// Places each token with its own stream; tokens are zero before.
fn scatter(
    shape: Shape,
    seed: u64,
    purpose: Purpose,
    place: &(dyn Fn(&mut Stream, usize, &mut [f64]) + Sync),
) -> Result<Vec<f64>, LawError> {
    let too_many = |_| LawError {
        key: "law",
        problem: format!(
            "{} replicas of {} tokens are more than random streams can number",
            shape.replicas, shape.count
        ),
        remedy: format!("take at most {} of each", u32::MAX),
    };
    u32::try_from(shape.replicas.max(shape.count)).map_err(too_many)?;
    let mut coordinates = zeros(shape)?;
    coordinates.par_chunks_mut(shape.dim).enumerate().for_each(|(index, token)| {
        let (replica, i) = (index / shape.count, index % shape.count);
        place(&mut Stream::new(seed, replica as u32, i as u32, purpose), i, token);
    });
    Ok(coordinates)
}

#[cfg(test)]
mod tests;
