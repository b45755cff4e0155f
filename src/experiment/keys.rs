//! Which keys there are, and in which table each stands: what an unknown key is told about where it belongs, and what
//! `assets/reference.toml` is held to.

use super::{
    array, attention,
    error::{ExperimentError, UnknownKey},
    geometry, head, matrix, matrix_schedule, noise, observe, perceptron, reference, result, step, typed,
};
use crate::initial::LawKind;

/// The keys of a sweep file.
pub(super) const SWEEP: &[&str] = &["name", "base", "axes", "fit"];

/// The process that has a table of its own numbers.
const PROCESSES: &[&str] = &["ornstein-uhlenbeck"];

/// (dotted table without the numbers of lists, its keys); forms that many keys have stand once, where they are shown.
pub(super) fn tables() -> Vec<(&'static str, Vec<&'static str>)> {
    let laws: Vec<&str> = LawKind::WORDS.iter().flat_map(|(_, kind)| kind.keys()).copied().collect();
    let matrices =
        [matrix::FORMS, matrix_schedule::LAYERS, matrix_schedule::ENSEMBLE, matrix_schedule::OSCILLATING, PROCESSES]
            .concat();
    vec![
        ("", typed::ROOT.to_vec()),
        ("tokens", typed::TOKENS.to_vec()),
        ("tokens.weights", typed::WEIGHTS.to_vec()),
        ("tokens.initial", laws),
        ("layer-norm", geometry::LAYER_NORM.to_vec()),
        ("layer-norm.attention", geometry::NORM.to_vec()),
        ("layer-norm.perceptron.gain", array::LIST.to_vec()),
        ("attention", attention::ATTENTION.to_vec()),
        ("attention.beta", attention::BETA.to_vec()),
        ("attention.sinkhorn", attention::SINKHORN.to_vec()),
        ("attention.position", attention::POSITION.to_vec()),
        ("attention.head", head::HEAD.to_vec()),
        ("attention.head.query-key", matrices),
        ("attention.head.query-key.ornstein-uhlenbeck", matrix_schedule::ORNSTEIN_UHLENBECK.to_vec()),
        ("attention.head.value", vec!["query-key"]),
        ("attention.head.key", array::ROWS.to_vec()),
        ("attention.head.key-bias", array::LIST.to_vec()),
        ("perceptron", perceptron::PERCEPTRON.to_vec()),
        ("perceptron.gradient", perceptron::GRADIENT.to_vec()),
        ("noise", noise::NOISE.to_vec()),
        ("time", typed::TIME.to_vec()),
        ("time.step", [step::GROWTH, &step::CONTROL[..1]].concat()),
        ("observe", observe::OBSERVE.to_vec()),
        ("observe.log", observe::LOG.to_vec()),
        ("observe.tokens", observe::KEPT.to_vec()),
        ("reference", reference::REFERENCE.to_vec()),
        ("result", result::RESULT.to_vec()),
    ]
}

/// A dotted path without the numbers of lists.
pub(super) fn table_of(path: &str) -> String {
    let names: Vec<&str> = path.split('.').filter(|name| name.parse::<usize>().is_err()).collect();
    names.join(".")
}

/// Where a key that is unknown in the table at `path`, which knows other keys, is known; nothing if it is nowhere, or if it is a key
/// of another form of this table.
pub(super) fn home(path: &str, key: &str, known: &[&str]) -> Option<String> {
    let (here, tables) = (table_of(path), tables());
    let homes = tables.iter().filter(|(_, keys)| keys.contains(&key));
    let homes: Vec<&str> = homes.map(|(table, _)| *table).collect();
    if known == SWEEP {
        let is_known = !homes.is_empty() || typed::ROOT.contains(&key);
        return is_known.then(|| format!("{key} is a key of experiments: write it in the base, or as an axis"));
    }
    if homes.contains(&here.as_str()) || !tables.iter().any(|(table, _)| *table == here) {
        return None;
    }
    let is_table = tables.iter().any(|(table, _)| *table == key);
    match *homes.first()? {
        "" if is_table => Some(format!("{key} is a table of its own: write [{key}]")),
        "" => Some(format!("{key} belongs at the top of the file, before all tables")),
        _ => {
            let places = homes.iter().filter(|table| !table.is_empty()).map(|table| format!("[{table}]"));
            Some(format!("{key} belongs in {}", places.collect::<Vec<_>>().join(" or ")))
        }
    }
}

/// The error with what an unknown key is told: the key that it resembles, and the table in which it is known.
pub(super) fn with_home(mut error: ExperimentError) -> ExperimentError {
    let Some(unknown) = error.unknown.take() else { return error };
    let UnknownKey { table, key, known } = *unknown;
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let likeness = |other: &str| strsim::normalized_damerau_levenshtein(&key, other);
    let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let home = home(&table, &key, &known);
    // Less alike than by half, a guess only distracts; so does one at a key that is known elsewhere, unless it is a letter off.
    let least = if home.is_some() { 0.75 } else { 0.5 };
    let guess = match nearest.filter(|other| likeness(other) >= least) {
        Some(other) if table.is_empty() => format!("did you mean {other}? "),
        Some(other) => format!("did you mean {table}.{other}? "),
        None => String::new(),
    };
    let home = home.map_or(String::new(), |home| format!("{home}; "));
    error.remedy = format!("{guess}{home}known here: {}", known.join(", "));
    error
}
