//! What is asked of the samples as a whole, held against the columns that they have.

use toml::{Table, Value};

use super::super::{
    Experiment,
    error::ExperimentError,
    result::{ResultTyped, TimeTyped},
    stop::StopTyped,
    sweep::number_at,
};
use crate::{
    expression::Expression,
    observables::columns,
    results::{Functional, Kind, Window},
};

impl Experiment {
    /// What is asked of the samples of the run as a whole, in the order of `results.csv`.
    pub fn results(&self) -> Result<Vec<Functional>, ExperimentError> {
        let shape = self.shape(self.token_file()?.as_ref())?;
        self.results_of(&columns(&self.quantities()?, shape.dim))
    }

    /// The same, of samples with these columns.
    pub(super) fn results_of(&self, columns: &[String]) -> Result<Vec<Functional>, ExperimentError> {
        let typed = self.typed.result.iter().flatten();
        let mut results: Vec<Functional> = Vec::new();
        for (index, result) in typed.enumerate() {
            let result = self.result(index, result, columns, &results)?;
            results.push(result);
        }
        Ok(results)
    }

    /// The condition at which the run ends, of samples with these columns.
    pub(super) fn stop_of(&self, columns: &[String]) -> Result<Option<Expression>, ExperimentError> {
        let Some(StopTyped(condition)) = &self.typed.time.stop else { return Ok(None) };
        match unknown(condition, columns) {
            None => Ok(Some(condition.clone())),
            Some((problem, remedy)) => Err(self.source.error("time.stop", self.quoted("time.stop"), problem, remedy)),
        }
    }

    /// A result, after those before it.
    fn result(
        &self,
        index: usize,
        result: &ResultTyped,
        columns: &[String],
        before: &[Functional],
    ) -> Result<Functional, ExperimentError> {
        let ResultTyped { name, kind, of, from, to } = result;
        let refused = |key: &str, value: Value, problem: String, remedy: &str| {
            self.source.error(format!("result.{index}.{key}"), value, problem, remedy)
        };
        if columns.contains(name) {
            let problem = "is a column of samples.csv already".into();
            return Err(refused("name", name.clone().into(), problem, "write another name"));
        }
        let unknown = match kind {
            Kind::Of => unknown_result(of, before),
            _ => unknown(of, columns),
        };
        if let Some((problem, remedy)) = unknown {
            return Err(refused(kind.word(), of.to_string().into(), problem, &remedy));
        }
        let time = |key: &str, typed: &Option<TimeTyped>| {
            let Some(typed) = typed else { return Ok(None) };
            let remedy = "write a time, or a formula of keys that are numbers, such as \"2 / attention.beta\"";
            self.time(typed).map(Some).map_err(|problem| refused(key, typed.into(), problem, remedy))
        };
        let window = Window { from: time("from", from)?, to: time("to", to)? };
        let end = self.typed.time.end;
        if let Some(time) = window.from.filter(|time| *time > end) {
            let problem = format!("is after time.end = {}", Value::from(end));
            return Err(refused("from", time.into(), problem, "write an earlier time"));
        }
        if let (Some(first), Some(last)) = (window.from, window.to)
            && first > last
        {
            let problem = format!("is before `from`, which is {first}");
            return Err(refused("to", last.into(), problem, "write a window that is not empty"));
        }
        Ok(Functional { name: name.clone(), kind: *kind, of: of.clone(), window })
    }

    /// A time as a number, or what is wrong with its formula.
    fn time(&self, typed: &TimeTyped) -> Result<f64, String> {
        let formula = match typed {
            TimeTyped::Number(number) => return Ok(*number),
            TimeTyped::Formula(formula) => formula,
        };
        let keys = Table::try_from(&self.typed).unwrap_or_default();
        match formula.value(&|name| number_at(&keys, name)) {
            Ok(time) if time.is_finite() && time >= 0.0 => Ok(time),
            Ok(time) => Err(format!("is {time}, which is no time")),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// What is wrong with a formula that has a name which no sample with these columns has, and a remedy.
fn unknown(formula: &Expression, columns: &[String]) -> Option<(String, String)> {
    let is_known = |name: &&str| *name == "time" || columns.iter().any(|column| column == name);
    let unknown = formula.names().into_iter().find(|name| !is_known(name))?;
    let remedy = format!("add its quantity to observe.quantities, or write time or one of {}", columns.join(", "));
    Some((format!("{unknown} is no column of samples.csv"), remedy))
}

/// What is wrong with a formula that has a name which no result before it has, and a remedy.
fn unknown_result(formula: &Expression, before: &[Functional]) -> Option<(String, String)> {
    let names: Vec<&str> = before.iter().map(|result| result.name.as_str()).collect();
    let unknown = formula.names().into_iter().find(|name| !names.contains(name))?;
    let remedy = match &names[..] {
        [] => "write results of columns above it, and a formula of their names".into(),
        names => format!("write a formula of {}", names.join(", ")),
    };
    Some((format!("{unknown} is no result above it"), remedy))
}
