//! The exchange of processes on any number of machines, by MPI.
//!
//! The bindings are those of ferrompi, which compile a small file of C against whichever MPI is installed (MPICH, Open MPI, those of
//! vendors); the crate `mpi` reads the headers with libclang, which clusters seldom have.

use std::sync::Arc;

use ferrompi::{Communicator, ThreadLevel};

use super::{Exchange, ExchangeError};

/// Bytes of one message: MPI counts with 31 bits.
const MESSAGE: usize = 1 << 30;

/// Bytes that go to all at once, a length and as much as it leaves: most of what is gathered fits, and takes one message.
const LETTER: usize = 128;
/// Bytes of a length.
const LENGTH: usize = 8;

/// The ranks of `MPI_COMM_WORLD`.
pub(super) struct Mpi {
    world: Communicator,
}

/// From the beginning of MPI to its end, which is when this is dropped. A process has one.
pub struct Session {
    exchange: Arc<Mpi>,
    // Dropped last: nothing can be exchanged after.
    _mpi: ferrompi::Mpi,
}

impl Session {
    /// Begins MPI.
    pub fn begin() -> Result<Self, ExchangeError> {
        // One thread at a time exchanges, not always the same.
        let mpi = ferrompi::Mpi::init_thread(ThreadLevel::Serialized).map_err(failed)?;
        if mpi.thread_level() < ThreadLevel::Serialized {
            let level = mpi.thread_level();
            return Err(ExchangeError::Failed(format!(
                "this MPI allows threads only as {level:?}, not as Serialized"
            )));
        }
        Ok(Self { exchange: Arc::new(Mpi { world: mpi.world() }), _mpi: mpi })
    }

    /// The ranks of the run.
    pub fn exchange(&self) -> Arc<dyn Exchange> {
        self.exchange.clone()
    }

    /// Ends all processes of the run at once, with this code.
    pub fn abort(&self, code: i32) -> ! {
        self.exchange.world.abort(code)
    }
}

fn failed(error: ferrompi::Error) -> ExchangeError {
    ExchangeError::Failed(error.to_string())
}

impl Mpi {
    /// The lengths of what all ranks have, in their order, and the beginning of each.
    fn begin(&self, own: &[u8]) -> Result<(Vec<usize>, Vec<Vec<u8>>), ExchangeError> {
        let mut letter = [0; LETTER];
        let kept = own.len().min(LETTER - LENGTH);
        letter[..LENGTH].copy_from_slice(&(own.len() as u64).to_le_bytes());
        letter[LENGTH..LENGTH + kept].copy_from_slice(&own[..kept]);
        let mut letters = vec![0; self.ranks() * LETTER];
        self.world.allgather(&letter, &mut letters).map_err(failed)?;
        let opened = |letter: &[u8; LETTER]| {
            let mut length = [0; LENGTH];
            length.copy_from_slice(&letter[..LENGTH]);
            let length = u64::from_le_bytes(length) as usize;
            (length, letter[LENGTH..].iter().copied().take(length).collect())
        };
        Ok(letters.as_chunks().0.iter().map(opened).unzip())
    }

    /// In one message to all.
    fn gather_small(&self, own: &[u8], lengths: &[usize]) -> Result<Vec<Vec<u8>>, ExchangeError> {
        let counts: Vec<i32> = lengths.iter().map(|length| *length as i32).collect();
        let begin = |start: &mut i32, count: &i32| {
            let begin = *start;
            *start += count;
            Some(begin)
        };
        let begins: Vec<i32> = counts.iter().scan(0, begin).collect();
        let mut all = vec![0; lengths.iter().sum()];
        self.world.allgatherv(own, &mut all, &counts, &begins).map_err(failed)?;
        let mut rest = all.as_slice();
        let of_rank = |length: &usize| {
            let (own, others) = rest.split_at(*length);
            rest = others;
            own.to_vec()
        };
        Ok(lengths.iter().map(of_rank).collect())
    }
}

impl Exchange for Mpi {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn ranks(&self) -> usize {
        self.world.size() as usize
    }

    fn allgather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, ExchangeError> {
        let (lengths, beginnings) = self.begin(own)?;
        if lengths.iter().all(|length| *length <= LETTER - LENGTH) {
            return Ok(beginnings);
        }
        if lengths.iter().sum::<usize>() <= MESSAGE {
            return self.gather_small(own, &lengths);
        }
        let of_rank = |(rank, length): (usize, usize)| {
            let mut bytes = if rank == self.rank() { own.to_vec() } else { vec![0; length] };
            self.broadcast(rank, &mut bytes)?;
            Ok(bytes)
        };
        lengths.into_iter().enumerate().map(of_rank).collect()
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, ExchangeError> {
        let (lengths, _) = self.begin(own)?;
        if self.rank() > 0 {
            own.chunks(MESSAGE).try_for_each(|bytes| self.world.send(bytes, 0, 0)).map_err(failed)?;
            return Ok(Vec::new());
        }
        let of_rank = |(rank, length): (usize, usize)| {
            if rank == 0 {
                return Ok(own.to_vec());
            }
            let mut bytes = vec![0; length];
            for bytes in bytes.chunks_mut(MESSAGE) {
                self.world.recv(bytes, rank as i32, 0).map_err(failed)?;
            }
            Ok(bytes)
        };
        lengths.into_iter().enumerate().map(of_rank).collect()
    }

    fn scatter(&self, pieces: &[&[u8]]) -> Result<Vec<u8>, ExchangeError> {
        if self.rank() == 0 {
            for (rank, piece) in pieces.iter().enumerate().skip(1) {
                self.world.send(&[piece.len() as u64], rank as i32, 0).map_err(failed)?;
                piece.chunks(MESSAGE).try_for_each(|bytes| self.world.send(bytes, rank as i32, 0)).map_err(failed)?;
            }
            return pieces.first().map(|piece| piece.to_vec()).ok_or(ExchangeError::Unlike);
        }
        let mut length = [0u64];
        self.world.recv(&mut length, 0, 0).map_err(failed)?;
        let mut own = vec![0; length[0] as usize];
        for bytes in own.chunks_mut(MESSAGE) {
            self.world.recv(bytes, 0, 0).map_err(failed)?;
        }
        Ok(own)
    }

    fn broadcast(&self, from: usize, bytes: &mut [u8]) -> Result<(), ExchangeError> {
        bytes.chunks_mut(MESSAGE).try_for_each(|bytes| self.world.broadcast(bytes, from as i32)).map_err(failed)
    }
}
