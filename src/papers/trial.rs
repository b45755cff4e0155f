//! A law from its experiments to its verdicts.

use std::{collections::BTreeMap, ops::ControlFlow, path::Path};

use super::{
    definition::Definition,
    error::PapersError,
    expectation::{Expected, Fault},
    file::{Law, Paper},
    scope::{Scope, Unknown},
    verdict::{At, Measured, Row, UnknownName, judge},
};
use crate::{
    experiment::{Experiment, SweepFile},
    observables::columns,
    run::Machine,
    sweep::{self, Cell, Event, Finals, Share},
};

/// Runs what is left of the experiments of `law` in `folder`, which becomes a sweep folder, and holds the law to what they show.
pub async fn try_law(
    paper: &Paper,
    law: &Law,
    folder: &Path,
    machine: &Machine,
    on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Vec<Row>, PapersError> {
    let trial = Trial::read(paper, law)?;
    sweep::run(&trial.file, folder, Share::default(), machine, on_event).await?;
    let cells = sweep::cells(&trial.file, machine.precision())?;
    let measured = cells.iter().map(|cell| trial.measured(folder, cell)).collect::<Result<Vec<_>, PapersError>>()?;
    let rows = trial.expected.iter().map(|expected| {
        judge(expected, &measured)
            .map_err(|UnknownName(problem)| trial.formula("expect", &expected.text(), problem, NAMES))
    });
    Ok(rows.collect::<Result<Vec<_>, PapersError>>()?.concat())
}

/// Whether an axis is one of two numbers or more.
fn is_drawn(values: &toml::Value) -> bool {
    let numbers = values
        .as_array()
        .map_or(0, |values| values.iter().filter(|value| value.is_integer() || value.is_float()).count());
    numbers > 1
}

/// The remedy for a name that nobody knows.
const NAMES: &str =
    "write columns or results where something is measured, keys of the experiment, or names under `let`";

/// A law whose formulas are read.
struct Trial<'a> {
    paper: &'a Paper,
    law: &'a Law,
    file: SweepFile,
    definitions: BTreeMap<String, Definition>,
    expected: Vec<Expected>,
}

impl<'a> Trial<'a> {
    fn read(paper: &'a Paper, law: &'a Law) -> Result<Self, PapersError> {
        let origin = format!("{}, law {}", paper.slug, law.name);
        let file = SweepFile::of_tables(&law.name, &origin, law.experiment.clone(), &law.axes)?;
        let mut trial = Trial { paper, law, file, definitions: BTreeMap::new(), expected: Vec::new() };
        for (name, typed) in &law.definitions {
            let definition = Definition::read(typed).map_err(|problem| {
                trial.formula(
                    &format!("let.{name}"),
                    &typed.to_string(),
                    problem,
                    "write e.g. \"sqrt(2 * attention.beta)\"",
                )
            })?;
            trial.definitions.insert(name.clone(), definition);
        }
        for typed in &law.expectations {
            let expected = Expected::read(typed).map_err(|Fault { key, text, problem }| {
                trial.formula(
                    &format!("expect.{key}"),
                    &text,
                    problem,
                    "write e.g. measured = \"mean_norm\", predicted = \"1\"",
                )
            })?;
            trial.expected.push(expected);
        }
        trial.require_known_names()?;
        Ok(trial)
    }

    /// Refuses names that the first cell does not know, before any cell runs.
    fn require_known_names(&self) -> Result<(), PapersError> {
        let Some(values) = self.file.grid()?.into_iter().next() else { return Ok(()) };
        let experiment = self.file.experiment(&values)?;
        let problem = experiment.resolve()?;
        let results = experiment.results()?.into_iter().map(|result| result.name);
        let columns = columns(&problem.quantities, problem.tokens.shape.dim).into_iter().chain(results);
        let (columns, scope) = (columns.collect::<Vec<_>>(), self.scope(&experiment)?);
        match self.expected.iter().find_map(|expected| expected.unknown(&columns, &scope)) {
            None => Ok(()),
            Some(Fault { key, text, problem }) => Err(self.formula(&format!("expect.{key}"), &text, problem, NAMES)),
        }
    }

    fn scope(&self, experiment: &Experiment) -> Result<Scope, PapersError> {
        Scope::new(experiment.to_table()?, &self.definitions).map_err(|Unknown { definition, name }| {
            let text = self.law.definitions.get(&definition).map_or(String::new(), toml::Value::to_string);
            self.formula(&format!("let.{definition}"), &text, format!("knows no {name}"), NAMES)
        })
    }

    fn measured(&self, folder: &Path, cell: &Cell) -> Result<Measured, PapersError> {
        let scope = self.scope(&cell.experiment)?;
        let finals = Finals::read(&sweep::folder(folder, cell), &cell.experiment.results()?)?;
        let axis = self.file.axes().position(|key| self.law.axes.get(key).is_some_and(is_drawn));
        let place = |but: Option<usize>| {
            let axes = self.file.axes().zip(&cell.values).enumerate().filter(|(index, _)| Some(*index) != but);
            axes.map(|(_, (key, value))| format!("{key} = {value}")).collect::<Vec<_>>().join(", ")
        };
        let at = axis.and_then(|index| {
            let (key, value) = (self.file.axes().nth(index)?.to_owned(), cell.values[index].parse().ok()?);
            Some(At { key, value, others: place(axis) })
        });
        Ok(Measured { place: place(None), at, scope, finals })
    }

    fn formula(&self, key: &str, text: &str, problem: String, remedy: &'static str) -> PapersError {
        let place = format!("{}, law {}: {key} = \"{text}\"", self.paper.slug, self.law.name);
        PapersError::Formula { place, problem, remedy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::papers::catalogue;

    /// Of the size that is shown and of that which was published.
    #[test]
    fn every_law_is_read_and_knows_its_names() {
        for paper in catalogue().expect("files of laws") {
            for law in &paper.laws {
                for law in [law.clone(), law.clone().in_full()] {
                    let file = SweepFile::of_tables(&law.name, &paper.slug, law.experiment.clone(), &law.axes);
                    let grid = file.and_then(|file| file.grid().map(|grid| (file, grid)));
                    let (file, grid) = grid.unwrap_or_else(|error| panic!("{error}"));
                    for values in grid {
                        file.experiment(&values).unwrap_or_else(|error| panic!("{error}"));
                    }
                }
                Trial::read(&paper, law).map(|_| ()).unwrap_or_else(|error| panic!("{error}"));
            }
        }
    }
}
