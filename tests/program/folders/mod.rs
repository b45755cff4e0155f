//! Run and sweep folders from outside: what is found in them is not trusted, and nobody writes to them at the same time.

mod damage;
mod faults;
#[cfg(unix)]
mod full_disk;
mod workers;

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

const BASE: &str = r#"
name = "base"
[tokens]
count = 8
dim = 3
replicas = 2
seed = 7
initial = { law = "uniform" }
[attention]
beta = 4.0
normalization = "softmax"
[time]
scheme = "heun"
step = 0.1
end = 1.0
[observe]
every = 0.5
quantities = ["moments", "energy", "tokens"]
[[result]]
name = "end"
last = "log_energy"
"#;
/// Two cells that run together, and two that run alone.
const SWEEP: &str = "base = \"base.toml\"\n[axes]\n\"attention.beta\" = [1.0, 4.0]\n\"tokens.count\" = [8, 600]\n";
const LOCK: &str = "tokenfield.lock";

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Bench {
        let folder = TempDir::new().expect("a temporary folder");
        fs::write(folder.path().join("base.toml"), BASE).expect("a file");
        fs::write(folder.path().join("sweep.toml"), SWEEP).expect("a file");
        Bench { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
        command.args(arguments).current_dir(&self.folder).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, out: &str, more: &[&str]) -> Output {
        let arguments = [&["run", "base.toml", "--backend", "cpu", "--no-plot", "--out", out], more].concat();
        self.command(&arguments).output().expect("the program starts")
    }

    fn sweep_command(&self, out: &str, more: &[&str]) -> Command {
        self.command(&[&["sweep", "sweep.toml", "--backend", "cpu", "--no-plot", "--out", out], more].concat())
    }

    fn sweep(&self, out: &str) -> Output {
        self.sweep_command(out, &[]).output().expect("the program starts")
    }

    fn plot(&self, folder: &str) -> Output {
        self.command(&["plot", folder]).output().expect("the program starts")
    }

    fn tables(&self, out: &str) -> [String; 2] {
        ["cells.csv", "rates.csv"].map(|name| fs::read_to_string(self.path(out).join(name)).expect("a table"))
    }

    fn cells(&self, out: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path(out).join("cells")).expect("cells");
        let mut cells: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        cells.sort();
        cells
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn assert_ends(output: &Output, code: i32, says: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for words in says {
        assert!(said.contains(words), "no word of `{words}`: {said}");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

const RECORD: [&str; 6] =
    ["experiment.toml", "manifest.json", "results.csv", "samples.csv", "tokens.npy", "trajectory.npy"];

fn manifest(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(folder.join("manifest.json")).expect("a file")).expect("a manifest")
}

/// Every length and SHA-256 in `manifest`, of files in `folder`, as computed from what is there.
fn assert_vouches(folder: &Path, manifest: &serde_json::Value, names: &[&str]) {
    let files = manifest["files"].as_object().expect("files");
    assert_eq!(files.keys().map(String::as_str).collect::<Vec<_>>(), names);
    for (name, file) in files {
        let bytes = fs::read(folder.join(name)).expect("a file");
        let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((&file["bytes"], &file["sha256"]), (&bytes.len().into(), &sha256.into()), "{name}");
    }
}

#[test]
fn foreign_folders_are_left_alone() {
    let bench = Bench::new();
    for (name, text) in [
        ("cells.csv", "prisoner,cell\n"),
        ("manifest.json", "{ \"name\": \"a web page\" }"),
        ("samples.csv", "replica\n"),
    ] {
        fs::create_dir_all(bench.path("own")).expect("a folder");
        fs::write(bench.path("own").join(name), text).expect("a file");
        assert_ends(&bench.sweep("own"), 2, &[&format!("own/{name}"), "--out"]);
        assert_eq!(names(&bench.path("own")), [name]);
        fs::remove_dir_all(bench.path("own")).expect("it goes");
    }
    fs::write(bench.path("file"), "").expect("a file");
    for output in [bench.sweep("file"), bench.run("file", &[]), bench.plot("file")] {
        assert_ends(&output, 2, &["file"]);
    }
    assert_ends(&bench.run("done", &[]), 0, &[]);
    assert_eq!(names(&bench.path("done")), RECORD);
    assert_ends(&bench.run("done", &[]), 2, &["done: the folder is not empty (its run is complete)"]);
    assert_ends(&bench.plot("absent"), 2, &["absent: there is no run"]);
}

/// Lines of what a child says, until one contains `words`.
fn until(child: &mut Child, words: &str) -> (Vec<String>, BufReader<std::process::ChildStderr>) {
    let mut talk = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        assert!(talk.read_line(&mut line).expect("text") > 0, "no word of `{words}`: {lines:?}");
        lines.push(line);
        if lines[lines.len() - 1].contains(words) {
            return (lines, talk);
        }
    }
}

#[test]
fn sweeps_at_the_same_time_share_the_work() {
    let bench = Bench::new();
    assert_ends(&bench.sweep("alone"), 0, &[]);
    let start = |more: &[&str]| bench.sweep_command("shared", more).spawn().expect("it starts");
    let children = [start(&[]), start(&[]), start(&[])];
    for child in children {
        assert_ends(&child.wait_with_output().expect("it ends"), 0, &[]);
    }
    assert_eq!(bench.tables("shared"), bench.tables("alone"));
    assert_eq!(names(&bench.path("shared")), ["cells", "cells.csv", "manifest.json", "rates.csv"]);
    assert!(bench.cells("shared").iter().all(|cell| names(cell) == RECORD));
    let shards = ["1/3", "2/3", "3/3"]
        .map(|shard| bench.sweep_command("shards", &["--shard", shard]).spawn().expect("it starts"));
    for shard in shards {
        assert_ends(&shard.wait_with_output().expect("it ends"), 0, &[]);
    }
    assert_eq!(bench.tables("shards"), bench.tables("alone"));
}

/// A cell that somebody else holds, who is this test, is left until the end, and waited for.
#[test]
fn a_cell_in_other_hands_is_waited_for() {
    let bench = Bench::new();
    assert_ends(&bench.sweep("out"), 0, &[]);
    let (tables, cells) = (bench.tables("out"), bench.cells("out"));
    for cell in &cells {
        RECORD.iter().for_each(|name| fs::remove_file(cell.join(name)).expect("it goes"));
    }
    fs::write(cells[0].join(LOCK), "process 1 on the moon\n").expect("a file");
    let lock = File::open(cells[0].join(LOCK)).expect("a file");
    lock.lock().expect("nobody has it");
    let folder = cells[0].strip_prefix(bench.folder.path()).expect("inside").display().to_string();
    let held = format!("{folder}: process 1 on the moon is at work on it");
    assert_ends(&bench.plot(&folder), 2, &[&held, "wait"]);
    assert_ends(&bench.run(&folder, &[]), 2, &[&held, "--out"]);
    let mut child = bench.sweep_command("out", &[]).spawn().expect("it starts");
    let (lines, talk) = until(&mut child, "waiting for process 1 on the moon, which is at work on");
    assert!(lines.iter().any(|line| line.starts_with("cell ")), "others are computed first: {lines:?}");
    assert_eq!(names(&cells[0]), [LOCK], "it is left alone");
    drop(lock);
    assert!(child.wait().expect("it ends").success());
    drop(talk);
    assert_eq!(bench.tables("out"), tables);
    assert!(cells.iter().all(|cell| names(cell) == RECORD));
}

/// Long enough to be killed whenever that is.
const LONG: [&str; 6] =
    ["--set", "time.end=1000000.0", "--set", "observe.quantities=[\"moments\"]", "--set", "result=[]"];

#[test]
fn a_run_that_is_killed_is_known_to_be_dead() {
    let bench = Bench::new();
    let arguments = ["run", "base.toml", "--backend", "cpu", "--no-plot", "--out", "out"];
    let mut child = bench.command(&[&arguments, &LONG[..]].concat()).spawn().expect("it starts");
    let (_, talk) = until(&mut child, "base on cpu");
    assert_eq!(manifest(&bench.path("out"))["status"], "running");
    let held = format!("out: process {} on ", child.id());
    assert_ends(&bench.run("out", &[]), 2, &[&held, "is at work on it"]);
    assert_ends(&bench.plot("out"), 2, &[&held, "wait"]);
    child.kill().expect("it goes");
    child.wait().expect("it ends");
    drop(talk);
    assert!(bench.path("out").join(LOCK).exists(), "nobody was left to remove it");
    assert_ends(&bench.plot("out"), 2, &["out: its run was interrupted: nobody is at work on it"]);
    assert_ends(&bench.run("out", &[]), 2, &["not empty (its run was interrupted", "--out"]);
    assert_ends(&bench.run("out", &["--precision", "double"]), 2, &["interrupted"]);
    // The same experiment loses nothing: it has the same samples.
    let mut child = bench.command(&[&arguments, &LONG[..]].concat()).spawn().expect("it starts");
    let (lines, talk) = until(&mut child, "base on cpu");
    assert!(lines[0].contains("out holds what the same experiment left (its run was interrupted"), "{lines:?}");
    child.kill().expect("it goes");
    child.wait().expect("it ends");
    drop(talk);
    fs::write(bench.path("out/notes.txt"), "mine").expect("a file");
    assert_ends(&bench.run("out", &LONG), 2, &["not empty"]);
    assert_eq!(fs::read_to_string(bench.path("out/notes.txt")).expect("a file"), "mine");
}

#[test]
fn runs_at_the_same_time_have_folders_of_their_own() {
    let bench = Bench::new();
    let start = |_| bench.command(&["run", "base.toml", "--backend", "cpu", "--no-plot"]).spawn().expect("it starts");
    let children: Vec<Child> = (0..4).map(start).collect();
    let outputs = children.into_iter().map(|child| child.wait_with_output().expect("it ends"));
    let mut printed: Vec<String> = outputs
        .inspect(|output| assert_ends(output, 0, &[]))
        .map(|output| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
        .collect();
    printed.sort();
    assert_eq!(printed, ["runs/base", "runs/base-2", "runs/base-3", "runs/base-4"]);
    assert!(printed.iter().all(|folder| names(&bench.path(folder)) == RECORD));
}
