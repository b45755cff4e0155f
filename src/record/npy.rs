//! One array in one file, which grows in a partial file and takes its name when it is whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use ndarray_npy::{
    WritableElement,
    npy::header::{Header, Layout},
    write_zeroed_npy,
};

use super::{
    file::{of_npy, partial},
    fingerprint::{Fingerprint, Hasher, hash, hashed},
    form::Form,
};
use crate::{backend::Precision, simulate::Ending};

/// A `.npy` file, C order, (samples, what each has).
pub(super) struct NpyFile {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    hasher: Hasher,
    /// What comes before the numbers.
    header: Vec<u8>,
    form: Form,
}

impl NpyFile {
    /// One that has all samples and is all zeros.
    pub(super) fn create(path: &Path, form: Form) -> io::Result<Self> {
        let partial = partial(path);
        let opened = match form.precision {
            Precision::Half | Precision::Single => zeroed::<f32>(&partial, &form),
            Precision::Double => zeroed::<f64>(&partial, &form),
        };
        let (file, header) = opened.inspect_err(|_| {
            let _ = fs::remove_file(&partial);
        })?;
        let (file, mut hasher) = (BufWriter::new(file), Hasher::default());
        hasher.update(&header);
        Ok(Self { path: path.to_owned(), partial, file, hasher, header, form })
    }

    /// The one that was begun at `path`, with the first `kept` samples, if what there is of it up to there is still `synced`.
    pub(super) fn resume(path: &Path, form: Form, kept: usize, synced: &Fingerprint) -> io::Result<Self> {
        let partial = partial(path);
        // It had its name already when the process ended, but its run was not complete.
        let found = if !partial.exists() && path.exists() { path } else { &partial };
        let mut file = OpenOptions::new().read(true).write(true).open(found)?;
        let whole = Header::from_reader(&mut file).map_err(io::Error::other)?;
        let (length, each, header) = (file.stream_position()?, form.each_bytes()?, header_of(&form)?);
        let (all, wanted) = (length + form.bytes()?, length + each * kept as u64);
        let has_shape = whole.shape.len() == form.each.len() + 1 && whole.shape[1..] == form.each;
        if length != header.len() as u64 || !has_shape || file.metadata()?.len() < wanted {
            return Err(io::Error::other("it is not the array that was begun"));
        }
        // The process may have ended when it had been cut to the samples of a run that stopped.
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&header)?;
        if found == path {
            fs::rename(path, &partial)?;
        }
        file.seek(SeekFrom::Start(0))?;
        let mut header = vec![0; length as usize];
        let mut hasher = Hasher::default();
        let mut samples = BufReader::new(&file).take(wanted);
        samples.read_exact(&mut header)?;
        hasher.update(&header);
        hash(&mut samples, &mut hasher)?;
        if hasher.clone().finish() != *synced {
            return Err(io::Error::other("it was changed after it was written: its SHA-256 is another"));
        }
        // What comes after them are zeros again.
        file.set_len(wanted)?;
        file.set_len(all)?;
        file.seek(SeekFrom::Start(wanted))?;
        Ok(Self { path: path.to_owned(), partial, file: BufWriter::new(file), hasher, header, form })
    }

    /// Appends bytes of a sample.
    pub(super) fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.file.write_all(bytes)
    }

    /// Waits until what was added is on the disk, and says what that is.
    pub(super) fn sync(&mut self) -> io::Result<Fingerprint> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        Ok(self.hasher.clone().finish())
    }

    /// Gives the file its name, with those samples alone that it has where a run ended early.
    pub(super) fn finish(mut self, ending: Ending) -> io::Result<Fingerprint> {
        let samples = self.samples()?;
        self.form.require(samples, ending)?;
        self.file.flush()?;
        if samples < self.form.samples {
            self.cut(samples)?;
        }
        self.file.get_ref().sync_all()?;
        // The header was another one when it was hashed.
        let written = if samples < self.form.samples { hashed(&self.partial)? } else { self.hasher.finish() };
        fs::rename(&self.partial, &self.path)?;
        Ok(written)
    }

    /// Whole samples that were added.
    fn samples(&self) -> io::Result<usize> {
        self.form.whole_samples(self.hasher.bytes() - self.header.len() as u64)
    }

    fn cut(&mut self, samples: usize) -> io::Result<()> {
        let header = of_fewer(&self.header, self.form.samples, samples)
            .ok_or_else(|| io::Error::other("its header is not the one that was written"))?;
        let file = self.file.get_mut();
        file.set_len(self.hasher.bytes())?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&header)
    }
}

/// The header of an array with fewer samples, and as many bytes: a number has become shorter, and there are more blanks at the end.
fn of_fewer(header: &[u8], from: usize, to: usize) -> Option<Vec<u8>> {
    let (before, after) = (format!("'shape': ({from}, "), format!("'shape': ({to}, "));
    let place = header.windows(before.len()).position(|window| window == before.as_bytes())?;
    let rest = header[place + before.len()..].strip_suffix(b"\n")?;
    let blanks = vec![b' '; before.len() - after.len()];
    Some([&header[..place], after.as_bytes(), rest, &blanks, b"\n"].concat())
}

/// What comes before the numbers of an array that has all its samples.
fn header_of(form: &Form) -> io::Result<Vec<u8>> {
    let type_descriptor = match form.precision {
        Precision::Half | Precision::Single => f32::type_descriptor(),
        Precision::Double => f64::type_descriptor(),
    };
    let header = Header { type_descriptor, layout: Layout::Standard, shape: form.shape(form.samples) };
    let mut text = Vec::new();
    header.write(&mut text).map_err(io::Error::other)?;
    Ok(text)
}

/// A file of zeros, open where its numbers begin, and the bytes up to there.
fn zeroed<T: WritableElement>(path: &Path, form: &Form) -> io::Result<(File, Vec<u8>)> {
    let bytes = form.bytes()?;
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
    write_zeroed_npy::<T, _>(&file, form.shape(form.samples)).map_err(of_npy)?;
    let mut header = vec![0; (file.metadata()?.len() - bytes) as usize];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut header)?;
    Ok((file, header))
}
