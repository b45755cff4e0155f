//! The geometries of a problem, whose equation may change.

use crate::{
    model::{Geometry, ModelSchedule, Part},
    problem::Problem,
};

/// The geometries that tokens are in from time to time.
pub fn geometries(problem: &Problem) -> impl Iterator<Item = &Geometry> {
    let (layers, parts) = match &problem.model_schedule {
        ModelSchedule::Constant => (&[][..], &[][..]),
        ModelSchedule::Layers(layers) => (layers.as_slice(), &[][..]),
        ModelSchedule::Parts(parts) => (&[][..], parts.as_slice()),
    };
    let changed = parts.iter().filter_map(|part| match part {
        Part::Geometry { geometry, .. } => Some(geometry),
        // Another alpha is the same geometry.
        Part::Beta(_)
        | Part::Weight { .. }
        | Part::Perceptron(_)
        | Part::Alpha(_)
        | Part::Matrix { .. }
        | Part::Rescaled { .. } => None,
    });
    std::iter::once(&problem.model).chain(layers).map(|model| &model.geometry).chain(changed)
}
