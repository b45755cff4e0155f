//! Runs that are watched, and runs that are ended.

use std::ops::ControlFlow::{Break, Continue};

use super::*;
use crate::{
    experiment::Arrays,
    record::{Standing, standing},
};

const EXPERIMENT: &str = "name = \"small\"\n[tokens]\ncount = 4\ndim = 3\nreplicas = 2\ninitial = { law = \"uniform\" }\n\
                          [attention]\nbeta = 1.0\nnormalization = \"softmax\"\n\
                          [time]\nscheme = \"euler\"\nstep = 0.1\nend = 0.5\n[observe]\nevery = 0.1\nquantities = [\"energy\"]\n";

fn run_until(folder: &std::path::Path, last: u64) -> (Vec<u64>, Result<PathBuf, RunError>) {
    let experiment = Experiment::parse(EXPERIMENT).expect("an experiment");
    let text = experiment.to_toml().expect("it is written out");
    let claim = Claim::for_run(folder, &text, Machine::CpuDouble.precision()).expect("a folder");
    let mut steps = Vec::new();
    let outcome = pollster::block_on(run(&experiment, claim, &Machine::CpuDouble, |event| {
        if let Event::Steps(done) = event {
            steps.push(done);
            if done == last {
                return Break(());
            }
        }
        Continue(())
    }));
    (steps, outcome)
}

#[test]
fn a_run_that_is_cancelled_keeps_its_samples_and_can_begin_again() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("run");
    let (steps, outcome) = run_until(&folder, 2);
    assert_eq!(steps, [1, 2]);
    let error = outcome.expect_err("it was cancelled");
    assert!(matches!(error, RunError::Cancelled { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("stopped before its end (the samples so far are in {})", folder.display()));
    assert_eq!(standing(&folder), Standing::Failed("stopped before its end".into()));
    let samples = std::fs::read_to_string(folder.join("samples.csv")).expect("samples");
    assert_eq!(samples.lines().count(), 1 + 2 * 2, "those of two replicas at times 0 and 0.1:\n{samples}");
    let (steps, outcome) = run_until(&folder, 99);
    assert_eq!(steps, [1, 2, 3, 4, 5]);
    assert_eq!(outcome.expect("it reaches its end"), folder);
    assert_eq!(standing(&folder), Standing::Complete);
}

/// One evaluation of these 200,000 tokens takes seconds to minutes, on which no event falls.
#[test]
fn a_request_to_cancel_ends_a_run_in_the_middle_of_a_sum() {
    let root = tempfile::tempdir().expect("a folder");
    let large = "count = 200000\ndim = 3\nreplicas = 1";
    let sinkhorn = "\"sinkhorn\"\nsinkhorn = { iterations = 20, tolerance = 1e-6 }";
    for (normalization, dim) in [("\"softmax\"", 3), (sinkhorn, 4)] {
        let text = EXPERIMENT
            .replace("count = 4\ndim = 3\nreplicas = 2", &large.replace('3', &dim.to_string()))
            .replace("\"softmax\"", normalization)
            .replace("name = ", "algorithm = \"direct\"\nname = ")
            .replace("energy", "moments");
        let experiment = Experiment::parse(&text).expect("an experiment");
        let claim = Claim::vacant(root.path(), "run").expect("a folder");
        let mut steps = 0;
        let outcome = pollster::block_on(run(&experiment, claim, &Machine::CpuSingle, |event| {
            match event {
                Event::Started { cancel, .. } => {
                    let cancel = cancel.clone();
                    std::thread::spawn(move || {
                        std::thread::sleep(std::time::Duration::from_millis(100));
                        cancel.request();
                    });
                }
                Event::Steps(done) => steps = done,
                _ => {}
            }
            Continue(())
        }));
        let error = outcome.expect_err("it was cancelled");
        assert!(matches!(error, RunError::Cancelled { .. }), "{error:?}");
        assert_eq!(steps, 0, "the first step was completed before it was cancelled");
    }
}

/// What was in memory is kept in the folder, and the experiment there means the same problem.
#[test]
fn a_run_of_arrays_in_memory_can_be_repeated_from_its_folder() {
    let mut arrays = Arrays::default();
    arrays.insert("x0", &[2, 2], vec![1.0, 0.0, 0.6, 0.8]).expect("an array");
    let text = EXPERIMENT.replace("count = 4\ndim = 3\nreplicas = 2\ninitial = { law = \"uniform\" }", FROM_MEMORY);
    let experiment = Experiment::parse_with(&text, arrays, &[]).expect("an experiment");
    let root = tempfile::tempdir().expect("a folder");
    let claim = Claim::vacant(root.path(), "run").expect("a folder");
    let outcome = pollster::block_on(run(&experiment, claim, &Machine::CpuDouble, |_| Continue(())));
    let folder = outcome.expect("it reaches its end");
    assert_eq!(standing(&folder), Standing::Complete);
    let repeated = Experiment::read(&folder.join("experiment.toml"), &[]).expect("an experiment");
    assert_eq!(repeated.resolve().expect("a problem"), experiment.resolve().expect("a problem"));
    let manifest = std::fs::read_to_string(folder.join("manifest.json")).expect("a manifest");
    assert!(manifest.contains("\"arrays.safetensors\""), "{manifest}");
}

const FROM_MEMORY: &str = "initial = { law = \"file\", path = \"x0\" }";
