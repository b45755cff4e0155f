//! Tokens that are moved step by step, on a thread that holds them.

use std::{
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread,
};

use numpy::{IntoPyArray, PyArrayMethods};
use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    prelude::*,
    types::PyDict,
};
use tokenfield::{
    backend::{BackendError, Method, Precision, machine::Machine},
    cancel::Cancel,
    observables::columns,
    observe::Sample,
    problem::Problem,
    simulate::{self, SimulateError},
    tokens::{Shape, Tokens},
};

use crate::{
    arrays::output,
    errors::Raised,
    interrupt::interruptible,
    machines::{machine, precision, require_same_process},
    problem,
};

/// Pairs of a step that takes so long that it may have to be ended in the middle.
const MANY_PAIRS: u64 = 1 << 30;

/// What is asked of the tokens, and where the answer goes.
enum Command {
    /// Take so many steps, unless they are cancelled; answered with the steps that are done in all.
    Step(u64, Cancel, SyncSender<Result<u64, SimulateError>>),
    /// Measure them, and say whether the condition to stop at holds in all replicas.
    Observe(SyncSender<Result<(Vec<f64>, bool), SimulateError>>),
    /// Read them.
    Tokens(SyncSender<Result<Vec<f64>, BackendError>>),
    /// Go on with another equation.
    Change(Box<Problem>, SyncSender<Result<(), BackendError>>),
}

/// The tokens of a problem, and how many steps they have taken.
#[pyclass(frozen, module = "tokenfield._native")]
pub(crate) struct Simulation {
    commands: Mutex<Sender<Command>>,
    now: Mutex<Now>,
    machine: Machine,
}

/// What is known without asking.
struct Now {
    problem: Problem,
    steps: u64,
}

#[pymethods]
impl Simulation {
    #[new]
    fn new(
        py: Python<'_>,
        problem: &Bound<'_, PyAny>,
        set: Option<&Bound<'_, PyDict>>,
        device: &str,
        precision: &str,
    ) -> PyResult<Self> {
        let machine = machine(device, self::precision(precision)?)?;
        let problem = resolved(problem, set)?;
        let (commands, received) = channel();
        let (opened, is_open) = sync_channel(1);
        let (here, start) = (machine.clone(), problem.clone());
        thread::Builder::new()
            .name("tokenfield".into())
            .spawn(move || {
                let opened = |result| {
                    let _ = opened.send(result);
                };
                pollster::block_on(serve(here, start, &received, opened));
            })
            .map_err(|error| PyRuntimeError::new_err(format!("no thread could be started: {error}")))?;
        let opened = py.detach(move || is_open.recv()).map_err(|_| gone())?;
        opened.map_err(Raised::raised)?;
        Ok(Self { commands: Mutex::new(commands), now: Mutex::new(Now { problem, steps: 0 }), machine })
    }

    /// Steps that are done.
    #[getter]
    fn steps(&self) -> u64 {
        self.now().steps
    }

    /// Steps of the schedule.
    #[getter]
    fn total_steps(&self) -> u64 {
        self.now().problem.schedule.steps
    }

    /// The layer-time of the tokens.
    #[getter]
    fn time(&self) -> f64 {
        let now = self.now();
        now.problem.schedule.time(now.steps)
    }

    /// Steps until the next observation of the schedule.
    #[getter]
    fn until_observed(&self) -> u64 {
        let now = self.now();
        if now.steps == now.problem.schedule.steps { 0 } else { now.problem.schedule.until_observed(now.steps) }
    }

    /// The names of what `observe` measures.
    #[getter]
    fn columns(&self) -> Vec<String> {
        let now = self.now();
        columns(&now.problem.quantities, now.problem.tokens.shape.dim)
    }

    /// Takes so many steps; an interrupt leaves the tokens after the last of them that was completed.
    fn step(&self, py: Python<'_>, steps: u64) -> PyResult<()> {
        let (cancel, done) = (Cancel::default(), self.now().steps);
        let left = self.now().problem.schedule.steps - done;
        if steps > left {
            let time = self.time();
            let end = self.now().problem.schedule.end;
            return Err(PyValueError::new_err(format!(
                "steps: expected at most the {left} that lie between time {time} and time.end = {end}, got {steps}; start with a larger time.end"
            )));
        }
        let (answer, answered) = sync_channel(1);
        self.send(Command::Step(steps, cancel.clone(), answer))?;
        let outcome = interruptible(py, || cancel.request(), |_| Ok(()), move |_| answered.recv());
        match outcome {
            Ok(Ok(done)) => {
                let done = done.map_err(Raised::raised)?;
                let mut now = self.now();
                now.steps = now.steps.max(done);
                Ok(())
            }
            Ok(Err(_)) => Err(gone()),
            Err(raised) => {
                // The step that was under way is over soon, but for one of the reference; whoever interrupts again does not wait for it.
                let (answer, answered) = sync_channel(1);
                self.send(Command::Step(0, Cancel::default(), answer))?;
                let outcome = interruptible(py, || (), |_| Ok(()), move |_| answered.recv());
                if let Ok(Ok(Ok(done))) = outcome {
                    let mut now = self.now();
                    now.steps = now.steps.max(done);
                }
                Err(raised)
            }
        }
    }

    /// The values of all columns, of shape (replicas, columns), and whether `time.stop` holds in all replicas.
    fn observe<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, bool)> {
        let (columns, replicas) = (self.columns().len(), self.now().problem.tokens.shape.replicas);
        let (rows, stops) = self.ask(py, Command::Observe)?.map_err(Raised::raised)?;
        Ok((rows.into_pyarray(py).reshape([replicas, columns])?.into_any(), stops))
    }

    /// The tokens, of shape (replicas, n, d), in the precision of the arithmetic.
    #[getter]
    fn tokens<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Shape { replicas, count, dim, .. } = self.now().problem.tokens.shape;
        let tokens = self.ask(py, Command::Tokens)?.map_err(Raised::raised)?;
        let precision =
            if self.machine.precision() == Precision::Double { Precision::Double } else { Precision::Single };
        output(py, tokens, &[replicas, count, dim], precision)
    }

    /// Goes on with the equation and the quantities of another problem, from the same tokens at the same time.
    fn change(&self, py: Python<'_>, problem: &Bound<'_, PyAny>, set: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        let changed = resolved(problem, set)?;
        let same = {
            let now = &self.now().problem;
            let (new, old) = (&changed.schedule, &now.schedule);
            let same_times = new.steps == old.steps && (0..=new.steps).all(|step| new.time(step) == old.time(step));
            changed.tokens == now.tokens && changed.scheme == now.scheme && same_times
        };
        if !same {
            return Err(PyValueError::new_err(
                "set: tokens and time stay as they were; change keys of attention, perceptron, noise or observe, or make a new Simulation",
            ));
        }
        let command = |answer| Command::Change(Box::new(changed.clone()), answer);
        self.ask(py, command)?.map_err(Raised::raised)?;
        self.now().problem = changed;
        Ok(())
    }
}

impl Simulation {
    fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, command: Command) -> PyResult<()> {
        require_same_process()?;
        self.commands.lock().unwrap_or_else(PoisonError::into_inner).send(command).map_err(|_| gone())
    }

    /// The answer to a command; an interrupt gives up waiting for it.
    fn ask<T: Send + 'static>(&self, py: Python<'_>, command: impl FnOnce(SyncSender<T>) -> Command) -> PyResult<T> {
        let (answer, answered) = sync_channel(1);
        self.send(command(answer))?;
        interruptible(py, || (), |_| Ok(()), move |_| answered.recv())?.map_err(|_| gone())
    }
}

fn gone() -> PyErr {
    PyRuntimeError::new_err("the thread that holds the tokens has ended after an error; make a new Simulation")
}

/// A problem without a limit beside it.
fn resolved(problem: &Bound<'_, PyAny>, set: Option<&Bound<'_, PyDict>>) -> PyResult<Problem> {
    let experiment = problem::experiment(problem, set)?;
    if experiment.reference().is_some() {
        return Err(PyValueError::new_err(
            "reference: a Simulation has no limit beside it; call simulate, or leave it out",
        ));
    }
    let problem = experiment.resolve().map_err(Raised::raised)?;
    if problem.schedule.control.is_some() {
        return Err(PyValueError::new_err(
            "time.step.tolerance: a Simulation takes steps of given lengths; call simulate, or write e.g. time.step = 0.05",
        ));
    }
    Ok(problem)
}

/// Holds the tokens of a problem and does what it is told, until nobody is left who could.
async fn serve(
    machine: Machine,
    mut problem: Problem,
    commands: &Receiver<Command>,
    opened: impl FnOnce(Result<(), BackendError>),
) {
    let mut backend = match machine.backend(&problem).await {
        Ok(backend) => backend,
        Err(error) => return opened(Err(error)),
    };
    opened(Ok(()));
    let mut steps = 0;
    loop {
        let mut simulation = simulate::Simulation::resumed(&problem, backend.as_mut(), steps);
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
