//! The form of an array that grows sample by sample.

use std::io;

use crate::{backend::Precision, simulate::Ending};

/// How many samples it will have, of which shape each is, and in which precision numbers are written.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) samples: usize,
    pub(super) each: Vec<usize>,
    pub(super) precision: Precision,
}

impl Form {
    pub(super) fn shape(&self, samples: usize) -> Vec<usize> {
        [&[samples], &self.each[..]].concat()
    }

    /// Bytes of a number.
    pub(super) fn width(&self) -> usize {
        match self.precision {
            Precision::Half | Precision::Single => 4,
            Precision::Double => 8,
        }
    }

    /// Bytes of a sample.
    pub(super) fn each_bytes(&self) -> io::Result<u64> {
        product(self.width() as u64, &self.each)
    }

    /// Bytes of all samples.
    pub(super) fn bytes(&self) -> io::Result<u64> {
        product(self.width() as u64, &self.shape(self.samples))
    }

    /// Refuses fewer samples than there are to be, unless a run ended early.
    pub(super) fn require(&self, samples: usize, ending: Ending) -> io::Result<()> {
        match ending {
            Ending::Scheduled | Ending::Unmet if samples < self.samples => {
                Err(io::Error::other("some of its samples are missing"))
            }
            Ending::Scheduled | Ending::Unmet | Ending::Stopped => Ok(()),
        }
    }

    /// How many whole samples so many bytes are, of which there may be no part and none too many.
    pub(super) fn whole_samples(&self, bytes: u64) -> io::Result<usize> {
        let each = self.each_bytes()?;
        let samples = bytes.checked_div(each).unwrap_or(self.samples as u64);
        match samples * each == bytes && samples <= self.samples as u64 {
            true => Ok(samples as usize),
            false => Err(io::Error::other("part of a sample is missing")),
        }
    }

    /// Numbers as they are written.
    pub(super) fn encoded(&self, numbers: &[f64]) -> Vec<u8> {
        let mut bytes = vec![0; numbers.len() * self.width()];
        match self.precision {
            Precision::Half | Precision::Single => {
                let places = bytes.chunks_exact_mut(4).zip(numbers);
                places.for_each(|(place, number)| place.copy_from_slice(&(*number as f32).to_le_bytes()));
            }
            Precision::Double => {
                let places = bytes.chunks_exact_mut(8).zip(numbers);
                places.for_each(|(place, number)| place.copy_from_slice(&number.to_le_bytes()));
            }
        }
        bytes
    }
}

fn product(bytes: u64, lengths: &[usize]) -> io::Result<u64> {
    let product = lengths.iter().try_fold(bytes, |bytes, length| bytes.checked_mul(*length as u64));
    product.ok_or_else(|| io::Error::other("its numbers are more bytes than can be counted"))
}
