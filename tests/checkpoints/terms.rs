//! What becomes of a run whose checkpoint is not what it was.

use std::{fs, path::Path};

use serde_json::Value;
use tokenfield::{record::Fingerprint, run::Machine};

use super::{
    cases::cases,
    running::{files, interrupted, resumed, undisturbed},
};

/// A number of a state, by the keys that lead to it.
pub fn tamper(folder: &Path, change: impl Fn(&mut toml::Table)) {
    let generation = fs::read_dir(folder.join("checkpoints")).expect("checkpoints");
    let newest = generation.map(|entry| entry.expect("an entry").path()).max().expect("a checkpoint");
    let path = newest.join("state.toml");
    let mut state: toml::Table = fs::read_to_string(&path).expect("a state").parse().expect("a state");
    change(&mut state);
    let text = toml::to_string(&state).expect("a state");
    fs::write(&path, &text).expect("a state");
    let manifest = newest.join("manifest.json");
    let mut files: Value = serde_json::from_slice(&fs::read(&manifest).expect("a manifest")).expect("a manifest");
    files["files"]["state.toml"] = serde_json::to_value(Fingerprint::of(text.as_bytes())).expect("a fingerprint");
    fs::write(&manifest, files.to_string()).expect("a manifest");
}

/// Each term of a state, left out or as it is at time zero, leads to other bytes.
pub fn every_term_of_a_state_is_needed() {
    fn at<'a>(state: &'a mut toml::Table, keys: &[&str]) -> &'a mut toml::Value {
        let (last, path) = keys.split_last().expect("a key");
        let table = path.iter().fold(state, |table, key| table[*key].as_table_mut().expect("a table"));
        table.get_mut(*last).unwrap_or_else(|| panic!("{keys:?}"))
    }
    fn remove(state: &mut toml::Table, keys: &[&str]) {
        let (last, path) = keys.split_last().expect("a key");
        let table = path.iter().fold(state, |table, key| table[*key].as_table_mut().expect("a table"));
        assert!(table.remove(*last).is_some(), "{keys:?}");
    }
    type Change = fn(&mut toml::Table);
    let changes: [(&str, &str, u64, Change); 16] = [
        ("steps", "noise", 4, |state| *at(state, &["snapshot", "steps"]) = 5.into()),
        ("pairs", "growing steps", 4, |state| *at(state, &["snapshot", "pairs"]) = "0".into()),
        ("method", "harmonics", 4, |state| *at(state, &["snapshot", "sums", "method"]) = "direct".into()),
        ("checks", "harmonics", 4, |state| *at(state, &["snapshot", "sums", "checks"]) = 1000.into()),
        ("width", "harmonics", 4, |state| *at(state, &["snapshot", "sums", "is_widened"]) = true.into()),
        ("refinements", "harmonics", 4, |state| {
            *at(state, &["snapshot", "sums", "refinements"]) = 1.into();
        }),
        ("time", "steps of controlled error", 0, |state| *at(state, &["snapshot", "control", "time"]) = 0.0.into()),
        ("length", "steps of controlled error", 0, |state| {
            *at(state, &["snapshot", "control", "next"]) = 1e-3.into();
        }),
        ("counts", "steps of controlled error", 0, |state| {
            *at(state, &["snapshot", "control", "counts", "taken"]) = 0.into();
        }),
        ("marginal error", "rows and columns that are not quite stochastic", 11, |state| {
            *at(state, &["snapshot", "marginal_error"]) = 3.0.into();
        }),
        ("energies", "an energy that goes the wrong way", 4, |state| remove(state, &["snapshot", "energies"])),
        ("warnings", "an energy that goes the wrong way", 7, |state| {
            *at(state, &["snapshot", "said"]) = toml::Value::Array(Vec::new());
            *at(state, &["warnings"]) = toml::Value::Array(Vec::new());
        }),
        ("limit", "a limit with steps of its own", 4, |state| remove(state, &["snapshot", "limit"])),
        ("steps of the limit", "a limit with the steps of the tokens", 4, |state| {
            *at(state, &["snapshot", "limit", "steps"]) = 0.into();
        }),
        ("step of the solver", "a limit with steps of its own", 7, |state| {
            *at(state, &["snapshot", "limit", "limit", "step"]) = 1e-3.into();
        }),
        ("measured", "steps of controlled error", 0, |state| {
            *at(state, &["snapshot", "is_measured"]) = false.into();
        }),
    ];
    let root = tempfile::tempdir().expect("a folder");
    let (cases, machine) = (cases(), Machine::CpuSingle);
    for (term, case, steps, change) in changes {
        let text = &cases.iter().find(|(name, _)| *name == case).unwrap_or_else(|| panic!("{case}")).1;
        let folder = |kind: &str| root.path().join(format!("{term}-{kind}"));
        let expected = undisturbed(&folder("whole"), text, &machine);
        let cut = folder("cut");
        interrupted(&cut, text, &machine, steps);
        tamper(&cut, change);
        match resumed(&cut, &machine, None) {
            Ok(_) => assert!(files(&cut) != expected, "{term}: nobody misses it"),
            Err(error) => assert!(error.to_string().contains("checkpoint"), "{term}: {error}"),
        }
    }
}
