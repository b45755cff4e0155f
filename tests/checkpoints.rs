//! A run that was interrupted and taken up again leaves the bytes of one that never was.

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tokenfield::{
    backend::Precision,
    experiment::Experiment,
    record::{Claim, Fingerprint},
    run::{Checkpoints, Choice, Event, Machine, OtherMachine, RunError, run_with},
};

/// Twelve steps of 0.1 of `tokens` under `attention`, with more sections behind them.
fn experiment(tokens: &str, attention: &str, quantities: &str, more: &str) -> String {
    let time = if more.contains("[time]") { "" } else { "[time]\nscheme = \"heun\"\nstep = 0.1\nend = 1.2\n" };
    format!(
        "name = \"checked\"\n[tokens]\nseed = 5\n{tokens}\n[attention]\n{attention}\n{time}[observe]\nevery = 0.3\nquantities = [{quantities}]\n{more}"
    )
}

const SPHERE: &str = "count = 41\ndim = 3\nreplicas = 2\ninitial = { law = \"uniform\" }";
const CIRCLE: &str =
    "count = 33\ndim = 2\ninitial = { law = \"von-mises-fisher\", concentration = 1.0, axis = [0.0, 1.0] }";
const SOFTMAX: &str = "beta = 2.0\nnormalization = \"softmax\"";

/// What is known at a time beyond the tokens, one kind after the other.
fn cases() -> Vec<(&'static str, String)> {
    let circle = |more: &str| experiment(CIRCLE, SOFTMAX, "\"moments\", \"w2_reference\", \"coupling_error\"", more);
    vec![
        (
            "samples, tokens, attention, results",
            experiment(
                SPHERE,
                SOFTMAX,
                "\"moments\", \"energy\", \"tokens\", \"attention\", \"start_overlap\"",
                "[[result]]\nname = \"area\"\nintegral = \"mean_norm\"\n[[result]]\nname = \"rate\"\nslope = \"ln(mean_norm)\"\n",
            ),
        ),
        (
            "many small replicas",
            experiment(
                "count = 6\ndim = 4\nreplicas = 40\ninitial = { law = \"uniform\" }",
                SOFTMAX,
                "\"moments\", \"clusters\"",
                "",
            ),
        ),
        (
            "harmonics that are widened",
            experiment(
                "count = 4000\ndim = 3\ninitial = { law = \"von-mises-fisher\", concentration = 4.0, axis = [0.0, 0.0, 1.0] }",
                "beta = 4.0\nnormalization = \"softmax\"",
                "\"moments\", \"energy\"",
                "[time]\nscheme = \"euler\"\nstep = 0.1\nend = 0.6\n",
            ),
        ),
        (
            "harmonics",
            format!(
                "algorithm = \"harmonic\"\n{}",
                experiment(
                    "count = 500\ndim = 3\ninitial = { law = \"uniform\" }",
                    SOFTMAX,
                    "\"moments\", \"energy\"",
                    ""
                )
            ),
        ),
        (
            "noise",
            experiment(
                SPHERE,
                SOFTMAX,
                "\"moments\"",
                "[noise]\nfield = \"independent\"\nintensity = 0.3\ncalculus = \"stratonovich\"\n",
            ),
        ),
        (
            "steps of controlled error",
            experiment(
                SPHERE,
                SOFTMAX,
                "\"moments\"",
                "[time]\nscheme = \"bogacki-shampine\"\nstep = { tolerance = 1e-5 }\nend = 1.2\n",
            ),
        ),
        (
            "growing steps",
            experiment(
                SPHERE,
                SOFTMAX,
                "\"moments\"",
                "[time]\nscheme = \"rk4\"\nstep = { first = 0.01, factor = 1.3, most = 0.2 }\nend = 1.2\n",
            ),
        ),
        (
            "a ramp and wandering matrices",
            experiment(
                SPHERE,
                "beta = { times = [0.0, 1.2], values = [1.0, 6.0] }\nnormalization = \"softmax\"\n[[attention.head]]\n\
                 query-key = { ornstein-uhlenbeck = { mean = \"identity\", rate = 1.0, intensity = 0.5 } }",
                "\"moments\"",
                "",
            ),
        ),
        (
            "rows and columns that are not quite stochastic",
            experiment(
                SPHERE,
                "beta = 6.0\nnormalization = \"sinkhorn\"\nsinkhorn = { iterations = 2, tolerance = 1e-7 }",
                "\"moments\"",
                "",
            ),
        ),
        (
            "an energy that goes the wrong way",
            experiment(
                SPHERE,
                "beta = 30.0\nnormalization = \"softmax\"\n[[attention.head]]\nquery-key = { scale = -1.0 }\nvalue = { scale = -1.0 }",
                "\"energy\"",
                "[time]\nscheme = \"euler\"\nstep = 1.5\nend = 18.0\n",
            )
            .replace("every = 0.3", "every = 4.5"),
        ),
        (
            "a condition to stop at",
            experiment(
                SPHERE,
                SOFTMAX,
                "\"moments\", \"tokens\"",
                "[time]\nscheme = \"heun\"\nstep = 0.1\nend = 9.0\nstop = \"mean_norm > 0.6\"\n",
            ),
        ),
        ("a limit with steps of its own", circle("[reference]\nkind = \"quadrature\"\n")),
        ("a limit with the steps of the tokens", circle("[reference]\nkind = \"quadrature\"\nsteps = \"tokens\"\n")),
        ("a limit of heights", circle("[reference]\nkind = \"zonal\"\n").replace("w2_reference", "mmd_reference")),
        ("a larger sample", circle("[reference]\nkind = \"particles\"\ncount = 66\n")),
    ]
}

fn machines() -> Vec<(&'static str, Machine)> {
    let open = |choice, precision| pollster::block_on(Machine::open(choice, precision)).expect("a machine");
    vec![
        ("single", open(Choice::Cpu, Precision::Single)),
        ("double", open(Choice::Cpu, Precision::Double)),
        ("reference", open(Choice::Reference, Precision::Double)),
    ]
}

/// Runs to the end, or until so many steps are done.
fn run_until(claim: Claim, experiment: &Experiment, machine: &Machine, at: Option<u64>) -> Result<PathBuf, RunError> {
    let checkpoints = Checkpoints { other_machine: OtherMachine::Refused, ..Checkpoints::default() };
    pollster::block_on(run_with(experiment, claim, machine, &checkpoints, |event| {
        if let (Event::Steps(done), Some(at)) = (&event, at)
            && *done >= at
        {
            checkpoints.interrupt.request();
        }
        ControlFlow::Continue(())
    }))
}

/// Begins the run `text` in `folder`, and interrupts it after so many steps.
fn interrupted(folder: &Path, text: &str, machine: &Machine, at: u64) {
    let experiment = Experiment::parse(text).expect("an experiment");
    let written = experiment.to_toml().expect("it is written out");
    let claim = Claim::for_run(folder, &written, machine.precision()).expect("a folder");
    match run_until(claim, &experiment, machine, Some(at)) {
        Err(RunError::Interrupted { path, time }) => assert!(path == folder && time > 0.0),
        other => panic!("{other:?}"),
    }
}

/// Goes on with the run in `folder`, to its end or until so many steps are done.
fn resumed(folder: &Path, machine: &Machine, at: Option<u64>) -> Result<PathBuf, RunError> {
    let claim = Claim::to_resume(folder)?;
    let experiment = Experiment::read(&folder.join("experiment.toml"), &[]).expect("an experiment");
    run_until(claim, &experiment, machine, at)
}

fn undisturbed(folder: &Path, text: &str, machine: &Machine) -> BTreeMap<String, Vec<u8>> {
    let experiment = Experiment::parse(text).expect("an experiment");
    let claim = Claim::attempt(folder).expect("a folder").expect("nobody has it");
    run_until(claim, &experiment, machine, None).expect("it reaches its end");
    files(folder)
}

/// Every file of a run, its manifest without what time and interruptions leave there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let file = |entry: Result<fs::DirEntry, _>| {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name");
        let mut bytes = fs::read(entry.path()).unwrap_or_else(|error| panic!("{name}: {error}"));
        if name == "manifest.json" {
            let mut manifest: Value = serde_json::from_slice(&bytes).expect("a manifest");
            let keys = manifest.as_object_mut().expect("a manifest");
            ["wall_seconds", "resumed_at", "adapter"].map(|key| keys.remove(key));
            bytes = serde_json::to_vec_pretty(&manifest).expect("a manifest");
        }
        (name, bytes)
    };
    fs::read_dir(folder).expect("a folder").map(file).collect()
}

#[track_caller]
fn assert_same(found: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>, what: &str) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{what}");
    for (name, bytes) in expected {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if found[name] != *bytes {
            panic!("{what}: {name} differs:\n{}\nexpected\n{}", text(&found[name]), text(bytes));
        }
    }
}

#[test]
fn interrupted_runs_end_with_the_bytes_of_undisturbed_ones() {
    let root = tempfile::tempdir().expect("a folder");
    // What a manifest shows where a case is what it is called.
    let shows = [
        ("harmonics that are widened", "widened to double precision"),
        ("harmonics", "harmonic_error"),
        ("rows and columns that are not quite stochastic", "sinkhorn_marginal_error"),
        ("an energy that goes the wrong way", "too long"),
        ("a condition to stop at", "end_time"),
        ("steps of controlled error", "shortest"),
    ];
    for (machine_name, machine) in &machines() {
        for (number, (case, text)) in cases().iter().enumerate() {
            if *machine_name == "reference" && case.starts_with("harmonics") {
                continue;
            }
            let what = format!("{case}, {machine_name}");
            let folder = |kind: &str| root.path().join(format!("{machine_name}-{number}-{kind}"));
            let expected = undisturbed(&folder("whole"), text, machine);
            let manifest = String::from_utf8_lossy(&expected["manifest.json"]).into_owned();
            for (_, word) in shows.iter().filter(|(name, _)| name == case && *machine_name == "single") {
                assert!(manifest.contains(word), "{what}: no {word:?} in {manifest}");
            }
            // As soon as possible, within the first interval between samples, at the end of one, and again within another.
            let cut = folder("cut");
            interrupted(&cut, text, machine, 0);
            for at in [2, 3, 7] {
                match resumed(&cut, machine, Some(at)) {
                    Err(RunError::Interrupted { .. }) | Ok(_) => {}
                    Err(other) => panic!("{what}: {other}"),
                }
                if cut.join("tokens.npy").exists() {
                    break;
                }
            }
            if !cut.join("tokens.npy").exists() {
                resumed(&cut, machine, None).unwrap_or_else(|error| panic!("{what}: {error}"));
            }
            assert_same(&files(&cut), &expected, &what);
        }
    }
}

/// A number of a state, by the keys that lead to it.
fn tamper(folder: &Path, change: impl Fn(&mut toml::Table)) {
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
#[test]
fn every_term_of_a_state_is_needed() {
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
            remove(state, &["snapshot", "limit", "limit", "step"]);
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
