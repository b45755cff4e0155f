//! Rates: slopes of the logarithm of a quantity against the logarithm of a key.
//!
//! For each value of the key the mean of the quantity over replicas is taken. Slopes are those of weighted least squares, each
//! point weighing the inverse variance of the logarithm of its mean (delta method), and their intervals those of the
//! bootstrap: replicas are drawn with replacement at every point, and the fit is repeated.

use crate::random::{Purpose, Stream};
use rand::RngExt;

/// A fitted slope, its 95 % interval, and the slopes between neighbouring points with theirs.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    pub slope: f64,
    pub low: f64,
    pub high: f64,
    /// (slope, low, high) from each point to the next.
    pub local: Vec<[f64; 3]>,
}

impl Rate {
    /// Whether the interval of a local slope leaves out the slope of all points: they are not on a line.
    pub fn is_curved(&self) -> bool {
        self.local.iter().any(|[_, low, high]| self.slope < *low || self.slope > *high)
    }
}

/// The quantity of every replica at a value of the key.
pub type Point = (f64, Vec<f64>);

/// Resamples of the bootstrap.
const RESAMPLES: u32 = 2000;

/// The rate of points (key, quantity of each replica), at least two of them, all numbers positive; none where the logarithms
/// say nothing.
pub fn rates(points: &[Point]) -> Option<Rate> {
    let is_positive = |number: &f64| *number > 0.0 && number.is_finite();
    let usable = points.len() >= 2
        && points
            .iter()
            .all(|(key, sample)| is_positive(key) && !sample.is_empty() && sample.iter().all(is_positive));
    if !usable {
        return None;
    }
    let weights: Vec<f64> = points.iter().map(|(_, sample)| inverse_variance(sample)).collect();
    let slopes = |means: &[f64]| -> Vec<f64> {
        let line: Vec<(f64, f64)> = points.iter().zip(means).map(|((key, _), mean)| (key.ln(), mean.ln())).collect();
        let local = line.windows(2).map(|pair| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0));
        std::iter::once(slope(&line, &weights)).chain(local).collect()
    };
    let found = slopes(&points.iter().map(|(_, sample)| mean(sample)).collect::<Vec<_>>());
    let resample = |round: u32| {
        let means: Vec<f64> =
            points.iter().enumerate().map(|(k, point)| resampled(&point.1, k as u32, round)).collect();
        slopes(&means)
    };
    let resamples: Vec<Vec<f64>> = (0..RESAMPLES).map(resample).collect();
    let interval = |index: usize| {
        let mut all: Vec<f64> = resamples.iter().map(|slopes| slopes[index]).collect();
        all.sort_by(f64::total_cmp);
        let at = |share: f64| all[(share * (all.len() - 1) as f64).round() as usize];
        (at(0.025), at(0.975))
    };
    let (low, high) = interval(0);
    let local = (1..points.len())
        .map(|index| {
            let (low, high) = interval(index);
            [found[index], low, high]
        })
        .collect();
    Some(Rate { slope: found[0], low, high, local })
}

/// The height at ln key = 0 of the line with that slope which lies amidst the points, weighing them as the fit does.
pub fn intercept(points: &[Point], slope: f64) -> f64 {
    let weights = || points.iter().map(|(_, sample)| inverse_variance(sample));
    let heights = points.iter().map(|(key, sample)| mean(sample).ln() - slope * key.ln());
    heights.zip(weights()).map(|(height, weight)| weight * height).sum::<f64>() / weights().sum::<f64>()
}

/// The mean over replicas.
pub fn mean(sample: &[f64]) -> f64 {
    sample.iter().sum::<f64>() / sample.len() as f64
}

/// The standard error of ln(mean), about s / (mean sqrt(R)); zero for a single replica, which says nothing of it.
pub fn log_error(sample: &[f64]) -> f64 {
    let mean = mean(sample);
    let square = sample.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (sample.len() as f64 - 1.0).max(1.0);
    (square / sample.len() as f64).sqrt() / mean.abs()
}

/// 1 / Var ln(mean); where replicas are one, or agree, all points weigh alike.
fn inverse_variance(sample: &[f64]) -> f64 {
    let error = log_error(sample);
    if error > 1e-10 { 1.0 / (error * error) } else { 1.0 }
}

/// The mean of as many replicas drawn with replacement.
fn resampled(sample: &[f64], point: u32, round: u32) -> f64 {
    let mut random = Stream::new(0, point, round, Purpose::Bootstrap);
    (0..sample.len()).map(|_| sample[random.random_range(0..sample.len())]).sum::<f64>() / sample.len() as f64
}

/// The slope of weighted least squares.
fn slope(line: &[(f64, f64)], weights: &[f64]) -> f64 {
    let total: f64 = weights.iter().sum();
    let average = |f: &dyn Fn(&(f64, f64)) -> f64| {
        line.iter().zip(weights).map(|(point, weight)| weight * f(point)).sum::<f64>() / total
    };
    let (x, y) = (average(&|point| point.0), average(&|point| point.1));
    average(&|point| (point.0 - x) * (point.1 - y)) / average(&|point| (point.0 - x) * (point.0 - x))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Replicas scattered by 20 % about 3 x^{-1/2}.
    fn points(seed: u32, exponent: impl Fn(f64) -> f64) -> Vec<(f64, Vec<f64>)> {
        let sample = |key: f64, k: u32| {
            let noise = crate::random::normals(1, 0, seed, k, Purpose::Initial, 30);
            noise.iter().map(|noise| 3.0 * key.powf(exponent(key)) * (1.0 + 0.2 * noise).abs().max(0.1)).collect()
        };
        [64.0, 256.0, 1024.0, 4096.0].iter().zip(0..).map(|(key, k)| (*key, sample(*key, k))).collect()
    }

    #[test]
    fn a_power_law_is_found_within_its_interval() {
        let covered = (0..40).filter(|seed| {
            let rate = rates(&points(*seed, |_| -0.5)).expect("a rate");
            assert!(rate.high - rate.low < 0.08, "{rate:?}");
            rate.low <= -0.5 && -0.5 <= rate.high
        });
        let covered = covered.count();
        assert!(covered >= 34, "{covered} of 40 intervals of 95 % cover the slope");
    }

    #[test]
    fn a_bend_is_seen_in_the_local_slopes() {
        let bent = rates(&points(3, |key| if key < 500.0 { -0.5 } else { -0.6 })).expect("a rate");
        assert!(bent.is_curved(), "{bent:?}");
        assert_eq!(bent.local.len(), 3);
    }

    #[test]
    fn exact_points_give_an_exact_slope() {
        let exact = [(2.0, vec![5.0; 3]), (8.0, vec![5.0 / 64.0; 3])];
        let rate = rates(&exact).expect("a rate");
        assert!((rate.slope + 3.0).abs() < 1e-14 && rate.low == rate.slope && rate.high == rate.slope);
        assert!((intercept(&exact, -3.0) - 40f64.ln()).abs() < 1e-14, "5 = 40 * 2^-3");
    }

    #[test]
    fn what_has_no_logarithm_has_no_rate() {
        assert_eq!(rates(&[(1.0, vec![0.0]), (2.0, vec![1.0])]), None);
        assert_eq!(rates(&[(1.0, vec![1.0])]), None);
    }
}
