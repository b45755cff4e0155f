//! Room for coordinates, if there is any.

use super::error::LawError;
use crate::tokens::Shape;

pub(super) fn zeros(shape: Shape) -> Result<Vec<f64>, LawError> {
    let Shape { replicas, count, dim, .. } = shape;
    let too_large = || {
        let problem = format!("{replicas} replicas of {count} tokens of {dim} components do not fit into memory");
        LawError::new("law", problem, "take fewer tokens, replicas or components")
    };
    let length = replicas.checked_mul(count).and_then(|tokens| tokens.checked_mul(dim)).ok_or_else(too_large)?;
    let mut coordinates = Vec::new();
    coordinates.try_reserve_exact(length).map_err(|_| too_large())?;
    coordinates.resize(length, 0.0);
    Ok(coordinates)
}
