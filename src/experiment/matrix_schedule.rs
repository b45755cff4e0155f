//! The matrices of a head, constant or not.
//!
//! In addition to the constant forms: `{ layers = .. }`, one matrix a step; `{ ensemble = "goe", variance = 1.0, every = 1 }`, random;
//! `{ base = .., amplitude = .., frequency = 1.0 }`; `{ ornstein-uhlenbeck = { mean = .., rate = .., intensity = .. } }`; and,
//! for a value, `{ query-key = -1.0 }`, a multiple of the other matrix.

use serde::Serialize;

use super::{
    array::rows,
    error::ExperimentError,
    file_path::FilePath,
    matrix::{self, MatrixTyped},
    section::{Entry, Section, Word},
    shared::Shared,
};
use crate::{
    initial::npy,
    model::{Draws, Ensemble, Matrix, MatrixSchedule, OrnsteinUhlenbeck, ProcessStart, RandomMatrix},
    problem::Schedule,
};

pub(super) const LAYERS: &[&str] = &["layers"];
pub(super) const ENSEMBLE: &[&str] = &["ensemble", "variance", "every", "draws"];
pub(super) const OSCILLATING: &[&str] = &["base", "amplitude", "frequency"];
pub(super) const ORNSTEIN_UHLENBECK: &[&str] = &["mean", "rate", "intensity", "start", "symmetric", "draws"];
pub(super) const STARTS: &[(&str, ProcessStart)] =
    &[("mean", ProcessStart::Mean), ("stationary", ProcessStart::Stationary)];
pub(super) const DRAWS: &[(&str, DrawsWord)] =
    &[("shared", DrawsWord::Shared), ("replicas", DrawsWord::Replicas), ("pairs", DrawsWord::Pairs)];
pub(super) const ENSEMBLES: &[(&str, Ensemble)] = &[
    ("gaussian", Ensemble::Gaussian),
    ("goe", Ensemble::Goe),
    ("wigner", Ensemble::Wigner),
    ("psd", Ensemble::Psd),
    ("gaussian-product", Ensemble::GaussianProduct),
];

/// Which replicas have the same draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DrawsWord {
    Shared,
    Replicas,
    Pairs,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum MatrixScheduleTyped {
    Constant(MatrixTyped),
    Layers {
        layers: LayersTyped,
    },
    Random {
        ensemble: Word<Ensemble>,
        variance: f64,
        #[serde(skip_serializing_if = "Option::is_none")]
        every: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        draws: Option<Word<DrawsWord>>,
    },
    Oscillating {
        base: MatrixTyped,
        amplitude: MatrixTyped,
        frequency: f64,
    },
    OrnsteinUhlenbeck {
        #[serde(rename = "ornstein-uhlenbeck")]
        process: OrnsteinUhlenbeckTyped,
    },
    OfQueryKey {
        #[serde(rename = "query-key")]
        factor: f64,
    },
}

/// One matrix a step: an array (L, d, d), or the rows of each.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum LayersTyped {
    File(FilePath),
    Rows(Vec<Vec<Vec<f64>>>),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct OrnsteinUhlenbeckTyped {
    pub mean: MatrixTyped,
    pub rate: f64,
    pub intensity: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Word<ProcessStart>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symmetric: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draws: Option<Word<DrawsWord>>,
}

pub(super) const IDENTITY: MatrixScheduleTyped = MatrixScheduleTyped::Constant(MatrixTyped::Identity);

/// The matrix typed at a key; `own` are forms that it has beside those of all matrices.
pub(super) fn read(entry: &Entry, own: &[&str]) -> Result<MatrixScheduleTyped, ExperimentError> {
    let changing = [LAYERS, ENSEMBLE, OSCILLATING, &["ornstein-uhlenbeck"], own].concat();
    if entry.is_text() || !changing.iter().any(|key| entry.has(key)) {
        let shown = [matrix::FORMS, LAYERS, &ENSEMBLE[..1], &OSCILLATING[..1], &["ornstein-uhlenbeck"], own].concat();
        return matrix::read(entry, &shown).map(MatrixScheduleTyped::Constant);
    }
    let only = |known: &[&str]| entry.section(known);
    if entry.has("layers") {
        let layers = only(LAYERS)?.required("layers", "\"stack.npy\"")?;
        return Ok(MatrixScheduleTyped::Layers { layers: self::layers(&layers)? });
    }
    if entry.has("ornstein-uhlenbeck") {
        let process = only(&["ornstein-uhlenbeck"])?.required("ornstein-uhlenbeck", "{ mean = .. }")?;
        return Ok(MatrixScheduleTyped::OrnsteinUhlenbeck {
            process: process_of(&process.section(ORNSTEIN_UHLENBECK)?)?,
        });
    }
    if own.iter().any(|key| entry.has(key)) {
        let factor = only(own)?.required("query-key", "-1.0")?.number("finite", |_| true)?;
        return Ok(MatrixScheduleTyped::OfQueryKey { factor });
    }
    if ENSEMBLE.iter().any(|key| entry.has(key)) {
        random(&only(ENSEMBLE)?)
    } else {
        oscillating(&only(OSCILLATING)?)
    }
}

pub(super) fn layers(entry: &Entry) -> Result<LayersTyped, ExperimentError> {
    if entry.is_text() {
        return entry.file().map(LayersTyped::File);
    }
    entry.list("[[1.0, 0.0], [0.0, 1.0]]")?.iter().map(rows).collect::<Result<_, _>>().map(LayersTyped::Rows)
}

fn random(section: &Section) -> Result<MatrixScheduleTyped, ExperimentError> {
    Ok(MatrixScheduleTyped::Random {
        ensemble: section.required("ensemble", "\"gaussian\"")?.word(ENSEMBLES)?,
        variance: section.required("variance", "1.0")?.number("finite and greater than 0", |v| v > 0.0)?,
        every: section.read("every", "1", |entry| entry.whole(1..=u64::MAX))?,
        draws: section.read("draws", "\"replicas\"", |entry| entry.word(DRAWS))?,
    })
}

fn oscillating(section: &Section) -> Result<MatrixScheduleTyped, ExperimentError> {
    Ok(MatrixScheduleTyped::Oscillating {
        base: constant(&section.required("base", "\"identity\"")?)?,
        amplitude: constant(&section.required("amplitude", "{ scale = 0.5 }")?)?,
        frequency: section.required("frequency", "1.0")?.number("finite", |_| true)?,
    })
}

fn process_of(section: &Section) -> Result<OrnsteinUhlenbeckTyped, ExperimentError> {
    Ok(OrnsteinUhlenbeckTyped {
        mean: constant(&section.required("mean", "\"identity\"")?)?,
        rate: section.required("rate", "1.0")?.number("finite and greater than 0", |rate| rate > 0.0)?,
        intensity: section.required("intensity", "0.1")?.number("finite and at least 0", |s| s >= 0.0)?,
        start: section.read("start", "\"stationary\"", |entry| entry.word(STARTS))?,
        symmetric: section.read("symmetric", "true", |entry| entry.truth())?,
        draws: section.read("draws", "\"replicas\"", |entry| entry.word(DRAWS))?,
    })
}

fn constant(entry: &Entry) -> Result<MatrixTyped, ExperimentError> {
    matrix::read(entry, matrix::FORMS)
}

/// A matrix at time zero, or how it changes.
pub(crate) enum Resolved {
    Constant(Matrix),
    Changing(MatrixSchedule),
}

impl MatrixScheduleTyped {
    pub fn resolve(
        &self,
        key: &str,
        dim: usize,
        schedule: &Schedule,
        shared: &Shared,
    ) -> Result<Resolved, ExperimentError> {
        let source = shared.source;
        let dense = |matrix: &MatrixTyped, form: &str| {
            Ok(matrix.resolve(&format!("{key}.{form}"), dim, source)?.dense(dim, 1.0))
        };
        let numbered = |draws: u64, form: &str| {
            if draws <= u64::from(u32::MAX) {
                return Ok(());
            }
            let problem = format!("{draws} draws are more than random streams can number");
            Err(source.error(format!("{key}.{form}"), "", problem, "take fewer steps, or draw less often"))
        };
        let seed = shared.seed;
        Ok(Resolved::Changing(match self {
            MatrixScheduleTyped::Constant(matrix) => {
                return Ok(Resolved::Constant(matrix.resolve(key, dim, source)?));
            }
            MatrixScheduleTyped::Layers { layers } => {
                MatrixSchedule::Layers(layers.resolve(&format!("{key}.layers"), dim, schedule, shared)?)
            }
            MatrixScheduleTyped::Random { ensemble, variance, every, draws } => {
                numbered(schedule.steps / every.unwrap_or(u64::MAX), "every")?;
                let (ensemble, variance, every) = (ensemble.meaning, *variance, *every);
                let draws = of_replicas(*draws, shared);
                MatrixSchedule::Random(RandomMatrix { ensemble, variance, every, dim, seed, draws })
            }
            MatrixScheduleTyped::Oscillating { base, amplitude, frequency } => MatrixSchedule::Oscillating {
                base: dense(base, "base")?,
                amplitude: dense(amplitude, "amplitude")?,
                frequency: *frequency,
            },
            MatrixScheduleTyped::OrnsteinUhlenbeck { process } => {
                let OrnsteinUhlenbeckTyped { mean, rate, intensity, start, symmetric, draws } = process;
                numbered(schedule.steps.saturating_mul(2), "ornstein-uhlenbeck")?;
                let (rate, intensity, step) = (*rate, *intensity, shared.step);
                let mean = dense(mean, "ornstein-uhlenbeck.mean")?;
                MatrixSchedule::OrnsteinUhlenbeck(OrnsteinUhlenbeck {
                    mean,
                    rate,
                    intensity,
                    start: start.map_or(ProcessStart::Mean, |word| word.meaning),
                    is_symmetric: symmetric.unwrap_or(false),
                    draws: of_replicas(*draws, shared),
                    step,
                    seed,
                })
            }
            MatrixScheduleTyped::OfQueryKey { factor } => MatrixSchedule::OfQueryKey(*factor),
        }))
    }
}

fn of_replicas(draws: Option<Word<DrawsWord>>, shared: &Shared) -> Draws {
    match draws.map_or(DrawsWord::Shared, |word| word.meaning) {
        DrawsWord::Shared => Draws::Shared,
        DrawsWord::Replicas => Draws::Replicas(shared.replicas),
        DrawsWord::Pairs => Draws::Pairs(shared.replicas),
    }
}

impl LayersTyped {
    fn resolve(
        &self,
        key: &str,
        dim: usize,
        schedule: &Schedule,
        shared: &Shared,
    ) -> Result<Vec<Matrix>, ExperimentError> {
        let source = shared.source;
        let (layers, quoted) = match self {
            LayersTyped::File(path) => {
                let array = path.array(key, source)?;
                if !matches!(array.shape[..], [_, rows, columns] if rows == dim && columns == dim) {
                    let problem = format!("has the shape {}", npy::shape_text(&array.shape));
                    let remedy = format!("save an array of shape (steps, {dim}, {dim})");
                    return Err(source.error(key, path.quoted(), problem, remedy));
                }
                let layers = array.values.chunks_exact(dim * dim).map(|layer| Matrix::Dense(layer.to_vec()));
                (layers.collect::<Vec<_>>(), path.quoted().to_string())
            }
            LayersTyped::Rows(layers) => {
                let matrix = |(index, rows): (usize, &Vec<Vec<f64>>)| {
                    MatrixTyped::Rows(rows.clone()).resolve(&format!("{key}.{index}"), dim, source)
                };
                (layers.iter().enumerate().map(matrix).collect::<Result<_, _>>()?, String::new())
            }
        };
        if (layers.len() as u64) < schedule.steps {
            let problem = format!("has {} matrices, and there are {} steps", layers.len(), schedule.steps);
            return Err(source.error(key, quoted, problem, "write one matrix a step, or a smaller time.end"));
        }
        Ok(layers)
    }
}
