//! The folder of a trajectory in chunks: which files it may have, and whether they are those that its list vouches for.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use rayon::prelude::*;

use super::fingerprint::hashed;

/// The name of the group, and of the list of its files.
pub(super) const GROUP: &str = "trajectory.zarr";
pub(super) const LIST: &str = "trajectory.sha256";

/// The files of a group, by their names in it; an error of kind `InvalidData` names what is none of its own.
pub(super) fn members(group: &Path) -> io::Result<Vec<String>> {
    let (mut found, mut folders) = (Vec::new(), vec![String::new()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(group.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().into_string().unwrap_or_default();
            let is_folder = entry.file_type()?.is_dir();
            let mut inside = folder.clone();
            let _ = write!(inside, "{}{name}", if folder.is_empty() { "" } else { "/" });
            if !is_own(&inside, is_folder) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{inside} is no part of it")));
            }
            if is_folder { folders.push(inside) } else { found.push(inside) }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a group may hold this.
fn is_own(name: &str, is_folder: bool) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match (&parts[..], is_folder) {
        (["tokens" | "time" | "token"], true) | (["tokens" | "time" | "token", "c"], true) => true,
        (["zarr.json"] | ["tokens" | "time" | "token", "zarr.json"], false) => true,
        (["tokens", "c", places @ ..], _) => places.iter().all(is_number) && is_folder == (places.len() < 4),
        (["time" | "token", "c", place], false) => is_number(place),
        _ => false,
    }
}

/// Whether what is at `path` is a group or what is left of one, and nothing else.
pub(super) fn is_group(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_dir()) && members(path).is_ok()
}

/// Removes a group, or what is left of one, if it is there; one that holds anything else stays as it is.
pub(super) fn remove(group: &Path) -> io::Result<()> {
    match fs::symlink_metadata(group) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(data) if !data.is_dir() => Err(io::Error::other("it is not a folder")),
        Ok(_) => members(group).and_then(|_| fs::remove_dir_all(group)),
    }
}

/// What is wrong with the group of `folder`, if its files are not those of the list beside it: which file, and what.
pub(super) fn flaw(folder: &Path) -> Option<(PathBuf, String)> {
    let (list, group) = (folder.join(LIST), folder.join(GROUP));
    let text = match fs::read_to_string(&list) {
        Ok(text) => text,
        Err(error) => return Some((list, format!("it cannot be read: {error}"))),
    };
    let listed: Option<Vec<(&str, &str)>> = text.lines().map(|line| line.split_once("  ")).collect();
    let Some(listed) = listed else { return Some((list, "it is no list of files".into())) };
    let wrong = |(sha256, name): &(&str, &str)| {
        let path = folder.join(name);
        match hashed(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some((path, "it is missing".into())),
            Err(error) => Some((path, format!("it cannot be read: {error}"))),
            Ok(found) if found.sha256 != *sha256 => {
                Some((path, "it was changed after it was written: its SHA-256 is another".into()))
            }
            Ok(_) => None,
        }
    };
    listed.par_iter().find_map_first(wrong).or_else(|| {
        let known: BTreeSet<String> = listed.iter().map(|(_, name)| (*name).to_owned()).collect();
        match members(&group) {
            Err(error) => Some((group, error.to_string())),
            Ok(found) => {
                let foreign = found.iter().find(|name| !known.contains(&format!("{GROUP}/{name}")))?;
                Some((group.join(foreign), "its run did not write it".into()))
            }
        }
    })
}
