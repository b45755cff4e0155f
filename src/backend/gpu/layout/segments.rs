//! How tokens are divided among buffers, because one binding holds less than a large problem needs.
//!
//! Tokens are rows, ordered (replica, token). A segment either holds whole replicas, or a piece of a single one; so
//! the keys of a segment of queries are always in segments of the same shape, and a kernel sees at most one kind of
//! split.

use std::ops::Range;

use crate::tokens::Shape;

/// Consecutive rows that live in the same buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub first_replica: usize,
    pub replicas: usize,
    /// The first token of each replica that is in this segment; not zero only in a piece of a replica.
    pub first_token: usize,
    /// Tokens of each replica in this segment.
    pub tokens: usize,
    /// How many of those act on others.
    pub sources: usize,
}

impl Segment {
    /// How many of the tokens that a replica has here are among the first `count` of it.
    pub fn leading(&self, count: usize) -> usize {
        count.saturating_sub(self.first_token).min(self.tokens)
    }

    /// All rows of the segment.
    pub fn rows(&self) -> usize {
        self.replicas * self.tokens
    }

    /// The rows of the segment among all rows of the problem.
    pub fn range(&self, shape: Shape) -> Range<usize> {
        let first = self.first_replica * shape.count + self.first_token;
        first..first + self.rows()
    }

    /// Whether tokens of `other` are keys of the queries of this segment.
    pub fn sees(&self, other: &Segment) -> bool {
        self.first_replica == other.first_replica && other.sources > 0
    }
}

/// Divides the tokens into as few segments of at most `capacity` rows as their replicas allow.
pub fn divide(shape: Shape, capacity: usize) -> Vec<Segment> {
    let capacity = capacity.max(1);
    let whole = capacity / shape.count;
    if whole > 0 {
        let segment = |first_replica| Segment {
            first_replica,
            replicas: whole.min(shape.replicas - first_replica),
            first_token: 0,
            tokens: shape.count,
            sources: shape.sources(),
        };
        return (0..shape.replicas).step_by(whole).map(segment).collect();
    }
    // Pieces of equal size, so that none is a sliver.
    let size = shape.count.div_ceil(shape.count.div_ceil(capacity));
    let piece = |(first_replica, first_token): (usize, usize)| {
        let tokens = size.min(shape.count - first_token);
        let sources = shape.sources().saturating_sub(first_token).min(tokens);
        Segment { first_replica, replicas: 1, first_token, tokens, sources }
    };
    let starts = (0..shape.replicas).flat_map(|r| (0..shape.count).step_by(size).map(move |token| (r, token)));
    starts.map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_cover_every_row_once_within_their_capacity() {
        for (replicas, count, passive) in [(1, 1, 0), (1, 100, 7), (5, 20, 20 - 1), (3, 64, 0)] {
            let shape = Shape { replicas, count, dim: 3, passive };
            for capacity in [1, 2, 7, 19, 20, 21, 64, 100, 1000] {
                let segments = divide(shape, capacity);
                let mut next = 0;
                for segment in &segments {
                    assert!(segment.rows() <= capacity, "{segment:?}");
                    assert!(segment.replicas == 1 || segment.tokens == count, "{segment:?}");
                    assert_eq!(segment.range(shape).start, next, "{segment:?}");
                    next = segment.range(shape).end;
                }
                assert_eq!(next, shape.tokens());
            }
        }
    }

    #[test]
    fn queries_see_every_source_of_their_replica() {
        let shape = Shape { replicas: 3, count: 50, dim: 3, passive: 20 };
        for capacity in [8, 50, 120] {
            let segments = divide(shape, capacity);
            for queries in &segments {
                let seen: usize = segments.iter().filter(|keys| queries.sees(keys)).map(|keys| keys.sources).sum();
                assert_eq!(seen, 30, "{queries:?}");
            }
        }
    }
}
