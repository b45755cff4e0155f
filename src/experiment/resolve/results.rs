//! What is asked of the samples as a whole, held against the columns that they have.

use toml::Value;

use super::super::{Experiment, error::ExperimentError, stop::StopTyped};
use crate::{expression::Expression, observables::columns, results::Functional};

impl Experiment {
    /// What is asked of the samples of the run as a whole, in the order of `results.csv`.
    pub fn results(&self) -> Result<Vec<Functional>, ExperimentError> {
        let shape = self.shape(self.token_file()?.as_ref())?;
        self.results_of(&columns(&self.quantities()?, shape.dim))
    }

    /// The same, of samples with these columns.
    pub(super) fn results_of(&self, columns: &[String]) -> Result<Vec<Functional>, ExperimentError> {
        let typed = self.typed.result.iter().flatten();
        typed.enumerate().map(|(index, result)| self.result(index, &result.0, columns)).collect()
    }

    /// The condition at which the run ends, of samples with these columns.
    pub(super) fn stop_of(&self, columns: &[String]) -> Result<Option<Expression>, ExperimentError> {
        let Some(StopTyped(condition)) = &self.typed.time.stop else { return Ok(None) };
        match unknown(condition, columns) {
            None => Ok(Some(condition.clone())),
            Some((problem, remedy)) => Err(self.source.error("time.stop", self.quoted("time.stop"), problem, remedy)),
        }
    }

    fn result(&self, index: usize, result: &Functional, columns: &[String]) -> Result<Functional, ExperimentError> {
        let refused = |key: &str, value: Value, problem: String, remedy: String| {
            Err(self.source.error(format!("result.{index}.{key}"), value, problem, remedy))
        };
        if columns.contains(&result.name) {
            let remedy = "write another name".to_owned();
            return refused("name", result.name.clone().into(), "is a column of samples.csv already".into(), remedy);
        }
        if let Some((problem, remedy)) = unknown(&result.of, columns) {
            return refused(result.kind.word(), result.of.to_string().into(), problem, remedy);
        }
        let end = self.typed.time.end;
        if let Some(from) = result.window.from.filter(|from| *from > end) {
            let problem = format!("is after time.end = {}", Value::from(end));
            return refused("from", from.into(), problem, "write an earlier time".into());
        }
        Ok(result.clone())
    }
}

/// What is wrong with a formula that has a name which no sample with these columns has, and a remedy.
fn unknown(formula: &Expression, columns: &[String]) -> Option<(String, String)> {
    let is_known = |name: &&str| *name == "time" || columns.iter().any(|column| column == name);
    let unknown = formula.names().into_iter().find(|name| !is_known(name))?;
    let remedy = format!("add its quantity to observe.quantities, or write time or one of {}", columns.join(", "));
    Some((format!("{unknown} is no column of samples.csv"), remedy))
}
