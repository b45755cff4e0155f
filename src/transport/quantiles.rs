//! Measures on the line by their quantiles, with masses counted in whole numbers.
//!
//! W_2 is the square root of a sum: a sliver of mass 1e-16 that rounding sends across the line would cost 1e-8. Masses are
//! therefore whole multiples of 2^-60, so that equal masses cut the unit of mass at equal places and quantiles are merged
//! without rounding.

use super::{Measure, Order, measure::Masses};

/// The mass of a measure.
pub(super) const ONE: i64 = 1 << 60;

/// Numbers in increasing order, and for each the mass up to and including it.
pub(super) struct Quantiles {
    pub(super) values: Vec<f64>,
    pub(super) ends: Vec<i64>,
}

impl Quantiles {
    /// Where the points of `measure` lie on the line: one number a point, none of them NaN.
    pub(super) fn new(measure: &Measure<'_>, values: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_unstable_by(|i, j| values[*i].total_cmp(&values[*j]));
        let ends = match measure.masses() {
            Masses::Equal => equal_ends(values.len()),
            Masses::Each(_) => ends(order.iter().map(|index| measure.weight(*index))),
        };
        Self { values: order.iter().map(|index| values[*index]).collect(), ends }
    }

    /// Numbers of equal mass, in increasing order.
    pub(super) fn equal(values: Vec<f64>) -> Self {
        Self { ends: equal_ends(values.len()), values }
    }
}

/// The ends of `count` equal masses.
fn equal_ends(count: usize) -> Vec<i64> {
    let count = count as i128;
    (1..=count).map(|index| (index * i128::from(ONE) / count) as i64).collect()
}

/// Sums of weights up to and including each, ONE at last; Neumaier (1974) compensates their rounding.
pub(super) fn ends(weights: impl Iterator<Item = f64>) -> Vec<i64> {
    let (mut sum, mut lost, mut last) = (0.0_f64, 0.0, 0);
    let mut ends: Vec<i64> = weights
        .map(|weight| {
            let next = sum + weight;
            lost += if sum >= weight { (sum - next) + weight } else { (weight - next) + sum };
            sum = next;
            last = (((sum + lost) * ONE as f64) as i64).clamp(last, ONE);
            last
        })
        .collect();
    // Weights of zero may follow the last that counts; from there on the mass is complete.
    let complete = ends.partition_point(|end| *end < last);
    ends[complete..].fill(ONE);
    ends
}

/// int_0^1 |F^{-1}(s) - G^{-1}(s)|^p ds: W_p^p on the line.
pub(super) fn cost(order: Order, a: &Quantiles, b: &Quantiles) -> f64 {
    merge(order, a, &b.values, |index| b.ends[index], 0)
}

/// int_0^1 |F^{-1}(s) - y(s)|^p ds, where y(s) is the number of `values` from `first` on whose end is the first to exceed s.
pub(super) fn merge(order: Order, a: &Quantiles, values: &[f64], end: impl Fn(usize) -> i64, first: usize) -> f64 {
    let (mut i, mut j, mut start, mut sum) = (0, first, 0, 0.0);
    while start < ONE {
        let stop = a.ends[i].min(end(j));
        // Points of no mass may end before the current one starts.
        if stop > start {
            sum += (stop - start) as f64 * order.power(a.values[i] - values[j]);
            start = stop;
        }
        i += usize::from(a.ends[i] <= start);
        j += usize::from(end(j) <= start);
    }
    sum / ONE as f64
}
