//! Run folders made up from formulas, so that every picture is known beforehand.

use std::f64::consts::TAU;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ndarray::Array3;
use ndarray_npy::write_npy;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokenfield::plot::PlotError;

pub const EXPERIMENT: &str =
    "name = \"knots & <gaps>\"\n[tokens]\ncount = 7\ndim = 2\n[attention]\nbeta = 4.0\n[time]\nscheme = \"heun\"\n";

/// A run folder with the given files; `tokens` are those of each replica, rows of coordinates.
pub fn folder(experiment: &str, samples: &str, tokens: &[Vec<Vec<f64>>]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("experiment.toml"), experiment).expect("experiment.toml");
    std::fs::write(dir.path().join("samples.csv"), samples).expect("samples.csv");
    write_tokens(dir.path(), tokens);
    sign(dir.path());
    dir
}

pub fn write_tokens(dir: &Path, tokens: &[Vec<Vec<f64>>]) {
    let shape = (tokens.len(), tokens[0].len(), tokens[0][0].len());
    let flat = tokens.iter().flatten().flatten().copied().collect();
    let array = Array3::from_shape_vec(shape, flat).expect("rows of one length");
    write_npy(dir.join("tokens.npy"), &array).expect("tokens.npy");
}

/// The name of a column and its value for a replica at a time.
pub type Column<'a> = (&'a str, &'a dyn Fn(usize, f64) -> f64);

/// `samples.csv` of `replicas` replicas at `times` times, a quarter apart, with the value of each column.
pub fn samples(replicas: usize, times: usize, columns: &[Column]) -> String {
    let mut text = String::from("replica,time");
    for (name, _) in columns {
        write!(text, ",{name}").expect("a string grows");
    }
    for (time, replica) in (0..times).flat_map(|time| (0..replicas).map(move |replica| (time, replica))) {
        let time = 0.25 * time as f64;
        write!(text, "\n{replica},{time}").expect("a string grows");
        for (_, value) in columns {
            write!(text, ",{}", value(replica, time)).expect("a string grows");
        }
    }
    text + "\n"
}

/// The columns that have pictures, with values like those of a run that clusters; and one that has none.
pub fn clustering(replicas: usize, times: usize) -> String {
    let late = |replica: usize, t: f64| ((t - 8.0 - replica as f64).tanh() + 1.0) / 2.0;
    let mean_norm = |replica: usize, t: f64| 0.02 + 0.97 * late(replica, t);
    let log_energy = |replica: usize, t: f64| -1.0 + 2.6 * late(replica, t) + 0.02 * (replica as f64 + t).sin();
    let w2_dirac = |replica: usize, t: f64| 1.4 * (-0.6 * (t - 4.0 - replica as f64).max(0.0)).exp();
    samples(
        replicas,
        times,
        &[("mean_0", &|_, _| 0.5), ("mean_norm", &mean_norm), ("log_energy", &log_energy), ("w2_dirac", &w2_dirac)],
    )
}

/// `count` tokens spread evenly over the sphere by the golden angle.
pub fn sphere(count: usize) -> Vec<Vec<f64>> {
    let token = |k: usize| {
        let (angle, z) = (2.399_963_229_728_653 * k as f64, 1.0 - (2.0 * k as f64 + 1.0) / count as f64);
        let radius = (1.0 - z * z).sqrt();
        vec![radius * angle.cos(), radius * angle.sin(), z]
    };
    (0..count).map(token).collect()
}

/// `count` tokens on the circle at equal distances, the first at a fiftieth of a turn.
pub fn circle(count: usize) -> Vec<Vec<f64>> {
    let angle = |k: usize| TAU * (k as f64 / count as f64 + 0.02);
    (0..count).map(|k| vec![angle(k).cos(), angle(k).sin()]).collect()
}

/// `count` tokens in `dim` dimensions that look random, stretched along the first axes, on the sphere.
pub fn cloud(dim: usize, count: usize) -> Vec<Vec<f64>> {
    let component =
        |k: usize, c: usize| ((k * dim + c + 1) as f64 * 12.9898).sin() * 43_758.545_3 % 1.0 * 3.0 / (c + 1) as f64;
    let token = |k: usize| unit((0..dim).map(|c| component(k, c)).collect());
    (0..count).map(token).collect()
}

/// The tokens of `spread` shrunk towards each of the `centres` in turn, and put back on the sphere.
pub fn knots(centres: &[Vec<f64>], spread: &[Vec<f64>], size: f64) -> Vec<Vec<f64>> {
    let near = |(k, token): (usize, &Vec<f64>)| {
        unit(centres[k % centres.len()].iter().zip(token).map(|(centre, offset)| centre + size * offset).collect())
    };
    spread.iter().enumerate().map(near).collect()
}

pub fn unit(token: Vec<f64>) -> Vec<f64> {
    let length = token.iter().map(|component| component * component).sum::<f64>().sqrt();
    token.into_iter().map(|component| component / length).collect()
}

/// Writes the manifests that a run or a sweep would have left in a folder beside the files that are there.
pub fn sign(dir: &Path) {
    if !dir.join("cells").is_dir() {
        return write_manifest(dir, serde_json::json!({ "status": "complete", "precision": "double" }));
    }
    let mut cells = serde_json::Map::new();
    for cell in std::fs::read_dir(dir.join("cells")).expect("cells") {
        let cell = cell.expect("a cell").path();
        for (name, text) in [("samples.csv", "replica,time\n0,0\n"), ("tokens.npy", "")] {
            if !cell.join(name).exists() {
                std::fs::write(cell.join(name), text).expect("a file");
            }
        }
        sign(&cell);
        let id = cell.file_name().expect("a name").to_string_lossy().into_owned();
        cells.insert(id, fingerprint(&cell.join("samples.csv")).expect("samples.csv"));
    }
    write_manifest(dir, serde_json::json!({ "commit": "", "cells": cells }));
}

fn write_manifest(dir: &Path, mut manifest: serde_json::Value) {
    let names =
        ["experiment.toml", "samples.csv", "tokens.npy", "trajectory.npy", "attention.npy", "cells.csv", "rates.csv"]
            .into_iter();
    let files = names.filter_map(|name| Some((name.to_owned(), fingerprint(&dir.join(name))?)));
    manifest["version"] = "0".into();
    manifest["files"] = serde_json::Value::Object(files.collect());
    std::fs::write(dir.join("manifest.json"), manifest.to_string()).expect("manifest.json");
}

fn fingerprint(path: &Path) -> Option<serde_json::Value> {
    let bytes = std::fs::read(path).ok()?;
    let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Some(serde_json::json!({ "bytes": bytes.len(), "sha256": sha256 }))
}

/// Draws a folder whose files are meant as they are.
pub fn draw(dir: &Path) -> Result<Vec<PathBuf>, PlotError> {
    sign(dir);
    tokenfield::plot::draw(dir)
}

/// The same over time.
pub fn animate(dir: &Path) -> Result<PathBuf, PlotError> {
    sign(dir);
    tokenfield::plot::animate(dir)
}
