//! `--set KEY=VALUE`: one key of an experiment, replaced before the file is read for its meaning.

use std::{fmt, str::FromStr};

use toml::{Table, Value};

use super::error::ExperimentError;

/// Names of a key: more than any has, and few enough for tables within tables to be taken apart again.
const DEEPEST: usize = 32;

/// A key and the value it is given, e.g. `attention.beta=2.0`.
///
/// The value is TOML; what does not parse as TOML and does not start like a list, table or quoted text is text itself,
/// so that `time.scheme=rk4` needs no quotes. A number between dots indexes a list, as in `attention.head.0.value`.
/// `{ unset = true }` takes the key out, so that its default holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    text: String,
    key: Vec<String>,
    value: Value,
}

/// A key that the file has no place for.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub key: String,
    pub problem: String,
    pub remedy: String,
}

impl Override {
    /// Whether a fault in the dotted `key` may be due to this override: one key lies within the other.
    pub(super) fn touches(&self, key: &str) -> bool {
        !key.is_empty() && self.key.iter().zip(key.split('.')).all(|(own, other)| own == other)
    }

    pub(super) fn apply(&self, root: &mut Table) -> Result<(), Misfit> {
        if self.unsets() {
            self.remove(root);
            return Ok(());
        }
        let mut place = None;
        for (depth, segment) in self.key.iter().enumerate() {
            let parent = match place.take() {
                None => root.entry(segment.clone()).or_insert_with(|| self.absent(depth)),
                Some(value) => self.descend(value, depth)?,
            };
            place = Some(parent);
        }
        if let Some(value) = place {
            *value = self.value.clone();
        }
        Ok(())
    }

    fn unsets(&self) -> bool {
        self.value
            .as_table()
            .is_some_and(|table| table.len() == 1 && table.get("unset") == Some(&Value::Boolean(true)))
    }

    /// Takes the key out of its table, or the element out of its list, if it is there.
    fn remove(&self, root: &mut Table) {
        let Some((last, parents)) = self.key.split_last() else { return };
        let Some((first, others)) = parents.split_first() else {
            root.remove(last);
            return;
        };
        let mut place = root.get_mut(first);
        for segment in others {
            place = match (place, segment.parse::<usize>()) {
                (Some(Value::Array(list)), Ok(index)) => list.get_mut(index),
                (Some(Value::Table(table)), _) => table.get_mut(segment),
                _ => return,
            };
        }
        match (place, last.parse::<usize>()) {
            (Some(Value::Table(table)), _) => {
                table.remove(last);
            }
            (Some(Value::Array(list)), Ok(index)) if index < list.len() => {
                list.remove(index);
            }
            _ => {}
        }
    }

    /// The element of `value` that segment `depth` names, made when it is the next of its kind.
    fn descend<'v>(&self, value: &'v mut Value, depth: usize) -> Result<&'v mut Value, Misfit> {
        let parent = self.key[..depth].join(".");
        let segment = &self.key[depth];
        match value {
            Value::Table(table) => Ok(table.entry(segment.clone()).or_insert_with(|| self.absent(depth))),
            Value::Array(list) => {
                let length = list.len();
                match segment.parse::<usize>() {
                    Ok(index) if index <= length => {
                        if index == length {
                            list.push(self.absent(depth));
                        }
                        Ok(&mut list[index])
                    }
                    _ => Err(Misfit {
                        key: self.key.join("."),
                        problem: format!("{parent} is a list of {length} and has no element {segment}"),
                        remedy: format!("write an index from 0 to {length}"),
                    }),
                }
            }
            _ => Err(Misfit {
                key: self.key.join("."),
                problem: format!("{parent} is a value and has no keys"),
                remedy: format!("write --set {parent}=VALUE"),
            }),
        }
    }

    /// What stands at segment `depth` of the key until its last segment is set.
    fn absent(&self, depth: usize) -> Value {
        match self.key.get(depth + 1) {
            Some(next) if next.parse::<usize>().is_ok() => Value::Array(Vec::new()),
            _ => Value::Table(Table::new()),
        }
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Override {
    type Err = ExperimentError;

    fn from_str(text: &str) -> Result<Override, ExperimentError> {
        let malformed = |problem: String| ExperimentError {
            origin: format!("--set {text}"),
            problem,
            remedy: "write --set KEY=VALUE, e.g. --set attention.beta=2.0".into(),
            ..ExperimentError::default()
        };
        let Some((key, value)) = text.split_once('=') else {
            return Err(malformed("has no =".into()));
        };
        let key: Vec<String> = key.trim().split('.').map(str::to_owned).collect();
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if key.iter().any(|segment| segment.is_empty() || !segment.chars().all(bare)) {
            return Err(malformed("the key is not made of names between dots".into()));
        }
        if key.len() > DEEPEST {
            return Err(malformed(format!("the key has {} names, and no key has more than {DEEPEST}", key.len())));
        }
        let value = value.trim();
        if value.is_empty() {
            return Err(malformed("has no value".into()));
        }
        let value = match Value::from_str(value) {
            Ok(value) => value,
            Err(error) if value.starts_with(['[', '{', '"', '\'']) => {
                return Err(malformed(format!("the value is not TOML: {}", error.message())));
            }
            Err(_) => Value::String(value.to_owned()),
        };
        Ok(Override { text: text.to_owned(), key, value })
    }
}
