//! A weighted cloud as distances see it: points, and masses that sum to one.

use super::TransportError;
use crate::{
    cancel::Cancel,
    tokens::{Shape, Tokens, Weights},
};

/// How far the sum of weights may be from one: they may have been rounded to single precision.
const TOTAL: f64 = 1e-5;

/// The masses of the points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Masses<'a> {
    /// 1 / count each.
    Equal,
    /// One a point, none negative, their sum one to 1e-5; they are divided by it.
    Each(&'a [f64]),
}

/// The measure sum_j w_j delta_{x_j} on R^dim.
#[derive(Clone, Copy, Debug)]
pub struct Measure<'a> {
    coordinates: &'a [f64],
    dim: usize,
    masses: Masses<'a>,
    /// What the masses are divided by.
    total: f64,
    cancel: Option<&'a Cancel>,
}

impl<'a> Measure<'a> {
    /// `coordinates` are row-major (point, component).
    pub fn new(coordinates: &'a [f64], dim: usize, masses: Masses<'a>) -> Result<Self, TransportError> {
        if dim == 0 || coordinates.is_empty() || !coordinates.len().is_multiple_of(dim) {
            return Err(TransportError::Coordinates { numbers: coordinates.len(), dim });
        }
        if let Some((index, value)) = coordinates.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(TransportError::NotFinite { point: index / dim, place: index % dim, value: *value });
        }
        let mut measure = Self { coordinates, dim, masses, total: 1.0, cancel: None };
        if let Masses::Each(masses) = masses {
            if masses.len() != measure.count() {
                return Err(TransportError::Weights { found: masses.len(), count: measure.count() });
            }
            let good = |mass: f64| mass >= 0.0 && mass.is_finite();
            if let Some((point, value)) = masses.iter().enumerate().find(|(_, mass)| !good(**mass)) {
                return Err(TransportError::Weight { point, value: *value });
            }
            measure.total = masses.iter().sum();
            if (measure.total - 1.0).abs() > TOTAL {
                return Err(TransportError::Total { sum: measure.total });
            }
        }
        Ok(measure)
    }

    /// The tokens of one replica; passive ones are no part of the measure.
    pub fn of(tokens: &'a Tokens, replica: usize) -> Result<Self, TransportError> {
        Self::later(tokens, &tokens.coordinates, replica)
    }

    /// The same when the tokens have moved to `coordinates`, ordered (replica, token, component).
    pub fn later(tokens: &'a Tokens, coordinates: &'a [f64], replica: usize) -> Result<Self, TransportError> {
        let Shape { count, dim, .. } = tokens.shape;
        let sources = tokens.shape.sources();
        let masses = match &tokens.weights {
            Weights::Equal => Masses::Equal,
            Weights::Each(weights) => Masses::Each(&weights[replica * count..][..sources]),
        };
        Self::new(&coordinates[replica * count * dim..][..sources * dim], dim, masses)
    }

    /// The same, of which distances end with [`TransportError::Cancelled`] soon after `cancel` is requested. (The pairing of an
    /// assignment, and the sort on the circle, do not: they are done within seconds.)
    pub fn ending_with(self, cancel: &'a Cancel) -> Self {
        Self { cancel: Some(cancel), ..self }
    }

    pub(super) fn cancel(&self) -> Cancel {
        self.cancel.cloned().unwrap_or_default()
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_some_and(Cancel::is_requested)
    }

    /// An error if what was just computed was not completed.
    pub(super) fn require_completed(&self) -> Result<(), TransportError> {
        if self.is_cancelled() { Err(TransportError::Cancelled) } else { Ok(()) }
    }

    /// The number of points.
    pub fn count(&self) -> usize {
        self.coordinates.len() / self.dim
    }

    /// The dimension of the space.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// As they were given.
    pub fn masses(&self) -> Masses<'a> {
        self.masses
    }

    /// x_j, in their order.
    pub fn points(&self) -> impl Iterator<Item = &'a [f64]> + use<'a> {
        self.coordinates.chunks_exact(self.dim)
    }

    /// w_j, of sum one.
    pub fn weight(&self, point: usize) -> f64 {
        match self.masses {
            Masses::Equal => 1.0 / self.count() as f64,
            Masses::Each(masses) => masses[point] / self.total,
        }
    }

    /// sum_j w_j f(x_j).
    pub(crate) fn mean(&self, f: impl Fn(&[f64]) -> f64) -> f64 {
        self.points().enumerate().map(|(index, point)| self.weight(index) * f(point)).sum()
    }

    /// The points of positive mass, row-major, and their masses.
    pub(super) fn support(&self) -> (Vec<f64>, Vec<f64>) {
        let heavy = self.points().enumerate().filter(|(index, _)| self.weight(*index) > 0.0);
        let (mut points, mut weights) =
            (Vec::with_capacity(self.coordinates.len()), Vec::with_capacity(self.count()));
        for (index, point) in heavy {
            points.extend_from_slice(point);
            weights.push(self.weight(index));
        }
        (points, weights)
    }

    /// The dimension of the space that both live in.
    pub(super) fn common_dim(&self, other: &Measure<'_>) -> Result<usize, TransportError> {
        if self.dim == other.dim {
            Ok(self.dim)
        } else {
            Err(TransportError::Dimensions { a: self.dim, b: other.dim })
        }
    }
}

/// |x - y|^2.
pub(super) fn squared_distance(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum()
}
