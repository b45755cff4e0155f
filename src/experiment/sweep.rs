//! A sweep as typed: a base experiment, axes that replace keys of it, and rates to be fitted.
//!
//! ```toml
//! base = "../experiments/clusters.toml"
//! [axes]
//! "tokens.count" = [64, 256, 1024]
//! [[fit]]
//! quantity = "coupling_error"
//! variable = "tokens.count"
//! expected = -0.5
//! ```

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{
    Experiment,
    error::ExperimentError,
    keys::{SWEEP, with_home},
    overrides::Override,
    section::{Entry, Section},
    source::Source,
};
use crate::initial::npy::unreadable_because;

/// Cells of a sweep: a folder each, and a row each of tables that are held as a whole.
const MOST_CELLS: u128 = 1 << 20;
const FIT: &[&str] = &["quantity", "variable", "expected"];

/// A sweep file: every combination of the values of its axes is an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepFile {
    source: Source,
    /// What the sweep folder is called, unless told otherwise.
    pub name: String,
    base: PathBuf,
    axes: Vec<(String, Vec<Value>)>,
    /// The rates that are asked for.
    pub fits: Vec<Fit>,
    overrides: Vec<Override>,
}

/// A rate: the slope of ln `quantity`, a column of samples, against ln `variable`, an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// A column of `samples.csv`, at the last time, positive.
    pub quantity: String,
    /// The key of an axis, of positive numbers.
    pub variable: String,
    /// The slope that a theorem promises, drawn beside the fitted one.
    pub expected: Option<f64>,
}

impl SweepFile {
    /// Reads a sweep file; `overrides` are those of the base experiment, under the axes.
    pub fn read(path: &Path, overrides: &[Override]) -> Result<Self, ExperimentError> {
        Self::read_typed(path, overrides).map_err(with_home)
    }

    fn read_typed(path: &Path, overrides: &[Override]) -> Result<Self, ExperimentError> {
        let source = super::source(path, &[]);
        let text = std::fs::read_to_string(path)
            .map_err(|error| source.error("", "", unreadable_because(&error), "write the path of a sweep file"))?;
        let table = super::table(&text, &source)?;
        let root = Section::new(&source, "", &table, SWEEP)?;
        let base = root.required("base", "\"clusters.toml\"")?.path()?;
        let entry = root.required("axes", "{ \"tokens.count\" = [64, 256] }")?;
        let axes = axes(&root.required("axes", "{ \"tokens.count\" = [64, 256] }")?)?;
        let cells = axes.iter().fold(1u128, |cells, (_, values)| cells.saturating_mul(values.len() as u128));
        if cells > MOST_CELLS {
            let problem = format!("has {cells} cells, and a sweep folder has room for {MOST_CELLS}");
            return Err(entry.error_with(problem, "write fewer values, or several sweeps"));
        }
        let fits = match root.optional("fit", "[{ quantity = \"mean_norm\", variable = \"tokens.count\" }]") {
            Some(entry) => entry
                .list("{ quantity = \"mean_norm\", variable = \"tokens.count\" }")?
                .iter()
                .map(|entry| fit(entry, &axes))
                .collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        let stem = || path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("sweep").to_owned();
        let name = root.optional("name", "\"rates\"").map(|entry| super::typed::name(&entry)).transpose()?;
        let name = name.unwrap_or_else(stem);
        Ok(Self { name, base, axes, fits, overrides: overrides.to_vec(), source })
    }

    /// Refuses fits of quantities that a cell with these columns does not measure.
    pub fn require_measured(&self, columns: &[String]) -> Result<(), ExperimentError> {
        match self.fits.iter().position(|fit| !columns.contains(&fit.quantity)) {
            None => Ok(()),
            Some(index) => {
                let (key, quantity) =
                    (format!("fit.{index}.quantity"), Value::from(self.fits[index].quantity.clone()));
                let remedy =
                    format!("add it to observe.quantities of the base, or write one of {}", columns.join(", "));
                Err(self.source.error(key, quantity, "is no column that every cell measures", remedy))
            }
        }
    }

    /// The refusal of values that mean what others of the grid mean already.
    pub(crate) fn repeats(&self, values: &[Value]) -> ExperimentError {
        let typed: Vec<String> = self.keys().zip(values).map(|(key, value)| format!("{key} = {value}")).collect();
        let problem = "is the same experiment as a cell before it";
        self.source.error("axes", typed.join(", "), problem, "write every value of an axis once")
    }

    /// The dotted keys of the axes.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.axes.iter().map(|(key, _)| key.as_str())
    }

    /// Every combination of values, the last axis fastest.
    pub fn grid(&self) -> Vec<Vec<Value>> {
        let mut grid = vec![Vec::new()];
        for (_, values) in &self.axes {
            let longer = |row: &Vec<Value>| {
                let row = row.clone();
                values.iter().map(move |value| [row.clone(), vec![value.clone()]].concat())
            };
            grid = grid.iter().flat_map(longer).collect();
        }
        grid
    }

    /// The base experiment with its axes at `values`.
    pub fn experiment(&self, values: &[Value]) -> Result<Experiment, ExperimentError> {
        let mut overrides = self.overrides.clone();
        for (key, value) in self.keys().zip(values) {
            let text = format!("{key}={value}");
            let change = text.parse::<Override>().map_err(|error| {
                let problem = error.to_string();
                self.source.error(format!("axes.{key}"), value, problem, "write a dotted key of the base experiment")
            })?;
            overrides.push(change);
        }
        Experiment::read(&self.base, &overrides)
    }
}

fn axes(entry: &Entry) -> Result<Vec<(String, Vec<Value>)>, ExperimentError> {
    let table: &Table = entry.table()?;
    if table.is_empty() {
        return Err(entry.error_with("names no key", "write e.g. \"tokens.count\" = [64, 256]"));
    }
    let axis = |(key, value): (&String, &Value)| match value {
        Value::Array(values) if !values.is_empty() => Ok((key.clone(), values.clone())),
        _ => Err(entry.error_with(
            format!("{key} must be a list of one or more values"),
            format!("write e.g. \"{key}\" = [64, 256]"),
        )),
    };
    table.iter().map(axis).collect()
}

fn fit(entry: &Entry, axes: &[(String, Vec<Value>)]) -> Result<Fit, ExperimentError> {
    let section = entry.section(FIT)?;
    let variable = section.required("variable", "\"tokens.count\"")?;
    let numbers = |values: &[Value]| values.iter().all(|value| value.is_integer() || value.is_float());
    let names: Vec<&str> = axes.iter().filter(|(_, values)| numbers(values)).map(|(key, _)| key.as_str()).collect();
    let typed = variable.text()?;
    if !names.contains(&typed) {
        let accepted = format!("write an axis whose values are numbers: {}", names.join(", "));
        return Err(variable.error_with("is no axis of numbers", accepted));
    }
    let expected = section.optional("expected", "-0.5");
    Ok(Fit {
        quantity: section.required("quantity", "\"coupling_error\"")?.text()?.to_owned(),
        variable: typed.to_owned(),
        expected: expected.map(|entry| entry.number("finite", |_| true)).transpose()?,
    })
}
