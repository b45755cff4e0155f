//! The harmonic algorithm, made ready for the heads of a problem.

use super::part::{Join, Part};
use crate::{
    backend::{
        BackendError, Care, Method,
        algorithm::{Plan, Reach},
    },
    exchange::added,
    harmonic::even_loss,
    problem::{Algorithm, Problem},
    sums::{
        harmonic::{Moments, Parts, Polynomials, Radial, Weights as ScaledWeights},
        instructions::Instructions,
        real::Real,
    },
    tokens::Weights,
};

/// How often sums are refined before they are given up.
const REFINEMENTS: u32 = 3;
/// By how many bits less cancellation may take after each time.
const FEWER_LOST: f64 = 2.0;

/// Harmonics are as exact as direct sums here, and worth it as soon as they are faster.
const FEWEST_PAIRS: f64 = 0.0;

pub(super) struct Harmonics<T> {
    pub(super) form: Form<T>,
    /// What takes over where sums of the form lose too much: the same in double precision, if they are not that already.
    wider: Option<Heads<f64>>,
    pub(super) tolerance: f64,
    /// [`Algorithm::Harmonic`] if nothing else will do, [`Algorithm::Auto`] if direct will.
    pub(super) asked: Algorithm,
    /// How often sums have been refined; tables start with two to it times as many cells.
    pub(super) refinements: u32,
}

/// The precision of the sums: that of the tokens, or double precision.
pub(super) enum Form<T> {
    Own(Heads<T>),
    Wide(Heads<f64>),
}

/// The kernels of all heads.
pub(super) struct Heads<U> {
    pub(super) radials: Radials<U>,
    pub(super) degree: usize,
    /// The bits that a row may lose to cancellation before its sums are taken otherwise.
    pub(super) most_lost: f64,
    /// Those that evenly spread tokens lose, and one: with fewer hardly a row would be left.
    least_lost: f64,
    weights: ScaledWeights<U>,
    dim: usize,
    /// Keys whose sums are added before those of others are.
    span: usize,
    pub(super) polynomials: Polynomials,
}

/// One a head. Series on the circle are evaluated at the nodes of a table only, in f64.
pub(super) enum Radials<U> {
    Circle(Vec<Radial<f64>>),
    Sphere(Vec<Radial<U>>),
}

impl<T: Real> Harmonics<T> {
    /// The harmonics for the tokens of `problem` in `part`, which have these `weights`, if [`Plan::choose`] takes them.
    pub(super) fn choose(problem: &Problem, part: &Part, weights: &Weights) -> Result<Option<Self>, BackendError> {
        let plan = |epsilon| Plan::choose(problem, T::PRECISION, epsilon, FEWEST_PAIRS);
        let wide = if T::EPSILON > f64::EPSILON { plan(f64::EPSILON)? } else { None };
        // However sums are taken, velocities are rounded in the end.
        let wide = wide.filter(|plan| plan.tolerance >= 0.5 * T::EPSILON);
        let wide = wide.map(|plan| (plan.tolerance, plan.asked, Heads::new(plan, part, weights)));
        Ok(match (plan(T::EPSILON), wide) {
            (Ok(Some(plan)), wide) => Some(Self {
                tolerance: plan.tolerance,
                asked: plan.asked,
                form: Form::Own(Heads::new(plan, part, weights)),
                wider: wide.map(|(.., heads)| heads),
                refinements: 0,
            }),
            (_, Some((tolerance, asked, heads))) => {
                Some(Self { form: Form::Wide(heads), wider: None, tolerance, asked, refinements: 0 })
            }
            (refusal, None) => return refusal.map(|_| None),
        })
    }

    pub(super) fn degree(&self) -> usize {
        match &self.form {
            Form::Own(heads) => heads.degree,
            Form::Wide(heads) => heads.degree,
        }
    }

    pub(super) fn most_lost(&self) -> f64 {
        match &self.form {
            Form::Own(heads) => heads.most_lost,
            Form::Wide(heads) => heads.most_lost,
        }
    }

    /// The method, of which an `error` has been seen.
    pub(super) fn method(&self, error: f64) -> Method {
        Method::Harmonic { degree: self.degree(), error, care: self.care() }
    }

    /// With how much care sums are taken.
    fn care(&self) -> Care {
        match &self.form {
            _ if self.refinements > 0 => Care::Refined,
            Form::Wide(_) => Care::Widened,
            Form::Own(_) => Care::Usual,
        }
    }

    /// From now on sums are taken with more care, if there is a way.
    pub(super) fn strengthen(&mut self) -> bool {
        if self.can_widen() {
            self.widen();
            return true;
        }
        if self.refinements == REFINEMENTS {
            return false;
        }
        self.refine();
        true
    }

    /// From now on less is left to cancellation, and tables are finer.
    pub(super) fn refine(&mut self) {
        self.refinements += 1;
        match &mut self.form {
            Form::Own(heads) => heads.refine(),
            Form::Wide(heads) => heads.refine(),
        }
    }

    /// Whether sums that lose too much are to be taken again after [`widen`](Self::widen).
    pub(super) fn can_widen(&self) -> bool {
        self.wider.is_some()
    }

    /// From now on sums are those of double precision.
    pub(super) fn widen(&mut self) {
        if let Some(heads) = self.wider.take() {
            self.form = Form::Wide(heads);
        }
    }
}

impl<U: Real> Heads<U> {
    fn new(plan: Plan, part: &Part, weights: &Weights) -> Self {
        let dim = part.shape.dim;
        let radials = match dim {
            2 => Radials::Circle(radials(2, &plan.heads)),
            dim => Radials::Sphere(radials(dim, &plan.heads)),
        };
        let longest = plan.heads.iter().map(|head| head.longest).fold(0.0, f64::max);
        let polynomials = Polynomials::choose(plan.degree + 1, longest);
        let Plan { degree, most_lost, .. } = plan;
        let least_lost = (even_loss(dim, longest) + 1.0).min(most_lost);
        let largest = |replica| part.largest_weight(replica);
        let weights = ScaledWeights::of(part.shape, weights, largest(0), largest);
        Self { radials, degree, most_lost, least_lost, weights, dim, span: part.span(), polynomials }
    }

    fn refine(&mut self) {
        self.most_lost = (self.most_lost - FEWER_LOST).max(self.least_lost);
    }

    /// The moments of all keys of one replica up to `degree`, from the `keys` that are held here.
    pub(super) fn moments<J: Join>(
        &self,
        instructions: Instructions,
        replica: usize,
        keys: impl Parts<U>,
        degree: usize,
        join: &J,
    ) -> Result<Moments, J::Error> {
        let weights = self.weights.replica(replica);
        let spans = Moments::spans(instructions, keys, weights, &self.polynomials, degree, self.span);
        let total = added(join.join(spans)?);
        Ok(Moments::of_total(self.dim, degree, weights.log2_scale, &self.polynomials, total))
    }
}

fn radials<U: Real>(dim: usize, heads: &[Reach]) -> Vec<Radial<U>> {
    let radial = |head: &Reach| match head.kappa {
        Some(kappa) => Radial::constant(dim, kappa, head.degree),
        None => Radial::varying(dim, head.longest, head.degree),
    };
    heads.iter().map(radial).collect()
}
