//! Means over replicas and slopes over cells, with what chance makes of them.

use crate::sweep::{Point, quantile, rates};

/// 97.5 % of the normal law are below it.
const NORMAL: f64 = 1.959963984540054;

/// A number that was measured. One that could not be is not a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimate {
    pub(super) mean: f64,
    /// Its standard error, and its 95 % interval; none of one replica.
    pub(super) error: Option<f64>,
    pub(super) interval: Option<[f64; 2]>,
}

impl Estimate {
    /// The mean of independent numbers, with Student's interval.
    pub(super) fn of(sample: &[f64]) -> Self {
        let count = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / count;
        if sample.len() < 2 {
            return Self { mean, error: None, interval: None };
        }
        let squares: f64 = sample.iter().map(|value| (value - mean) * (value - mean)).sum();
        let error = (squares / (count - 1.0) / count).sqrt();
        let reach = quantile(count - 1.0) * error;
        Self { mean, error: Some(error), interval: Some([mean - reach, mean + reach]) }
    }

    /// The share of replicas in which a condition holds, 1 where it does and 0 where not, with the interval of Wilson, which is right
    /// where it holds in all or in none.
    pub(super) fn of_share(sample: &[f64]) -> Self {
        let count = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / count;
        if sample.len() < 2 {
            return Self { mean, error: None, interval: None };
        }
        let square = NORMAL * NORMAL / count;
        let centre = (mean + 0.5 * square) / (1.0 + square);
        let reach = (mean * (1.0 - mean) * square + 0.25 * square * square).sqrt() / (1.0 + square);
        Self { mean, error: Some(reach / NORMAL), interval: Some([centre - reach, centre + reach]) }
    }

    /// The slope of ln quantity against ln key. The interval counts as that of a normal law, whatever its degrees of freedom.
    pub(super) fn of_rate(points: &[Point]) -> Self {
        match rates(points) {
            Err(_) => Self { mean: f64::NAN, error: None, interval: None },
            Ok(rate) => {
                let interval = rate.slope.interval;
                let error = interval.map(|[low, high]| (high - low) / (2.0 * NORMAL));
                Self { mean: rate.slope.value, error, interval }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wilson's interval of 0 of 10 and of 3 of 10, as in tables; Student's of five numbers.
    #[test]
    fn intervals_are_those_of_tables() {
        let near = |found: [f64; 2], expected: [f64; 2]| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 5e-4), "{found:?}, not {expected:?}");
        };
        near(Estimate::of_share(&[0.0; 10]).interval.expect("an interval"), [0.0, 0.2775]);
        let three = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        near(Estimate::of_share(&three).interval.expect("an interval"), [0.1078, 0.6032]);
        // Mean 3, standard error (10 / 4 / 5)^{1/2}, and 2.7764 of them.
        let five = Estimate::of(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        near(five.interval.expect("an interval"), [3.0 - 2.7764 * 0.5f64.sqrt(), 3.0 + 2.7764 * 0.5f64.sqrt()]);
        // A column that is one in every replica is no share: nothing varies.
        assert_eq!(Estimate::of(&[1.0; 8]).error, Some(0.0));
        assert_eq!(Estimate::of(&[2.0]), Estimate { mean: 2.0, error: None, interval: None });
    }
}
