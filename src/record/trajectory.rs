//! The tokens at every sample, as one array that grows in a partial file and takes its name when it is whole.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use ndarray_npy::{WritableElement, write_zeroed_npy};

use super::RecordError;
use crate::{backend::Precision, tokens::Shape};

/// `trajectory.npy`, C order, (samples, replicas, count, dim), in the precision of the run.
pub struct Trajectory {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    precision: Precision,
}

impl Trajectory {
    /// A file for so many samples.
    pub fn create(path: &Path, samples: usize, shape: Shape, precision: Precision) -> Result<Self, RecordError> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let opened = match precision {
            Precision::Half | Precision::Single => zeroed::<f32>(&partial, samples, shape),
            Precision::Double => zeroed::<f64>(&partial, samples, shape),
        };
        let file = opened.map_err(|source| RecordError::Write { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), partial, file: BufWriter::new(file), precision })
    }

    /// Appends the tokens of a sample.
    pub fn add(&mut self, tokens: &[f64]) -> Result<(), RecordError> {
        let written = tokens.iter().try_for_each(|component| match self.precision {
            Precision::Half | Precision::Single => self.file.write_all(&(*component as f32).to_le_bytes()),
            Precision::Double => self.file.write_all(&component.to_le_bytes()),
        });
        written.map_err(|source| RecordError::Write { path: self.path.clone(), source })
    }

    /// Gives the file its name.
    pub fn finish(mut self) -> Result<(), RecordError> {
        let whole = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        whole
            .and_then(|()| fs::rename(&self.partial, &self.path))
            .map_err(|source| RecordError::Write { path: self.path.clone(), source })
    }

    /// Removes what there is of it.
    pub fn discard(self) -> Result<(), RecordError> {
        fs::remove_file(&self.partial).map_err(|source| RecordError::Write { path: self.partial.clone(), source })
    }
}

/// A file of zeros, open where its numbers begin.
fn zeroed<T: WritableElement>(path: &Path, samples: usize, shape: Shape) -> io::Result<File> {
    let mut file = File::create(path)?;
    let dimensions = (samples, shape.replicas, shape.count, shape.dim);
    let bytes = samples.checked_mul(shape.coordinates()).and_then(|n| n.checked_mul(size_of::<T>()));
    let bytes = bytes.ok_or_else(|| io::Error::other("its tokens are more bytes than can be counted"))?;
    write_zeroed_npy::<T, _>(&file, dimensions).map_err(io::Error::other)?;
    let header = file.metadata()?.len() - bytes as u64;
    file.seek(SeekFrom::Start(header))?;
    Ok(file)
}
