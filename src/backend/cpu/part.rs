//! Which tokens a process holds: all of them, or a run of them where others hold the rest.

use std::{convert::Infallible, ops::Range};

use crate::{
    sums::{columns::PADDING, harmonic::span},
    tokens::{Shape, Tokens, Weights},
};

/// A run of the tokens of every replica.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Of all tokens.
    pub(super) whole: Shape,
    /// Of those in the run.
    pub(super) shape: Shape,
    /// The number of the first in its replica; a multiple of [`span`](Self::span).
    pub(super) first: usize,
    /// What decides on shifts and scales out of the weights of all tokens: the least positive and the largest of each replica, and
    /// zero if there is one.
    pub(super) weights: Weights,
}

impl Part {
    /// All of the tokens.
    pub(super) fn all(tokens: &Tokens) -> Self {
        Self { whole: tokens.shape, shape: tokens.shape, first: 0, weights: extremes(tokens) }
    }

    /// That of process `rank` of so many, of the tokens of one replica, which have at least as many spans.
    pub(super) fn of_rank(tokens: &Tokens, rank: usize, ranks: usize) -> Self {
        let whole = tokens.shape;
        let (shape, first) = (Self::shape_of(whole, rank, ranks), Self::run_of(whole, rank, ranks).start);
        Self { whole, shape, first, weights: extremes(tokens) }
    }

    /// Which tokens process `rank` of so many holds.
    pub(super) fn run_of(whole: Shape, rank: usize, ranks: usize) -> Range<usize> {
        let (span, spans) = (Self::span_of(whole), Self::most_ranks(whole));
        let end = |ranks_before: usize| (ranks_before * spans / ranks * span).min(whole.count);
        end(rank)..end(rank + 1)
    }

    /// The shape of these.
    pub(super) fn shape_of(whole: Shape, rank: usize, ranks: usize) -> Shape {
        let run = Self::run_of(whole, rank, ranks);
        let sources = run.end.min(whole.sources()).saturating_sub(run.start);
        Shape { count: run.len(), passive: run.len() - sources, ..whole }
    }

    /// How many processes may share tokens of that shape.
    pub(super) fn most_ranks(whole: Shape) -> usize {
        whole.count.div_ceil(Self::span_of(whole))
    }

    fn span_of(whole: Shape) -> usize {
        span(whole.sources().next_multiple_of(PADDING))
    }

    /// Tokens whose sums are added before those of others are.
    pub(super) fn span(&self) -> usize {
        Self::span_of(self.whole)
    }

    /// The tokens of the run, of which these are the coordinates, with their own weights out of those of all.
    pub(super) fn tokens(&self, coordinates: Vec<f64>, all: &Weights) -> Tokens {
        let weights = match all {
            Weights::Equal => Weights::Equal,
            Weights::Each(weights) => Weights::Each(weights[self.first..][..self.shape.count].to_vec()),
        };
        Tokens { shape: self.shape, coordinates, weights }
    }

    /// The weight of a token of the run, `own` being those of the run.
    pub(super) fn weight(&self, own: &Weights, replica: usize, token: usize) -> f64 {
        match own {
            Weights::Equal => own.of(self.whole, replica, self.first + token),
            Weights::Each(weights) => weights[replica * self.shape.count + token],
        }
    }

    /// The largest weight of all tokens of a replica.
    pub(super) fn largest_weight(&self, replica: usize) -> f64 {
        match &self.weights {
            Weights::Equal => self.weights.of(self.whole, replica, 0),
            Weights::Each(weights) => weights.chunks(EXTREMES).nth(replica).map_or(0.0, |extremes| extremes[1]),
        }
    }
}

/// Numbers that are kept of the weights of a replica.
const EXTREMES: usize = 3;

fn extremes(tokens: &Tokens) -> Weights {
    let of_replica = |weights: &[f64]| -> [f64; EXTREMES] {
        let positive = weights.iter().copied().filter(|weight| *weight > 0.0);
        let least = positive.fold(f64::INFINITY, f64::min);
        let largest = weights.iter().copied().fold(0.0, f64::max);
        [least, largest, if weights.contains(&0.0) { 0.0 } else { largest }]
    };
    match &tokens.weights {
        Weights::Equal => Weights::Equal,
        Weights::Each(weights) => {
            Weights::Each(weights.chunks(tokens.shape.count.max(1)).flat_map(of_replica).collect())
        }
    }
}

/// How blocks of sums of the tokens of one process become those of all, in the order of tokens.
pub(super) trait Join {
    /// Why they do not.
    type Error;

    /// Those of all from those of this process.
    fn join(&self, own: Vec<Vec<f64>>) -> Result<Vec<Vec<f64>>, Self::Error>;
}

/// Where one process holds all tokens.
pub(super) struct Own;

impl Join for Own {
    type Error = Infallible;

    fn join(&self, own: Vec<Vec<f64>>) -> Result<Vec<Vec<f64>>, Infallible> {
        Ok(own)
    }
}
