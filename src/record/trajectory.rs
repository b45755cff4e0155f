//! The tokens, or the attention among them, at every sample, as one array that grows in a partial file and takes its name when it is whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use ndarray_npy::{
    WritableElement,
    npy::header::{Header, Layout},
};

use super::{
    error::RecordError,
    file::partial,
    fingerprint::{Fingerprint, Hasher, hashed, reopened},
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

    /// The file for so many samples that was left when it held `prefix`; what came after that is written again.
    pub fn resume(
        path: &Path,
        samples: usize,
        each: &[usize],
        precision: Precision,
        prefix: &Fingerprint,
    ) -> Result<Self, RecordError> {
        let partial = partial(path);
        let open = || {
            let dimensions = [&[samples], each].concat();
            let (header, bytes) = match precision {
                Precision::Half | Precision::Single => header::<f32>(&dimensions),
                Precision::Double => header::<f64>(&dimensions),
            }?;
            if !partial.exists() && path.exists() {
                // It had its name already when the process ended, but its run was not complete. One that was cut has another header.
                let mut file = OpenOptions::new().write(true).open(path)?;
                file.write_all(&header)?;
                file.set_len(bytes)?;
                fs::rename(path, &partial)?;
            }
            let (file, hasher) = reopened(&partial, prefix)?;
            Ok((BufWriter::new(file), hasher, header, bytes))
        };
        let (file, hasher, header, bytes) =
            open().map_err(|source| RecordError::Write { path: partial.clone(), source })?;
        Ok(Self { path: path.to_owned(), partial, file, precision, hasher, header, samples, bytes })
    }

    /// What the file holds so far, once it is on the disk.
    pub fn fingerprint(&mut self) -> Result<Fingerprint, RecordError> {
        let written = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        written.map_err(|source| RecordError::Write { path: self.path.clone(), source })?;
        Ok(self.hasher.clone().finish())
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
    let (header, length) = header::<T>(&dimensions)?;
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
    file.write_all(&header)?;
    file.set_len(length)?;
    Ok((file, header, length))
}

/// What comes before the numbers of an array of this shape, and the length of its file.
fn header<T: WritableElement>(dimensions: &[usize]) -> io::Result<(Vec<u8>, u64)> {
    let product = |bytes: usize, length: &usize| bytes.checked_mul(*length);
    let bytes = dimensions.iter().try_fold(size_of::<T>(), product);
    let bytes = bytes.ok_or_else(|| io::Error::other("its numbers are more bytes than can be counted"))?;
    let header =
        Header { type_descriptor: T::type_descriptor(), layout: Layout::Standard, shape: dimensions.to_vec() };
    let mut text = Vec::new();
    header.write(&mut text).map_err(io::Error::other)?;
    let length = text.len() as u64 + bytes as u64;
    Ok((text, length))
}
