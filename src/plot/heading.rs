//! Reads from `experiment.toml` what a picture says above itself.

use std::path::Path;

use toml::{Table, Value};

use super::canvas::Heading;
use super::error::PlotError;

/// The numbers worth a place in the caption: (section, key, how they are written).
const CAPTION: [(&str, &str, &str); 4] =
    [("tokens", "count", "n = "), ("tokens", "dim", "d = "), ("attention", "beta", "β = "), ("time", "scheme", "")];

/// The name of the experiment, or of its folder, and the numbers that matter; absent keys are left out.
pub(super) fn read(path: &Path) -> Result<Heading, PlotError> {
    read_without(path, &[])
}

/// The same without the dotted keys `varied`, which have no one value.
pub(super) fn read_without(path: &Path, varied: &[String]) -> Result<Heading, PlotError> {
    let text = std::fs::read_to_string(path).map_err(|source| PlotError::Read { path: path.into(), source })?;
    let experiment: Table = text.parse().map_err(|error: toml::de::Error| PlotError::File {
        path: path.into(),
        problem: error.to_string().trim_end().to_string(),
        remedy: "write valid TOML",
    })?;
    let folder = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let title = experiment.get("name").and_then(Value::as_str).map(str::to_string).or(folder);
    let stays = |(section, key, _): &&(&str, &str, &str)| !varied.contains(&format!("{section}.{key}"));
    let parts = CAPTION.iter().filter(stays).filter_map(|(section, key, prefix)| {
        let value = match experiment.get(*section)?.get(*key)? {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            _ => return None,
        };
        Some(format!("{prefix}{value}"))
    });
    Ok(Heading { title: title.unwrap_or_default(), caption: parts.collect::<Vec<_>>().join(" · ") })
}
