//! Kernels between points and measures that are symmetric about an axis.
//!
//! With heights t = <x, e> and s = <y, e> over the axis e and z = kappa sqrt(1 - t^2) sqrt(1 - s^2), the mean of e^{kappa <x, y>} over the y
//! of height s is e^{kappa t s} A(z), A(z) being the mean of e^{z y_1} over S^{d-2}.

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

/// Where a node is, as one height sees it.
struct Node {
    s: f64,
    /// 1 - s^2.
    across: f64,
    z: f64,
    /// ln w_s + kappa t s.
    scale: f64,
}

/// sum_s w_s e^{kappa t s} A(z), the mean of e^{kappa <x, y>} over the y of a measure for an x of height t, and the same sum of terms times
/// s - t kappa (1 - s^2) A'(z) / (z A(z)), which is the mean of e^{kappa <x, y>} (<y, e> - t <x, y>) / (1 - t^2); then the logarithm of what both
/// are to be multiplied by.
pub(crate) fn sums(heights: &[f64], weights: &[f64], dim: usize, kappa: f64, t: f64) -> (f64, f64, f64) {
    let wide = (1.0 - t * t).max(0.0);
    let nodes = heights.iter().zip(weights).map(|(s, weight)| {
        let across = (1.0 - s * s).max(0.0);
        Node { s: *s, across, z: kappa.abs() * (wide * across).sqrt(), scale: weight.ln() + kappa * t * s }
    });
    let nodes: Vec<Node> = nodes.collect();
    let term = |node: &Node| {
        let mean = mean_exponential(dim - 1, node.z);
        (node.scale + mean.logarithm, node.s - t * kappa * node.across * mean.slope)
    };
    // A(z) <= e^z says which terms may count beside that of the largest bound.
    let bound = |node: &&Node| node.scale + node.z;
    let Some(first) = nodes.iter().max_by(|a, b| bound(a).total_cmp(&bound(b))) else { return (0.0, 0.0, 0.0) };
    let least = term(first).0 - BELOW;
    let terms: Vec<(f64, f64)> = nodes.iter().filter(|node| bound(node) >= least).map(term).collect();
    let largest = terms.iter().map(|(logarithm, _)| *logarithm).fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut moment) = (0.0, 0.0);
    for (logarithm, height) in terms {
        let share = (logarithm - largest).exp();
        sum += share;
        moment += share * height;
    }
    (sum, moment, largest)
}
