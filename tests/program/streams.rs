//! Nobody may be listening: every command with every kind of stdout and stderr that takes nothing.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

const BASE: &str = r#"
name = "base"
[tokens]
count = 8
dim = 3
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
quantities = ["moments", "energy"]
"#;
/// Two cells that run together, and two that run alone.
const SWEEP: &str = "base = \"base.toml\"\n[axes]\n\"attention.beta\" = [1.0, 4.0]\n\"tokens.count\" = [8, 600]\n";

/// What a stream is connected to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stream {
    /// Somebody who reads.
    Read,
    /// A pipe whose reader has gone.
    Gone,
    /// Nothing at all.
    Closed,
    /// A disk without room.
    #[cfg(target_os = "linux")]
    Full,
}

impl Stream {
    fn stdio(self) -> Stdio {
        match self {
            Self::Read => Stdio::piped(),
            Self::Gone => std::io::pipe().expect("a pipe").1.into(),
            // The shell closes it.
            Self::Closed => Stdio::null(),
            #[cfg(target_os = "linux")]
            Self::Full => File::create("/dev/full").expect("a device").into(),
        }
    }
}

#[cfg(target_os = "linux")]
const STREAMS: [Stream; 4] = [Stream::Read, Stream::Gone, Stream::Closed, Stream::Full];
#[cfg(not(target_os = "linux"))]
const STREAMS: [Stream; 3] = [Stream::Read, Stream::Gone, Stream::Closed];

fn is_full(stream: Stream) -> bool {
    !matches!(stream, Stream::Read | Stream::Gone | Stream::Closed)
}

/// The exit code, and what was said on both streams.
fn say(folder: &Path, arguments: &[&str], stdout: Stream, stderr: Stream) -> (Option<i32>, String, String) {
    let closes = |stream: Stream, how: &'static str| if stream == Stream::Closed { how } else { "" };
    let script = format!("exec \"$0\" \"$@\" {} {}", closes(stdout, ">&-"), closes(stderr, "2>&-"));
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_tokenfield")]).args(arguments).current_dir(folder);
    // A driver that is not there is found soon; adapters are the business of other tests.
    command.env("VK_DRIVER_FILES", "/nowhere.json").env("VK_ICD_FILENAMES", "/nowhere.json");
    let child = command.stdout(stdout.stdio()).stderr(stderr.stdio()).spawn().expect("a shell");
    // The pipes of this process must not keep readers alive.
    drop(command);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A command, whether its data is what it prints, and what it leaves in the folder `out`.
struct Case {
    arguments: &'static [&'static str],
    prints: bool,
    leaves: &'static [&'static str],
}

const RUN: [&str; 14] = [
    "experiment.toml",
    "log_energy.png",
    "log_energy.svg",
    "manifest.json",
    "mean.png",
    "mean.svg",
    "mean_norm.png",
    "mean_norm.svg",
    "samples.csv",
    "second_moment_eigenvalue.png",
    "second_moment_eigenvalue.svg",
    "tokens.npy",
    "tokens.png",
    "tokens.svg",
];
const PHASES: [&str; 12] = [
    "cells",
    "cells.csv",
    "final-log_energy.png",
    "final-log_energy.svg",
    "final-mean_norm.png",
    "final-mean_norm.svg",
    "manifest.json",
    "phase-log_energy.png",
    "phase-log_energy.svg",
    "phase-mean_norm.png",
    "phase-mean_norm.svg",
    "rates.csv",
];

const CASES: [Case; 10] = [
    Case { arguments: &["run", "base.toml", "--backend", "cpu", "--out", "out"], prints: false, leaves: &RUN },
    Case { arguments: &["sweep", "sweep.toml", "--backend", "cpu", "--out", "out"], prints: false, leaves: &PHASES },
    Case { arguments: &["plot", "drawn"], prints: false, leaves: &[] },
    Case { arguments: &["check"], prints: true, leaves: &[] },
    Case { arguments: &["devices"], prints: true, leaves: &[] },
    Case {
        arguments: &["bench", "--dim", "2", "--count", "64", "--repeats", "1", "--backend", "cpu"],
        prints: true,
        leaves: &[],
    },
    Case {
        arguments: &["bench", "--dim", "2", "--count", "64", "--repeats", "1", "--backend", "cpu", "--csv"],
        prints: true,
        leaves: &[],
    },
    Case { arguments: &["--help"], prints: true, leaves: &[] },
    Case { arguments: &["sweep", "--help"], prints: true, leaves: &[] },
    Case { arguments: &["--version"], prints: true, leaves: &[] },
];

/// A reader who has gone had enough, and commands whose data is in a folder do not need one. Where a disk has no room for what is
/// printed, that is an error if there is no more than that.
#[test]
fn every_command_ends_well_whoever_listens() {
    let folder = TempDir::new().expect("a temporary folder");
    let folder = folder.path();
    fs::write(folder.join("base.toml"), BASE).expect("a file");
    fs::write(folder.join("sweep.toml"), SWEEP).expect("a file");
    let drawn = ["run", "base.toml", "--backend", "cpu", "--no-plot", "--out", "drawn"];
    assert_eq!(say(folder, &drawn, Stream::Read, Stream::Read).0, Some(0));
    for Case { arguments, prints, leaves } in &CASES {
        for (stdout, stderr) in
            STREAMS.into_iter().flat_map(|stream| [(stream, Stream::Read), (Stream::Read, stream), (stream, stream)])
        {
            let case = format!("{arguments:?} with stdout {stdout:?} and stderr {stderr:?}");
            let (code, data, talk) = say(folder, arguments, stdout, stderr);
            let is_lost = *prints && is_full(stdout);
            assert_eq!(code, Some(i32::from(is_lost)), "{case}: {talk}");
            assert!(!talk.contains("panicked"), "{case}: {talk}");
            if stdout == Stream::Read {
                assert!(!data.is_empty(), "{case}");
            }
            if stderr == Stream::Read {
                assert_eq!(talk.contains("stdout: "), is_full(stdout), "{case}: {talk}");
            }
            if !leaves.is_empty() {
                assert_eq!(files(&folder.join("out")), *leaves, "{case}");
                fs::remove_dir_all(folder.join("out")).expect("it goes");
            }
            let pictures = RUN.iter().filter(|name| name.ends_with("g"));
            if arguments[0] == "plot" {
                for picture in pictures {
                    fs::remove_file(folder.join("drawn").join(picture)).expect("it was drawn");
                }
            }
        }
    }
}

/// Errors have their code, whether anybody reads them or not.
#[test]
fn errors_that_nobody_hears_have_their_code() {
    let folder = TempDir::new().expect("a temporary folder");
    fs::write(folder.path().join("base.toml"), BASE.replace("\"softmax\"", "\"unnormalized\"")).expect("a file");
    let diverging = ["run", "base.toml", "--backend", "cpu", "--out", "out", "--set", "attention.beta=1000.0"];
    for stream in STREAMS {
        assert_eq!(say(folder.path(), &["run", "absent.toml"], stream, stream).0, Some(2), "{stream:?}");
        assert_eq!(say(folder.path(), &["run", "--wrong"], stream, stream).0, Some(2), "{stream:?}");
        assert_eq!(say(folder.path(), &diverging, stream, stream).0, Some(1), "{stream:?}");
        fs::remove_dir_all(folder.path().join("out")).expect("it goes");
    }
}

/// As `head -1` does it: the reader of both streams goes after the first line.
#[test]
fn a_sweep_outlives_its_reader() {
    let folder = TempDir::new().expect("a temporary folder");
    let folder = folder.path();
    fs::write(folder.join("base.toml"), BASE).expect("a file");
    fs::write(folder.join("sweep.toml"), SWEEP).expect("a file");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
    command.args(["sweep", "sweep.toml", "--backend", "cpu", "--out", "out"]).current_dir(folder);
    command.stdout(writer.try_clone().expect("a pipe")).stderr(writer);
    let mut child = command.spawn().expect("it starts");
    drop(command);
    let mut first = String::new();
    BufReader::new(reader.take(4096)).read_line(&mut first).expect("a line");
    assert!(first.starts_with("cell 1 of 4"), "{first}");
    assert!(child.wait().expect("it ends").success());
    assert_eq!(files(&folder.join("out")), PHASES);
}
