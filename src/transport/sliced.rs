//! Sliced Wasserstein distances: the mean over straight projections, each of which is a problem on the line.

use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::{
    Measure, Order, SortedProjection, TransportError,
    quantiles::{ONE, Quantiles, cost},
};
use crate::{
    random::{Purpose, Stream},
    vector::dot,
};

/// How far the length of a direction may be from one.
const UNIT: f64 = 1e-9;

/// An estimate of SW_p, and how far it may be off because directions were drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sliced {
    /// (mean over directions of W_p^p)^{1/p}.
    pub distance: f64,
    /// One standard deviation of `distance` over draws of directions, to first order (delta method).
    pub standard_error: f64,
}

impl Sliced {
    /// From the costs W_p^p along two directions or more.
    pub fn of(order: Order, costs: &[f64]) -> Self {
        let count = costs.len() as f64;
        let mean = costs.iter().sum::<f64>() / count;
        let variance = costs.iter().map(|cost| (cost - mean) * (cost - mean)).sum::<f64>() / (count - 1.0);
        let distance = order.root(mean);
        // d(m^{1/p}) = m^{1/p} dm / (p m); where all costs are zero there is nothing to be uncertain about.
        let slope = if mean > 0.0 { distance / (order.exponent() * mean) } else { 0.0 };
        Self { distance, standard_error: slope * (variance / count).sqrt() }
    }
}

/// SW_p = (mean over theta of W_p^p(<theta, a>, <theta, b>))^{1/p} over directions theta uniform on S^{d-1} (Bonneel, Rabin,
/// Peyre, Pfister, J. Math. Imaging Vis. 51, 2015), estimated from `projections` random ones.
///
/// Chordal: lengths of projections, so that SW_p <= W_p, and SW_2 <= W_2 / sqrt(d). SW_p^p is estimated without bias, SW_2
/// itself slightly low. The same seed draws the same directions for any pair of measures.
pub fn wasserstein(
    order: Order,
    a: &Measure<'_>,
    b: &Measure<'_>,
    projections: u32,
    seed: u64,
) -> Result<Sliced, TransportError> {
    one(order, a, &Slices::new(*b, projections, seed)?)
}

/// The same from given directions, row-major (direction, component), each of length one.
pub fn along(order: Order, a: &Measure<'_>, b: &Measure<'_>, directions: &[f64]) -> Result<Sliced, TransportError> {
    one(order, a, &Slices::along(*b, directions.to_vec())?)
}

fn one(order: Order, a: &Measure<'_>, b: &Slices<'_>) -> Result<Sliced, TransportError> {
    let costs = b.costs(order, std::slice::from_ref(a))?;
    Ok(Sliced::of(order, &costs))
}

/// A measure, and the directions along which others are compared with it.
///
/// Along each its projections are sorted once for all others. They are not kept from one direction to the next: a million
/// points along 256 directions would be gigabytes.
pub struct Slices<'a> {
    law: Law<'a>,
    dim: usize,
    /// Row-major (direction, component).
    directions: Vec<f64>,
}

/// What others are compared with.
enum Law<'a> {
    Points(Measure<'a>),
    /// So many numbers of equal mass along each direction, in increasing order.
    Quantiles(usize, Along<'a>),
}

/// The numbers along a direction.
type Along<'a> = Box<dyn Fn(&[f64]) -> Vec<f64> + Sync + 'a>;

impl<'a> Slices<'a> {
    /// Along `projections` random directions, which the same seed draws for any measure of that dimension.
    pub fn new(measure: Measure<'a>, projections: u32, seed: u64) -> Result<Self, TransportError> {
        if projections < 2 {
            return Err(TransportError::Projections { count: projections as usize });
        }
        Self::along(measure, directions(measure.dim(), projections, seed))
    }

    /// The same for a law on R^dim that `quantiles` knows along every direction: `count` numbers of equal mass in increasing order.
    pub fn of_quantiles(
        dim: usize,
        projections: u32,
        seed: u64,
        count: usize,
        quantiles: impl Fn(&[f64]) -> Vec<f64> + Sync + 'a,
    ) -> Result<Self, TransportError> {
        if projections < 2 {
            return Err(TransportError::Projections { count: projections as usize });
        }
        let directions = directions(dim, projections, seed);
        Ok(Self { law: Law::Quantiles(count, Box::new(quantiles)), dim, directions })
    }

    /// Along given directions, row-major (direction, component), each of length one.
    pub fn along(measure: Measure<'a>, directions: Vec<f64>) -> Result<Self, TransportError> {
        let dim = measure.dim();
        let is_unit = |direction: &[f64]| (dot(direction, direction).sqrt() - 1.0).abs() <= UNIT;
        let rows = directions.chunks_exact(dim);
        if rows.len() < 2 || !rows.remainder().is_empty() || !rows.into_iter().all(is_unit) {
            return Err(TransportError::Directions { numbers: directions.len(), dim });
        }
        Ok(Self { law: Law::Points(measure), dim, directions })
    }

    /// Row-major (direction, component).
    pub fn directions(&self) -> &[f64] {
        &self.directions
    }

    /// Points of the measure along each direction.
    pub fn count(&self) -> usize {
        match &self.law {
            Law::Points(measure) => measure.count(),
            Law::Quantiles(count, _) => *count,
        }
    }

    /// The projections of the measure on the direction of that number.
    pub fn line(&self, direction: usize) -> SortedProjection {
        let Quantiles { values, ends } = self.projected(&self.directions[direction * self.dim..][..self.dim]);
        SortedProjection { values, ends: ends.into_iter().map(|end| end as f64 / ONE as f64).collect() }
    }

    /// W_p^p of the projections of each of `others`, ordered (measure, direction).
    pub fn costs(&self, order: Order, others: &[Measure<'_>]) -> Result<Vec<f64>, TransportError> {
        for other in others {
            if other.dim() != self.dim {
                return Err(TransportError::Dimensions { a: other.dim(), b: self.dim });
            }
        }
        let of_direction = |direction: &[f64]| {
            if others.iter().any(Measure::is_cancelled) {
                return vec![0.0; others.len()];
            }
            let own = self.projected(direction);
            others.iter().map(|other| cost(order, &projected(other, direction), &own)).collect::<Vec<f64>>()
        };
        let costs: Vec<Vec<f64>> = self.directions.par_chunks_exact(self.dim).map(of_direction).collect();
        others.iter().try_for_each(Measure::require_completed)?;
        Ok((0..others.len()).flat_map(|other| costs.iter().map(move |costs| costs[other])).collect())
    }
}

impl Slices<'_> {
    /// The law along a direction.
    fn projected(&self, direction: &[f64]) -> Quantiles {
        match &self.law {
            Law::Points(measure) => projected(measure, direction),
            Law::Quantiles(_, quantiles) => Quantiles::equal(quantiles(direction)),
        }
    }
}

fn projected(measure: &Measure<'_>, direction: &[f64]) -> Quantiles {
    let values: Vec<f64> = measure.points().map(|point| dot(point, direction)).collect();
    Quantiles::new(measure, &values)
}

/// `count` uniform directions of R^dim, row-major: normalised Gaussian vectors.
pub fn directions(dim: usize, count: u32, seed: u64) -> Vec<f64> {
    let direction = |index| {
        let mut stream = Stream::new(seed, 0, index, Purpose::Projection);
        let mut vector: Vec<f64> = (0..dim).map(|_| StandardNormal.sample(&mut stream)).collect();
        let length = dot(&vector, &vector).sqrt();
        vector.iter_mut().for_each(|component| *component /= length);
        vector
    };
    (0..count).flat_map(direction).collect()
}
