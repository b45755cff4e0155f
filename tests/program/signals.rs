//! Runs that are asked to end: by Ctrl-C, by systems and by schedulers.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

const RUN: &str = "[tokens]\ncount = 64\ndim = 3\ninitial = { law = \"uniform\" }\n[attention]\nbeta = 1.0\nnormalization = \"softmax\"\n\
                   [time]\nscheme = \"heun\"\nstep = 0.001\nend = 4.0\n[observe]\nevery = 0.01\nquantities = [\"moments\"]\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(experiment: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("run.toml"), experiment).expect("a file");
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
        let command = command.current_dir(self.0.path()).args(arguments).args(["--no-plot", "--backend", "cpu"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts")
    }
}

fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
    assert!(sent.expect("kill starts").success());
}

/// Waits until a file has come to some length; not for ever.
fn wait_for(path: &Path, bytes: u64) {
    for _ in 0..6000 {
        if fs::metadata(path).is_ok_and(|data| data.len() >= bytes) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{} never had {bytes} bytes", path.display());
}

fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn each_signal_leaves_a_checkpoint_and_an_exit_code_for_schedulers() {
    let folder = Folder::new(RUN);
    let whole = folder.start(&["run", "run.toml", "--out", "whole"]).wait_with_output().expect("it ends");
    assert!(whole.status.success(), "{}", talk(&whole));
    let read = |run: &str, name: &str| fs::read(folder.path(run).join(name)).expect("a file");
    for signal in ["INT", "TERM", "USR1"] {
        let child = folder.start(&["run", "run.toml", "--out", signal]);
        wait_for(&folder.path(signal).join("samples.csv"), 200);
        send(&child, signal);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(75), "{signal}: {}", talk(&output));
        assert!(talk(&output).contains(&format!("`tokenfield resume {signal}` goes on")), "{}", talk(&output));
        let manifest = String::from_utf8(read(signal, "manifest.json")).expect("text");
        assert!(manifest.contains("\"interrupted\""), "{manifest}");
        let resumed = folder.start(&["resume", signal]).wait_with_output().expect("it ends");
        assert!(resumed.status.success(), "{}", talk(&resumed));
        assert!(talk(&resumed).contains("goes on from the checkpoint at time"), "{}", talk(&resumed));
        for name in ["samples.csv", "tokens.npy", "experiment.toml"] {
            assert_eq!(read(signal, name), read("whole", name), "{name} after {signal}");
        }
        assert!(!folder.path(signal).join("checkpoints").exists(), "they have served");
        let again = folder.start(&["resume", signal]).wait_with_output().expect("it ends");
        assert_eq!(again.status.code(), Some(2), "{}", talk(&again));
        assert!(
            talk(&again).contains("there is no checkpoint to go on from (its run is complete)"),
            "{}",
            talk(&again)
        );
    }
}

/// One step of these takes minutes.
#[test]
fn a_second_signal_ends_a_run_at_once() {
    use std::os::unix::process::ExitStatusExt;
    let slow = RUN.replace("count = 64", "count = 400000").replace("[tokens]", "algorithm = \"direct\"\n[tokens]");
    let folder = Folder::new(&slow);
    let child = folder.start(&["run", "run.toml", "--out", "slow"]);
    wait_for(&folder.path("slow/samples.csv"), 1);
    send(&child, "INT");
    std::thread::sleep(Duration::from_millis(300));
    send(&child, "INT");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.signal(), Some(2), "{}", talk(&output));
}

#[test]
fn intervals_and_folders_that_are_wrong_are_named() {
    let folder = Folder::new(RUN);
    let refused = |arguments: &[&str], words: &[&str]| {
        let output = folder.start(arguments).wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(2), "{}", talk(&output));
        for word in words {
            assert!(talk(&output).contains(word), "{}", talk(&output));
        }
    };
    refused(&["run", "run.toml", "--checkpoint", "10"], &["--checkpoint", "10m"]);
    refused(&["resume", "nowhere"], &["nowhere: there is no checkpoint", "tokenfield run"]);
    assert!(!folder.path("nowhere").exists());
}

/// A cell that runs alone is gone on with, and the tables are those of a sweep that was never stopped.
#[test]
fn a_sweep_that_is_interrupted_goes_on_within_a_cell() {
    let folder = Folder::new(RUN);
    let sweep = "base = \"run.toml\"\n[axes]\n\"time.step\" = [0.001, 0.002]\n";
    fs::write(folder.path("sweep.toml"), sweep).expect("a file");
    let whole = folder.start(&["sweep", "sweep.toml", "--out", "whole"]).wait_with_output().expect("it ends");
    assert!(whole.status.success(), "{}", talk(&whole));
    for mode in [vec![], vec!["--worker"]] {
        let out = format!("cut{}", mode.len());
        let arguments = [&["sweep", "sweep.toml", "--out", &out], &mode[..]].concat();
        let child = folder.start(&arguments);
        let cells = folder.path(&out).join("cells");
        let mut begun = None;
        for _ in 0..6000 {
            let mut entries = fs::read_dir(&cells).into_iter().flatten().flatten().map(|entry| entry.path());
            begun = entries.find(|cell| fs::metadata(cell.join("samples.csv")).is_ok_and(|data| data.len() > 200));
            if begun.is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        send(&child, "TERM");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(75), "{}", talk(&output));
        assert!(talk(&output).contains("run the same sweep again to go on"), "{}", talk(&output));
        let cell = begun.expect("a cell has begun");
        assert!(cell.join("checkpoints").exists() || cell.join("tokens.npy").exists());
        let again = folder.start(&arguments).wait_with_output().expect("it ends");
        assert!(again.status.success(), "{}", talk(&again));
        assert!(talk(&again).contains("goes on from the checkpoint at time"), "{}", talk(&again));
        for name in ["cells.csv", "rates.csv"] {
            let bytes = |sweep: &str| fs::read(folder.path(sweep).join(name)).expect("a table");
            assert_eq!(bytes(&out), bytes("whole"), "{name}");
        }
    }
}
