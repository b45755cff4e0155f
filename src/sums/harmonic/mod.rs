//! The reduction on the circle and on the sphere in time linear in the number of tokens.
//!
//! Queries q = beta A^T x and keys y on the unit circle or sphere meet in e^{<q, y>} only, and that kernel has an
//! expansion which separates them. With kappa = |q|, and b_l the positive coefficients of [`coefficients`](crate::harmonic::coefficients),
//!
//! ```text
//! Z(q) = sum_j w_j e^{<q, y_j>} = e^kappa sum_l b_l(kappa) sum_m H_lm(q / kappa) c_lm ,    c_lm = sum_j w_j H_lm(y_j)
//! M(q) = sum_j w_j e^{<q, y_j>} y_j = the same with the moments c_lm of w_j y_j
//! ```
//!
//! where H_lm are the real harmonics (cos and sin of m theta for d = 2, spherical harmonics for d = 3), normalised so
//! that the addition theorem holds. Harmonics times a coordinate are harmonics of the neighbouring degrees, so the
//! moments of w_j y_j follow from those of w_j one degree further, and M needs no derivative of anything. The moments
//! know neither beta nor A: heads share them. One pass over the keys and one over the queries cost O(n L^{d-1}), with
//! L about sqrt(2 kappa ln(1 / tolerance)): see [`degree`](crate::harmonic::degree).
//!
//! If A is a multiple of the identity, all queries share kappa and b_l goes into the coefficients. Otherwise b_l(|q|)
//! is computed for each query ([`radial`]). Harmonics come from recurrences in Cartesian coordinates: no angles, no
//! poles.
//!
//! What limits the accuracy is cancellation: every error, of truncation or of rounding, is relative to
//! e^{kappa_i} sum_j w_j, and the result is relative to Z_i. The ratio of the two is what
//! [`Expansion::reduce`] returns, so that a caller may hand blocks for which it is too large to the direct reduction.

mod circle;
mod evaluate;
mod logarithm;
mod moments;
mod radial;
mod sphere;
#[cfg(test)]
mod tests;
mod weights;

pub(crate) use self::{
    circle::{Lookup, Table},
    moments::{Moments, Parts, span},
    radial::Radial,
    sphere::{AddGradient, Divided, Gradient, Polynomials},
    weights::Weights,
};
use super::{instructions::Instructions, real::Real, reduction::Reduced};

/// One head's reduction, ready for any query: its coefficients, with what is constant about kappa folded in.
pub(crate) struct Expansion<'a, T> {
    radial: &'a Radial<T>,
    series: Series<T>,
    /// log2 sum_j w_j, by which the coefficients are divided.
    log2_total: f64,
}

enum Series<T> {
    Circle(circle::Series<T>),
    Sphere(sphere::Series<T>),
}

impl<'a, T: Real> Expansion<'a, T> {
    /// The expansion with the degree and the form of `radial`, from moments of at least one degree more.
    pub(crate) fn new(moments: &Moments, radial: &'a Radial<T>) -> Self {
        assert!(moments.degree > radial.degree, "the first moments need one degree more");
        let total = moments.total();
        let series = match moments.dim {
            2 => Series::Circle(circle::Series::new(moments, total, radial)),
            _ => Series::Sphere(sphere::Series::new(moments, total, radial)),
        };
        Self { radial, series, log2_total: moments.log2_total() }
    }

    /// log2 (e^kappa sum_j w_j), of which Z is a fraction, for a query of length kappa.
    pub(crate) fn log2_most(&self, kappa: f64) -> f64 {
        self.log2_total + kappa * std::f64::consts::LOG2_E
    }

    /// Reduces `queries` q_i = beta A^T x_i, row-major (query, dim), natural units, into `out`.
    ///
    /// Returns the number of bits lost to cancellation in the worst row, the largest log2 of
    /// e^{kappa_i} sum_j w_j / Z_i. Relative to Z_i, tail and rounding are larger by two to that power: rounding by
    /// itself leaves about 24 (f32) or 53 (f64) bits less those. It is infinite if a sum came out as zero or less,
    /// and that row is then worthless.
    pub(crate) fn reduce(&self, instructions: Instructions, queries: &[f64], out: &mut Reduced) -> f64 {
        match &self.series {
            Series::Circle(series) => series.reduce(instructions, self.radial, self.log2_total, queries, out),
            Series::Sphere(series) => series.reduce(instructions, self.radial, self.log2_total, queries, out),
        }
    }
}
