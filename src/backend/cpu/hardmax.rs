//! Attention at beta = infinity: each token sees the sources of its largest score.

use super::{field::Visibility, operands::Operands};
use crate::{
    model::TIE,
    sums::{keys::Keys, real::Real, reduction::Reduced},
};

/// The mean of the values of the sources that tie for the largest score of each token from `first` on, in proportion to
/// their weights, as `Reduced` with log2 Z = 0, or -infinity where nothing is visible.
pub(super) fn reduce<T: Real>(
    operands: &Operands<T>,
    first: usize,
    keys: Keys<'_, T>,
    visibility: &Visibility,
    out: &mut Reduced,
) {
    let keys = operands.keys(keys);
    let rows = operands.query_rows(first, visibility.visible.len());
    let mut scores = vec![T::ZERO; keys.padded];
    out.log2_sum.clear();
    out.barycentre.clear();
    for (row, query) in rows.chunks_exact(keys.width).enumerate() {
        score(query, keys, &mut scores);
        let hidden = visibility.hidden.get(row).copied().unwrap_or(0);
        let others = |j: &usize| visibility.own.is_none() || *j != first + row;
        let attended = || (hidden..visibility.visible[row]).filter(|j| keys.bias()[*j] > T::MASKED).filter(others);
        let size = attended().map(|j| scores[j].to_f64().abs()).fold(0.0, f64::max);
        let largest = attended().map(|j| scores[j].to_f64()).fold(f64::NEG_INFINITY, f64::max);
        let winners = attended().filter(|j| scores[*j].to_f64() >= largest - TIE * size);
        average(winners, keys, out);
    }
}

/// scores_j <- <query, y_j>.
fn score<T: Real>(query: &[T], keys: Keys<'_, T>, scores: &mut [T]) {
    scores.fill(T::ZERO);
    for (component, u) in query.iter().enumerate() {
        for (score, y) in scores.iter_mut().zip(keys.component(component)) {
            *score = u.times_plus(*y, *score);
        }
    }
}

/// Adds the weighted mean of the values of `winners` to `out`.
fn average<T: Real>(winners: impl Iterator<Item = usize>, keys: Keys<'_, T>, out: &mut Reduced) {
    let mut mean = vec![0.0; keys.value_width()];
    let mut total = 0.0;
    for j in winners {
        let weight = keys.bias()[j].to_f64().exp2();
        total += weight;
        for (component, mean) in mean.iter_mut().enumerate() {
            let value = match keys.values() {
                Some(values) => values.column(component)[j],
                None => keys.component(component)[j],
            };
            *mean += weight * value.to_f64();
        }
    }
    out.log2_sum.push(if total > 0.0 { 0.0 } else { f64::NEG_INFINITY });
    let divisor = if total > 0.0 { total } else { 1.0 };
    out.barycentre.extend(mean.iter().map(|mean| mean / divisor));
}
