//! Keys of a sweep whose values are formulas of other keys.

use std::collections::BTreeSet;

use crate::expression::{Expression, ExpressionError};

/// Keys and their formulas, of axes, of keys of the base, and of one another.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Coupled {
    /// As typed.
    formulas: Vec<(String, Expression)>,
    /// Their indices in an order in which each comes after those that it needs.
    order: Vec<usize>,
}

/// A key whose formula needs keys that need one another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cycle {
    pub(super) key: String,
    pub(super) formula: Expression,
}

/// A formula that has no finite value.
#[derive(Debug)]
pub(super) struct Fault<'a> {
    pub(super) key: &'a str,
    pub(super) formula: &'a Expression,
    pub(super) value: Result<f64, ExpressionError>,
}

impl Coupled {
    pub(super) fn new(formulas: Vec<(String, Expression)>) -> Result<Self, Cycle> {
        let mut order: Vec<usize> = Vec::new();
        loop {
            let open: Vec<usize> = (0..formulas.len()).filter(|index| !order.contains(index)).collect();
            let Some(first) = open.first() else { return Ok(Self { formulas, order }) };
            let needs = |index: usize, other: usize| formulas[index].1.names().contains(formulas[other].0.as_str());
            match open.iter().find(|index| !open.iter().any(|other| needs(**index, *other))) {
                Some(next) => order.push(*next),
                None => {
                    let (key, formula) = formulas[*first].clone();
                    return Err(Cycle { key, formula });
                }
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.formulas.is_empty()
    }

    /// As typed.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.formulas.iter().map(|(key, _)| key.as_str())
    }

    /// The names that decide the value of a key, and are not coupled themselves; none of a key that is not coupled.
    pub(super) fn names_behind(&self, key: &str) -> BTreeSet<&str> {
        let Some((_, formula)) = self.formulas.iter().find(|(coupled, _)| coupled == key) else {
            return BTreeSet::new();
        };
        let behind = |name| match self.keys().any(|key| key == name) {
            true => self.names_behind(name),
            false => BTreeSet::from([name]),
        };
        formula.names().into_iter().flat_map(behind).collect()
    }

    /// The values of the keys as typed, where `value_of` knows those of all other names.
    pub(super) fn values(&self, value_of: &dyn Fn(&str) -> Option<f64>) -> Result<Vec<f64>, Fault<'_>> {
        let mut values = vec![None; self.formulas.len()];
        for index in &self.order {
            let (key, formula) = &self.formulas[*index];
            let known = |name: &str| match self.keys().position(|key| key == name) {
                Some(coupled) => values[coupled],
                None => value_of(name),
            };
            match formula.value(&known) {
                Ok(value) if value.is_finite() => values[*index] = Some(value),
                value => return Err(Fault { key, formula, value }),
            }
        }
        Ok(values.into_iter().flatten().collect())
    }
}
