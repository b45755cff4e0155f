//! The cells of a sweep as work that several processes may share: each takes what nobody else is at work on, and at the end waits for
//! the others, or leaves.

use std::{collections::HashSet, io, ops::ControlFlow, path::Path, time::Duration};

use super::{
    batch::merged,
    cell::{Cell, folder, standing, standing_of},
    error::SweepError,
    event::Event,
    whole::remove_tables,
};
use crate::{
    record::{self, Claim, Holder, RecordError, Standing},
    run::{Checkpoints, ClaimedExperiment, Machine, RunError, run_together},
};

/// Between two looks at whether others are done.
const PATIENCE: Duration = Duration::from_millis(100);

/// Whoever is told what a sweep reports.
pub(super) type Listener<'a> = &'a mut dyn FnMut(Event<'_>) -> ControlFlow<()>;

pub(super) struct Work<'a> {
    folder: &'a Path,
    cells: &'a [Cell],
    machine: &'a Machine,
    /// Of cells that run alone.
    checkpoints: &'a Checkpoints,
    /// Cells that are known to be complete, by their places.
    complete: HashSet<usize>,
    /// Batches that were run here.
    runs: usize,
    /// Whether cells without a lock are not touched: others count on that.
    is_worker: bool,
    /// Cells that failed together with others, of which that is said already.
    failed: HashSet<usize>,
    /// Cells whose checkpoint does not serve here.
    afresh: HashSet<usize>,
}

/// Cells that run together, one of which somebody else is at work on.
struct Held {
    batch: Vec<usize>,
    cell: usize,
    holder: Holder,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        folder: &'a Path,
        cells: &'a [Cell],
        machine: &'a Machine,
        checkpoints: &'a Checkpoints,
    ) -> Self {
        let (complete, failed, afresh) = (HashSet::new(), HashSet::new(), HashSet::new());
        Self { folder, cells, machine, checkpoints, complete, runs: 0, is_worker: false, failed, afresh }
    }

    /// Runs cells of these batches as long as there are some that are not complete and that nobody else is at work on, and does not wait
    /// for those of others. A cell that fails stops no other.
    ///
    /// Where several do this nothing is left but what one of them died at, or what failed: whoever finds a cell in other hands without
    /// having run anything since the last look at it leaves it to one who is at work, and who looks again.
    pub(super) async fn take(
        &mut self,
        mut batches: Vec<Vec<usize>>,
        on_event: Listener<'_>,
    ) -> Result<(), SweepError> {
        self.is_worker = true;
        // Where the file system gives no locks there is nothing to take.
        drop(Claim::attempt_alone(self.folder)?);
        let mut failure = Ok(());
        loop {
            let (mut held, before) = (Vec::new(), self.runs);
            for batch in batches {
                match self.attempt(batch, on_event).await {
                    Ok(more) => held.extend(more),
                    Err(SweepError::Run(error)) if matches!(*error, RunError::Simulate { .. }) => {
                        tell(on_event, Event::Failed(&error.to_string()))?;
                        failure = failure.and(Err(SweepError::Run(error)));
                    }
                    Err(error) => return Err(error),
                }
            }
            if held.is_empty() || self.runs == before {
                return failure;
            }
            batches = held.into_iter().map(|held| held.batch).collect();
        }
    }

    /// Runs the cells of these batches, given by their places, and returns when all of them are complete.
    pub(super) async fn finish(
        &mut self,
        mut batches: Vec<Vec<usize>>,
        on_event: Listener<'_>,
    ) -> Result<(), SweepError> {
        let mut said = None;
        loop {
            let mut held = Vec::new();
            for batch in batches {
                held.extend(self.attempt(batch, on_event).await?);
            }
            let Some(first) = held.first() else { return Ok(()) };
            let path = folder(self.folder, &self.cells[first.cell]);
            if said.as_ref() != Some(&first.holder) {
                tell(on_event, Event::Waiting { holder: &first.holder, folder: &path })?;
                said = Some(first.holder.clone());
            }
            // Until it is done, or dead: then its cells are anyone's.
            while record::holder(&path).is_some() {
                std::thread::sleep(PATIENCE);
                tell(on_event, Event::Idle)?;
                if self.checkpoints.interrupt.is_requested() {
                    return Err(self.interrupted());
                }
            }
            batches = held.into_iter().map(|held| held.batch).collect();
        }
    }

    fn interrupted(&self) -> SweepError {
        SweepError::Interrupted { folder: self.folder.to_owned() }
    }

    /// Cells that are not complete.
    pub(super) fn left(&self) -> usize {
        let is_left = |(index, cell): &(usize, &Cell)| {
            !self.complete.contains(index) && standing(self.folder, cell) != Standing::Complete
        };
        self.cells.iter().enumerate().filter(is_left).count()
    }

    /// Runs the cells of `batch`, unless all of them are complete; none of them if somebody else is at work on one.
    async fn attempt(&mut self, batch: Vec<usize>, on_event: Listener<'_>) -> Result<Vec<Held>, SweepError> {
        if self.checkpoints.interrupt.is_requested() {
            return Err(self.interrupted());
        }
        let mut claims = Vec::new();
        let mut again = Vec::new();
        for index in &batch {
            match self.claim(*index)? {
                Ok(None) => {
                    self.complete.insert(*index);
                    claims.push(None);
                }
                Ok(Some((claim, standing))) => {
                    if standing != Standing::Absent && !self.failed.contains(index) {
                        again.push(match &standing {
                            Standing::Broken { .. } => standing.to_string(),
                            standing => format!("{}: {standing}", claim.path().display()),
                        });
                    }
                    claims.push(Some(claim));
                }
                Err(holder) => return Ok(vec![Held { cell: *index, batch, holder }]),
            }
        }
        if claims.iter().all(Option::is_none) {
            return Ok(Vec::new());
        }
        if let ([index], [Some(claim)]) = (batch.as_slice(), claims.as_mut_slice())
            && !self.afresh.contains(index)
        {
            claim.find_checkpoint(&self.cells[*index].text, self.machine.precision());
            if claim.resumes().is_some() {
                again.clear();
            }
        }
        for reason in again {
            tell(on_event, Event::Again(&reason))?;
        }
        self.run(batch, claims, on_event).await
    }

    /// Claims the folder of a cell, unless it is complete, and says how it stands; or who else has it.
    fn claim(&self, index: usize) -> Result<Result<Option<(Claim, Standing)>, Holder>, SweepError> {
        let cell = &self.cells[index];
        if self.complete.contains(&index) {
            return Ok(Ok(None));
        }
        match standing(self.folder, cell) {
            Standing::Complete => return Ok(Ok(None)),
            Standing::Held(holder) => return Ok(Err(holder)),
            _ => {}
        }
        // By the time that the folder is claimed somebody else may have completed it.
        let attempt = if self.is_worker { Claim::attempt_alone } else { Claim::attempt };
        Ok(attempt(&folder(self.folder, cell))?.map(|claim| match standing_of(&claim, cell) {
            Standing::Complete => None,
            standing => Some((claim, standing)),
        }))
    }

    async fn run(
        &mut self,
        batch: Vec<usize>,
        claims: Vec<Option<Claim>>,
        on_event: Listener<'_>,
    ) -> Result<Vec<Held>, SweepError> {
        if self.runs == 0 {
            // What tables there are is not of cells that are still to come.
            let _tables = Claim::wait(self.folder)?;
            remove_tables(self.folder)?;
        }
        self.runs += 1;
        if let [first, others @ ..] = batch.as_slice() {
            tell(on_event, Event::Cells { first: *first, others: others.len(), of: self.cells.len() })?;
        }
        let experiments = batch.iter().map(|index| &self.cells[*index].experiment);
        let is_resumed = claims.iter().flatten().any(|claim| claim.resumes().is_some());
        let parts: Vec<ClaimedExperiment> =
            experiments.zip(claims).map(|(experiment, claim)| ClaimedExperiment { experiment, claim }).collect();
        let problems: Result<Vec<_>, _> = parts.iter().map(|part| part.experiment.resolve()).collect();
        let outcome = match merged(problems?) {
            Some(problem) => {
                run_together(parts, &problem, self.machine, self.checkpoints, |event| on_event(Event::Run(event)))
                    .await
            }
            None => Ok(()),
        };
        match outcome {
            // Whether it has left a checkpoint or not.
            Err(RunError::Interrupted { .. } | RunError::Cancelled { .. })
                if self.checkpoints.interrupt.is_requested() =>
            {
                Err(self.interrupted())
            }
            Err(RunError::Simulate { message, .. }) if batch.len() > 1 => {
                // One cell must not stop those that have nothing to do with it.
                tell(on_event, Event::Alone(&message))?;
                self.failed.extend(&batch);
                let mut held = Vec::new();
                let mut failure = Ok(());
                for index in batch {
                    match Box::pin(self.attempt(vec![index], on_event)).await {
                        Ok(more) => held.extend(more),
                        Err(error) if failure.is_ok() => failure = Err(error),
                        Err(_) => {}
                    }
                }
                failure.map(|()| held)
            }
            Err(error) if is_resumed && is_of_checkpoint(&error) => {
                // It is computed from its beginning.
                self.afresh.extend(&batch);
                tell(on_event, Event::Again(&error.to_string()))?;
                Box::pin(self.attempt(batch, on_event)).await
            }
            Err(error) => Err(error.into()),
            Ok(()) => {
                self.complete.extend(batch);
                Ok(Vec::new())
            }
        }
    }
}

/// Whether a run did not begin because of what it was to go on from.
fn is_of_checkpoint(error: &RunError) -> bool {
    match error {
        RunError::OtherMachine { .. } | RunError::OtherPrecision { .. } => true,
        // What is there is not what was written.
        RunError::Record(RecordError::Misfit { .. }) => true,
        RunError::Record(RecordError::Write { source, .. }) => {
            matches!(source.kind(), io::ErrorKind::Other | io::ErrorKind::NotFound)
        }
        _ => false,
    }
}

/// Reports an event between runs, where the caller may end the sweep.
fn tell(on_event: Listener<'_>, event: Event<'_>) -> Result<(), SweepError> {
    match on_event(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(SweepError::Cancelled),
    }
}
