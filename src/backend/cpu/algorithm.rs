//! The harmonic algorithm, made ready for the heads of a problem.

use super::{
    harmonic::{Moments, Polynomials, Radial, Weights},
    instructions::Instructions,
    keys::Keys,
    real::Real,
};
use crate::{
    backend::{
        BackendError,
        algorithm::{Plan, Reach},
    },
    problem::{Algorithm, Problem},
};

/// Harmonics are as exact as direct sums here, and worth it as soon as they are faster.
const FEWEST_PAIRS: f64 = 0.0;

pub(super) struct Harmonics<T> {
    pub(super) radials: Radials<T>,
    pub(super) degree: usize,
    pub(super) tolerance: f64,
    /// The bits that a row may lose to cancellation before its sums are taken pair by pair.
    pub(super) most_lost: f64,
    /// [`Algorithm::Harmonic`] if nothing else will do, [`Algorithm::Auto`] if direct will.
    pub(super) asked: Algorithm,
    weights: Weights<T>,
    pub(super) polynomials: Polynomials,
}

/// One a head. Series on the circle are evaluated at the nodes of a table only, in f64.
pub(super) enum Radials<T> {
    Circle(Vec<Radial<f64>>),
    Sphere(Vec<Radial<T>>),
}

impl<T: Real> Harmonics<T> {
    /// The harmonics for `problem`, if [`Plan::choose`] takes them.
    pub(super) fn choose(problem: &Problem) -> Result<Option<Self>, BackendError> {
        let Some(plan) = Plan::choose(problem, T::PRECISION, T::EPSILON, FEWEST_PAIRS)? else { return Ok(None) };
        let radials = match problem.tokens.shape.dim {
            2 => Radials::Circle(radials(2, &plan.heads)),
            dim => Radials::Sphere(radials(dim, &plan.heads)),
        };
        let longest = plan.heads.iter().map(|head| head.longest).fold(0.0, f64::max);
        let polynomials = Polynomials::choose(plan.degree + 1, longest);
        let Plan { degree, tolerance, most_lost, asked, .. } = plan;
        let weights = Weights::new(&problem.tokens);
        Ok(Some(Self { radials, degree, tolerance, most_lost, asked, weights, polynomials }))
    }

    /// The moments of the keys of one replica up to `degree`.
    pub(super) fn moments(
        &self,
        instructions: Instructions,
        replica: usize,
        keys: Keys<'_, T>,
        degree: usize,
    ) -> Moments {
        Moments::new(instructions, keys, self.weights.replica(replica), (&self.polynomials, degree))
    }
}

fn radials<U: Real>(dim: usize, heads: &[Reach]) -> Vec<Radial<U>> {
    let radial = |head: &Reach| match head.kappa {
        Some(kappa) => Radial::constant(dim, kappa, head.degree),
        None => Radial::varying(dim, head.longest, head.degree),
    };
    heads.iter().map(radial).collect()
}
