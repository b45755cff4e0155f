//! Points that are summed over, as the reduction reads them.

use super::lengths::are_unit;
use crate::{
    cancel::Cancel,
    sums::{columns::Columns, instructions::Instructions, keys::Bias},
    tokens::{Shape, Weights},
};

/// The points y_j that are summed over.
pub(crate) struct Sources {
    pub(super) instructions: Instructions,
    pub(super) shape: Shape,
    pub(super) points: Columns<f64>,
    pub(super) bias: Bias<f64>,
    /// Values of no components: only sums are wanted.
    pub(super) nothing: Columns<f64>,
    pub(super) are_unit: bool,
    /// Sums are worthless once that is requested.
    pub(super) cancel: Cancel,
}

impl Sources {
    /// At least one point of at least one component, row-major (point, component).
    pub(crate) fn new(coordinates: &[f64], dim: usize) -> Self {
        let shape = Shape { replicas: 1, count: coordinates.len() / dim, dim, passive: 0 };
        let mut points = Columns::zeros(1, dim, shape.count);
        points.replicas_mut().for_each(|mut columns| columns.set_rows(dim, coordinates));
        let nothing = Columns::zeros(1, 0, shape.count);
        let bias = Bias::new(shape, &Weights::Equal);
        let are_unit = are_unit(coordinates, dim);
        Self {
            instructions: Instructions::detect(),
            shape,
            points,
            bias,
            nothing,
            are_unit,
            cancel: Cancel::default(),
        }
    }

    /// The same, whose sums are left off once `cancel` is requested, and are worthless then.
    pub(crate) fn ending_with(self, cancel: &Cancel) -> Self {
        Self { cancel: cancel.clone(), ..self }
    }
}
