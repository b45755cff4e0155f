//! Matrices that wander about a mean.

use std::f64::consts::FRAC_1_SQRT_2;

use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::{
    operand::HeadOperand,
    random::{Draws, stream, stream_of_replica},
};
use crate::{model::Matrix, random::Stream};

/// dM = rate (mean - M) dt + intensity dB entry by entry, at the starts of steps.
///
/// The law on the grid of steps is exact. M at any step takes only as many draws as its number has binary digits: it is
/// drawn at steps 1, 2, 4, 8, .. in turn, each given the one before, and between those by bisection, each given both
/// ends. With D = M - mean, r the rate, s the intensity and a distance a in time,
///
/// ```text
/// D(t + a) given D(t):                N(e^{-r a} D(t), s^2 (1 - e^{-2 r a}) / (2 r))
/// D(t + a) given D(t) and D(t + 2 a): N((D(t) + D(t + 2 a)) / (2 cosh(r a)), s^2 tanh(r a) / (2 r))
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OrnsteinUhlenbeck {
    /// d * d entries.
    pub mean: Vec<f64>,
    /// r, per unit of layer-time.
    pub rate: f64,
    /// s.
    pub intensity: f64,
    /// Where M - mean is at time zero.
    pub start: ProcessStart,
    /// Whether B is (W + W^T) / sqrt(2) of a W with independent entries, so that M - mean is symmetric, with twice the variance on the
    /// diagonal, as in [`Ensemble::Goe`](crate::model::Ensemble::Goe).
    pub is_symmetric: bool,
    /// Which replicas have the same draws.
    pub draws: Draws,
    /// The length of a step.
    pub step: f64,
    /// The key of all draws.
    pub seed: u64,
}

/// Where a process starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessStart {
    /// At its mean.
    Mean,
    /// Drawn from its stationary law: entries of the deviation are N(0, s^2 / (2 r)), and stay so.
    Stationary,
}

impl OrnsteinUhlenbeck {
    pub(super) fn at(&self, place: HeadOperand, step: u64) -> Matrix {
        let (replicas, sharers) = match self.draws {
            Draws::Shared => return Matrix::Dense(self.entries(step, |number| stream(self.seed, place, number))),
            Draws::Replicas(replicas) => (replicas, 1),
            Draws::Pairs(replicas) => (replicas, 2),
        };
        let own = |replica: usize| {
            self.entries(step, |number| stream_of_replica(self.seed, place, number, replica / sharers))
        };
        // In the order of replicas, however many threads there are.
        Matrix::OfReplicas((0..replicas).into_par_iter().flat_map_iter(own).collect())
    }

    /// All entries of one matrix, from the random numbers of each step that is drawn.
    fn entries(&self, step: u64, stream: impl Fn(u64) -> Stream) -> Vec<f64> {
        let normals =
            |number: u64| -> Vec<f64> { StandardNormal.sample_iter(stream(number)).take(self.mean.len()).collect() };
        let deviation = self.deviation(step, self.mean.len(), &normals);
        let dim = self.mean.len().isqrt();
        let entry = |index: usize| match self.is_symmetric {
            true => (deviation[index] + deviation[index % dim * dim + index / dim]) * FRAC_1_SQRT_2,
            false => deviation[index],
        };
        self.mean.iter().enumerate().map(|(index, mean)| mean + entry(index)).collect()
    }

    /// D at a step, from `entries` standard normal numbers for each step that is drawn.
    pub(super) fn deviation(&self, step: u64, entries: usize, normals: &dyn Fn(u64) -> Vec<f64>) -> Vec<f64> {
        let variance = self.intensity * self.intensity / (2.0 * self.rate);
        let start: Vec<f64> = match self.start {
            ProcessStart::Mean => vec![0.0; entries],
            ProcessStart::Stationary => normals(0).iter().map(|xi| variance.sqrt() * xi).collect(),
        };
        if step == 0 {
            return start;
        }
        let moved = |from: &[f64], steps: u64, number: u64| -> Vec<f64> {
            let exponent = self.rate * self.step * steps as f64;
            let (decay, spread) = ((-exponent).exp(), (variance * -(-2.0 * exponent).exp_m1()).sqrt());
            from.iter().zip(normals(number)).map(|(d, xi)| decay * d + spread * xi).collect()
        };
        let (mut low, mut at_low) = (1, moved(&start, 1, 1));
        while low <= step / 2 {
            (low, at_low) = (2 * low, moved(&at_low, low, 2 * low));
        }
        if low == step {
            return at_low;
        }
        let (mut high, mut at_high) = (2 * low, moved(&at_low, low, 2 * low));
        loop {
            let (middle, half) = (low.midpoint(high), self.rate * self.step * ((high - low) / 2) as f64);
            let (share, spread) = (0.5 / half.cosh(), (variance * half.tanh()).sqrt());
            let ends = at_low.iter().zip(&at_high);
            let at_middle: Vec<f64> =
                ends.zip(normals(middle)).map(|((a, b), xi)| share * (a + b) + spread * xi).collect();
            match middle.cmp(&step) {
                std::cmp::Ordering::Equal => return at_middle,
                std::cmp::Ordering::Less => (low, at_low) = (middle, at_middle),
                std::cmp::Ordering::Greater => (high, at_high) = (middle, at_middle),
            }
        }
    }
}
