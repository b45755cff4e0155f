//! Run folders made up from formulas, so that every picture is known beforehand.

use std::f64::consts::TAU;
use std::fmt::Write as _;
use std::path::Path;

use ndarray::Array3;
use ndarray_npy::write_npy;
use tempfile::TempDir;

pub const EXPERIMENT: &str =
    "name = \"knots & <gaps>\"\n[tokens]\ncount = 7\ndim = 2\n[attention]\nbeta = 4.0\n[time]\nscheme = \"heun\"\n";

/// A run folder with the given files; `tokens` are those of each replica, rows of coordinates.
pub fn folder(experiment: &str, samples: &str, tokens: &[Vec<Vec<f64>>]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("experiment.toml"), experiment).expect("experiment.toml");
    std::fs::write(dir.path().join("samples.csv"), samples).expect("samples.csv");
    write_tokens(dir.path(), tokens);
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
