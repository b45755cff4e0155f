//! Problems as dictionaries: keys as in an experiment file, and arrays wherever a file of one may stand.

use std::{collections::HashSet, path::PathBuf};

use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::{PyBool, PyDict, PyList, PyString, PyTuple},
};
use sha2::{Digest, Sha256};
use tokenfield::experiment::{Arrays, Experiment, Override, SweepBase, SweepFile};
use toml::{Table, Value};

use crate::{arrays::Input, errors::Raised};

/// Arrays by labels that say where they stand and what they hold: problems of other arrays are other problems.
#[derive(Default)]
struct Labelled {
    arrays: Arrays,
    labels: HashSet<String>,
}

impl Labelled {
    /// Takes what stands at the dotted key `place`, and returns its label.
    fn insert(&mut self, place: &str, input: Input) -> PyResult<String> {
        let mut hash = Sha256::new();
        input.shape.iter().for_each(|size| hash.update(size.to_le_bytes()));
        input.values.iter().for_each(|value| hash.update(value.to_le_bytes()));
        let digest: String = hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let place: String = place.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let label = format!("{place}-{digest}");
        if self.labels.insert(label.clone()) {
            self.arrays.insert(&label, &input.shape, input.values).map_err(Raised::raised)?;
        }
        Ok(label)
    }
}

/// Where the keys of a problem are.
enum ProblemSource {
    Table(Table),
    Text(String),
    File(PathBuf),
}

impl ProblemSource {
    fn of(problem: &Bound<'_, PyAny>, arrays: &mut Labelled) -> PyResult<Self> {
        if let Ok(table) = problem.cast::<PyDict>() {
            return self::table("", table, arrays).map(Self::Table);
        }
        if problem.is_instance_of::<PyString>() {
            let text: String = problem.extract()?;
            let is_path = !text.contains('\n') && (text.ends_with(".toml") || !text.contains('='));
            return Ok(if is_path { Self::File(text.into()) } else { Self::Text(text) });
        }
        problem.extract().map(Self::File).map_err(|_| {
            let found = problem.get_type();
            PyTypeError::new_err(format!("problem: expected a dict, TOML text or the path of a file, got {found}"))
        })
    }
}

/// An experiment from a dictionary, from the path of a file, or from TOML, with keys replaced.
pub(crate) fn experiment(problem: &Bound<'_, PyAny>, set: Option<&Bound<'_, PyDict>>) -> PyResult<Experiment> {
    let mut arrays = Labelled::default();
    let overrides = overrides(set, &mut arrays)?;
    let experiment = match ProblemSource::of(problem, &mut arrays)? {
        ProblemSource::Table(table) => Experiment::of_table(table, arrays.arrays, &overrides),
        ProblemSource::Text(text) => Experiment::parse_with(&text, arrays.arrays, &overrides),
        ProblemSource::File(path) => Experiment::read_with(&path, arrays.arrays, &overrides),
    };
    experiment.map_err(Raised::raised)
}

/// The experiment of a saved simulation, with keys replaced.
pub(crate) fn of_record(record: &Record, set: Option<&Bound<'_, PyDict>>) -> PyResult<Experiment> {
    let mut arrays = Labelled::default();
    let overrides = overrides(set, &mut arrays)?;
    Experiment::of_record(&record.text, record.arrays.as_deref(), arrays.arrays, &overrides).map_err(Raised::raised)
}

/// An experiment as it was written down.
#[derive(Clone)]
pub(crate) struct Record {
    pub text: String,
    pub arrays: Option<Vec<u8>>,
}

/// A sweep of a problem over the axes of `sweep`, which has the keys of a sweep file but for `base`; or that of a sweep file, where there is no
/// `sweep`.
pub(crate) fn sweep(
    problem: &Bound<'_, PyAny>,
    sweep: Option<&Bound<'_, PyDict>>,
    set: Option<&Bound<'_, PyDict>>,
) -> PyResult<SweepFile> {
    let mut arrays = Labelled::default();
    let overrides = overrides(set, &mut arrays)?;
    let Some(sweep) = sweep else {
        if !arrays.labels.is_empty() {
            return Err(PyValueError::new_err("set: arrays beside a sweep file; pass its base as problem, and axes"));
        }
        let path: PathBuf = problem.extract()?;
        return SweepFile::read(&path, &overrides).map_err(Raised::raised);
    };
    let sweep = table("", sweep, &mut arrays)?;
    let base = match ProblemSource::of(problem, &mut arrays)? {
        ProblemSource::Table(table) => SweepBase::Table(table),
        ProblemSource::Text(text) => SweepBase::Text(text),
        ProblemSource::File(path) => SweepBase::File(path),
    };
    SweepFile::of_memory(&sweep, base, arrays.arrays, &overrides).map_err(Raised::raised)
}

fn overrides(set: Option<&Bound<'_, PyDict>>, arrays: &mut Labelled) -> PyResult<Vec<Override>> {
    let mut overrides = Vec::new();
    for (key, value) in set.into_iter().flat_map(|set| set.iter()) {
        let key: String =
            key.extract().map_err(|_| PyTypeError::new_err(format!("set: keys are text, and {key} is none")))?;
        let last = key.rsplit('.').next().unwrap_or_default();
        let value = match value.is_none() {
            true => Value::Table(Table::from_iter([("unset".to_owned(), Value::Boolean(true))])),
            false => self::value(&key, last, &value, arrays)?,
        };
        overrides.push(format!("{key}={value}").parse::<Override>().map_err(Raised::raised)?);
    }
    Ok(overrides)
}

fn table(place: &str, dict: &Bound<'_, PyDict>, arrays: &mut Labelled) -> PyResult<Table> {
    let mut table = Table::new();
    for (key, value) in dict.iter() {
        let name: String = key.extract().map_err(|_| {
            PyTypeError::new_err(format!("{place}: keys of a problem are text, and {key} is {}", key.get_type()))
        })?;
        let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        if !value.is_none() {
            // Axes are dotted keys.
            let last = name.rsplit('.').next().unwrap_or_default();
            table.insert(name.clone(), self::value(&place, last, &value, arrays)?);
        }
    }
    Ok(table)
}

/// What stands at the dotted key `place`, whose last part is `name`.
fn value(place: &str, name: &str, any: &Bound<'_, PyAny>, arrays: &mut Labelled) -> PyResult<Value> {
    if let Ok(array) = any.cast::<PyUntypedArray>() {
        return match array.ndim() {
            0 => value(place, name, &any.call_method0("item")?, arrays),
            _ => self::array(place, name, array, arrays),
        };
    }
    if let Ok(dict) = any.cast::<PyDict>() {
        return Ok(Value::Table(table(place, dict, arrays)?));
    }
    if any.is_instance_of::<PyList>() || any.is_instance_of::<PyTuple>() {
        let item = |(index, item): (usize, PyResult<Bound<'_, PyAny>>)| {
            value(&format!("{place}.{index}"), name, &item?, arrays)
        };
        return Ok(Value::Array(any.try_iter()?.enumerate().map(item).collect::<PyResult<_>>()?));
    }
    if any.is_instance_of::<PyBool>() {
        return Ok(Value::Boolean(any.extract()?));
    }
    if any.is_instance_of::<PyString>() {
        return Ok(Value::String(any.extract()?));
    }
    if let Ok(path) = any.extract::<PathBuf>() {
        return Ok(Value::String(path.to_string_lossy().into_owned()));
    }
    if let Ok(whole) = any.extract::<i64>() {
        return Ok(Value::Integer(whole));
    }
    match any.extract::<f64>() {
        Ok(number) => Ok(Value::Float(number)),
        Err(_) => Err(PyTypeError::new_err(format!(
            "{place}: expected a number, text, a list, a dict or an array, got {}",
            any.get_type()
        ))),
    }
}

/// An array where the path of a file of one may stand.
fn array(place: &str, name: &str, array: &Bound<'_, PyUntypedArray>, arrays: &mut Labelled) -> PyResult<Value> {
    let label = arrays.insert(place, Input::of(place, array)?)?;
    let path = Value::String(label);
    let wrapped = |law: Option<&str>| {
        let law = law.map(|law| ("law".to_owned(), Value::from(law)));
        Value::Table(law.into_iter().chain([("path".to_owned(), path.clone())]).collect())
    };
    Ok(match name {
        "path" | "layers" => path,
        "initial" => wrapped(Some("file")),
        _ => wrapped(None),
    })
}
