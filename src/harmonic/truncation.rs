//! How many degrees a tolerance asks for.

use super::bessel;

/// The largest degrees worth their cost and their rounding: on the circle, on the sphere.
const CAPS: [usize; 2] = [400, 120];

/// Room for both Z_i and M_i being off, and for a density half of the even one; it costs a degree or none.
const MARGIN: f64 = 0.25;

/// The degree L at which the expansion may stop, for scores up to `kappa_max` = beta |A|_2 and tokens of width `dim`,
/// if velocities (of order one) are to be within about `tolerance`; `None` if no L up to the cap (400 for d = 2, 120 for
/// d = 3) does it, or for any other dim.
///
/// The coefficients b_l of the kernel are positive, so their tail sum_{l > L} b_l bounds the error of Z_i and of M_i
/// relative to e^kappa sum_j w_j, rigorously and attained. What is wanted is the error relative to Z_i. For tokens
/// spread evenly Z_i / (e^kappa sum_j w_j) is b_0, about 1 / sqrt(2 pi kappa) for d = 2 and 1 / 2 kappa for d = 3: the
/// tail is asked to be below `MARGIN` * tolerance * b_0. Clustered tokens have larger Z_i at nearly all tokens, and do
/// better; a token in a region so empty that Z_i falls far below does worse, as it does by rounding (see the module).
pub(crate) fn degree(dim: usize, kappa_max: f64, tolerance: f64) -> Option<usize> {
    if !is_affordable(dim, kappa_max) {
        return None;
    }
    let mean = *bessel::coefficients(dim, kappa_max, 0).first()?;
    within(dim, kappa_max, MARGIN * tolerance * mean)
}

/// Whether scores up to `kappa` may have a degree up to the cap, for any tolerance below one: asked before a coefficient is
/// computed, because there are about kappa^{1/2} of those that count.
///
/// Ratios of neighbours exceed kappa / (l + (l^2 + kappa^2)^{1/2}) (Amos, Math. Comp. 28, 1974, eq. 9, and likewise for spherical
/// ones with l + 1), so that b_L of the degree L = cap + 1 is above b_0 / 4 once kappa exceeds L^2; the tail asked for is below.
pub(crate) fn is_affordable(dim: usize, kappa: f64) -> bool {
    let cap = dim.checked_sub(2).and_then(|index| CAPS.get(index));
    cap.is_some_and(|cap| kappa <= ((cap + 1) * (cap + 1)) as f64)
}

/// The error of a sum relative to e^kappa sum_j w_j: what the degree above leaves of the tail, and rounding by `epsilon`.
pub(crate) fn floor(dim: usize, kappa_max: f64, tolerance: f64, epsilon: f64) -> f64 {
    MARGIN * tolerance * bessel::coefficients(dim, kappa_max, 0)[0] + 0.5 * epsilon
}

/// The bits by which the tail that the degree above leaves exceeds rounding by `epsilon`; zero if it does not.
pub(crate) fn spare(dim: usize, kappa_max: f64, tolerance: f64, epsilon: f64) -> f64 {
    (floor(dim, kappa_max, tolerance, 0.0) / floor(dim, kappa_max, 0.0, epsilon)).log2().max(0.0)
}

/// The bits that cancellation takes from the sums of tokens spread evenly: -log2 b_0.
pub(crate) fn even_loss(dim: usize, kappa_max: f64) -> f64 {
    -bessel::coefficients(dim, kappa_max, 0)[0].log2()
}

/// The smallest L with sum_{l > L} b_l(kappa) <= `tail`, up to the cap, for a tail below b_0(kappa) / 4.
pub(crate) fn within(dim: usize, kappa: f64, tail: f64) -> Option<usize> {
    let cap = *CAPS.get(dim.checked_sub(2)?)?;
    if !is_affordable(dim, kappa) {
        return None;
    }
    let coefficients = bessel::coefficients(dim, kappa, 2 * cap);
    let mut sum = 0.0;
    for l in (1..=2 * cap).rev() {
        sum += coefficients[l];
        if sum > tail {
            return (l <= cap).then_some(l);
        }
    }
    Some(0)
}
