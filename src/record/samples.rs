//! `samples.csv`, which grows row by row: a row is there as a whole or not at all.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    error::RecordError,
    fingerprint::{Fingerprint, Hasher, reopened},
};
use crate::observe::Sample;

pub(super) struct Samples {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    rows: usize,
}

impl Samples {
    /// A new file, with the header of these columns.
    pub(super) fn create(path: &Path, columns: &[String]) -> Result<Self, RecordError> {
        let failed = |source| RecordError::Write { path: path.to_owned(), source };
        let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
        let mut samples = Self { path: path.to_owned(), file, hasher: Hasher::default(), rows: 0 };
        let header: Vec<&str> = ["replica", "time"].into_iter().chain(columns.iter().map(String::as_str)).collect();
        samples.append(header)?;
        Ok(samples)
    }

    /// The file as it was when it held `prefix`; what came after that goes.
    pub(super) fn resume(path: &Path, prefix: &Fingerprint) -> Result<Self, RecordError> {
        let failed = |source| RecordError::Write { path: path.to_owned(), source };
        let (file, hasher) = reopened(path, prefix).map_err(failed)?;
        file.set_len(prefix.bytes).map_err(failed)?;
        let mut samples = Self { path: path.to_owned(), file, hasher, rows: 0 };
        let mut rows = 0;
        samples.each(|_| rows += 1)?;
        samples.rows = rows;
        Ok(samples)
    }

    /// Hands out the samples that the file holds.
    pub(super) fn each(&self, mut take: impl FnMut(&Sample)) -> Result<(), RecordError> {
        let failed = |source: csv::Error| RecordError::Write { path: self.path.clone(), source: source.into() };
        for row in csv::Reader::from_path(&self.path).map_err(failed)?.deserialize() {
            let (replica, time, values) = row.map_err(failed)?;
            take(&Sample { replica, time, values });
        }
        Ok(())
    }

    /// Appends a row.
    pub(super) fn row(&mut self, row: impl Serialize) -> Result<(), RecordError> {
        self.append(row)?;
        self.rows += 1;
        Ok(())
    }

    fn append(&mut self, row: impl Serialize) -> Result<(), RecordError> {
        let line = line(row).and_then(|line| {
            self.file.write_all(&line).inspect_err(|_| {
                // What a full disk took of a row goes again.
                let _ = self.file.set_len(self.hasher.bytes());
            })?;
            Ok(line)
        });
        self.hasher.update(&line.map_err(|source| RecordError::Write { path: self.path.clone(), source })?);
        Ok(())
    }

    /// Rows after the header.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// What the file holds so far, once it is on the disk.
    pub(super) fn fingerprint(&self) -> Result<Fingerprint, RecordError> {
        self.file.sync_all().map_err(|source| RecordError::Write { path: self.path.clone(), source })?;
        Ok(self.hasher.clone().finish())
    }
}

fn line(row: impl Serialize) -> io::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).buffer_capacity(1 << 10).from_writer(Vec::new());
    writer.serialize(row)?;
    writer.into_inner().map_err(|error| error.into_error())
}
