//! The recipes of `assets/cluster`: their commands are commands of the program, and they do what they say.
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

const BASE: &str = "[tokens]\ncount = 8\ndim = 3\nreplicas = 2\nseed = 7\ninitial = { law = \"uniform\" }\n\
                    [attention]\nbeta = 4.0\nnormalization = \"softmax\"\n\
                    [time]\nscheme = \"heun\"\nstep = 0.1\nend = 1.0\n[observe]\nquantities = [\"energy\"]\n";
const SWEEP: &str = "base = \"base.toml\"\n[axes]\n\"tokens.count\" = [8, 9, 10, 11, 12, 13]\n";

fn recipes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/cluster")
}

fn folder() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    fs::write(folder.path().join("base.toml"), BASE).expect("a file");
    fs::write(folder.path().join("sweep.toml"), SWEEP).expect("a file");
    fs::create_dir(folder.path().join("bin")).expect("a folder");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tokenfield"), folder.path().join("bin/tokenfield"))
        .expect("a link");
    folder
}

/// A program of this name, in place of the system's.
fn stand_in(folder: &Path, name: &str, script: &str) {
    let path = folder.join("bin").join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a file");
}

/// A recipe in that folder, in which `bin` comes first.
fn recipe(folder: &Path, name: &str, arguments: &[&str]) -> Output {
    let path = std::env::var("PATH").expect("a path");
    let mut command = Command::new("bash");
    command.current_dir(folder).arg(recipes().join(name)).args(arguments);
    command.env("PATH", format!("{}:{path}", folder.join("bin").display()));
    // What Slurm tells a job.
    command.envs([("SLURM_JOB_ID", "17"), ("SLURM_CPUS_PER_TASK", "1")]);
    command.output().expect("bash starts")
}

#[track_caller]
fn assert_whole(folder: &Path, out: &str) {
    let whole = Command::new(env!("CARGO_BIN_EXE_tokenfield"))
        .current_dir(folder)
        .args(["sweep", "sweep.toml", "--out", "whole"])
        .output()
        .expect("the program starts");
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    for name in ["cells.csv", "rates.csv"] {
        let read = |out: &str| fs::read(folder.join(out).join(name)).expect("a table");
        assert_eq!(read(out), read("whole"), "{name}");
    }
}

/// Every command of every recipe, with `--help` behind it: options that the program does not know are refused.
#[test]
fn commands_of_recipes_are_known_to_the_program() {
    for (name, count) in [("slurm.sh", 1), ("gnu-parallel.sh", 1), ("hyperqueue-cluster.py", 1), ("Snakefile", 2)] {
        let text = fs::read_to_string(recipes().join(name)).expect("a recipe");
        if name.ends_with(".sh") {
            let checked = Command::new("bash").arg("-n").arg(recipes().join(name)).output().expect("bash starts");
            assert!(checked.status.success(), "{name}: {}", String::from_utf8_lossy(&checked.stderr));
        }
        // Lists of Python are words as well.
        let plain = text.replace("\", \"", " ").replace(", ", " ");
        let commands = plain
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once("tokenfield sweep"));
        let commands: Vec<&str> = commands.map(|(_, rest)| rest).collect();
        assert_eq!(commands.len(), count, "{name}: {commands:?}");
        for command in commands {
            let plain = command.replace(['"', '[', ']'], " ");
            let words = plain.split_whitespace().take_while(|word| *word != "||");
            let mut program = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
            let output = program.arg("sweep").args(words).arg("--help").output().expect("the program starts");
            assert!(output.status.success(), "{name}:{command}: {}", String::from_utf8_lossy(&output.stderr));
            assert!(command.contains("--out") && (command.contains("--worker") || name == "Snakefile"), "{command}");
        }
    }
}

/// Slurm's commands are scripts here; the recipe was run under Slurm as well.
#[test]
fn the_recipe_for_slurm_is_queued_again_where_it_was_stopped() {
    let folder = folder();
    let folder = folder.path();
    stand_in(folder, "scontrol", "echo \"$@\" >> queued");
    let slurm = |srun: &str| {
        stand_in(folder, "srun", srun);
        recipe(folder, "slurm.sh", &["sweep.toml", "out"])
    };
    let stopped = slurm("exit 75");
    assert_eq!(stopped.status.code(), Some(75));
    assert_eq!(fs::read_to_string(folder.join("queued")).expect("a job"), "requeue 17\n");
    assert_eq!(slurm("exit 138").status.code(), Some(138));
    let queued = || fs::read_to_string(folder.join("queued")).expect("a job");
    assert_eq!(queued(), "requeue 17\nrequeue 17\n");
    for code in [1, 2, 137] {
        assert_eq!(slurm(&format!("exit {code}")).status.code(), Some(code));
        assert_eq!(queued().lines().count(), 2, "it would end the same way again");
    }
    let done = slurm("exec \"$@\"");
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    assert_whole(folder, "out");
}

#[test]
#[ignore = "needs GNU parallel, which ./test --all has"]
fn the_recipe_for_gnu_parallel_runs() {
    let folder = folder();
    let output = recipe(folder.path(), "gnu-parallel.sh", &["sweep.toml", "out", "3"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_whole(folder.path(), "out");
}
