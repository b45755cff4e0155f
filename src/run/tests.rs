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

/// The tokens of a run in C order and their shape, from whichever form they have.
fn kept(folder: &std::path::Path) -> (Vec<usize>, Vec<f32>) {
    let file = folder.join("trajectory.npy");
    if file.exists() {
        let array: ndarray::ArrayD<f32> = ndarray_npy::read_npy(file).expect("an array");
        return (array.shape().to_vec(), array.iter().copied().collect());
    }
    let group = folder.join("trajectory.zarr/tokens");
    let text = std::fs::read(group.join("zarr.json")).expect("metadata");
    let about: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    let shape =
        about["shape"].as_array().expect("a list").iter().map(|size| size.as_u64().expect("a number") as usize);
    let shape: Vec<usize> = shape.collect();
    // A sample of few tokens is one chunk.
    let chunk = |sample| std::fs::read(group.join(format!("c/{sample}/0/0/0"))).expect("a chunk");
    let bytes: Vec<u8> = (0..shape[0]).flat_map(chunk).collect();
    (shape, bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect())
}

fn run_of(text: &str, folder: &std::path::Path) {
    let experiment = Experiment::parse(text).expect("an experiment");
    let claim = Claim::attempt(folder).expect("a folder").expect("nobody has it");
    pollster::block_on(run(&experiment, claim, &Machine::CpuSingle, |_| Continue(()))).expect("it reaches its end");
    assert_eq!(standing(folder), Standing::Complete);
}

/// Some tokens at times between those of the samples are what is kept of all tokens at all times.
#[test]
fn some_tokens_at_times_of_their_own_are_those_of_all() {
    let root = tempfile::tempdir().expect("a folder");
    let text = |observe: &str| {
        EXPERIMENT.replace("count = 4", "count = 9").replace("every = 0.1\nquantities = [\"energy\"]", observe)
    };
    let all = root.path().join("all");
    run_of(&text("every = 0.1\nquantities = [\"tokens\"]"), &all);
    let (shape, everything) = kept(&all);
    assert_eq!(shape, [6, 2, 9, 3]);
    for (format, quantities) in
        [("npy", "\"energy\""), ("zarr", "\"energy\""), ("zarr", "\"energy\", \"pair_overlap\"")]
    {
        let some = root.path().join(format!("{format}-{}", quantities.len()));
        let tokens = format!("tokens = {{ every = 0.2, sample = 4, format = \"{format}\" }}");
        run_of(&text(&format!("every = 0.3\nquantities = [{quantities}, \"tokens\"]\n{tokens}")), &some);
        let samples = std::fs::read_to_string(some.join("samples.csv")).expect("samples");
        let times: Vec<&str> =
            samples.lines().skip(1).step_by(2).map(|row| row.split(',').nth(1).expect("a time")).collect();
        assert_eq!(
            times,
            ["0", "0.3", "0.5"].map(|time| times.iter().find(|own| own.starts_with(time)).copied().unwrap_or(time))
        );
        let (times, numbers): (Vec<f64>, Vec<u64>) = match format {
            "npy" => {
                let read = |name: &str| some.join(name);
                let times: ndarray::Array1<f64> = ndarray_npy::read_npy(read("trajectory_times.npy")).expect("times");
                let numbers: ndarray::Array1<u64> =
                    ndarray_npy::read_npy(read("trajectory_tokens.npy")).expect("numbers");
                (times.to_vec(), numbers.to_vec())
            }
            _ => {
                let read = |name: &str| std::fs::read(some.join("trajectory.zarr").join(name)).expect("a chunk");
                let (times, numbers) = (read("time/c/0"), read("token/c/0"));
                let times = times.as_chunks::<8>().0.iter().map(|number| f64::from_le_bytes(*number)).collect();
                (times, numbers.as_chunks::<8>().0.iter().map(|number| u64::from_le_bytes(*number)).collect())
            }
        };
        assert_eq!(times, [0.0, 0.2, 0.4, 0.5], "the start, every 0.2, and the end");
        assert!(numbers.len() == 4 && numbers.is_sorted_by(|a, b| a < b) && numbers[3] < 9, "{numbers:?}");
        let (shape, found) = kept(&some);
        assert_eq!(shape, [4, 2, 4, 3]);
        let mut expected = Vec::new();
        for sample in [0, 2, 4, 5] {
            for replica in 0..2 {
                for token in &numbers {
                    let at = ((sample * 2 + replica) * 9 + *token as usize) * 3;
                    expected.extend_from_slice(&everything[at..at + 3]);
                }
            }
        }
        assert_eq!(found, expected, "{format}");
    }
}

#[test]
fn a_run_that_stops_keeps_its_last_tokens() {
    let root = tempfile::tempdir().expect("a folder");
    let text = EXPERIMENT
        .replace("end = 0.5", "end = 0.5\nstop = \"time > 0.25\"")
        .replace("[\"energy\"]", "[\"energy\", \"tokens\"]\ntokens = { every = 0.2, format = \"zarr\" }");
    let folder = root.path().join("stopped");
    run_of(&text, &folder);
    let times = std::fs::read(folder.join("trajectory.zarr/time/c/0")).expect("times");
    let times: Vec<f64> = times.as_chunks::<8>().0.iter().map(|number| f64::from_le_bytes(*number)).collect();
    assert_eq!(times, [0.0, 0.2, 0.3]);
    let (shape, found) = kept(&folder);
    let last: ndarray::Array3<f32> = ndarray_npy::read_npy(folder.join("tokens.npy")).expect("tokens");
    assert_eq!((shape, &found[2 * 24..]), (vec![3, 2, 4, 3], last.as_slice().expect("C order")));
}

/// A change to any chunk, or to the list that vouches for them, is seen; a group that nobody vouches for as well.
#[test]
fn chunks_that_were_changed_are_seen() {
    let root = tempfile::tempdir().expect("a folder");
    let text = EXPERIMENT.replace("[\"energy\"]", "[\"energy\", \"tokens\"]\ntokens = { format = \"zarr\" }");
    let folder = root.path().join("run");
    run_of(&text, &folder);
    for name in ["trajectory.zarr/tokens/c/3/0/0/0", "trajectory.zarr/tokens/zarr.json", "trajectory.sha256"] {
        let path = folder.join(name);
        let whole = std::fs::read(&path).expect("a file");
        let mut other = whole.clone();
        other[20] ^= 1;
        std::fs::write(&path, other).expect("a file");
        let found = standing(&folder);
        assert!(matches!(&found, Standing::Broken { path: own, .. } if *own == path), "{name}: {found:?}");
        std::fs::write(&path, whole).expect("a file");
        assert_eq!(standing(&folder), Standing::Complete);
    }
    let again = root.path().join("again");
    run_of(EXPERIMENT, &again);
    std::fs::rename(folder.join("trajectory.zarr"), again.join("trajectory.zarr")).expect("it moves");
    for folder in [&folder, &again] {
        assert!(matches!(standing(folder), Standing::Broken { .. }), "{:?}", standing(folder));
    }
}
