//! Why records cannot be written, and what to do about it.

use std::{io, path::PathBuf};

use super::{lock::Holder, standing::Standing};
use crate::budget::Bytes;

/// Why the record of a run could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what it is and names its fields")]
pub enum RecordError {
    #[error("{}: the folder is not empty{}; choose another with --out, or remove it", path.display(), holding(standing))]
    Occupied { path: PathBuf, standing: Standing },
    #[error("{}: there is no checkpoint to go on from{}; start the run with `tokenfield run`", path.display(), holding(standing))]
    NoCheckpoint { path: PathBuf, standing: Standing },
    #[error("{}: cannot go on from its checkpoint: {problem}; remove the folder, or choose another with --out, to begin again", path.display())]
    Misfit { path: PathBuf, problem: String },
    #[error("{}: no simulation can be loaded: {problem}; load a folder that Simulation.save has written", path.display())]
    NotSaved { path: PathBuf, problem: String },
    #[error("{}: holds {found}, which no saved simulation has; save to a folder that is absent, or to an earlier one", path.display())]
    NoSave { path: PathBuf, found: String },
    #[error("{}: nothing is saved, since tokens are no longer finite; take a smaller time.step or attention.beta", path.display())]
    NotFinite { path: PathBuf },
    #[error("{}: {holder} is at work on it; choose another folder with --out, or wait", path.display())]
    Held { path: PathBuf, holder: Holder },
    #[error(
        "{}: needs {} on disk for the samples of {samples} times (observe.every), and {} are free; \
         write fewer times, as of a larger observe.every, or choose another disk with --out", path.display(), Bytes(*needed), Bytes((*available).into())
    )]
    NoRoom { path: PathBuf, samples: u64, needed: u128, available: u64 },
    #[error(
        "{}: its file system gives no locks ({source}), without which two workers would do the same work; choose a folder \
         on another one with --out, or give each process a part of its own with --shard K/N instead of --worker",
        path.display()
    )]
    NoLocks { path: PathBuf, source: io::Error },
    #[error("{}: cannot be written: {source}; {}", path.display(), remedy(source))]
    Write { path: PathBuf, source: io::Error },
}

/// What lies in a folder that is in the way, if that is known.
fn holding(standing: &Standing) -> String {
    if *standing == Standing::Absent { String::new() } else { format!(" ({standing})") }
}

fn is_room(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull, WriteZero};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge | WriteZero)
}

fn remedy(error: &io::Error) -> &'static str {
    if is_room(error) {
        "make room, or choose a folder on another disk with --out, and start again"
    } else if error.kind() == io::ErrorKind::NotFound {
        "was its folder moved or removed? What was written before is where that is now; or choose another folder with --out"
    } else {
        "choose another folder with --out"
    }
}

/// Whether it is the path that is wrong, rather than the disk.
pub fn is_of_path(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::NotFound
            | Kind::PermissionDenied
            | Kind::AlreadyExists
            | Kind::NotADirectory
            | Kind::IsADirectory
            | Kind::ReadOnlyFilesystem
            | Kind::InvalidInput
            | Kind::InvalidFilename
    )
}
