//! Sums of a group of queries that are too wide for registers to hold query, key and moments together.
//!
//! A panel of keys is passed twice: first all weights of the group are computed and kept in the first-level cache, then
//! the moments are summed, a few components at a time, so that each key that is loaded serves every query of the group.

use super::{exp2::Exp2, real::Real};

/// Vectors of keys in a panel: the weights of four queries take a sixth of the first-level cache.
const PANEL: usize = 32;
/// Vectors of keys whose scores are in flight together.
const PAIR: usize = 2;

/// For each query of a group, (Z, M).
pub(super) type Sums<T, const D: usize, const Q: usize> = [(T, [T; D]); Q];

/// Sums of 2^{score - shift} over keys given by component, with their bias, for each query of a group.
#[inline(always)]
pub(super) fn sums<S: Exp2, T: Real, const D: usize, const Q: usize>(
    simd: S,
    query: &[[T; D]; Q],
    shift: &[T; Q],
    components: [&[T::Vector<S>]; D],
    bias: &[T::Vector<S>],
) -> Sums<T, D, Q> {
    let zero = T::splat(simd, T::ZERO);
    let mut total = [zero; Q];
    let mut moment = [[zero; Q]; D];
    for start in (0..bias.len()).step_by(PANEL) {
        let length = PANEL.min(bias.len() - start);
        let mut weights = [[zero; PANEL]; Q];
        let keys = components.map(|component| &component[start..start + length]);
        weigh(simd, query, shift, &keys, &bias[start..start + length], &mut weights);
        for q in 0..Q {
            for v in 0..length {
                total[q] = T::add(simd, total[q], weights[q][v]);
            }
        }
        if S::REGISTER_COUNT >= 32 {
            add_moments::<S, T, D, Q, 4>(simd, &weights, &keys, &mut moment);
        } else {
            add_moments::<S, T, D, Q, 2>(simd, &weights, &keys, &mut moment);
        }
    }
    let mut sums = [(T::ZERO, [T::ZERO; D]); Q];
    for q in 0..Q {
        sums[q].0 = T::sum(simd, total[q]);
        for c in 0..D {
            sums[q].1[c] = T::sum(simd, moment[c][q]);
        }
    }
    sums
}

/// weights <- 2^{<query, key> + bias - shift}
#[inline(always)]
fn weigh<S: Exp2, T: Real, const D: usize, const Q: usize>(
    simd: S,
    query: &[[T; D]; Q],
    shift: &[T; Q],
    keys: &[&[T::Vector<S>]; D],
    bias: &[T::Vector<S>],
    weights: &mut [[T::Vector<S>; PANEL]; Q],
) {
    let whole = bias.len() / PAIR * PAIR;
    for v in (0..whole).step_by(PAIR) {
        weigh_some::<S, T, D, Q, PAIR>(simd, query, shift, keys, bias, v, weights);
    }
    for v in whole..bias.len() {
        weigh_some::<S, T, D, Q, 1>(simd, query, shift, keys, bias, v, weights);
    }
}

/// The weights of vectors [v, v + V) of keys.
#[inline(always)]
fn weigh_some<S: Exp2, T: Real, const D: usize, const Q: usize, const V: usize>(
    simd: S,
    query: &[[T; D]; Q],
    shift: &[T; Q],
    keys: &[&[T::Vector<S>]; D],
    bias: &[T::Vector<S>],
    v: usize,
    weights: &mut [[T::Vector<S>; PANEL]; Q],
) {
    let mut score = [[bias[v]; V]; Q];
    for q in 0..Q {
        for k in 0..V {
            score[q][k] = T::sub(simd, bias[v + k], T::splat(simd, shift[q]));
        }
    }
    for c in 0..D {
        for q in 0..Q {
            let u = T::splat(simd, query[q][c]);
            for k in 0..V {
                score[q][k] = T::mul_add(simd, u, keys[c][v + k], score[q][k]);
            }
        }
    }
    for q in 0..Q {
        for k in 0..V {
            weights[q][v + k] = T::exp2(simd, score[q][k]);
        }
    }
}

/// moment += weights times keys, C components at a time.
#[inline(always)]
fn add_moments<S: Exp2, T: Real, const D: usize, const Q: usize, const C: usize>(
    simd: S,
    weights: &[[T::Vector<S>; PANEL]; Q],
    keys: &[&[T::Vector<S>]; D],
    moment: &mut [[T::Vector<S>; Q]; D],
) {
    let length = keys[0].len();
    for first in (0..D).step_by(C) {
        let mut sum = [[T::splat(simd, T::ZERO); Q]; C];
        sum.copy_from_slice(&moment[first..first + C]);
        for v in 0..length {
            for c in 0..C {
                let key = keys[first + c][v];
                for q in 0..Q {
                    sum[c][q] = T::mul_add(simd, weights[q][v], key, sum[c][q]);
                }
            }
        }
        moment[first..first + C].copy_from_slice(&sum);
    }
}
