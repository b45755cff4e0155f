//! What a run must say although it goes on: kinds, and sentences.
//!
//! Whoever notices makes the sentence, with its numbers and a remedy; [`simulate`](crate::simulate::simulate) hands it out, once for
//! each kind and replica, and a run folder keeps the first of each kind.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

/// What a warning is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WarningKind {
    /// What stands for the limit is not near enough to the law, for a distance that is small.
    LimitUnresolved,
    /// Harmonics were left for direct sums.
    HarmonicsAbandoned,
    /// A step is longer than its noise is good for.
    LongNoise,
    /// An energy went the way that the equation forbids.
    UnstableSteps,
    /// A part of the run was computed on another machine.
    OtherMachine,
    /// A device had no room, and the CPU computes in its place.
    NoRoomOnDevice,
    /// A device was lost, and the run went on from a checkpoint.
    DeviceLost,
    /// A checkpoint could not be written.
    NoCheckpoint,
    /// Iterations for stochastic rows and columns stopped short of their tolerance.
    Unbalanced,
}

/// Something about a run that its user must know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// What sort of thing is wrong.
    pub kind: WarningKind,
    /// The replica that it is about; none if it is about all of them.
    pub replica: Option<usize>,
    /// What is wrong, by how much, and what to do about it; without the number of the replica and a full stop.
    pub sentence: String,
}

impl Warning {
    /// About all replicas.
    pub fn new(kind: WarningKind, sentence: impl Into<String>) -> Self {
        Self { kind, replica: None, sentence: sentence.into() }
    }

    /// About one of them.
    pub fn of_replica(kind: WarningKind, replica: usize, sentence: impl Into<String>) -> Self {
        Self { replica: Some(replica), ..Self::new(kind, sentence) }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.replica {
            Some(replica) => write!(f, "replica {replica}: {}", self.sentence),
            None => f.write_str(&self.sentence),
        }
    }
}

/// What has been said already.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Said(BTreeSet<Subject>);

/// What a warning is about, and which replica, if it is about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Subject {
    kind: WarningKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replica: Option<usize>,
}

impl Said {
    /// Whether nothing of this kind has been said about this replica; from now on it has.
    pub fn is_news(&mut self, warning: &Warning) -> bool {
        self.0.insert(Subject { kind: warning.kind, replica: warning.replica })
    }
}
