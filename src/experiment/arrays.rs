//! Arrays that an experiment names instead of `.npy` files: those that the caller holds in memory, and those of a `.safetensors` file.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use safetensors::{
    SafeTensors, View,
    tensor::{Dtype, SafeTensorError, TensorView},
};
use toml::Value;

use crate::initial::npy::{self, Array, NpyError, shape_text, unreadable_because};

/// The file beside a written experiment that has the arrays that were in memory.
pub const FILE: &str = "arrays.safetensors";

/// What stands between the path of a file and the name of an array in it.
const IN_FILE: &str = ".safetensors:";

/// Arrays in memory by the names under which an experiment uses them: where it may write the path of a `.npy` file, a name stands for
/// the array.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrays(Arc<BTreeMap<String, Array>>);

/// Why an array cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("array {name:?}: {problem}; {remedy}")]
pub struct ArrayError {
    name: String,
    problem: String,
    remedy: String,
}

impl Arrays {
    /// Adds an array of this shape, row-major. Errors: a name with other characters than letters, digits, `-` and `_`, or one that is
    /// taken; a shape of another number of entries; entries that are not finite.
    pub fn insert(&mut self, name: &str, shape: &[usize], values: Vec<f64>) -> Result<(), ArrayError> {
        let refused = |problem: String, remedy: &str| {
            Err(ArrayError { name: name.to_owned(), problem, remedy: remedy.to_owned() })
        };
        let is_word = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        if !is_word {
            return refused("is no name".into(), "take letters, digits, - and _");
        }
        if self.0.contains_key(name) {
            return refused("is there already".into(), "take another name");
        }
        if shape.iter().try_fold(1, |n: usize, size| n.checked_mul(*size)) != Some(values.len()) {
            let problem = format!("{} numbers do not fill the shape {}", values.len(), shape_text(shape));
            return refused(problem, "give as many numbers as the shape has");
        }
        let array = Array { shape: shape.to_vec(), values };
        match array.finite() {
            Err(NpyError { problem, remedy }) => refused(problem, &remedy),
            Ok(array) => {
                Arc::make_mut(&mut self.0).insert(name.to_owned(), array);
                Ok(())
            }
        }
    }

    /// All of them as the text of a `.safetensors` file.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, SafeTensorError> {
        safetensors::serialize(self.0.iter().map(|(name, array)| (name, Stored::of(array))), None)
    }

    /// The one that `path` names.
    pub(super) fn get(&self, path: &Path) -> Option<&Array> {
        self.0.get(path.to_str()?)
    }

    /// What `path` stands for: one of these, one of a `.safetensors` file, or that of a `.npy` file.
    pub(super) fn read(&self, path: &Path) -> Result<Array, NpyError> {
        match (self.get(path), path.to_str().and_then(|text| text.rsplit_once(IN_FILE))) {
            (Some(array), _) => Ok(array.clone()),
            (None, Some((stem, name))) => of_file(Path::new(&format!("{stem}.safetensors")), name),
            (None, None) => npy::read(path),
        }
    }

    /// Adds those of the text of a `.safetensors` file whose names are not taken.
    pub(super) fn add_bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        let damaged = |error: SafeTensorError| format!("is no .safetensors file: {error}");
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        for (name, view) in tensors.iter() {
            let array = of_view(&view).map_err(|NpyError { problem, .. }| problem)?;
            Arc::make_mut(&mut self.0).entry(name.to_owned()).or_insert(array);
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Leaves out what is named nowhere in `value`.
    pub(super) fn retain_named(&mut self, value: &toml::Table) {
        let is_named = |name: &str| value.values().any(|value| names(value, name));
        if !self.0.keys().all(|name| is_named(name)) {
            Arc::make_mut(&mut self.0).retain(|name, _| is_named(name));
        }
    }

    /// The first that `others` have not.
    pub(super) fn beyond(&self, others: &Arrays) -> Option<&str> {
        self.0.keys().map(String::as_str).find(|name| !others.0.contains_key(*name))
    }
}

fn names(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text == name,
        Value::Array(list) => list.iter().any(|value| names(value, name)),
        Value::Table(table) => table.values().any(|value| names(value, name)),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => false,
    }
}

fn of_file(path: &Path, name: &str) -> Result<Array, NpyError> {
    let bytes = std::fs::read(path).map_err(|error| NpyError {
        problem: unreadable_because(&error),
        remedy: "write FILE.safetensors:NAME, relative to the folder of the experiment file".into(),
    })?;
    let damaged = |error: SafeTensorError| NpyError {
        problem: format!("is no .safetensors file: {error}"),
        remedy: "write the arrays with save_file of the safetensors library".into(),
    };
    let tensors = SafeTensors::deserialize(&bytes).map_err(damaged)?;
    let view = tensors.tensor(name).map_err(|_| NpyError {
        problem: format!("has no array {name}"),
        remedy: format!("write one that it has: {}", tensors.names().join(", ")),
    })?;
    of_view(&view)
}

fn of_view(view: &TensorView<'_>) -> Result<Array, NpyError> {
    let values = match view.dtype() {
        Dtype::F64 => view.data().as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
        Dtype::F32 => view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes).into()).collect(),
        other => {
            let problem = format!("holds entries of type {other:?}");
            return Err(NpyError { problem, remedy: "save it as F32 or F64".into() });
        }
    };
    Array { shape: view.shape().to_vec(), values }.finite()
}

/// An array as a file of the format has it.
struct Stored<'a> {
    shape: &'a [usize],
    bytes: Vec<u8>,
}

impl<'a> Stored<'a> {
    fn of(array: &'a Array) -> Self {
        Self { shape: &array.shape, bytes: array.values.iter().flat_map(|value| value.to_le_bytes()).collect() }
    }
}

impl View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F64
    }

    fn shape(&self) -> &[usize] {
        self.shape
    }

    fn data(&self) -> std::borrow::Cow<'_, [u8]> {
        self.bytes.as_slice().into()
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
