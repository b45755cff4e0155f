//! Laws on the circle by their quantiles: angles in increasing order, and the mass between neighbours.

use std::f64::consts::{PI, TAU};

use super::{definition::Form, error::LawError, law::Law, nodes::gauss_legendre, quadrature::density};

/// No piece is wider than this part of a turn, however little mass it has.
const WIDEST: f64 = TAU / 1024.0;
/// How often a piece may be halved, whatever its mass.
const DEEPEST: u32 = 24;

/// Angles that increase by at most a full turn, and the mass of the law between each and the next, of sum one.
#[derive(Clone, Debug, PartialEq)]
pub struct CircleQuantiles {
    /// In radians, ascending.
    pub angles: Vec<f64>,
    /// One fewer.
    pub masses: Vec<f64>,
}

/// The quantiles of a law with a density, in pieces of at most 1 / `pieces` of the mass each, counted from the point opposite to
/// the axis, or from where a cap begins.
pub fn circle_quantiles(law: &Law, pieces: usize) -> Result<CircleQuantiles, LawError> {
    let form = law.form();
    let density = density(&form, 2)?;
    let (centres, half) = match &form {
        Form::Axial(axial) => (vec![angle_of(&axial.unit_axis(2)?)], axial.end.unwrap_or(PI)),
        Form::Smooth { density: _, centres } => (centres.clone(), PI),
        Form::Normal(_) | Form::Sampled | Form::Equiangular { .. } | Form::Placed => (vec![PI / 2.0], PI),
    };
    let start = centres[0] - half;
    let rule = gauss_legendre(8);
    let mass = |from: f64, to: f64| -> f64 {
        let value = |(t, weight): &(f64, f64)| {
            let (sin, cos) = ((from + to) / 2.0 + t * (to - from) / 2.0).sin_cos();
            weight * density(&[cos, sin])
        };
        rule.iter().map(value).sum::<f64>() * (to - from) / 2.0
    };
    let edges = edges(&centres, start, half);
    let total: f64 = edges.windows(2).map(|edge| mass(edge[0], edge[1])).sum();
    let mut quantiles = CircleQuantiles { angles: vec![start], masses: Vec::new() };
    // Pieces still to be cut, the last one first.
    let mut open: Vec<(f64, f64, u32)> = edges.windows(2).rev().map(|edge| (edge[0], edge[1], 0)).collect();
    while let Some((from, to, depth)) = open.pop() {
        let share = mass(from, to) / total;
        let is_large = share * pieces as f64 > 1.0 || to - from > WIDEST;
        if is_large && depth < DEEPEST {
            let centre = (from + to) / 2.0;
            open.extend([(centre, to, depth + 1), (from, centre, depth + 1)]);
        } else {
            quantiles.angles.push(to);
            quantiles.masses.push(share);
        }
    }
    let sum: f64 = quantiles.masses.iter().sum();
    quantiles.masses.iter_mut().for_each(|mass| *mass /= sum);
    Ok(quantiles)
}

/// From `start` over two halves, places that crowd about the centres, so that no peak lies between two of them unseen.
fn edges(centres: &[f64], start: f64, half: f64) -> Vec<f64> {
    let mut edges: Vec<f64> = (0..=64).map(|k| start + half * f64::from(k) / 32.0).collect();
    for centre in centres {
        let near = (1..=45).map(|k| half * (-f64::from(k)).exp2());
        edges.extend(near.flat_map(|distance| [centre - distance, centre + distance]));
        edges.push(*centre);
    }
    let end = start + 2.0 * half;
    edges.iter_mut().filter(|edge| **edge < start).for_each(|edge| *edge += TAU);
    edges.retain(|edge| (start..=end).contains(edge));
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    edges
}

fn angle_of(axis: &[f64]) -> f64 {
    axis[1].atan2(axis[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::initial::{Cap, VonMisesFisher};

    /// F at the angle phi: of von Mises' law of concentration 2 as SciPy's vonmises(2).cdf has it, of the uniform law and of a cap phi
    /// over its width.
    #[test]
    fn masses_are_those_of_the_distribution_function() {
        let axis = vec![-0.6, 0.8];
        let middle = 0.8f64.atan2(-0.6);
        let law = Law::VonMisesFisher(VonMisesFisher { concentration: 2.0, axis: axis.clone() });
        let cdf = [(-2.0, VON_MISES[0]), (-0.5, VON_MISES[1]), (0.0, 0.5), (1.0, VON_MISES[2])];
        let at = |law: &Law, phi: f64| {
            let CircleQuantiles { angles, masses } = circle_quantiles(law, 3000).expect("quantiles");
            assert!(masses.iter().all(|mass| *mass <= 1.001 / 3000.0));
            assert!((masses.iter().sum::<f64>() - 1.0).abs() < 1e-13);
            assert!(angles.is_sorted() && angles.len() == masses.len() + 1);
            let before = angles.iter().skip(1).zip(&masses).take_while(|(angle, _)| **angle <= phi);
            let sum: f64 = before.map(|(_, mass)| mass).sum();
            let next = angles.partition_point(|angle| *angle <= phi);
            let within = (phi - angles[next - 1]) / (angles[next] - angles[next - 1]);
            sum + within * masses[next - 1]
        };
        for (phi, expected) in cdf {
            let found = at(&law, middle + phi);
            assert!((found - expected).abs() < 1e-7, "{phi}: {found}, not {expected}");
        }
        let cap = Law::Cap(Cap { axis, angle: 0.5 });
        assert!((at(&cap, middle + 0.25) - 0.75).abs() < 1e-12);
        let sharp = Law::VonMisesFisher(VonMisesFisher { concentration: 1e4, axis: vec![1.0, 0.0] });
        assert!((at(&sharp, 0.01) - NORMAL_AT_ONE).abs() < 1e-4, "{}", at(&sharp, 0.01));
    }

    const VON_MISES: [f64; 3] = [0.017309793631, 0.261807785581, 0.889577736955];
    const NORMAL_AT_ONE: f64 = 0.841_344_746;
}
