//! How directions of pairs of tokens overlap: a histogram over all pairs, or over some that are drawn once.

use rand::Rng;
use rayon::prelude::*;

use super::{Directions, directions::dot};
use crate::random::{Purpose, Stream};

/// Pairs that one task sorts into bins before the bins are added in order.
const CHUNK: usize = 1 << 14;
/// Tokens whose pairs are counted at once.
const ROWS: usize = 64;

/// The share of pairs i < j, weighted by w_i w_j, with <theta_i, theta_j> in each of `bins` equal parts of [-1, 1], of which all
/// but the last are open above. Beyond `most` pairs, that of `most` pairs drawn by `seed` and `replica`, each pair as likely as
/// another. Not numbers where there are no two tokens.
pub fn histogram(directions: &Directions, bins: usize, most: usize, (seed, replica): (u64, usize)) -> Vec<f64> {
    let count = directions.count();
    if (0..count).any(|i| directions.point(i).iter().any(|component| !component.is_finite())) {
        return vec![f64::NAN; bins];
    }
    let add = |shares: &mut Vec<f64>, (i, j): (usize, usize)| {
        let overlap = dot(directions.point(i), directions.point(j));
        // The cast sends what is below zero, by rounding, to zero.
        let bin = (0.5 * (overlap + 1.0) * bins as f64) as usize;
        shares[bin.min(bins - 1)] += directions.weights[i] * directions.weights[j];
    };
    let sum = |pairs: &mut dyn Iterator<Item = (usize, usize)>| {
        pairs.fold(vec![0.0; bins], |mut shares, pair| {
            add(&mut shares, pair);
            shares
        })
    };
    let parts: Vec<Vec<f64>> = if count.saturating_mul(count.saturating_sub(1)) / 2 <= most {
        let rows = |first: usize| first..count.min(first + ROWS);
        let part = |first| sum(&mut rows(first).flat_map(|i| (i + 1..count).map(move |j| (i, j))));
        (0..count).step_by(ROWS).collect::<Vec<_>>().into_par_iter().map(part).collect()
    } else {
        let drawn = |index: usize| pair(count, &mut Stream::new(seed, replica as u32, index as u32, Purpose::Pairs));
        let part = |chunk: usize| sum(&mut (chunk * CHUNK..most.min((chunk + 1) * CHUNK)).map(drawn));
        (0..most.div_ceil(CHUNK)).into_par_iter().map(part).collect()
    };
    let mut shares = vec![0.0; bins];
    for part in parts {
        shares.iter_mut().zip(part).for_each(|(share, part)| *share += part);
    }
    let total: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / total).collect()
}

/// Two different numbers below `count`, at least 2.
fn pair(count: usize, random: &mut Stream) -> (usize, usize) {
    let mut below = |count: usize| ((u128::from(random.next_u64()) * count as u128) >> 64) as usize;
    let (i, j) = (below(count), below(count - 1));
    (i, if j < i { j } else { j + 1 })
}
