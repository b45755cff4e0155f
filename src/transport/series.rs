//! Functions on [-1, 1] as sums of Chebyshev polynomials.

use std::f64::consts::PI;

#[derive(Debug)]
pub(crate) struct Series {
    coefficients: Vec<f64>,
}

/// Relative to the largest coefficient, what the last ones of a resolved function fall below.
const RESOLVED: f64 = 1e-14;
const FEWEST: usize = 32;
const MOST: usize = 4096;

impl Series {
    /// The interpolant of `function`, by as many polynomials as resolve it; what is below rounding of `size` is nothing.
    pub(crate) fn of(size: f64, function: impl Fn(f64) -> f64 + Sync) -> Self {
        let mut count = FEWEST;
        loop {
            let coefficients = coefficients(&function, count);
            let largest = coefficients.iter().fold(size, |largest: f64, c| largest.max(c.abs()));
            let tail = coefficients[count - count / 8..].iter().fold(0.0, |largest: f64, c| largest.max(c.abs()));
            if tail <= RESOLVED * largest || 2 * count > MOST {
                return Self { coefficients };
            }
            count *= 2;
        }
    }

    /// The sum at `t`, by Clenshaw's recurrence.
    pub(crate) fn at(&self, t: f64) -> f64 {
        let (mut here, mut before) = (0.0, 0.0);
        for coefficient in self.coefficients[1..].iter().rev() {
            (here, before) = (coefficient + 2.0 * t * here - before, here);
        }
        self.coefficients[0] + t * here - before
    }
}

/// c_l of the interpolant sum_l c_l T_l at the zeros of T_count.
fn coefficients(function: &(impl Fn(f64) -> f64 + Sync), count: usize) -> Vec<f64> {
    use rayon::prelude::*;
    let angle = |k: usize| PI * (k as f64 + 0.5) / count as f64;
    let values: Vec<f64> = (0..count).into_par_iter().map(|k| function(angle(k).cos())).collect();
    let coefficient = |l: usize| {
        let sum: f64 = values.iter().enumerate().map(|(k, value)| value * (l as f64 * angle(k)).cos()).sum();
        sum * if l == 0 { 1.0 } else { 2.0 } / count as f64
    };
    (0..count).into_par_iter().map(coefficient).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of terms that cancel has no smooth interpolant, and needs none.
    #[test]
    fn rounding_is_not_resolved() {
        let rounding = |t: f64| 1e-17 * (1e6 * t).sin();
        assert_eq!(Series::of(1.0, rounding).coefficients.len(), FEWEST);
        assert_eq!(Series::of(0.0, rounding).coefficients.len(), MOST);
    }

    #[test]
    fn a_series_is_its_function() {
        let function = |t: f64| (20.0 * t).sin() / (1.1 - t);
        let series = Series::of(0.0, function);
        for k in 0..=1000 {
            let t = -1.0 + k as f64 / 500.0;
            assert!((series.at(t) - function(t)).abs() < 1e-12, "at {t}: {} and {}", series.at(t), function(t));
        }
    }
}
