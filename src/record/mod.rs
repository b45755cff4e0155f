//! What a run leaves on disk: the experiment as resolved, a manifest, samples as they come, the final tokens, and if asked for those
//! of every sample and the attention among them.
//!
//! Whole files appear at once (a temporary file, then a rename); `samples.csv` grows row by row while the run goes on, and the
//! folder is locked. The manifest of a run that has ended carries the length and the SHA-256 of every file, so that whoever opens the
//! folder later knows whether it is what the run left. A folder that holds anything else is never written to.

mod claim;
mod error;
mod file;
mod fingerprint;
mod lock;
mod manifest;
mod samples;
mod standing;
mod status;
mod trajectory;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use ndarray::ArrayView3;
use ndarray_npy::{WritableElement, WriteNpyExt};

pub use self::{
    claim::Claim,
    error::{RecordError, is_of_path},
    fingerprint::Fingerprint,
    lock::{Holder, holder},
    standing::{Standing, fingerprint_of_samples, is_of, standing, standing_of_samples},
};
use self::{file::of_npy, manifest::Manifest, samples::Samples, status::Status, trajectory::Trajectory};
pub(crate) use self::{file::write_whole, fingerprint::hexadecimal};
use crate::{
    backend::{Identity, Method, Precision},
    budget::room_on_disk,
    observe::Sample,
    problem::Reference,
    results::Results,
    simulate::{Ending, Summary},
    tokens::Shape,
    warning::{Warning, WarningKind},
};

/// Refuses samples that the disk at `path` has no room for: every number of `numbers` a sample takes `each` bytes or more.
pub fn require_room(path: &Path, samples: u64, numbers: usize, each: u128) -> Result<(), RecordError> {
    let needed = each.saturating_mul(numbers as u128).saturating_mul(samples.into());
    match room_on_disk(path) {
        Some(available) if needed > available.into() => {
            Err(RecordError::NoRoom { path: path.to_owned(), samples, needed, available })
        }
        _ => Ok(()),
    }
}

/// An experiment as it is written down.
pub struct ExperimentFiles<'a> {
    /// TOML, with every default.
    pub text: &'a str,
    /// What the text calls `arrays.safetensors`, if it does.
    pub arrays: Option<&'a [u8]>,
}

/// The folder of a run under way.
pub struct RunFolder {
    claim: Claim,
    samples: Samples,
    trajectory: Option<Trajectory>,
    attention: Option<Trajectory>,
    results: Option<Results>,
    /// Runs that take this one's time with it.
    sharers: usize,
    /// The kinds of the warnings in the manifest.
    warned: Vec<WarningKind>,
    manifest: Manifest,
    started: Instant,
    is_closed: bool,
}

impl RunFolder {
    /// Begins the record of a run of the experiment in the folder of `claim`. Files of a record that are
    /// there already go.
    pub fn create(
        claim: Claim,
        experiment: &ExperimentFiles<'_>,
        seed: u64,
        columns: &[String],
        identity: &Identity,
        method: Method,
    ) -> Result<Self, RecordError> {
        claim.clear()?;
        let begin = || {
            let path = claim.path();
            let mut manifest = Manifest::new(seed, identity, method);
            let written =
                write_whole(&path.join("experiment.toml"), |file| file.write_all(experiment.text.as_bytes()))?;
            manifest.files.insert("experiment.toml", written);
            if let Some(arrays) = experiment.arrays {
                let written = write_whole(&path.join("arrays.safetensors"), |file| file.write_all(arrays))?;
                manifest.files.insert("arrays.safetensors", written);
            }
            let samples = Samples::create(&path.join("samples.csv"), columns)?;
            manifest.write(path)?;
            Ok((samples, manifest))
        };
        let (samples, manifest) = begin().inspect_err(|_| drop(claim.clear()))?;
        let started = Instant::now();
        Ok(Self {
            claim,
            samples,
            trajectory: None,
            attention: None,
            results: None,
            sharers: 1,
            warned: Vec::new(),
            manifest,
            started,
            is_closed: false,
        })
    }

    /// Records which limit runs beside the tokens, an approximate one as such.
    pub fn beside(&mut self, reference: &Reference) -> Result<(), RecordError> {
        self.manifest.reference = Some(reference.to_string());
        self.manifest.write(self.path())
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        self.claim.path()
    }

    /// Appends one row to `samples.csv`.
    pub fn sample(&mut self, sample: &Sample) -> Result<(), RecordError> {
        if let Some(results) = &mut self.results {
            results.sample(sample);
        }
        self.samples.row((sample.replica, sample.time, &sample.values))
    }

    /// Keeps the first warning of each kind, and returns whether this is one.
    pub fn warn(&mut self, warning: &Warning) -> Result<bool, RecordError> {
        if self.warned.contains(&warning.kind) {
            return Ok(false);
        }
        self.warned.push(warning.kind);
        self.manifest.warnings.push(warning.to_string());
        self.manifest.write(self.path())?;
        Ok(true)
    }

    /// From now on takes from the samples what `results.csv` is to have.
    pub fn keep_results(&mut self, results: Results) {
        self.results = Some(results);
    }

    /// Of the time that passes this run takes one part in so many.
    pub fn shared_by(&mut self, runs: usize) {
        self.sharers = runs;
    }

    /// From now on keeps the tokens of `samples` samples, in `trajectory.npy`.
    pub fn keep_tokens(&mut self, samples: usize, shape: Shape) -> Result<(), RecordError> {
        let path = self.path().join("trajectory.npy");
        let each = [shape.replicas, shape.count, shape.dim];
        self.trajectory = Some(Trajectory::create(&path, samples, &each, self.manifest.precision)?);
        Ok(())
    }

    /// From now on keeps the matrices of attention of `samples` samples, in `attention.npy`.
    pub fn keep_attention(&mut self, samples: usize, shape: Shape, heads: usize) -> Result<(), RecordError> {
        let path = self.path().join("attention.npy");
        let each = [shape.replicas, heads, shape.sources(), shape.sources()];
        self.attention = Some(Trajectory::create(&path, samples, &each, self.manifest.precision)?);
        Ok(())
    }

    /// Adds the tokens of a sample, if they are kept.
    pub fn tokens(&mut self, tokens: &[f64]) -> Result<(), RecordError> {
        self.trajectory.as_mut().map_or(Ok(()), |trajectory| trajectory.add(tokens))
    }

    /// Adds the matrix of the next head, or of the first one of the next replica or sample, if these are kept.
    pub fn attention(&mut self, weights: &[f64]) -> Result<(), RecordError> {
        self.attention.as_mut().map_or(Ok(()), |attention| attention.add(weights))
    }

    /// Writes the final tokens and closes the manifest.
    pub fn complete(
        mut self,
        tokens: &[f64],
        shape: Shape,
        method: Method,
        summary: &Summary,
    ) -> Result<PathBuf, RecordError> {
        self.manifest.summarize(summary);
        self.manifest.computed_by(method);
        let results = self.write_results();
        let written = results
            .and_then(|()| self.write_tokens(tokens, shape))
            .and_then(|()| self.finish_arrays(summary.ending))
            .and_then(|()| self.close(Status::Complete));
        if let Err(error) = &written {
            self.manifest.error = Some(error.to_string());
            // On a disk that stays full not even this can be recorded; then nobody holds the folder of a run that is not complete.
            let _ = self.discard_ends().and_then(|()| self.close(Status::Failed));
        }
        written
    }

    /// Records that the run came to nothing, and why; the samples so far stay, an array that lacks some does not.
    pub fn fail(mut self, error: &str, method: Method) -> Result<PathBuf, RecordError> {
        self.discard_ends()?;
        self.manifest.error = Some(error.to_owned());
        self.manifest.computed_by(method);
        self.close(Status::Failed)
    }

    fn write_results(&mut self) -> Result<(), RecordError> {
        let Some(results) = self.results.take() else { return Ok(()) };
        let written = write_whole(&self.path().join("results.csv"), |file| {
            let mut writer = csv::Writer::from_writer(file);
            let header: Vec<&str> = ["replica"].into_iter().chain(results.names()).collect();
            writer.write_record(header).map_err(io::Error::from)?;
            for row in results.rows().iter().enumerate() {
                writer.serialize(row).map_err(io::Error::from)?;
            }
            writer.flush()
        })?;
        self.manifest.files.insert("results.csv", written);
        Ok(())
    }

    fn write_tokens(&mut self, tokens: &[f64], shape: Shape) -> Result<(), RecordError> {
        let path = self.path().join("tokens.npy");
        let written = match self.manifest.precision {
            Precision::Half | Precision::Single => {
                let single: Vec<f32> = tokens.iter().map(|x| *x as f32).collect();
                write_array(&path, &single, shape)?
            }
            Precision::Double => write_array(&path, tokens, shape)?,
        };
        self.manifest.files.insert("tokens.npy", written);
        Ok(())
    }

    /// Gives the arrays of every sample their names.
    fn finish_arrays(&mut self, ending: Ending) -> Result<(), RecordError> {
        let arrays = [("trajectory.npy", self.trajectory.take()), ("attention.npy", self.attention.take())];
        for (name, array) in arrays {
            let Some(array) = array else { continue };
            let written = match ending {
                Ending::Scheduled | Ending::Unmet => array.finish()?,
                Ending::Stopped => array.finish_early()?,
            };
            self.manifest.files.insert(name, written);
        }
        Ok(())
    }

    /// Removes what there is of files that a run has when it is complete.
    fn discard_ends(&mut self) -> Result<(), RecordError> {
        (self.trajectory, self.attention, self.results) = (None, None, None);
        for name in ["results.csv", "tokens.npy", "trajectory.npy", "attention.npy"] {
            self.manifest.files.remove(name);
            let path = self.path().join(name);
            for path in [file::partial(&path), path] {
                match fs::remove_file(&path) {
                    Err(source) if source.kind() != io::ErrorKind::NotFound => {
                        return Err(RecordError::Write { path, source });
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn close(&mut self, status: Status) -> Result<PathBuf, RecordError> {
        self.manifest.files.insert("samples.csv", self.samples.fingerprint()?);
        self.manifest.status = status;
        self.manifest.wall_seconds = self.started.elapsed().as_secs_f64() / self.sharers as f64;
        self.manifest.write(self.path())?;
        self.is_closed = true;
        Ok(self.path().to_owned())
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // A run that was given up before it had a sample leaves nothing.
        if !self.is_closed && self.samples.rows() == 0 {
            let _ = self.claim.clear();
        }
    }
}

fn write_array<T: WritableElement>(path: &Path, tokens: &[T], shape: Shape) -> Result<Fingerprint, RecordError> {
    write_whole(path, |file| {
        let dimensions = (shape.replicas, shape.count, shape.dim);
        let array = ArrayView3::from_shape(dimensions, tokens).map_err(io::Error::other)?;
        array.write_npy(file).map_err(of_npy)
    })
}
