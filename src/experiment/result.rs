//! What is asked of the samples as a whole: functionals of columns over time.

use serde::{Serialize, Serializer};
use toml::Value;

use super::{
    error::ExperimentError,
    section::{Entry, Section},
};
use crate::{
    expression::Expression,
    results::{Functional, Kind, Window},
};

/// The keys of one result: its name, one functional, and a window of times.
pub(super) const RESULT: &[&str] =
    &["name", "last", "largest", "smallest", "integral", "mean", "slope", "first-time", "from", "to"];

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ResultTyped(pub Functional);

impl Serialize for ResultTyped {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Functional { name, kind, of, window: Window { from, to } } = &self.0;
        let texts = [("name", name.clone()), (kind.word(), of.to_string())];
        let texts = texts.into_iter().map(|(key, text)| (key, Value::from(text)));
        let times =
            [("from", from), ("to", to)].into_iter().filter_map(|(key, time)| Some((key, Value::from((*time)?))));
        serializer.collect_map(texts.chain(times))
    }
}

pub(super) fn read(entry: &Entry) -> Result<Vec<ResultTyped>, ExperimentError> {
    let mut results: Vec<ResultTyped> = Vec::new();
    for element in entry.list("{ name = \"merged\", first-time = \"overlap_min > 0.99\" }")? {
        let section = element.section(RESULT)?;
        let typed = section.required("name", "\"merged\"")?;
        let name = name(&typed)?;
        if results.iter().any(|other| other.0.name == name) {
            return Err(typed.error_with("is the name of two results", "write every name once"));
        }
        let (kind, of) = functional(&section, &element)?;
        let window = Window { from: time(&section, "from")?, to: time(&section, "to")? };
        if window.from > window.to.or(Some(f64::INFINITY)) {
            let to = section.required("to", "1.0")?;
            return Err(to.error_with("is before `from`", "write a window that is not empty"));
        }
        results.push(ResultTyped(Functional { name, kind, of, window }));
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

fn time(section: &Section, key: &str) -> Result<Option<f64>, ExperimentError> {
    section.read(key, "1.0", |entry| entry.number("finite and at least 0", |time| time >= 0.0))
}
