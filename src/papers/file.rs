//! A file of laws, as typed: who found them, the experiments that show them, and what these are expected to show.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Table;

use super::error::PapersError;

/// A paper and its laws.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// What the file is called, without its ending.
    #[serde(skip)]
    pub slug: String,
    /// Of the paper.
    pub title: String,
    /// Their last names.
    pub authors: String,
    /// The number of the paper there, such as 2312.10794.
    pub arxiv: String,
    /// What can be shown.
    #[serde(rename = "law")]
    pub laws: Vec<Law>,
}

/// A law, and an experiment that shows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Law {
    /// What its folder is called.
    pub name: String,
    /// In a sentence.
    pub says: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// What was found where the law as stated is wrong or narrower, and by which computation.
    pub finding: Option<String>,
    /// The experiment.
    pub experiment: Table,
    /// Its axes, as those of a sweep file.
    #[serde(default)]
    pub axes: Table,
    /// The keys and axes that are different at the size that was published.
    #[serde(default)]
    pub full: Table,
    /// Numbers that predictions are made of.
    #[serde(default, rename = "let")]
    pub(super) definitions: BTreeMap<String, toml::Value>,
    /// What is expected.
    #[serde(rename = "expect")]
    pub(super) expectations: Vec<Expectation>,
}

/// How sure a law is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// Proven in the paper.
    Theorem,
    /// Follows from the equation in a few lines, whoever wrote them.
    Derived,
    /// Stated in the paper for what its experiments show.
    Observed,
    /// Of orders of magnitude.
    Heuristic,
}

impl Certainty {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Certainty::Theorem => "theorem",
            Certainty::Derived => "derived",
            Certainty::Observed => "observed",
            Certainty::Heuristic => "heuristic",
        }
    }
}

/// A number that is measured, and what it should be. All texts are formulas.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Expectation {
    /// Of columns at the end of each run and of results, for each replica; the mean of them counts.
    pub measured: Option<String>,
    /// A column or result whose logarithm has a slope against that of the key `against`, over all cells.
    pub rate: Option<String>,
    pub against: Option<String>,
    /// The cells that it is about: those for which this holds.
    #[serde(rename = "where")]
    pub condition: Option<String>,
    pub predicted: Option<String>,
    pub at_least: Option<String>,
    pub at_most: Option<String>,
    /// How far the number may be off beside chance.
    pub within: Option<String>,
    /// How many standard errors chance may make of it.
    pub standard_errors: Option<f64>,
    /// Where `within` or a bound comes from.
    pub reason: Option<String>,
}

impl Paper {
    /// From the text of a file.
    pub fn parse(slug: &str, text: &str) -> Result<Self, PapersError> {
        let unreadable = |error: toml::de::Error| PapersError::File {
            slug: slug.to_owned(),
            problem: error.to_string().trim().to_owned(),
        };
        let mut paper: Paper = toml::from_str(text).map_err(unreadable)?;
        slug.clone_into(&mut paper.slug);
        Ok(paper)
    }
}

impl Law {
    /// As published: with the keys and axes of `full` in place of its own.
    pub fn in_full(mut self) -> Self {
        for (key, value) in std::mem::take(&mut self.full) {
            match self.axes.contains_key(&key) {
                true => {
                    self.axes.insert(key, value);
                }
                false => put(&mut self.experiment, &key, value),
            }
        }
        self
    }
}

/// Sets a dotted key, in which numbers index lists. A key that has no place stands at the top as it is typed, where it is refused.
fn put(table: &mut Table, key: &str, value: toml::Value) {
    match place(table, key) {
        Some(place) => *place = value,
        None => {
            table.insert(key.to_owned(), value);
        }
    }
}

/// Where a dotted key stands, tables on the way being made; none if a list or a number is in the way.
fn place<'a>(table: &'a mut Table, key: &str) -> Option<&'a mut toml::Value> {
    let mut names = key.split('.');
    let absent = || toml::Value::Table(Table::new());
    let mut place = table.entry(names.next()?).or_insert_with(absent);
    for name in names {
        place = match place {
            toml::Value::Table(inner) => inner.entry(name).or_insert_with(absent),
            toml::Value::Array(list) => list.get_mut(name.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_published_size_reach_into_lists_and_are_never_dropped() {
        let text = "title = \"\"\nauthors = \"\"\narxiv = \"\"\n[[law]]\nname = \"a\"\nsays = \"\"\ncertainty = \"derived\"\nexpect = []\n\
                    experiment = { attention = { head = [{ weight = 1.0 }] }, time = { step = 1.0 } }\n\
                    full = { \"attention.head.0.weight\" = 2.0, \"tokens.count\" = 8, \"time.step.x\" = 1 }\n";
        let law = Paper::parse("a", text).expect("a paper").laws.remove(0).in_full();
        let experiment = law.experiment.to_string();
        let expected: Table = "\"time.step.x\" = 1\nattention = { head = [{ weight = 2.0 }] }\ntime = { step = 1.0 }\ntokens = { count = 8 }"
            .parse()
            .expect("TOML");
        assert_eq!(law.experiment, expected, "{experiment}");
    }
}
