//! What is asked of the samples as a whole: functionals of columns over time.

use serde::{Serialize, Serializer};
use toml::Value;

use super::{
    error::ExperimentError,
    section::{Entry, Section},
};
use crate::{expression::Expression, results::Kind};

/// The keys of one result: its name, one functional, and a window of times.
pub(super) const RESULT: &[&str] =
    &["name", "last", "change", "largest", "smallest", "integral", "mean", "slope", "first-time", "of", "from", "to"];

/// A result as typed, before names of its formulas are known to mean anything.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ResultTyped {
    pub name: String,
    pub kind: Kind,
    pub of: Expression,
    /// The window: its first and its last time.
    pub from: Option<TimeTyped>,
    pub to: Option<TimeTyped>,
}

/// A time, or a formula of keys of the experiment that are numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TimeTyped {
    Number(f64),
    Formula(Expression),
}

impl From<&TimeTyped> for Value {
    fn from(time: &TimeTyped) -> Value {
        match time {
            TimeTyped::Number(number) => Value::from(*number),
            TimeTyped::Formula(formula) => Value::from(formula.to_string()),
        }
    }
}

impl Serialize for ResultTyped {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { name, kind, of, from, to } = self;
        let texts = [("name", name.clone()), (kind.word(), of.to_string())];
        let texts = texts.into_iter().map(|(key, text)| (key, Value::from(text)));
        let times = [("from", from), ("to", to)]
            .into_iter()
            .filter_map(|(key, time)| Some((key, Value::from(time.as_ref()?))));
        serializer.collect_map(texts.chain(times))
    }
}

pub(super) fn read(entry: &Entry) -> Result<Vec<ResultTyped>, ExperimentError> {
    let mut results: Vec<ResultTyped> = Vec::new();
    for element in entry.list("{ name = \"merged\", first-time = \"overlap_min > 0.99\" }")? {
        let section = element.section(RESULT)?;
        let typed = section.required("name", "\"merged\"")?;
        let name = name(&typed)?;
        if results.iter().any(|other| other.name == name) {
            return Err(typed.error_with("is the name of two results", "write every name once"));
        }
        let (kind, of) = functional(&section, &element)?;
        if kind == Kind::Of {
            let remedy = "write the window of the results that `of` names, or leave it out";
            section.forbid(&["from", "to"], "is a window of samples, and `of` is a formula of results", remedy)?;
        }
        let (from, to) = (time(&section, "from")?, time(&section, "to")?);
        results.push(ResultTyped { name, kind, of, from, to });
    }
    Ok(results)
}

/// A name that formulas can use.
fn name(entry: &Entry) -> Result<String, ExperimentError> {
    let name = entry.text()?;
    let is_name = |name: &str| {
        let formula: Option<Expression> = name.parse().ok();
        formula.is_some_and(|formula| formula.names().contains(name)) && !name.contains('.')
    };
    match is_name(name) && !["time", "replica", "cell"].contains(&name) {
        true => Ok(name.to_owned()),
        false => Err(entry.error("must be letters, digits and underscores, and no name that a table has already")),
    }
}

/// The one functional that is typed, and its formula.
fn functional(section: &Section, result: &Entry) -> Result<(Kind, Expression), ExperimentError> {
    let typed: Vec<(Kind, Entry)> = Kind::WORDS
        .iter()
        .filter_map(|(word, kind)| Some((*kind, section.optional(word, "\"mean_norm\"")?)))
        .collect();
    let [(kind, entry)] = &typed[..] else {
        let words = Kind::WORDS.map(|(word, _)| word).join(", ");
        let problem = format!("has {} of {words}, and needs one", typed.len());
        return Err(result.error_with(problem, "write e.g. slope = \"ln(mean_norm)\""));
    };
    let formula: Expression = entry.text()?.parse().map_err(|error: crate::expression::ExpressionError| {
        entry.error_with(error.to_string(), "write a formula such as \"ln(mean_norm)\" or \"overlap_min > 0.99\"")
    })?;
    Ok((*kind, formula))
}

fn time(section: &Section, key: &str) -> Result<Option<TimeTyped>, ExperimentError> {
    let Some(entry) = section.optional(key, "1.0") else { return Ok(None) };
    let Ok(text) = entry.text() else {
        return Ok(Some(TimeTyped::Number(entry.number("finite and at least 0", |time| time >= 0.0)?)));
    };
    let formula = text.parse().map_err(|error: crate::expression::ExpressionError| {
        entry.error_with(error.to_string(), "write a time, or a formula of keys such as \"2 / attention.beta\"")
    })?;
    Ok(Some(TimeTyped::Formula(formula)))
}
