//! A launcher has started several processes of a build without MPI: none of them may do the work of all.

use std::{fs, process::Command};

#[test]
fn processes_that_cannot_share_a_run_say_so_and_write_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let experiment = "name = \"small\"\ntokens = { count = 4, dim = 3, initial = { law = \"uniform\" } }\n\
                      attention = { beta = 1.0, normalization = \"softmax\" }\n\
                      time = { scheme = \"euler\", step = 0.1, end = 0.1 }\n";
    fs::write(folder.path().join("small.toml"), experiment).expect("a file");
    for name in ["PMI_SIZE", "OMPI_COMM_WORLD_SIZE"] {
        let run = |size: &str, out: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_tokenfield"));
            command.args(["run", "small.toml", "--backend", "cpu", "--no-plot", "--out", out]);
            command.env(name, size).current_dir(folder.path()).output().expect("the program starts")
        };
        let output = run("2", "many");
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("--features mpi") && said.contains("start one process"), "{said}");
        assert!(!folder.path().join("many").exists());
        let output = run("1", name);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
