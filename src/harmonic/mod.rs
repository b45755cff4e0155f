//! What the harmonic algorithm knows before it sees a token: where the expansion of the kernel may stop, its
//! coefficients, and the linear relations between moments. In f64, on the host, for every backend.
//!
//! Queries q = beta A^T x and keys y on the unit circle or sphere meet in e^{<q, y>} only, and with kappa = |q|
//!
//! ```text
//! Z(q) = sum_j w_j e^{<q, y_j>} = e^kappa sum_l b_l(kappa) sum_m H_lm(q / kappa) c_lm ,    c_lm = sum_j w_j H_lm(y_j)
//! ```
//!
//! where H_lm are real harmonics; M(q) is the same with the moments of w_j y_j, which follow from those of w_j one degree
//! further. How a backend sums is its own affair.

mod bessel;
mod recurrence;
mod relations;
#[cfg(test)]
mod tests;
mod triangle;
mod truncation;

pub(crate) use self::{
    bessel::coefficients,
    recurrence::{SEED, Step, steps},
    relations::Relation,
    triangle::{Triangle, gamma},
    truncation::{degree, even_loss, floor, is_affordable, spare, within},
};
