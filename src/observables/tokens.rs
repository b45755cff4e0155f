//! The tokens themselves.

use std::collections::BTreeSet;

use rand::RngExt;

use super::{Definition, Numbers, Objection, Observable, Parameter, Parametrized, Setup, View};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
    random::{Purpose, Stream},
};

/// The tokens themselves, which fill no column but a file of their own: at every sample or at times of their own, all of them or some.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tokens {
    /// After how many steps they are kept, beside the start and the end; none: at every sample.
    pub every: Option<u64>,
    /// How many of each replica are kept, drawn by `seed`, the same at all times; none: all.
    pub sample: Option<u64>,
    /// The key of the draw; zero where none is made.
    pub seed: u64,
    /// What they are written as.
    pub format: TokensFormat,
}

/// What tokens over time are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokensFormat {
    /// One array in one file up to 256 MiB, and chunks beyond.
    Auto,
    /// One array in one file, `trajectory.npy`.
    Npy,
    /// Chunks of a group of Zarr, `trajectory.zarr`.
    Zarr,
}

const SAMPLE: &str = "observe.tokens.sample";
/// Bytes of the number of a token that is kept: in a set as it is drawn, and in a list.
const NUMBER: u128 = 32;

const DEFINITION: Definition = Definition {
    word: "tokens",
    documentation: "no column, but a file trajectory.npy, (samples, replicas, count, dim), with the tokens of every sample, or beyond \
        256 MiB a group of Zarr, trajectory.zarr: for pictures of tokens over time, and for `tokenfield plot --animate`",
    // Whoever keeps them reads them run by run.
    needs: &[],
    replicas_a_sample: 1,
    curve: None,
};

impl Tokens {
    pub(super) const DEFAULT: Self = Self { every: None, sample: None, seed: 0, format: TokensFormat::Auto };

    /// The numbers, in their replica, of those of `count` tokens that are kept, ascending; none where all are.
    pub fn numbers(&self, count: usize) -> Option<Vec<usize>> {
        let sample = usize::try_from(self.sample?).unwrap_or(count).min(count);
        let mut random = Stream::new(self.seed, 0, 0, Purpose::Kept);
        // Every set of so many is as likely as any other (Floyd; Bentley, "Programming pearls", CACM 30, 1987).
        let mut drawn = BTreeSet::new();
        for last in count - sample..count {
            if !drawn.insert(random.random_range(0..=last)) {
                drawn.insert(last);
            }
        }
        Some(drawn.into_iter().collect())
    }
}

impl Parametrized for Tokens {
    /// Theirs are a table of their own.
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        Vec::new()
    }

    fn seed(&mut self) -> Option<&mut u64> {
        self.sample.map(|_| &mut self.seed)
    }
}

impl Observable for Tokens {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        Vec::new()
    }

    fn objection(&self, _: &Setup) -> Option<Objection> {
        None
    }

    fn memory(&self, _: &Sizes) -> Part {
        let sample =
            |sample: u64| Part::new("the numbers of tokens that are kept", NUMBER, &[(SAMPLE, sample.into())]);
        self.sample.map_or(Part::none(), sample)
    }

    fn measure(&self, _: &View, _: usize, _: &Statistics) -> Numbers {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every token is in a sample with the same probability, and so is every pair: sample / count, and so on.
    #[test]
    fn samples_are_drawn_without_replacement() {
        let (count, sample, draws) = (10, 4, 20_000);
        let (mut single, mut pairs) = ([0; 10], [[0; 10]; 10]);
        for seed in 0..draws {
            let numbers = Tokens { sample: Some(sample), seed, ..Tokens::DEFAULT }.numbers(count).expect("some");
            assert!(numbers.len() == 4 && numbers.is_sorted_by(|a, b| a < b) && numbers[3] < 10, "{numbers:?}");
            for a in &numbers {
                single[*a] += 1;
                numbers.iter().for_each(|b| pairs[*a][*b] += 1);
            }
        }
        // Five standard deviations of binomial counts.
        let near = |found: i32, p: f64| (f64::from(found) - p * 2e4).abs() < 5.0 * (2e4 * p * (1.0 - p)).sqrt();
        assert!(single.iter().all(|found| near(*found, 0.4)), "{single:?}");
        for a in 0..10 {
            assert!((0..a).all(|b| near(pairs[a][b], 12.0 / 90.0)), "{pairs:?}");
        }
    }

    #[test]
    fn all_are_kept_unless_fewer_are_asked_for() {
        assert_eq!(Tokens::DEFAULT.numbers(5), None);
        let of = |sample| Tokens { sample: Some(sample), ..Tokens::DEFAULT }.numbers(5).expect("some");
        assert_eq!(of(5), [0, 1, 2, 3, 4]);
        assert_eq!(of(9), [0, 1, 2, 3, 4]);
        assert_eq!(of(1).len(), 1);
    }
}
