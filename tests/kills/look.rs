//! What a folder may look like after a kill, and in the end.

use std::{collections::BTreeSet, fs, path::Path};

use sha2::{Digest, Sha256};

pub const LOCK: &str = "tokenfield.lock";
/// The files of these runs, in the order of their names.
pub const RUN: [&str; 6] =
    ["experiment.toml", "manifest.json", "results.csv", "samples.csv", "tokens.npy", "trajectory.npy"];
/// The files of sweeps, beside the folder of their cells.
pub const SWEEP: [&str; 3] = ["cells.csv", "manifest.json", "rates.csv"];

pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Finds what is wrong with what a kill has left, beside `whole`, which was left alone. Nobody may be at work on it.
pub fn at_rest(folder: &Path, whole: &Path) -> Result<(), String> {
    // Killed before it did anything.
    if !folder.exists() {
        return Ok(());
    }
    if !whole.join("cells").exists() {
        return run(folder, whole);
    }
    let pictures: Vec<String> = names(whole).into_iter().filter(|name| is_picture(name)).collect();
    let allowed = |name: &str| {
        let is_temporary = name.starts_with('.') && is_picture(name);
        name == "cells" || is_of(name, &SWEEP) || is_temporary || pictures.iter().any(|picture| picture == name)
    };
    require_names(folder, allowed)?;
    for name in pictures.iter().map(String::as_str).chain(["cells.csv", "rates.csv"]) {
        require_same(folder, whole, name)?;
    }
    if let Some(manifest) = manifest(folder)? {
        require_vouches(folder, &manifest, &["cells.csv", "rates.csv"])?;
    }
    let cells = folder.join("cells");
    if !cells.exists() {
        return Ok(());
    }
    let known: BTreeSet<String> = names(&whole.join("cells")).into_iter().collect();
    for cell in names(&cells) {
        if !known.contains(&cell) {
            return Err(format!("{cell} is no cell"));
        }
        run(&cells.join(&cell), &whole.join("cells").join(&cell))?;
    }
    Ok(())
}

/// Finds what is wrong with what is done.
pub fn in_the_end(folder: &Path, whole: &Path) -> Result<(), String> {
    at_rest(folder, whole)?;
    if names(folder) != names(whole) {
        return Err(format!("{:?}, where there should be {:?}", names(folder), names(whole)));
    }
    for name in names(whole) {
        if !whole.join(&name).is_dir() {
            // Manifests say how long it took.
            if name != "manifest.json" {
                require_same(folder, whole, &name)?;
            } else if manifest(folder)?
                .is_none_or(|manifest| manifest.get("status").is_some_and(|of| of != "complete"))
            {
                return Err(format!("{}: not complete", folder.display()));
            }
        } else {
            in_the_end_of_all(&folder.join(&name), &whole.join(&name))?;
        }
    }
    Ok(())
}

fn in_the_end_of_all(cells: &Path, whole: &Path) -> Result<(), String> {
    if names(cells) != names(whole) {
        return Err(format!("{:?}, where there should be {:?}", names(cells), names(whole)));
    }
    names(whole).iter().try_for_each(|cell| in_the_end(&cells.join(cell), &whole.join(cell)))
}

fn is_picture(name: &str) -> bool {
    name.ends_with(".svg") || name.ends_with(".png")
}

fn is_of(name: &str, files: &[&str]) -> bool {
    name == LOCK || files.contains(&name.strip_suffix(".partial").unwrap_or(name))
}

fn require_names(folder: &Path, allowed: impl Fn(&str) -> bool) -> Result<(), String> {
    match names(folder).into_iter().find(|name| !allowed(name)) {
        Some(other) => Err(format!("{}: nobody knows this file", folder.join(other).display())),
        None => Ok(()),
    }
}

/// A run folder: whole files have the bytes that they have in the end, and samples are the first rows of them.
fn run(folder: &Path, whole: &Path) -> Result<(), String> {
    require_names(folder, |name| is_of(name, &RUN) || name == "checkpoints")?;
    for name in RUN {
        if !["manifest.json", "samples.csv"].contains(&name) {
            require_same(folder, whole, name)?;
        }
    }
    if let Ok(samples) = fs::read(folder.join("samples.csv")) {
        let all = fs::read(whole.join("samples.csv")).expect("a file");
        let place = folder.join("samples.csv");
        if !all.starts_with(&samples) {
            return Err(format!("{}: not the rows of a run that was left alone", place.display()));
        }
        if !samples.is_empty() && !samples.ends_with(b"\n") {
            return Err(format!("{}: half a row", place.display()));
        }
    }
    let Some(manifest) = manifest(folder)? else { return Ok(()) };
    match manifest["status"].as_str() {
        Some("running") => Ok(()),
        Some("complete") => {
            let names = RUN.iter().filter(|name| **name != "manifest.json").copied().collect::<Vec<_>>();
            require_vouches(folder, &manifest, &names)?;
            require_same(folder, whole, "samples.csv")
        }
        other => Err(format!("{}: a status of {other:?}", folder.display())),
    }
}

/// The manifest, if there is one, which is never half.
fn manifest(folder: &Path) -> Result<Option<serde_json::Value>, String> {
    let path = folder.join("manifest.json");
    match fs::read(&path) {
        Err(_) => Ok(None),
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(manifest) => Ok(Some(manifest)),
            Err(error) => Err(format!("{}: {error}", path.display())),
        },
    }
}

fn require_same(folder: &Path, whole: &Path, name: &str) -> Result<(), String> {
    let (found, expected) = (fs::read(folder.join(name)), fs::read(whole.join(name)).expect("a file"));
    match found {
        Ok(found) if found != expected => {
            let place = found.iter().zip(&expected).take_while(|(a, b)| a == b).count();
            let lengths = (found.len(), expected.len());
            Err(format!("{}: another from byte {place} on, lengths {lengths:?}", folder.join(name).display()))
        }
        _ => Ok(()),
    }
}

/// The manifest has the length and the SHA-256 of each of these files, and they are there.
fn require_vouches(folder: &Path, manifest: &serde_json::Value, names: &[&str]) -> Result<(), String> {
    let files = manifest["files"].as_object().ok_or("a manifest without files")?;
    if files.keys().ne(names) {
        return Err(format!("{}: vouches for {:?}", folder.display(), files.keys()));
    }
    files.iter().try_for_each(|(name, file)| {
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        match file["bytes"] == bytes.len() && file["sha256"] == sha256 {
            true => Ok(()),
            false => Err(format!("{}: not what its manifest says", path.display())),
        }
    })
}
