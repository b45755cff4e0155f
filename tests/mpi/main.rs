//! The program under mpirun: the bytes of one process on any number of ranks, and what is left when a rank dies.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

/// The program under a launcher, on this machine, however few cores it has and whoever runs it.
fn mpirun(ranks: usize, arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new("mpirun");
    command.args(["-n", &ranks.to_string(), env!("CARGO_BIN_EXE_tokenfield")]).args(arguments).current_dir(folder);
    // MPICH has no such limits; Open MPI 4 and 5 take them from here.
    for (name, value) in [
        ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
        ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
        ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
        ("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"),
        ("RAYON_NUM_THREADS", "1"),
    ] {
        command.env(name, value);
    }
    command
}

fn alone(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
    command.args(arguments).current_dir(folder).output().expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A prime number of tokens in four runs of 4096 or less.
const TOKENS: &str = "tokens = { count = 12889, dim = 3, initial = { law = \"uniform\" } }\n";

fn experiment(folder: &Path, name: &str, rest: &str) -> String {
    let file = format!("{name}.toml");
    fs::write(folder.join(&file), format!("name = \"{name}\"\n{TOKENS}{rest}")).expect("a file");
    file
}

fn assert_same(expected: &Path, found: &Path, place: &str) {
    for file in ["samples.csv", "tokens.npy"] {
        let read = |folder: &Path| fs::read(folder.join(file)).expect("a file of the record");
        assert!(read(expected) == read(found), "{place}: {file} differs");
    }
}

#[test]
fn any_number_of_ranks_leaves_the_bytes_of_one_process() {
    let root = tempfile::tempdir().expect("a folder");
    for (algorithm, precision) in [("harmonic", "single"), ("harmonic", "double"), ("direct", "single")] {
        let rest = format!(
            "algorithm = \"{algorithm}\"\nattention = {{ beta = 4.0, normalization = \"softmax\" }}\n\
             time = {{ scheme = \"heun\", step = 0.1, end = 0.2 }}\n\
             observe = {{ every = 0.1, quantities = [\"moments\", \"energy\", \"overlap\", \"pair_overlap\"] }}\n"
        );
        let file = experiment(root.path(), algorithm, &rest);
        let options = ["--backend", "cpu", "--precision", precision, "--no-plot"];
        let expected = root.path().join(format!("{algorithm}-{precision}"));
        let arguments = |out: &Path| {
            let out = out.display().to_string();
            ["run", &file, "--out", &out].map(str::to_owned).into_iter().chain(options.map(str::to_owned)).collect()
        };
        let typed: Vec<String> = arguments(&expected);
        let output = alone(&typed.iter().map(String::as_str).collect::<Vec<_>>(), root.path());
        assert!(output.status.success(), "{}", said(&output));
        for ranks in [1, 2, 4] {
            let found = root.path().join(format!("{algorithm}-{precision}-{ranks}"));
            let typed: Vec<String> = arguments(&found);
            let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
            let output = mpirun(ranks, &typed, root.path()).output().expect("mpirun starts");
            let place = format!("{algorithm}, {precision}, {ranks} ranks");
            assert!(output.status.success(), "{place}: {}", said(&output));
            let manifest = fs::read_to_string(found.join("manifest.json")).expect("a manifest");
            assert_eq!(manifest.contains(&format!("{ranks} processes")), ranks > 1, "{place}: {manifest}");
            assert_same(&expected, &found, &place);
            // One process talks: the line that a run begins with stands there once.
            assert_eq!(said(&output).matches(&format!("{algorithm} on cpu")).count(), 1, "{}", said(&output));
        }
    }
}

#[test]
fn what_is_wrong_with_the_input_is_said_once() {
    let root = tempfile::tempdir().expect("a folder");
    let rest = "attention = { beta = 1.0, normalization = \"softmax\" }\ntime = { scheme = \"euler\", step = 0.1, end = 0.1 }\n";
    let file = experiment(root.path(), "wrong", rest);
    for (typed, message) in [
        (&["--set", "attention.bate=1.0"][..], "attention.bate"),
        (&["--set", "attention.mask=\"causal\""], "attention.mask"),
        (&["--set", "tokens.count=100"], "start at most 1"),
        (&["--backend", "gpu"], "--backend cpu"),
    ] {
        let arguments = [&["run", &file, "--no-plot"], typed].concat();
        let output = mpirun(2, &arguments, root.path()).output().expect("mpirun starts");
        assert!(!output.status.success(), "{message}");
        assert_eq!(said(&output).matches("tokenfield: ").count(), 1, "{}", said(&output));
        assert!(said(&output).contains(message), "{message}: {}", said(&output));
    }
}

/// The process of this rank whose command line names `marker`.
fn process_of(rank: usize, marker: &str) -> Option<i32> {
    let has = |path: PathBuf, word: &str| {
        fs::read(path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).split('\0').any(|part| part.contains(word)))
    };
    fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).find(
        |pid: &i32| {
            let of = |file: &str| PathBuf::from(format!("/proc/{pid}/{file}"));
            let is_rank = |name: &str| {
                fs::read(of("environ")).is_ok_and(|bytes| {
                    String::from_utf8_lossy(&bytes).split('\0').any(|part| part == format!("{name}={rank}"))
                })
            };
            has(of("cmdline"), marker)
                && ["PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK"].iter().any(|name| is_rank(name))
        },
    )
}

/// A rank is killed when there is a checkpoint; the run ends with an error, what it left is whole, and it goes on to the bytes of a run
/// that nobody disturbed, on another number of ranks.
#[cfg(target_os = "linux")]
#[test]
fn a_rank_that_is_killed_ends_the_run_and_leaves_its_last_checkpoint_whole() {
    let root = tempfile::tempdir().expect("a folder");
    let rest = "algorithm = \"harmonic\"\nattention = { beta = 4.0, normalization = \"softmax\" }\n\
                time = { scheme = \"rk4\", step = 0.01, end = 4.0 }\n\
                observe = { every = 0.1, quantities = [\"moments\", \"energy\"] }\n";
    let file = experiment(root.path(), "killed", rest);
    let out = root.path().join("killed-run");
    let marker = out.display().to_string();
    let options = ["--backend", "cpu", "--no-plot", "--checkpoint", "10steps"];
    let arguments = [&["run", &file, "--out", &marker][..], &options].concat();
    let mut running = mpirun(3, &arguments, root.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("mpirun starts");
    let victim = loop {
        assert!(running.try_wait().expect("it can be asked").is_none(), "it ended before it was disturbed");
        // Until a checkpoint is whole, its folder has another name than its number.
        let has_checkpoint = fs::read_dir(out.join("checkpoints")).is_ok_and(|mut generations| {
            generations
                .any(|folder| folder.is_ok_and(|folder| folder.file_name().to_string_lossy().parse::<u64>().is_ok()))
        });
        match process_of(2, &marker).filter(|_| has_checkpoint) {
            Some(pid) => break pid,
            None => thread::sleep(Duration::from_millis(20)),
        }
    };
    let killed = Command::new("kill").args(["-9", &victim.to_string()]).status().expect("kill starts");
    assert!(killed.success());
    let output = running.wait_with_output().expect("it ends");
    assert!(!output.status.success(), "{}", said(&output));
    // MPICH says so on stdout, Open MPI on stderr.
    let all = String::from_utf8_lossy(&output.stdout).into_owned() + &said(&output);
    assert!(all.contains("signal 9"), "{all}");
    let resumed = mpirun(2, &["resume", &marker, "--no-plot"], root.path()).output().expect("mpirun starts");
    assert!(resumed.status.success(), "{}", said(&resumed));
    let expected = root.path().join("undisturbed");
    let undisturbed = ["run", &file, "--backend", "cpu", "--no-plot", "--out", "undisturbed"];
    let output = alone(&undisturbed, root.path());
    assert!(output.status.success(), "{}", said(&output));
    assert_same(&expected, &out, "after a rank was killed");
}
