//! Arrays that are typed or come from files: a list `[1.0, 2.0]`, rows `[[1.0, 0.0], [0.0, 1.0]]` or
//! `{ rows = [[..], ..] }`, or `{ path = "A.npy" }`.

use serde::Serialize;
use toml::Value;

use super::{error::ExperimentError, file_path::FilePath, section::Entry, source::Source};
use crate::initial::npy;

pub(super) const LIST: &[&str] = &["path"];
pub(super) const ROWS: &[&str] = &["rows", "path"];

/// Numbers in a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum ListTyped {
    Numbers(Vec<f64>),
    File { path: FilePath },
}

/// How many entries an array must have, and which other thing has as many.
#[derive(Clone, Copy)]
pub(crate) struct Extent<'a> {
    pub length: usize,
    pub of: &'a str,
}

impl ListTyped {
    pub fn read(entry: &Entry) -> Result<ListTyped, ExperimentError> {
        if entry.is_list() {
            return entry.numbers().map(ListTyped::Numbers);
        }
        let path = entry.section(LIST)?.required("path", "\"b.npy\"")?.file()?;
        Ok(ListTyped::File { path })
    }

    /// As many numbers as asked for.
    pub fn resolve(
        &self,
        key: &str,
        Extent { length, of }: Extent<'_>,
        source: &Source,
    ) -> Result<Vec<f64>, ExperimentError> {
        match self {
            ListTyped::Numbers(numbers) if numbers.len() == length => Ok(numbers.clone()),
            ListTyped::Numbers(numbers) => {
                let problem = format!("has {} numbers, and {of} has {length}", numbers.len());
                Err(source.error(key, Value::from(numbers.clone()), problem, format!("write {length} numbers")))
            }
            ListTyped::File { path } => {
                let key = format!("{key}.path");
                let array = path.array(&key, source)?;
                if array.shape == [length] {
                    return Ok(array.values);
                }
                let problem = format!("has the shape {}, and {of} has {length}", npy::shape_text(&array.shape));
                Err(source.error(key, path.quoted(), problem, format!("save an array of shape ({length},)")))
            }
        }
    }
}

/// Rows of one length.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum RowsTyped {
    Inline(Vec<Vec<f64>>),
    Rows { rows: Vec<Vec<f64>> },
    File { path: FilePath },
}

impl RowsTyped {
    pub fn read(entry: &Entry) -> Result<RowsTyped, ExperimentError> {
        if entry.is_list() {
            return rows(entry).map(RowsTyped::Inline);
        }
        let section = entry.section(ROWS)?;
        if section.has("rows") {
            section.forbid(&["path"], "stands beside rows", "write one of the two")?;
            return Ok(RowsTyped::Rows { rows: rows(&section.required("rows", "[[1.0, 0.0]]")?)? });
        }
        Ok(RowsTyped::File { path: section.required("path", "\"A.npy\"")?.file()? })
    }

    /// All entries in row-major order, for rows of `width` numbers; of how many rows is for the caller to say.
    pub fn resolve(&self, key: &str, width: usize, source: &Source) -> Result<Vec<f64>, ExperimentError> {
        match self {
            RowsTyped::Inline(rows) => joined(rows, key, width, source),
            RowsTyped::Rows { rows } => joined(rows, &format!("{key}.rows"), width, source),
            RowsTyped::File { path } => {
                let key = format!("{key}.path");
                let array = path.array(&key, source)?;
                match array.shape[..] {
                    [rows, columns] if rows > 0 && columns == width => Ok(array.values),
                    _ => {
                        let problem = format!("has the shape {}", npy::shape_text(&array.shape));
                        let remedy = format!("save an array of one or more rows of {width} numbers");
                        Err(source.error(key, path.quoted(), problem, remedy))
                    }
                }
            }
        }
    }

    /// The same, for as many rows as `of` says.
    pub fn resolve_rows(
        &self,
        key: &str,
        Extent { length: count, of }: Extent<'_>,
        width: usize,
        source: &Source,
    ) -> Result<Vec<f64>, ExperimentError> {
        let entries = self.resolve(key, width, source)?;
        if entries.len() == count * width {
            return Ok(entries);
        }
        let problem = format!("has {} rows of {width} numbers, and {of} has {count}", entries.len() / width);
        Err(source.error(key, "", problem, format!("write {count} rows of {width} numbers")))
    }
}

pub(super) fn rows(entry: &Entry) -> Result<Vec<Vec<f64>>, ExperimentError> {
    entry.list("[1.0, 0.0]")?.iter().map(Entry::numbers).collect()
}

pub(super) fn joined(
    rows: &[Vec<f64>],
    key: &str,
    width: usize,
    source: &Source,
) -> Result<Vec<f64>, ExperimentError> {
    let problem = match rows.iter().position(|row| row.len() != width) {
        _ if rows.is_empty() => "has no rows".to_owned(),
        Some(row) => format!("has {} numbers in row {row}, counted from 0", rows[row].len()),
        None => return Ok(rows.concat()),
    };
    Err(source.error(key, Value::from(rows.to_vec()), problem, format!("write rows of {width} numbers")))
}
