//! A checkpoint while it is written: a folder under another name, which gets its own once all of its files are on the disk.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    checkpoint::{LIMIT, MANIFEST, Manifest, STATE, TOKENS, remove},
    error::RecordError,
    file::{partial, sync, write_whole},
    fingerprint::Fingerprint,
    form::Form,
    npy::NpyFile,
};
use crate::{backend::Precision, simulate::Ending, tokens::Shape};

/// Numbers that are encoded at once.
const PIECE: usize = 1 << 20;

/// A checkpoint that takes tokens. What was written goes when it is dropped.
pub struct Draft {
    path: PathBuf,
    temporary: PathBuf,
    form: Form,
    tokens: Option<NpyFile>,
}

impl Draft {
    /// One that will be the folder `path`, which is not there, of tokens of this shape. They are written in the precision that they are
    /// computed in, so that none is rounded.
    pub(super) fn create(path: &Path, shape: Shape, precision: Precision) -> Result<Self, RecordError> {
        let form = Form { samples: shape.replicas, each: vec![shape.count, shape.dim], precision };
        let mut draft = Self { path: path.to_owned(), temporary: partial(path), form, tokens: None };
        remove(&draft.temporary)?;
        fs::create_dir(&draft.temporary).map_err(|source| draft.failed(source))?;
        let tokens = NpyFile::create(&draft.temporary.join(TOKENS), draft.form.clone());
        draft.tokens = Some(tokens.map_err(|source| draft.failed_at(TOKENS, source))?);
        Ok(draft)
    }

    /// Appends tokens, in their order: (replica, token, component).
    pub fn add(&mut self, tokens: &[f64]) -> Result<(), RecordError> {
        let Self { form, tokens: file, .. } = self;
        let added = file.as_mut().ok_or_else(closed).and_then(|file| {
            let mut pieces = tokens.chunks(PIECE).map(|piece| form.encoded(piece));
            pieces.try_for_each(|bytes| file.add(&bytes))
        });
        added.map_err(|source| self.failed_at(TOKENS, source))
    }

    /// Writes what else there is, with files of these names and bytes beside, and gives the folder its name.
    pub(super) fn finish<S: Serialize>(
        mut self,
        state: &S,
        limit: Option<&[f64]>,
        beside: &[(&str, &[u8])],
    ) -> Result<(), RecordError> {
        let tokens = self.tokens.take().ok_or_else(closed).and_then(|file| file.finish(Ending::Scheduled));
        let failed = |source| self.failed(source);
        let tokens = tokens.map_err(|source| self.failed_at(TOKENS, source))?;
        let mut files = BTreeMap::from([(TOKENS.to_owned(), tokens)]);
        if let Some(limit) = limit {
            files.insert(LIMIT.into(), self.write_limit(limit).map_err(|source| self.failed_at(LIMIT, source))?);
        }
        let text = toml::to_string(state).map_err(|error| failed(io::Error::other(error)))?;
        for (name, bytes) in [(STATE, text.as_bytes())].iter().chain(beside) {
            files.insert((*name).into(), write_whole(&self.temporary.join(name), |file| file.write_all(bytes))?);
        }
        write_whole(&self.temporary.join(MANIFEST), |file| Ok(serde_json::to_writer(file, &Manifest { files })?))?;
        sync(&self.temporary);
        fs::rename(&self.temporary, &self.path).map_err(failed)?;
        self.path.parent().into_iter().for_each(sync);
        Ok(())
    }

    /// Writes numbers in a row, in double precision.
    fn write_limit(&self, numbers: &[f64]) -> io::Result<Fingerprint> {
        let form = Form { samples: numbers.len(), each: Vec::new(), precision: Precision::Double };
        let bytes = form.encoded(numbers);
        let mut file = NpyFile::create(&self.temporary.join(LIMIT), form)?;
        file.add(&bytes)?;
        file.finish(Ending::Scheduled)
    }

    fn failed(&self, source: io::Error) -> RecordError {
        RecordError::Write { path: self.path.clone(), source }
    }

    fn failed_at(&self, name: &str, source: io::Error) -> RecordError {
        RecordError::Write { path: self.path.join(name), source }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Closed before it goes. A folder that has its name by now is no longer here.
        self.tokens = None;
        let _ = remove(&self.temporary);
    }
}

fn closed() -> io::Error {
    io::Error::other("its tokens are written already")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { replicas: 2, count: 3, passive: 0, dim: 2 };

    #[test]
    fn a_draft_appears_whole_or_leaves_nothing() {
        let root = tempfile::tempdir().expect("a folder");
        let left = || fs::read_dir(root.path()).expect("a folder").count();
        let path = root.path().join("000001");
        let tokens: Vec<f64> = (0..12).map(f64::from).collect();
        let begun = || Draft::create(&path, SHAPE, Precision::Single).expect("room");
        let mut draft = begun();
        draft.add(&tokens[..5]).expect("room");
        drop(draft);
        assert_eq!(left(), 0, "given up");
        let mut draft = begun();
        draft.add(&tokens[..11]).expect("room");
        let error = draft.finish(&0, None, &[]).expect_err("a number is missing");
        assert!(error.to_string().contains("part of a sample is missing"), "{error}");
        assert_eq!(left(), 0, "it lacks a number");
        let mut draft = begun();
        tokens.chunks(5).for_each(|piece| draft.add(piece).expect("room"));
        draft
            .finish(&BTreeMap::from([("steps", 7)]), Some(&[0.5]), &[("experiment.toml", b"")])
            .expect("it is whole");
        assert_eq!(left(), 1);
        let array = crate::initial::npy::read(&path.join(TOKENS)).expect("an array");
        assert_eq!((array.shape, array.values), (vec![2, 3, 2], tokens));
        let limit = crate::initial::npy::read(&path.join(LIMIT)).expect("an array");
        assert_eq!((limit.shape, limit.values), (vec![1], vec![0.5]));
    }
}
