//! Simulations that were saved: a checkpoint, and the experiment that it is of.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    checkpoint::{self, ARRAYS, Checkpoint, EXPERIMENT, FILES, STATE},
    draft::Draft,
    error::RecordError,
    file::partial,
    fingerprint::Fingerprint,
    run_folder::ExperimentFiles,
    state::{Origin, inputs_of},
};
use crate::{backend::Identity, simulate::Snapshot, tokens::Shape};

/// `state.toml` of a simulation that was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedState {
    /// Who computed what.
    #[serde(flatten)]
    pub origin: Origin,
    /// Where the simulation stood.
    pub snapshot: Snapshot,
}

/// Writes a simulation of `experiment`, which `identity` computes and which has these tokens now, to the folder `path`: it must be absent, or hold one that was saved before,
/// which goes once the new one is whole.
pub fn save(
    path: &Path,
    experiment: &ExperimentFiles<'_>,
    identity: &Identity,
    snapshot: Snapshot,
    shape: Shape,
    tokens: &[f64],
) -> Result<(), RecordError> {
    let failed = |source| RecordError::Write { path: path.to_owned(), source };
    if tokens.iter().any(|component| !component.is_finite()) {
        return Err(RecordError::NotFinite { path: path.to_owned() });
    }
    // Where a link leads, and without a slash at the end: others lie beside it.
    let place = if path.exists() { fs::canonicalize(path) } else { std::path::absolute(path) };
    let place: &Path = &place.map_err(failed)?.components().collect::<PathBuf>();
    require_own(place)?;
    let before = before(place);
    require_own(&before)?;
    let ExperimentFiles { text, arrays } = experiment;
    let inputs = inputs_of(text, arrays.map(Fingerprint::of).as_ref()).map_err(failed)?;
    let state = SavedState { origin: Origin::new(identity, inputs), snapshot };
    let mut beside = vec![(EXPERIMENT, text.as_bytes())];
    beside.extend(arrays.map(|arrays| (ARRAYS, arrays)));
    let after = aside(place, "new");
    checkpoint::remove(&after)?;
    let mut draft = Draft::create(&after, shape, identity.precision)?;
    draft.add(tokens)?;
    draft.finish(&state, None, &beside)?;
    checkpoint::remove(&before)?;
    if !place.exists() {
        return fs::rename(&after, place).map_err(failed);
    }
    fs::rename(place, &before).map_err(failed)?;
    fs::rename(&after, place).map_err(|source| {
        // What was there before is there again.
        let _ = fs::rename(&before, place);
        failed(source)
    })?;
    checkpoint::remove(&before)
}

/// The simulation that was saved to the folder `path`, whose files are what they were.
pub fn load(path: &Path) -> Result<Checkpoint<SavedState>, RecordError> {
    // One that was about to be replaced when its process ended.
    let path: &Path = &path.components().collect::<PathBuf>();
    let before = before(path);
    let place = if path.exists() || !before.exists() { path } else { &before };
    let suits = |checkpoint: Checkpoint<SavedState>| {
        checkpoint.state.origin.misfit(checkpoint.path(), place).map(|()| checkpoint)
    };
    let refused = |problem| RecordError::NotSaved { path: path.to_owned(), problem };
    Checkpoint::read(place).and_then(suits).map_err(refused)
}

impl Checkpoint<SavedState> {
    /// The experiment that was saved with it: its text, and its arrays if it has any.
    pub fn experiment(&self) -> Result<(String, Option<Vec<u8>>), RecordError> {
        let failed = |source: io::Error| RecordError::NotSaved {
            path: self.path().to_owned(),
            problem: format!("its experiment cannot be read: {source}"),
        };
        let text = fs::read_to_string(self.path().join(EXPERIMENT)).map_err(failed)?;
        let arrays = self.path().join(ARRAYS);
        Ok((text, arrays.exists().then(|| fs::read(&arrays)).transpose().map_err(failed)?))
    }
}

/// Where a simulation lies while the one after it takes its place.
fn before(path: &Path) -> PathBuf {
    aside(path, "before")
}

/// A hidden folder beside `path` that nobody else has a use for.
fn aside(path: &Path, ending: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.tokenfield-{ending}"))
}

/// Refuses a folder with anything in it that is not of a simulation that was saved.
fn require_own(path: &Path) -> Result<(), RecordError> {
    let refused = |found: String| Err(RecordError::NoSave { path: path.to_owned(), found });
    let failed = |source| RecordError::Write { path: path.to_owned(), source };
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<Vec<_>>>();
    let names = names.map_err(failed)?;
    let is_own =
        |name: &OsString| FILES.iter().any(|file| name == *file || partial(Path::new(file)) == Path::new(name));
    match names.iter().find(|name| !is_own(name)) {
        Some(name) => refused(name.to_string_lossy().into_owned()),
        None if names.is_empty() || names.iter().any(|name| name == STATE) => Ok(()),
        None => refused("a record without state.toml".into()),
    }
}
