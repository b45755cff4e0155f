//! Over which tokens of a replica an observable of single tokens is a mean.

use std::ops::Range;

use super::objection::Objection;
use crate::tokens::Shape;

/// The tokens of a replica that a mean or a maximum over tokens is taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Among {
    /// Those that are not passive.
    #[default]
    Sources,
    /// Those that are.
    Passive,
}

impl Among {
    pub(crate) const WORDS: &[(&'static str, Among)] = &[("sources", Among::Sources), ("passive", Among::Passive)];

    /// As typed.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Among::Sources => "sources",
            Among::Passive => "passive",
        }
    }

    /// Their places in the replica.
    pub(crate) fn range(self, shape: Shape) -> Range<usize> {
        match self {
            Among::Sources => 0..shape.sources(),
            Among::Passive => shape.sources()..shape.count,
        }
    }

    /// Where there are none.
    pub(super) fn objection(self, shape: Shape) -> Option<Objection> {
        let none = || {
            Objection::new(
                "observe.of = \"passive\" is of passive tokens, and there are none",
                "write tokens.passive = 1 or more, or observe.of = \"sources\"",
            )
        };
        self.range(shape).is_empty().then(none)
    }
}
