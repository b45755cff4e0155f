//! What happens to a run between its checkpoints, and what that must not cost.

use std::{fs, ops::ControlFlow, path::Path};

use tokenfield::{
    backend::Precision,
    experiment::{Experiment, SweepFile},
    record::Claim,
    run::{Checkpoints, Event, Machine, run, run_with},
    sweep::{self, Share},
};

use super::{
    resuming::SMALL,
    running::{assert_same, files, interrupted, resumed, undisturbed},
    terms::tamper,
};

/// A file that somebody else put into a checkpoint stays, and the run that is complete is complete.
pub fn foreign_files_in_checkpoints() {
    let root = tempfile::tempdir().expect("a folder");
    let expected = undisturbed(&root.path().join("whole"), SMALL, &Machine::CpuDouble);
    let cut = root.path().join("cut");
    interrupted(&cut, SMALL, &Machine::CpuDouble, 5);
    let foreign = cut.join("checkpoints/000001/.DS_Store");
    fs::write(&foreign, "mine").expect("a file");
    let half = cut.join("checkpoints/000002.partial");
    fs::create_dir(&half).expect("a folder");
    fs::write(half.join("mine"), "mine").expect("a file");
    resumed(&cut, &Machine::CpuDouble, None).expect("it reaches its end");
    assert!(foreign.exists() && half.join("mine").exists());
    fs::remove_dir_all(cut.join("checkpoints")).expect("they go");
    assert_same(&files(&cut), &expected, "foreign files");
}

/// A checkpoint is of the inputs that the run began with, whatever is in their files when it is written.
pub fn inputs_that_change_on_the_way() {
    let root = tempfile::tempdir().expect("a folder");
    let matrix = root.path().join("a.npy");
    let write = |value: f64| {
        let array = ndarray::arr2(&[[value, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
        ndarray_npy::write_npy(&matrix, &array).expect("a matrix");
    };
    write(1.5);
    let head = format!("[[attention.head]]\nquery-key = {{ path = {:?} }}\n[time]", matrix.display().to_string());
    let experiment = Experiment::parse(&SMALL.replace("[time]", &head)).expect("an experiment");
    let cut = root.path().join("cut");
    let text = experiment.to_toml().expect("it is written out");
    let claim = Claim::for_run(&cut, &text, Precision::Double).expect("a folder");
    let checkpoints = Checkpoints::default();
    let problem = experiment.resolve().expect("a problem");
    let ran = run_with(&experiment, problem, claim, &Machine::CpuDouble, &checkpoints, |event| {
        if let Event::Steps(5) = event {
            write(2.5);
            checkpoints.interrupt.request();
        }
        ControlFlow::Continue(())
    });
    pollster::block_on(ran).expect_err("it is interrupted");
    let error = resumed(&cut, &Machine::CpuDouble, None).expect_err("the matrix is another").to_string();
    assert!(error.contains("was changed since"), "{error}");
    write(1.5);
    resumed(&cut, &Machine::CpuDouble, None).expect("it is the same again");
}

/// A process ended when it had cut an array to the samples that there were, and had not given it its name.
pub fn arrays_that_were_cut() {
    let root = tempfile::tempdir().expect("a folder");
    let expected = undisturbed(&root.path().join("whole"), SMALL, &Machine::CpuDouble);
    let cut = root.path().join("cut");
    interrupted(&cut, SMALL, &Machine::CpuDouble, 5);
    let path = cut.join("trajectory.npy.partial");
    let bytes = fs::read(&path).expect("an array");
    let samples = 6 * 40 * 3 * 8;
    let header = bytes.len() - samples / 6 * 11;
    let text = String::from_utf8(bytes[..header].to_vec().split_off(10)).expect("a header");
    let shorter = text.replace("(11, ", "(6, ").replace("\n", " \n");
    assert!(shorter.len() == text.len() && shorter != text, "{text}");
    let parts = [&bytes[..10], shorter.as_bytes(), &bytes[header..header + samples]];
    fs::write(&path, parts.concat()).expect("an array");
    resumed(&cut, &Machine::CpuDouble, None).expect("it goes on");
    assert_same(&files(&cut), &expected, "an array that was cut");
}

/// Of a damaged checkpoint and the one before it the good one is kept.
pub fn the_checkpoint_before_a_damaged_one() {
    let root = tempfile::tempdir().expect("a folder");
    let cut = root.path().join("cut");
    interrupted(&cut, SMALL, &Machine::CpuDouble, 3);
    resumed(&cut, &Machine::CpuDouble, Some(5)).expect_err("it is interrupted again");
    fs::write(cut.join("checkpoints/000002/state.toml"), "damaged").expect("a file");
    resumed(&cut, &Machine::CpuDouble, Some(6)).expect_err("it is interrupted again");
    let state = |number: &str| fs::read_to_string(cut.join("checkpoints").join(number).join("state.toml"));
    assert!(state("000001").is_ok_and(|text| text.contains("steps = 3")));
    assert!(state("000002").is_ok_and(|text| text.contains("steps = 6")));
}

/// What another machine has left of a cell is computed again from its beginning.
pub fn cells_of_other_machines() {
    let root = tempfile::tempdir().expect("a folder");
    let path = |name: &str| root.path().join(name);
    fs::write(path("base.toml"), SMALL).expect("a file");
    // Of one shape a batch, so that cells run alone.
    fs::write(path("sweep.toml"), "base = \"base.toml\"\n[axes]\n\"tokens.count\" = [40, 41]\n").expect("a file");
    let file = SweepFile::read(&path("sweep.toml"), &[]).expect("a sweep");
    let sweep = |out: &Path, checkpoints: &Checkpoints, at: Option<u64>| {
        let ran = sweep::run_with(&file, out, Share::Worker, &Machine::CpuDouble, checkpoints, |event| {
            if let sweep::Event::Run(Event::Steps(done)) = event
                && Some(done) == at
            {
                checkpoints.interrupt.request();
            }
            ControlFlow::Continue(())
        });
        pollster::block_on(ran).map_err(|error| error.to_string())
    };
    let (whole, cut) = (path("whole"), path("cut"));
    sweep(&whole, &Checkpoints::default(), None).expect("it is complete");
    sweep(&cut, &Checkpoints::default(), Some(5)).expect_err("it is interrupted");
    let cells = || fs::read_dir(cut.join("cells")).expect("cells").map(|cell| cell.expect("a cell").path());
    let cell = cells().find(|cell| cell.join("checkpoints").exists()).expect("a checkpoint");
    tamper(&cell, |state| drop(state.insert("arithmetic".into(), "abacus".into())));
    sweep(&cut, &Checkpoints::default(), None).expect("it is complete");
    for cell in cells() {
        let name = cell.file_name().expect("a name").to_owned();
        assert_same(&files(&cell), &files(&whole.join("cells").join(name)), "a cell");
    }
}

/// Warnings of who went on are all kept; what is kept once otherwise is.
pub fn all_machines_are_named() {
    let root = tempfile::tempdir().expect("a folder");
    let cut = root.path().join("cut");
    interrupted(&cut, SMALL, &Machine::CpuDouble, 3);
    let accepting = Checkpoints { other_machine: tokenfield::run::OtherMachine::Accepted, ..Checkpoints::default() };
    for (steps, machine) in [(5, Machine::Reference), (20, Machine::CpuDouble)] {
        let experiment = Experiment::read(&cut.join("experiment.toml"), &[]).expect("an experiment");
        let claim = Claim::to_resume(&cut).expect("a checkpoint");
        let checkpoints = Checkpoints { interrupt: Default::default(), ..accepting.clone() };
        let problem = experiment.resolve().expect("a problem");
        let _ = pollster::block_on(run_with(&experiment, problem, claim, &machine, &checkpoints, |event| {
            if matches!(event, Event::Steps(done) if done >= steps) {
                checkpoints.interrupt.request();
            }
            ControlFlow::Continue(())
        }));
    }
    let manifest = fs::read_to_string(cut.join("manifest.json")).expect("a manifest");
    assert_eq!(manifest.matches("went on at time").count(), 2, "{manifest}");
}

/// An array that cannot be written ends the run at its next checkpoint, with what the disk said.
pub fn arrays_that_cannot_be_written() {
    let root = tempfile::tempdir().expect("a folder");
    let experiment = Experiment::parse(SMALL).expect("an experiment");
    let out = root.path().join("out");
    let claim = Claim::attempt(&out).expect("a folder").expect("nobody has it");
    let ran = run(&experiment, claim, &Machine::CpuDouble, |event| {
        if let Event::Steps(5) = event {
            fs::remove_file(out.join("trajectory.npy.partial")).expect("it goes");
        }
        ControlFlow::Continue(())
    });
    let error = pollster::block_on(ran).expect_err("its file is gone").to_string();
    assert!(error.contains("trajectory.npy"), "{error}");
}
