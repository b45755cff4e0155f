//! What the user asked for: a strict TOML file, as typed, and the [`Problem`](crate::problem::Problem) it means.
//!
//! Two types keep the two apart. An [`Experiment`] is what was typed, key by key, each in its range; unknown keys and
//! words are errors. [`Experiment::resolve`] reads the files it names, compares keys with each other and answers every
//! open question. Whatever is wrong, in either half, becomes one [`ExperimentError`] that names the file, the key, the
//! value and what to write instead. `assets/reference.toml` shows every key.

mod array;
mod arrays;
mod attention;
mod config;
mod coupled;
mod error;
mod explicit;
mod file_path;
mod geometry;
mod growth;
mod head;
mod keys;
mod law;
mod listed;
mod matrix;
mod matrix_schedule;
mod named_files;
mod noise;
mod number;
mod observe;
mod overrides;
mod perceptron;
mod quantities;
mod recorded;
mod reference;
mod resolve;
mod result;
mod rules;
mod schedule;
mod section;
mod shared;
mod sizes;
mod source;
mod stack;
mod step;
mod stop;
mod sweep;
mod tensors;
mod trained;
mod typed;
mod weights;

use std::path::{Path, PathBuf};

use toml::Table;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::sweep::number_at;
pub use self::{
    arrays::{ArrayError, Arrays},
    error::ExperimentError,
    named_files::named_files,
    overrides::Override,
    sweep::{Fit, SweepBase, SweepFile},
};
use self::{overrides::Misfit, source::Source, typed::Typed};
use crate::{initial::npy::unreadable_because, problem::Algorithm};

/// An experiment as typed, overrides included.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    source: Source,
    typed: Typed,
}

impl Experiment {
    /// Reads an experiment file and replaces the overridden keys, in order. Paths in it, and in overrides, are relative
    /// to the folder of the file.
    pub fn read(path: &Path, overrides: &[Override]) -> Result<Experiment, ExperimentError> {
        Experiment::read_with(path, Arrays::default(), overrides)
    }

    /// The same, where paths may also be names of `arrays`. Every one of these must be named.
    pub fn read_with(path: &Path, arrays: Arrays, overrides: &[Override]) -> Result<Experiment, ExperimentError> {
        let source = Source { arrays: arrays.clone(), ..source(path, overrides) };
        Experiment::from_table(read(path, &source)?, source)?.with_all(&arrays)
    }

    /// Reads an experiment from text. Paths in it are relative to the current directory; errors call it `experiment`.
    pub fn parse(text: &str) -> Result<Experiment, ExperimentError> {
        Experiment::parse_with(text, Arrays::default(), &[])
    }

    /// The same with keys replaced, where paths may also be names of `arrays`. Every one of these must be named.
    pub fn parse_with(text: &str, arrays: Arrays, overrides: &[Override]) -> Result<Experiment, ExperimentError> {
        let source = Source::of_memory(arrays.clone(), overrides);
        Experiment::from_table(table(text, &source)?, source)?.with_all(&arrays)
    }

    /// The same of keys that are in memory as well. Arrays that are named nowhere, because an override took their place, are left out.
    pub fn of_table(table: Table, arrays: Arrays, overrides: &[Override]) -> Result<Experiment, ExperimentError> {
        Experiment::from_table(table, Source::of_memory(arrays, overrides))
    }

    /// The arrays in memory that it names, as the text of the file `arrays.safetensors` that [`to_toml`](Experiment::to_toml) refers to;
    /// none if there are none.
    pub fn arrays(&self) -> Result<Option<Vec<u8>>, ExperimentError> {
        if self.source.arrays.is_empty() {
            return Ok(None);
        }
        let refused = |error| self.source.error("", "", format!("has arrays that cannot be written: {error}"), "");
        self.source.arrays.to_bytes().map(Some).map_err(refused)
    }

    #[cfg(test)]
    fn from_text(text: &str, source: Source) -> Result<Experiment, ExperimentError> {
        Experiment::from_table(table(text, &source)?, source)
    }

    fn from_table(table: Table, mut source: Source) -> Result<Experiment, ExperimentError> {
        let table = overridden(table, &source)?;
        source.arrays.retain_named(&table);
        let typed = Typed::read(&table, &source).map_err(keys::with_home)?;
        Ok(Experiment { source, typed })
    }

    /// Refuses arrays that it does not name.
    fn with_all(self, arrays: &Arrays) -> Result<Experiment, ExperimentError> {
        match arrays.beyond(&self.source.arrays) {
            None => Ok(self),
            Some(name) => {
                let remedy = "write path = NAME, or leave the array out";
                Err(self.source.error("", "", format!("names no array {name}"), remedy))
            }
        }
    }

    /// What the run is called: as typed, else the name of the file without its ending.
    pub fn name(&self) -> &str {
        let stem = || Path::new(&self.source.name).file_stem().and_then(|stem| stem.to_str());
        self.typed.name.as_deref().or_else(stem).unwrap_or("experiment")
    }

    /// The key of all random numbers: as typed, else 0.
    pub fn seed(&self) -> u64 {
        self.typed.tokens.seed.unwrap_or(0)
    }

    /// As typed, else [`Algorithm::Auto`].
    pub fn algorithm(&self) -> Algorithm {
        self.typed.algorithm.map_or(Algorithm::Auto, |word| word.meaning)
    }
}

/// Where a file comes from whose paths are relative to its folder.
fn source(path: &Path, overrides: &[Override]) -> Source {
    let folder = path.parent().map_or(PathBuf::new(), Path::to_owned);
    let arrays = Arrays::default();
    Source { name: path.display().to_string(), folder, overrides: overrides.to_vec(), arrays }
}

/// The keys of the experiment file at `path`.
fn read(path: &Path, source: &Source) -> Result<Table, ExperimentError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| source.error("", "", unreadable_because(&error), "write the path of an experiment file"))?;
    table(&text, source)
}

/// The keys with the overrides in place of what was typed.
fn overridden(mut table: Table, source: &Source) -> Result<Table, ExperimentError> {
    for change in &source.overrides {
        let misfit = |Misfit { key, problem, remedy }| source.error(key, "", problem, remedy);
        change.apply(&mut table).map_err(misfit)?;
    }
    Ok(table)
}

fn table(text: &str, source: &Source) -> Result<Table, ExperimentError> {
    toml::from_str(text).map_err(|error| {
        let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let problem = format!("line {line}, column {column}: {}", error.message().replace('\n', ", "));
        source.error("", "", problem, "write valid TOML, see https://toml.io")
    })
}

#[cfg(test)]
mod tests;
