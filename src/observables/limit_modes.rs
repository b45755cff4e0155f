//! How far the limit is from uniform, degree by degree.

use super::{
    Definition, Directions, Limit, LimitState, Need, Nodes, Numbers, Objection, Observable, Parameter, Parametrized,
    Resolution, Setup, View, directions,
    equation::Equation,
    limit_values,
    modes::{self, Modes, objection_to_dim},
};
use crate::{
    budget::{COUNT, DOUBLE, Part, Sizes},
    observe::Statistics,
    transport::TransportError,
    vector::{dot, norm},
};

/// `limit_mode_l`, l = 1 .. degree: the columns of [`Modes`](super::Modes) of the limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitModes {
    /// The largest l.
    pub degree: usize,
}

const DEFINITION: Definition = Definition {
    word: "limit_modes",
    documentation: limit_values::DOCUMENTATION,
    needs: &[Need::Reference],
    replicas_a_sample: 1,
    curve: None,
};

impl LimitModes {
    pub(super) const DEFAULT: Self = Self { degree: Modes::DEFAULT.degree };
}

impl Parametrized for LimitModes {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![modes::parameter(&mut self.degree)]
    }
}

impl Observable for LimitModes {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, dim: usize) -> Vec<String> {
        limit_values::columns(Modes { degree: self.degree }.columns(dim))
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        limit_values::objection(setup, DEFINITION.word).or_else(|| directions::objection(setup))
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        objection_to_dim(DEFINITION.word, equation)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        let degrees = ("observe.degree", self.degree as u128 + 1);
        let factors = [(COUNT, sizes.chunks() + 1), degrees, degrees];
        Part::new("harmonics of the limit", DOUBLE, if sizes.dim == 2 { &factors[..2] } else { &factors })
    }

    /// Measured of all replicas at once, but for tokens without a limit.
    fn measure(&self, _: &View, _: usize, _: &Statistics) -> Numbers {
        Ok(vec![f64::NAN; self.degree])
    }

    fn measure_together(&self, view: &View) -> Result<Option<Vec<Vec<f64>>>, TransportError> {
        limit_values::everywhere(view, |limit| amplitudes(&limit.state, self.degree))
    }

    fn resolution(&self, _: usize) -> Resolution {
        Resolution { degree: self.degree, ..Resolution::default() }
    }

    fn law_nodes(&self, limit: &Limit) -> Option<usize> {
        limit.node_count()
    }
}

/// The amplitudes of degrees 1 to `degree` of a law in the plane or in space.
pub(crate) fn amplitudes(law: &LimitState, degree: usize) -> Vec<f64> {
    let dim = law.shape.dim;
    let points = law.tokens.chunks_exact(dim).zip(law.weights).filter(|(_, weight)| **weight > 0.0);
    if let Nodes::Meridian { axis } = law.nodes {
        let heights: Vec<(f64, f64)> = points.map(|(x, weight)| (dot(x, axis), *weight)).collect();
        return of_heights(&heights, dim, degree);
    }
    let mut directions = Directions { dim, points: Vec::new(), weights: Vec::new() };
    for (x, weight) in points {
        let length = norm(x);
        directions.points.extend(x.iter().map(|component| component / length));
        directions.weights.push(*weight);
    }
    modes::amplitudes(&directions, degree)
}

/// Of heights over the axis of a symmetric law, and their weights: |sum_j w_j P_l(t_j)|, since the harmonics of order zero about the axis are all
/// that it has. With a = 1 for Chebyshev's polynomials, and a = (2 l + 1) / (2 l + 2) for Legendre's, P_{l+1} = 2 a t P_l - (2 a - 1) P_{l-1}.
fn of_heights(heights: &[(f64, f64)], dim: usize, degree: usize) -> Vec<f64> {
    let mut sums = vec![0.0; degree];
    for (t, weight) in heights {
        let (mut before, mut here) = (1.0, *t);
        for (l, sum) in (1..).zip(&mut sums) {
            *sum += weight * here;
            let twice = if dim == 2 { 2.0 } else { f64::from(2 * l + 1) / f64::from(l + 1) };
            (before, here) = (here, twice * t * here - (twice - 1.0) * before);
        }
    }
    sums.into_iter().map(f64::abs).collect()
}
