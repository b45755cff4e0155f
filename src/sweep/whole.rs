//! What the tables of a sweep were made of: `manifest.json` of a sweep folder, and whether it still holds.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::SweepError;
use crate::record::{Fingerprint, Standing, fingerprint_of_samples, standing_of_samples, write_whole};

const NAME: &str = "manifest.json";
/// The tables, and how each begins.
const TABLES: [(&str, &str); 2] = [("cells.csv", "cell,replica,"), ("rates.csv", "quantity,variable,slope,")];

/// Which files the tables are, and which samples they were made of.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    version: String,
    commit: String,
    files: BTreeMap<String, Fingerprint>,
    /// `samples.csv` of each cell, by its id.
    cells: BTreeMap<String, Fingerprint>,
}

/// Vouches for the tables of a sweep, made of the samples of these cells.
pub(super) fn vouch(
    sweep: &Path,
    files: BTreeMap<String, Fingerprint>,
    cells: BTreeMap<String, Fingerprint>,
) -> Result<(), SweepError> {
    let (version, commit) = (env!("CARGO_PKG_VERSION").into(), env!("TOKENFIELD_COMMIT").into());
    let manifest = Manifest { version, commit, files, cells };
    write_whole(&sweep.join(NAME), |file| {
        serde_json::to_writer_pretty(&mut *file, &manifest)?;
        file.write_all(b"\n")
    })?;
    Ok(())
}

/// Something in a sweep folder that is not what the sweep left, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}; {remedy}", path.display())]
#[non_exhaustive]
pub struct Flaw {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// What is wrong with the tables of a sweep folder, which are there, or with the samples that they were made of.
pub fn flaw(sweep: &Path) -> Option<Flaw> {
    const AGAIN: &str = "run the sweep again: it computes what is missing, and writes the tables";
    let flaw = |path, problem| Some(Flaw { path, problem, remedy: AGAIN });
    let manifest = match read(sweep) {
        Ok(manifest) => manifest,
        Err(problem) => return flaw(sweep.join(NAME), problem),
    };
    for (name, _) in TABLES {
        let path = sweep.join(name);
        let problem = match manifest.files.get(name) {
            None => Some("the manifest beside it does not say what it held".into()),
            Some(table) => table.mismatch(&path),
        };
        if let Some(problem) = problem {
            return flaw(path, problem);
        }
    }
    manifest.cells.par_iter().find_map_first(|(id, samples)| {
        let folder = sweep.join("cells").join(id);
        match standing_of_samples(&folder) {
            Standing::Complete if fingerprint_of_samples(&folder).as_ref() == Some(samples) => None,
            Standing::Complete => {
                flaw(folder, "it was computed again after the tables were made, and is another".into())
            }
            Standing::Broken { path, problem } => flaw(path, problem),
            Standing::Held(holder) => {
                let remedy = "wait until that is done";
                Some(Flaw { path: folder, problem: format!("{holder} is at work on it"), remedy })
            }
            other @ (Standing::Absent | Standing::Interrupted | Standing::Failed(_)) => {
                flaw(folder, other.to_string())
            }
        }
    })
}

fn read(sweep: &Path) -> Result<Manifest, String> {
    let bytes = fs::read(sweep.join(NAME)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "it is missing".to_owned(),
        _ => format!("it cannot be read: {error}"),
    })?;
    match bytes.is_empty() {
        true => Err("it is empty".into()),
        false => serde_json::from_slice(&bytes).map_err(|error| format!("it is no manifest of a sweep: {error}")),
    }
}

/// Refuses a folder in which a sweep would replace what is not a sweep's.
pub fn require_no_other(folder: &Path) -> Result<(), SweepError> {
    let foreign = |name: &str, problem: &'static str| SweepError::Foreign { path: folder.join(name), problem };
    if folder.join("samples.csv").exists() {
        return Err(foreign("samples.csv", "the folder is that of a run"));
    }
    for (name, header) in TABLES {
        let is_other = |text: Vec<u8>| !text.starts_with(header.as_bytes());
        // An empty table is what a crash may leave.
        if fs::read(folder.join(name)).is_ok_and(|text| !text.is_empty() && is_other(text)) {
            return Err(foreign(name, "it is no table of a sweep"));
        }
    }
    let text = fs::read(folder.join(NAME)).unwrap_or_default();
    match serde_json::from_slice::<serde_json::Value>(&text) {
        Ok(value) if value.get("cells").is_none() => Err(foreign(NAME, "it is no manifest of a sweep")),
        _ => Ok(()),
    }
}

/// Removes the tables, which are no longer those of the cells.
pub fn remove_tables(folder: &Path) -> Result<(), SweepError> {
    require_no_other(folder)?;
    for name in [NAME, TABLES[0].0, TABLES[1].0] {
        let path = folder.join(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(crate::record::RecordError::Write { path, source }.into());
            }
            _ => {}
        }
    }
    Ok(())
}
