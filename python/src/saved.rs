//! Simulations on disk.

use std::path::Path;

use pyo3::prelude::*;
use tokenfield::{
    backend::Identity,
    experiment::Experiment,
    record::{Checkpoint, ExperimentFiles, Origin, SavedState, load, save},
    simulate::{SimulateError, Simulation, Snapshot},
    tokens::Shape,
};

use crate::{
    errors::{Raised, other_machine},
    problem::Record,
};

/// Where a simulation stands.
pub(crate) struct State {
    snapshot: Snapshot,
    tokens: Vec<f64>,
    identity: Identity,
}

impl State {
    pub(crate) async fn of(simulation: &mut Simulation<'_>) -> Result<Self, SimulateError> {
        let snapshot = simulation.snapshot().await?;
        let tokens = simulation.backend().tokens().await?;
        Ok(Self { snapshot, tokens, identity: simulation.backend().identity() })
    }
}

/// Writes a simulation of `experiment` to the folder `path`.
pub(crate) fn write(path: &Path, experiment: &Experiment, state: State, shape: Shape) -> PyResult<()> {
    let State { snapshot, tokens, identity } = state;
    let text = experiment.to_toml().map_err(Raised::raised)?;
    let arrays = experiment.arrays().map_err(Raised::raised)?;
    let experiment = ExperimentFiles { text: &text, arrays: arrays.as_deref() };
    save(path, &experiment, &identity, snapshot, shape, &tokens).map_err(Raised::raised)
}

/// A simulation in a folder.
pub(crate) struct Saved {
    pub record: Record,
    pub origin: Origin,
    pub snapshot: Snapshot,
    /// Where the tokens are.
    pub checkpoint: Checkpoint<SavedState>,
}

impl Saved {
    pub(crate) fn read(path: &Path) -> PyResult<Self> {
        let checkpoint = load(path).map_err(Raised::raised)?;
        let (text, arrays) = checkpoint.experiment().map_err(Raised::raised)?;
        let SavedState { origin, snapshot, .. } = checkpoint.state.clone();
        Ok(Self { record: Record { text, arrays }, origin, snapshot, checkpoint })
    }
}

/// What is to be said where another machine computes than did; an error where no device was named.
pub(crate) fn moved(
    path: &Path,
    origin: &Origin,
    now: &Identity,
    time: f64,
    device: Option<&str>,
) -> PyResult<Option<String>> {
    if origin.is_of(now) {
        return Ok(None);
    }
    let (then, now) = (origin.machine(), now.machine());
    match device {
        None => Err(other_machine("Simulation.load", path, &then, &now)),
        Some(_) => Ok(Some(format!(
            "goes on at time {time} on {now} after {then}: from there on numbers may differ in their last digits from those of one machine"
        ))),
    }
}
