//! Where tokens start: laws on the unit sphere of R^d and in R^d, configurations without chance, and files.
//!
//! Every token is drawn from its own random stream, so token `i` of replica `r` starts at the same place whatever the
//! number of tokens, replicas or threads. All coordinates are f64, and every token of a law on the
//! sphere has length one to rounding.

mod circle;
mod configuration;
mod file;
mod gaussian;
pub(crate) mod npy;
mod perturbation;
mod quadrature;
mod sphere;

use std::{f64::consts::PI, path::PathBuf};

use rayon::prelude::*;
use serde::Serialize;

pub use circle::{CircleQuantiles, circle_quantiles};
pub(crate) use file::{Cloud, Lengths};
pub use gaussian::Spread;
pub(crate) use gaussian::sigma_points;
pub(crate) use perturbation::{normalise, perturb};
pub use quadrature::{Nodes, gauss_legendre, quadrature};

use crate::{
    random::{Purpose, Stream},
    tokens::Shape,
};

/// A law of initial tokens, written as `{ law = "uniform" }` in an experiment file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "law", rename_all = "kebab-case")]
pub enum Law {
    /// The uniform measure on the sphere: a normalised Gaussian vector (Muller, CACM 1959).
    Uniform,
    /// Density proportional to e^{concentration <axis, x>}, by the rejection of Wood, "Simulation of the von
    /// Mises-Fisher distribution" (1994). Concentration 0 is uniform, infinity puts every token on the axis.
    VonMisesFisher { concentration: f64, axis: Vec<f64> },
    /// Uniform on the cap of points whose geodesic distance from the axis is at most `angle` (radians, at most pi).
    Cap { axis: Vec<f64>, angle: f64 },
    /// Equiangular tokens, <x_i, x_j> = overlap for i != j; without an overlap the regular simplex, -1 / (count - 1).
    /// The same in every replica.
    Simplex {
        #[serde(skip_serializing_if = "Option::is_none")]
        overlap: Option<f64>,
    },
    /// Token i is the basis vector e_i, in every replica.
    Orthonormal,
    /// The first `fraction` of the tokens around e_1, the others around the point of the (e_1, e_2) plane whose inner
    /// product with e_1 is `overlap`: von Mises-Fisher of this concentration about each, point masses when infinite.
    TwoClusters { overlap: f64, fraction: f64, concentration: f64 },
    /// N(mean, covariance) in R^d; without a mean, about the origin.
    Gaussian {
        #[serde(skip_serializing_if = "Option::is_none")]
        mean: Option<Vec<f64>>,
        #[serde(flatten)]
        spread: Spread,
    },
    /// The tokens of a `.npy` file, (count, dim) for all replicas or (replicas, count, dim), in f32 or f64; rows of unit
    /// length to 1e-3, which are then normalised.
    File { path: PathBuf },
}

/// Why a law cannot start the tokens it is asked for. The key is the parameter of the law, or `law` itself.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{key}: {problem}; {remedy}")]
pub struct LawError {
    pub key: &'static str,
    pub problem: String,
    pub remedy: String,
}

impl Law {
    /// Whether tokens are drawn by chance, each like the others: then larger samples come nearer to a measure. No law is left to
    /// chance here: a new one says which it is.
    pub(crate) fn is_drawn(&self) -> bool {
        match self {
            Law::Uniform
            | Law::VonMisesFisher { .. }
            | Law::Cap { .. }
            | Law::TwoClusters { .. }
            | Law::Gaussian { .. } => true,
            Law::Simplex { .. } | Law::Orthonormal | Law::File { .. } => false,
        }
    }

    /// Whether every parameter is in its range; lists, counts and files are judged when tokens are drawn.
    fn check(&self) -> Result<(), LawError> {
        let outside = |key, range: &str, example: &str| {
            Err(LawError {
                key,
                problem: format!("must be {range}"),
                remedy: format!("write e.g. {key} = {example}"),
            })
        };
        let is_overlap = |overlap: &f64| (-1.0..=1.0).contains(overlap);
        match self {
            Law::VonMisesFisher { concentration, .. } | Law::TwoClusters { concentration, .. }
                if concentration.is_nan() || *concentration < 0.0 =>
            {
                outside("concentration", "at least 0, or inf", "2.0")
            }
            Law::Cap { angle, .. } if !(*angle > 0.0 && *angle <= PI) => {
                outside("angle", "an angle in radians, greater than 0 and at most pi", "0.5")
            }
            Law::Simplex { overlap: Some(overlap) } | Law::TwoClusters { overlap, .. } if !is_overlap(overlap) => {
                outside("overlap", "from -1 to 1", "0.5")
            }
            Law::TwoClusters { fraction, .. } if !(0.0..=1.0).contains(fraction) => {
                outside("fraction", "from 0 to 1", "0.5")
            }
            Law::Gaussian { spread: Spread::Scale(scale), .. } if !(scale.is_finite() && *scale >= 0.0) => {
                outside("scale", "finite and at least 0", "1.0")
            }
            _ => Ok(()),
        }
    }
}

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
        Law::File { path } => Cloud::read(path, Lengths::One)?.place(shape),
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

fn zeros(shape: Shape) -> Result<Vec<f64>, LawError> {
    let Shape { replicas, count, dim, .. } = shape;
    let too_large = || LawError {
        key: "law",
        problem: format!("{replicas} replicas of {count} tokens of {dim} components do not fit into memory"),
        remedy: "take fewer tokens, replicas or components".into(),
    };
    let length = replicas.checked_mul(count).and_then(|tokens| tokens.checked_mul(dim)).ok_or_else(too_large)?;
    let mut coordinates = Vec::new();
    coordinates.try_reserve_exact(length).map_err(|_| too_large())?;
    coordinates.resize(length, 0.0);
    Ok(coordinates)
}

pub(crate) fn unit_axis(axis: &[f64], dim: usize) -> Result<Vec<f64>, LawError> {
    let remedy = || {
        let mut entries = vec!["0"; dim.min(8)];
        entries[dim.min(8) - 1] = "1";
        let dots = if dim > 8 { ", .." } else { "" };
        format!("write {dim} numbers, not all zero, e.g. axis = [{}{dots}]", entries.join(", "))
    };
    if axis.len() != dim {
        let problem = format!("has {} components and tokens have {dim}", axis.len());
        return Err(LawError { key: "axis", problem, remedy: remedy() });
    }
    // Scaled first, so that squares neither overflow nor vanish.
    let largest = axis.iter().fold(0.0, |m: f64, c| m.max(c.abs()));
    if largest == 0.0 || axis.iter().any(|c| !c.is_finite()) {
        let problem = "is no direction".into();
        return Err(LawError { key: "axis", problem, remedy: remedy() });
    }
    let mut unit: Vec<f64> = axis.iter().map(|c| c / largest).collect();
    sphere::normalise(&mut unit);
    Ok(unit)
}

#[cfg(test)]
mod tests;
