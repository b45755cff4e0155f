//! The laws of initial tokens, one in each file.

mod cap;
mod from_file;
mod gaussian;
mod orthonormal;
mod simplex;
mod two_clusters;
mod uniform;
mod von_mises_fisher;

pub use self::{
    cap::Cap,
    from_file::FromFile,
    gaussian::{Gaussian, Spread},
    orthonormal::Orthonormal,
    simplex::Simplex,
    two_clusters::TwoClusters,
    uniform::Uniform,
    von_mises_fisher::VonMisesFisher,
};
