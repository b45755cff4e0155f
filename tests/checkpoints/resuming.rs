//! Runs that go on from checkpoints.

use std::fs;

use tokenfield::{
    backend::Precision,
    experiment::Experiment,
    record::{Claim, RecordError},
    run::{Checkpoints, Choice, Event, Machine, OtherMachine, RunError},
};

use super::{
    cases::cases,
    running::{assert_same, files, interrupted, resumed, run_until, run_with_checkpoints, undisturbed},
};

/// A run that is taken up again, several times, ends with the bytes of one that was never stopped.
pub fn same_bytes(machine_name: &str, machine: &Machine) {
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
    for (number, (case, text)) in cases().iter().enumerate() {
        if machine_name == "reference" && case.starts_with("harmonics") {
            continue;
        }
        let what = format!("{case}, {machine_name}");
        let folder = |kind: &str| root.path().join(format!("{machine_name}-{number}-{kind}"));
        let expected = undisturbed(&folder("whole"), text, machine);
        let manifest = String::from_utf8_lossy(&expected["manifest.json"]).into_owned();
        for (_, word) in shows.iter().filter(|(name, _)| name == case && machine_name == "single") {
            assert!(manifest.contains(word), "{what}: no {word:?} in {manifest}");
        }
        // As soon as possible, within the first interval between samples, at the end of one, and again within another.
        let cut = folder("cut");
        interrupted(&cut, text, machine, 0);
        for at in [2, 3, 7] {
            match resumed(&cut, machine, Some(at)) {
                Ok(_) => {}
                Err(error) => assert!(matches!(*error, RunError::Interrupted { .. }), "{what}: {error}"),
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

pub const SMALL: &str = "name = \"small\"\n[tokens]\ncount = 40\ndim = 3\ninitial = { law = \"uniform\" }\n[attention]\nbeta = 1.0\n\
                     normalization = \"softmax\"\n[time]\nscheme = \"heun\"\nstep = 0.1\nend = 1.0\n\
                     [observe]\nevery = 0.1\nquantities = [\"moments\", \"tokens\"]\n";

/// Blocks of queries are reduced in an order that no thread decides.
pub fn any_number_of_threads() {
    let root = tempfile::tempdir().expect("a folder");
    let large = SMALL.replace("count = 40", "count = 3000").replace("end = 1.0", "end = 0.4");
    let expected = undisturbed(&root.path().join("whole"), &large, &Machine::CpuSingle);
    let cut = root.path().join("cut");
    for (threads, steps) in [(1, Some(1)), (3, Some(2)), (2, None)] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| match steps {
            Some(1) => interrupted(&cut, &large, &Machine::CpuSingle, 1),
            _ => {
                let outcome = resumed(&cut, &Machine::CpuSingle, steps);
                assert_eq!(outcome.is_ok(), steps.is_none(), "{outcome:?}");
            }
        });
    }
    assert_same(&files(&cut), &expected, "threads");
}

/// Of two checkpoints the newer one is taken that is whole; where none is, the run says so and nothing is lost.
pub fn damaged_checkpoints() {
    let root = tempfile::tempdir().expect("a folder");
    let expected = undisturbed(&root.path().join("whole"), SMALL, &Machine::CpuDouble);
    let names = |folder: &std::path::Path| {
        let mut names: Vec<_> = fs::read_dir(folder.join("checkpoints"))
            .expect("checkpoints")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        names.sort();
        names
    };
    for damage in ["tokens.npy", "state.toml", "manifest.json"] {
        for cut_to in [0, 9] {
            let cut = root.path().join(format!("{damage}-{cut_to}"));
            interrupted(&cut, SMALL, &Machine::CpuDouble, 3);
            let _ = resumed(&cut, &Machine::CpuDouble, Some(5));
            let _ = resumed(&cut, &Machine::CpuDouble, Some(7));
            let kept = names(&cut);
            assert_eq!(kept.len(), 2, "two are kept: {kept:?}");
            let bytes = fs::read(kept[1].join(damage)).expect("a file");
            fs::write(kept[1].join(damage), &bytes[..cut_to.min(bytes.len())]).expect("a file");
            resumed(&cut, &Machine::CpuDouble, None).expect("the one before it will do");
            assert_same(&files(&cut), &expected, damage);
        }
    }
    let cut = root.path().join("both");
    interrupted(&cut, SMALL, &Machine::CpuDouble, 3);
    let kept = names(&cut);
    let mut bytes = fs::read(kept[0].join("tokens.npy")).expect("tokens");
    *bytes.last_mut().expect("a byte") ^= 1;
    fs::write(kept[0].join("tokens.npy"), bytes).expect("tokens");
    let before = fs::read(cut.join("samples.csv")).expect("samples");
    let error = resumed(&cut, &Machine::CpuDouble, None).expect_err("none is whole").to_string();
    assert!(
        error.contains("tokens.npy") && error.contains("SHA-256") && error.contains("remove the folder"),
        "{error}"
    );
    assert_eq!(fs::read(cut.join("samples.csv")).expect("samples"), before, "nothing is lost");
}

/// Rows that the checkpoint knows of and that are no longer there, or are others.
pub fn samples_that_were_changed() {
    let root = tempfile::tempdir().expect("a folder");
    let cut = root.path().join("cut");
    interrupted(&cut, SMALL, &Machine::CpuDouble, 5);
    let path = cut.join("samples.csv");
    let text = fs::read_to_string(&path).expect("samples");
    fs::write(&path, &text[..text.len() / 2]).expect("samples");
    let error = resumed(&cut, &Machine::CpuDouble, None).expect_err("rows are missing").to_string();
    assert!(error.contains("samples.csv has") && error.contains("knows of"), "{error}");
    fs::write(&path, text.replacen("0.1", "0.2", 1)).expect("samples");
    let error = resumed(&cut, &Machine::CpuDouble, None).expect_err("a row is another").to_string();
    assert!(error.contains("samples.csv") && error.contains("changed"), "{error}");
}

/// A file that the experiment names is part of it.
pub fn inputs_that_were_changed() {
    let root = tempfile::tempdir().expect("a folder");
    let matrix = root.path().join("a.npy");
    let write = |value: f64| {
        ndarray_npy::write_npy(&matrix, &ndarray::arr2(&[[value, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
    };
    write(1.5).expect("a matrix");
    let head = format!("[[attention.head]]\nquery-key = {{ path = {:?} }}\n[time]", matrix.display().to_string());
    let text = SMALL.replace("[time]", &head);
    let cut = root.path().join("cut");
    interrupted(&cut, &text, &Machine::CpuDouble, 5);
    write(2.5).expect("a matrix");
    let error = resumed(&cut, &Machine::CpuDouble, None).expect_err("the matrix is another").to_string();
    assert!(error.contains("was changed since"), "{error}");
    write(1.5).expect("a matrix");
    resumed(&cut, &Machine::CpuDouble, None).expect("it is the same again");
}

/// Another backend goes on only where that is accepted, and the manifest says so; another precision never does.
pub fn other_machines() {
    let root = tempfile::tempdir().expect("a folder");
    let cut = root.path().join("cut");
    interrupted(&cut, SMALL, &Machine::CpuDouble, 5);
    let error = resumed(&cut, &Machine::Reference, None).expect_err("another backend");
    assert!(matches!(*error, RunError::OtherMachine { .. }), "{error:?}");
    assert!(error.to_string().contains("cpu") && error.to_string().contains("reference"), "{error}");
    let error = resumed(&cut, &Machine::CpuSingle, None).expect_err("another precision");
    assert!(matches!(*error, RunError::OtherPrecision { .. }), "{error:?}");
    let experiment = Experiment::read(&cut.join("experiment.toml"), &[]).expect("an experiment");
    let accepting = Checkpoints { other_machine: OtherMachine::Accepted, ..Checkpoints::default() };
    let claim = Claim::to_resume(&cut).expect("a checkpoint");
    run_with_checkpoints(claim, &experiment, &Machine::Reference, &accepting, None).expect("it is accepted");
    let manifest = fs::read_to_string(cut.join("manifest.json")).expect("a manifest");
    assert!(
        manifest.contains("went on at time 0.5 on reference") && manifest.contains("\"resumed_at\""),
        "{manifest}"
    );
}

/// The same experiment in the same folder goes on; what has no checkpoint is not resumed.
pub fn running_again() {
    let root = tempfile::tempdir().expect("a folder");
    let expected = undisturbed(&root.path().join("whole"), SMALL, &Machine::CpuDouble);
    let cut = root.path().join("cut");
    interrupted(&cut, SMALL, &Machine::CpuDouble, 5);
    let experiment = Experiment::parse(SMALL).expect("an experiment");
    let text = experiment.to_toml().expect("it is written out");
    let claim = Claim::for_run(&cut, &text, Precision::Double).expect("it is the same");
    assert!(claim.resumes().is_some());
    run_until(claim, &experiment, &Machine::CpuDouble, None).expect("it reaches its end");
    assert_same(&files(&cut), &expected, "run again");
    for folder in [&cut, &root.path().join("nowhere")] {
        let error = Claim::to_resume(folder).expect_err("there is nothing to go on from");
        assert!(matches!(error, RecordError::NoCheckpoint { .. }), "{error:?}");
    }
    assert!(!root.path().join("nowhere").exists(), "nothing is made");
}

/// A checkpoint that was being written when the process was killed is passed over, and goes when the run is complete.
pub fn half_written_checkpoints() {
    let root = tempfile::tempdir().expect("a folder");
    let expected = undisturbed(&root.path().join("whole"), SMALL, &Machine::CpuDouble);
    let cut = root.path().join("cut");
    interrupted(&cut, SMALL, &Machine::CpuDouble, 5);
    let half = cut.join("checkpoints/000002.partial");
    fs::create_dir(&half).expect("a folder");
    fs::write(half.join("tokens.npy.partial"), "half").expect("a file");
    // Rows that came after the checkpoint, the last of them half, as a kill leaves them.
    let mut samples = fs::read_to_string(cut.join("samples.csv")).expect("samples");
    samples.push_str("0,0.6,1.0,1.0,1.0,1.0\n0,0.7,1.0");
    fs::write(cut.join("samples.csv"), samples).expect("samples");
    resumed(&cut, &Machine::CpuDouble, None).expect("it reaches its end");
    assert_same(&files(&cut), &expected, "half written");
}

/// Checkpoints that are due while the run goes on change nothing, and none is left.
pub fn every_so_often() {
    let root = tempfile::tempdir().expect("a folder");
    let expected = undisturbed(&root.path().join("whole"), SMALL, &Machine::CpuDouble);
    let often = root.path().join("often");
    let experiment = Experiment::parse(SMALL).expect("an experiment");
    let claim = Claim::attempt(&often).expect("a folder").expect("nobody has it");
    let checkpoints = Checkpoints { every: "3steps".parse().ok(), ..Checkpoints::default() };
    let mut times = Vec::new();
    let problem = experiment.resolve().expect("a problem");
    let ran = tokenfield::run::run_with(&experiment, problem, claim, &Machine::CpuDouble, &checkpoints, |event| {
        if let Event::Checkpoint(time) = event {
            times.push(time);
        }
        std::ops::ControlFlow::Continue(())
    });
    pollster::block_on(ran).expect("it reaches its end");
    assert_eq!(times, [0.3, 0.6, 0.9]);
    assert_same(&files(&often), &expected, "often");
}

/// What has no room on a device that was not asked for by name is computed by the CPU, and the run says so.
pub fn full_device() {
    use tokenfield::backend::gpu;
    let root = tempfile::tempdir().expect("a folder");
    let bounds = gpu::Bounds { bytes: Some(1000), ..Default::default() };
    let full = || {
        let opened = gpu::Device::open_bounded(gpu::Choice::Best, Precision::Single, bounds);
        pollster::block_on(opened).expect("an adapter")
    };
    let experiment = Experiment::parse(SMALL).expect("an experiment");
    let run = |folder: &str, device: gpu::Device| {
        let claim = Claim::attempt(&root.path().join(folder)).expect("a folder").expect("nobody has it");
        let mut warnings = Vec::new();
        let machine = Machine::Gpu(device.into());
        let ran = tokenfield::run::run(&experiment, claim, &machine, |event| {
            if let Event::Warning(line) = event {
                warnings.push(line.to_owned());
            }
            std::ops::ControlFlow::Continue(())
        });
        pollster::block_on(ran).map(|_| warnings).map_err(|error| error.to_string())
    };
    let error = run("named", full()).expect_err("it has no room");
    assert!(
        error.to_string().contains("ran out of memory") && error.to_string().contains("--backend cpu"),
        "{error}"
    );
    let warnings = run("auto", full().giving_way()).expect("the CPU has room");
    assert!(warnings.len() == 1 && warnings[0].contains("has no room on"), "{warnings:?}");
    let expected = undisturbed(&root.path().join("cpu"), SMALL, &Machine::CpuSingle);
    for name in ["samples.csv", "tokens.npy", "trajectory.npy"] {
        let found = fs::read(root.path().join("auto").join(name)).expect("a file");
        assert!(found == expected[name], "{name} differs from that of the CPU");
    }
    let manifest = fs::read_to_string(root.path().join("auto/manifest.json")).expect("a manifest");
    assert!(manifest.contains("\"backend\": \"cpu\"") && manifest.contains("has no room on"), "{manifest}");
}

/// A device that is lost is opened again, once, and the run goes on from its last checkpoint.
pub fn lost_device() {
    let root = tempfile::tempdir().expect("a folder");
    let open = || pollster::block_on(Machine::open(Choice::Gpu, Precision::Single)).expect("an adapter");
    let lose = |folder: &std::path::Path, every: Option<&str>| {
        let machine = open();
        let experiment = Experiment::parse(SMALL).expect("an experiment");
        let claim = Claim::attempt(folder).expect("a folder").expect("nobody has it");
        let checkpoints = Checkpoints { every: every.and_then(|every| every.parse().ok()), ..Checkpoints::default() };
        let mut is_lost = false;
        let problem = experiment.resolve().expect("a problem");
        pollster::block_on(tokenfield::run::run_with(&experiment, problem, claim, &machine, &checkpoints, |event| {
            if let (Event::Steps(5..), Machine::Gpu(device), false) = (&event, &machine, is_lost) {
                is_lost = true;
                device.destroy();
            }
            std::ops::ControlFlow::Continue(())
        }))
        .map_err(Box::new)
    };
    let expected = undisturbed(&root.path().join("whole"), SMALL, &open());
    let cut = root.path().join("cut");
    lose(&cut, Some("2steps")).expect("it goes on");
    let manifest = fs::read_to_string(cut.join("manifest.json")).expect("a manifest");
    assert!(manifest.contains("was lost") && manifest.contains("went on from the last checkpoint"), "{manifest}");
    let mut found = files(&cut);
    found.insert("manifest.json".into(), expected["manifest.json"].clone());
    assert_same(&found, &expected, "a lost device");
    let error = lose(&root.path().join("none"), None).expect_err("there is nothing to go on from");
    assert!(error.to_string().contains("was lost"), "{error}");
}
