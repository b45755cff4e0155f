//! How a run folder stands that is found on disk: nothing in it is trusted but what its manifest vouches for.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use rayon::prelude::*;

use super::{
    fingerprint::Fingerprint,
    group::{self, GROUP, LIST},
    lock::{Holder, holder},
    status::{FILES, NAME, Read, Status},
};
use crate::backend::Precision;

/// The files that every complete run has.
const REQUIRED: [&str; 3] = ["experiment.toml", "samples.csv", "tokens.npy"];

/// How a run folder stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// There is no such folder, or no file of a run in it.
    Absent,
    /// The run came to its end, and every file is as it was written.
    Complete,
    /// A process is at work on it.
    Held(Holder),
    /// Nobody is at work on it any more, and it has not reached its end: it was killed, or has left a checkpoint and ended.
    Interrupted,
    /// It ended with this error.
    Failed(String),
    /// A file is not what it should be.
    Broken {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl Standing {
    /// Whether a run has left it that did not reach its end.
    pub(super) fn can_be_begun_again(&self) -> bool {
        match self {
            Self::Interrupted | Self::Failed(_) | Self::Broken { .. } => true,
            Self::Absent | Self::Complete | Self::Held(_) => false,
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Absent => formatter.write_str("there is no run"),
            Self::Complete => formatter.write_str("its run is complete"),
            Self::Held(holder) => write!(formatter, "{holder} is at work on it"),
            Self::Interrupted => formatter.write_str("its run was interrupted: nobody is at work on it any more"),
            Self::Failed(error) => write!(formatter, "its run failed: {error}"),
            Self::Broken { path, problem } => write!(formatter, "{}: {problem}", path.display()),
        }
    }
}

/// How the run folder `folder` stands; its files are read from end to end.
pub fn standing(folder: &Path) -> Standing {
    holder(folder).map_or_else(|| of_files(folder, |_| true), Standing::Held)
}

/// The same, where only its experiment, its samples and its results matter.
pub fn standing_of_samples(folder: &Path) -> Standing {
    let matters = |name: &str| ["samples.csv", "results.csv", "experiment.toml"].contains(&name);
    holder(folder).map_or_else(|| of_files(folder, matters), Standing::Held)
}

/// What `samples.csv` held when its run wrote it, as the manifest says.
pub fn fingerprint_of_samples(folder: &Path) -> Option<Fingerprint> {
    Read::of(folder).ok()?.files?.remove("samples.csv")
}

/// How a folder stands on which nobody else is at work.
pub(super) fn of_files(folder: &Path, matters: impl Fn(&str) -> bool) -> Standing {
    let broken = |name: &str, problem: String| Standing::Broken { path: folder.join(name), problem };
    let manifest = match Read::of(folder) {
        Ok(manifest) => manifest,
        Err(_) if folder.exists() && !folder.is_dir() => {
            return Standing::Broken { path: folder.to_owned(), problem: "it is not a folder".into() };
        }
        Err(_) if FILES.iter().all(|name| fs::symlink_metadata(folder.join(name)).is_err()) => {
            return Standing::Absent;
        }
        Err(problem) => return broken(NAME, problem),
    };
    match manifest.status {
        Status::Running | Status::Interrupted => return Standing::Interrupted,
        Status::Failed => return Standing::Failed(manifest.error.unwrap_or_else(|| "it does not say why".into())),
        Status::Complete => {}
    }
    let Some(files) = manifest.files else {
        return broken(NAME, "it does not say what its files held".into());
    };
    if let Some(missing) = REQUIRED.iter().find(|name| !files.contains_key(**name)) {
        return broken(NAME, format!("it does not say what {missing} held"));
    }
    let unknown = |name: &&String| !FILES.contains(&name.as_str());
    if let Some(other) = files.keys().find(unknown) {
        return broken(NAME, format!("{other} is no file of a run"));
    }
    // It would be taken for one of the run.
    if let Some(foreign) = FILES[1..].iter().find(|name| !files.contains_key(**name) && folder.join(name).exists()) {
        return broken(foreign, "its run did not write it".into());
    }
    let is_listed = files.contains_key(LIST);
    if !is_listed && fs::symlink_metadata(folder.join(GROUP)).is_ok() {
        return broken(GROUP, "its run did not write it".into());
    }
    let files: Vec<(&String, &Fingerprint)> = files.iter().filter(|(name, _)| matters(name)).collect();
    let wrong = |(name, file): &(&String, &Fingerprint)| {
        let path = folder.join(name);
        file.mismatch(&path).map(|problem| Standing::Broken { path, problem })
    };
    let of_group = || {
        let flaw = if is_listed && matters(LIST) { group::flaw(folder) } else { None };
        flaw.map(|(path, problem)| Standing::Broken { path, problem })
    };
    files.par_iter().find_map_first(wrong).or_else(of_group).unwrap_or(Standing::Complete)
}

/// Whether the run of a folder is one of `experiment`, at this precision and by this version.
pub fn is_of(folder: &Path, experiment: &str, precision: Precision) -> bool {
    let same_text = fs::read(folder.join("experiment.toml")).is_ok_and(|text| text == experiment.as_bytes());
    // A run that was killed early has no manifest; nothing contradicts it then.
    same_text
        && Read::of(folder).map_or(true, |manifest| {
            manifest.precision == precision.name() && manifest.version == env!("CARGO_PKG_VERSION")
        })
}
