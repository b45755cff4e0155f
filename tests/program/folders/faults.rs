//! What becomes of a run when its folder does not stay what it was.

use std::fs;

use super::{Bench, assert_ends, manifest, names, said, until};

/// More numbers of the limit than of the tokens, so that a disk may have room for one and not for the other.
const BESIDE: [&str; 8] = [
    "--set",
    "time.end=4.0",
    "--set",
    "observe.quantities=[\"moments\", \"coupling_error\"]",
    "--set",
    "reference={ kind = \"particles\", count = 4000 }",
    "--set",
    "result=[]",
];

#[test]
fn a_disk_without_room_for_a_checkpoint_does_not_end_a_run() {
    let bench = Bench::new();
    assert_ends(&bench.run("good", &BESIDE), 0, &[]);
    // 4000 nodes are 96 kB and more.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";
    let mut command = std::process::Command::new("sh");
    command.args([
        "-c",
        script,
        env!("CARGO_BIN_EXE_tokenfield"),
        "run",
        "base.toml",
        "--backend",
        "cpu",
        "--no-plot",
    ]);
    command.args(["--out", "out", "--checkpoint", "1steps"]).args(BESIDE).current_dir(&bench.folder);
    let output = command.output().expect("a shell");
    assert_ends(&output, 0, &["warning: no checkpoint at time", "limit.npy", "make room"]);
    for name in ["samples.csv", "tokens.npy"] {
        let bytes = |folder: &str| fs::read(bench.path(folder).join(name)).expect("a file");
        assert_eq!(bytes("out"), bytes("good"), "{name}");
    }
    assert_eq!(names(&bench.path("out")), names(&bench.path("good")), "nothing half-written is left");
    let warnings = manifest(&bench.path("out"))["warnings"].clone();
    assert_eq!(warnings.as_array().map(Vec::len), Some(1), "one of a kind: {warnings}");
}

#[test]
fn a_folder_that_is_moved_can_be_resumed_where_it_is_then() {
    let bench = Bench::new();
    let set = ["--set", "time.end=40.0", "--set", "tokens.count=40", "--set", "result=[]"];
    assert_ends(&bench.run("good", &set), 0, &[]);
    let arguments = ["run", "base.toml", "--backend", "cpu", "--no-plot", "--out", "out", "--checkpoint", "1steps"];
    let mut child = bench.command(&[&arguments, &set[..]].concat()).spawn().expect("it starts");
    let (_, talk) = until(&mut child, "base on cpu");
    while !bench.path("out/checkpoints/000001").exists() {
        assert!(child.try_wait().expect("it is there").is_none(), "it ended too soon");
    }
    fs::rename(bench.path("out"), bench.path("moved")).expect("it moves");
    drop(talk);
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    assert!(!bench.path("out").exists(), "nothing is written where the folder was");
    let resumed = bench.command(&["resume", "moved", "--no-plot"]).output().expect("it starts");
    assert_ends(&resumed, 0, &["goes on from the checkpoint"]);
    for name in names(&bench.path("good")).iter().filter(|name| *name != "manifest.json") {
        let bytes = |folder: &str| fs::read(bench.path(folder).join(name)).expect("a file");
        assert_eq!(bytes("moved"), bytes("good"), "{name}");
    }
}

/// Where nobody may write, root neither.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let bench = Bench::new();
    let output = bench.run("/proc/tokenfield", &[]);
    assert_ends(&output, 2, &["/proc/tokenfield", "choose another folder with --out"]);
    assert!(!said(&output).contains("panicked"));
}
