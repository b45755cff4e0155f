//! A folder that is not what a run writes is refused: the message names what is wrong, and nothing is left behind.

use std::path::Path;

use tempfile::TempDir;
use tokenfield::plot::{PlotError, draw as draw_as_found};

use crate::folder::{EXPERIMENT, circle, clustering, draw, folder, write_tokens};
use crate::{ALL, draw_all, listing};

/// Draws a folder that something is wrong with; checks that nothing is left behind, and returns the message.
fn refusal(dir: &TempDir) -> (PlotError, String) {
    let before = listing(dir.path());
    let error = draw(dir.path()).expect_err("a bad run folder");
    assert_eq!(listing(dir.path()), before, "a refusal leaves the folder as it was");
    let message = error.to_string();
    (error, message)
}

#[test]
fn a_missing_file_is_named() {
    for file in ["samples.csv", "tokens.npy", "experiment.toml", "manifest.json"] {
        let dir = folder(EXPERIMENT, &clustering(1, 3), &[circle(7)]);
        std::fs::remove_file(dir.path().join(file)).expect("the file is there");
        let message = draw_as_found(dir.path()).expect_err("a bad run folder").to_string();
        assert!(message.contains(&format!("{file}: it is missing")), "{message}");
        assert!(message.contains("tokenfield run"), "{message}");
    }
    let error = draw_as_found(Path::new("/nowhere/at/all")).expect_err("no folder");
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}

#[test]
fn bad_samples_are_located() {
    let good = clustering(2, 2);
    let cases = [
        ("", "no column `replica`"),
        ("replica,time,mean_norm\n", "no samples"),
        ("replica,mean_norm\n0,1\n", "no column `time`"),
        ("replica,time,mean_norm\n0,0,0.5\n0,0.5\n", "line 3"),
        ("replica,time,mean_norm\n0,0,0.5\n0,0.5,half\n", "line 3, column `mean_norm`: `half`"),
        ("replica,time,mean_norm\n-1,0,0.5\n", "line 2, column `replica`: `-1`"),
        ("replica,time,mean_norm\n0,NaN,0.5\n", "line 2, column `time`: `NaN`"),
        ("replica,time,mean_norm\n0,1,0.5\n1,1,0.5\n0,0.5,0.5\n", "line 4, column `time`: `0.5`"),
    ];
    for (samples, expected) in cases {
        let dir = folder(EXPERIMENT, samples, &[circle(7)]);
        let (_, message) = refusal(&dir);
        assert!(message.contains("samples.csv") && message.contains(expected), "{message} lacks {expected}");
    }
    draw_all(&folder(EXPERIMENT, &good, &[circle(7)]), &ALL);
}

#[test]
fn bad_tokens_are_refused() {
    let dir = folder(EXPERIMENT, &clustering(1, 3), &[circle(7)]);
    let path = dir.path().join("tokens.npy");
    let refused = |what: &str| {
        let (error, message) = refusal(&dir);
        assert!(matches!(error, PlotError::File { .. }), "{what}: {error:?}");
        assert!(message.contains("tokens.npy") && message.contains("(replicas, count, dim)"), "{what}: {message}");
    };
    std::fs::write(&path, "no tokens").expect("a file");
    refused("text");
    ndarray_npy::write_npy(&path, &ndarray::Array2::<f64>::zeros((7, 2))).expect("a file");
    refused("two axes");
    ndarray_npy::write_npy(&path, &ndarray::Array3::<i32>::zeros((1, 7, 2))).expect("a file");
    refused("integers");
    ndarray_npy::write_npy(&path, &ndarray::Array3::<f64>::zeros((1, 0, 2))).expect("a file");
    refused("no tokens");
    write_tokens(dir.path(), &[circle(7)]);
    let whole = std::fs::read(&path).expect("a file");
    std::fs::write(&path, &whole[..whole.len() - 8]).expect("a file");
    refused("cut short");
}

#[test]
fn a_bad_experiment_is_refused() {
    let dir = folder("name = ", &clustering(1, 3), &[circle(7)]);
    let (_, message) = refusal(&dir);
    assert!(message.contains("experiment.toml") && message.contains("line 1"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_picture_that_cannot_take_its_name_is_reported() {
    let dir = folder(EXPERIMENT, &clustering(1, 3), &[circle(7)]);
    std::fs::create_dir(dir.path().join("mean_norm.svg")).expect("a folder in the way");
    let (error, message) = refusal(&dir);
    assert!(matches!(error, PlotError::Write { .. }) && message.contains("mean_norm.svg"), "{message}");
}
