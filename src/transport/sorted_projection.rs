//! Measures on a line, which projections of clouds are.

/// A law on a line.
#[derive(Clone, Debug, PartialEq)]
pub struct SortedProjection {
    /// In increasing order, finite.
    pub values: Vec<f64>,
    /// The mass up to each value and with it, in increasing order, the last one.
    pub ends: Vec<f64>,
}
