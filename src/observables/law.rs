//! A measure that owns its points.

use crate::transport::{Masses, Measure, TransportError};

/// A measure that owns its points.
pub(super) struct Law {
    points: Vec<f64>,
    /// Empty for equal ones.
    weights: Vec<f64>,
    dim: usize,
}

impl Law {
    /// Points that `is_unit` says are on the sphere are put back on it: single precision leaves them 1e-7 off.
    pub fn new(mut points: Vec<f64>, weights: Vec<f64>, dim: usize, is_unit: bool) -> Self {
        if is_unit {
            for x in points.chunks_exact_mut(dim) {
                let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
                x.iter_mut().for_each(|x| *x /= length);
            }
        }
        Self { points, weights, dim }
    }

    pub fn measure(&self) -> Result<Measure<'_>, TransportError> {
        let masses = if self.weights.is_empty() { Masses::Equal } else { Masses::Each(&self.weights) };
        Measure::new(&self.points, self.dim, masses)
    }
}
