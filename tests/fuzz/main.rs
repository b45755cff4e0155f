//! Random experiment files, ordinary, extreme and wrong: each ends soon, in little memory, with exit 0, 1 or 2 and a word.
//!
//! A case is a function of its number alone. `TOKENFIELD_FUZZ_CASES` says how many are tried, `TOKENFIELD_FUZZ_FIRST` where they
//! begin, and `TOKENFIELD_FUZZ_BINARY` which program is tried. What fails is made shorter before it is shown: edits that it does
//! not need are taken back one by one.
#![cfg(unix)]

mod cost;
mod keys;
mod page;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use tokenfield::random::{Purpose, Stream};
use toml::{Table, Value};

use self::{keys::Edit, page::Page};

/// A run may take so long, and be given so many kB of addresses: 2 GB beside what a program maps before it does anything.
const SECONDS: u64 = 10;
const ADDRESSES: u64 = 2_500_000;

fn number(variable: &str, default: u32) -> u32 {
    env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Why the program did not end as it should on this file.
fn fault(folder: &Path, text: &str, arguments: &[&str]) -> Option<String> {
    let file = folder.join("case.toml");
    fs::write(&file, text).expect("a file");
    fs::remove_dir_all(folder.join("out")).ok();
    let binary = env::var("TOKENFIELD_FUZZ_BINARY").unwrap_or(env!("CARGO_BIN_EXE_tokenfield").into());
    let script = format!("ulimit -c 0; ulimit -v {ADDRESSES}; exec \"$0\" \"$@\" 2>err");
    let mut child = Command::new("sh")
        .args(["-c", &script, &binary, "run", "case.toml", "--out", "out", "--backend", "cpu"])
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("a shell");
    let started = Instant::now();
    let status = loop {
        match child.try_wait().expect("a status") {
            Some(status) => break status,
            None if started.elapsed() > Duration::from_secs(SECONDS) => {
                child.kill().expect("an end");
                child.wait().expect("an end");
                return Some(format!("did not end within {SECONDS} s"));
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let said = fs::read_to_string(folder.join("err")).unwrap_or_default();
    match status.code() {
        _ if said.contains("panicked") => Some(said),
        Some(0) => None,
        Some(1) if said.contains("tokenfield: ") => None,
        Some(2) if said.contains("case.toml") || said.contains("[reference]") || said.contains("attention.") => None,
        Some(2) if said.contains("out: ") || said.contains("out/") => None,
        code => Some(format!("ended with {code:?}, saying: {said}")),
    }
}

/// The edits of case `index`.
fn edits(page: &Page, keys: &[String], index: u32) -> Vec<Edit> {
    let mut random = Stream::new(7, 0, index, Purpose::Check);
    let mut edits = page.form(&mut random);
    let many = keys::below(&mut random, 6);
    edits.extend((0..many).map(|_| keys::edit(keys, &mut random)));
    edits
}

fn text(page: &Page, edits: &[Edit]) -> String {
    let mut table: Table = page.table.clone();
    edits.iter().for_each(|edit| edit.apply(&mut table));
    cost::bound(&mut table);
    toml::to_string(&Value::Table(table)).expect("a file")
}

/// In double precision every third time, with pictures every eighth.
fn arguments(index: u32) -> Vec<&'static str> {
    let mut arguments = Vec::new();
    if index.is_multiple_of(3) {
        arguments.extend(["--precision", "double"]);
    }
    if !index.is_multiple_of(8) {
        arguments.push("--no-plot");
    }
    arguments
}

#[test]
fn random_experiments_end_soon_and_say_why() {
    let (first, cases) = (number("TOKENFIELD_FUZZ_FIRST", 0), number("TOKENFIELD_FUZZ_CASES", 300));
    let page = Page::read();
    let keys: Vec<String> = page.keys().into_iter().collect();
    let (next, found) = (AtomicU32::new(first), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |threads| threads.get()).min(4) {
            scope.spawn(|| {
                let folder = tempfile::tempdir().expect("a folder");
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= first + cases {
                        return;
                    }
                    if let Some(report) = examined(&page, &keys, folder.path(), index) {
                        found.lock().expect("a list").push(report);
                    }
                }
            });
        }
    });
    let found = found.into_inner().expect("a list");
    assert!(found.is_empty(), "{} of {cases} cases:\n{}", found.len(), found.join("\n"));
}

/// What a case did wrong, with the fewest edits that do it.
fn examined(page: &Page, keys: &[String], folder: &Path, index: u32) -> Option<String> {
    let (mut edits, arguments) = (edits(page, keys, index), arguments(index));
    let mut fault = fault(folder, &text(page, &edits), &arguments)?;
    let mut at = 0;
    while at < edits.len() {
        let mut fewer = edits.clone();
        fewer.remove(at);
        match self::fault(folder, &text(page, &fewer), &arguments) {
            Some(other) => (edits, fault) = (fewer, other),
            None => at += 1,
        }
    }
    Some(format!("case {index}, {arguments:?}: {fault}\n{edits:?}\n"))
}

/// What has been found before, as edits of the page.
#[test]
fn what_was_found_stays_mended() {
    let page = Page::read();
    let folder = tempfile::tempdir().expect("a folder");
    for edits in keys::FOUND {
        let edits: Vec<Edit> = edits.iter().map(|edit| Edit::parse(edit)).collect();
        if let Some(fault) = fault(folder.path(), &text(&page, &edits), &["--no-plot"]) {
            panic!("{edits:?}: {fault}");
        }
    }
}

/// What asks for too much is refused with both numbers, whatever it is too much of.
#[test]
fn what_does_not_fit_is_refused_with_numbers() {
    let page = Page::read();
    let folder = tempfile::tempdir().expect("a folder");
    let refused: [(&str, &str); 6] = [
        ("tokens.dim = 50000000", "tokens.dim = 50000000: needs "),
        ("tokens.count = 4000000000", "tokens.count = 4000000000: needs "),
        ("tokens.replicas = 4000000000", "tokens.replicas = 4000000000: needs "),
        ("reference = { kind = \"particles\", count = 4000000000 }", "reference.count = 4000000000: needs "),
        ("attention.head = [{ value = { ensemble = \"goe\", variance = 1.0 } }]\ntokens.dim = 40000", " of memory"),
        ("time.step = 1e-9\ntime.end = 1e6\nobserve.every = 1e-9", " on disk"),
    ];
    for (edits, said) in refused {
        let edits: Vec<Edit> =
            edits.lines().chain(["tokens.initial = { law = \"uniform\" }"]).map(Edit::parse).collect();
        let mut table = page.table.clone();
        edits.iter().for_each(|edit| edit.apply(&mut table));
        let text = toml::to_string(&Value::Table(table)).expect("a file");
        assert_eq!(fault(folder.path(), &text, &["--no-plot"]), None);
        let error = fs::read_to_string(PathBuf::from(folder.path()).join("err")).expect("an error");
        assert!(
            error.contains(said) && (error.contains(" are available;") || error.contains(" are free;")),
            "{error}"
        );
    }
}

#[test]
fn every_key_of_the_reference_page_is_generated() {
    let missing: Vec<String> = Page::read().keys().into_iter().filter(|key| !keys::is_generated(key)).collect();
    assert!(missing.is_empty(), "tests/fuzz/keys.rs has no values for {missing:?}");
}
