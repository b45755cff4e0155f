//! Symmetric laws by nodes of their heights: those of Gauss and Legendre in the angle from the axis.

use std::f64::consts::PI;

use crate::{
    initial::{Form, Law, LawError, gauss_legendre},
    vector::dot,
};

/// A symmetric law.
pub(super) struct Heights {
    pub(super) axis: Vec<f64>,
    /// Angles from the axis, and their weights, of sum one.
    pub(super) nodes: Vec<(f64, f64)>,
}

/// The axis of a symmetric law, and `count` nodes of its angles from there, under kernels up to kappa = `sharpest`.
pub(super) fn nodes(law: &Law, dim: usize, count: usize, sharpest: f64) -> Result<Heights, LawError> {
    let (axis, concentration, widest) = match law.form() {
        Form::Axial(axial) => (axial.unit_axis(dim)?, axial.concentration, axial.end.unwrap_or(PI)),
        Form::Smooth { .. }
        | Form::Normal(_)
        | Form::Sampled
        | Form::Mixture(_)
        | Form::Equiangular { .. }
        | Form::Placed => {
            let remedy = "take uniform, cap or von-mises-fisher of finite concentration";
            return Err(LawError::new("law", "has no axis of symmetry", remedy));
        }
    };
    // Where the density has fallen so far that no kernel makes it count no node is needed, and a narrow law needs all of them nearer by.
    let narrow = (50.0 + 4.0 * dim as f64 + 2.0 * sharpest) / concentration;
    let widest = if narrow < 1.0 { widest.min((1.0 - narrow).acos()) } else { widest };
    let density = |angle: f64| (concentration * (angle.cos() - 1.0)).exp() * angle.sin().powi(dim as i32 - 2);
    let raw: Vec<(f64, f64)> = gauss_legendre(count)
        .into_iter()
        .map(|(t, weight)| {
            let angle = widest * (t + 1.0) / 2.0;
            (angle, weight * density(angle))
        })
        .collect();
    let total: f64 = raw.iter().map(|(_, weight)| weight).sum();
    if !(total > 0.0 && total.is_finite()) {
        return Err(LawError::new("concentration", "is so large that the law is a point", "take a smaller one"));
    }
    Ok(Heights { axis, nodes: raw.into_iter().map(|(angle, weight)| (angle, weight / total)).collect() })
}

/// A unit vector orthogonal to `axis`.
pub(super) fn meridian(axis: &[f64]) -> Vec<f64> {
    let least = (0..axis.len()).min_by(|a, b| axis[*a].abs().total_cmp(&axis[*b].abs())).unwrap_or(0);
    let mut vector: Vec<f64> = axis.iter().map(|e| -axis[least] * e).collect();
    vector[least] += 1.0;
    let length = dot(&vector, &vector).sqrt();
    vector.iter().map(|c| c / length).collect()
}
