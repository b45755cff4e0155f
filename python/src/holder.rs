//! The thread that holds the tokens of a simulation, and what can be asked of it.

use std::sync::mpsc::{Receiver, SyncSender};

use tokenfield::{
    backend::{BackendError, Identity, Method, machine::Machine},
    cancel::Cancel,
    observe::Sample,
    problem::Problem,
    simulate::{self, SimulateError, Snapshot},
    tokens::Tokens,
};

use crate::saved::State;

/// Pairs of a step that takes so long that it may have to be ended in the middle.
const MANY_PAIRS: u64 = 1 << 30;

/// What is asked of the tokens, and where the answer goes.
pub(crate) enum Command {
    /// Take so many steps, unless they are cancelled; answered with the steps that are done in all.
    Step(u64, Cancel, SyncSender<Result<u64, SimulateError>>),
    /// Measure them, and say whether the condition to stop at holds in all replicas.
    Observe(SyncSender<Result<(Vec<f64>, bool), SimulateError>>),
    /// Read them.
    Tokens(SyncSender<Result<Vec<f64>, BackendError>>),
    /// Say where they stand.
    State(SyncSender<Result<State, SimulateError>>),
    /// Go on with another equation.
    Change(Box<Problem>, SyncSender<Result<(), BackendError>>),
}

/// Holds the tokens of a problem and does what it is told, until nobody is left who could.
pub(crate) async fn serve(
    machine: Machine,
    mut problem: Problem,
    start: Option<(Snapshot, Vec<f64>)>,
    commands: &Receiver<Command>,
    opened: impl FnOnce(Result<Identity, SimulateError>),
) {
    let (mut snapshot, tokens) = start.unzip();
    let held = match tokens {
        None => machine.backend(&problem).await,
        Some(tokens) => machine.backend(&problem.at(tokens)).await,
    };
    let mut backend = match held {
        Ok(backend) => backend,
        Err(error) => return opened(Err(error.into())),
    };
    let (identity, mut opened) = (backend.identity(), Some(opened));
    let mut steps = 0;
    loop {
        let simulation = match snapshot.take() {
            None => Ok(simulate::Simulation::resumed(&problem, backend.as_mut(), steps)),
            Some(snapshot) => simulate::Simulation::at(&problem, backend.as_mut(), None, &snapshot),
        };
        let opened = opened.take();
        let mut simulation = match (simulation, opened) {
            (Ok(simulation), None) => simulation,
            (Ok(simulation), Some(opened)) => {
                opened(Ok(identity.clone()));
                simulation
            }
            (Err(error), Some(opened)) => return opened(Err(error.into())),
            // Snapshots are of the first one.
            (Err(_), None) => return,
        };
        let Some(restart) = execute(&mut simulation, commands).await else { return };
        steps = simulation.steps();
        let (changed, tokens, answer) = match restart {
            Restart::Changed(changed, answer) => (*changed, None, Some(answer)),
            Restart::Cancelled(tokens) => (problem.clone(), Some(tokens), None),
        };
        let next = async {
            let coordinates = match tokens {
                Some(tokens) => tokens,
                None => simulation.backend().tokens().await?,
            };
            let tokens = Tokens { coordinates, ..changed.tokens.clone() };
            machine.backend(&Problem { tokens, ..changed.clone() }).await
        };
        let answered = match next.await {
            Ok(next) => {
                (problem, backend) = (changed, next);
                Ok(())
            }
            Err(error) => Err(error),
        };
        match (answer, answered) {
            (Some(answer), answered) => {
                let _ = answer.send(answered);
            }
            // There were tokens here a moment ago; without them nothing can be done.
            (None, Err(_)) => return,
            (None, Ok(())) => {}
        }
    }
}

/// Why tokens are put into a backend once more.
enum Restart {
    /// The equation is another.
    Changed(Box<Problem>, SyncSender<Result<(), BackendError>>),
    /// A step was cancelled that had begun at these tokens.
    Cancelled(Vec<f64>),
}

/// Does what it is told until a backend is needed that starts where tokens are; `None` if nobody is left who could tell.
async fn execute(simulation: &mut simulate::Simulation<'_>, commands: &Receiver<Command>) -> Option<Restart> {
    loop {
        match commands.recv().ok()? {
            Command::Observe(answer) => {
                let samples = simulation.observe().await;
                let measured = |samples: Vec<Sample>| {
                    let stops = simulation.stops(&samples);
                    (samples.into_iter().flat_map(|sample| sample.values).collect(), stops)
                };
                let _ = answer.send(samples.map(measured));
            }
            Command::Tokens(answer) => {
                let _ = answer.send(simulation.backend().tokens().await);
            }
            Command::State(answer) => {
                let _ = answer.send(State::of(simulation).await);
            }
            Command::Change(problem, answer) => return Some(Restart::Changed(problem, answer)),
            Command::Step(most, cancel, answer) => {
                let (start, stepped) = step(simulation, most, &cancel).await;
                let is_cancelled = stepped.as_ref().is_err_and(SimulateError::is_cancelled);
                let _ = answer.send(if is_cancelled { Ok(simulation.steps()) } else { stepped });
                if is_cancelled {
                    return Some(Restart::Cancelled(start));
                }
            }
        }
    }
}

/// Takes `most` steps, fewer where they are cancelled, and returns how many there have been in all; and the tokens before the last step, where it
/// takes so long that it can be cancelled in the middle.
async fn step(
    simulation: &mut simulate::Simulation<'_>,
    most: u64,
    cancel: &Cancel,
) -> (Vec<f64>, Result<u64, SimulateError>) {
    let (end, mut start) = (simulation.steps() + most, Vec::new());
    let stepped = async {
        while simulation.steps() < end && !simulation.is_at_end() && !cancel.is_requested() {
            let is_long = simulation.pairs_per_step() > MANY_PAIRS
                && !matches!(simulation.backend().method(), Method::Harmonic { .. });
            if is_long {
                start = simulation.backend().tokens().await?;
                simulation.backend().end_with(cancel);
            }
            simulation.step(if is_long { 1 } else { end - simulation.steps() }).await?;
        }
        simulation.backend().end_with(&Cancel::default());
        simulation.backend().wait().await?;
        Ok(simulation.steps())
    };
    let stepped = stepped.await;
    (start, stepped)
}
