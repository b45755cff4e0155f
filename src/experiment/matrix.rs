//! Matrices that stay as they are: `"identity"`, `{ scale = 2.0 }`, `{ diagonal = [..] }`, `{ rows = [[..], ..] }` or
//! `{ path = "A.npy" }`.

use serde::Serialize;
use toml::Value;

use super::{array::rows, error::ExperimentError, file_path::FilePath, section::Entry, source::Source};
use crate::{initial::npy, model::Matrix};

pub(super) const FORMS: &[&str] = &["scale", "diagonal", "rows", "path"];

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MatrixTyped {
    Identity,
    Scale(f64),
    Diagonal(Vec<f64>),
    Rows(Vec<Vec<f64>>),
    Path(FilePath),
}

/// The matrix typed at a key that accepts the forms `shown`, of which those of this room may stand here.
pub(super) fn read(entry: &Entry, shown: &[&str]) -> Result<MatrixTyped, ExperimentError> {
    if entry.is_text() {
        return entry
            .word(&[("identity", ())])
            .map(|_| MatrixTyped::Identity)
            .map_err(|_| entry.error_with("not supported", format!("accepted: \"identity\", {}", one_of(shown))));
    }
    let section = entry.section(FORMS)?;
    let forms = [
        section.optional("scale", "2.0").map(|e| e.number("finite", |_| true).map(MatrixTyped::Scale)),
        section.optional("diagonal", "[1.0, 2.0]").map(|e| e.numbers().map(MatrixTyped::Diagonal)),
        section.optional("rows", "[[1.0, 0.0], [0.0, 1.0]]").map(|e| rows(&e).map(MatrixTyped::Rows)),
        section.optional("path", "\"A.npy\"").map(|e| e.file().map(MatrixTyped::Path)),
    ];
    let mut typed = forms.into_iter().flatten();
    match (typed.next(), typed.next()) {
        (Some(form), None) => form,
        _ => Err(entry.error_with("must have exactly one key", format!("write {}", one_of(shown)))),
    }
}

/// `{ scale = .. }, { diagonal = .. }, ..`
fn one_of(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("{{ {key} = .. }}")).collect::<Vec<_>>().join(", ")
}

impl MatrixTyped {
    /// The matrix of width `dim` that was typed at `key`.
    pub fn resolve(&self, key: &str, dim: usize, source: &Source) -> Result<Matrix, ExperimentError> {
        let refused = |form: &str, value: Value, problem: String, remedy: String| {
            Err(source.error(format!("{key}.{form}"), value, problem, remedy))
        };
        match self {
            MatrixTyped::Identity => Ok(Matrix::Identity),
            MatrixTyped::Scale(factor) => Ok(Matrix::Scale(*factor)),
            MatrixTyped::Diagonal(entries) if entries.len() == dim => Ok(Matrix::Diagonal(entries.clone())),
            MatrixTyped::Diagonal(entries) => {
                let problem = format!("has {} entries and tokens have {dim} components", entries.len());
                refused("diagonal", entries.clone().into(), problem, format!("write {dim} numbers"))
            }
            MatrixTyped::Rows(rows) => {
                let problem = match rows.iter().position(|row| row.len() != dim) {
                    _ if rows.len() != dim => format!("has {} rows and tokens have {dim} components", rows.len()),
                    Some(row) => format!("has {} numbers in row {row}, counted from 0", rows[row].len()),
                    None => return Ok(Matrix::Dense(rows.concat())),
                };
                refused("rows", rows.clone().into(), problem, format!("write {dim} rows of {dim} numbers"))
            }
            MatrixTyped::Path(path) => {
                let array = path.array(&format!("{key}.path"), source)?;
                if array.shape == [dim, dim] {
                    return Ok(Matrix::Dense(array.values));
                }
                let problem = format!("has the shape {}", npy::shape_text(&array.shape));
                refused("path", path.quoted(), problem, format!("save an array of shape ({dim}, {dim})"))
            }
        }
    }
}
