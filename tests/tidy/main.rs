//! The invariants of `ARCHITECTURE.md`, read off the sources.

mod arguments;
mod arrows;
mod gates;
mod history;
mod prelude;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// All files under a folder of this repository, with their text.
fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                let text = fs::read_to_string(&path).expect("a text file");
                let relative = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("inside the repository");
                found.push((relative.to_owned(), text));
            }
        }
    }
    assert!(!found.is_empty(), "no .{ending} under {folder}");
    found.sort();
    found
}

/// The code of a file, without comments and without its unit tests.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The rooms whose code contains one of the words.
fn rooms_with(words: &[&str]) -> Vec<String> {
    let is_test =
        |path: &Path| path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests");
    let sources = files("src", "rs").into_iter().chain(files("python/src", "rs"));
    sources
        .filter(|(path, _)| !is_test(path))
        .filter(|(_, text)| words.iter().any(|word| code(text).contains(word)))
        .map(|(path, _)| path.display().to_string())
        .collect()
}

#[track_caller]
fn assert_only_in(words: &[&str], rooms: &[&str]) {
    for file in rooms_with(words) {
        assert!(
            rooms.iter().any(|room| file.starts_with(room)),
            "{file} has one of {words:?}, which belong in {rooms:?}"
        );
    }
    assert!(!rooms_with(words).is_empty(), "{words:?} are nowhere: this check guards nothing");
}

#[test]
fn only_the_graphics_room_sees_wgpu() {
    assert_only_in(&["wgpu::", "use wgpu"], &["src/backend/gpu/"]);
}

#[test]
fn only_one_file_sees_mpi() {
    assert_only_in(&["ferrompi"], &["src/exchange/mpi.rs"]);
}

#[test]
fn only_allocation_scopes_take_memory_on_a_device() {
    assert_only_in(
        &["create_buffer(", "create_buffer_init(", "create_texture("],
        &["src/backend/gpu/engine/allocation.rs"],
    );
}

#[test]
fn only_the_doors_print_and_block() {
    assert_only_in(&["indicatif", "clap::"], &["src/cli/", "src/main.rs"]);
    assert_only_in(&["pollster::", "block_on"], &["src/cli/", "python/src/"]);
}

/// The macros of the standard library panic where nobody reads any more, and where a disk is full.
#[test]
fn one_module_speaks_and_survives_that_nobody_listens() {
    for word in ["println!", "print!", "dbg!"] {
        let found = rooms_with(&[word]);
        assert!(found.is_empty(), "{word} in {found:?}: use src/cli/output.rs");
    }
    assert_only_in(&["stdout()", "stderr()"], &["src/cli/output.rs"]);
}

#[test]
fn only_recorders_and_readers_touch_files() {
    let rooms = [
        "src/record/",
        "src/plot/",
        "src/sweep/",
        "src/experiment/",
        "src/initial/",
        "src/cli/",
        "src/budget/machine.rs",
    ];
    assert_only_in(&["std::fs", "File::create", "fs::"], &rooms);
}

#[test]
fn only_the_loop_reads_the_clock_of_the_equation() {
    assert_only_in(
        &["tableau()", "Tableau"],
        &["src/scheme.rs", "src/problem.rs", "src/backend/", "src/limit/motion.rs", "src/simulate/control.rs"],
    );
}

#[test]
fn libraries_do_not_panic() {
    // `unreachable!` and `assert!` state what cannot happen; these would state that nobody thought about it.
    for word in [".unwrap()", "panic!(", "todo!(", "unimplemented!("] {
        let found = rooms_with(&[word]);
        assert!(found.is_empty(), "{word} in {found:?}");
    }
}

#[test]
fn every_module_says_why_it_exists() {
    for (path, text) in ["src", "tests", "python/src"].into_iter().flat_map(|folder| files(folder, "rs")) {
        assert!(text.starts_with("//! "), "{} has no module header", path.display());
    }
    for (path, text) in ["tokenfield", "tests"].iter().flat_map(|folder| files(&format!("python/{folder}"), "py")) {
        assert!(text.starts_with("\"\"\""), "{} has no module header", path.display());
    }
    for (path, text) in files("shaders", "wgsl") {
        assert!(text.starts_with("// "), "{} has no header", path.display());
    }
}

#[test]
fn no_file_outgrows_its_idea() {
    let sources = ["src", "tests", "python/src"].into_iter().flat_map(|folder| files(folder, "rs"));
    let package = ["py", "pyi", "js", "css"].into_iter().flat_map(|ending| files("python", ending));
    for (path, text) in sources.chain(package).chain(files("shaders", "wgsl")) {
        let lines = text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
    }
}

#[test]
fn no_work_is_left_for_later() {
    let words = ["TO", "FIX", "XX"].map(|head| {
        format!(
            "{head}{}",
            if head == "TO" {
                "DO"
            } else if head == "FIX" {
                "ME"
            } else {
                "X"
            }
        )
    });
    for folder in ["src", "tests", "shaders"] {
        for (path, text) in files(folder, if folder == "shaders" { "wgsl" } else { "rs" }) {
            for word in &words {
                assert!(!text.contains(word.as_str()), "{word} in {}", path.display());
            }
        }
    }
}

#[test]
fn every_experiment_resolves_and_is_run_by_a_test() {
    let runs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/experiments.rs"))
        .expect("a test");
    for (path, _) in files("assets/experiments", "toml") {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(runs.contains(&name), "tests/program/experiments.rs does not run {name}");
    }
}

#[test]
fn the_architecture_page_names_every_room() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).expect("a page");
    for (path, _) in files("src", "rs") {
        let room = path.components().nth(1).expect("inside src").as_os_str().to_string_lossy().into_owned();
        let room = room.trim_end_matches(".rs");
        assert!(page.contains(&format!("`{room}`")), "ARCHITECTURE.md does not name the room {room}");
    }
}
