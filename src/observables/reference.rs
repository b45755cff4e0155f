//! Which limit tokens are compared with.

use std::fmt;

/// How the limit n = infinity of a problem is found.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reference {
    /// By weighted nodes, as many as coupled tokens need to end within `tolerance` of where half as many lead them.
    Quadrature {
        /// The largest distance, in chords.
        tolerance: f64,
    },
    /// By heights over the axis of a symmetric law.
    Zonal,
    /// By mean and covariance of a normal law.
    Gaussian,
    /// By the overlap of equiangular tokens; not a limit, but exact for their number.
    Equiangular,
    /// By the overlap of `count` equiangular tokens that are not those of the problem, from this one at time zero.
    Overlap {
        /// How many.
        count: u64,
        /// <x_i, x_j> for i != j.
        overlap: f64,
    },
    /// By a sample of `count` tokens of their own: an approximation, whose error is that of propagation of chaos.
    Particles {
        /// How many.
        count: usize,
    },
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Reference::Quadrature { tolerance } => write!(f, "quadrature to {tolerance:e}"),
            Reference::Zonal => write!(f, "zonal"),
            Reference::Gaussian => write!(f, "gaussian"),
            Reference::Equiangular => write!(f, "equiangular"),
            Reference::Overlap { count, overlap } => {
                write!(f, "{count} equiangular tokens from the overlap {overlap}")
            }
            Reference::Particles { count } => {
                let error = (*count as f64).powf(-0.5);
                write!(f, "{count} particles, an approximation of error about count^(-1/2) = {error:.1e}")
            }
        }
    }
}
