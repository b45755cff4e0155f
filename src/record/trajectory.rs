//! The tokens, or the attention among them, at every sample, as one array that grows in a partial file and takes its name when it is whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use ndarray_npy::{WritableElement, write_zeroed_npy};

use super::{
    error::RecordError,
    file::{of_npy, partial},
    fingerprint::{Fingerprint, Hasher, hashed},
};
use crate::backend::Precision;

/// `trajectory.npy`, C order, (samples, replicas, count, dim), or `attention.npy`, (samples, replicas, heads, rows, sources), in the
/// precision of the run.
pub struct Trajectory {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    precision: Precision,
    hasher: Hasher,
    /// What comes before the numbers.
    header: Vec<u8>,
    /// Of the whole file.
    samples: usize,
    /// The length of the whole file.
    bytes: u64,
}

impl Trajectory {
    /// A file for so many samples, each of the shape `each`.
    pub fn create(path: &Path, samples: usize, each: &[usize], precision: Precision) -> Result<Self, RecordError> {
        let partial = partial(path);
        let opened = match precision {
            Precision::Half | Precision::Single => zeroed::<f32>(&partial, samples, each),
            Precision::Double => zeroed::<f64>(&partial, samples, each),
        };
        let (file, header, bytes) = opened.map_err(|source| {
            let _ = fs::remove_file(&partial);
            RecordError::Write { path: path.to_owned(), source }
        })?;
        let (file, mut hasher) = (BufWriter::new(file), Hasher::default());
        hasher.update(&header);
        Ok(Self { path: path.to_owned(), partial, file, precision, hasher, header, samples, bytes })
    }

    /// Appends numbers of a sample.
    pub fn add(&mut self, numbers: &[f64]) -> Result<(), RecordError> {
        // In pieces: the numbers may fill much of the memory.
        for piece in numbers.chunks(1 << 14) {
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

    /// Gives the file its name with those samples alone that it has, and there will be no more.
    pub fn finish_early(mut self) -> Result<Fingerprint, RecordError> {
        let numbers = self.bytes - self.header.len() as u64;
        let each = (numbers / self.samples.max(1) as u64).max(1);
        let samples = (self.hasher.bytes() - self.header.len() as u64) / each;
        let mut cut = || {
            let header = of_fewer(&self.header, self.samples, samples)
                .ok_or_else(|| io::Error::other("its header is not the one that was written"))?;
            self.file.flush()?;
            let file = self.file.get_mut();
            file.set_len(self.hasher.bytes())?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&header)?;
            file.sync_all()?;
            let written = hashed(&self.partial)?;
            fs::rename(&self.partial, &self.path)?;
            Ok(written)
        };
        cut().map_err(|source| RecordError::Write { path: self.path.clone(), source })
    }
}

/// The header of an array with fewer samples, and as many bytes: a number has become shorter, and there are more blanks at the end.
fn of_fewer(header: &[u8], from: usize, to: u64) -> Option<Vec<u8>> {
    let (before, after) = (format!("'shape': ({from}, "), format!("'shape': ({to}, "));
    let place = header.windows(before.len()).position(|window| window == before.as_bytes())?;
    let rest = header[place + before.len()..].strip_suffix(b"\n")?;
    let blanks = vec![b' '; before.len() - after.len()];
    Some([&header[..place], after.as_bytes(), rest, &blanks, b"\n"].concat())
}

/// A file of zeros, open where its numbers begin, the bytes up to there, and its length.
fn zeroed<T: WritableElement>(path: &Path, samples: usize, each: &[usize]) -> io::Result<(File, Vec<u8>, u64)> {
    let dimensions = [&[samples], each].concat();
    let product = |bytes: usize, length: &usize| bytes.checked_mul(*length);
    let bytes = dimensions.iter().try_fold(size_of::<T>(), product);
    let bytes = bytes.ok_or_else(|| io::Error::other("its numbers are more bytes than can be counted"))?;
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
    write_zeroed_npy::<T, _>(&file, dimensions).map_err(of_npy)?;
    let length = file.metadata()?.len();
    let mut header = vec![0; (length - bytes as u64) as usize];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut header)?;
    Ok((file, header, length))
}
