//! The directions x_j / |x_j| of tokens of positive weight: what overlaps, clusters and modes are made of.

use super::{
    equation::Equation,
    objection::{Objection, Setup},
};
use crate::vector::norm;

/// Where a direction does not say where a token is.
pub fn objection(setup: &Setup) -> Option<Objection> {
    let apart = || {
        Objection::new(
            "clusters, limit_modes, modes, overlap_histogram, overlap_share and renyi_centres are of directions, and tokens of one direction may be far apart in R^d",
            "leave them out",
        )
    };
    (!setup.has_directions).then(apart)
}

/// Unit vectors and their weights.
#[derive(Clone, Debug)]
pub struct Directions {
    pub dim: usize,
    /// Row-major (token, component).
    pub points: Vec<f64>,
    pub weights: Vec<f64>,
}

impl Directions {
    /// Those of one replica whose tokens are `tokens`, in their order.
    pub fn at(equation: &Equation, replica: usize, tokens: &[f64]) -> Self {
        let (shape, mut directions) = (equation.tokens.shape, Self::none(equation.tokens.shape.dim));
        for (token, x) in tokens.chunks_exact(shape.dim).take(shape.sources()).enumerate() {
            let weight = equation.tokens.weight(replica, token);
            if weight > 0.0 {
                let length = norm(x);
                directions.points.extend(x.iter().map(|component| component / length));
                directions.weights.push(weight);
            }
        }
        directions
    }

    fn none(dim: usize) -> Self {
        Self { dim, points: Vec::new(), weights: Vec::new() }
    }

    /// Those at `places`.
    pub fn only(&self, places: &[usize]) -> Self {
        Self {
            dim: self.dim,
            points: places.iter().flat_map(|place| self.point(*place)).copied().collect(),
            weights: places.iter().map(|place| self.weights[*place]).collect(),
        }
    }

    pub fn count(&self) -> usize {
        self.weights.len()
    }

    pub fn point(&self, index: usize) -> &[f64] {
        &self.points[index * self.dim..][..self.dim]
    }
}
