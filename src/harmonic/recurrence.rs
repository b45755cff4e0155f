//! The coefficients b_l where each query has its own kappa: what a backend needs to compute them query by query.

use super::bessel;

/// A ratio of Bessel functions that nothing can see any more, in either precision.
const NEGLIGIBLE: f64 = 1e-24;

/// Where the downward recurrence starts; above it by 1 / NEGLIGIBLE is still far from overflow.
pub(crate) const SEED: f64 = 1e-30;

/// One step of Miller's downward recurrence f_{l-1} = f_{l+1} + (c_l / kappa) f_l.
///
/// The terms are positive and the recurrence is stable; sum b_l = 1 fixes the factor. Queries with a small kappa would
/// overflow on the way down, so each starts, from [`SEED`], at the first degree that its kappa can make visible.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// c_l.
    pub(crate) factor: f64,
    /// What b_l multiplies f_l by.
    pub(crate) multiplicity: f64,
    /// Up to this kappa, f_l / f_0 is negligible.
    pub(crate) threshold: f64,
}

/// The steps for kappas up to `kappa_max` and tokens of width `dim`, ordered from the start, at least `degree`, down to
/// l = 1.
pub(crate) fn steps(dim: usize, kappa_max: f64, degree: usize) -> Vec<Step> {
    // The start forgets itself before it reaches a degree that is kept.
    let visible = |l: &usize| threshold(*l, kappa_max) < kappa_max;
    let start = (1..).take_while(visible).last().unwrap_or(0).max(degree);
    let step = |l| Step {
        factor: bessel::recurrence(dim, l),
        multiplicity: bessel::multiplicity(dim, l),
        threshold: threshold(l, kappa_max),
    };
    (1..=start).rev().map(step).collect()
}

/// The kappa in [0, kappa_max] below which f_l / f_0 stays under `NEGLIGIBLE`, give or take a factor that cannot matter.
///
/// ln (I_nu / I_0) is about sqrt(nu^2 + kappa^2) - kappa + nu ln(kappa / (nu + sqrt(nu^2 + kappa^2))), the exponent of the
/// uniform expansion (DLMF 10.41.3).
fn threshold(l: usize, kappa_max: f64) -> f64 {
    let order = l as f64;
    let negligible = |kappa: f64| {
        let length = order.hypot(kappa);
        length - kappa + order * (kappa / (order + length)).ln() < NEGLIGIBLE.ln()
    };
    if negligible(kappa_max) {
        return kappa_max;
    }
    let (mut below, mut above) = (NEGLIGIBLE * NEGLIGIBLE, kappa_max);
    while above > 1.02 * below {
        let middle = (above * below).sqrt();
        if negligible(middle) {
            below = middle;
        } else {
            above = middle;
        }
    }
    below
}
