//! The sphere: real spherical harmonics without angles, poles or square roots.
//!
//! The harmonic of degree l and order m is p_lm(z) times the real or imaginary part of (x + iy)^m, where
//!
//! ```text
//! p_{l+1,m} = 2z p_lm - gamma_lm p_{l-1,m} ,   p_mm = 1 ,   gamma_lm = (l^2 - m^2) / (l^2 - 1/4)
//! ```
//!
//! is the m-th derivative of the Legendre polynomial P_l up to a factor, scaled so that the recurrence costs two
//! operations. That factor, squared, is in the coefficients ([`Triangle::norms`]), by the addition theorem
//! P_l(<x, y>) = sum_m norm_lm p_lm(z_x) p_lm(z_y) Re[(x + iy)_x^m conj (x + iy)_y^m] (DLMF 14.30.9).

mod coefficients;
mod evaluate;
mod gradient;
mod moments;
mod polynomials;

#[cfg(test)]
pub(crate) use self::polynomials::Family;
pub(crate) use self::{evaluate::Series, moments::accumulate};
pub(crate) use self::{
    gradient::{AddGradient, Divided, Gradient},
    polynomials::Polynomials,
};
use super::super::real::Real;
pub(crate) use crate::harmonic::Triangle;
use crate::harmonic::gamma;

impl Triangle {
    /// -gamma_lm of every pair.
    pub(crate) fn steps<T: Real>(self) -> Vec<T> {
        self.each(|l, m| T::from_f64(-gamma(l, m)))
    }
}

/// Below this, a power of sin theta is zero: what it would contribute is, and subnormal numbers are slow.
const SMALLEST_POWER: f64 = 1e-30;

/// sin^2 theta at which sin^m theta reaches the smallest power kept, for each m <= degree.
fn horizons<T: Real>(degree: usize) -> Vec<T> {
    (0..=degree).map(|m| T::from_f64(if m == 0 { -1.0 } else { SMALLEST_POWER.powf(2.0 / m as f64) })).collect()
}
