//! Runs of several processes that a launcher of MPI has started: the first does what a run does, and the others follow it in silence.

use std::sync::Arc;

use tokenfield::{
    backend::{BackendError, Precision, ranks},
    exchange::{Exchange, Session, launched},
    problem::Problem,
    run::Machine,
};

use super::{
    error::CommandError,
    output::{report, talk},
};

/// The processes of a run, from when they meet until they part.
pub struct World {
    exchange: Arc<dyn Exchange>,
    session: Session,
}

impl World {
    /// Those that a launcher started together, if there are several.
    pub fn join() -> Result<Option<Self>, CommandError> {
        if launched().is_none_or(|processes| processes == 1) {
            return Ok(None);
        }
        let session = Session::begin().map_err(BackendError::from)?;
        Ok(Some(Self { exchange: session.exchange(), session }))
    }

    /// What this process was to read, if all others could read theirs. The first says what went wrong, and the others end in silence.
    pub fn agree<T>(&self, read: Result<T, CommandError>) -> Result<T, CommandError> {
        let message = read.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let messages = self.exchange.allgather(message.as_bytes()).map_err(BackendError::from)?;
        let Some(rank) = messages.iter().position(|message| !message.is_empty()) else { return read };
        if self.is_first() {
            let message = String::from_utf8_lossy(&messages[rank]).into_owned();
            return read.and_then(|_| Err(BackendError::OtherRank { rank, message }.into()));
        }
        Err(CommandError::SaidByFirst)
    }

    /// Whether this is the process that runs, prints and writes.
    pub fn is_first(&self) -> bool {
        self.exchange.rank() == 0
    }

    /// The processors of all.
    pub fn machine(&self, precision: Precision) -> Machine {
        Machine::Ranks(self.exchange.clone(), precision)
    }

    /// Follows the first process to its end. Where that is not possible all are ended, because the others would wait for this one.
    pub fn follow(&self, problem: Problem) {
        if let Err(error) = ranks::follow(problem, self.exchange.clone()) {
            let rank = self.exchange.rank();
            report(&CommandError::Failed(format!("process {rank}: {error}")));
            self.session.abort(1);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if self.is_first()
            && let Err(error) = ranks::dismiss(&*self.exchange)
        {
            talk(format_args!("tokenfield: {error}"));
            self.session.abort(1);
        }
    }
}
