//! Which algorithm sums over the keys: pair by pair, or by harmonics where that pays and is exact enough.

use std::iter::successors;

use super::{BackendError, Precision};
use crate::{
    harmonic::{degree, even_loss, floor, is_affordable, spare},
    model::{Attention, Head, Model},
    problem::{Algorithm, Problem},
    tokens::Tokens,
};

/// Work for each harmonic of a token, passes over keys and queries together, in units of one pair of the direct
/// reduction, by dimension (2, 3). Above what `benches/scaling.py` finds, so that harmonics are not taken where they might lose.
const COST: [f64; 2] = [3.0, 2.0];
/// Work for a token whatever the degree, in the same units.
const OVERHEAD: f64 = 100.0;
/// Harmonics must promise this gain before `auto` takes them.
const GAIN: f64 = 4.0;
/// The most bits by which the tail of an expansion is pushed below what evenly spread tokens need, for the sake of others.
const SPARE: f64 = 10.0;
/// Bounds on the error of a block of queries may exceed the tolerance by this factor: errors fall that far below bounds.
const SLACK: f64 = 8.0;

/// How far the expansions of a problem go, and what they may lose.
pub(super) struct Plan {
    /// One a head.
    pub(super) heads: Vec<Reach>,
    /// The largest degree of a head.
    pub(super) degree: usize,
    pub(super) tolerance: f64,
    /// The error of a sum relative to e^kappa sum_j w_j.
    pub(super) floor: f64,
    /// The bits that a query may lose to cancellation before its sums can no longer be trusted.
    pub(super) most_lost: f64,
    /// [`Algorithm::Harmonic`] if nothing else will do, [`Algorithm::Auto`] if direct will.
    pub(super) asked: Algorithm,
}

/// The queries of one head, and the degree that they need.
pub(super) struct Reach {
    /// |beta A^T x| where it is the same for all unit tokens, that is for A = c I.
    pub(super) kappa: Option<f64>,
    /// beta |A|_2, which no |beta A^T x| exceeds.
    pub(super) longest: f64,
    pub(super) degree: usize,
    /// The error of a sum relative to e^kappa sum_j w_j.
    floor: f64,
}

impl Reach {
    /// For velocities within `tolerance` where tokens are spread evenly, and where they are sparser as far as degrees below the
    /// rounding by `epsilon` are affordable; none if no affordable degree does the former.
    fn new(attention: &Attention, head: &Head, dim: usize, tolerance: f64, epsilon: f64) -> Option<Self> {
        let beta = attention.beta_of(head);
        let kappa = head.query_key.multiple_of_identity().map(|factor| beta * factor.abs());
        let longest = kappa.unwrap_or_else(|| beta * head.query_key.spectral_norm(dim));
        if !is_affordable(dim, longest) {
            return None;
        }
        let spare = spare(dim, longest, tolerance, epsilon).min(SPARE);
        let reach = |tolerance| {
            let floor = floor(dim, longest, tolerance, epsilon);
            Some(Self { kappa, longest, degree: degree(dim, longest, tolerance)?, floor })
        };
        let fewer = |spare: &f64| (*spare > 0.0).then(|| (spare - 1.0).max(0.0));
        successors(Some(spare), fewer).find_map(|spare| reach(tolerance * (-spare).exp2()))
    }
}

impl Plan {
    /// The harmonics for `problem` in arithmetic of relative error `epsilon`, if its algorithm asks for them or `auto`
    /// expects to gain by them, which takes more than `fewest_pairs` in one evaluation.
    ///
    /// Fails, where it asks for them, with `TooManyHarmonics` if no affordable degree meets the tolerance, and with
    /// `AboveTolerance` if rounding does not.
    pub(super) fn choose(
        problem: &Problem,
        precision: Precision,
        epsilon: f64,
        fewest_pairs: f64,
    ) -> Result<Option<Self>, BackendError> {
        let (asked, shape, attention) = (problem.algorithm, problem.tokens.shape, &problem.model.attention);
        let dim = shape.dim;
        if asked == Algorithm::Harmonic && !matches!(dim, 2 | 3) {
            return Err(BackendError::TooManyHarmonics);
        }
        if asked == Algorithm::Direct || !serves(problem) {
            return Ok(None);
        }
        let tolerance = problem.tolerance.unwrap_or(match precision {
            Precision::Half | Precision::Single => 1e-6,
            Precision::Double => 1e-12,
        });
        // What direct sums do not hold either is no reason to take them.
        let tolerance = if asked == Algorithm::Harmonic { tolerance } else { tolerance.max(held(precision)) };
        let reach = |head| Reach::new(attention, head, dim, tolerance, epsilon);
        let Some(heads) = attention.heads.iter().map(reach).collect::<Option<Vec<Reach>>>() else {
            return if asked == Algorithm::Harmonic { Err(BackendError::TooManyHarmonics) } else { Ok(None) };
        };
        let degree = heads.iter().map(|head| head.degree).max().unwrap_or(0);
        let kappa = heads.iter().map(|head| head.longest).fold(0.0, f64::max);
        // Rows of the longest queries lose the most.
        let floor = heads.iter().max_by(|a, b| a.longest.total_cmp(&b.longest)).map_or(0.0, |head| head.floor);
        let most_lost = (SLACK * tolerance / floor).log2();
        // Close to the limit half of all tokens are summed pair by pair after all: only who insists gets that.
        let reserve = if asked == Algorithm::Harmonic { 0.0 } else { 1.0 };
        if even_loss(dim, kappa) + reserve > most_lost {
            let error = floor * even_loss(dim, kappa).exp2();
            let refusal = Err(BackendError::AboveTolerance { error, tolerance });
            return if asked == Algorithm::Harmonic { refusal } else { Ok(None) };
        }
        let gains = GAIN * work(dim, degree) < shape.sources() as f64;
        let worth_it = problem.pairs_per_evaluation() as f64 > fewest_pairs;
        let plan = Self { heads, degree, tolerance, floor, most_lost, asked };
        Ok((asked == Algorithm::Harmonic || (gains && worth_it)).then_some(plan))
    }

    /// The same plan with no degree beyond `most`.
    pub(super) fn cut(mut self, most: usize) -> Self {
        self.heads.iter_mut().for_each(|head| head.degree = head.degree.min(most));
        self.degree = self.degree.min(most);
        self
    }
}

/// The error of a velocity, in units of the largest if that exceeds one, that direct sums leave in this precision: two units in the
/// last place. A velocity, and the token that it is the velocity of, are rounded by half a unit each; samples of up to 30,000 tokens
/// were off by up to 1.3 in single precision, at any beta. In double precision what they are held against is rounded as well: four, and
/// three have been seen.
pub(super) fn held(precision: Precision) -> f64 {
    match precision {
        Precision::Half | Precision::Single => 2.0 * f64::from(f32::EPSILON),
        Precision::Double => 4.0 * f64::EPSILON,
    }
}

/// Whether expansions know the terms of a problem: attention to all, with square matrices that stay as they are, of unit tokens.
fn serves(problem: &Problem) -> bool {
    // Steps, observables and noise change nothing in one sum, and a perceptron is added to it; who calls has read the algorithm.
    let Problem { tokens, model, model_schedule, scheme: _, schedule: _, quantities: _, algorithm: _, tolerance: _ } =
        problem;
    let Tokens { shape, coordinates: _, weights: _ } = tokens;
    let Model { geometry, attention, perceptron: _, noise: _, frozen: _ } = model;
    // `is_plain` decides of all but the matrices.
    let Attention { beta: _, beta_factors: _, normalization: _, mask: _, window: _, position: _, heads } = attention;
    matches!(shape.dim, 2 | 3)
        && model_schedule.is_constant()
        && geometry.is_unit()
        && attention.is_plain()
        && !heads.iter().any(Head::has_products)
}

/// Work for one token and head, in pairs of the direct reduction.
fn work(dim: usize, degree: usize) -> f64 {
    let degrees = degree as f64 + 2.0;
    let harmonics = if dim == 2 { degrees } else { degrees * degrees / 2.0 };
    OVERHEAD + COST[dim - 2] * harmonics
}
