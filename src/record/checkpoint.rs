//! Checkpoints: what a run goes on from after it was stopped or killed.
//!
//! The folder `checkpoints` of a run holds the last two, each in a folder of its own that appears by a rename once all of its files are
//! on the disk: `state.toml`, the tokens in the precision of the run, the numbers of the limit if there is one, and a manifest with the
//! lengths and hashes of these. One that is not whole is passed over for the one before it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{error::RecordError, file::partial, fingerprint::Fingerprint};
use crate::{initial::npy, tokens::Shape};

/// What a saved simulation has beside.
pub(super) const EXPERIMENT: &str = "experiment.toml";
pub(super) const ARRAYS: &str = "arrays.safetensors";
/// All files that may be in one.
pub(super) const FILES: [&str; 6] = [MANIFEST, STATE, TOKENS, LIMIT, EXPERIMENT, ARRAYS];
/// The folder in a run folder.
pub(super) const FOLDER: &str = "checkpoints";
/// How many are kept.
const KEPT: usize = 2;
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const STATE: &str = "state.toml";
pub(super) const TOKENS: &str = "tokens.npy";
pub(super) const LIMIT: &str = "limit.npy";

/// A checkpoint whose files are what they were when it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint<S> {
    path: PathBuf,
    /// What was written into `state.toml`.
    pub state: S,
    files: BTreeMap<String, Fingerprint>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) files: BTreeMap<String, Fingerprint>,
}

impl<S: DeserializeOwned> Checkpoint<S> {
    /// The checkpoint in the folder `path`, or what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = |name| {
            fs::read_to_string(path.join(name)).map_err(|error| format!("{}: {error}", path.join(name).display()))
        };
        let manifest: Manifest = serde_json::from_str(&text(MANIFEST)?)
            .map_err(|error| format!("{}: it is no manifest: {error}", path.join(MANIFEST).display()))?;
        for name in [STATE, TOKENS] {
            if !manifest.files.contains_key(name) {
                return Err(format!("{}: it does not say what {name} held", path.join(MANIFEST).display()));
            }
        }
        for (name, file) in &manifest.files {
            if let Some(problem) = file.mismatch(&path.join(name)) {
                return Err(format!("{}: {problem}", path.join(name).display()));
            }
        }
        let state = toml::from_str(&text(STATE)?)
            .map_err(|error| format!("{}: it is no state: {}", path.join(STATE).display(), error.message()))?;
        Ok(Self { path: path.to_owned(), state, files: manifest.files })
    }
}

impl<S> Checkpoint<S> {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the run that has left it.
    pub fn run(&self) -> &Path {
        self.path.ancestors().nth(2).unwrap_or(&self.path)
    }

    /// The tokens, ordered (replica, token, component), if they have this shape.
    pub fn tokens(&self, shape: Shape) -> Result<Vec<f64>, String> {
        self.numbers(TOKENS, Some(&[shape.replicas, shape.count, shape.dim]))
    }

    /// The numbers of the limit, if it has one.
    pub fn limit(&self) -> Option<Result<Vec<f64>, String>> {
        self.files.contains_key(LIMIT).then(|| self.numbers(LIMIT, None))
    }

    fn numbers(&self, name: &str, shape: Option<&[usize]>) -> Result<Vec<f64>, String> {
        let path = self.path.join(name);
        // Somebody may have put another one there since it was opened.
        if let Some(problem) = self.files.get(name).and_then(|file| file.mismatch(&path)) {
            return Err(format!("{}: {problem}", path.display()));
        }
        let array = npy::read(&path).map_err(|error| format!("{}: {}", path.display(), error.problem))?;
        match shape {
            Some(shape) if array.shape != shape => Err(format!(
                "{} has the shape {}, and the experiment asks for {}",
                path.display(),
                npy::shape_text(&array.shape),
                npy::shape_text(shape)
            )),
            _ => Ok(array.values),
        }
    }
}

/// The folders of the checkpoints of a run, by number, the newest first.
fn generations(run: &Path) -> Vec<(u64, PathBuf)> {
    let entries = fs::read_dir(run.join(FOLDER)).into_iter().flatten().flatten();
    let numbered = |entry: fs::DirEntry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path()));
    let mut found: Vec<(u64, PathBuf)> = entries.filter_map(numbered).collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}

/// Where the next checkpoint of a run is to be.
pub(super) fn next(run: &Path) -> Result<PathBuf, RecordError> {
    let number = generations(run).first().map_or(1, |(newest, _)| newest + 1);
    let folder = run.join(FOLDER);
    // Not where the run was, if its folder has been moved.
    match fs::create_dir(&folder) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            Err(RecordError::Write { path: folder, source })
        }
        _ => Ok(folder.join(format!("{number:06}"))),
    }
}

/// Removes the checkpoints of a run after the one at `path`, from which it goes on: they are damaged.
pub(super) fn remove_newer(run: &Path, path: &Path) -> Result<(), RecordError> {
    generations(run).iter().take_while(|(_, newer)| newer != path).try_for_each(|(_, newer)| remove(newer))
}

/// Removes the checkpoints of a run before the last two.
pub(super) fn remove_older(run: &Path) -> Result<(), RecordError> {
    generations(run).iter().skip(KEPT).try_for_each(|(_, path)| remove(path))
}

/// The newest checkpoint of a run that is whole and that `suits`; none where there is none at all, and what is wrong with the newest
/// where none will do.
pub(super) fn newest<S: DeserializeOwned>(
    run: &Path,
    suits: impl Fn(&Checkpoint<S>) -> Result<(), String>,
) -> Option<Result<Checkpoint<S>, String>> {
    let mut first = None;
    for (_, path) in generations(run) {
        let checkpoint = Checkpoint::read(&path).and_then(|checkpoint| suits(&checkpoint).map(|()| checkpoint));
        match checkpoint {
            Ok(checkpoint) => return Some(Ok(checkpoint)),
            Err(problem) => first = first.or(Some(problem)),
        }
    }
    first.map(Err)
}

/// Whether a run has left checkpoints.
pub(super) fn are_there(run: &Path) -> bool {
    !generations(run).is_empty()
}

/// Removes all checkpoints of a run, and nothing else.
pub(super) fn remove_all(run: &Path) -> Result<(), RecordError> {
    let folder = run.join(FOLDER);
    for (_, path) in generations(run) {
        remove(&path)?;
    }
    // What was being written when its process ended.
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_partial = |path: &PathBuf| {
        let whole = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
        whole.is_some() && path.extension().is_some_and(|ending| ending == "partial")
    };
    entries.filter(is_partial).try_for_each(|path| remove(&path))?;
    // A folder with anything else in it stays.
    let _ = fs::remove_dir(&folder);
    Ok(())
}

/// Removes the files of a checkpoint, whole or not, and their folder, if it has no others.
pub(super) fn remove(path: &Path) -> Result<(), RecordError> {
    // The one first without which the others are worthless.
    for path in FILES.iter().map(|name| path.join(name)).flat_map(|path| [partial(&path), path]) {
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(RecordError::Write { path, source });
            }
            _ => {}
        }
    }
    match fs::remove_dir(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(RecordError::Write { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
