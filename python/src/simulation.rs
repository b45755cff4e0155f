//! Tokens that are moved step by step, on a thread that holds them.

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        mpsc::{Sender, SyncSender, channel, sync_channel},
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
    backend::{Identity, Precision, machine::Machine},
    cancel::Cancel,
    experiment::Experiment,
    observables::columns,
    problem::Problem,
    simulate::Snapshot,
    tokens::Shape,
};

use crate::{
    arrays::output,
    errors::{Raised, RunError},
    holder::{Command, serve},
    interrupt::interruptible,
    machines::{machine, precision, require_same_process},
    problem::{self, Record},
    saved::{Saved, moved, write},
};

/// The tokens of a problem, and how many steps they have taken.
#[pyclass(frozen, module = "tokenfield._native")]
pub(crate) struct Simulation {
    commands: Mutex<Sender<Command>>,
    now: Mutex<Now>,
    machine: Machine,
    /// What other equations are changes of, where no problem of Python is.
    record: Option<Record>,
}

/// What is known without asking.
struct Now {
    experiment: Experiment,
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
        let experiment = problem::experiment(problem, set)?;
        let (simulation, _) = Self::open(py, experiment, machine, None)?;
        Ok(simulation)
    }

    /// The simulation that was saved to `path`, on the machine that it was on, or on another one that is named, of which `on_warning` is told.
    #[staticmethod]
    #[pyo3(signature = (path, device, on_warning))]
    fn load(py: Python<'_>, path: PathBuf, device: Option<&str>, on_warning: &Bound<'_, PyAny>) -> PyResult<Self> {
        require_same_process()?;
        let Saved { record, origin, snapshot, checkpoint } = Saved::read(&path)?;
        let experiment = problem::of_record(&record, None)?;
        let machine = machine(device.unwrap_or(&origin.backend), self::precision(&origin.precision)?)?;
        let time = snapshot.time;
        let tokens = move |problem: &Problem| checkpoint.tokens(problem.tokens.shape);
        let (simulation, identity) = Self::open(py, experiment, machine, Some((snapshot, &tokens)))?;
        if let Some(warning) = moved(&path, &origin, &identity, time, device)? {
            on_warning.call1((warning,))?;
        }
        Ok(Self { record: Some(record), ..simulation })
    }

    /// Writes where the tokens stand to the folder `path`, which must be absent or one that was written so before.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let (experiment, shape) = {
            let now = self.now();
            (now.experiment.clone(), now.problem.tokens.shape)
        };
        let state = self.ask(py, Command::State)?.map_err(Raised::raised)?;
        // Whoever interrupts finds the folder as it was before, or whole.
        interruptible(py, || (), |_| Ok(()), move |_| write(&path, &experiment, state, shape))?
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
    #[pyo3(signature = (problem, set))]
    fn change(
        &self,
        py: Python<'_>,
        problem: Option<&Bound<'_, PyAny>>,
        set: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let experiment = match (problem, &self.record) {
            (Some(problem), _) => problem::experiment(problem, set)?,
            (None, Some(record)) => problem::of_record(record, set)?,
            (None, None) => return Err(PyValueError::new_err("problem: there is none")),
        };
        let changed = resolved(&experiment)?;
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
        let mut now = self.now();
        (now.experiment, now.problem) = (experiment, changed);
        Ok(())
    }
}

/// Where a simulation goes on, and the tokens there, if they are those of the problem.
type Start<'a> = (Snapshot, &'a dyn Fn(&Problem) -> Result<Vec<f64>, String>);

impl Simulation {
    /// The tokens of an experiment at time zero or where they go on, on a thread of their own, and who computes there.
    fn open(
        py: Python<'_>,
        experiment: Experiment,
        machine: Machine,
        start: Option<Start<'_>>,
    ) -> PyResult<(Self, Identity)> {
        let problem = resolved(&experiment)?;
        let start = match start {
            None => None,
            Some((snapshot, tokens)) => Some((snapshot, tokens(&problem).map_err(RunError::new_err)?)),
        };
        let steps = start.as_ref().map_or(0, |(snapshot, _)| snapshot.steps);
        let (commands, received) = channel();
        let (opened, is_open) = sync_channel(1);
        let (here, held) = (machine.clone(), problem.clone());
        thread::Builder::new()
            .name("tokenfield".into())
            .spawn(move || {
                let opened = |result| {
                    let _ = opened.send(result);
                };
                pollster::block_on(serve(here, held, start, &received, opened));
            })
            .map_err(|error| PyRuntimeError::new_err(format!("no thread could be started: {error}")))?;
        let opened = py.detach(move || is_open.recv()).map_err(|_| gone())?;
        let identity = opened.map_err(Raised::raised)?;
        let now = Mutex::new(Now { experiment, problem, steps });
        Ok((Self { commands: Mutex::new(commands), now, machine, record: None }, identity))
    }

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
fn resolved(experiment: &Experiment) -> PyResult<Problem> {
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
