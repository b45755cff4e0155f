//! What is run here, and what it leaves when it is left alone.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

const BASE: &str = r#"
[tokens]
count = 24
dim = 3
replicas = 3
seed = 7
initial = { law = "uniform" }
[attention]
beta = 4.0
normalization = "softmax"
[time]
scheme = "heun"
step = 0.1
end = 8.0
[observe]
every = 0.1
quantities = ["moments", "energy", "tokens"]
[[result]]
name = "end"
last = "log_energy"
"#;
/// Two batches of two cells, and two cells that run alone.
const SWEEP: &str = r#"
base = "base.toml"
[axes]
"attention.beta" = [1.0, 4.0]
"tokens.count" = [8, 12, 520]
[[fit]]
quantity = "log_energy"
variable = "tokens.count"
"#;
/// Of the base experiment, so that larger cells take no longer than others.
const SHORT: [&str; 4] = ["--set", "time.end=0.4", "--set", "tokens.replicas=1"];
const NIGHTLY: [&str; 6] = [
    "--set",
    "time.end=0.5",
    "--set",
    "observe.every=0.5",
    "--set",
    "observe.quantities=[\"moments\", \"energy\", \"tokens\"]",
];

/// 600 cells: 60 of them in batches, and 540 that run alone, each of a fraction of a second.
const NIGHT: &str = r#"
base = "base.toml"
[axes]
"tokens.count" = [16, 24, 520, 560, 600, 640, 680, 720, 760, 800, 830, 880, 920, 960, 1000, 1040, 1070, 1120, 1160, 1200]
"tokens.seed" = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30]
[[fit]]
quantity = "log_energy"
variable = "tokens.count"
"#;

/// A folder that a command leaves which nobody disturbs.
pub struct Whole {
    pub folder: PathBuf,
    /// How long it took.
    pub life: Duration,
}

pub struct Bench {
    pub whole: Whole,
    folder: TempDir,
    short: &'static [&'static str],
}

impl Bench {
    /// One run.
    pub fn of_a_run(arguments: &[&str]) -> Self {
        Self::of(SWEEP, &[], arguments)
    }

    /// A sweep that takes no longer than that.
    pub fn of_a_sweep(arguments: &[&str]) -> Self {
        Self::of(SWEEP, &SHORT, arguments)
    }

    /// A sweep of many cells.
    pub fn of_a_night(arguments: &[&str]) -> Self {
        Self::of(NIGHT, &NIGHTLY, arguments)
    }

    fn of(sweep: &str, short: &'static [&str], arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        fs::write(folder.path().join("base.toml"), BASE).expect("a file");
        fs::write(folder.path().join("sweep.toml"), sweep).expect("a file");
        let whole = Whole { folder: folder.path().join("whole"), life: Duration::ZERO };
        let mut bench = Self { whole, folder, short };
        let started = Instant::now();
        let output = bench.command(arguments, &bench.whole.folder).output().expect("the program starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        bench.whole.life = started.elapsed();
        bench
    }

    /// A command that leaves `out`.
    pub fn command(&self, arguments: &[&str], out: &Path) -> Command {
        let mut command = self.program(&[]);
        command.args(arguments).args(["--backend", "cpu", "--out"]).arg(out).args(self.short);
        command
    }

    /// The program, with these arguments.
    pub fn program(&self, arguments: &[&OsStr]) -> Command {
        let program = std::env::var_os("TOKENFIELD_KILLS_PROGRAM");
        let mut command = Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_tokenfield").into()));
        command.args(arguments).current_dir(&self.folder).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}
