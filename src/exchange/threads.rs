//! The exchange of the threads of one process: what runs of many ranks are tested with where there is no MPI.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{Exchange, ExchangeError};

/// One rank of several, each of which belongs to a thread. Whoever waits for a rank that has been dropped gets an error.
pub struct Threads {
    rank: usize,
    table: Arc<Table>,
}

/// Where ranks lay down what they have.
struct Table {
    ranks: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What has been laid down in this round.
    laid: Vec<Option<Vec<u8>>>,
    /// Of the last round that was completed: nobody begins another before all have taken it.
    complete: Arc<Vec<Vec<u8>>>,
    rounds: u64,
    has_left: bool,
}

impl Threads {
    /// As many ranks as asked for, in their order.
    pub fn new(ranks: usize) -> Vec<Self> {
        let state = State { laid: vec![None; ranks], ..State::default() };
        let table = Arc::new(Table { ranks, state: Mutex::new(state), changed: Condvar::new() });
        (0..ranks).map(|rank| Self { rank, table: table.clone() }).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.table.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lays down what this rank has, and takes what all have when the last has come.
    fn meet(&self, own: Vec<u8>) -> Result<Arc<Vec<Vec<u8>>>, ExchangeError> {
        let mut state = self.state();
        if state.has_left {
            return Err(ExchangeError::Left);
        }
        let round = state.rounds;
        state.laid[self.rank] = Some(own);
        if state.laid.iter().all(Option::is_some) {
            state.complete = Arc::new(state.laid.iter_mut().filter_map(Option::take).collect());
            state.rounds += 1;
            self.table.changed.notify_all();
        }
        while state.rounds == round {
            if state.has_left {
                return Err(ExchangeError::Left);
            }
            state = self.table.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(state.complete.clone())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.state().has_left = true;
        self.table.changed.notify_all();
    }
}

impl Exchange for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.table.ranks
    }

    fn allgather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, ExchangeError> {
        Ok(self.meet(own.to_vec())?.to_vec())
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, ExchangeError> {
        let all = self.meet(own.to_vec())?;
        Ok(if self.rank == 0 { all.to_vec() } else { Vec::new() })
    }

    fn scatter(&self, pieces: &[&[u8]]) -> Result<Vec<u8>, ExchangeError> {
        let mut dealt = None;
        for rank in 0..self.ranks() {
            let all = self.meet(pieces.get(rank).map(|piece| piece.to_vec()).unwrap_or_default())?;
            if rank == self.rank {
                dealt = all.first().cloned();
            }
        }
        dealt.ok_or(ExchangeError::Unlike)
    }

    fn broadcast(&self, from: usize, bytes: &mut [u8]) -> Result<(), ExchangeError> {
        let all = self.meet(if self.rank == from { bytes.to_vec() } else { Vec::new() })?;
        let Some(theirs) = all.get(from).filter(|theirs| theirs.len() == bytes.len()) else {
            return Err(ExchangeError::Unlike);
        };
        bytes.copy_from_slice(theirs);
        Ok(())
    }
}
