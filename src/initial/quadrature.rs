//! Weighted nodes that stand for a law itself instead of a sample from it.
//!
//! Integrals against a smooth density converge faster than any power of the number of nodes: by the trapezoidal rule on the
//! circle, and by Gauss and Legendre's rule in the height times the trapezoidal rule in the longitude on the sphere.

use std::f64::consts::{PI, TAU};

use super::{
    definition::{Axial, Density, Form},
    error::LawError,
    law::Law,
    nodes::{Nodes, gauss_legendre},
};

/// The law on the circle (`dim` = 2, `fineness` nodes) or on the sphere (`dim` = 3, `fineness` heights with twice as many
/// longitudes).
///
/// Laws with a density: uniform, von Mises-Fisher, caps, Fourier series, two clusters of finite concentration, and mixtures of
/// these, each of which has so many nodes of its own.
pub fn quadrature(law: &Law, dim: usize, fineness: usize) -> Result<Nodes, LawError> {
    law.check()?;
    let mut nodes = EMPTY;
    add(&mut nodes, &law.form(), 1.0, dim, fineness)?;
    Ok(nodes)
}

const EMPTY: Nodes = Nodes { coordinates: Vec::new(), weights: Vec::new() };

/// Adds the nodes of a law, whose weights have the sum `share`.
fn add(nodes: &mut Nodes, form: &Form<'_>, share: f64, dim: usize, fineness: usize) -> Result<(), LawError> {
    if let Form::Mixture(laws) = form {
        let mut laws = laws.iter().enumerate();
        return laws.try_for_each(|(index, (weight, law))| {
            add(nodes, law, share * weight, dim, fineness).map_err(|error| error.within(index))
        });
    }
    let own = match dim {
        2 => circle(form, fineness)?,
        3 => sphere(form, fineness)?,
        _ => return Err(no_quadrature(format!("has a quadrature on the circle and the sphere, not for d = {dim}"))),
    };
    let total: f64 = own.weights.iter().sum();
    nodes.weights.extend(own.weights.iter().map(|weight| share * weight / total));
    nodes.coordinates.extend(own.coordinates);
    Ok(())
}

fn no_quadrature(problem: String) -> LawError {
    let remedy =
        "take uniform, von-mises-fisher, cap, fourier or two-clusters of finite concentration, or a mixture of these";
    LawError::new("law", problem, remedy)
}

fn circle(form: &Form<'_>, count: usize) -> Result<Nodes, LawError> {
    let density = density(form, 2)?;
    let mut nodes = EMPTY;
    // A density that ends is integrated between its ends.
    if let Form::Axial(axial @ Axial { axis: _, concentration: _, end: Some(angle) }) = form {
        let axis = axial.unit_axis(2)?;
        for (t, weight) in gauss_legendre(count) {
            let (sin, cos) = (t * angle).sin_cos();
            let x = [cos * axis[0] - sin * axis[1], sin * axis[0] + cos * axis[1]];
            nodes.weights.push(weight * density(&x));
            nodes.coordinates.extend(x);
        }
        return Ok(nodes);
    }
    for k in 0..count {
        let (sin, cos) = (TAU * (k as f64 + 0.5) / count as f64).sin_cos();
        nodes.weights.push(density(&[cos, sin]));
        nodes.coordinates.extend([cos, sin]);
    }
    Ok(nodes)
}

fn sphere(form: &Form<'_>, heights: usize) -> Result<Nodes, LawError> {
    let density = density(form, 3)?;
    let (axis, lowest) = match form {
        Form::Axial(axial) => (axial.unit_axis(3)?, axial.end.map_or(-1.0, f64::cos)),
        Form::Smooth { .. }
        | Form::Normal(_)
        | Form::Sampled
        | Form::Mixture(_)
        | Form::Equiangular { .. }
        | Form::Placed => (vec![0.0, 0.0, 1.0], -1.0),
    };
    let [u, v] = plane(&axis);
    let mut nodes = EMPTY;
    for (t, weight) in gauss_legendre(heights) {
        let height = lowest + (1.0 - lowest) * (t + 1.0) / 2.0;
        let radius = (1.0 - height * height).max(0.0).sqrt();
        for k in 0..2 * heights {
            let (sin, cos) = (PI * (k as f64 + 0.5) / heights as f64).sin_cos();
            let x: Vec<f64> = (0..3).map(|c| height * axis[c] + radius * (cos * u[c] + sin * v[c])).collect();
            nodes.weights.push(weight * density(&x));
            nodes.coordinates.extend(x);
        }
    }
    Ok(nodes)
}

/// Two unit vectors that make an orthonormal basis with `axis`.
fn plane(axis: &[f64]) -> [[f64; 3]; 2] {
    let axis = glam::DVec3::from_slice(axis);
    let (u, v) = axis.any_orthonormal_pair();
    [u.to_array(), v.to_array()]
}

/// The density of a law in this dimension, up to a factor, which the laws of a mixture do not share.
pub(super) fn density(form: &Form<'_>, dim: usize) -> Result<Density, LawError> {
    match form {
        Form::Axial(axial) => axial.density(dim),
        Form::Smooth { density, centres: _ } => Ok(density.clone()),
        Form::Normal(_) | Form::Sampled | Form::Mixture(_) | Form::Equiangular { .. } | Form::Placed => {
            Err(no_quadrature("has no density".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::initial::{Cap, Orthonormal, VonMisesFisher};

    /// The mean resultant length of von Mises and Fisher's law: I_1(k) / I_0(k) on the circle, coth k - 1 / k on the sphere.
    #[test]
    fn the_mean_of_a_law_is_that_of_its_nodes() {
        let mean = |nodes: &Nodes, axis: &[f64]| -> f64 {
            let height = |x: &[f64]| x.iter().zip(axis).map(|(x, a)| x * a).sum::<f64>();
            nodes.coordinates.chunks(axis.len()).zip(&nodes.weights).map(|(x, w)| w * height(x)).sum()
        };
        let axis = vec![0.6, -0.8];
        let circle =
            quadrature(&Law::VonMisesFisher(VonMisesFisher { concentration: 2.0, axis: axis.clone() }), 2, 40);
        assert!((mean(&circle.expect("nodes"), &axis) - 0.697_774_657_964_008).abs() < 1e-14);
        let axis = vec![0.36, 0.48, 0.8];
        let sphere =
            quadrature(&Law::VonMisesFisher(VonMisesFisher { concentration: 3.0, axis: axis.clone() }), 3, 24);
        let exact = 1.0 / 3.0f64.tanh() - 1.0 / 3.0;
        assert!((mean(&sphere.expect("nodes"), &axis) - exact).abs() < 1e-14);
        let cap = quadrature(&Law::Cap(Cap { axis: axis.clone(), angle: 0.7 }), 3, 10).expect("nodes");
        assert!((mean(&cap, &axis) - (1.0 + 0.7f64.cos()) / 2.0).abs() < 1e-14);
        let cap = quadrature(&Law::Cap(Cap { axis: vec![0.6, -0.8], angle: 0.7 }), 2, 10).expect("nodes");
        assert!((mean(&cap, &[0.6, -0.8]) - 0.7f64.sin() / 0.7).abs() < 1e-14);
    }

    #[test]
    fn points_have_no_density() {
        for law in [
            Law::Orthonormal(Orthonormal),
            Law::VonMisesFisher(VonMisesFisher { concentration: f64::INFINITY, axis: vec![1.0, 0.0] }),
        ] {
            assert_eq!(quadrature(&law, 2, 8).expect_err("no density").key, "law");
        }
    }
}
