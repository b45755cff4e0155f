//! The exchange of a process that is alone.

use super::{Exchange, ExchangeError};

/// One rank, which has all there is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Exchange for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn ranks(&self) -> usize {
        1
    }

    fn allgather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, ExchangeError> {
        Ok(vec![own.to_vec()])
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, ExchangeError> {
        Ok(vec![own.to_vec()])
    }

    fn scatter(&self, pieces: &[&[u8]]) -> Result<Vec<u8>, ExchangeError> {
        pieces.first().map(|piece| piece.to_vec()).ok_or(ExchangeError::Unlike)
    }

    fn broadcast(&self, _from: usize, _bytes: &mut [u8]) -> Result<(), ExchangeError> {
        Ok(())
    }
}
