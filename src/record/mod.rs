//! What a run leaves on disk: the experiment as resolved, a manifest, samples as they come, the final tokens, and if asked for those
//! of every sample.
//!
//! Whole files appear at once (a temporary file, then a rename); `samples.csv` grows row by row while the run goes on.
//! A folder that holds anything is never written to.

mod trajectory;

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use ndarray::ArrayView3;
use ndarray_npy::{WritableElement, WriteNpyError, WriteNpyExt};
use serde::{Serialize, Serializer};

use self::trajectory::Trajectory;
use crate::{
    backend::{Identity, Method, Precision},
    observe::Sample,
    problem::Reference,
    tokens::Shape,
    warning::{Warning, WarningKind},
};

/// Why the record of a run could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("{}: the folder is not empty; choose another with --out, or remove it", path.display())]
    Occupied { path: PathBuf },
    #[error("{}: cannot be written: {source}; choose another folder with --out", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Running,
    Complete,
    Failed,
}

/// Who computed what, and how it ended.
#[derive(Debug, Serialize)]
struct Manifest {
    version: &'static str,
    commit: &'static str,
    backend: &'static str,
    adapter: String,
    driver: String,
    #[serde(serialize_with = "by_name")]
    precision: Precision,
    algorithm: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    harmonic_degree: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    harmonic_error: Option<f64>,
    /// Absent where sums are those of the precision of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    harmonic_sums: Option<&'static str>,
    seed: u64,
    /// Which limit ran beside the tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// One of a kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    wall_seconds: f64,
    pairs_evaluated: u64,
}

impl Manifest {
    fn computed_by(&mut self, method: Method) {
        (self.algorithm, self.harmonic_degree, self.harmonic_error) = match method {
            Method::Direct => ("direct", None, None),
            Method::Harmonic { degree, error, .. } => ("harmonic", Some(degree), Some(error)),
            Method::Abandoned { error } => ("harmonic, then direct", None, Some(error)),
        };
        self.harmonic_sums = match method {
            Method::Harmonic { care, .. } => care.name(),
            Method::Direct | Method::Abandoned { .. } => None,
        };
    }
}

/// The folder of a run under way.
pub struct RunFolder {
    path: PathBuf,
    samples: csv::Writer<File>,
    trajectory: Option<Trajectory>,
    /// Runs that take this one's time with it.
    sharers: usize,
    /// The kinds of the warnings in the manifest.
    warned: Vec<WarningKind>,
    manifest: Manifest,
    started: Instant,
}

impl RunFolder {
    /// Claims `path`, which must be absent or empty, for a run of the experiment written out in `experiment`.
    pub fn create(
        path: &Path,
        experiment: &str,
        seed: u64,
        columns: &[String],
        identity: &Identity,
        method: Method,
    ) -> Result<Self, RecordError> {
        let failed = |source| RecordError::Write { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(failed)?;
        if fs::read_dir(path).map_err(failed)?.next().is_some() {
            return Err(RecordError::Occupied { path: path.to_owned() });
        }
        write_whole(&path.join("experiment.toml"), |file| file.write_all(experiment.as_bytes()))?;
        let samples = path.join("samples.csv");
        let failed = |source| RecordError::Write { path: samples.clone(), source };
        let mut writer = csv::Writer::from_writer(File::create(&samples).map_err(failed)?);
        let header = ["replica", "time"].into_iter().chain(columns.iter().map(String::as_str));
        writer.write_record(header).and_then(|()| Ok(writer.flush()?)).map_err(|error| failed(error.into()))?;
        let mut manifest = Manifest {
            version: env!("CARGO_PKG_VERSION"),
            commit: env!("TOKENFIELD_COMMIT"),
            backend: identity.backend,
            adapter: identity.adapter.clone(),
            driver: identity.driver.clone(),
            precision: identity.precision,
            algorithm: "direct",
            harmonic_degree: None,
            harmonic_error: None,
            harmonic_sums: None,
            seed,
            reference: None,
            status: Status::Running,
            error: None,
            warnings: Vec::new(),
            wall_seconds: 0.0,
            pairs_evaluated: 0,
        };
        manifest.computed_by(method);
        let folder = Self {
            path: path.to_owned(),
            samples: writer,
            trajectory: None,
            sharers: 1,
            warned: Vec::new(),
            manifest,
            started: Instant::now(),
        };
        folder.write_manifest()?;
        Ok(folder)
    }

    /// Records which limit runs beside the tokens, an approximate one as such.
    pub fn beside(&mut self, reference: &Reference) -> Result<(), RecordError> {
        self.manifest.reference = Some(reference.to_string());
        self.write_manifest()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one row to `samples.csv`.
    pub fn sample(&mut self, sample: &Sample) -> Result<(), RecordError> {
        let row = (sample.replica, sample.time, &sample.values);
        let written = self.samples.serialize(row).and_then(|()| Ok(self.samples.flush()?));
        written.map_err(|error| RecordError::Write { path: self.path.join("samples.csv"), source: error.into() })
    }

    /// Keeps the first warning of each kind, and returns whether this is one.
    pub fn warn(&mut self, warning: &Warning) -> Result<bool, RecordError> {
        if self.warned.contains(&warning.kind) {
            return Ok(false);
        }
        self.warned.push(warning.kind);
        self.manifest.warnings.push(warning.to_string());
        self.write_manifest()?;
        Ok(true)
    }

    /// Of the time that passes this run takes one part in so many.
    pub fn shared_by(&mut self, runs: usize) {
        self.sharers = runs;
    }

    /// From now on keeps the tokens of `samples` samples, in `trajectory.npy`.
    pub fn keep_tokens(&mut self, samples: usize, shape: Shape) -> Result<(), RecordError> {
        let path = self.path.join("trajectory.npy");
        self.trajectory = Some(Trajectory::create(&path, samples, shape, self.manifest.precision)?);
        Ok(())
    }

    /// Adds the tokens of a sample, if they are kept.
    pub fn tokens(&mut self, tokens: &[f64]) -> Result<(), RecordError> {
        self.trajectory.as_mut().map_or(Ok(()), |trajectory| trajectory.add(tokens))
    }

    /// Writes the final tokens and closes the manifest.
    pub fn complete(
        mut self,
        tokens: &[f64],
        shape: Shape,
        method: Method,
        pairs: u64,
    ) -> Result<PathBuf, RecordError> {
        let path = self.path.join("tokens.npy");
        match self.manifest.precision {
            Precision::Half | Precision::Single => {
                let single: Vec<f32> = tokens.iter().map(|x| *x as f32).collect();
                write_tokens(&path, &single, shape)?;
            }
            Precision::Double => write_tokens(&path, tokens, shape)?,
        }
        self.trajectory.take().map_or(Ok(()), Trajectory::finish)?;
        self.manifest.pairs_evaluated = pairs;
        self.manifest.computed_by(method);
        self.close(Status::Complete)
    }

    /// Records that the run came to nothing, and why; the samples so far stay, a trajectory that lacks some does not.
    pub fn fail(mut self, error: &dyn std::error::Error, method: Method) -> Result<PathBuf, RecordError> {
        self.trajectory.take().map_or(Ok(()), Trajectory::discard)?;
        self.manifest.error = Some(error.to_string());
        self.manifest.computed_by(method);
        self.close(Status::Failed)
    }

    fn close(mut self, status: Status) -> Result<PathBuf, RecordError> {
        self.manifest.status = status;
        self.manifest.wall_seconds = self.started.elapsed().as_secs_f64() / self.sharers as f64;
        self.write_manifest()?;
        Ok(self.path)
    }

    fn write_manifest(&self) -> Result<(), RecordError> {
        write_whole(&self.path.join("manifest.json"), |file| {
            serde_json::to_writer_pretty(&mut *file, &self.manifest)?;
            file.write_all(b"\n")
        })
    }
}

fn by_name<S: Serializer>(precision: &Precision, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(precision.name())
}

fn write_tokens<T: WritableElement>(path: &Path, tokens: &[T], shape: Shape) -> Result<(), RecordError> {
    write_whole(path, |file| {
        let dimensions = (shape.replicas, shape.count, shape.dim);
        let array = ArrayView3::from_shape(dimensions, tokens).map_err(io::Error::other)?;
        array.write_npy(file).map_err(|error| match error {
            WriteNpyError::Io(error) => error,
            other => io::Error::other(other),
        })
    })
}

/// Writes a file that is either whole or absent: a temporary file beside it, then a rename.
pub(crate) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), RecordError> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".partial");
    let attempt = || {
        let mut file = BufWriter::new(File::create(&temporary)?);
        write(&mut file)?;
        file.into_inner()?.sync_all()?;
        fs::rename(&temporary, path)
    };
    attempt().map_err(|source| {
        // Whatever stopped the write may stop the clean-up too; the error that matters is the first.
        let _ = fs::remove_file(&temporary);
        RecordError::Write { path: path.to_owned(), source }
    })
}
