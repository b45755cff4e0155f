//! The values of names in a cell: definitions of the law, and keys of the experiment that are numbers.

use std::collections::BTreeMap;

use toml::Table;

use super::definition::Definition;
use crate::experiment::number_at;

/// What is known in one cell.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    keys: Table,
    defined: BTreeMap<String, f64>,
}

/// A definition whose names nobody knows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    pub(super) definition: String,
    pub(super) name: String,
}

impl Scope {
    /// Of an experiment as resolved; definitions may use each other.
    pub(super) fn new(keys: Table, definitions: &BTreeMap<String, Definition>) -> Result<Self, Unknown> {
        let mut scope = Self { keys, defined: BTreeMap::new() };
        let mut left: Vec<(&String, &Definition)> = definitions.iter().collect();
        while !left.is_empty() {
            let knows = |(_, definition): &(&String, &Definition)| {
                definition.names().into_iter().all(|name| scope.value(name).is_some())
            };
            let (ready, waiting): (Vec<_>, Vec<_>) = left.iter().partition(|entry| knows(entry));
            if ready.is_empty() {
                let (definition, of) = waiting[0];
                let name = of.names().into_iter().find(|name| scope.value(name).is_none()).unwrap_or_default();
                return Err(Unknown { definition: definition.clone(), name: name.to_owned() });
            }
            for (name, definition) in ready {
                let value = definition.value(&|name| scope.value(name));
                scope.defined.insert(name.clone(), value);
            }
            left = waiting;
        }
        Ok(scope)
    }

    /// The value of a name, if it is known.
    pub(super) fn value(&self, name: &str) -> Option<f64> {
        self.defined.get(name).copied().or_else(|| number_at(&self.keys, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_use_keys_and_each_other() {
        let keys: Table = "[attention]\nbeta = 2.0\n[tokens]\ncount = 8".parse().expect("TOML");
        let definitions = |text: &str| -> BTreeMap<String, Definition> {
            let table: Table = text.parse().expect("TOML");
            table.iter().map(|(name, typed)| (name.clone(), Definition::read(typed).expect("a number"))).collect()
        };
        let typed = "a = \"b + attention.beta\"\nb = \"tokens.count^2\"";
        let scope = Scope::new(keys.clone(), &definitions(typed)).expect("all are known");
        assert_eq!((scope.value("a"), scope.value("b"), scope.value("c")), (Some(66.0), Some(64.0), None));
        let unknown = |text: &str| Scope::new(keys.clone(), &definitions(text)).expect_err("a name is not known");
        assert_eq!(unknown("a = \"b\"\nb = \"a\"").name, "b");
        assert_eq!(unknown("a = \"1\"\nb = \"gamma_1\"").definition, "b");
    }
}
