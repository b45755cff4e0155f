//! What is run here, and what it leaves when it is left alone.

use std::{
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
/// Three batches of two cells, and four cells that run alone.
const SWEEP: &str = r#"
base = "base.toml"
[axes]
"attention.beta" = [1.0, 4.0]
"tokens.count" = [8, 12, 16, 520, 530]
[[fit]]
quantity = "log_energy"
variable = "tokens.count"
"#;
/// Of the base experiment, so that larger cells take no longer than others.
const SHORT: [&str; 4] = ["--set", "time.end=0.4", "--set", "tokens.replicas=1"];

/// A folder that a command leaves which nobody disturbs.
pub struct Whole {
    pub folder: PathBuf,
    /// How long it took.
    pub life: Duration,
}

pub struct Bench {
    pub run: Whole,
    pub sweep: Whole,
    /// Without pictures.
    pub workers: Whole,
    folder: TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        fs::write(folder.path().join("base.toml"), BASE).expect("a file");
        fs::write(folder.path().join("sweep.toml"), SWEEP).expect("a file");
        let whole = |name: &str, arguments: &[&str]| {
            let out = folder.path().join(name);
            let started = Instant::now();
            let output = command(folder.path(), arguments, &out).output().expect("the program starts");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Whole { life: started.elapsed(), folder: out }
        };
        let run = whole("run", &["run", "base.toml"]);
        let (sweep, workers) = (["sweep", "sweep.toml"], ["sweep", "sweep.toml", "--no-plot"]);
        Self { run, sweep: whole("sweep", &sweep), workers: whole("workers", &workers), folder }
    }

    /// A command that leaves `out`.
    pub fn command(&self, arguments: &[&str], out: &Path) -> Command {
        command(self.folder.path(), arguments, out)
    }
}

fn command(folder: &Path, arguments: &[&str], out: &Path) -> Command {
    let program = std::env::var_os("TOKENFIELD_KILLS_PROGRAM");
    let mut command = Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_tokenfield").into()));
    command.args(arguments).args(["--backend", "cpu", "--out"]).arg(out).current_dir(folder);
    match arguments[0] {
        "sweep" => command.args(SHORT),
        // One that is complete is not run again, so that its pictures would be missing.
        _ => command.arg("--no-plot"),
    };
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}
