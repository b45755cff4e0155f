//! A law from its experiments to its verdicts.

use std::{collections::BTreeMap, ops::ControlFlow, path::Path};

use super::{
    definition::Definition,
    error::PapersError,
    expectation::{Expected, Fault},
    file::{Law, Paper},
    scope::{Scope, Unknown},
    verdict::{Measured, Row, UnknownName, judge},
};
use crate::{
    experiment::SweepFile,
    run::Machine,
    sweep::{self, Cell, Event, Finals, Shard},
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
    sweep::run(&trial.file, folder, Shard::default(), machine, on_event).await?;
    let cells = sweep::cells(&trial.file, machine.precision())?;
    let measured = cells.iter().map(|cell| trial.measured(folder, cell)).collect::<Result<Vec<_>, PapersError>>()?;
    let rows = trial.expected.iter().map(|expected| {
        judge(expected, &measured).map_err(|UnknownName(problem)| {
            trial.formula("expect", expected.text(), problem, "write columns, results, keys, or names under `let`")
        })
    });
    Ok(rows.collect::<Result<Vec<_>, PapersError>>()?.concat())
}

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
                    typed.to_string(),
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
                    text,
                    problem,
                    "write e.g. measured = \"mean_norm\", predicted = \"1\"",
                )
            })?;
            trial.expected.push(expected);
        }
        Ok(trial)
    }

    fn measured(&self, folder: &Path, cell: &Cell) -> Result<Measured, PapersError> {
        let keys = cell.experiment.to_table()?;
        let scope = Scope::new(keys, &self.definitions).map_err(|Unknown { definition, name }| {
            let text = self.law.definitions.get(&definition).map_or(String::new(), toml::Value::to_string);
            let problem = format!("knows no {name}");
            self.formula(
                &format!("let.{definition}"),
                text,
                problem,
                "write keys of the experiment, or names under `let`",
            )
        })?;
        let finals = Finals::read(&sweep::folder(folder, cell), &cell.experiment.results()?)?;
        let values = self.file.axes().zip(&cell.values).map(|(key, value)| format!("{key} = {value}"));
        Ok(Measured { place: values.collect::<Vec<_>>().join(", "), scope, finals })
    }

    fn formula(&self, key: &str, text: String, problem: String, remedy: &'static str) -> PapersError {
        PapersError::Formula {
            slug: self.paper.slug.clone(),
            law: self.law.name.clone(),
            key: key.to_owned(),
            text,
            problem,
            remedy,
        }
    }
}
