//! Runs that are interrupted, and what they leave.

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tokenfield::{
    experiment::Experiment,
    record::Claim,
    run::{Checkpoints, Event, Machine, OtherMachine, RunError, run_with},
};

/// Runs to the end, or until so many steps are done.
pub fn run_until(
    claim: Claim,
    experiment: &Experiment,
    machine: &Machine,
    at: Option<u64>,
) -> Result<PathBuf, Box<RunError>> {
    let checkpoints = Checkpoints { other_machine: OtherMachine::Refused, ..Checkpoints::default() };
    run_with_checkpoints(claim, experiment, machine, &checkpoints, at)
}

/// The same, with checkpoints as given.
pub fn run_with_checkpoints(
    claim: Claim,
    experiment: &Experiment,
    machine: &Machine,
    checkpoints: &Checkpoints,
    at: Option<u64>,
) -> Result<PathBuf, Box<RunError>> {
    let problem = experiment.resolve().expect("a problem");
    pollster::block_on(run_with(experiment, problem, claim, machine, checkpoints, |event| {
        if let (Event::Steps(done), Some(at)) = (&event, at)
            && *done >= at
        {
            checkpoints.interrupt.request();
        }
        ControlFlow::Continue(())
    }))
    .map_err(Box::new)
}

/// Begins the run `text` in `folder`, and interrupts it after so many steps.
pub fn interrupted(folder: &Path, text: &str, machine: &Machine, at: u64) {
    let experiment = Experiment::parse(text).expect("an experiment");
    let written = experiment.to_toml().expect("it is written out");
    let claim = Claim::for_run(folder, &written, machine.precision()).expect("a folder");
    let error = run_until(claim, &experiment, machine, Some(at)).expect_err("it is interrupted");
    let RunError::Interrupted { path, time } = *error else { panic!("{error}") };
    assert!(path == folder && time > 0.0);
}

/// Goes on with the run in `folder`, to its end or until so many steps are done.
pub fn resumed(folder: &Path, machine: &Machine, at: Option<u64>) -> Result<PathBuf, Box<RunError>> {
    let claim = Claim::to_resume(folder).map_err(|error| Box::new(error.into()))?;
    let experiment = Experiment::read(&folder.join("experiment.toml"), &[]).expect("an experiment");
    run_until(claim, &experiment, machine, at)
}

pub fn undisturbed(folder: &Path, text: &str, machine: &Machine) -> BTreeMap<String, Vec<u8>> {
    let experiment = Experiment::parse(text).expect("an experiment");
    let claim = Claim::attempt(folder).expect("a folder").expect("nobody has it");
    run_until(claim, &experiment, machine, None).expect("it reaches its end");
    files(folder)
}

/// Every file of a run, its manifest without what time and interruptions leave there.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let file = |entry: Result<fs::DirEntry, _>| {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name");
        let mut bytes = fs::read(entry.path()).unwrap_or_else(|error| panic!("{name}: {error}"));
        if name == "manifest.json" {
            let mut manifest: Value = serde_json::from_slice(&bytes).expect("a manifest");
            let keys = manifest.as_object_mut().expect("a manifest");
            for key in ["wall_seconds", "resumed_at", "adapter"] {
                keys.remove(key);
            }
            bytes = serde_json::to_vec_pretty(&manifest).expect("a manifest");
        }
        (name, bytes)
    };
    fs::read_dir(folder).expect("a folder").map(file).collect()
}

#[track_caller]
pub fn assert_same(found: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>, what: &str) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{what}");
    for (name, bytes) in expected {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if found[name] != *bytes {
            panic!("{what}: {name} differs:\n{}\nexpected\n{}", text(&found[name]), text(bytes));
        }
    }
}
