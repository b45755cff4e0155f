//! Which files does a written experiment name?

use std::path::{Path, PathBuf};

/// The files that an experiment names whose paths are written out, in order.
pub fn named_files(text: &str) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    if let Ok(table) = text.parse::<toml::Table>() {
        table.values().for_each(|value| collect(value, &mut paths));
    }
    paths.sort_unstable();
    paths
}

/// Paths of files are written as absolute ones; behind that of a file of tensors stands which of them is meant.
fn collect(value: &toml::Value, paths: &mut Vec<PathBuf>) {
    match value {
        toml::Value::String(text) => {
            let path =
                text.rsplit_once(".safetensors:").map_or(text.clone(), |(stem, _)| format!("{stem}.safetensors"));
            if Path::new(&path).is_absolute() {
                paths.push(path.into());
            }
        }
        toml::Value::Array(list) => list.iter().for_each(|value| collect(value, paths)),
        toml::Value::Table(table) => table.values().for_each(|value| collect(value, paths)),
        _ => {}
    }
}
