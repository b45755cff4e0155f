//! The harmonic algorithm, made ready for the heads of a problem.

use super::{
    harmonic::{Expansion, Moments, Radial},
    instructions::Instructions,
    keys::Keys,
    real::Real,
};
use crate::{
    backend::{BackendError, algorithm::Plan},
    problem::{Algorithm, Problem},
};

pub(super) struct Harmonics<T> {
    /// One a head.
    radials: Vec<Radial<T>>,
    pub(super) degree: usize,
    pub(super) tolerance: f64,
    /// The bits that a block of queries may lose to cancellation before its sums are taken pair by pair.
    pub(super) most_lost: f64,
    /// [`Algorithm::Harmonic`] if nothing else will do, [`Algorithm::Auto`] if direct will.
    pub(super) asked: Algorithm,
}

impl<T: Real> Harmonics<T> {
    /// The harmonics for `problem`, if [`Plan::choose`] takes them.
    pub(super) fn choose(problem: &Problem) -> Result<Option<Self>, BackendError> {
        let dim = problem.tokens.shape.dim;
        let Some(plan) = Plan::choose(problem, T::PRECISION, T::EPSILON)? else { return Ok(None) };
        let radials = plan.heads.iter().map(|head| match head.kappa {
            Some(kappa) => Radial::constant(dim, kappa, head.degree),
            None => Radial::varying(dim, head.longest, head.degree),
        });
        let radials = radials.collect();
        let Plan { degree, tolerance, most_lost, asked, .. } = plan;
        Ok(Some(Self { radials, degree, tolerance, most_lost, asked }))
    }

    /// The expansion of each head over the keys of one replica.
    pub(super) fn expansions(&self, instructions: Instructions, keys: Keys<'_, T>) -> Vec<Expansion<'_, T>> {
        let moments = Moments::new(instructions, keys, self.degree + 1);
        self.radials.iter().map(|radial| Expansion::new(&moments, radial)).collect()
    }
}
