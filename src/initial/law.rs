//! Laws of initial tokens, as data.

use std::{f64::consts::PI, path::PathBuf};

use serde::Serialize;

use super::error::LawError;

/// A law of initial tokens, written as `{ law = "uniform" }` in an experiment file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "law", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Law {
    /// The uniform measure on the sphere: a normalised Gaussian vector (Muller, CACM 1959).
    Uniform,
    /// Density proportional to e^{concentration <axis, x>}, by the rejection of Wood, "Simulation of the von
    /// Mises-Fisher distribution" (1994). Concentration 0 is uniform, infinity puts every token on the axis.
    VonMisesFisher {
        /// Zero to infinity.
        concentration: f64,
        /// d numbers, of length one.
        axis: Vec<f64>,
    },
    /// Uniform on the cap of points whose geodesic distance from the axis is at most `angle` (radians, at most pi).
    Cap {
        /// d numbers, of length one.
        axis: Vec<f64>,
        /// In radians.
        angle: f64,
    },
    /// Equiangular tokens, <x_i, x_j> = overlap for i != j; without an overlap the regular simplex, -1 / (count - 1).
    /// The same in every replica.
    Simplex {
        #[serde(skip_serializing_if = "Option::is_none")]
        /// From -1 / (count - 1) to 1.
        overlap: Option<f64>,
    },
    /// Token i is the basis vector e_i, in every replica.
    Orthonormal,
    /// The first `fraction` of the tokens around e_1, the others around the point of the (e_1, e_2) plane whose inner
    /// product with e_1 is `overlap`: von Mises-Fisher of this concentration about each, point masses when infinite.
    TwoClusters {
        /// <u, e_1>, u being the centre of the others.
        overlap: f64,
        /// From 0 to 1.
        fraction: f64,
        /// Zero to infinity.
        concentration: f64,
    },
    /// N(mean, covariance) in R^d; without a mean, about the origin.
    Gaussian {
        #[serde(skip_serializing_if = "Option::is_none")]
        /// d numbers.
        mean: Option<Vec<f64>>,
        #[serde(flatten)]
        /// The covariance.
        spread: Spread,
    },
    /// The tokens of a `.npy` file, (count, dim) for all replicas or (replicas, count, dim), in f32 or f64; rows of unit
    /// length to 1e-3, which are then normalised.
    File {
        /// Where it is.
        path: PathBuf,
    },
}

/// The covariance of a normal law.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Spread {
    /// scale^2 times the identity.
    Scale(f64),
    /// Its rows: symmetric, without negative eigenvalues.
    Covariance(Vec<Vec<f64>>),
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
    pub(super) fn check(&self) -> Result<(), LawError> {
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
