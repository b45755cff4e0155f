//! Rates: slopes of the logarithm of a quantity against the logarithm of a key.
//!
//! For each value of the key the mean of the quantity over replicas is taken. Slopes are those of weighted least squares, each
//! point weighing the inverse variance of the logarithm of its mean (delta method). Their intervals are Student's, with the
//! variance of the jackknife: replica r is left out at all points at once and the whole fit repeated, weights included, for
//! r = 1 .. R. So it sees what weights owe to chance, which residuals of one fit do not, and that tokens of replica r start
//! at the same places whatever their number, which ties the points together. Where points have different numbers of
//! replicas these are left out point by point, as if points were independent, with the degrees of freedom of the fewest. One replica at some point tells nothing of chance, and there is no interval.

use std::fmt;

use statrs::distribution::{ContinuousCDF, StudentsT};

/// A slope, and its 95 % interval unless a point has but one replica.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Slope {
    /// d ln quantity / d ln key.
    pub value: f64,
    /// Lower and upper end.
    pub interval: Option<[f64; 2]>,
}

/// A fitted slope, and the slopes from each point to the next.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Rate {
    /// Of all points.
    pub slope: Slope,
    /// From each point to the next, in ascending order of the key.
    pub local: Vec<Slope>,
}

impl Rate {
    /// Whether the interval of a local slope leaves out the slope of all points: they are not on a line. None without intervals.
    pub fn is_curved(&self) -> Option<bool> {
        let leaves_out = |local: &Slope| {
            let slope = self.slope.value;
            local.interval.map(|[low, high]| slope < low || slope > high)
        };
        let left_out: Option<Vec<bool>> = self.local.iter().map(leaves_out).collect();
        left_out.map(|left_out| left_out.contains(&true))
    }
}

/// The quantity of every replica at a value of the key.
pub type Point = (f64, Vec<f64>);

/// Why points have no rate.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum NoRate {
    /// Less than two points.
    FewPoints(usize),
    /// A value of the key that has no logarithm.
    Key(f64),
    /// No sample at a value of the key.
    NoSample(f64),
    /// The first number that has no logarithm, at a value of the key and a place in its sample, and how many of all are like it.
    Value {
        /// The value of the key.
        key: f64,
        /// The place in the sample.
        sample: usize,
        /// The number.
        value: f64,
        /// How many are like it.
        count: usize,
        /// Of how many.
        all: usize,
    },
}

impl fmt::Display for NoRate {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            NoRate::FewPoints(points) => write!(f, "no slope: a line needs two points, and there are {points}"),
            NoRate::Key(key) => write!(f, "no slope: the key is {key} in some cell, which has no logarithm"),
            NoRate::NoSample(key) => write!(f, "no slope: nothing was measured where the key is {key}"),
            NoRate::Value { key, sample, value, count, all } => write!(
                f,
                "no slope: {count} of {all} numbers have no logarithm; the first is {value}, number {sample} (from 0) of the \
                 cell where the key is {key}"
            ),
        }
    }
}

/// The rate of points (key, quantity of each replica), at least two of them, all numbers positive.
pub fn rates(points: &[Point]) -> Result<Rate, NoRate> {
    require_logarithms(points)?;
    let keys: Vec<f64> = points.iter().map(|(key, _)| key.ln()).collect();
    let all: Vec<Summary> = points.iter().map(|(_, sample)| Summary::of(sample)).collect();
    let found = slopes(&keys, &all);
    let reaches = reaches(&keys, &all, points);
    let slope = |index: usize| {
        let value = found[index];
        let interval = reaches.as_ref().map(|reaches| [value - reaches[index], value + reaches[index]]);
        Slope { value, interval }
    };
    Ok(Rate { slope: slope(0), local: (1..points.len()).map(slope).collect() })
}

fn require_logarithms(points: &[Point]) -> Result<(), NoRate> {
    let is_fit = |number: f64| number > 0.0 && number.is_finite();
    if let Some((key, _)) = points.iter().find(|(key, _)| !is_fit(*key)) {
        return Err(NoRate::Key(*key));
    }
    if points.len() < 2 {
        return Err(NoRate::FewPoints(points.len()));
    }
    if let Some((key, _)) = points.iter().find(|(_, sample)| sample.is_empty()) {
        return Err(NoRate::NoSample(*key));
    }
    let unfit = points.iter().flat_map(|(key, sample)| {
        sample.iter().enumerate().filter(|(_, value)| !is_fit(**value)).map(|(index, value)| (*key, index, *value))
    });
    let count = unfit.clone().count();
    match unfit.clone().next() {
        None => Ok(()),
        Some((key, sample, value)) => {
            let all = points.iter().map(|(_, sample)| sample.len()).sum();
            Err(NoRate::Value { key, sample, value, count, all })
        }
    }
}

/// What a fit takes of one point.
#[derive(Clone, Copy, Debug)]
struct Summary {
    count: f64,
    mean: f64,
    /// The sum of (x - mean)^2.
    squares: f64,
}

impl Summary {
    fn of(sample: &[f64]) -> Self {
        let mean = mean(sample);
        Self { count: sample.len() as f64, mean, squares: sample.iter().map(|x| (x - mean) * (x - mean)).sum() }
    }

    /// Without one of the numbers.
    fn without(&self, x: f64) -> Self {
        let (rest, off) = (self.count - 1.0, x - self.mean);
        // With two numbers nothing but rounding is left of the squares.
        let squares = if rest > 1.0 { self.squares - off * off * self.count / rest } else { 0.0 };
        Self { count: rest, mean: self.mean - off / rest, squares: squares.max(0.0) }
    }

    /// The standard error of ln(mean), about s / (mean sqrt(R)).
    fn log_error(&self) -> f64 {
        (self.squares / (self.count - 1.0).max(1.0) / self.count).sqrt() / self.mean.abs()
    }
}

/// The slope of all points, and those from each to the next.
fn slopes(keys: &[f64], points: &[Summary]) -> Vec<f64> {
    let heights: Vec<f64> = points.iter().map(|point| point.mean.ln()).collect();
    let local = (1..keys.len()).map(|k| (heights[k] - heights[k - 1]) / (keys[k] - keys[k - 1]));
    std::iter::once(slope(keys, &heights, &weights(points))).chain(local).collect()
}

/// Half the widths of the 95 % intervals of all slopes; none where a point has but one replica.
fn reaches(keys: &[f64], all: &[Summary], points: &[Point]) -> Option<Vec<f64>> {
    let counts: Vec<usize> = points.iter().map(|(_, sample)| sample.len()).collect();
    if counts.contains(&1) {
        return None;
    }
    // The points that lose a number together.
    let together: Vec<Vec<usize>> = match counts.iter().all(|count| *count == counts[0]) {
        true => vec![(0..points.len()).collect()],
        false => (0..points.len()).map(|point| vec![point]).collect(),
    };
    let mut parts: Vec<Vec<(f64, f64)>> = vec![Vec::new(); points.len()];
    for group in together {
        let count = counts[group[0]];
        let without = |number: usize| {
            let mut rest = all.to_vec();
            for point in &group {
                rest[*point] = all[*point].without(points[*point].1[number]);
            }
            slopes(keys, &rest)
        };
        let repeated: Vec<Vec<f64>> = (0..count).map(without).collect();
        for (index, parts) in parts.iter_mut().enumerate() {
            let spread = Summary::of(&repeated.iter().map(|slopes| slopes[index]).collect::<Vec<f64>>());
            let freedom = count as f64 - 1.0;
            parts.push((spread.squares * freedom / count as f64, freedom));
        }
    }
    Some(parts.iter().map(|parts| reach_of_parts(parts)).collect())
}

/// Student's 97.5 % quantile times the root of the sum of independent (variance, degrees of freedom). The freedom of Welch and
/// Satterthwaite, which is larger than the least, covers 92 % only: it knows nothing of weights that owe to chance.
fn reach_of_parts(parts: &[(f64, f64)]) -> f64 {
    let varying = || parts.iter().filter(|(variance, _)| *variance > 0.0);
    let variance: f64 = varying().map(|(variance, _)| variance).sum();
    let freedom = varying().map(|(_, freedom)| *freedom).fold(f64::INFINITY, f64::min);
    if variance > 0.0 { quantile(freedom) * variance.sqrt() } else { 0.0 }
}

/// Student's 97.5 % quantile.
pub(crate) fn quantile(freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |law| law.inverse_cdf(0.975))
}

/// The height at ln key = 0 of the line with that slope which lies amidst the points, weighing them as the fit does.
pub fn intercept(points: &[Point], slope: f64) -> f64 {
    let weights = weights(&points.iter().map(|(_, sample)| Summary::of(sample)).collect::<Vec<_>>());
    let heights = points.iter().map(|(key, sample)| mean(sample).ln() - slope * key.ln());
    heights.zip(&weights).map(|(height, weight)| weight * height).sum::<f64>() / weights.iter().sum::<f64>()
}

/// The mean over replicas.
pub fn mean(sample: &[f64]) -> f64 {
    sample.iter().sum::<f64>() / sample.len() as f64
}

/// Half the width of the 95 % interval of the mean; none for a single replica, which says nothing of it.
pub fn reach(sample: &[f64]) -> Option<f64> {
    let count = sample.len() as f64;
    let mean = mean(sample);
    let squares: f64 = sample.iter().map(|value| (value - mean).powi(2)).sum();
    (count > 1.0).then(|| quantile(count - 1.0) * (squares / (count - 1.0) / count).sqrt())
}

/// Half the width of the 95 % interval of ln(mean); none for a single replica, which says nothing of it.
pub fn log_reach(sample: &[f64]) -> Option<f64> {
    let summary = Summary::of(sample);
    (summary.count > 1.0).then(|| quantile(summary.count - 1.0) * summary.log_error())
}

/// 1 / Var ln(mean) of every point; where replicas of one of them are one, or agree, all points weigh alike.
fn weights(points: &[Summary]) -> Vec<f64> {
    let errors: Vec<f64> = points.iter().map(Summary::log_error).collect();
    match errors.iter().all(|error| *error > 1e-10) {
        true => errors.iter().map(|error| 1.0 / (error * error)).collect(),
        false => vec![1.0; points.len()],
    }
}

/// The slope of weighted least squares.
fn slope(keys: &[f64], heights: &[f64], weights: &[f64]) -> f64 {
    let total: f64 = weights.iter().sum();
    let average = |f: &dyn Fn(usize) -> f64| (0..keys.len()).map(|k| weights[k] * f(k)).sum::<f64>() / total;
    let (x, y) = (average(&|k| keys[k]), average(&|k| heights[k]));
    average(&|k| (keys[k] - x) * (heights[k] - y)) / average(&|k| (keys[k] - x) * (keys[k] - x))
}

#[cfg(test)]
mod tests;
