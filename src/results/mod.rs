//! What the samples of a run say as a whole: one number a replica of each functional of its columns over time, such as the first time that
//! a column is above a level, or the slope of the logarithm of one.
//!
//! Samples are folded as they come, so that none has to be kept.

mod fold;
mod kind;

use self::fold::{Fold, Point};
pub use self::kind::Kind;
use crate::{expression::Expression, observables::replicas_a_sample, observe::Sample};

/// A result: a functional of the samples of a replica, and its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Functional {
    /// The name of its column in `results.csv`.
    pub name: String,
    /// What is done with the samples.
    pub kind: Kind,
    /// Of the columns of `samples.csv`, and `time`; of [`Kind::Of`], of the names of results before it.
    pub of: Expression,
    /// The first and the last time of the samples that count; all, where there is none.
    pub window: Window,
}

/// Times from one to another, ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    /// The first; the start of the run unless given.
    pub from: Option<f64>,
    /// The last; the end of the run unless given.
    pub to: Option<f64>,
}

impl Window {
    /// Whether it has this time, which may have been rounded.
    fn has(self, time: f64) -> bool {
        let rounding = 1e-12 * time.abs();
        self.from.is_none_or(|from| time >= from - rounding) && self.to.is_none_or(|to| time <= to + rounding)
    }
}

impl Functional {
    /// How many replicas share its number, as they do where two of them are compared with each other, after these results.
    fn replicas_a_sample(&self, before: &[(&str, usize)]) -> usize {
        let sharers = |name: &str| match self.kind {
            Kind::Of => before.iter().find(|(other, _)| *other == name).map_or(1, |(_, sharers)| *sharers),
            _ => replicas_a_sample(name),
        };
        self.of.names().into_iter().map(sharers).max().unwrap_or(1)
    }
}

/// How many replicas share the number of each of these results.
pub fn replicas_a_result(functionals: &[Functional]) -> Vec<usize> {
    let mut before: Vec<(&str, usize)> = Vec::new();
    for functional in functionals {
        before.push((&functional.name, functional.replicas_a_sample(&before)));
    }
    before.into_iter().map(|(_, sharers)| sharers).collect()
}

/// The results of all replicas of a run, while its samples come.
#[derive(Debug)]
pub struct Results {
    columns: Vec<String>,
    functionals: Vec<Functional>,
    /// For each replica those of its functionals.
    folds: Vec<Vec<Fold>>,
}

impl Results {
    /// Of `replicas` replicas whose samples have these columns.
    pub fn new(functionals: Vec<Functional>, columns: Vec<String>, replicas: usize) -> Self {
        let folds = functionals.iter().map(|functional| Fold::new(functional.kind)).collect::<Vec<_>>();
        Self { columns, functionals, folds: vec![folds; replicas] }
    }

    /// Adds a sample; those of a replica come in the order of their times.
    pub fn sample(&mut self, sample: &Sample) {
        let value_of = |name: &str| sample.value(&self.columns, name);
        let own = self.folds.get_mut(sample.replica).into_iter().flatten();
        for (fold, functional) in own
            .zip(&self.functionals)
            .filter(|(_, functional)| functional.kind != Kind::Of && functional.window.has(sample.time))
        {
            let value = functional.of.value(&value_of).unwrap_or(f64::NAN);
            let margin = functional.of.margin(&value_of).and_then(Result::ok).unwrap_or(f64::NAN);
            fold.add(Point { time: sample.time, value, margin });
        }
    }

    /// The names of the results.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.functionals.iter().map(|functional| functional.name.as_str())
    }

    /// The results of each replica, in the order of the names.
    pub fn rows(&self) -> Vec<Vec<f64>> {
        self.folds.iter().map(|folds| self.row(folds)).collect()
    }

    fn row(&self, folds: &[Fold]) -> Vec<f64> {
        let mut row: Vec<f64> = Vec::new();
        for (functional, fold) in self.functionals.iter().zip(folds) {
            let before =
                |name: &str| self.names().zip(&row).find(|(other, _)| *other == name).map(|(_, value)| *value);
            let value = match functional.kind {
                Kind::Of => functional.of.value(&before).unwrap_or(f64::NAN),
                _ => fold.result(),
            };
            row.push(value);
        }
        row
    }
}

#[cfg(test)]
mod tests;
