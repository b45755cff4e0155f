//! Distances that are smaller than what is known of the limit.

use super::{Quantity, columns, view::View};

/// Errors of what stands for the limit, relative to a distance from it, that are not worth a warning.
const RESOLVED: f64 = 0.01;

/// A column of a sample that what stands for the limit is too far from the law for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Unresolved {
    /// Its name.
    pub column: String,
    /// The number in it.
    pub value: f64,
    /// More than a hundredth of the number; none where a sample stands for the limit.
    pub error: Option<f64>,
}

/// The first such column among `values`, which are those of a sample.
pub fn unresolved(quantities: &[Quantity], view: &View, values: &[f64]) -> Option<Unresolved> {
    let limit = view.limit?;
    let dim = view.equation.tokens.shape.dim;
    let mut place = 0;
    for quantity in quantities {
        let names = columns(&[*quantity], dim);
        let (start, value) = (place, values.get(place).copied().unwrap_or(f64::NAN));
        place += names.len();
        let Some(error) = quantity.observable().law_error(limit) else { continue };
        let error = if limit.state.is_sampled { None } else { Some(error) };
        if error.is_none_or(|error| error > RESOLVED * value) && start < place {
            return Some(Unresolved { column: names[0].clone(), value, error });
        }
    }
    None
}
