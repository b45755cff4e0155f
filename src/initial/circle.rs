//! Laws on the circle by their quantiles: angles in increasing order, and the mass between neighbours.

use std::f64::consts::{PI, TAU};

use super::{
    definition::{Density, Form},
    error::LawError,
    law::Law,
    nodes::gauss_legendre,
    quadrature::density,
};

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
/// the axis, or from where a cap begins. Those of a mixture are counted from opposite the first of its laws.
pub fn circle_quantiles(law: &Law, pieces: usize) -> Result<CircleQuantiles, LawError> {
    let mut parts = Vec::new();
    add(&mut parts, &law.form(), 1.0, &[])?;
    let (start, half) = match &parts[..] {
        [part] => (part.centres[0] - part.half, part.half),
        _ => (parts.first().map_or(0.0, |part| part.centres[0]) - PI, PI),
    };
    let ends = |part: &Part| [part.centres[0] - part.half, part.centres[0] + part.half];
    let jumps = parts.iter().filter(|part| part.half < half).flat_map(ends);
    let places: Vec<f64> = parts.iter().flat_map(|part| part.centres.iter().copied()).chain(jumps).collect();
    let edges = edges(&places, start, half);
    let rule = gauss_legendre(8);
    for part in &mut parts {
        let total: f64 = edges.windows(2).map(|edge| part.mass(&rule, edge[0], edge[1])).sum();
        if !(total > 0.0 && total.is_finite()) {
            let error = LawError::new("law", "is so narrow that all its quantiles are one", "take a wider law");
            return Err(at(&part.path, error));
        }
        part.factor *= part.share / total;
    }
    let mass = |from: f64, to: f64| -> f64 { parts.iter().map(|part| part.mass(&rule, from, to)).sum() };
    let mut quantiles = CircleQuantiles { angles: vec![start], masses: Vec::new() };
    // Pieces still to be cut, the last one first.
    let mut open: Vec<(f64, f64, u32)> = edges.windows(2).rev().map(|edge| (edge[0], edge[1], 0)).collect();
    while let Some((from, to, depth)) = open.pop() {
        let share = mass(from, to);
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

/// A law that is no mixture.
struct Part {
    /// Its numbers in mixtures, the outermost first.
    path: Vec<usize>,
    /// Its probability.
    share: f64,
    density: Density,
    /// What the density is multiplied with.
    factor: f64,
    /// Angles about which the mass crowds.
    centres: Vec<f64>,
    /// How far from the first of them the density ends; pi if it does not.
    half: f64,
}

/// Adds the laws of which this one is a mixture.
fn add(parts: &mut Vec<Part>, form: &Form<'_>, share: f64, path: &[usize]) -> Result<(), LawError> {
    let (centres, half) = match form {
        Form::Mixture(laws) => {
            let mut laws = laws.iter().enumerate();
            return laws
                .try_for_each(|(index, (weight, law))| add(parts, law, share * weight, &[path, &[index]].concat()));
        }
        Form::Axial(axial) => {
            let axis = axial.unit_axis(2).map_err(|error| at(path, error))?;
            (vec![axis[1].atan2(axis[0])], axial.end.unwrap_or(PI))
        }
        Form::Smooth { density: _, centres } => (centres.clone(), PI),
        Form::Normal(_) | Form::Sampled | Form::Equiangular { .. } | Form::Placed => (vec![PI / 2.0], PI),
    };
    let density = density(form, 2).map_err(|error| at(path, error))?;
    parts.push(Part { path: path.to_vec(), share, density, factor: 1.0, centres, half });
    Ok(())
}

/// An error about a law within mixtures.
fn at(path: &[usize], error: LawError) -> LawError {
    path.iter().rev().fold(error, |error, index| error.within(*index))
}

impl Part {
    /// The mass between two angles between which the density neither begins nor ends.
    fn mass(&self, rule: &[(f64, f64)], from: f64, to: f64) -> f64 {
        let middle = (from + to) / 2.0;
        let away = ((middle - self.centres[0] + PI).rem_euclid(TAU) - PI).abs();
        if self.half < PI && away > self.half {
            return 0.0;
        }
        let value = |(t, weight): &(f64, f64)| {
            let (sin, cos) = (middle + t * (to - from) / 2.0).sin_cos();
            weight * (self.density)(&[cos, sin])
        };
        self.factor * rule.iter().map(value).sum::<f64>() * (to - from) / 2.0
    }
}

/// From `start` over two halves, angles that crowd about these places, so that no peak lies between two of them unseen.
fn edges(places: &[f64], start: f64, half: f64) -> Vec<f64> {
    let mut edges: Vec<f64> = (0..=64).map(|k| start + half * f64::from(k) / 32.0).collect();
    for place in places {
        let near = (1..=45).map(|k| half * (-f64::from(k)).exp2());
        edges.extend(near.flat_map(|distance| [place - distance, place + distance]));
        edges.push(*place);
    }
    let end = start + 2.0 * half;
    for edge in &mut edges {
        if *edge < start {
            *edge += TAU;
        } else if *edge > end {
            *edge -= TAU;
        }
    }
    edges.retain(|edge| (start..=end).contains(edge));
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    edges
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
