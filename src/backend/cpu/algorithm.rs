//! Which algorithm sums over the keys: pair by pair, or by harmonics where that pays and is exact enough.

use super::{
    field::HeadField,
    harmonic::{Moments, Radial, Weights, degree, even_loss, floor},
    instructions::Instructions,
    keys::Keys,
    real::Real,
};
use crate::{
    backend::{BackendError, Precision},
    model::Mask,
    problem::{Algorithm, Problem},
};

/// Work for each harmonic of a token, passes over keys and queries together, in units of one pair of the direct
/// reduction, by dimension (2, 3). Measured with `tokenfield bench`; the choice leaves a factor of four to chance.
const COST: [f64; 2] = [3.0, 2.0];
/// Work for a token whatever the degree, in the same units.
const OVERHEAD: f64 = 100.0;
/// Harmonics must promise this gain before `auto` takes them.
const GAIN: f64 = 4.0;
/// Pairs of one evaluation, half a minute's work of a few cores, below which `auto` stays with direct sums in single
/// precision: rounding in the harmonics leaves several times the error of direct sums.
const PATIENCE: f64 = 2e11;
/// Bounds on the error of a block of queries may exceed the tolerance by this factor: errors fall that far below bounds.
const SLACK: f64 = 8.0;

/// The harmonic algorithm, made ready for the heads of a problem.
pub(super) struct Harmonics<T> {
    pub(super) radials: Radials<T>,
    pub(super) degree: usize,
    pub(super) tolerance: f64,
    /// The bits that a row may lose to cancellation before its sums are taken pair by pair.
    pub(super) most_lost: f64,
    /// [`Algorithm::Harmonic`] if nothing else will do, [`Algorithm::Auto`] if direct will.
    pub(super) asked: Algorithm,
    weights: Weights<T>,
}

/// One a head. Series on the circle are evaluated at the nodes of a table only, in f64.
pub(super) enum Radials<T> {
    Circle(Vec<Radial<f64>>),
    Sphere(Vec<Radial<T>>),
}

impl<T: Real> Harmonics<T> {
    /// The harmonics for `problem`, if its algorithm asks for them or `auto` expects to gain by them.
    pub(super) fn choose(problem: &Problem, heads: &[HeadField<T>]) -> Result<Option<Self>, BackendError> {
        let (asked, dim) = (problem.algorithm, problem.tokens.shape.dim);
        if asked == Algorithm::Direct || problem.model.attention.mask != Mask::None {
            return Ok(None);
        }
        let tolerance = problem.tolerance.unwrap_or(match T::PRECISION {
            Precision::Single => 1e-6,
            Precision::Double => 1e-12,
        });
        let degrees: Option<Vec<usize>> =
            heads.iter().map(|head| degree(dim, head.longest_query, tolerance)).collect();
        let Some(degrees) = degrees else {
            return if asked == Algorithm::Harmonic { Err(BackendError::TooManyHarmonics) } else { Ok(None) };
        };
        let kappa = heads.iter().map(|head| head.longest_query).fold(0.0, f64::max);
        let floor = floor(dim, kappa, tolerance, T::EPSILON);
        let most_lost = (SLACK * tolerance / floor).log2();
        if even_loss(dim, kappa) > most_lost {
            let error = floor * even_loss(dim, kappa).exp2();
            let refusal = Err(BackendError::AboveTolerance { error, tolerance });
            return if asked == Algorithm::Harmonic { refusal } else { Ok(None) };
        }
        let degree = degrees.iter().copied().max().unwrap_or(0);
        let gains = GAIN * work(dim, degree) < problem.tokens.shape.sources() as f64;
        let worth_it = match T::PRECISION {
            Precision::Single => problem.pairs_per_evaluation() as f64 > PATIENCE,
            Precision::Double => true,
        };
        let harmonics = || Self {
            radials: match dim {
                2 => Radials::Circle(radials(dim, heads, &degrees)),
                _ => Radials::Sphere(radials(dim, heads, &degrees)),
            },
            degree,
            tolerance,
            most_lost,
            asked,
            weights: Weights::new(&problem.tokens),
        };
        Ok((asked == Algorithm::Harmonic || (gains && worth_it)).then(harmonics))
    }

    /// The moments of the keys of one replica, one degree further than the expansions.
    pub(super) fn moments(&self, instructions: Instructions, replica: usize, keys: Keys<'_, T>) -> Moments {
        Moments::new(instructions, keys, self.weights.replica(replica), self.degree + 1)
    }
}

fn radials<T: Real, U: Real>(dim: usize, heads: &[HeadField<T>], degrees: &[usize]) -> Vec<Radial<U>> {
    let radial = |(head, degree): (&HeadField<T>, &usize)| match head.query_factor() {
        Some(factor) => Radial::constant(dim, factor.abs(), *degree),
        None => Radial::varying(dim, head.longest_query, *degree),
    };
    heads.iter().zip(degrees).map(radial).collect()
}

/// Work for one token and head, in pairs of the direct reduction.
fn work(dim: usize, degree: usize) -> f64 {
    let degrees = degree as f64 + 2.0;
    let harmonics = if dim == 2 { degrees } else { degrees * degrees / 2.0 };
    OVERHEAD + COST[dim - 2] * harmonics
}
