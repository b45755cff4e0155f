//! One table of an experiment file, read key by key.
//!
//! Serde's own messages know neither the dotted key nor the value nor a remedy, and lose their place inside laws. So
//! tables are read here: a section declares its keys, refuses all others, and hands out entries that know where they
//! stand, what was typed, and an example of what may be.

use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use serde::{Serialize, Serializer};
use toml::{Table, Value};

use super::{
    error::{ExperimentError, UnknownKey},
    file_path::FilePath,
    source::Source,
};

/// A table whose keys are all known.
pub(crate) struct Section<'a> {
    source: &'a Source,
    path: String,
    table: &'a Table,
}

/// A value that was typed, and an example of what may be typed there.
pub(crate) struct Entry<'a> {
    source: &'a Source,
    pub key: String,
    value: &'a Value,
    example: &'static str,
}

/// One of the accepted words of a key, as typed and as meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Word<T> {
    text: &'static str,
    pub meaning: T,
}

impl<T> Word<T> {
    pub fn text(&self) -> &'static str {
        self.text
    }
}

impl<T> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text)
    }
}

/// The word that stands for a meaning.
pub(super) fn word<T: Copy + PartialEq>(words: &[(&'static str, T)], meaning: T) -> Word<T> {
    let found = words.iter().find(|(_, m)| *m == meaning);
    Word { text: found.map_or("", |(text, _)| text), meaning }
}

impl<'a> Section<'a> {
    /// The table that stands at the dotted key `path`, which is empty for the file itself.
    pub fn new(source: &'a Source, path: &str, table: &'a Table, known: &[&str]) -> Result<Self, ExperimentError> {
        let section = Section { source, path: path.to_owned(), table };
        match table.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(section),
            Some(key) => Err(section.unknown(key, known)),
        }
    }

    /// Whoever reads the whole file knows where the key belongs, and says so.
    fn unknown(&self, key: &str, known: &[&str]) -> ExperimentError {
        let unknown = UnknownKey {
            table: self.path.clone(),
            key: key.to_owned(),
            known: known.iter().map(|key| (*key).to_owned()).collect(),
        };
        let error =
            self.source.error(self.dotted(key), "", "unknown key", format!("known here: {}", known.join(", ")));
        ExperimentError { unknown: Some(Box::new(unknown)), ..error }
    }

    fn dotted(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub fn optional(&self, key: &str, example: &'static str) -> Option<Entry<'a>> {
        let value = self.table.get(key)?;
        Some(Entry { source: self.source, key: self.dotted(key), value, example })
    }

    /// What `read` makes of the entry, if there is one.
    pub fn read<T>(
        &self,
        key: &str,
        example: &'static str,
        read: impl FnOnce(&Entry<'a>) -> Result<T, ExperimentError>,
    ) -> Result<Option<T>, ExperimentError> {
        self.optional(key, example).map(|entry| read(&entry)).transpose()
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Refuses the first of these keys that is there.
    pub fn forbid(&self, keys: &[&str], problem: &str, remedy: &str) -> Result<(), ExperimentError> {
        match keys.iter().find_map(|key| self.optional(key, "")) {
            Some(entry) => Err(entry.error_with(problem, remedy)),
            None => Ok(()),
        }
    }

    /// A table that has to be there.
    pub fn section(&self, key: &str, known: &[&str]) -> Result<Section<'a>, ExperimentError> {
        match self.optional(key, "") {
            Some(entry) => entry.section(known),
            None => {
                let remedy = format!("write a table [{key}] with some of {}", known.join(", "));
                Err(self.source.error(self.dotted(key), "", "missing", remedy))
            }
        }
    }

    pub fn required(&self, key: &str, example: &'static str) -> Result<Entry<'a>, ExperimentError> {
        self.optional(key, example).ok_or_else(|| self.missing(key, example))
    }

    /// The error about a key that is not there.
    pub fn missing(&self, key: &str, example: &str) -> ExperimentError {
        let dotted = self.dotted(key);
        let remedy = format!("write e.g. {dotted} = {example}");
        self.source.error(dotted, "", "missing", remedy)
    }
}

impl<'a> Entry<'a> {
    /// An error about the value, remedied by the example.
    pub fn error(&self, problem: impl Into<String>) -> ExperimentError {
        self.error_with(problem, format!("write e.g. {} = {}", self.key, self.example))
    }

    pub fn error_with(&self, problem: impl Into<String>, remedy: impl Into<String>) -> ExperimentError {
        self.source.error(self.key.as_str(), self.value, problem, remedy)
    }

    fn wrong_type(&self, expected: &str) -> ExperimentError {
        let found = match self.value {
            Value::String(_) => "text",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a decimal number",
            Value::Boolean(_) => "true or false",
            Value::Datetime(_) => "a date",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        };
        self.error(format!("must be {expected}, and is {found}"))
    }

    /// A path, seen from the current directory instead of the folder of the file.
    pub fn path(&self) -> Result<PathBuf, ExperimentError> {
        let text = self.text()?;
        let is_in_memory = self.source.has_array(Path::new(text));
        Ok(if is_in_memory { text.into() } else { self.source.folder.join(text) })
    }

    pub fn file(&self) -> Result<FilePath, ExperimentError> {
        let path = self.path()?;
        Ok(if self.source.has_array(&path) { FilePath::Memory(path) } else { FilePath::File(path) })
    }

    /// The entry of one key of the table typed here, while its other keys are still to be declared.
    pub fn peek(&self, key: &str, example: &'static str) -> Result<Entry<'a>, ExperimentError> {
        Section { source: self.source, path: self.key.clone(), table: self.table()? }.required(key, example)
    }

    pub fn truth(&self) -> Result<bool, ExperimentError> {
        self.value.as_bool().ok_or_else(|| self.wrong_type("true or false"))
    }

    pub fn text(&self) -> Result<&'a str, ExperimentError> {
        self.value.as_str().ok_or_else(|| self.wrong_type("text"))
    }

    /// A finite number for which `holds` is true; `range` says so in words.
    pub fn number(&self, range: &str, holds: impl Fn(f64) -> bool) -> Result<f64, ExperimentError> {
        let number = self.any_number()?;
        if number.is_finite() && holds(number) { Ok(number) } else { Err(self.error(format!("must be {range}"))) }
    }

    /// A number, infinity and NaN included.
    pub fn any_number(&self) -> Result<f64, ExperimentError> {
        as_number(self.value).ok_or_else(|| self.wrong_type("a number"))
    }

    pub fn whole(&self, range: RangeInclusive<u64>) -> Result<u64, ExperimentError> {
        let Value::Integer(number) = self.value else { return Err(self.wrong_type("a whole number")) };
        match u64::try_from(*number) {
            Ok(number) if range.contains(&number) => Ok(number),
            Ok(number) if number > *range.end() => Err(self.error(format!("must be at most {}", range.end()))),
            _ => Err(self.error(format!("must be at least {}", range.start()))),
        }
    }

    /// The elements of a list; the example is of one element.
    pub fn list(&self, example: &'static str) -> Result<Vec<Entry<'a>>, ExperimentError> {
        let Value::Array(list) = self.value else { return Err(self.wrong_type("a list")) };
        let element = |(index, value): (usize, &'a Value)| Entry {
            source: self.source,
            key: format!("{}.{index}", self.key),
            value,
            example,
        };
        Ok(list.iter().enumerate().map(element).collect())
    }

    /// A list of finite numbers.
    pub fn numbers(&self) -> Result<Vec<f64>, ExperimentError> {
        let Value::Array(list) = self.value else { return Err(self.wrong_type("a list of numbers")) };
        let number = |value: &Value| match as_number(value) {
            Some(number) if number.is_finite() => Ok(number),
            Some(number) => Err(self.error(format!("must be finite, and has {number} in it"))),
            None => Err(self.error(format!("must be a list of numbers, and has {value} in it"))),
        };
        list.iter().map(number).collect()
    }

    /// One of the accepted words.
    pub fn word<T: Copy>(&self, words: &[(&'static str, T)]) -> Result<Word<T>, ExperimentError> {
        let texts: Vec<String> = words.iter().map(|(text, _)| format!("\"{text}\"")).collect();
        let accepted = format!("accepted: {}", texts.join(", "));
        let typed = self.text()?;
        match words.iter().find(|(text, _)| *text == typed) {
            Some(&(text, meaning)) => Ok(Word { text, meaning }),
            None => Err(self.error_with("not supported", accepted)),
        }
    }

    pub fn table(&self) -> Result<&'a Table, ExperimentError> {
        self.value.as_table().ok_or_else(|| self.wrong_type("a table"))
    }

    pub fn section(&self, known: &[&str]) -> Result<Section<'a>, ExperimentError> {
        Section::new(self.source, &self.key, self.table()?, known)
    }

    /// Whether a table with this key was typed.
    pub fn has(&self, key: &str) -> bool {
        self.value.as_table().is_some_and(|table| table.contains_key(key))
    }

    pub fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub fn is_list(&self) -> bool {
        self.value.is_array()
    }

    pub fn is_text(&self) -> bool {
        self.value.is_str()
    }
}

fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        Value::Integer(number) => Some(*number as f64),
        _ => None,
    }
}
