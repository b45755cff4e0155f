//! The laws of initial tokens, one in each file, but for mixtures, which are made of all of them.

mod cap;
mod fourier;
mod from_file;
mod gaussian;
mod orthonormal;
mod points;
mod simplex;
mod two_clusters;
mod uniform;
mod uniform_box;
mod von_mises_fisher;

pub use self::{
    cap::Cap,
    fourier::Fourier,
    from_file::FromFile,
    gaussian::{Gaussian, Spread},
    orthonormal::Orthonormal,
    points::Points,
    simplex::Simplex,
    two_clusters::TwoClusters,
    uniform::Uniform,
    uniform_box::{Bound, UniformBox},
    von_mises_fisher::VonMisesFisher,
};
