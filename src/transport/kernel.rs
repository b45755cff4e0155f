//! Distances of measures by the distance of their embeddings in a Hilbert space: no transport, no dimension to pay for.

use rayon::prelude::*;

use super::{Measure, TransportError, error::positive, measure::squared_distance};
use crate::sums::sources::Sources;

/// Means of the kernel need sums that are exact beside the largest, not each beside itself.
const ACCURACY: f64 = f64::INFINITY;

/// The maximum mean discrepancy of the kernel of attention, k(x, y) = e^{beta (<x, y> - 1)}:
///
/// ```text
/// MMD^2 = sum_ij w_i w_j k(x_i, x_j) + sum_ij v_i v_j k(y_i, y_j) - 2 sum_ij w_i v_j k(x_i, y_j)
/// ```
///
/// the square root of which is returned (Gretton et al., JMLR 13, 2012, eq. 5: the biased V-statistic, pairs i = j included). On
/// the sphere k is the Gaussian e^{-beta |x - y|^2 / 2} of chordal distances, k(x, x) = 1 and MMD <= sqrt(2). Differences of
/// sums near one leave an error of about 1e-16 in MMD^2, so 1e-8 where MMD is near zero.
pub fn mmd(a: &Measure<'_>, b: &Measure<'_>, beta: f64) -> Result<f64, TransportError> {
    Ok(discrepancy(mean(a, a, beta)?, mean(b, b, beta)?, mean(a, b, beta)?))
}

/// sum_ij w_i v_j e^{beta (<x_i, y_j> - 1)}.
pub fn mean(a: &Measure<'_>, b: &Measure<'_>, beta: f64) -> Result<f64, TransportError> {
    let dim = a.common_dim(b)?;
    positive("beta", beta, 1.0)?;
    let (sources, bias) = {
        let (points, masses) = b.support();
        let bias: Vec<f64> = masses.iter().map(|mass| mass.ln() - beta).collect();
        (Sources::new(&points, dim).ending_with(&b.cancel()), bias)
    };
    let (queries, weights) = a.support();
    let sums = sources.log_sums(&queries, beta, &bias, ACCURACY);
    b.require_completed()?;
    Ok(sums.iter().zip(weights).map(|(sum, weight)| weight * sum.exp()).sum())
}

/// The distance of two embeddings from their squares and their product.
pub(crate) fn discrepancy(own_a: f64, own_b: f64, product: f64) -> f64 {
    let square = own_a + own_b - 2.0 * product;
    // Rounding may leave it below zero; what is not a number stays that.
    if square < 0.0 { 0.0 } else { square.sqrt() }
}

/// (2 E|X - Y| - E|X - X'| - E|Y - Y'|)^{1/2} with chordal distances, X and X' independent of law a, Y and Y' of law b (Szekely,
/// Rizzo, J. Stat. Plan. Inference 143, 2013): an MMD of the kernel -|x - y|, as a V-statistic; its unit is the square root of a
/// length. 1e-8 where it is near zero, as for [`mmd`].
pub fn energy_distance(a: &Measure<'_>, b: &Measure<'_>) -> Result<f64, TransportError> {
    a.common_dim(b)?;
    let square = 2.0 * mean_distance(a, b) - mean_distance(a, a) - mean_distance(b, b);
    b.require_completed()?;
    Ok(square.max(0.0).sqrt())
}

/// sum_ij w_i v_j |x_i - y_j|.
fn mean_distance(a: &Measure<'_>, b: &Measure<'_>) -> f64 {
    let points: Vec<&[f64]> = a.points().collect();
    let row = |x: &&[f64]| if b.is_cancelled() { 0.0 } else { b.mean(|y| squared_distance(x, y).sqrt()) };
    let rows: Vec<f64> = points.par_iter().map(row).collect();
    rows.iter().enumerate().map(|(index, row)| a.weight(index) * row).sum()
}
