//! The Sinkhorn divergence: entropic transport without its bias, by the reduction of attention.
//!
//! Transport of cost c(x, y) with an entropy,
//!
//! ```text
//! OT(a, b) = min_pi int c dpi + epsilon KL(pi | a x b) = max_{f, g} int f da + int g db - epsilon (int e^{(f + g - c) / epsilon} da db - 1)
//! ```
//!
//! is more than zero from a measure to itself; the divergence S(a, b) = OT(a, b) - OT(a, a) / 2 - OT(b, b) / 2 is not (Feydy,
//! Sejourne, Vialard, Amari, Trouve, Peyre, AISTATS 2019). Terms of c that depend on x alone or y alone only move f and g and
//! cancel in S, so that the costs 1 - <x, y>, |x - y|^2 / 2 and -<x, y> have one divergence. With the last of them a half-step
//!
//! ```text
//! f_i = -epsilon ln sum_j b_j e^{(<x_i, y_j> + g_j) / epsilon}
//! ```
//!
//! is attention's log Z at beta = 1 / epsilon with a dual potential as bias.

use std::borrow::Cow;

use rayon::prelude::*;

use super::{Measure, TransportError, error::positive, measure::squared_distance};
use crate::{
    cancel::Cancel,
    sums::sources::{Sources, are_unit, by_harmonics},
};

/// By how much epsilon shrinks from one stage of the annealing to the next.
const ANNEALING: f64 = 0.25;

/// What the sums of a half-step may be off: potentials then are by this times epsilon, far less than any tolerance leaves.
const ACCURACY: f64 = 1e-11;

/// The least epsilon, in units of the largest |x|^2 of a point: below, the rounding of a cost is more than 1e-6 of epsilon, and
/// plans of that accuracy are not to be had, however long iterations go on.
pub const LEAST: f64 = 1e-9;

/// Unit vectors are narrow within this distance from their mean.
const NARROW: f64 = 1.0;

/// How much entropy, and when to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sinkhorn {
    /// The weight of the entropy, in units of the cost: a squared length.
    pub epsilon: f64,
    /// The most that the marginals of the plan may be off, in total variation (sum of absolute differences of masses). The
    /// value is better than this by its square: duals are flat at their maximum.
    pub tolerance: f64,
    /// The most iterations of one of the three problems at the final epsilon.
    pub iterations: u32,
}

/// S(a, b) and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Divergence {
    /// S >= 0 in units of the cost |x - y|^2 / 2, which is 1 - <x, y> on the sphere: 0 for a = b, W_2^2 / 2 (chordal) as
    /// epsilon -> 0 and |mean a - mean b|^2 / 2 as epsilon -> infinity.
    pub value: f64,
    /// Iterations at the final epsilon, of the slowest of the three problems.
    pub iterations: u32,
    /// The largest error of a marginal when iterations stopped.
    pub marginal_error: f64,
}

/// The debiased entropic cost of transport between `a` and `b`, in O(n^2) an iteration and O(n) memory; on the circle and the sphere, where
/// harmonics serve, in O(n L^{d-1}), L being about (2 / epsilon)^{1/2} times a few.
///
/// It takes a few times (diameter^2 / epsilon)^{1/2} iterations, more where the clouds are far from uniform; not to reach the tolerance is an
/// error.
pub fn divergence(a: &Measure<'_>, b: &Measure<'_>, settings: Sinkhorn) -> Result<Divergence, TransportError> {
    let dim = a.common_dim(b)?;
    positive("epsilon", settings.epsilon, 0.01)?;
    positive("tolerance", settings.tolerance, 1e-6)?;
    let shift = shift(a, b);
    let longest = farthest(a, &shift).max(farthest(b, &negative(&shift)));
    let stay =
        is_unit(a) && is_unit(b) && by_harmonics(dim, longest / settings.epsilon, a.count(), b.count(), ACCURACY);
    // Scores of clouds around the origin are small, and lose little to rounding; unit vectors are left where harmonics know them.
    let middle = |c: usize| 0.5 * (a.mean(|x| x[c]) + b.mean(|y| y[c]));
    let origin = vec![0.0; dim];
    let (centre, shift) = if stay { (origin, shift) } else { ((0..dim).map(middle).collect(), origin) };
    let (a, b) = (Marginal::new(a, &centre), Marginal::new(b, &centre));
    let cross = between(&a, &b, &shift, settings)?;
    let (own_a, own_b) = (within(&a, dim, settings)?, within(&b, dim, settings)?);
    let value = cross.value - 0.5 * (own_a.value + own_b.value);
    let all = [cross, own_a, own_b];
    let iterations = all.iter().map(|entropic| entropic.iterations).max().unwrap_or(0);
    let marginal_error = all.iter().map(|entropic| entropic.marginal_error).fold(0.0, f64::max);
    Ok(Divergence { value, iterations, marginal_error })
}

/// What takes b to a, if both are narrow: mean a - mean b. Nothing otherwise.
fn shift(a: &Measure<'_>, b: &Measure<'_>) -> Vec<f64> {
    let [mean_a, mean_b] = [a, b].map(|measure| (0..a.dim()).map(|c| measure.mean(|x| x[c])).collect::<Vec<_>>());
    let is_narrow = farthest(a, &mean_a).max(farthest(b, &mean_b)) < NARROW;
    mean_a.iter().zip(mean_b).map(|(a, b)| if is_narrow { a - b } else { 0.0 }).collect()
}

/// The largest |x - y| of the points x of a measure.
fn farthest(measure: &Measure<'_>, y: &[f64]) -> f64 {
    measure.points().map(|x| squared_distance(x, y)).fold(0.0, f64::max).sqrt()
}

fn negative(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| -x).collect()
}

/// Whether all points are unit vectors.
fn is_unit(measure: &Measure<'_>) -> bool {
    let (points, _) = measure.support();
    are_unit(&points, measure.dim())
}

/// The points of positive mass of one measure, centred.
struct Marginal {
    points: Vec<f64>,
    weights: Vec<f64>,
    sources: Sources,
    cancel: Cancel,
}

impl Marginal {
    fn new(measure: &Measure<'_>, centre: &[f64]) -> Self {
        let (mut points, weights) = measure.support();
        move_by(&mut points, centre);
        let cancel = measure.cancel();
        Self { sources: Sources::new(&points, centre.len()).ending_with(&cancel), points, weights, cancel }
    }

    /// x_i - shift.
    fn moved(&self, shift: &[f64]) -> Cow<'_, [f64]> {
        let mut points = Cow::Borrowed(&self.points[..]);
        if shift.iter().any(|shift| *shift != 0.0) {
            move_by(points.to_mut(), shift);
        }
        points
    }

    /// |x_i|^2 / 2.
    fn half_squares(&self, dim: usize) -> impl Iterator<Item = f64> {
        self.points.chunks_exact(dim).map(|x| 0.5 * x.iter().map(|x| x * x).sum::<f64>())
    }

    /// The largest |x_i|^2 / 2.
    fn radius(&self, dim: usize) -> f64 {
        self.half_squares(dim).fold(0.0, f64::max)
    }

    /// The potentials of cost -<x, y> that are zero for |x - y|^2 / 2.
    fn start(&self, dim: usize) -> Vec<f64> {
        self.half_squares(dim).map(|half| -half).collect()
    }

    /// -epsilon ln sum_j b_j e^{(<x_i, y_j> + g_j) / epsilon} for the points x_i of `queries` + `shift`, b and y being of this cloud.
    ///
    /// That is the same for x_i - shift with <shift, y_j> added to g_j. Where both clouds are narrow g_j is about -<mean x, y_j>, and
    /// the shift by which x are among y leaves no large weights where scores are small, which would cancel in harmonics.
    fn half_step(&self, queries: &[f64], shift: &[f64], potential: &[f64], epsilon: f64) -> Vec<f64> {
        let dot = |y: &[f64]| y.iter().zip(shift).map(|(y, shift)| y * shift).sum::<f64>();
        let bias = self.points.par_chunks_exact(shift.len()).zip(&self.weights).zip(potential);
        let bias = bias.map(|((y, weight), g)| weight.ln() + (g + dot(y)) / epsilon);
        let mut sums = self.sources.log_sums(queries, 1.0 / epsilon, &bias.collect::<Vec<_>>(), ACCURACY);
        sums.iter_mut().for_each(|sum| *sum *= -epsilon);
        sums
    }

    /// An error if sums were left off.
    fn require_completed(&self) -> Result<(), TransportError> {
        if self.cancel.is_requested() { Err(TransportError::Cancelled) } else { Ok(()) }
    }

    /// sum_i w_i f(i).
    fn integral(&self, f: impl Fn(usize) -> f64) -> f64 {
        self.weights.iter().enumerate().map(|(index, weight)| weight * f(index)).sum()
    }
}

fn move_by(points: &mut [f64], shift: &[f64]) {
    points.chunks_exact_mut(shift.len()).for_each(|x| x.iter_mut().zip(shift).for_each(|(x, shift)| *x -= shift));
}

/// OT of the cost -<x, y>.
struct Entropic {
    value: f64,
    iterations: u32,
    marginal_error: f64,
}

/// Values of epsilon from the largest cost, where one iteration converges, down to but not including the last.
fn annealing(largest_cost: f64, epsilon: f64) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(largest_cost), |epsilon| Some(ANNEALING * epsilon))
        .take_while(move |stage| *stage > epsilon)
}

/// OT(a, b) by alternating half-steps, each taken further than it goes as soon as it is seen how fast they converge.
fn between(a: &Marginal, b: &Marginal, shift: &[f64], settings: Sinkhorn) -> Result<Entropic, TransportError> {
    let Sinkhorn { epsilon, tolerance, iterations } = settings;
    let (dim, back) = (shift.len(), negative(shift));
    let (at_a, at_b) = (a.moved(shift), b.moved(&back));
    let to_a = |g: &[f64], epsilon| b.half_step(&at_a, shift, g, epsilon);
    let to_b = |f: &[f64], epsilon| a.half_step(&at_b, &back, f, epsilon);
    let mut g = b.start(dim);
    for epsilon in annealing(2.0 * (a.radius(dim) + b.radius(dim)), epsilon) {
        g = to_b(&to_a(&g, epsilon), epsilon);
    }
    let mut f = to_a(&g, epsilon);
    let mut relaxation = Relaxation::default();
    let mut marginal_error = f64::INFINITY;
    for iteration in 1..=iterations {
        // Column j of the plan has the mass b_j e^{(g_j - next_j) / epsilon}, and rows alike.
        let next = to_b(&f, epsilon);
        let columns = b.integral(|j| ((g[j] - next[j]) / epsilon).exp_m1().abs());
        relaxation.apply(&mut g, &next);
        let next = to_a(&g, epsilon);
        let rows = a.integral(|i| ((f[i] - next[i]) / epsilon).exp_m1().abs());
        marginal_error = rows.max(columns);
        a.require_completed()?;
        if marginal_error <= tolerance {
            // The rows of this plan have their masses, so that all of it has the mass one.
            let value = a.integral(|i| next[i]) + b.integral(|j| g[j]);
            return Ok(Entropic { value, iterations: iteration, marginal_error });
        }
        relaxation.apply(&mut f, &next);
        relaxation.learn(marginal_error);
    }
    Err(TransportError::Unconverged { iterations, marginal_error, tolerance })
}

/// By how much half-steps are overdone: f <- f + factor (next - f).
///
/// Where errors of plain iterations shrink by eta, factor = 2 / (1 + (1 - eta)^{1/2}) makes them shrink by factor - 1 (Young's
/// successive over-relaxation; for Sinkhorn: Lehmann, von Renesse, Sambale, Uschmajew, Optim. Lett. 16, 2022). A rate r that is
/// seen under some factor, above factor - 1, tells eta = (r + factor - 1)^2 / (r factor^2). Far from the limit overdoing may
/// lead away: where errors grow, half-steps are taken as they are from then on.
struct Relaxation {
    factor: f64,
    /// The last errors, latest first.
    errors: [f64; 3],
    least: f64,
    is_over: bool,
}

impl Default for Relaxation {
    fn default() -> Self {
        Self { factor: 1.0, errors: [f64::INFINITY; 3], least: f64::INFINITY, is_over: false }
    }
}

impl Relaxation {
    /// How much two rates of convergence may differ that are one.
    const STEADY: f64 = 0.02;
    /// How many times the least error an error may be.
    const ASTRAY: f64 = 10.0;

    fn apply(&self, potential: &mut [f64], next: &[f64]) {
        potential.iter_mut().zip(next).for_each(|(f, next)| *f += self.factor * (next - *f));
    }

    fn learn(&mut self, error: f64) {
        self.errors = [error, self.errors[0], self.errors[1]];
        self.least = self.least.min(error);
        if self.factor > 1.0 && error > Self::ASTRAY * self.least {
            (self.factor, self.is_over) = (1.0, true);
        }
        let [rate, before] = [self.errors[0] / self.errors[1], self.errors[1] / self.errors[2]];
        let is_steady = (rate - before).abs() < Self::STEADY && rate > self.factor - 1.0;
        let eta = (rate + self.factor - 1.0).powi(2) / (rate * self.factor * self.factor);
        if is_steady && !self.is_over && eta < 1.0 {
            self.factor = 2.0 / (1.0 + (1.0 - eta).sqrt());
        }
    }
}

/// OT(a, a), whose two potentials are one: the mean of itself and its half-step halves the error at least.
fn within(a: &Marginal, dim: usize, settings: Sinkhorn) -> Result<Entropic, TransportError> {
    let Sinkhorn { epsilon, tolerance, iterations } = settings;
    let mean = |f: Vec<f64>, g: &[f64]| f.iter().zip(g).map(|(f, g)| 0.5 * (f + g)).collect::<Vec<_>>();
    let step = |f: &[f64], epsilon| a.half_step(&a.points, &vec![0.0; dim], f, epsilon);
    let mut f = a.start(dim);
    for epsilon in annealing(4.0 * a.radius(dim), epsilon) {
        let next = step(&f, epsilon);
        f = mean(f, &next);
    }
    let mut marginal_error = f64::INFINITY;
    for iteration in 1..=iterations {
        let next = step(&f, epsilon);
        let excess = |i: usize| ((f[i] - next[i]) / epsilon).exp_m1();
        marginal_error = a.integral(|i| excess(i).abs());
        a.require_completed()?;
        if marginal_error <= tolerance {
            let value = 2.0 * a.integral(|i| f[i]) - epsilon * a.integral(excess);
            return Ok(Entropic { value, iterations: iteration, marginal_error });
        }
        f = mean(f, &next);
    }
    Err(TransportError::Unconverged { iterations, marginal_error, tolerance })
}
