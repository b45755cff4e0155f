//! Files that were damaged in any way: a sweep computes them again, and pictures are not made of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Bench, RECORD, SWEEP, assert_ends, assert_vouches, manifest, said};

/// The files of a record are damaged one after the other, in every way that a disk or a hand may do it.
fn damages(cell: &Path, other: &Path) -> Vec<(String, Box<dyn Fn()>)> {
    let mut damages: Vec<(String, Box<dyn Fn()>)> = Vec::new();
    for name in RECORD {
        let (path, foreign) = (cell.join(name), other.join(name));
        let whole = fs::read(&path).expect("a file");
        let at = path.clone();
        damages.push((format!("{name}: empty"), Box::new(move || fs::write(&at, "").expect("a file"))));
        let (at, half) = (path.clone(), whole[..whole.len() / 2].to_vec());
        damages.push((format!("{name}: cut"), Box::new(move || fs::write(&at, &half).expect("a file"))));
        let at = path.clone();
        damages.push((format!("{name}: missing"), Box::new(move || fs::remove_file(&at).expect("it goes"))));
        let at = path.clone();
        damages.push((format!("{name}: another cell's"), Box::new(move || assert!(fs::copy(&foreign, &at).is_ok()))));
        if name != "manifest.json" {
            let (at, mut flipped) = (path, whole);
            let middle = flipped.len() / 2;
            flipped[middle] ^= 1;
            damages.push((format!("{name}: a bit"), Box::new(move || fs::write(&at, &flipped).expect("a file"))));
        }
    }
    let at = cell.join("manifest.json");
    let text = fs::read_to_string(&at).expect("a manifest");
    for (what, from, to) in [
        ("not JSON", "{", "[("),
        ("no files", "\"files\"", "\"fields\""),
        ("fewer files", "\"tokens.npy\"", "\"tokens.npz\""),
        ("a run", "\"complete\"", "\"running\""),
        ("a status of its own", "\"complete\"", "\"perfect\""),
    ] {
        let (at, text) = (at.clone(), text.replacen(from, to, 1));
        damages.push((format!("manifest.json: {what}"), Box::new(move || fs::write(&at, &text).expect("a file"))));
    }
    let (cell, other) = (cell.to_owned(), other.to_owned());
    let all = move || assert!(RECORD.iter().all(|name| fs::copy(other.join(name), cell.join(name)).is_ok()));
    damages.push(("experiment.toml: all files are another cell's".into(), Box::new(all)));
    damages
}

#[test]
fn what_is_damaged_is_computed_again_and_not_drawn() {
    let bench = Bench::new();
    assert_ends(&bench.sweep("out"), 0, &[]);
    let tables = bench.tables("out");
    assert_eq!(tables[0].lines().count(), 1 + 4 * 2);
    assert_vouches(&bench.path("out"), &manifest(&bench.path("out")), &["cells.csv", "rates.csv"]);
    let cells = bench.cells("out");
    assert_vouches(
        &cells[0],
        &manifest(&cells[0]),
        &["experiment.toml", "results.csv", "samples.csv", "tokens.npy", "trajectory.npy"],
    );
    for cell in &cells {
        fs::write(cell.join("notes.txt"), "mine").expect("a file");
    }
    let name = cells[0].strip_prefix(bench.folder.path()).expect("inside").display().to_string();
    let kept = |cell: &Path| {
        RECORD.map(|name| fs::metadata(cell.join(name)).and_then(|data| data.modified()).expect("a time"))
    };
    let (others, before) = (kept(&cells[1]), RECORD.map(|name| fs::read(cells[0].join(name)).expect("a file")));
    for (what, damage) in damages(&cells[0], &cells[1]) {
        damage();
        let (file, _) = what.split_once(':').expect("a file");
        let output = bench.plot(&name);
        if what.ends_with("all files are another cell's") {
            assert_ends(&output, 0, &[]);
        } else {
            assert_ends(&output, 2, &[&name, "write the folder again"]);
        }
        let output = bench.sweep("out");
        assert_ends(&output, 0, &[&name, "computed again"]);
        // Of an exchanged manifest it is the files that do not fit, and one that says `running` needs no more words.
        let is_named = said(&output).contains(file);
        assert!(
            is_named || what.ends_with("a run") || what == "manifest.json: another cell's",
            "{what}: {}",
            said(&output)
        );
        assert_eq!(bench.tables("out"), tables, "{what}");
        for (file, before) in RECORD.iter().zip(&before).filter(|(file, _)| **file != "manifest.json") {
            assert_eq!(&fs::read(cells[0].join(file)).expect("a file"), before, "{what}: {file}");
        }
    }
    assert_ends(&bench.plot(&name), 0, &[]);
    assert_eq!(kept(&cells[1]), others, "a complete cell is left alone");
    assert!(cells.iter().all(|cell| fs::read_to_string(cell.join("notes.txt")).expect("a file") == "mine"));
}

#[test]
fn tables_that_are_not_of_the_cells_are_not_drawn() {
    let bench = Bench::new();
    assert_ends(&bench.sweep("out"), 0, &[]);
    assert_ends(&bench.plot("out"), 0, &[]);
    let tables = bench.tables("out");
    let cell = &bench.cells("out")[2].join("samples.csv");
    let cases: [(PathBuf, &str); 4] = [
        (bench.path("out/cells.csv"), "cells.csv"),
        (bench.path("out/rates.csv"), "rates.csv"),
        (bench.path("out/manifest.json"), "manifest.json"),
        (cell.clone(), "samples.csv"),
    ];
    for (path, name) in cases {
        let whole = fs::read(&path).expect("a file");
        for cut in [0, whole.len() - 2] {
            fs::write(&path, &whole[..cut]).expect("a file");
            assert_ends(&bench.plot("out"), 2, &[name, "run the sweep again"]);
            assert_ends(&bench.sweep("out"), 0, &[]);
            assert_ends(&bench.plot("out"), 0, &[]);
            assert_eq!(bench.tables("out"), tables);
        }
    }
    // Another sweep in the same folder that stops on its way leaves no tables of the one before.
    fs::write(bench.path("sweep.toml"), SWEEP.replace("600]", "601]")).expect("a file");
    assert_ends(&bench.sweep_command("out", &["--shard", "1/3"]).output().expect("it starts"), 0, &[]);
    assert_ends(&bench.plot("out"), 2, &["until no cell is left"]);
    assert_eq!(bench.cells("out").len(), 4, "cells of both sweeps");
}
