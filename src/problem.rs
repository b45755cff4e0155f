//! What is to be computed, with every question answered: the input of [`simulate`](crate::simulate::simulate).
//!
//! An experiment file resolves to a `Problem`; a library user may as well write one down directly.

mod check;
mod control;
mod decimal;
mod kept;
mod schedule;
mod sizes;
mod uneven;

pub use self::check::ProblemError;
pub(crate) use self::check::{needs_even_steps, needs_whole_steps};
pub(crate) use self::decimal::Decimal;
pub(crate) use self::uneven::MOST;
pub use self::{
    control::Control,
    schedule::{Samples, Schedule},
    uneven::{Growth, Uneven},
};
pub use crate::observables::Reference;
use crate::{
    diffusion::Diffusion,
    model::{Geometry, Mask, Model, ModelSchedule},
    observables::{Equation, Need, Quantity},
    scheme::Scheme,
    tokens::Tokens,
};

/// How the sums over all pairs of tokens are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// The fastest that serves the problem.
    Auto,
    /// Pair by pair: O(n^2), for every dimension, matrix and mask.
    Direct,
    /// By Fourier series on the circle and spherical harmonics on the sphere: O(n), to a tolerance.
    Harmonic,
}

/// Which steps a limit takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceSteps {
    /// Its own, whose error is controlled: the limit is where the equation leads, and the error of the tokens' steps is part of
    /// every comparison with it.
    Own,
    /// Those of the tokens, so that errors of steps cancel where tokens are compared with their coupled tokens.
    Tokens,
}

/// Tokens at time zero, the equation that moves them, how time advances, and what is measured on the way.
///
/// Backends compute what [`check`](Problem::check) passes, and refuse all else when they are made.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// At time zero.
    pub tokens: Tokens,
    /// The equation at time zero.
    pub model: Model,
    /// How the equation changes from then on.
    pub model_schedule: ModelSchedule,
    /// How a step is taken.
    pub scheme: Scheme,
    /// How many steps there are, and which are followed by an observation.
    pub schedule: Schedule,
    /// What is measured, in the order of its columns.
    pub quantities: Vec<Quantity>,
    /// How sums over pairs are taken.
    pub algorithm: Algorithm,
    /// The largest error of a velocity that the harmonic algorithm may leave; none given means 1e-6 in single and
    /// 1e-12 in double precision.
    pub tolerance: Option<f64>,
}

impl Problem {
    /// The same with tokens at these coordinates, ordered (replica, token, component).
    pub fn at(&self, coordinates: Vec<f64>) -> Self {
        let Self { tokens, model, model_schedule, scheme, schedule, quantities, algorithm, tolerance } = self;
        Self {
            tokens: Tokens { shape: tokens.shape, coordinates, weights: tokens.weights.clone() },
            model: model.clone(),
            model_schedule: model_schedule.clone(),
            scheme: *scheme,
            schedule: schedule.clone(),
            quantities: quantities.clone(),
            algorithm: *algorithm,
            tolerance: *tolerance,
        }
    }

    /// What observables know of it.
    pub fn equation(&self) -> Equation<'_> {
        Equation { tokens: &self.tokens, model: &self.model, model_schedule: &self.model_schedule }
    }

    /// Pairs (i, j) whose score one evaluation of the field computes, over all replicas and heads.
    pub fn pairs_per_evaluation(&self) -> u64 {
        let (shape, attention) = (self.tokens.shape, &self.model.attention);
        let sources = shape.sources() as u64;
        let others = if attention.mask == Mask::Others { sources } else { 0 };
        let seen = |token| attention.visible(token, shape.sources()).len() as u64;
        let among_sources = match (attention.mask, attention.window) {
            (Mask::None | Mask::Others, None) => sources * sources - others,
            (Mask::Causal, None) => sources * (sources + 1) / 2,
            (Mask::StrictlyCausal, None) => sources * (sources - 1) / 2,
            (_, Some(_)) => (0..shape.sources()).map(seen).sum::<u64>() - others,
        };
        let by_passive = match attention.window {
            None => shape.passive as u64 * sources,
            Some(_) => (shape.sources()..shape.count).map(seen).sum::<u64>(),
        };
        let of_replica = among_sources + by_passive;
        of_replica.saturating_mul(shape.replicas as u64 * attention.heads.len() as u64)
    }

    /// Whether one of its quantities needs this.
    pub(crate) fn needs(&self, need: Need) -> bool {
        self.quantities.iter().any(|quantity| quantity.needs(need))
    }

    /// Whether a measurement sums over pairs of tokens.
    pub fn observes_pairs(&self) -> bool {
        self.needs(Need::Energy) || self.needs(Need::Velocities)
    }

    /// Stages of a step: those of the scheme, and as many for the noise if it goes with them.
    pub fn slots(&self) -> usize {
        slots(self.scheme, self.fluctuates())
    }

    /// Whether there is noise in the stages of the scheme, because tokens have any length.
    pub fn fluctuates(&self) -> bool {
        self.model.noise.is_some() && self.model.geometry != Geometry::Sphere
    }

    /// What noise does before and after the stages of every step, because tokens are on the sphere.
    pub fn diffusion(&self) -> Option<Diffusion> {
        let noise = self.model.noise.as_ref().filter(|_| !self.fluctuates())?;
        Diffusion::new(noise, 0.5 * self.schedule.step(0), self.tokens.shape.dim)
    }

    /// Pairs (i, j) whose score one step computes.
    pub fn pairs_per_step(&self) -> u64 {
        self.pairs_per_evaluation().saturating_mul(self.scheme.tableau().stages() as u64)
    }
}

/// Stages of a step of a scheme, and as many for noise.
pub(crate) fn slots(scheme: Scheme, is_noisy: bool) -> usize {
    let stages = scheme.tableau().stages();
    if is_noisy { 2 * stages } else { stages }
}

#[cfg(test)]
mod tests;
