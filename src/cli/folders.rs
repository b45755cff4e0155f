//! The run folders of experiments that run as one: each gets its share of the replicas.

use tokenfield::{
    backend::{Backend, Method},
    observe::{Quantity, Sample, columns},
    problem::Problem,
    record::{RecordError, RunFolder, require_room},
    simulate::SimulateError,
    tokens::Shape,
};

use super::{CommandError, run::Part};

pub struct Folders {
    /// None where the folder was written before.
    folders: Vec<Option<RunFolder>>,
    /// Of one experiment.
    shape: Shape,
}

impl Folders {
    /// Claims the folder of every part.
    pub fn create<B: Backend>(parts: &[Part], problem: &Problem, backend: &B) -> Result<Self, CommandError> {
        let all = problem.tokens.shape;
        let shape = Shape { replicas: all.replicas / parts.len(), ..all };
        let names = columns(&problem.quantities, shape.dim);
        let claim = |part: &Part| -> Result<Option<RunFolder>, CommandError> {
            let Some(path) = &part.path else { return Ok(None) };
            let samples = problem.schedule.observations();
            // A digit and a comma at least, for the number of the replica and the time as well.
            require_room(path, samples, (names.len() + 2) * shape.replicas, 2)?;
            if problem.quantities.contains(&Quantity::Tokens) {
                require_room(path, samples, shape.coordinates(), 4)?;
            }
            let (text, seed) = (part.experiment.to_toml()?, part.experiment.seed());
            let mut folder = RunFolder::create(path, &text, seed, &names, &backend.identity(), backend.method())?;
            folder.shared_by(parts.len());
            if let Some((reference, _)) = part.experiment.reference() {
                folder.beside(&reference)?;
            }
            if problem.quantities.contains(&Quantity::Tokens) {
                folder.keep_tokens(problem.schedule.observations() as usize, shape)?;
            }
            Ok(Some(folder))
        };
        Ok(Self { folders: parts.iter().map(claim).collect::<Result<_, _>>()?, shape })
    }

    /// Adds a sample to the folder of its replica.
    pub fn sample(&mut self, sample: &Sample) -> Result<(), RecordError> {
        let (part, replica) = (sample.replica / self.shape.replicas, sample.replica % self.shape.replicas);
        match &mut self.folders[part] {
            Some(folder) => folder.sample(&Sample { replica, ..sample.clone() }),
            None => Ok(()),
        }
    }

    /// Adds the tokens of a sample, if they are kept.
    pub fn tokens(&mut self, tokens: &[f64]) -> Result<(), RecordError> {
        let shares = tokens.chunks_exact(self.shape.coordinates());
        self.folders.iter_mut().zip(shares).try_for_each(|(folder, share)| match folder {
            Some(folder) => folder.tokens(share),
            None => Ok(()),
        })
    }

    /// Writes the final tokens and closes the manifests.
    pub fn complete(self, tokens: &[f64], method: Method, pairs: u64) -> Result<(), RecordError> {
        let (shape, pairs) = (self.shape, pairs / self.folders.len() as u64);
        let shares = tokens.chunks_exact(shape.coordinates());
        let close = |(folder, share): (Option<RunFolder>, &[f64])| match folder {
            Some(folder) => folder.complete(share, shape, method, pairs).map(|_| ()),
            None => Ok(()),
        };
        // All are closed, whatever happens to one.
        let closed: Vec<_> = self.folders.into_iter().zip(shares).map(close).collect();
        closed.into_iter().collect()
    }

    /// Closes the manifests of a run that came to nothing. The folder of the replica that is to blame is named, if one is.
    pub fn fail(self, error: SimulateError, method: Method) -> CommandError {
        let (guilty, error) = match error {
            SimulateError::NotFinite { replica, time } => {
                let own = SimulateError::NotFinite { replica: replica % self.shape.replicas, time };
                (replica / self.shape.replicas, own)
            }
            error => (0, error),
        };
        let mut message = error.to_string();
        for (part, folder) in self.folders.into_iter().enumerate() {
            let Some(folder) = folder else { continue };
            let path = folder.path().display().to_string();
            match folder.fail(&error, method) {
                Ok(_) if part == guilty => message = format!("{error} (the samples so far are in {path})"),
                Ok(_) => {}
                Err(record) => message = format!("{error}; and its record could not be closed: {record}"),
            }
        }
        CommandError::Failed(message)
    }
}
