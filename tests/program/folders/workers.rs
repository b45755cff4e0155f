//! Workers of one sweep: each takes what nobody has, and leaves the rest to those who are at work on it.

use std::{collections::HashSet, fs, fs::File, process::Output};

use super::{Bench, LOCK, RECORD, assert_ends, names, said};

impl Bench {
    fn worker(&self, out: &str) -> Output {
        self.sweep_command(out, &["--worker"]).output().expect("the program starts")
    }
}

#[test]
fn workers_at_the_same_time_share_the_work() {
    let bench = Bench::new();
    assert_ends(&bench.sweep("alone"), 0, &[]);
    let workers = [0; 4].map(|_| bench.sweep_command("shared", &["--worker"]).spawn().expect("it starts"));
    let mut begun = Vec::new();
    for worker in workers {
        let output = worker.wait_with_output().expect("it ends");
        assert_ends(&output, 0, &[]);
        let cells = said(&output);
        begun.extend(cells.lines().filter(|line| line.starts_with("cell ")).map(str::to_owned));
    }
    begun.sort();
    // Two cells together, and two alone: nothing is computed twice.
    assert_eq!(begun.len(), 3, "{begun:?}");
    assert_eq!(bench.tables("shared"), bench.tables("alone"));
    assert_eq!(names(&bench.path("shared")), ["cells", "cells.csv", "manifest.json", "rates.csv"]);
    assert!(bench.cells("shared").iter().all(|cell| names(cell) == RECORD));
}

/// Of 16 batches: that six workers begin with the same one has a probability of 16^-5.
#[test]
fn workers_begin_in_different_places() {
    let bench = Bench::new();
    let axes = format!("base = \"base.toml\"\n[axes]\n\"tokens.count\" = {:?}\n", (2..18).collect::<Vec<_>>());
    fs::write(bench.path("sweep.toml"), axes).expect("a file");
    let first = |k| {
        let said = said(&bench.worker(&format!("out-{k}")));
        let line = said.lines().find(|line| line.starts_with("cell ")).map(str::to_owned);
        line.expect("a cell").split(':').next().expect("its number").to_owned()
    };
    let firsts: HashSet<String> = (0..6).map(first).collect();
    assert!(firsts.len() > 1, "{firsts:?}");
}

/// A cell that somebody else holds, who is this test, is left to him.
#[test]
fn a_worker_leaves_cells_in_other_hands() {
    let bench = Bench::new();
    assert_ends(&bench.sweep("out"), 0, &[]);
    let (tables, cells) = (bench.tables("out"), bench.cells("out"));
    // One in whose folder a process died after its run was complete, and one that is to be computed.
    fs::write(cells[1].join(LOCK), "process 1 on the moon\n").expect("a file");
    for cell in [&cells[0], &cells[2]] {
        RECORD.iter().for_each(|name| fs::remove_file(cell.join(name)).expect("it goes"));
    }
    fs::write(cells[0].join(LOCK), "process 1 on the moon\n").expect("a file");
    let lock = File::open(cells[0].join(LOCK)).expect("a file");
    lock.lock().expect("nobody has it");
    let output = bench.worker("out");
    assert_ends(&output, 0, &[" of 4 cells are left to others at work on them"]);
    assert_eq!(names(&cells[0]), [LOCK], "it is left alone");
    assert_eq!(names(&bench.path("out")), ["cells"], "there are no tables of a sweep that lacks cells");
    // He dies.
    drop(lock);
    assert_ends(&bench.worker("out"), 0, &[]);
    assert_eq!(bench.tables("out"), tables);
    assert!(cells.iter().all(|cell| names(cell) == RECORD), "{:?}", cells.iter().map(|cell| names(cell)));
}

#[test]
fn a_cell_that_fails_stops_no_worker() {
    let bench = Bench::new();
    let axes = "base = \"base.toml\"\n[axes]\n\"attention.beta\" = [1, 1000]\n\"tokens.count\" = [8, 9, 10, 600]\n";
    fs::write(bench.path("sweep.toml"), axes).expect("a file");
    let base = fs::read_to_string(bench.path("base.toml")).expect("a file");
    fs::write(bench.path("base.toml"), base.replace("softmax", "unnormalized")).expect("a file");
    let output = bench.worker("out");
    assert_ends(&output, 1, &["no longer finite", "other cells go on"]);
    let manifests = bench.cells("out").into_iter().map(|cell| super::manifest(&cell)["status"].clone());
    let mut statuses: Vec<_> = manifests.map(|status| status.as_str().expect("a status").to_owned()).collect();
    statuses.sort();
    assert_eq!(statuses, [["complete"; 4], ["failed"; 4]].concat());
}

#[test]
fn a_worker_has_no_shard() {
    let bench = Bench::new();
    let output = bench.sweep_command("out", &["--worker", "--shard", "1/2"]).output().expect("the program starts");
    assert_ends(&output, 2, &["--worker", "--shard"]);
    assert!(!bench.path("out").exists());
}

/// As some network file systems are, by a library that stands before the system's.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn a_worker_refuses_a_file_system_without_locks() {
    const WITHOUT: &str = "#[unsafe(no_mangle)]\npub extern \"C\" fn flock(_: i32, _: i32) -> i32 {\n\
                           unsafe { *__errno_location() = 95 };\n-1\n}\n\
                           unsafe extern \"C\" { fn __errno_location() -> *mut i32; }\n";
    let bench = Bench::new();
    fs::write(bench.path("without.rs"), WITHOUT).expect("a file");
    let mut compiler = std::process::Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    compiler.current_dir(&bench.folder).args(["--edition", "2024", "--crate-type", "cdylib", "without.rs"]);
    assert!(compiler.status().expect("a compiler").success());
    let sweep = |out: &str, more: &[&str]| {
        let mut command = bench.sweep_command(out, more);
        command.env("LD_PRELOAD", bench.path("libwithout.so")).output().expect("the program starts")
    };
    let refused = sweep("out", &["--worker"]);
    assert_ends(
        &refused,
        2,
        &["out: its file system gives no locks (Operation not supported", "--out", "--shard K/N"],
    );
    assert!(!bench.path("out").exists());
    // Alone it needs none.
    assert_ends(&sweep("out", &[]), 0, &[]);
    assert_eq!(names(&bench.path("out")), ["cells", "cells.csv", "manifest.json", "rates.csv"]);
}
