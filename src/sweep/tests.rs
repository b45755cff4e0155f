//! Sweeps that are ended by whoever called.

use std::{
    fs,
    ops::ControlFlow::{self, Break, Continue},
    path::Path,
};

use super::*;
use crate::{experiment::SweepFile, record::Claim, run::Machine};

/// Cells of different shapes, so that each runs by itself.
const SWEEP: &str = "base = \"base.toml\"\n[axes]\n\"tokens.count\" = [4, 5, 6]\n";
const BASE: &str = "name = \"base\"\n[tokens]\ndim = 3\ncount = 4\ninitial = { law = \"uniform\" }\n\
                    [attention]\nbeta = 1.0\nnormalization = \"softmax\"\n\
                    [time]\nscheme = \"euler\"\nstep = 0.1\nend = 0.2\n[observe]\nquantities = [\"energy\"]\n";

fn file(folder: &Path) -> SweepFile {
    fs::write(folder.join("base.toml"), BASE).expect("a file");
    fs::write(folder.join("sweep.toml"), SWEEP).expect("a file");
    SweepFile::read(&folder.join("sweep.toml"), &[]).expect("a sweep")
}

fn swept(
    file: &SweepFile,
    folder: &Path,
    on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Swept, SweepError> {
    pollster::block_on(run(file, folder, Share::default(), &Machine::CpuDouble, on_event))
}

fn table(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("cells.csv")).expect("a table")
}

#[test]
fn a_sweep_that_is_cancelled_goes_on_where_it_was() {
    let root = tempfile::tempdir().expect("a folder");
    let (file, out, whole) = (file(root.path()), root.path().join("out"), root.path().join("whole"));
    let begun = |last: usize| {
        let mut begun = Vec::new();
        let outcome = swept(&file, &out, |event| match event {
            Event::Cells { first, others, of } => {
                assert_eq!((others, of), (0, 3));
                begun.push(first);
                if first == last { Break(()) } else { Continue(()) }
            }
            _ => Continue(()),
        });
        (begun, outcome)
    };
    let (first, outcome) = begun(1);
    assert_eq!(first, [0, 1]);
    assert!(matches!(outcome, Err(SweepError::Cancelled)), "{outcome:?}");
    assert!(!out.join("cells.csv").exists(), "tables are of complete cells");
    let (second, outcome) = begun(3);
    assert_eq!(second, [1, 2], "the first cell is complete");
    assert_eq!(outcome.expect("it ends"), Swept { folder: out.clone(), cells: 3, left: 0 });
    swept(&file, &whole, |_| Continue(())).expect("it ends");
    assert_eq!(table(&out), table(&whole));
}

#[test]
fn a_sweep_that_waits_for_others_can_be_cancelled() {
    let root = tempfile::tempdir().expect("a folder");
    let (file, out) = (file(root.path()), root.path().join("out"));
    let cells = cells(&file, Machine::CpuDouble.precision()).expect("cells");
    let held = Claim::attempt(&folder(&out, &cells[1])).expect("a folder").expect("nobody has it");
    let (mut waited, mut idle) = (0, 0);
    let outcome = swept(&file, &out, |event| {
        waited += usize::from(matches!(event, Event::Waiting { .. }));
        idle += usize::from(matches!(event, Event::Idle));
        if idle == 2 { Break(()) } else { Continue(()) }
    });
    assert!(matches!(outcome, Err(SweepError::Cancelled)), "{outcome:?}");
    assert_eq!((waited, idle), (1, 2));
    drop(held);
    assert_eq!(swept(&file, &out, |_| Continue(())).expect("it ends").left, 0);
}

#[test]
fn a_cell_is_another_one_when_a_file_that_it_names_has_changed() {
    let root = tempfile::tempdir().expect("a folder");
    let tokens = |x: f64| ndarray::arr2(&[[1.0, 0.0], [x, (1.0 - x * x).sqrt()]]);
    let base = BASE
        .replace("{ law = \"uniform\" }", "{ law = \"file\", path = \"x0.npy\" }")
        .replace("dim = 3\ncount = 4", "dim = 2\ncount = 2");
    fs::write(root.path().join("base.toml"), base).expect("a file");
    let sweep = SWEEP.replace("\"tokens.count\" = [4, 5, 6]", "\"attention.beta\" = [1.0, 2.0]");
    fs::write(root.path().join("sweep.toml"), sweep).expect("a file");
    let ids = |x: f64| {
        ndarray_npy::write_npy(root.path().join("x0.npy"), &tokens(x)).expect("a file");
        let file = SweepFile::read(&root.path().join("sweep.toml"), &[]).expect("a sweep");
        let found = cells(&file, crate::backend::Precision::Double).expect("cells");
        found.into_iter().map(|cell| cell.id).collect::<Vec<_>>()
    };
    let first = ids(0.5);
    assert_eq!(first, ids(0.5));
    assert!(first.iter().all(|id| !ids(0.6).contains(id)), "results of other tokens would be taken for these");
}
