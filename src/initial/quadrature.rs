//! Weighted nodes that stand for a law itself instead of a sample from it.
//!
//! Integrals against a smooth density converge faster than any power of the number of nodes: by the trapezoidal rule on the
//! circle, and by Gauss and Legendre's rule in the height times the trapezoidal rule in the longitude on the sphere.

use std::f64::consts::{PI, TAU};

use super::{axis::unit_axis, error::LawError, law::Law};

/// Nodes on S^{d-1}, row-major, and their weights, which sum to one.
#[derive(Clone, Debug, PartialEq)]
pub struct Nodes {
    /// Row-major (node, component).
    pub coordinates: Vec<f64>,
    /// One a node, of sum one.
    pub weights: Vec<f64>,
}

/// The law on the circle (`dim` = 2, `fineness` nodes) or on the sphere (`dim` = 3, `fineness` heights with twice as many
/// longitudes).
///
/// Laws with a density: uniform, von Mises-Fisher, caps, and two clusters of finite concentration.
pub fn quadrature(law: &Law, dim: usize, fineness: usize) -> Result<Nodes, LawError> {
    law.check()?;
    let nodes = match dim {
        2 => circle(law, fineness)?,
        3 => sphere(law, fineness)?,
        _ => return Err(no_quadrature(format!("has a quadrature on the circle and the sphere, not for d = {dim}"))),
    };
    let total: f64 = nodes.weights.iter().sum();
    Ok(Nodes { weights: nodes.weights.iter().map(|weight| weight / total).collect(), ..nodes })
}

fn no_quadrature(problem: String) -> LawError {
    let remedy = "take uniform, von-mises-fisher, cap or two-clusters of finite concentration".into();
    LawError { key: "law", problem, remedy }
}

fn circle(law: &Law, count: usize) -> Result<Nodes, LawError> {
    let density = density(law, 2)?;
    let mut nodes = Nodes { coordinates: Vec::new(), weights: Vec::new() };
    match law {
        // A density that ends is integrated between its ends.
        Law::Cap { axis, angle } => {
            let axis = unit_axis(axis, 2)?;
            for (t, weight) in gauss_legendre(count) {
                let (sin, cos) = (t * angle).sin_cos();
                nodes.coordinates.extend([cos * axis[0] - sin * axis[1], sin * axis[0] + cos * axis[1]]);
                nodes.weights.push(weight);
            }
        }
        _ => {
            for k in 0..count {
                let (sin, cos) = (TAU * (k as f64 + 0.5) / count as f64).sin_cos();
                nodes.weights.push(density(&[cos, sin]));
                nodes.coordinates.extend([cos, sin]);
            }
        }
    }
    Ok(nodes)
}

fn sphere(law: &Law, heights: usize) -> Result<Nodes, LawError> {
    let density = density(law, 3)?;
    let (axis, lowest) = match law {
        Law::VonMisesFisher { axis, .. } => (unit_axis(axis, 3)?, -1.0),
        Law::Cap { axis, angle } => (unit_axis(axis, 3)?, angle.cos()),
        _ => (vec![0.0, 0.0, 1.0], -1.0),
    };
    let [u, v] = plane(&axis);
    let mut nodes = Nodes { coordinates: Vec::new(), weights: Vec::new() };
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

pub(super) type Density = Box<dyn Fn(&[f64]) -> f64>;

/// The density up to a factor, as a function of a unit vector.
pub(super) fn density(law: &Law, dim: usize) -> Result<Density, LawError> {
    let dot = |a: &[f64], x: &[f64]| -> f64 { a.iter().zip(x).map(|(a, x)| a * x).sum() };
    Ok(match law {
        Law::Uniform | Law::Cap { .. } => Box::new(|_| 1.0),
        Law::VonMisesFisher { concentration, axis } if concentration.is_finite() => {
            let (axis, concentration) = (unit_axis(axis, dim)?, *concentration);
            Box::new(move |x| (concentration * (dot(&axis, x) - 1.0)).exp())
        }
        Law::TwoClusters { overlap, fraction, concentration } if concentration.is_finite() => {
            let (overlap, fraction, concentration) = (*overlap, *fraction, *concentration);
            let other = [overlap, (1.0 - overlap * overlap).max(0.0).sqrt()];
            Box::new(move |x| {
                let about = |t: f64| (concentration * (t - 1.0)).exp();
                fraction * about(x[0]) + (1.0 - fraction) * about(dot(&other, x))
            })
        }
        _ => return Err(no_quadrature("has no density".into())),
    })
}

/// The nodes in (-1, 1) and weights, of sum 2, of the rule of Gauss and Legendre with `count` nodes: the zeros of P_n by
/// Newton's iteration from Tricomi's guess.
pub fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let n = count as f64;
    let node = |k: usize| {
        let mut x = (PI * (k as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 0.0;
        for _ in 0..20 {
            let (mut before, mut here) = (1.0, x);
            for l in 2..=count {
                let l = l as f64;
                (before, here) = (here, ((2.0 * l - 1.0) * x * here - (l - 1.0) * before) / l);
            }
            slope = n * (x * here - before) / (x * x - 1.0);
            let shift = here / slope;
            x -= shift;
            if shift.abs() < 1e-16 {
                break;
            }
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    };
    match count {
        0 => Vec::new(),
        1 => vec![(0.0, 2.0)],
        _ => (0..count).map(node).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauss_legendre_integrates_polynomials_of_twice_its_degree() {
        for count in [1, 2, 3, 8, 40] {
            for power in 0..2 * count {
                let found: f64 = gauss_legendre(count).iter().map(|(x, w)| w * x.powi(power as i32)).sum();
                let exact = if power % 2 == 0 { 2.0 / (power as f64 + 1.0) } else { 0.0 };
                assert!((found - exact).abs() < 1e-13, "{count} nodes, x^{power}: {found}");
            }
        }
    }

    /// The mean resultant length of von Mises and Fisher's law: I_1(k) / I_0(k) on the circle, coth k - 1 / k on the sphere.
    #[test]
    fn the_mean_of_a_law_is_that_of_its_nodes() {
        let mean = |nodes: &Nodes, axis: &[f64]| -> f64 {
            let height = |x: &[f64]| x.iter().zip(axis).map(|(x, a)| x * a).sum::<f64>();
            nodes.coordinates.chunks(axis.len()).zip(&nodes.weights).map(|(x, w)| w * height(x)).sum()
        };
        let axis = vec![0.6, -0.8];
        let circle = quadrature(&Law::VonMisesFisher { concentration: 2.0, axis: axis.clone() }, 2, 40);
        assert!((mean(&circle.expect("nodes"), &axis) - 0.697_774_657_964_008).abs() < 1e-14);
        let axis = vec![0.36, 0.48, 0.8];
        let sphere = quadrature(&Law::VonMisesFisher { concentration: 3.0, axis: axis.clone() }, 3, 24);
        let exact = 1.0 / 3.0f64.tanh() - 1.0 / 3.0;
        assert!((mean(&sphere.expect("nodes"), &axis) - exact).abs() < 1e-14);
        let cap = quadrature(&Law::Cap { axis: axis.clone(), angle: 0.7 }, 3, 10).expect("nodes");
        assert!((mean(&cap, &axis) - (1.0 + 0.7f64.cos()) / 2.0).abs() < 1e-14);
        let cap = quadrature(&Law::Cap { axis: vec![0.6, -0.8], angle: 0.7 }, 2, 10).expect("nodes");
        assert!((mean(&cap, &[0.6, -0.8]) - 0.7f64.sin() / 0.7).abs() < 1e-14);
    }

    #[test]
    fn points_have_no_density() {
        for law in [Law::Orthonormal, Law::VonMisesFisher { concentration: f64::INFINITY, axis: vec![1.0, 0.0] }] {
            assert_eq!(quadrature(&law, 2, 8).expect_err("no density").key, "law");
        }
    }
}
