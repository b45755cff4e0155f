//! What keeps a distance from being computed, and the remedy.

/// Why there is no distance.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what it is and names its fields")]
pub enum TransportError {
    #[error(
        "coordinates: {numbers} numbers are no points of R^{dim}; give count * dim numbers, count and dim at least 1"
    )]
    Coordinates { numbers: usize, dim: usize },
    #[error("coordinates: number {place} of point {point} is {value}; give finite numbers")]
    NotFinite { point: usize, place: usize, value: f64 },
    #[error("weights: {found} for {count} points; give one for each")]
    Weights { found: usize, count: usize },
    #[error("weights: that of point {point} is {value}; give finite numbers, none negative")]
    Weight { point: usize, value: f64 },
    #[error("weights: their sum is {sum}; divide them by it")]
    Total { sum: f64 },
    #[error("dimension: points of R^{a} and of R^{b} lie in no common space; give both the same dim")]
    Dimensions { a: usize, b: usize },
    #[error("circle: points of R^{dim} have no angle; use sliced, sinkhorn or assignment")]
    NotPlanar { dim: usize },
    #[error("circle: point {point} is the origin and has no angle; move it, or give it no place in the measure")]
    NoAngle { point: usize },
    #[error(
        "assignment: {a} points and {b} points do not pair off; give equal counts and equal weights, or use sinkhorn"
    )]
    Unpaired { a: usize, b: usize },
    #[error("assignment: the weights are not all equal; leave them out if they are, else use sinkhorn")]
    UnequalWeights,
    #[error("assignment: {count} points would take too long, n^3; give at most {most}, or use sliced or sinkhorn")]
    TooMany { count: usize, most: usize },
    #[error("limit: it is known by its {known}, not by points; use reference.kind = \"quadrature\" or \"particles\"")]
    NoPoints { known: &'static str },
    #[error("projections: {count} give no standard error; give at least 2")]
    Projections { count: usize },
    #[error(
        "directions: {numbers} numbers are no unit vectors of R^{dim}, at least 2; give count * dim numbers, rows of length 1"
    )]
    Directions { numbers: usize, dim: usize },
    #[error("{key}: {value} is not positive and finite; give such a number, for example {example}")]
    NotPositive { key: &'static str, value: f64, example: f64 },
    #[error(
        "sinkhorn: after {iterations} iterations the marginals are off by {marginal_error:e}, more than {tolerance:e}; \
         raise epsilon, tolerance or iterations"
    )]
    Unconverged { iterations: u32, marginal_error: f64, tolerance: f64 },
    #[error("stopped before its end")]
    Cancelled,
}

/// `value`, if it is positive and finite.
pub(super) fn positive(key: &'static str, value: f64, example: f64) -> Result<f64, TransportError> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(TransportError::NotPositive { key, value, example })
    }
}
