//! How do the processes of one run tell each other what they have?
//!
//! The processes of a run are its ranks, numbered from zero. Each calls the same verbs of its [`Exchange`] in the same order. What is
//! summed over ranks is handed over block by block and added in the order of the blocks ([`sum_of_blocks`]), and what every rank must see
//! whole goes round part by part in one order for all ([`broadcast_parts`]): so that sums have the same bytes however many ranks there are.
//!
//! [`Alone`] is the exchange of a process by itself, [`Threads`] that of the threads of one process, and that of a [`Session`], in builds with the
//! feature `mpi`, that of processes on any number of machines.

mod alone;
#[cfg(feature = "mpi")]
mod mpi;
#[cfg(not(feature = "mpi"))]
#[path = "no_mpi.rs"]
mod mpi;
mod threads;
mod world;

use std::{ops::ControlFlow, sync::mpsc::sync_channel, thread};

pub use self::{alone::Alone, mpi::Session, threads::Threads, world::launched};

/// What the ranks of a run do together.
///
/// A verb returns when this rank has what it asked for, which may be before others have. After an error nothing more can be exchanged.
pub trait Exchange: Send + Sync {
    /// The number of this process, from zero.
    fn rank(&self) -> usize;

    /// How many there are.
    fn ranks(&self) -> usize;

    /// What each rank has, in the order of ranks, on all of them. Lengths may differ.
    fn allgather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, ExchangeError>;

    /// The same on rank zero; nothing on others.
    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, ExchangeError>;

    /// What rank zero has for each rank, there being one of `pieces` for each on rank zero and none elsewhere.
    fn scatter(&self, pieces: &[&[u8]]) -> Result<Vec<u8>, ExchangeError>;

    /// `bytes` become those of rank `from`; there are as many everywhere.
    fn broadcast(&self, from: usize, bytes: &mut [u8]) -> Result<(), ExchangeError>;
}

/// Why ranks cannot go on together.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// A rank has ended that others wait for.
    #[error("another process of this run has ended before its time; see what it said, and start the run again")]
    Left,
    /// The library that exchanges has failed.
    #[error("the processes of this run cannot reach each other: {0}")]
    Failed(String),
    /// There is no MPI in this build.
    #[error(
        "this build of tokenfield has no MPI, so that each of the processes that were started together would do all of the work; \
         build it with `--features mpi`, or start one process"
    )]
    BuiltWithoutMpi,
    /// What was received is not what was asked for.
    #[error(
        "the processes of this run do not do the same: start all with the same file, options and build of tokenfield"
    )]
    Unlike,
}

/// Numbers of every rank, in the order of ranks, on all of them.
pub fn allgather_numbers(exchange: &dyn Exchange, own: &[f64]) -> Result<Vec<Vec<f64>>, ExchangeError> {
    let bytes = exchange.allgather(bytemuck::cast_slice(own))?;
    Ok(bytes.iter().map(|bytes| bytemuck::pod_collect_to_vec(bytes)).collect())
}

/// The blocks of every rank, all of one length, in the order of ranks.
pub fn allgather_blocks(exchange: &dyn Exchange, own: Vec<Vec<f64>>) -> Result<Vec<Vec<f64>>, ExchangeError> {
    if exchange.ranks() == 1 {
        return Ok(own);
    }
    // Their length goes before them.
    let length = own.first().map_or(0, Vec::len) as f64;
    let mut blocks = Vec::new();
    for numbers in allgather_numbers(exchange, &[vec![length], own.concat()].concat())? {
        let Some((length, numbers)) = numbers.split_first() else { return Err(ExchangeError::Unlike) };
        blocks.extend(numbers.chunks((*length as usize).max(1)).map(<[f64]>::to_vec));
    }
    match blocks.iter().all(|block| block.len() == blocks[0].len()) {
        true => Ok(blocks),
        false => Err(ExchangeError::Unlike),
    }
}

/// The sum of the blocks of all ranks, added one by one in their order: the bytes of one process that has them all.
pub fn sum_of_blocks(exchange: &dyn Exchange, own: Vec<Vec<f64>>) -> Result<Vec<f64>, ExchangeError> {
    Ok(added(allgather_blocks(exchange, own)?))
}

/// The sum of blocks of one length, added one by one in their order.
pub(crate) fn added(blocks: Vec<Vec<f64>>) -> Vec<f64> {
    let add = |mut total: Vec<f64>, block: Vec<f64>| {
        total.iter_mut().zip(block).for_each(|(total, number)| *total += number);
        total
    };
    blocks.into_iter().reduce(add).unwrap_or_default()
}

/// Whether any rank says so.
pub fn any(exchange: &dyn Exchange, own: bool) -> Result<bool, ExchangeError> {
    Ok(exchange.ranks() > 1 && exchange.allgather(&[u8::from(own)])?.contains(&vec![1]) || own)
}

/// A part of what goes round: who has it, and how many bytes it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The rank that has it.
    pub owner: usize,
    /// Its length.
    pub bytes: usize,
}

/// Hands `visit` each of the `parts` that ranks have, in their order on every rank, the next one being under way meanwhile; `load` writes a
/// part of this rank. Ends early, with `Break` on every rank, when `ends` says so on one.
///
/// In a ring where every rank starts at its own part the order of sums, and so their bytes, would depend on the number of ranks. So
/// each part comes from its owner to all others, along whatever tree the exchange knows.
pub fn broadcast_parts(
    exchange: &dyn Exchange,
    parts: &[Part],
    load: impl Fn(usize, &mut [u8]) + Sync,
    ends: impl Fn() -> bool + Sync,
    mut visit: impl FnMut(usize, &[u8]),
) -> Result<ControlFlow<()>, ExchangeError> {
    // One part waits while another is visited and a third is received.
    let (sender, receiver) = sync_channel::<(usize, Vec<u8>)>(1);
    thread::scope(|scope| {
        let receive = || -> Result<ControlFlow<()>, ExchangeError> {
            let sender = sender;
            for (index, part) in parts.iter().enumerate() {
                if any(exchange, ends())? {
                    return Ok(ControlFlow::Break(()));
                }
                let mut bytes = vec![0; part.bytes];
                if part.owner == exchange.rank() {
                    load(index, &mut bytes);
                }
                exchange.broadcast(part.owner, &mut bytes)?;
                if sender.send((index, bytes)).is_err() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        };
        let receiving = scope.spawn(receive);
        for (index, bytes) in receiver {
            visit(index, &bytes);
        }
        receiving.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests;
