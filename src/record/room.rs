//! Whether the disk has room for what a run will leave.

use std::{ffi::OsStr, fs, path::Path};

use super::{claim::becomes, error::RecordError, group::GROUP, status::FILES};
use crate::budget::room_on_disk;

/// Refuses samples that the disk at `path` has no room for, beside what the run has there already: every number of `numbers` a sample takes
/// `each` bytes or more.
pub fn require_room(path: &Path, samples: u64, numbers: usize, each: u128) -> Result<(), RecordError> {
    let needed = each.saturating_mul(numbers as u128).saturating_mul(samples.into());
    match room_on_disk(path) {
        Some(available) if needed > u128::from(available) + u128::from(occupied(path)) => {
            Err(RecordError::NoRoom { path: path.to_owned(), samples, needed, available })
        }
        _ => Ok(()),
    }
}

/// Bytes that the files of a record in `folder` take on the disk, as near as the system tells.
fn occupied(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let own = |name: &OsStr| {
        FILES.iter().any(|file| name == *file || becomes(name, file)) || becomes(name, GROUP) || name == GROUP
    };
    entries.filter(|entry| own(&entry.file_name())).map(|entry| bytes_below(&entry.path())).sum()
}

fn bytes_below(path: &Path) -> u64 {
    match fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => {
            fs::read_dir(path).into_iter().flatten().flatten().map(|entry| bytes_below(&entry.path())).sum()
        }
        Ok(data) => on_disk(&data),
        Err(_) => 0,
    }
}

/// Without the holes of a file that is not written to its end yet.
#[cfg(unix)]
fn on_disk(data: &fs::Metadata) -> u64 {
    512 * std::os::unix::fs::MetadataExt::blocks(data)
}

#[cfg(not(unix))]
fn on_disk(data: &fs::Metadata) -> u64 {
    data.len()
}
