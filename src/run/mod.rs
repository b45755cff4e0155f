//! One run, from an experiment to its run folder: the backend on a machine, the limit beside it, and the record.
//!
//! The caller is told everything as events, and may end the run between two of them. The command line, sweeps and other languages
//! run experiments here.
//!
//! ```no_run
//! use std::{ops::ControlFlow, path::Path};
//!
//! use tokenfield::{
//!     backend::Precision,
//!     experiment::Experiment,
//!     record::Claim,
//!     run::{Choice, Event, Machine, run},
//! };
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let experiment = Experiment::read(Path::new("assets/experiments/clusters.toml"), &[])?;
//! let machine = Machine::open(Choice::Auto, Precision::Single).await?;
//! let claim = Claim::vacant(Path::new("runs"), experiment.name())?;
//! let folder = run(&experiment, claim, &machine, |event| {
//!     if let Event::Steps(steps) = event {
//!         println!("{steps} steps");
//!     }
//!     ControlFlow::Continue(())
//! })
//! .await?;
//! println!("{}", folder.display());
//! # Ok(())
//! # }
//! ```

mod checkpoints;
mod error;
mod event;
mod execution;
mod folders;

use std::{borrow::Cow, ops::ControlFlow, path::PathBuf};

use self::execution::Execution;
pub use self::{
    checkpoints::{Checkpoints, Interval, OtherMachine},
    error::RunError,
    event::Event,
    folders::ClaimedExperiment,
};
pub use crate::backend::machine::{Choice, Machine, MachineError};
use crate::{
    experiment::Experiment,
    problem::Problem,
    record::Claim,
    warning::{Warning, WarningKind},
};

/// Runs `experiment` into the folder of `claim`, and returns where that is. A run that has left a checkpoint there goes on from it.
///
/// After `on_event` has returned `Break` the run ends with [`RunError::Cancelled`]; its folder keeps the samples so far, and the
/// same experiment can begin again in it.
pub async fn run(
    experiment: &Experiment,
    claim: Claim,
    machine: &Machine,
    on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<PathBuf, RunError> {
    run_with(experiment, experiment.resolve()?, claim, machine, &Checkpoints::default(), on_event).await
}

/// The same, with checkpoints, of the problem that `experiment` resolves to.
pub async fn run_with(
    experiment: &Experiment,
    problem: Problem,
    claim: Claim,
    machine: &Machine,
    checkpoints: &Checkpoints,
    on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<PathBuf, RunError> {
    let problem = Cow::Owned(problem);
    let path = claim.path().to_owned();
    execute(vec![ClaimedExperiment { experiment, claim: Some(claim) }], problem, machine, checkpoints, on_event)
        .await?;
    Ok(path)
}

/// Runs `problem`, which the experiments that are `claimed` resolve to, each to its share of the replicas, in their order. Of several there
/// are no checkpoints, and a request to interrupt cancels.
pub async fn run_together(
    claimed: Vec<ClaimedExperiment<'_>>,
    problem: &Problem,
    machine: &Machine,
    checkpoints: &Checkpoints,
    on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<(), RunError> {
    execute(claimed, Cow::Borrowed(problem), machine, checkpoints, on_event).await
}

async fn execute(
    claimed: Vec<ClaimedExperiment<'_>>,
    problem: Cow<'_, Problem>,
    machine: &Machine,
    checkpoints: &Checkpoints,
    mut on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<(), RunError> {
    let experiment = claimed.first().map(|first| first.experiment);
    let path = claimed.first().and_then(|first| first.claim.as_ref()).map(|claim| claim.path().to_owned());
    let (mut claimed, mut machine) = (claimed, Cow::Borrowed(machine));
    let mut execution = Execution { problem, checkpoints, lost: None };
    loop {
        let outcome = execution.run(claimed, &machine, &mut on_event).await;
        let (Err(error), Some(path), Some(experiment), None) = (&outcome, &path, experiment, &execution.lost) else {
            return outcome;
        };
        // Once: a device that is lost again is not worth another try.
        let (Some(warning), Ok(claim)) = (device_lost(error), Claim::to_resume(path)) else { return outcome };
        execution.lost = Some(warning);
        machine = Cow::Owned(machine.reopened().await?);
        claimed = vec![ClaimedExperiment { experiment, claim: Some(claim) }];
    }
}

/// What is to be said of a run that goes on after its device was lost; none where it ended for something else.
fn device_lost(error: &RunError) -> Option<Warning> {
    let RunError::Simulate { source, .. } = error else { return None };
    let reason = source.device_lost()?;
    Some(Warning::new(WarningKind::DeviceLost, format!("{reason}; went on from the last checkpoint on a new one")))
}

#[cfg(test)]
mod tests;
