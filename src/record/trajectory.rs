//! The tokens at every sample, as one array that grows in a partial file and takes its name when it is whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use ndarray_npy::{WritableElement, write_zeroed_npy};

use super::{
    error::RecordError,
    file::{of_npy, partial},
    fingerprint::{Fingerprint, Hasher},
};
use crate::{backend::Precision, tokens::Shape};

/// `trajectory.npy`, C order, (samples, replicas, count, dim), in the precision of the run.
pub struct Trajectory {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    precision: Precision,
    hasher: Hasher,
    /// The length of the whole file.
    bytes: u64,
}

impl Trajectory {
    /// A file for so many samples.
    pub fn create(path: &Path, samples: usize, shape: Shape, precision: Precision) -> Result<Self, RecordError> {
        let partial = partial(path);
        let opened = match precision {
            Precision::Half | Precision::Single => zeroed::<f32>(&partial, samples, shape),
            Precision::Double => zeroed::<f64>(&partial, samples, shape),
        };
        let (file, hasher, bytes) = opened.map_err(|source| {
            let _ = fs::remove_file(&partial);
            RecordError::Write { path: path.to_owned(), source }
        })?;
        let file = BufWriter::new(file);
        Ok(Self { path: path.to_owned(), partial, file, precision, hasher, bytes })
    }

    /// Appends the tokens of a sample.
    pub fn add(&mut self, tokens: &[f64]) -> Result<(), RecordError> {
        // In pieces: the tokens may fill much of the memory.
        for piece in tokens.chunks(1 << 14) {
            let bytes: Vec<u8> = match self.precision {
                Precision::Half | Precision::Single => {
                    piece.iter().flat_map(|component| (*component as f32).to_le_bytes()).collect()
                }
                Precision::Double => piece.iter().flat_map(|component| component.to_le_bytes()).collect(),
            };
            self.hasher.update(&bytes);
            let written = self.file.write_all(&bytes);
            written.map_err(|source| RecordError::Write { path: self.path.clone(), source })?;
        }
        Ok(())
    }

    /// Gives the file its name.
    pub fn finish(mut self) -> Result<Fingerprint, RecordError> {
        let whole = match self.hasher.bytes() == self.bytes {
            true => self.file.flush().and_then(|()| self.file.get_ref().sync_all()),
            false => Err(io::Error::other("some of its samples are missing")),
        };
        whole
            .and_then(|()| fs::rename(&self.partial, &self.path))
            .map_err(|source| RecordError::Write { path: self.path.clone(), source })?;
        Ok(self.hasher.finish())
    }
}

/// A file of zeros, open where its numbers begin, the bytes up to there, and its length.
fn zeroed<T: WritableElement>(path: &Path, samples: usize, shape: Shape) -> io::Result<(File, Hasher, u64)> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
    let dimensions = (samples, shape.replicas, shape.count, shape.dim);
    write_zeroed_npy::<T, _>(&file, dimensions).map_err(of_npy)?;
    let bytes = samples.checked_mul(shape.coordinates()).and_then(|n| n.checked_mul(size_of::<T>()));
    let bytes = bytes.ok_or_else(|| io::Error::other("its tokens are more bytes than can be counted"))?;
    let length = file.metadata()?.len();
    let mut header = vec![0; (length - bytes as u64) as usize];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut header)?;
    let mut hasher = Hasher::default();
    hasher.update(&header);
    Ok((file, hasher, length))
}
