//! A run from where it starts or goes on to where it ends: the backend, the limit, the folders, and the loop between them.

use std::{borrow::Cow, ops::ControlFlow};

use super::{
    checkpoints::{Checkpoints, Clock, OtherMachine},
    error::{Cancelled, RunError},
    event::Event,
    folders::{ClaimedExperiment, Folders},
};
use crate::{
    backend::{Backend, Identity, Method, machine::Machine},
    cancel::Cancel,
    experiment::Experiment,
    limit::{Limit, equiangular, gaussian, overlap, particles, quadrature_within, zonal},
    problem::{Problem, Reference},
    record::{Checkpoint, Draft, RecordError, RunState},
    simulate::{self, Integration, SimulateError, Snapshot},
    warning::{Warning, WarningKind},
};

/// Who is told of events.
type Listener<'a> = &'a mut dyn FnMut(Event<'_>) -> ControlFlow<()>;

/// What is run, and how.
pub(super) struct Execution<'a> {
    pub problem: Cow<'a, Problem>,
    pub checkpoints: &'a Checkpoints,
    /// What is to be said of why it goes on.
    pub lost: Option<Warning>,
}

/// How the loop ended.
enum End {
    /// Where there was nothing left to do.
    Complete(simulate::Summary),
    /// At this layer-time, with a checkpoint.
    Interrupted(f64),
}

impl Execution<'_> {
    pub(super) async fn run(
        &mut self,
        experiments: Vec<ClaimedExperiment<'_>>,
        machine: &Machine,
        on_event: Listener<'_>,
    ) -> Result<(), RunError> {
        let Some(experiment) = experiments.first().map(|claimed| claimed.experiment) else { return Ok(()) };
        let kept = checkpoint(&experiments);
        let mut backend = self.backend(machine, experiment, kept.as_ref()).await?;
        let problem = &*self.problem;
        let backend = backend.as_mut();
        let identity = backend.identity();
        let full = no_room(machine, &identity);
        let moved = kept.as_ref().map(|checkpoint| self.moved(checkpoint, &identity)).transpose()?.flatten();
        if let Some((reference, _)) = experiment.reference()
            && on_event(Event::Limit(&reference)).is_break()
        {
            return Err(RunError::Cancelled { message: Cancelled.to_string() });
        }
        let mut limit = limit(experiment, problem).transpose()?;
        let mut folders = Folders::create(experiments, problem, backend)?;
        let cancel = Cancel::default();
        backend.end_with(&cancel);
        let started = Event::Started { name: experiment.name(), identity: &identity, problem, cancel: &cancel };
        let outcome = if on_event(started).is_break() {
            Err(SimulateError::Observer(Cancelled.into()))
        } else {
            match integration(problem, backend, limit.as_mut(), kept.as_ref()) {
                Ok(integration) => {
                    let warnings = moved.iter().chain(&self.lost).chain(&full);
                    announce(warnings, kept.as_ref(), &mut folders, on_event)?;
                    self.follow(integration, &identity, &mut folders, on_event).await
                }
                Err(error) => Err(error),
            }
        };
        // Whoever draws progress is done, whatever becomes of the record.
        let _ = on_event(Event::Ended);
        close(outcome, folders, backend.method())
    }

    /// The backend, with the tokens of the start or of the checkpoint. The problem gives those of the start back where nobody reads them again.
    async fn backend(
        &mut self,
        machine: &Machine,
        experiment: &Experiment,
        kept: Option<&Checkpoint<RunState>>,
    ) -> Result<Box<dyn Backend>, RunError> {
        let is_read_again = experiment.reference().is_some();
        if kept.is_some() && !is_read_again {
            self.forget_start();
        }
        let backend = match kept {
            None => machine.backend(&self.problem).await?,
            Some(checkpoint) => {
                let tokens = checkpoint.tokens(self.problem.tokens.shape).map_err(misfit(checkpoint))?;
                machine.backend(&self.problem.at(tokens)).await?
            }
        };
        if !is_read_again {
            self.forget_start();
        }
        Ok(backend)
    }

    /// Gives back the tokens at time zero, if the problem is nobody else's.
    fn forget_start(&mut self) {
        if let Cow::Owned(problem) = &mut self.problem {
            problem.forget_start();
        }
    }

    /// What is to be said where another machine has computed the checkpoint; an error where that is not accepted.
    fn moved(&self, checkpoint: &Checkpoint<RunState>, identity: &Identity) -> Result<Option<Warning>, RunError> {
        let state = &checkpoint.state;
        let path = || checkpoint.run().to_owned();
        if state.origin.is_of(identity) {
            return Ok(None);
        }
        if !state.origin.has_precision(identity.precision) {
            let (then, now) = (state.origin.precision.clone(), identity.precision.name());
            return Err(RunError::OtherPrecision { path: path(), then, now });
        }
        let (then, now) = (state.origin.machine(), identity.machine());
        match self.checkpoints.other_machine {
            OtherMachine::Refused => Err(RunError::OtherMachine { path: path(), then, now }),
            OtherMachine::Accepted => {
                let time = state.snapshot.time;
                let sentence = format!(
                    "went on at time {time} on {now} after {then}: from there on numbers may differ in their last digits from those of one machine"
                );
                Ok(Some(Warning::new(WarningKind::OtherMachine, sentence)))
            }
        }
    }

    /// Follows the equation to its end, or to where it stops or is to be interrupted.
    async fn follow(
        &self,
        mut integration: Integration<'_>,
        identity: &Identity,
        folders: &mut Folders,
        on_event: Listener<'_>,
    ) -> Result<End, SimulateError> {
        let problem = &*self.problem;
        let mut clock = Clock::new(self.checkpoints.every, integration.steps());
        while integration.advance(&mut |event| record(event, folders, on_event)).await? {
            let is_interrupted = self.checkpoints.interrupt.is_requested();
            if !(clock.rings(integration.steps()) || is_interrupted) {
                continue;
            }
            let Some(draft) = folders.begin_checkpoint() else {
                match is_interrupted {
                    true => return Err(SimulateError::Observer(Cancelled.into())),
                    false => continue,
                }
            };
            let snapshot = integration.snapshot().await?;
            let time = snapshot.time;
            match self.keep(draft, snapshot, integration.backend(), identity, folders).await? {
                Ok(()) if is_interrupted => return Ok(End::Interrupted(time)),
                Ok(()) => tell(on_event(Event::Checkpoint(time)))?,
                Err(error) if is_interrupted => return Err(SimulateError::Observer(error.into())),
                // The run may still come to its end.
                Err(error) => {
                    let warning =
                        Warning::new(WarningKind::NoCheckpoint, format!("no checkpoint at time {time}: {error}"));
                    if let Some(line) = folders.warn(&warning).unwrap_or_else(|_| Some(warning.to_string())) {
                        tell(on_event(Event::Warning(&line)))?;
                    }
                }
            }
        }
        let time = problem.schedule.time(integration.steps());
        for tokens in problem.tokens.shape.segments() {
            let first = tokens.start;
            let coordinates = integration.backend().tokens_of(tokens).await?;
            require_finite(&coordinates, first, problem, time)?;
            folders.final_tokens(first, &coordinates);
        }
        Ok(End::Complete(integration.into_summary()))
    }

    /// Writes a checkpoint of where the equation is. The inner error is one of the disk.
    async fn keep(
        &self,
        draft: Result<Draft, RecordError>,
        mut snapshot: Snapshot,
        backend: &mut dyn Backend,
        identity: &Identity,
        folders: &mut Folders,
    ) -> Result<Result<(), RecordError>, SimulateError> {
        let mut draft = match draft {
            Ok(draft) => draft,
            Err(error) => return Ok(Err(error)),
        };
        for tokens in self.problem.tokens.shape.segments() {
            let first = tokens.start;
            let coordinates = backend.tokens_of(tokens).await?;
            require_finite(&coordinates, first, &self.problem, snapshot.time)?;
            if let Err(error) = draft.add(&coordinates) {
                return Ok(Err(error));
            }
        }
        let written = folders.sync().map_err(|error| SimulateError::Observer(error.into()))?;
        let limit = snapshot.limit.as_mut().map(|state| std::mem::take(&mut state.limit.numbers));
        Ok(folders.checkpoint(draft, limit.as_deref(), written, snapshot, identity))
    }
}

/// What the only run goes on from.
fn checkpoint(experiments: &[ClaimedExperiment<'_>]) -> Option<Checkpoint<RunState>> {
    match experiments {
        [ClaimedExperiment { experiment: _, claim: Some(claim) }] => claim.resumes().cloned(),
        _ => None,
    }
}

/// Says, before the first step, what is amiss and where the run goes on.
fn announce<'w>(
    warnings: impl Iterator<Item = &'w Warning>,
    kept: Option<&Checkpoint<RunState>>,
    folders: &mut Folders,
    on_event: Listener<'_>,
) -> Result<(), RecordError> {
    for warning in warnings {
        if let Some(line) = folders.warn(warning)? {
            let _ = on_event(Event::Warning(&line));
        }
    }
    if let Some(Snapshot { time, steps, .. }) = kept.map(|checkpoint| &checkpoint.state.snapshot) {
        let _ = on_event(Event::Resumed { time: *time, steps: *steps });
    }
    Ok(())
}

/// Closes the folders as the run has ended.
fn close(outcome: Result<End, SimulateError>, folders: Folders, method: Method) -> Result<(), RunError> {
    let disk = |error: RecordError| RunError::Disk { message: error.to_string() };
    match outcome {
        Ok(End::Complete(summary)) => folders.complete(method, summary).map_err(disk),
        Ok(End::Interrupted(time)) => {
            let path = folders.only().map(ToOwned::to_owned).unwrap_or_default();
            folders.interrupt(method).map_err(disk)?;
            Err(RunError::Interrupted { path, time })
        }
        Err(error) => Err(folders.fail(error, method)),
    }
}

/// The problem from its beginning, or from a checkpoint whose tokens `backend` holds.
fn integration<'a>(
    problem: &'a Problem,
    backend: &'a mut dyn Backend,
    limit: Option<&'a mut Limit>,
    kept: Option<&Checkpoint<RunState>>,
) -> Result<Integration<'a>, SimulateError> {
    let Some(checkpoint) = kept else { return Ok(Integration::new(problem, backend, limit)) };
    let mut snapshot = checkpoint.state.snapshot.clone();
    if let (Some(state), Some(numbers)) = (&mut snapshot.limit, checkpoint.limit()) {
        state.limit.numbers =
            numbers.map_err(misfit(checkpoint)).map_err(|error| SimulateError::Observer(error.into()))?;
    }
    Ok(Integration::resumed(problem, backend, limit, &snapshot)?)
}

/// What is to be said where the CPU stands in for a device.
fn no_room(machine: &Machine, identity: &Identity) -> Option<Warning> {
    let Machine::Gpu(device) = machine else { return None };
    let sentence = format!(
        "the problem has no room on {}, and is computed by {}; lower tokens.count or tokens.replicas for the GPU",
        device.summary().name,
        identity.machine()
    );
    (identity.backend == "cpu").then(|| Warning::new(WarningKind::NoRoomOnDevice, sentence))
}

/// What makes an error of what is wrong with a checkpoint.
fn misfit(checkpoint: &Checkpoint<RunState>) -> impl Fn(String) -> RecordError {
    let path = checkpoint.run().to_owned();
    move |problem| RecordError::Misfit { path: path.clone(), problem }
}

/// Takes an event of the loop into the folders, and reports it.
fn record(
    event: simulate::Event<'_>,
    folders: &mut Folders,
    on_event: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let goes_on = match event {
        simulate::Event::Sample(sample) => {
            folders.sample(sample)?;
            on_event(Event::Sample(sample))
        }
        simulate::Event::Tokens { time, first, coordinates } => {
            folders.tokens(time, first, coordinates)?;
            ControlFlow::Continue(())
        }
        simulate::Event::Attention { replica, weights } => {
            folders.attention(replica, weights)?;
            ControlFlow::Continue(())
        }
        simulate::Event::Steps(done) => on_event(Event::Steps(done)),
        simulate::Event::Warning(warning) => match folders.warn(warning)? {
            Some(line) => on_event(Event::Warning(&line)),
            None => ControlFlow::Continue(()),
        },
        simulate::Event::Stopped { time, condition } => on_event(Event::Stopped { time, condition }),
    };
    // As it is: whoever closes the folders tells it from errors of a disk.
    if goes_on.is_break() { Err(Cancelled.into()) } else { Ok(()) }
}

/// An error where the caller wants the run to end.
fn tell(goes_on: ControlFlow<()>) -> Result<(), SimulateError> {
    if goes_on.is_break() { Err(SimulateError::Observer(Cancelled.into())) } else { Ok(()) }
}

/// Opens the limit that an experiment asks for.
fn limit(experiment: &Experiment, problem: &Problem) -> Option<Result<Limit, RunError>> {
    let (reference, law) = experiment.reference()?;
    let steps = experiment.reference_steps();
    let limit = match reference {
        Reference::Quadrature { tolerance } => quadrature_within(problem, law, tolerance, steps),
        Reference::Particles { count } => particles(problem, law, count, experiment.seed()),
        Reference::Zonal => zonal(problem, law, steps),
        Reference::Gaussian => gaussian(problem, law, steps),
        Reference::Equiangular => equiangular(problem, law),
        Reference::Overlap { count, overlap: start } => overlap(problem, count, start),
    };
    Some(limit.map_err(RunError::Limit))
}

/// An error where one of the tokens from number `first` on, of weight zero perhaps, is no longer finite.
fn require_finite(tokens: &[f64], first: usize, problem: &Problem, time: f64) -> Result<(), SimulateError> {
    let shape = problem.tokens.shape;
    match tokens.iter().position(|component| !component.is_finite()) {
        None => Ok(()),
        Some(at) => Err(SimulateError::NotFinite { replica: (first + at / shape.dim) / shape.count, time }),
    }
}
