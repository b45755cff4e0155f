//! The folder of a run under way: what is written while it goes on, and how it is closed.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use super::{
    checkpoint::{self, Checkpoint},
    claim::{self, Claim},
    draft::Draft,
    error::RecordError,
    file::write_whole,
    fingerprint::{Fingerprint, hashed},
    form::Form,
    manifest::Manifest,
    samples::Samples,
    state::{KeptWarning, Origin, RunState, inputs},
    status::{ENDS, Status},
    trajectory::{Tokens, Trajectory},
};
use crate::{
    backend::{Identity, Method},
    observe::Sample,
    problem::Reference,
    results::Results,
    simulate::{Ending, Snapshot, Summary},
    tokens::Shape,
    warning::{Warning, WarningKind},
};

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
    /// The final tokens, as far as they are known, or what the disk had against them.
    last: Option<Result<Trajectory, RecordError>>,
    results: Option<Results>,
    /// Runs that take this one's time with it.
    sharers: usize,
    /// The SHA-256 of the experiment and of all files that it names, as they were when the run began.
    inputs: String,
    /// The kinds of the warnings in the manifest.
    warned: Vec<WarningKind>,
    manifest: Manifest,
    /// What the growing files held where the run goes on.
    resumes: BTreeMap<String, Fingerprint>,
    started: Instant,
    /// Of the parts of the run before this one.
    seconds_before: f64,
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
            let inputs = inputs(path);
            let inputs = inputs.map_err(|source| RecordError::Write { path: path.to_owned(), source })?;
            Ok((samples, manifest, inputs))
        };
        let (samples, manifest, inputs) = begin().inspect_err(|_| drop(claim.clear()))?;
        Ok(Self::begun(claim, samples, manifest, inputs))
    }

    /// A record to which nothing was added here yet.
    fn begun(claim: Claim, samples: Samples, manifest: Manifest, inputs: String) -> Self {
        Self {
            claim,
            samples,
            trajectory: None,
            attention: None,
            last: None,
            results: None,
            sharers: 1,
            inputs,
            warned: Vec::new(),
            manifest,
            resumes: BTreeMap::new(),
            started: Instant::now(),
            seconds_before: 0.0,
            is_closed: false,
        }
    }

    /// Goes on with the record of the run in the folder of `claim` from `checkpoint`; what was written after that goes.
    pub fn resume(
        claim: Claim,
        checkpoint: &Checkpoint<RunState>,
        seed: u64,
        identity: &Identity,
        method: Method,
    ) -> Result<Self, RecordError> {
        let RunState { origin, wall_seconds, resumed_at, warnings, written, snapshot } = &checkpoint.state;
        let path = claim.path();
        let mut manifest = Manifest::new(seed, identity, method);
        for name in ["experiment.toml", "arrays.safetensors"] {
            match hashed(&path.join(name)) {
                Ok(found) => drop(manifest.files.insert(name, found)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(RecordError::Write { path: path.join(name), source }),
            }
        }
        let prefix = written.get("samples.csv").cloned().unwrap_or_else(|| Fingerprint::of(b""));
        let samples = Samples::resume(&path.join("samples.csv"), &prefix)?;
        manifest.warnings = warnings.iter().map(|warning| warning.text.clone()).collect();
        manifest.resumed_at = resumed_at.iter().copied().chain([snapshot.time]).collect();
        checkpoint::remove_newer(path, checkpoint.path())?;
        manifest.write(path)?;
        let mut folder = Self::begun(claim, samples, manifest, origin.inputs.clone());
        folder.warned = warnings.iter().map(|warning| warning.kind).collect();
        folder.resumes = written.clone();
        folder.seconds_before = *wall_seconds;
        Ok(folder)
    }

    /// Begins a checkpoint, which takes the tokens first.
    pub fn begin_checkpoint(&self, shape: Shape) -> Result<Draft, RecordError> {
        Draft::create(&checkpoint::next(self.path())?, shape, self.manifest.precision)
    }

    /// Waits until all that was added is on the disk, and says what that is. A run whose samples cannot be written cannot go on.
    pub fn sync(&mut self) -> Result<BTreeMap<String, Fingerprint>, RecordError> {
        let mut written = BTreeMap::from([("samples.csv".to_owned(), self.samples.fingerprint()?)]);
        for array in [&mut self.trajectory, &mut self.attention].into_iter().flatten() {
            written.insert(array.name().to_owned(), array.sync()?);
        }
        Ok(written)
    }

    /// Writes down what the run can go on from: `draft` has its tokens, these are the numbers of its limit, and its files are as they were
    /// [synced](Self::sync). Removes the checkpoints before the last two.
    pub fn checkpoint(
        &mut self,
        draft: Draft,
        limit: Option<&[f64]>,
        written: BTreeMap<String, Fingerprint>,
        snapshot: Snapshot,
        identity: &Identity,
    ) -> Result<(), RecordError> {
        let kinds = self.warned.iter().zip(&self.manifest.warnings);
        let state = RunState {
            origin: Origin::new(identity, self.inputs.clone()),
            wall_seconds: self.wall_seconds(),
            resumed_at: self.manifest.resumed_at.clone(),
            warnings: kinds.map(|(kind, text)| KeptWarning { kind: *kind, text: text.clone() }).collect(),
            written,
            snapshot,
        };
        draft.finish(&state, limit, &[])?;
        // One that stays is in nobody's way.
        let _ = checkpoint::remove_older(self.path());
        Ok(())
    }

    /// Records that the run has ended before its end, and will go on from its checkpoint.
    pub fn interrupt(mut self, method: Method) -> Result<PathBuf, RecordError> {
        self.manifest.computed_by(method);
        self.close(Status::Interrupted)
    }

    fn wall_seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64() / self.sharers as f64
    }

    /// Records which limit runs beside the tokens, an approximate one as such.
    pub fn set_reference(&mut self, reference: &Reference) -> Result<(), RecordError> {
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

    /// Keeps the first warning of each kind, and all about who went on with the run; returns whether it was kept.
    pub fn warn(&mut self, warning: &Warning) -> Result<bool, RecordError> {
        let is_about_parts = matches!(warning.kind, WarningKind::OtherMachine | WarningKind::DeviceLost);
        if self.warned.contains(&warning.kind) && !is_about_parts {
            return Ok(false);
        }
        self.warned.push(warning.kind);
        self.manifest.warnings.push(warning.to_string());
        self.manifest.write(self.path())?;
        Ok(true)
    }

    /// From now on takes from the samples what `results.csv` is to have.
    pub fn keep_results(&mut self, mut results: Results) -> Result<(), RecordError> {
        // Samples of earlier parts of the run count as well.
        self.samples.each(|sample| results.sample(sample))?;
        self.results = Some(results);
        Ok(())
    }

    /// Of the time that passes this run takes one part in so many.
    pub fn shared_by(&mut self, runs: usize) {
        self.sharers = runs;
    }

    /// From now on keeps tokens, in `trajectory.npy` or `trajectory.zarr`.
    pub fn keep_tokens(&mut self, kept: Tokens) -> Result<(), RecordError> {
        let Shape { replicas, count, dim, .. } = kept.shape;
        let form = self.form(kept.samples, &[replicas, count, dim]);
        self.trajectory = Some(self.array(kept.name(&form), form, kept)?);
        Ok(())
    }

    /// From now on keeps the matrices of attention of `samples` samples, in `attention.npy`; those at the times `before` an earlier part of
    /// the run has kept.
    pub fn keep_attention(
        &mut self,
        samples: usize,
        shape: Shape,
        heads: usize,
        before: Vec<f64>,
    ) -> Result<(), RecordError> {
        let form = self.form(samples, &[shape.replicas, heads, shape.sources(), shape.sources()]);
        let kept = Tokens { before, ..Tokens::all(samples, shape) };
        self.attention = Some(self.array("attention.npy", form, kept)?);
        Ok(())
    }

    fn form(&self, samples: usize, each: &[usize]) -> Form {
        Form { samples, each: each.to_vec(), precision: self.manifest.precision }
    }

    fn array(&self, name: &'static str, form: Form, kept: Tokens) -> Result<Trajectory, RecordError> {
        match self.resumes.get(name) {
            Some(synced) => Trajectory::resume(self.path(), name, form, kept, synced),
            None => Trajectory::create(self.path(), name, form, kept),
        }
    }

    /// Begins to keep the tokens at this layer-time, if they are kept.
    pub fn tokens_at(&mut self, time: f64) {
        self.trajectory.iter_mut().for_each(|trajectory| trajectory.sample(time));
    }

    /// Adds tokens of that time, in their order, if they are kept. They are written while others are computed; an error of earlier ones
    /// comes back here.
    pub fn tokens(&mut self, tokens: &[f64]) -> Result<(), RecordError> {
        self.trajectory.as_mut().map_or(Ok(()), |trajectory| trajectory.add(tokens))
    }

    /// Adds the matrix of the next head, or of the first one of the next replica or sample, if these are kept.
    pub fn attention(&mut self, weights: &[f64]) -> Result<(), RecordError> {
        self.attention.as_mut().map_or(Ok(()), |attention| attention.add(weights))
    }

    /// Adds final tokens, in their order, to `tokens.npy`; an error is that of [`complete`](Self::complete).
    pub fn final_tokens(&mut self, shape: Shape, tokens: &[f64]) {
        let last = self.last.take().unwrap_or_else(|| {
            let form = self.form(shape.replicas, &[shape.count, shape.dim]);
            Trajectory::create(self.path(), "tokens.npy", form, Tokens::all(1, shape))
        });
        self.last = Some(last.and_then(|mut last| last.add(tokens).map(|()| last)));
    }

    /// Gives the final tokens their name, all of which were added, and closes the manifest.
    pub fn complete(mut self, method: Method, summary: &Summary) -> Result<PathBuf, RecordError> {
        self.manifest.summarize(summary);
        self.manifest.computed_by(method);
        let results = self.write_results();
        let written = results
            .and_then(|()| self.finish_tokens())
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

    fn finish_tokens(&mut self) -> Result<(), RecordError> {
        let Some(tokens) = self.last.take() else { return Ok(()) };
        self.manifest.files.extend(tokens?.finish(Ending::Scheduled)?);
        Ok(())
    }

    /// Gives the arrays of every sample their names.
    fn finish_arrays(&mut self, ending: Ending) -> Result<(), RecordError> {
        for array in [self.trajectory.take(), self.attention.take()].into_iter().flatten() {
            self.manifest.files.extend(array.finish(ending)?);
        }
        Ok(())
    }

    /// Removes what there is of files that a run has when it is complete.
    fn discard_ends(&mut self) -> Result<(), RecordError> {
        // A run that can go on needs what there is of its arrays.
        if checkpoint::are_there(self.path()) {
            return Ok(());
        }
        (self.trajectory, self.attention, self.last, self.results) = (None, None, None, None);
        ENDS.iter().for_each(|name| drop(self.manifest.files.remove(name)));
        claim::remove(self.path(), &ENDS)
    }

    fn close(&mut self, status: Status) -> Result<PathBuf, RecordError> {
        self.manifest.files.insert("samples.csv", self.samples.fingerprint()?);
        self.manifest.status = status;
        self.manifest.wall_seconds = self.wall_seconds();
        self.manifest.write(self.path())?;
        self.is_closed = true;
        if status == Status::Complete {
            // They have served; and only now, because until the manifest is written the run could need them. Those that stay are removed by
            // whoever opens the folder next.
            let _ = checkpoint::remove_all(self.path());
        }
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
