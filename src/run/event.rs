//! What the caller of a run is told.

use crate::{
    backend::Identity,
    cancel::Cancel,
    expression::Expression,
    observe::Sample,
    problem::{Problem, Reference},
};

/// What a run reports.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// This limit is being opened, to run beside the tokens.
    Limit(&'a Reference),
    /// Steps are about to be taken, of a problem on a backend.
    Started {
        /// That of the experiment.
        name: &'a str,
        /// Who does the arithmetic.
        identity: &'a Identity,
        /// What is computed.
        problem: &'a Problem,
        /// Ends the run between two events as well, within a fraction of a second.
        cancel: &'a Cancel,
    },
    /// The run goes on from a checkpoint.
    Resumed {
        /// The layer-time of its tokens.
        time: f64,
        /// Steps that were done.
        steps: u64,
    },
    /// A checkpoint was written at this layer-time.
    Checkpoint(f64),
    /// One replica was measured.
    Sample(&'a Sample),
    /// This many steps are done.
    Steps(u64),
    /// Something that the user must know, though the run goes on; each kind at most once for each folder.
    Warning(&'a str),
    /// The condition to stop at holds in all replicas at this layer-time, and no more steps are taken.
    Stopped {
        /// That of the last sample.
        time: f64,
        /// What holds.
        condition: &'a Expression,
    },
    /// No more steps are taken, for whatever reason.
    Ended,
}
