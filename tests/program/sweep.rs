//! `tokenfield sweep` from outside: it goes on where it was stopped, shards add up, and rates are what they should be.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

const BASE: &str = r#"
[tokens]
count = 64
dim = 3
replicas = 24
seed = 7
initial = { law = "von-mises-fisher", concentration = 1.5, axis = [0, 0, 1] }
[attention]
beta = 2.0
normalization = "softmax"
[time]
scheme = "heun"
step = 0.05
end = 1.0
[observe]
quantities = ["coupling_error"]
[reference]
kind = "zonal"
"#;

const SWEEP: &str = r#"
base = "base.toml"
[axes]
"attention.normalization" = ["softmax", "shifted"]
"tokens.count" = [64, 256, 1024]
[[fit]]
quantity = "coupling_error"
variable = "tokens.count"
expected = -0.5
"#;

fn files(folder: &Path, sweep: &str) {
    fs::write(folder.join("base.toml"), BASE).expect("a file");
    fs::write(folder.join("rates.toml"), sweep).expect("a file");
}

fn command(folder: &Path, out: &str, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
    command.current_dir(folder).args(["sweep", "rates.toml", "--backend", "cpu", "--out", out]).args(options);
    command
}

fn sweep(folder: &Path, out: &str, options: &[&str]) -> Output {
    command(folder, out, options).output().expect("the command starts")
}

#[track_caller]
fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn tables(folder: &Path, out: &str) -> [Vec<u8>; 2] {
    ["cells.csv", "rates.csv"].map(|name| fs::read(folder.join(out).join(name)).expect("a table"))
}

/// Killed again and again, each time after one more cell has begun, until it gets through, a sweep ends with the same bytes as one
/// that was left alone.
#[test]
fn a_sweep_that_is_killed_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    files(folder, SWEEP);
    assert_done(&sweep(folder, "whole", &[]));
    for kills in 1.. {
        let mut sweep = command(folder, "killed", &[]);
        let mut child = sweep.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it starts");
        let talk = BufReader::new(child.stderr.take().expect("a pipe"));
        let begun = talk.lines().map(|line| line.expect("text")).filter(|line| line.starts_with("cell "));
        // The one after the last begins never: the sweep ends.
        if begun.take(kills).count() < kills {
            assert!(child.wait().expect("a status").success());
            assert!(kills > 2, "it ended before it could be killed");
            break;
        }
        // Nothing to kill if it has ended.
        let _ = child.kill();
        child.wait().expect("a status");
    }
    assert_eq!(tables(folder, "killed"), tables(folder, "whole"));
}

#[test]
fn shards_add_up_to_one_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    files(folder, SWEEP);
    assert_done(&sweep(folder, "whole", &[]));
    assert_done(&sweep(folder, "shards", &["--shard", "1/2"]));
    assert!(!folder.join("shards/rates.csv").exists(), "half of the cells have no rates yet");
    assert_done(&sweep(folder, "shards", &["--shard", "2/2"]));
    assert_eq!(tables(folder, "shards"), tables(folder, "whole"));
}

#[test]
fn rates_are_one_row_for_each_value_of_the_other_axes() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    files(folder, SWEEP);
    assert_done(&sweep(folder, "out", &[]));
    let mut reader = csv::Reader::from_path(folder.join("out/rates.csv")).expect("a table");
    let header = reader.headers().expect("a header").clone();
    let header: Vec<&str> = header.iter().take(6).collect();
    assert_eq!(header, ["quantity", "variable", "slope", "slope_low", "slope_high", "expected"]);
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("rows");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows.iter().map(|row| &row[9]).collect::<Vec<_>>(), ["softmax", "shifted"]);
    for row in rows {
        let number = |index: usize| row[index].parse::<f64>().expect("a number");
        assert!((number(2) + 0.5).abs() < 0.15, "propagation of chaos: {row:?}");
        assert!(number(3) < number(2) && number(2) < number(4), "{row:?}");
    }
    let cells = fs::read_to_string(folder.join("out/cells.csv")).expect("a table");
    assert_eq!(cells.lines().count(), 1 + 6 * 24);
}

#[test]
fn wrong_sweeps_are_refused_before_anything_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for (sweep_file, says) in [
        (SWEEP.replace("tokens.count", "tokens.cuont"), "tokens.cuont"),
        (SWEEP.replace("variable = \"tokens.count\"", "variable = \"tokens.dim\""), "fit.0.variable"),
        (SWEEP.replace("[64, 256, 1024]", "[64, 0]"), "tokens.count"),
        (SWEEP.replace("[64, 256, 1024]", "64"), "axes"),
        (SWEEP.replace("base.toml", "absent.toml"), "absent.toml"),
        (SWEEP.replace("coupling_error", "mean_norm"), "fit.0.quantity"),
    ] {
        files(folder, &sweep_file);
        let output = sweep(folder, "out", &[]);
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{talk}");
        assert!(talk.contains(says), "no word of {says}: {talk}");
        assert!(!folder.join("out").exists(), "something was written");
    }
    files(folder, SWEEP);
    let output = sweep(folder, "out", &["--shard", "3/2"]);
    assert_eq!(output.status.code(), Some(2));
}

const SMALL: &str = r#"
[tokens]
count = 20
dim = 3
replicas = 3
seed = 7
initial = { law = "uniform" }
[attention]
beta = 2.0
normalization = "softmax"
[time]
scheme = "heun"
step = 0.05
end = 1.0
[observe]
every = 0.5
quantities = ["moments", "energy", "tokens"]
"#;

/// Forty cells of one shape, which run as replicas of one problem, leave what each leaves by itself.
#[test]
fn cells_of_one_shape_run_as_one_and_are_what_they_are_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs::write(folder.join("base.toml"), SMALL).expect("a file");
    let axes = "base = \"base.toml\"\n[axes]\n\"attention.beta\" = [0.5, 1, 2, 4, 8]\n\"tokens.seed\" = [1, 2, 3, 4, 5, 6, 7, 8]\n";
    fs::write(folder.join("rates.toml"), axes).expect("a file");
    let output = sweep(folder, "out", &["--precision", "double"]);
    assert_done(&output);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("cell 1 of 40 and 39 like it"), "{said}");
    let cells = fs::read_to_string(folder.join("out/cells.csv")).expect("a table");
    let row = |beta: &str, seed: &str| {
        let key = format!(",0,{beta},{seed},");
        cells.lines().find(|line| line.contains(&key)).expect("a cell").split(',').next().expect("an id").to_owned()
    };
    for (beta, seed) in [("0.5", "1"), ("8", "8"), ("2", "5")] {
        let alone = format!("alone-{beta}-{seed}");
        let set = [format!("attention.beta={beta}"), format!("tokens.seed={seed}")];
        let mut run = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
        run.current_dir(folder).args(["run", "base.toml", "--backend", "cpu", "--precision", "double", "--no-plot"]);
        run.args(["--out", &alone, "--set", &set[0], "--set", &set[1]]);
        assert_done(&run.output().expect("the command starts"));
        let cell = folder.join("out/cells").join(row(beta, seed));
        let manifest = |folder: &Path| -> serde_json::Value {
            serde_json::from_slice(&fs::read(folder.join("manifest.json")).expect("a file")).expect("a manifest")
        };
        for key in ["seed", "pairs_evaluated"] {
            assert_eq!(manifest(&cell)[key], manifest(&folder.join(&alone))[key], "{key}");
        }
        for name in ["experiment.toml", "samples.csv"] {
            let read = |folder: &Path| fs::read_to_string(folder.join(name)).expect("a file");
            let (found, expected) = (read(&cell), read(&folder.join(&alone)));
            assert_eq!(found.lines().count(), expected.lines().count(), "{name}");
            for (found, expected) in found.lines().zip(expected.lines()) {
                let numbers = |line: &str| line.split(',').filter_map(|x| x.parse::<f64>().ok()).collect::<Vec<_>>();
                assert_eq!(numbers(found).len(), numbers(expected).len(), "{found}\n{expected}");
                let same = numbers(found).iter().zip(numbers(expected)).all(|(a, b)| (a - b).abs() < 1e-11);
                assert!(
                    same && (name == "samples.csv" || found == expected || found.contains("name")),
                    "{found}\n{expected}"
                );
            }
        }
        let tokens = |folder: &Path, name: &str| -> Vec<f64> {
            let array: ndarray::ArrayD<f64> = ndarray_npy::read_npy(folder.join(name)).expect("an array");
            array.into_iter().collect()
        };
        for name in ["tokens.npy", "trajectory.npy"] {
            let (found, expected) = (tokens(&cell, name), tokens(&folder.join(&alone), name));
            assert_eq!(found.len(), expected.len());
            assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-11), "{name}");
        }
    }
    // A cell that is lost is computed again, with the same bytes; the others stay as they are.
    let lost = folder.join("out/cells").join(row("4", "2"));
    let bytes =
        |folder: &Path| ["tokens.npy", "samples.csv"].map(|name| fs::read(folder.join(name)).expect("a file"));
    let (before, kept) = (bytes(&lost), folder.join("out/cells").join(row("4", "3")).join("manifest.json"));
    let kept_before = fs::metadata(&kept).and_then(|data| data.modified()).expect("a time");
    fs::remove_dir_all(&lost).expect("a folder goes");
    assert_done(&sweep(folder, "out", &["--precision", "double"]));
    assert_eq!(bytes(&lost), before);
    assert_eq!(fs::metadata(&kept).and_then(|data| data.modified()).expect("a time"), kept_before);
}

/// A cell that diverges fails by itself; those that ran with it are complete.
#[test]
fn a_cell_that_diverges_stops_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs::write(folder.join("base.toml"), SMALL.replace("softmax", "unnormalized")).expect("a file");
    let axes = "base = \"base.toml\"\n[axes]\n\"attention.beta\" = [1, 2, 1000]\n";
    fs::write(folder.join("rates.toml"), axes).expect("a file");
    let output = sweep(folder, "out", &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("no longer finite") && said.contains("each of these cells runs by itself"), "{said}");
    let sharp = fs::read_dir(folder.join("out/cells")).expect("cells").map(|cell| cell.expect("a cell").path());
    let is_sharp = |cell: &std::path::PathBuf| {
        fs::read_to_string(cell.join("experiment.toml")).expect("a file").contains("beta = 1000")
    };
    let id = sharp.into_iter().find(is_sharp).expect("a cell");
    let id = id.file_name().expect("a name").to_string_lossy();
    let blamed = said.lines().find(|line| line.contains("each of these cells")).expect("a line");
    assert!(
        blamed.contains(&*id) && blamed.contains("of replica 0 "),
        "the cell to blame, and its own replica: {blamed}"
    );
    let cells = fs::read_dir(folder.join("out/cells")).expect("cells");
    let manifests =
        cells.map(|cell| fs::read_to_string(cell.expect("a cell").path().join("manifest.json")).expect("a manifest"));
    let mut statuses: Vec<bool> = manifests.map(|text| text.contains("\"status\": \"complete\"")).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [false, true, true]);
}

#[test]
fn values_that_mean_the_same_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs::write(folder.join("base.toml"), SMALL).expect("a file");
    fs::write(folder.join("rates.toml"), "base = \"base.toml\"\n[axes]\n\"attention.beta\" = [1, 2, 1.0]\n")
        .expect("a file");
    let output = sweep(folder, "out", &[]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("attention.beta = 1.0") && said.contains("same experiment as a cell before it"), "{said}");
    assert!(!folder.join("out").exists());
}

/// The rows of `rates.csv`, each from the slope to the note.
fn fits(folder: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(folder.join("out/rates.csv")).expect("a table");
    let header: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    assert_eq!(header[8], "note");
    let row = |row: Result<csv::StringRecord, _>| -> Vec<String> {
        row.expect("a row").iter().skip(2).take(7).map(str::to_owned).collect()
    };
    reader.records().map(row).collect()
}

#[test]
fn one_replica_has_no_interval_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    files(folder, &SWEEP.replace("[\"softmax\", \"shifted\"]", "[\"softmax\"]"));
    fs::write(folder.join("base.toml"), BASE.replace("replicas = 24", "replicas = 1")).expect("a file");
    let output = sweep(folder, "out", &[]);
    assert_done(&output);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let note = "no interval: a cell has one replica";
    let line = format!("fit of coupling_error over tokens.count, attention.normalization = softmax: {note}\n");
    assert!(said.contains(&line), "{said}");
    let [row] = &fits(folder)[..] else { panic!("one fit") };
    assert!(row[0].parse::<f64>().expect("a slope") < 0.0, "{row:?}");
    assert_eq!([&row[1], &row[2], &row[4], &row[6]], ["", "", "", note], "{row:?}");
    assert!(!row[5].contains('['), "{row:?}");
}

/// Tokens all in one place have w2_dirac = 0.
#[test]
fn an_empty_fit_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let base = BASE.replace("concentration = 1.5", "concentration = inf").replace("coupling_error", "w2_dirac");
    files(
        folder,
        &SWEEP.replace("coupling_error", "w2_dirac").replace("[\"softmax\", \"shifted\"]", "[\"softmax\"]"),
    );
    let base = base.replace("replicas = 24", "replicas = 2").replace("[reference]\nkind = \"zonal\"\n", "");
    fs::write(folder.join("base.toml"), base).expect("a file");
    let output = sweep(folder, "out", &["--precision", "double"]);
    assert_done(&output);
    let [row] = &fits(folder)[..] else { panic!("one fit") };
    let note = "no slope: 6 of 6 numbers have no logarithm; the first is 0, number 0 (from 0) of the cell where the key is 64";
    assert_eq!(row[6], note, "{row:?}");
    assert!(row[..3].iter().chain([&row[4], &row[5]]).all(String::is_empty), "{row:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains(note));
}
