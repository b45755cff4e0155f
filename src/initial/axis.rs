//! Axes of laws that are symmetric about one.

use super::{error::LawError, sphere};

pub(crate) fn unit_axis(axis: &[f64], dim: usize) -> Result<Vec<f64>, LawError> {
    let remedy = || {
        let mut entries = vec!["0"; dim.min(8)];
        entries[dim.min(8) - 1] = "1";
        let dots = if dim > 8 { ", .." } else { "" };
        format!("write {dim} numbers, not all zero, e.g. axis = [{}{dots}]", entries.join(", "))
    };
    if axis.len() != dim {
        let problem = format!("has {} components and tokens have {dim}", axis.len());
        return Err(LawError::new("axis", problem, remedy()));
    }
    // Scaled first, so that squares neither overflow nor vanish.
    let largest = axis.iter().fold(0.0, |m: f64, c| m.max(c.abs()));
    if largest == 0.0 || axis.iter().any(|c| !c.is_finite()) {
        return Err(LawError::new("axis", "is no direction", remedy()));
    }
    let mut unit: Vec<f64> = axis.iter().map(|c| c / largest).collect();
    sphere::normalise(&mut unit);
    Ok(unit)
}
