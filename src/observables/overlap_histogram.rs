//! How directions of pairs of tokens overlap: a histogram over all pairs, or over some that are drawn once.

use rand::Rng;
use rayon::prelude::*;

use super::{
    Definition, Directions, Need, Numbers, Objection, Observable, OnDevice, Parameter, Parametrized, Setup, View,
    directions, equation::Equation,
};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    observe::Statistics,
    random::{Purpose, Stream},
    tokens::Weights,
    vector::dot,
};

/// Pairs that one task sorts into bins before the bins are added in order.
const CHUNK: usize = 1 << 14;
/// Tokens whose pairs are counted at once.
const ROWS: usize = 64;

/// `overlap_histogram_k`: the share of pairs i < j, weighted by w_i w_j, with <theta_i, theta_j> in the k-th of `bins` equal
/// parts of [-1, 1]; beyond that number of `pairs` the share among as many that are drawn by `seed` with probabilities in
/// proportion to w_i w_j, the same at all times. `overlap_histogram_error`: the largest standard deviation of a share, zero where
/// nothing is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlapHistogram {
    /// Parts of [-1, 1].
    pub bins: usize,
    /// Pairs of a replica that are measured at most.
    pub pairs: usize,
    /// The key of the draw.
    pub seed: u64,
}

const DEFINITION: Definition = Definition {
    word: "overlap_histogram",
    documentation: "overlap_histogram_0 .. , the shares of pairs i < j, weighted by w_i w_j, with <theta_i, theta_j> in each \
        of `bins` equal parts of [-1, 1]; of all pairs up to the number `pairs`, else of as many drawn by \
        `seed`, each with a probability proportional to w_i w_j; and overlap_histogram_error, the largest \
        standard deviation of a share, which is (p (1 - p) / pairs)^{1/2} of a share p that is drawn, and 0 \
        where all pairs are counted",
    needs: &[Need::Tokens, Need::Directions],
    replicas_a_sample: 1,
    curve: None,
};

impl OverlapHistogram {
    pub(super) const DEFAULT: Self = Self { bins: 32, pairs: 1_000_000, seed: 0 };
}

impl Parametrized for OverlapHistogram {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![
            Parameter::whole("bins", &mut self.bins, 1..=1000),
            Parameter::whole("pairs", &mut self.pairs, 1..=u64::from(u32::MAX)),
        ]
    }

    fn seed(&mut self) -> Option<&mut u64> {
        Some(&mut self.seed)
    }
}

impl Observable for OverlapHistogram {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        let shares = (0..self.bins).map(|k| format!("overlap_histogram_{k}"));
        shares.chain(["overlap_histogram_error".into()]).collect()
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        directions::objection(setup)
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        let none = || {
            Objection::new(
                "overlap_histogram is of pairs of tokens of positive weight, and a replica has less than two of those",
                "leave it out",
            )
        };
        (!has_pairs(equation)).then(none)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        let count = u128::from(sizes.count);
        let all = count.saturating_mul(count) / 2;
        let chunks = all.min(self.pairs as u128).div_ceil(CHUNK as u128);
        let factors = [("observe.pairs", chunks), ("observe.bins", self.bins as u128)];
        Part::new("histograms of chunks of pairs", DOUBLE, &factors)
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        let directions = view.directions(replica);
        let (mut numbers, error) = histogram(&directions, self.bins, self.pairs, self.seed, replica);
        numbers.push(error);
        Ok(numbers)
    }

    fn on_device(&self) -> Option<OnDevice> {
        Some(OnDevice::OverlapHistogram { bins: self.bins, pairs: self.pairs })
    }

    /// A backend counts all pairs or leaves them to the host, so that its shares have no error.
    fn complete(&self, _: &View, _: usize, shares: &[f64]) -> Vec<f64> {
        let error = 0.0 * shares.iter().sum::<f64>();
        shares.iter().copied().chain([error]).collect()
    }
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

/// The shares of pairs i < j, weighted by w_i w_j, with <theta_i, theta_j> in each of `bins` equal parts of [-1, 1], of which all
/// but the last are open above; and the largest standard deviation of one of them. Beyond `most` pairs, shares are those of `most`
/// pairs drawn by `seed` and `replica`, each with a probability proportional to w_i w_j, so that of p the standard deviation is
/// (p (1 - p) / most)^{1/2}; up to that number nothing is drawn, and it is zero. Not numbers where there are no two tokens.
pub fn histogram(directions: &Directions, bins: usize, most: usize, seed: u64, replica: usize) -> (Vec<f64>, f64) {
    let count = directions.count();
    if (0..count).any(|i| directions.point(i).iter().any(|component| !component.is_finite())) {
        return (vec![f64::NAN; bins], f64::NAN);
    }
    let bin = |(i, j): (usize, usize)| {
        let overlap = dot(directions.point(i), directions.point(j));
        // The cast sends what is below zero, by rounding, to zero.
        ((0.5 * (overlap + 1.0) * bins as f64) as usize).min(bins - 1)
    };
    let sum = |pairs: &mut dyn Iterator<Item = ((usize, usize), f64)>| {
        pairs.fold(vec![0.0; bins], |mut shares, (pair, weight)| {
            shares[bin(pair)] += weight;
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
