//! The run folders of experiments that run as one: each gets its share of the replicas.

use std::{collections::BTreeMap, path::Path};

use super::error::{Cancelled, RunError};
use crate::{
    backend::{Backend, Identity, Method},
    experiment::Experiment,
    observables::{Quantity, columns},
    observe::Sample,
    problem::Problem,
    record::{Claim, Draft, ExperimentFiles, Fingerprint, RecordError, RunFolder, Tokens, require_room},
    results::Results,
    simulate::{SimulateError, Snapshot, Summary},
    tokens::Shape,
    warning::Warning,
};

/// An experiment and the folder that is claimed for it; none where it has been written before.
pub struct ClaimedExperiment<'a> {
    /// What is recorded as run.
    pub experiment: &'a Experiment,
    /// Where.
    pub claim: Option<Claim>,
}

pub(super) struct Folders {
    /// None where the folder was written before.
    folders: Vec<Option<RunFolder>>,
    /// Of one experiment.
    shape: Shape,
    /// Of its tokens that are kept over time.
    kept: Shape,
}

impl Folders {
    /// Begins the record of every part that has a folder.
    pub(super) fn create(
        parts: Vec<ClaimedExperiment>,
        problem: &Problem,
        backend: &dyn Backend,
    ) -> Result<Self, RunError> {
        let all = problem.tokens.shape;
        let count = parts.len();
        let shape = Shape { replicas: all.replicas / count, ..all };
        let kept = problem.shape_of_kept(shape);
        let names = columns(&problem.quantities, shape.dim);
        let begin = |part: ClaimedExperiment| -> Result<Option<RunFolder>, RunError> {
            let Some(claim) = part.claim else { return Ok(None) };
            let samples = problem.schedule.observations();
            let resumes = claim.resumes().cloned();
            // A digit and a comma at least, for the number of the replica and the time as well.
            require_room(claim.path(), samples, (names.len() + 2) * shape.replicas, 2)?;
            if problem.kept_tokens().is_some() {
                require_room(claim.path(), problem.times_of_tokens(), kept.coordinates(), 4)?;
            }
            let heads = problem.model.attention.heads.len();
            let keeps_attention = problem.quantities.contains(&Quantity::AttentionMatrix);
            if keeps_attention {
                let matrices = shape.replicas.saturating_mul(heads);
                require_room(claim.path(), samples, matrices.saturating_mul(shape.sources().pow(2)), 4)?;
            }
            let (seed, identity, method) = (part.experiment.seed(), backend.identity(), backend.method());
            let mut folder = match &resumes {
                Some(checkpoint) => RunFolder::resume(claim, checkpoint, seed, &identity, method)?,
                None => {
                    let (text, arrays) = (part.experiment.to_toml()?, part.experiment.arrays()?);
                    let experiment = ExperimentFiles { text: &text, arrays: arrays.as_deref() };
                    RunFolder::create(claim, &experiment, seed, &names, &identity, method)?
                }
            };
            folder.shared_by(count);
            if let Some((reference, _)) = part.experiment.reference() {
                folder.set_reference(&reference)?;
            }
            let results = part.experiment.results()?;
            if !results.is_empty() {
                folder.keep_results(Results::new(results, names.clone(), shape.replicas))?;
            }
            let snapshot = resumes.as_ref().map(|checkpoint| &checkpoint.state.snapshot);
            if let Some(tokens) = problem.kept_tokens() {
                let numbers = tokens.numbers(shape.count);
                folder.keep_tokens(Tokens {
                    samples: problem.times_of_tokens() as usize,
                    shape: kept,
                    format: tokens.format,
                    has_own_times: tokens.every.is_some(),
                    numbers: numbers.map(|numbers| numbers.into_iter().map(|number| number as u64).collect()),
                    before: times_before(problem, snapshot, |steps| problem.keeps_tokens(steps)),
                })?;
            }
            if keeps_attention {
                let before = times_before(problem, snapshot, |steps| problem.schedule.observes(steps));
                folder.keep_attention(problem.schedule.observations() as usize, shape, heads, before)?;
            }
            Ok(Some(folder))
        };
        Ok(Self { folders: parts.into_iter().map(begin).collect::<Result<_, _>>()?, shape, kept })
    }

    /// Adds a sample to the folder of its replica.
    pub(super) fn sample(&mut self, sample: &Sample) -> Result<(), RecordError> {
        let (part, replica) = (sample.replica / self.shape.replicas, sample.replica % self.shape.replicas);
        match &mut self.folders[part] {
            Some(folder) => folder.sample(&Sample { replica, ..sample.clone() }),
            None => Ok(()),
        }
    }

    /// Adds a run of the tokens that are kept at this time.
    pub(super) fn tokens(&mut self, time: f64, first: usize, coordinates: &[f64]) -> Result<(), RecordError> {
        if first == 0 {
            self.folders.iter_mut().flatten().for_each(|folder| folder.tokens_at(time));
        }
        self.shares(self.kept, first, coordinates).try_for_each(|(folder, share)| folder.tokens(share))
    }

    /// Adds a run of the final tokens; what a disk has against that is told at the end.
    pub(super) fn final_tokens(&mut self, first: usize, coordinates: &[f64]) {
        let shape = self.shape;
        self.shares(shape, first, coordinates).for_each(|(folder, share)| folder.final_tokens(shape, share));
    }

    /// The folders to which a run of tokens belongs, each with tokens of that shape, and the part of each; the first token of the run has
    /// that number.
    fn shares<'a>(
        &'a mut self,
        shape: Shape,
        first: usize,
        coordinates: &'a [f64],
    ) -> impl Iterator<Item = (&'a mut RunFolder, &'a [f64])> {
        let (each, start) = (shape.coordinates(), first * shape.dim);
        let (part, inside) = (start / each, start % each);
        let (head, rest) = coordinates.split_at(coordinates.len().min(each - inside));
        let shares = std::iter::once(head).chain(rest.chunks(each));
        let folders = self.folders.iter_mut().skip(part).zip(shares);
        folders.filter_map(|(folder, share)| Some((folder.as_mut()?, share)))
    }

    /// Adds a matrix of attention to the folder of its replica.
    pub(super) fn attention(&mut self, replica: usize, weights: &[f64]) -> Result<(), RecordError> {
        match &mut self.folders[replica / self.shape.replicas] {
            Some(folder) => folder.attention(weights),
            None => Ok(()),
        }
    }

    /// Keeps a warning in the folders that it is about, and returns what is to be said, if that is new.
    pub(super) fn warn(&mut self, warning: &Warning) -> Result<Option<String>, RecordError> {
        let own = warning.replica.map(|replica| (replica / self.shape.replicas, replica % self.shape.replicas));
        let warning = Warning { replica: own.map(|(_, replica)| replica), ..warning.clone() };
        let is_one_of_many = self.folders.len() > 1;
        let mut line = None;
        for (part, folder) in self.folders.iter_mut().enumerate() {
            let Some(folder) = folder.as_mut().filter(|_| own.is_none_or(|(only, _)| only == part)) else { continue };
            if folder.warn(&warning)? {
                line = Some(match own {
                    Some(_) if is_one_of_many => format!("{}: {warning}", folder.path().display()),
                    _ => warning.to_string(),
                });
            }
        }
        Ok(line)
    }

    /// Where the run is, if it is one that can leave checkpoints: of a single experiment.
    pub(super) fn only(&self) -> Option<&Path> {
        match self.folders.as_slice() {
            [Some(folder)] => Some(folder.path()),
            _ => None,
        }
    }

    /// Begins a checkpoint of the only run.
    pub(super) fn begin_checkpoint(&self) -> Option<Result<Draft, RecordError>> {
        match self.folders.as_slice() {
            [Some(folder)] => Some(folder.begin_checkpoint(self.shape)),
            _ => None,
        }
    }

    /// Waits until all that was added to the only run is on the disk, and says what that is.
    pub(super) fn sync(&mut self) -> Result<BTreeMap<String, Fingerprint>, RecordError> {
        match self.folders.as_mut_slice() {
            [Some(folder)] => folder.sync(),
            _ => Ok(BTreeMap::new()),
        }
    }

    /// Writes a checkpoint of the only run, whose tokens `draft` has and whose files are as they were synced.
    pub(super) fn checkpoint(
        &mut self,
        draft: Draft,
        limit: Option<&[f64]>,
        written: BTreeMap<String, Fingerprint>,
        snapshot: Snapshot,
        identity: &Identity,
    ) -> Result<(), RecordError> {
        match self.folders.as_mut_slice() {
            [Some(folder)] => folder.checkpoint(draft, limit, written, snapshot, identity),
            _ => Ok(()),
        }
    }

    /// Closes the manifest of a run that has left a checkpoint.
    pub(super) fn interrupt(self, method: Method) -> Result<(), RecordError> {
        self.folders.into_iter().flatten().try_for_each(|folder| folder.interrupt(method).map(|_| ()))
    }

    /// Gives the final tokens their names and closes the manifests.
    pub(super) fn complete(self, method: Method, summary: Summary) -> Result<(), RecordError> {
        let share_of_it = Summary { pairs: summary.pairs / self.folders.len() as u64, ..summary };
        let close = |folder: RunFolder| folder.complete(method, &share_of_it).map(|_| ());
        // All are closed, whatever happens to one.
        let closed: Vec<_> = self.folders.into_iter().flatten().map(close).collect();
        closed.into_iter().collect()
    }

    /// Closes the manifests of a run that came to nothing. The folder of the replica that is to blame is named, if one is.
    pub(super) fn fail(self, error: SimulateError, method: Method) -> RunError {
        let (guilty, error) = match error {
            SimulateError::NotFinite { replica, time } => {
                let own = SimulateError::NotFinite { replica: replica % self.shape.replicas, time };
                (replica / self.shape.replicas, own)
            }
            error => (0, error),
        };
        // What its observer has to say are errors of these folders, or that the caller wants it to end.
        let (said, cause): (String, Cause) = match error {
            SimulateError::Observer(error) if error.is::<Cancelled>() => (error.to_string(), Cause::Caller),
            error if error.is_cancelled() => (Cancelled.to_string(), Cause::Caller),
            SimulateError::Observer(error) => (error.to_string(), Cause::Disk),
            error => (error.to_string(), Cause::Equation(error)),
        };
        let mut message = said.clone();
        for (part, folder) in self.folders.into_iter().enumerate() {
            let Some(folder) = folder else { continue };
            let path = folder.path().display().to_string();
            match folder.fail(&said, method) {
                Ok(_) if part == guilty => message = format!("{said} (the samples so far are in {path})"),
                Ok(_) => {}
                Err(record) => message = format!("{said}; and its record could not be closed: {record}"),
            }
        }
        match cause {
            Cause::Caller => RunError::Cancelled { message },
            Cause::Disk => RunError::Disk { message },
            Cause::Equation(source) => RunError::Simulate { source, message },
        }
    }
}

/// The times of what earlier parts of a run have kept, of the steps at which it is due.
fn times_before(problem: &Problem, snapshot: Option<&Snapshot>, is_due: impl Fn(u64) -> bool) -> Vec<f64> {
    let Some(snapshot) = snapshot else { return Vec::new() };
    let (mut times, mut steps) = (Vec::new(), 0);
    while steps < snapshot.steps || steps == snapshot.steps && snapshot.is_measured {
        if is_due(steps) {
            times.push(problem.schedule.time(steps));
        }
        match problem.until_looked_at(steps) {
            0 => break,
            until => steps += until,
        }
    }
    times
}

/// What ended a run.
enum Cause {
    Caller,
    Disk,
    Equation(SimulateError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{backend::cpu::Cpu, warning::WarningKind};

    const EXPERIMENT: &str = "name = \"cell\"\n[tokens]\ncount = 4\ndim = 3\nreplicas = 2\ninitial = { law = \"uniform\" }\n\
                              [attention]\nbeta = 1.0\nnormalization = \"softmax\"\n\
                              [time]\nscheme = \"euler\"\nstep = 0.1\nend = 0.1\n";

    /// Three cells of two replicas each that run as one, the last of which has been written before.
    #[test]
    fn warnings_go_to_the_cells_that_they_are_about() {
        let folder = tempfile::tempdir().expect("a folder");
        let experiment = Experiment::parse(EXPERIMENT).expect("an experiment");
        let mut problem = experiment.resolve().expect("a problem");
        problem.tokens.shape.replicas = 6;
        problem.tokens.coordinates = problem.tokens.coordinates.repeat(3);
        let backend = Cpu::<f64>::new(&problem).expect("a backend");
        let path = |name: &str| folder.path().join(name);
        let claim = |name: &str| Claim::attempt(&path(name)).expect("a folder").expect("nobody has it");
        let part = |claim| ClaimedExperiment { experiment: &experiment, claim };
        let parts = vec![part(Some(claim("a"))), part(Some(claim("b"))), part(None)];
        let mut folders = Folders::create(parts, &problem, &backend).expect("folders");
        let kept = |name: &str| {
            let text = std::fs::read_to_string(path(name).join("manifest.json")).expect("a manifest");
            serde_json::from_str::<serde_json::Value>(&text).expect("a manifest")["warnings"].clone()
        };
        let mut warn = |replica, sentence: &str| {
            let kind = WarningKind::HarmonicsAbandoned;
            folders.warn(&Warning { kind, replica, sentence: sentence.into() }).expect("a manifest is written")
        };
        assert!(kept("a").is_null(), "nothing is amiss yet");
        let line = warn(Some(3), "too long");
        assert_eq!(line, Some(format!("{}: replica 1: too long", path("b").display())));
        assert_eq!(warn(Some(2), "too long"), None, "one of a kind");
        assert_eq!(warn(Some(5), "too long"), None, "nobody keeps it");
        assert!(kept("a").is_null(), "it is not about these");
        assert_eq!(kept("b"), serde_json::json!(["replica 1: too long"]));
        assert_eq!(warn(None, "slow"), Some("slow".into()));
        assert_eq!(warn(None, "slow"), None);
        assert_eq!(kept("a"), serde_json::json!(["slow"]));
        assert_eq!(kept("b"), serde_json::json!(["replica 1: too long"]), "the first of the kind");
    }
}
