//! `assets/reference.toml` against the keys and words that are read.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::super::*;

const REFERENCE: &str = include_str!("../../../assets/reference.toml");

/// What each `# or:` line and the `# and:` lines below it set.
fn alternatives() -> Vec<Vec<Override>> {
    let (mut alternatives, mut table) = (Vec::<Vec<Override>>::new(), String::new());
    for line in REFERENCE.lines() {
        if line.starts_with('[') {
            table = line.trim_matches(['[', ']']).to_owned();
            if line.starts_with("[[") {
                table.push_str(".0");
            }
        }
        let absolute = |text: &str| -> Override {
            let is_whole =
                text.split(" = ").next().is_some_and(|key| key.contains('.') || typed::ROOT[3..].contains(&key));
            let text = if is_whole || table.is_empty() { text.to_owned() } else { format!("{table}.{text}") };
            text.parse().unwrap()
        };
        if let Some(text) = line.strip_prefix("# or: ") {
            alternatives.push(vec![absolute(text)]);
        } else if let Some(text) = line.strip_prefix("# and: ") {
            alternatives.last_mut().unwrap().push(absolute(text));
        }
    }
    alternatives
}

fn table(overrides: &[Override]) -> (Table, Source) {
    let source = Source { name: "reference".into(), folder: PathBuf::new(), overrides: overrides.to_vec() };
    let mut table: Table = toml::from_str(REFERENCE).unwrap();
    overrides.iter().for_each(|change| change.apply(&mut table, &source).unwrap());
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
    let laws = law::LAWS.iter().flat_map(|(_, form)| form.keys).copied().collect::<Vec<_>>();
    let processes = ["ornstein-uhlenbeck"];
    let changing = [course::LAYERS, course::ENSEMBLE, course::OSCILLATING, &processes].concat();
    let tables: [(&str, &[&str]); 24] = [
        ("", typed::ROOT),
        ("tokens", typed::TOKENS),
        ("tokens.weights", typed::WEIGHTS),
        ("tokens.initial", &laws),
        ("layer-norm", geometry::LAYER_NORM),
        ("layer-norm.attention", geometry::NORM),
        ("layer-norm.perceptron.gain", array::LIST),
        ("attention", attention::ATTENTION),
        ("attention.beta", attention::BETA),
        ("attention.sinkhorn", attention::SINKHORN),
        ("attention.position", attention::POSITION),
        ("attention.head", head::HEAD),
        ("attention.head.query-key", matrix::FORMS),
        ("attention.head.query-key", &changing),
        ("attention.head.query-key.ornstein-uhlenbeck", course::ORNSTEIN_UHLENBECK),
        ("attention.head.value", &["query-key"]),
        ("attention.head.key", array::ROWS),
        ("attention.head.key-bias", array::LIST),
        ("perceptron", perceptron::PERCEPTRON),
        ("perceptron.gradient", perceptron::GRADIENT),
        ("noise", noise::NOISE),
        ("time", typed::TIME),
        ("observe", super::super::observe::OBSERVE),
        ("reference", super::super::reference::REFERENCE),
    ];
    for (table, keys) in tables {
        for key in keys {
            let entry = (table.to_owned(), (*key).to_owned());
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
        of(course::ENSEMBLES),
        of(perceptron::ACTIVATIONS),
        of(noise::FIELDS),
        of(noise::CALCULI),
        of(noise::SHARING),
        of(typed::SCHEMES),
        of(typed::QUANTITIES),
        of(super::super::reference::REFERENCES),
        of(law::LAWS),
    ];
    for word in words.concat() {
        assert!(REFERENCE.contains(&format!("\"{word}\"")), "\"{word}\" is not in assets/reference.toml");
    }
}
