//! A disk without room, at every place of a run.

use std::{fs, process::Command};

use super::{Bench, assert_ends, manifest, names};

/// A disk that takes so many blocks of a file and no more, wherever in a run that is: nothing half-written is left, and nothing that
/// would be in the way of the next attempt.
#[test]
fn a_full_disk_leaves_nothing_in_the_way() {
    // The trajectory needs the most room, and takes it first; then the samples, row by row; then the final tokens, at the end.
    for (count, end, quantities) in
        [(64, "2.0", "\"tokens\""), (8, "10.0", "\"moments\""), (600, "1.0", "\"energy\"")]
    {
        let set = [
            format!("tokens.count={count}"),
            format!("time.end={end}"),
            format!("observe.quantities=[{quantities}]"),
            "result=[{ name = \"end\", last = \"time\" }]".to_owned(),
        ];
        let more: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
        fills_up(&more);
    }
}

fn fills_up(more: &[&str]) {
    let bench = Bench::new();
    assert_ends(&bench.run("good", more), 0, &[]);
    let mut failures = 0;
    for blocks in 0..200 {
        // A file that outgrows its limit fails as on a full disk, if the signal that says so is ignored.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_tokenfield"), "run", "base.toml", "--backend", "cpu"]);
        command.args(["--no-plot", "--out", "out"]).args(more).current_dir(&bench.folder);
        let output = command.output().expect("a shell");
        if output.status.success() {
            break;
        }
        failures += 1;
        assert_ends(&output, 1, &["out/", "cannot be written", "make room"]);
        if bench.path("out").exists() {
            let left = names(&bench.path("out"));
            assert_eq!(left, ["experiment.toml", "manifest.json", "samples.csv"], "{blocks} blocks");
            let samples = fs::read_to_string(bench.path("out/samples.csv")).expect("a file");
            let good = fs::read_to_string(bench.path("good/samples.csv")).expect("a file");
            assert!(good.starts_with(&samples) && samples.ends_with('\n'), "whole rows: {samples}");
            // A manifest that says why finds no room itself, where that is very little.
            let status = manifest(&bench.path("out"))["status"].clone();
            assert!(status == "failed" || status == "running" && blocks < 8, "{blocks} blocks: {status}");
            assert_ends(&bench.plot("out"), 2, &["out: its run "]);
        }
        assert_ends(&bench.run("out", more), 0, &[]);
        for name in names(&bench.path("good")).iter().filter(|name| *name != "manifest.json") {
            let bytes = |folder: &str| fs::read(bench.path(folder).join(name)).expect("a file");
            assert_eq!(bytes("out"), bytes("good"), "{blocks} blocks: {name}");
        }
        fs::remove_dir_all(bench.path("out")).expect("it goes");
    }
    assert!(failures > 5, "the limit did nothing");
}
