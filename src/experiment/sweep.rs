//! A sweep as typed: a base experiment, axes that replace keys of it, and rates to be fitted.
//!
//! ```toml
//! base = "../experiments/clusters.toml"
//! [axes]
//! "tokens.count" = [64, 256, 1024]
//! "attention.beta" = "2 * ln(tokens.count)"
//! [[fit]]
//! quantity = "coupling_error"
//! variable = "tokens.count"
//! expected = -0.5
//! ```

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::{
    Arrays, Experiment,
    coupled::{Coupled, Cycle, Fault},
    error::ExperimentError,
    keys::{SWEEP, with_home},
    overrides::Override,
    section::{Entry, Section},
    source::Source,
};
use crate::{expression::Expression, initial::npy::unreadable_because};

/// Cells of a sweep: a folder each, and a row each of tables that are held as a whole.
const MOST_CELLS: u128 = 1 << 20;
const FIT: &[&str] = &["quantity", "variable", "expected"];

/// A sweep file: every combination of the values of its axes is an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepFile {
    source: Source,
    /// What the sweep folder is called, unless told otherwise.
    pub name: String,
    base: Base,
    axes: Axes,
    coupled: Coupled,
    /// The rates that are asked for.
    pub fits: Vec<Fit>,
    overrides: Vec<Override>,
}

/// The experiment of a sweep in memory.
#[derive(Clone, Debug, PartialEq)]
pub enum SweepBase {
    /// The path of an experiment file.
    File(PathBuf),
    /// Its keys.
    Table(Table),
    /// Its text.
    Text(String),
}

/// Where the experiment comes from whose keys are replaced.
#[derive(Clone, Debug, PartialEq)]
enum Base {
    File { path: PathBuf, arrays: Arrays },
    Table { table: Table, source: Source },
}

impl Base {
    fn experiment(&self, overrides: &[Override]) -> Result<Experiment, ExperimentError> {
        match self {
            Base::File { path, arrays } => {
                let source = Source { arrays: arrays.clone(), ..super::source(path, overrides) };
                Experiment::from_table(super::read(path, &source)?, source)
            }
            Base::Table { table, source } => {
                let source = Source { overrides: overrides.to_vec(), ..source.clone() };
                Experiment::from_table(table.clone(), source)
            }
        }
    }

    /// Its keys as typed, overrides included.
    fn table(&self, overrides: &[Override]) -> Result<Table, ExperimentError> {
        match self {
            Base::File { path, arrays: _ } => {
                let source = super::source(path, overrides);
                super::overridden(super::read(path, &source)?, &source)
            }
            Base::Table { table, source } => super::overridden(table.clone(), source),
        }
    }
}

/// A rate: the slope of ln `quantity`, a column of samples, against ln `variable`, an axis or a formula of axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// A column of `samples.csv`, at the last time, or a result; positive.
    pub quantity: String,
    /// A formula of keys of the sweep, most often one of them; positive in every cell.
    pub variable: Expression,
    /// The slope that a theorem promises, drawn beside the fitted one.
    pub expected: Option<f64>,
}

impl SweepFile {
    /// Reads a sweep file; `overrides` are those of the base experiment, under the axes.
    pub fn read(path: &Path, overrides: &[Override]) -> Result<Self, ExperimentError> {
        Self::read_typed(path, overrides).map_err(with_home)
    }

    /// A sweep of an experiment in memory, over axes as typed under `[axes]`; without axes it has one cell. Errors call it `origin`.
    pub(crate) fn of_tables(
        name: &str,
        origin: &str,
        experiment: Table,
        axes: &Table,
    ) -> Result<Self, ExperimentError> {
        let source =
            Source { name: origin.into(), folder: PathBuf::new(), overrides: Vec::new(), arrays: Arrays::default() };
        let typed = Table::from_iter([("axes".to_owned(), Value::Table(axes.clone()))]);
        let entry = Section::new(&source, "", &typed, SWEEP)?.required("axes", "{ \"tokens.count\" = [64, 256] }")?;
        let (axes, coupled) = if axes.is_empty() { (Axes::new(), Coupled::default()) } else { self::axes(&entry)? };
        let base = Base::Table { table: experiment, source: source.clone() };
        Ok(Self { name: name.to_owned(), base, axes, coupled, fits: Vec::new(), overrides: Vec::new(), source })
    }

    /// A sweep of `base`: `sweep` has the other keys of a sweep file, and base, overrides and values of axes may name `arrays`. Errors call it
    /// `sweep`.
    pub fn of_memory(
        sweep: &Table,
        base: SweepBase,
        arrays: Arrays,
        overrides: &[Override],
    ) -> Result<Self, ExperimentError> {
        let source = Source { name: "sweep".into(), ..Source::of_memory(Arrays::default(), &[]) };
        let of_base = Source::of_memory(arrays.clone(), overrides);
        let base = match base {
            SweepBase::File(path) => Base::File { path, arrays },
            SweepBase::Table(table) => Base::Table { table, source: of_base },
            SweepBase::Text(text) => Base::Table { table: super::table(&text, &of_base)?, source: of_base },
        };
        Self::typed(source, sweep, base, overrides, "sweep").map_err(with_home)
    }

    fn read_typed(path: &Path, overrides: &[Override]) -> Result<Self, ExperimentError> {
        let source = super::source(path, &[]);
        let text = std::fs::read_to_string(path)
            .map_err(|error| source.error("", "", unreadable_because(&error), "write the path of a sweep file"))?;
        let table = super::table(&text, &source)?;
        let root = Section::new(&source, "", &table, SWEEP)?;
        let of_base = root.required("base", "\"clusters.toml\"")?.path()?;
        let base = Base::File { path: of_base, arrays: Arrays::default() };
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("sweep");
        Self::typed(source.clone(), &table, base, overrides, stem)
    }

    /// What is typed beside the base; `name` is what it is called unless it says so itself.
    fn typed(
        source: Source,
        table: &Table,
        base: Base,
        overrides: &[Override],
        name: &str,
    ) -> Result<Self, ExperimentError> {
        let root = Section::new(&source, "", table, SWEEP)?;
        let entry = root.required("axes", "{ \"tokens.count\" = [64, 256] }")?;
        let (axes, coupled) = axes(&entry)?;
        let cells = axes.iter().fold(1u128, |cells, (_, values)| cells.saturating_mul(values.len() as u128));
        if cells > MOST_CELLS {
            let problem = format!("has {cells} cells, and a sweep folder has room for {MOST_CELLS}");
            return Err(entry.error_with(problem, "write fewer values, or several sweeps"));
        }
        let fits = match root.optional("fit", "[{ quantity = \"mean_norm\", variable = \"tokens.count\" }]") {
            Some(entry) => entry
                .list("{ quantity = \"mean_norm\", variable = \"tokens.count\" }")?
                .iter()
                .map(|entry| fit(entry, &axes, &coupled))
                .collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        let typed = root.optional("name", "\"rates\"").map(|entry| super::typed::name(&entry)).transpose()?;
        let name = typed.unwrap_or_else(|| name.to_owned());
        Ok(Self { name, base, axes, coupled, fits, overrides: overrides.to_vec(), source })
    }

    /// Refuses fits of quantities that a cell with these columns does not measure.
    pub fn require_measured(&self, columns: &[String]) -> Result<(), ExperimentError> {
        match self.fits.iter().position(|fit| !columns.contains(&fit.quantity)) {
            None => Ok(()),
            Some(index) => {
                let (key, quantity) =
                    (format!("fit.{index}.quantity"), Value::from(self.fits[index].quantity.clone()));
                let remedy = format!(
                    "add it to observe.quantities or the results of the base, or write one of {}",
                    columns.join(", ")
                );
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

    /// The dotted keys of the axes that are lists.
    pub fn axes(&self) -> impl Iterator<Item = &str> {
        self.axes.iter().map(|(key, _)| key.as_str())
    }

    /// The dotted keys of the axes, and after them those that are coupled to them.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.axes.iter().map(|(key, _)| key.as_str()).chain(self.coupled.keys())
    }

    /// Whether `key` changes with a formula of keys, or the formula with it: for a fit over the formula it is no key of its own.
    pub(crate) fn goes_with(&self, key: &str, variable: &Expression) -> bool {
        let axes_of = |key: &str| -> BTreeSet<&str> {
            match self.axes.iter().find(|(axis, _)| axis == key) {
                Some((axis, _)) => BTreeSet::from([axis.as_str()]),
                None => self.coupled.names_behind(key),
            }
        };
        let free: BTreeSet<&str> = variable.names().into_iter().flat_map(axes_of).collect();
        axes_of(key).intersection(&free).any(|name| self.axes.iter().any(|(axis, _)| axis == name))
    }

    /// Every combination of values, the last axis fastest, and the values of the coupled keys after each.
    pub fn grid(&self) -> Result<Vec<Vec<Value>>, ExperimentError> {
        let mut grid = vec![Vec::new()];
        for (_, values) in &self.axes {
            let longer = |row: &Vec<Value>| {
                let row = row.clone();
                values.iter().map(move |value| [row.clone(), vec![value.clone()]].concat())
            };
            grid = grid.iter().flat_map(longer).collect();
        }
        if self.coupled.is_empty() {
            return Ok(grid);
        }
        let base = self.base.table(&self.overrides)?;
        grid.into_iter().map(|row| self.with_coupled(row, &base)).collect()
    }

    fn with_coupled(&self, mut row: Vec<Value>, base: &Table) -> Result<Vec<Value>, ExperimentError> {
        let free = row.clone();
        let value_of = |name: &str| match self.axes.iter().position(|(axis, _)| axis == name) {
            Some(index) => number(&free[index]),
            None => number_at(base, name),
        };
        let refused = |fault: Fault| {
            let remedy =
                "write a formula of axes and keys of the base that are numbers, e.g. \"2 * ln(tokens.count)\"";
            let problem = match fault.value {
                Err(error) => error.to_string(),
                Ok(value) => {
                    let at = free.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
                    format!("is {value} where the axes are {at}")
                }
            };
            let key = format!("axes.{}", fault.key);
            self.source.error(key, Value::from(fault.formula.to_string()), problem, remedy)
        };
        for value in self.coupled.values(&value_of).map_err(refused)? {
            // A key that counts takes no decimals.
            let is_whole = value.fract() == 0.0 && value.abs() < 2f64.powi(53);
            row.push(if is_whole { Value::from(value as i64) } else { Value::from(value) });
        }
        Ok(row)
    }

    /// The base experiment with its axes and coupled keys at `values`.
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
        self.base.experiment(&overrides)
    }
}

/// The number that is typed at a dotted key.
pub(crate) fn number_at(table: &Table, key: &str) -> Option<f64> {
    number(typed_at(table, key)?)
}

fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
}

/// What is typed at a dotted key.
fn typed_at<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let (first, others) = key.split_once('.').map_or((key, None), |(first, others)| (first, Some(others)));
    let mut value = table.get(first)?;
    for name in others.into_iter().flat_map(|others| others.split('.')) {
        value = match value {
            Value::Array(list) => list.get(name.parse::<usize>().ok()?)?,
            value => value.get(name)?,
        };
    }
    Some(value)
}

type Axes = Vec<(String, Vec<Value>)>;

fn axes(entry: &Entry) -> Result<(Axes, Coupled), ExperimentError> {
    let (mut axes, mut coupled) = (Axes::new(), Vec::new());
    for (key, value) in entry.table()? {
        match value {
            Value::Array(values) if !values.is_empty() => axes.push((key.clone(), values.clone())),
            Value::String(text) => {
                let formula = text.parse().map_err(|error: crate::expression::ExpressionError| {
                    entry.error_with(format!("{key} = \"{text}\" {error}"), "write a list of values, or a formula")
                })?;
                coupled.push((key.clone(), formula));
            }
            _ => {
                return Err(entry.error_with(
                    format!("{key} must be a list of one or more values, or a formula of other axes"),
                    format!("write e.g. \"{key}\" = [64, 256]"),
                ));
            }
        }
    }
    if axes.is_empty() {
        return Err(entry.error_with("names no key with a list of values", "write e.g. \"tokens.count\" = [64, 256]"));
    }
    let refused = |Cycle { key, formula }| {
        let problem = format!("{key} = \"{formula}\" needs keys that need one another");
        entry.error_with(problem, "write formulas that lead back to axes that are lists")
    };
    Ok((axes, Coupled::new(coupled).map_err(refused)?))
}

fn fit(entry: &Entry, axes: &Axes, coupled: &Coupled) -> Result<Fit, ExperimentError> {
    let section = entry.section(FIT)?;
    let expected = section.optional("expected", "-0.5");
    Ok(Fit {
        quantity: section.required("quantity", "\"coupling_error\"")?.text()?.to_owned(),
        variable: variable(&section.required("variable", "\"tokens.count\"")?, axes, coupled)?,
        expected: expected.map(|entry| entry.number("finite", |_| true)).transpose()?,
    })
}

/// A formula of axes of numbers and of coupled keys.
fn variable(entry: &Entry, axes: &Axes, coupled: &Coupled) -> Result<Expression, ExperimentError> {
    let numbers = |values: &[Value]| values.iter().all(|value| value.is_integer() || value.is_float());
    let lists = axes.iter().filter(|(_, values)| numbers(values)).map(|(key, _)| key.as_str());
    let known: Vec<&str> = lists.chain(coupled.keys()).collect();
    let remedy = || {
        format!(
            "write an axis whose values are numbers, or a formula such as \"tokens.count - 1\", of {}",
            known.join(", ")
        )
    };
    let formula: Expression = entry
        .text()?
        .parse()
        .map_err(|error: crate::expression::ExpressionError| entry.error_with(error.to_string(), remedy()))?;
    let names = formula.names();
    match names.iter().find(|name| !known.contains(name)) {
        Some(name) => Err(entry.error_with(format!("has {name}, which is no axis of numbers"), remedy())),
        None if names.is_empty() => Err(entry.error_with("is the same in all cells", remedy())),
        None => Ok(formula),
    }
}
