//! How far are two measures? Distances between weighted clouds, in f64.
//!
//! | function | value | convention | cost | error |
//! |---|---|---|---|---|
//! | [`circle::wasserstein`] | W_1, W_2 on S^1 | geodesic, radians | O(n log n) | rounding |
//! | [`curve::Curve::wasserstein`] | the same, from a law with a continuous quantile function | geodesic, radians | O(n log n) | of second order in the quantiles known |
//! | [`assignment::wasserstein`] | W_1, W_2, equal weights | chordal | O(n^3), n <= 8192 | rounding |
//! | [`dirac::wasserstein`] | W_1, W_2 to one point | chordal | O(n) | rounding |
//! | [`sliced::wasserstein`] | sliced W_1, W_2 | chordal, of projections | O(n log n) each | its standard error |
//! | [`sinkhorn::divergence`] | debiased entropic cost, W_2^2 / 2 as epsilon -> 0 | squared chordal | O(n^2) an iteration, O(n L^{d-1}) on S^1, S^2 | marginal error |
//! | [`kernel::mmd`], [`kernel::energy_distance`] | distances of embeddings | kernel; square root of chordal | O(n^2), the MMD O(n L^{d-1}) on S^1, S^2 | rounding; V-statistics |
//!
//! Chordal distances are |x - y|, also between points of a sphere; arc lengths are longer, theta for 2 sin(theta / 2).
//! Each is a distance between the clouds as they are; seen as an estimate of the distance of the laws that they were
//! drawn from, it is biased upward, by the order of n^{-1/d} for Wasserstein distances and of n^{-1/2} for the others.

pub mod assignment;
pub mod circle;
pub mod curve;
pub mod dirac;
mod error;
pub mod harmonics;
pub mod kernel;
pub(crate) mod mean_exponential;
mod measure;
pub(crate) mod point_moments;
mod quantiles;
pub(crate) mod series;
pub mod sinkhorn;
pub mod sliced;
mod sorted_projection;
pub(crate) mod zonal;

pub use self::{
    error::TransportError,
    measure::{Masses, Measure},
    sorted_projection::SortedProjection,
};

/// The p of W_p = (inf int |x - y|^p)^{1/p}.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// p = 1.
    One,
    /// p = 2.
    Two,
}

impl Order {
    /// p.
    pub fn exponent(self) -> f64 {
        match self {
            Order::One => 1.0,
            Order::Two => 2.0,
        }
    }

    /// |displacement|^p.
    fn power(self, displacement: f64) -> f64 {
        match self {
            Order::One => displacement.abs(),
            Order::Two => displacement * displacement,
        }
    }

    /// cost^{1/p}.
    fn root(self, cost: f64) -> f64 {
        match self {
            Order::One => cost,
            Order::Two => cost.sqrt(),
        }
    }
}
