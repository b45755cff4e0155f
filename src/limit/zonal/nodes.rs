//! Symmetric laws by nodes of their heights: those of Gauss and Legendre in the angle from the axis.

use std::f64::consts::PI;

use crate::{
    initial::{Axial, Form, Law, LawError, gauss_legendre},
    vector::dot,
};

/// A symmetric law.
pub(super) struct Heights {
    pub(super) axis: Vec<f64>,
    /// Angles from the axis, and their weights, of sum one.
    pub(super) nodes: Vec<(f64, f64)>,
}

/// How far components of axes may be apart that are the same but for rounding.
const SAME: f64 = 1e-12;

/// The axis of a symmetric law, and `count` nodes of its angles from there, for each law of a mixture, under kernels up to
/// kappa = `sharpest`.
pub(super) fn nodes(law: &Law, dim: usize, count: usize, sharpest: f64) -> Result<Heights, LawError> {
    let (form, mut laws) = (law.form(), Vec::new());
    collect(&form, 1.0, &mut laws)?;
    let foremost = laws.iter().find(|(_, law)| !is_uniform(law)).or(laws.first());
    let axis = foremost.map_or(Ok(Vec::new()), |(_, law)| law.unit_axis(dim))?;
    let mut nodes = Vec::new();
    for (share, law) in laws {
        let own = law.unit_axis(dim)?;
        let is_along = |sign: f64| own.iter().zip(&axis).all(|(a, b)| (a - sign * b).abs() < SAME);
        let is_opposite = !is_uniform(law) && is_along(-1.0);
        if !is_uniform(law) && !is_opposite && !is_along(1.0) {
            let remedy =
                "write axes that are equal but for a sign, or take another reference.kind, quadrature or particles";
            return Err(LawError::new("law", "has laws about several axes, and so no axis of symmetry", remedy));
        }
        let angles = angles(law, dim, count, sharpest)?;
        let turned = |angle: f64| if is_opposite { PI - angle } else { angle };
        nodes.extend(angles.into_iter().map(|(angle, weight)| (turned(angle), share * weight)));
    }
    Ok(Heights { axis, nodes })
}

/// All laws of a form that are no mixtures, with their probabilities.
fn collect<'a>(form: &'a Form<'a>, share: f64, laws: &mut Vec<(f64, &'a Axial<'a>)>) -> Result<(), LawError> {
    match form {
        Form::Axial(axial) => laws.push((share, axial)),
        Form::Mixture(parts) => {
            for (part, law) in parts {
                collect(law, share * part, laws)?;
            }
        }
        Form::Smooth { .. } | Form::Normal(_) | Form::Sampled | Form::Equiangular { .. } | Form::Placed => {
            let remedy = "take uniform, cap or von-mises-fisher of finite concentration";
            return Err(LawError::new("law", "has no axis of symmetry", remedy));
        }
    }
    Ok(())
}

/// Whether every axis is one of symmetry.
fn is_uniform(law: &Axial) -> bool {
    law.concentration == 0.0 && law.end.is_none()
}

/// `count` angles from the axis of a law, and their weights, of sum one.
fn angles(law: &Axial, dim: usize, count: usize, sharpest: f64) -> Result<Vec<(f64, f64)>, LawError> {
    let (concentration, widest) = (law.concentration, law.end.unwrap_or(PI));
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
    Ok(raw.into_iter().map(|(angle, weight)| (angle, weight / total)).collect())
}

/// A unit vector orthogonal to `axis`.
pub(super) fn meridian(axis: &[f64]) -> Vec<f64> {
    let least = (0..axis.len()).min_by(|a, b| axis[*a].abs().total_cmp(&axis[*b].abs())).unwrap_or(0);
    let mut vector: Vec<f64> = axis.iter().map(|e| -axis[least] * e).collect();
    vector[least] += 1.0;
    let length = dot(&vector, &vector).sqrt();
    vector.iter().map(|c| c / length).collect()
}
