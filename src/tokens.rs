//! Where tokens live: coordinates ordered (replica, token, component), their weights and the passive tail.
//!
//! This room knows nothing of attention, time or devices. It is the host's picture of a cloud of tokens, in f64;
//! each backend keeps its own copy in its own precision.

use std::ops::Range;

/// Tokens in a run at most.
const SEGMENT_TOKENS: usize = 1 << 20;
/// Numbers in a run at most, but for a token that has more: 32 MiB in double precision.
const SEGMENT_NUMBERS: usize = 1 << 22;

/// How many tokens there are, and of what width.
///
/// Coordinates are ordered (replica, token, component), so token `i` of replica `r` starts at
/// `(r * count + i) * dim`. The last `passive` tokens of every replica carry no weight: they feel the field of the
/// others and exert none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Independent systems that evolve side by side.
    pub replicas: usize,
    /// Tokens in one replica, passive ones included.
    pub count: usize,
    /// Components of a token: tokens live in R^dim.
    pub dim: usize,
    /// Trailing tokens of one replica that have weight zero.
    pub passive: usize,
}

impl Shape {
    /// Tokens of one replica that act on the others.
    pub fn sources(&self) -> usize {
        self.count - self.passive
    }

    /// Tokens of all replicas.
    pub fn tokens(&self) -> usize {
        self.replicas * self.count
    }

    /// Sets the numbers of the first `count` tokens of every replica to zero.
    pub(crate) fn clear_leading(&self, numbers: &mut [f64], count: usize) {
        numbers.chunks_mut(self.count * self.dim).for_each(|replica| replica[..count * self.dim].fill(0.0));
    }

    /// Numbers needed to write down every token.
    pub fn coordinates(&self) -> usize {
        self.tokens() * self.dim
    }

    /// All tokens, counted over the replicas, in runs of a size to hold beside them: 2^20 tokens, or fewer where these are wide.
    pub fn segments(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (all, length) = (self.tokens(), SEGMENT_TOKENS.min(SEGMENT_NUMBERS / self.dim.max(1)).max(1));
        (0..all).step_by(length).map(move |start| start..all.min(start + length))
    }

    /// Of a run of tokens, counted over the replicas, those that there are.
    pub(crate) fn within(&self, tokens: &Range<usize>) -> Range<usize> {
        let end = tokens.end.min(self.tokens());
        tokens.start.min(end)..end
    }

    /// The replicas that a run of tokens, counted over the replicas, touches, and which tokens of each it has.
    pub(crate) fn of_replicas(&self, tokens: &Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> + use<> {
        let (count, Range { start, end }) = (self.count.max(1), self.within(tokens));
        let replicas = if start < end { start / count..end.div_ceil(count) } else { 0..0 };
        replicas.map(move |replica| {
            let first = replica * count;
            (replica, start.max(first) - first..end.min(first + count) - first)
        })
    }
}

/// The weights w_j of the empirical measure sum_j w_j delta_{x_j}; they sum to one in every replica.
#[derive(Clone, Debug, PartialEq)]
pub enum Weights {
    /// 1 / sources for each source, zero for the passive tail.
    Equal,
    /// One weight a token, ordered (replica, token); zero on the passive tail.
    Each(Vec<f64>),
}

impl Weights {
    /// The weight of token `token` of replica `replica` of tokens of that shape.
    pub fn of(&self, shape: Shape, replica: usize, token: usize) -> f64 {
        match self {
            Weights::Equal if token < shape.sources() => 1.0 / shape.sources() as f64,
            Weights::Equal => 0.0,
            Weights::Each(weights) => weights[replica * shape.count + token],
        }
    }
}

/// A cloud of tokens on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Tokens {
    /// How many there are, and of which dimension.
    pub shape: Shape,
    /// Ordered (replica, token, component).
    pub coordinates: Vec<f64>,
    /// w_j.
    pub weights: Weights,
}

impl Tokens {
    /// The weight of token `token` of replica `replica`.
    pub fn weight(&self, replica: usize, token: usize) -> f64 {
        self.weights.of(self.shape, replica, token)
    }

    /// The coordinates of one replica, ordered (token, component).
    pub fn replica(&self, replica: usize) -> &[f64] {
        let length = self.shape.count * self.shape.dim;
        &self.coordinates[replica * length..][..length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every token is in one segment, in its order, and none of them is large.
    #[test]
    fn segments_are_all_tokens_in_runs_to_hold() {
        for (replicas, count, dim, first) in [
            (1, 5, 3, 5),
            (3, 1 << 20, 3, 1 << 20),
            (7, 1_000_003, 2, 1 << 20),
            (2, 100_000, 100, 41_943),
            (2, 3, 1 << 23, 1),
        ] {
            let shape = Shape { replicas, count, dim, passive: 0 };
            let mut next = 0;
            for segment in shape.segments() {
                assert_eq!(segment.start, next, "{shape:?}");
                assert!(
                    segment.len() <= 1 << 20 && (segment.len() == 1 || segment.len() * dim <= 1 << 22),
                    "{shape:?}"
                );
                next = segment.end;
            }
            assert_eq!(next, replicas * count);
            assert_eq!(shape.segments().next(), Some(0..first), "{shape:?}");
        }
    }

    #[test]
    fn a_run_over_replicas_is_a_run_of_each() {
        let shape = Shape { replicas: 3, count: 10, dim: 2, passive: 0 };
        let of = |run: Range<usize>| shape.of_replicas(&run).collect::<Vec<_>>();
        assert_eq!(of(3..5), [(0, 3..5)]);
        assert_eq!(of(8..21), [(0, 8..10), (1, 0..10), (2, 0..1)]);
        assert_eq!(of(20..99), [(2, 0..10)]);
        assert_eq!(of(10..20), [(1, 0..10)]);
        assert_eq!(of(7..7), []);
        assert_eq!(of(30..40), []);
    }
}
