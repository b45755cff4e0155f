//! `assets/reference.toml` against the keys and words that are read.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::super::*;
use crate::initial::LawKind;

const REFERENCE: &str = include_str!("../../../assets/reference.toml");

/// A line of the page that shows a form, and the table it stands in.
struct Shown<'a> {
    table: String,
    text: &'a str,
    /// Whether it goes with the form before it.
    goes_along: bool,
}

impl Shown<'_> {
    fn key(&self) -> &str {
        self.text.split(" = ").next().unwrap_or_default()
    }

    /// Whether the key is the table it stands in, or starts with its name.
    fn is_whole(&self) -> bool {
        let table = keys::table_of(&self.table);
        self.key()
            .strip_prefix(&table)
            .is_some_and(|rest| !table.is_empty() && (rest.is_empty() || rest.starts_with('.')))
    }

    /// Why the line would not be read where it stands.
    fn fault(&self) -> Option<String> {
        let (table, first) = (keys::table_of(&self.table), self.key().split('.').next().unwrap_or_default());
        let known = keys::tables().into_iter().find(|(name, _)| *name == table);
        let is_fine = match self.goes_along {
            true => typed::ROOT.contains(&first),
            false => self.is_whole() || known.is_some_and(|(_, keys)| keys.contains(&first)),
        };
        (!is_fine).then(|| format!("{} stands in [{table}]", self.text))
    }

    fn change(&self) -> Override {
        let is_from_the_top = self.goes_along || self.is_whole() || self.table.is_empty();
        let text = if is_from_the_top { self.text.to_owned() } else { format!("{}.{}", self.table, self.text) };
        text.parse().unwrap()
    }
}

fn shown(page: &str) -> Vec<Shown<'_>> {
    let (mut shown, mut table) = (Vec::new(), String::new());
    for line in page.lines() {
        // A table, or one that this experiment does without.
        let opened = line.strip_prefix("# ").unwrap_or(line);
        if opened.starts_with('[') && opened.ends_with(']') {
            table = opened.trim_matches(['[', ']']).to_owned();
            if opened.starts_with("[[") {
                table.push_str(".0");
            }
        }
        for (mark, goes_along) in [("# or: ", false), ("# and: ", true)] {
            if let Some(text) = line.strip_prefix(mark) {
                shown.push(Shown { table: table.clone(), text, goes_along });
            }
        }
    }
    shown
}

/// What each `# or:` line and the `# and:` lines below it set.
fn alternatives() -> Vec<Vec<Override>> {
    let mut alternatives = Vec::<Vec<Override>>::new();
    for line in shown(REFERENCE) {
        if line.goes_along {
            alternatives.last_mut().unwrap().push(line.change());
        } else {
            alternatives.push(vec![line.change()]);
        }
    }
    alternatives
}

fn misplaced(page: &str) -> Vec<String> {
    shown(page).iter().filter_map(Shown::fault).collect()
}

#[test]
fn the_reference_shows_every_key_where_it_belongs() {
    assert_eq!(misplaced(REFERENCE), Vec::<String>::new());
    for table in ["perceptron", "noise", "reference", "layer-norm"] {
        let heading = format!("\n# [{table}]\n");
        let faults = misplaced(&REFERENCE.replace(&heading, "\n"));
        assert!(!faults.is_empty() && faults.iter().all(|fault| fault.starts_with(table)), "{table}: {faults:?}");
    }
    let elsewhere = REFERENCE.replace("# or: window = 2\n", "").replace("[time]\n", "[time]\n# or: window = 2\n");
    assert_eq!(misplaced(&elsewhere), ["window = 2 stands in [time]"]);
}

fn table(overrides: &[Override]) -> (Table, Source) {
    let source = Source {
        name: "reference".into(),
        folder: PathBuf::new(),
        overrides: overrides.to_vec(),
        arrays: Arrays::default(),
    };
    let mut table: Table = toml::from_str(REFERENCE).unwrap();
    overrides.iter().for_each(|change| change.apply(&mut table).unwrap());
    (table, source)
}

#[test]
fn the_reference_is_an_experiment_in_all_its_forms() {
    let plain = Experiment::parse(REFERENCE).unwrap();
    plain.resolve().unwrap();
    let alternatives = alternatives();
    assert_eq!(alternatives.len(), REFERENCE.matches("\n# or: ").count());
    for overrides in alternatives {
        let (_, source) = table(&overrides);
        let experiment = Experiment::from_text(REFERENCE, source).unwrap_or_else(|error| panic!("{error}"));
        assert_ne!(experiment.typed, plain.typed, "{overrides:?}");
        match experiment.resolve() {
            Ok(problem) => {
                let written = experiment.to_toml().unwrap();
                let again = Experiment::parse(&written).unwrap_or_else(|error| panic!("{error} in\n{written}"));
                assert!(again.resolve().unwrap() == problem, "{overrides:?} became another problem in\n{written}");
                assert_eq!(again.to_toml().unwrap(), written);
            }
            Err(error) => {
                let is_file = overrides.iter().any(|change| {
                    let text = change.to_string();
                    text.contains(".npy\"") || text.contains(".safetensors\"")
                });
                assert!(is_file && error.to_string().contains("there is no such file"), "{error}");
            }
        }
    }
}

/// Every (path of a table, key) of a tree, without the indices of lists.
fn keys_of(path: &str, value: &Value, found: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                found.insert((path.to_owned(), key.clone()));
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                keys_of(&inner, value, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| keys_of(path, value, found)),
        _ => {}
    }
}

#[test]
fn the_reference_shows_every_key() {
    let mut shown = BTreeSet::new();
    for overrides in alternatives().into_iter().chain([Vec::new()]) {
        keys_of("", &Value::Table(table(&overrides).0), &mut shown);
    }
    for (table, keys) in keys::tables() {
        for key in keys {
            let entry = (table.to_owned(), key.to_owned());
            assert!(shown.contains(&entry), "{key} of [{table}] is not in assets/reference.toml");
        }
    }
}

#[test]
fn the_reference_shows_every_word() {
    fn of<T>(words: &[(&'static str, T)]) -> Vec<&'static str> {
        words.iter().map(|(word, _)| *word).collect()
    }
    let words = [
        of(typed::ALGORITHMS),
        of(geometry::GEOMETRIES),
        of(attention::MASKS),
        of(attention::NORMALIZATIONS),
        of(matrix_schedule::ENSEMBLES),
        of(matrix_schedule::DRAWS),
        of(perceptron::ACTIVATIONS),
        of(noise::FIELDS),
        of(noise::CALCULI),
        of(noise::SHARING),
        of(typed::SCHEMES),
        of(&observe::WORDS),
        of(crate::observables::Among::WORDS),
        of(super::super::reference::REFERENCES),
        of(LawKind::WORDS),
    ];
    for word in words.concat() {
        assert!(REFERENCE.contains(&format!("\"{word}\"")), "\"{word}\" is not in assets/reference.toml");
    }
}
