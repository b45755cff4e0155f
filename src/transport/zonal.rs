//! Kernels between points and measures that are symmetric about an axis.

use super::{mean_exponential::mean_exponential, series::Series};

/// Beyond, [`Series`] has too few polynomials for a kernel of width kappa^{-1/2}.
pub(crate) const SHARPEST: f64 = 2.5e5;
/// Terms e^{-BELOW} times the largest are below rounding, however many.
pub(crate) const BELOW: f64 = 50.0;

/// h(t) = sum_s w_s e^{beta (t s - 1)} A(beta sqrt(1 - t^2) sqrt(1 - s^2)), the mean of e^{beta (<x, y> - 1)} over the y of a
/// measure symmetric about an axis for an x of height t, heights and weights being those of the measure.
pub(crate) fn kernel_mean(heights: &[f64], weights: &[f64], dim: usize, beta: f64) -> Series {
    Series::of(0.0, |t| {
        let mean = |(s, weight): (&f64, &f64)| {
            let across = (1.0 - t * t).max(0.0) * (1.0 - s * s).max(0.0);
            let z = beta * across.sqrt();
            // ln A(z) <= z: where even that leaves nothing, A need not be known.
            if beta * (t * s - 1.0) + z < -BELOW {
                return 0.0;
            }
            weight * (beta * (t * s - 1.0) + mean_exponential(dim - 1, z).logarithm).exp()
        };
        heights.iter().zip(weights).map(mean).sum()
    })
}
