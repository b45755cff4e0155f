//! Shares of pairs of tokens by the overlap of their directions: of all pairs, or of some that are drawn once.

use rand::Rng;
use rayon::prelude::*;

use super::{Directions, Objection, Parameter, equation::Equation};
use crate::{
    budget::Sizes,
    random::{Purpose, Stream},
    tokens::Weights,
    vector::dot,
};

/// Pairs that one task sorts into bins before the bins are added in order.
const CHUNK: usize = 1 << 14;
/// Tokens whose pairs are counted at once.
const ROWS: usize = 64;
/// Pairs of a replica that are measured at most, where nothing is typed.
pub const MOST: usize = 1_000_000;

/// Which pairs of a replica are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// All up to this number, beyond it as many that are drawn.
    pub most: usize,
    /// With the replica, the key of the draw.
    pub seed: u64,
    pub replica: usize,
}

/// The number of pairs that are measured at most.
pub fn parameter(most: &mut usize) -> Parameter<'_> {
    Parameter::whole("pairs", most, 1..=u64::from(u32::MAX))
}

/// Where a replica has less than two tokens of positive weight.
pub fn objection(word: &str, equation: &Equation) -> Option<Objection> {
    let none = || {
        Objection::new(
            format!("{word} is of pairs of tokens of positive weight, and a replica has less than two of those"),
            "leave it out",
        )
    };
    (!has_pairs(equation)).then(none)
}

fn has_pairs(equation: &Equation) -> bool {
    let shape = equation.tokens.shape;
    match &equation.tokens.weights {
        Weights::Equal => shape.sources() > 1,
        Weights::Each(weights) => weights
            .chunks_exact(shape.count)
            .all(|weights| weights.iter().filter(|weight| **weight > 0.0).count() > 1),
    }
}

/// In how many parts pairs are sorted, each into bins of its own.
pub fn chunks(sizes: &Sizes, most: usize) -> (&'static str, u128) {
    let count = u128::from(sizes.count);
    let all = count.saturating_mul(count) / 2;
    ("observe.pairs", all.min(most as u128).div_ceil(CHUNK as u128))
}

/// The shares of pairs i < j, weighted by w_i w_j, in each of `bins` bins, `bin` being that of <theta_i, theta_j>; and the largest
/// standard deviation of one of them. Beyond `most` pairs, shares are those of `most` pairs drawn by `seed` and `replica`, each with a
/// probability proportional to w_i w_j, so that of p the standard deviation is (p (1 - p) / most)^{1/2}; up to that number nothing
/// is drawn, and it is zero. Not numbers where there are no two tokens.
pub fn shares(
    directions: &Directions,
    bins: usize,
    sample: Sample,
    bin: impl Fn(f64) -> usize + Sync,
) -> (Vec<f64>, f64) {
    let Sample { most, seed, replica } = sample;
    let count = directions.count();
    if (0..count).any(|i| directions.point(i).iter().any(|component| !component.is_finite())) {
        return (vec![f64::NAN; bins], f64::NAN);
    }
    let sum = |pairs: &mut dyn Iterator<Item = ((usize, usize), f64)>| {
        pairs.fold(vec![0.0; bins], |mut shares, ((i, j), weight)| {
            shares[bin(dot(directions.point(i), directions.point(j)))] += weight;
            shares
        })
    };
    let is_drawn = count.saturating_mul(count.saturating_sub(1)) / 2 > most;
    let parts: Vec<Vec<f64>> = if is_drawn {
        let lots = Lots::new(&directions.weights);
        let drawn =
            |index: usize| (lots.pair(&mut Stream::new(seed, replica as u32, index as u32, Purpose::Pairs)), 1.0);
        let part = |chunk: usize| sum(&mut (chunk * CHUNK..most.min((chunk + 1) * CHUNK)).map(drawn));
        (0..most.div_ceil(CHUNK)).into_par_iter().map(part).collect()
    } else {
        let rows = |first: usize| first..count.min(first + ROWS);
        let weighted = |(i, j): (usize, usize)| ((i, j), directions.weights[i] * directions.weights[j]);
        let part = |first| sum(&mut rows(first).flat_map(|i| (i + 1..count).map(move |j| (i, j))).map(weighted));
        (0..count).step_by(ROWS).collect::<Vec<_>>().into_par_iter().map(part).collect()
    };
    let mut shares = vec![0.0; bins];
    for part in parts {
        shares.iter_mut().zip(part).for_each(|(share, part)| *share += part);
    }
    let total: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= total);
    // Zero, but for shares that are not numbers.
    let error = if is_drawn { deviation(&shares, most as f64) } else { 0.0 * shares.iter().sum::<f64>() };
    (shares, error)
}

/// The largest standard deviation of shares of so many draws. Where all fell into one bin, others may be too rare to be seen by
/// about one draw, which is then the error.
fn deviation(shares: &[f64], draws: f64) -> f64 {
    shares.iter().map(|share| (share * (1.0 - share) / draws).sqrt()).fold(1.0 / draws, f64::max)
}

/// Pairs of different tokens, in proportion to the product of their weights.
enum Lots {
    /// Of so many tokens, at least two, all pairs are as likely.
    Equal(usize),
    /// The first token is i with a probability proportional to w_i times the weight of all others, the second one of these in
    /// proportion to its weight, so that no draw is lost and none is rounded where one token has nearly all the weight.
    Weighted {
        /// Sums of the first i of w_i (1 - w_i), from that of one.
        firsts: Vec<f64>,
        /// The weight of the tokens before each, and of those behind it.
        before: Vec<f64>,
        behind: Vec<f64>,
    },
}

impl Lots {
    fn new(weights: &[f64]) -> Self {
        if weights.iter().all(|weight| *weight == weights[0]) {
            return Lots::Equal(weights.len());
        }
        let sums = |weights: &mut dyn Iterator<Item = &f64>| -> Vec<f64> {
            let add = |sum: &mut f64, weight: &f64| {
                let before = *sum;
                *sum += weight;
                Some(before)
            };
            weights.scan(0.0, add).collect()
        };
        let before = sums(&mut weights.iter());
        let mut behind = sums(&mut weights.iter().rev());
        behind.reverse();
        let others = before.iter().zip(&behind).map(|(before, behind)| before + behind);
        let add = |sum: &mut f64, (weight, others): (&f64, f64)| {
            *sum += weight * others;
            Some(*sum)
        };
        let firsts = weights.iter().zip(others).scan(0.0, add).collect();
        Lots::Weighted { firsts, before, behind }
    }

    fn pair(&self, random: &mut Stream) -> (usize, usize) {
        match self {
            Lots::Equal(count) => {
                let mut below = |count: usize| ((u128::from(random.next_u64()) * count as u128) >> 64) as usize;
                let (i, j) = (below(*count), below(count - 1));
                (i, if j < i { j } else { j + 1 })
            }
            Lots::Weighted { firsts, before, behind } => {
                let last = firsts.len() - 1;
                // 53 random bits, in [0, 1).
                let mut share = |of: f64| (random.next_u64() >> 11) as f64 * (0.5f64).powi(53) * of;
                let place = share(firsts[last]);
                let i = firsts.partition_point(|sum| *sum <= place).min(last);
                let place = share(before[i] + behind[i]);
                if i == last || place < before[i] {
                    return (i, before[..i].partition_point(|sum| *sum <= place).saturating_sub(1));
                }
                // What is left behind the second token, which lies where that falls below what is left behind the place.
                let left = behind[i] - (place - before[i]);
                (i, (i + 1 + behind[i + 1..].partition_point(|sum| *sum >= left)).min(last))
            }
        }
    }
}
