//! Runs and sweeps into folders, and pictures of them.

use std::{
    ops::ControlFlow,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use numpy::{IntoPyArray, PyArrayMethods};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyDict};
use tokenfield::{
    backend::machine::Machine,
    cancel::Cancel,
    experiment::Experiment,
    observables::columns,
    plot,
    record::Claim,
    run::{Checkpoints, Event, Interval, OtherMachine, RunError as Unfinished, run_with},
    sweep::{Event as SweepEvent, Shard, Share, run as run_sweep},
};

use crate::{
    errors::{Raised, RunError},
    interrupt::{self, Outcome, Waiting, interruptible},
    machines::{machine, precision, require_same_process},
    problem,
};

/// Who is told of the events of a run.
pub(crate) struct Listener {
    /// Shared with the thread that waits.
    pub progress: Arc<Progress>,
    /// Requested, the run leaves a checkpoint and ends, and nobody is called any longer.
    pub interrupt: Cancel,
    /// Called with the columns and their values of all replicas at each sample, of shape (replicas, 1 + columns), time first.
    pub on_sample: Option<Arc<Py<PyAny>>>,
    columns: Arc<Vec<String>>,
    replicas: usize,
    rows: Vec<f64>,
}

/// Steps that are done, and how to end them.
#[derive(Default)]
pub(crate) struct Progress {
    /// Of the run that is under way; zero before it starts.
    steps: AtomicU64,
    done: AtomicU64,
    /// Ends it in the middle of a sum.
    cancel: Mutex<Cancel>,
    warnings: Mutex<Vec<String>>,
    /// Whether the end was asked for.
    is_over: Cancel,
}

impl Progress {
    fn warn(&self, warning: &str) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning.to_owned());
    }

    fn end(&self) {
        self.is_over.request();
        self.cancel.lock().unwrap_or_else(PoisonError::into_inner).request();
    }

    /// Calls Python with how many steps are done, and what was warned of since the last time.
    pub(crate) fn report(
        &self,
        py: Python<'_>,
        on_steps: Option<&Py<PyAny>>,
        on_warning: &Py<PyAny>,
    ) -> PyResult<()> {
        let warnings = std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner));
        for warning in warnings {
            on_warning.call1(py, (warning,))?;
        }
        if let Some(call) = on_steps {
            call.call1(py, (self.done.load(Ordering::Relaxed), self.steps.load(Ordering::Relaxed)))?;
        }
        Ok(())
    }
}

impl Listener {
    pub(crate) fn new(progress: Arc<Progress>, interrupt: Cancel, on_sample: Option<Py<PyAny>>) -> Self {
        Self {
            progress,
            interrupt,
            on_sample: on_sample.map(Arc::new),
            columns: Arc::default(),
            replicas: 1,
            rows: Vec::new(),
        }
    }

    pub(crate) fn on_event(&mut self, waiting: &Waiting, event: &Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Started { problem, cancel, .. } => {
                let shape = problem.tokens.shape;
                (self.columns, self.replicas) = (columns(&problem.quantities, shape.dim).into(), shape.replicas);
                self.progress.steps.store(problem.schedule.steps, Ordering::Relaxed);
                *self.progress.cancel.lock().unwrap_or_else(PoisonError::into_inner) = (*cancel).clone();
            }
            Event::Steps(done) => self.progress.done.store(*done, Ordering::Relaxed),
            Event::Warning(warning) => self.progress.warn(warning),
            Event::Sample(sample) => {
                if let Some(call) = self.on_sample.as_ref().filter(|_| !self.interrupt.is_requested()) {
                    self.rows.push(sample.time);
                    self.rows.extend_from_slice(&sample.values);
                    if sample.replica + 1 == self.replicas {
                        let call = call.clone();
                        let (rows, columns) = (std::mem::take(&mut self.rows), self.columns.clone());
                        let shape = [self.replicas, 1 + columns.len()];
                        let called = waiting.call(move |py| {
                            let values = rows.into_pyarray(py).reshape(shape)?;
                            call.call1(py, ((*columns).clone(), values)).map(|_| ())
                        });
                        if !self.interrupt.is_requested() {
                            return called;
                        }
                    }
                }
            }
            _ => {}
        }
        if self.progress.is_over.is_requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Runs a problem into the folder `out`, which must be absent or empty, or hold what the same problem left before its end, and returns its path.
///
/// `on_steps` is called with the steps that are done and all there are, `on_sample` with columns and values of a sample, `on_warning` with a sentence;
/// what they raise ends the run.
///
/// `checkpoint` is how often it writes what it can go on from; then what is raised ends it only after one more.
#[pyfunction]
#[pyo3(signature = (problem, set, out, device, precision, checkpoint, on_steps, on_sample, on_warning))]
#[expect(clippy::too_many_arguments, reason = "one for each argument of the function in Python")]
pub(crate) fn run(
    py: Python<'_>,
    problem: &Bound<'_, PyAny>,
    set: Option<&Bound<'_, PyDict>>,
    out: PathBuf,
    device: &str,
    precision: &str,
    checkpoint: Option<&str>,
    on_steps: Option<Py<PyAny>>,
    on_sample: Option<Py<PyAny>>,
    on_warning: Py<PyAny>,
) -> PyResult<PathBuf> {
    let every = checkpoint.map(interval).transpose()?;
    let experiment: Experiment = problem::experiment(problem, set)?;
    let machine: Machine = machine(device, self::precision(precision)?)?;
    let text = experiment.to_toml().map_err(Raised::raised)?;
    let claim = Claim::for_run(&out, &text, machine.precision()).map_err(Raised::raised)?;
    let Some(every) = every else {
        return watched(py, on_steps, on_sample, on_warning, move |waiting, listener| {
            let listen = |event: Event<'_>| listener.on_event(waiting, &event);
            pollster::block_on(tokenfield::run::run(&experiment, claim, &machine, listen)).map_err(Raised::raised)
        })?;
    };
    let checkpoints = Checkpoints { every: Some(every), ..Checkpoints::default() };
    let run = Kept { experiment, claim, machine, checkpoints };
    run.follow(py, Calls { on_steps, on_sample, on_warning })
}

/// Goes on with the run in the folder `path` from its last checkpoint, on the machine that it was on, or on another one that is named, and returns
/// its path. What is raised ends it after one more checkpoint.
#[pyfunction]
#[pyo3(signature = (path, device, checkpoint, on_steps, on_sample, on_warning))]
pub(crate) fn resume(
    py: Python<'_>,
    path: PathBuf,
    device: Option<&str>,
    checkpoint: Option<&str>,
    on_steps: Option<Py<PyAny>>,
    on_sample: Option<Py<PyAny>>,
    on_warning: Py<PyAny>,
) -> PyResult<PathBuf> {
    let every = checkpoint.map(interval).transpose()?;
    let claim = Claim::to_resume(&path).map_err(Raised::raised)?;
    let experiment = Experiment::read(&path.join("experiment.toml"), &[]).map_err(Raised::raised)?;
    let Some(origin) = claim.resumes().map(|checkpoint| &checkpoint.state.origin) else {
        return Err(RunError::new_err(format!("{}: there is no checkpoint", path.display())));
    };
    let machine = machine(device.unwrap_or(&origin.backend), self::precision(&origin.precision)?)?;
    let other_machine = if device.is_some() { OtherMachine::Accepted } else { OtherMachine::Refused };
    let checkpoints = Checkpoints { every, other_machine, ..Checkpoints::default() };
    let run = Kept { experiment, claim, machine, checkpoints };
    run.follow(py, Calls { on_steps, on_sample, on_warning })
}

fn interval(text: &str) -> PyResult<Interval> {
    text.parse().map_err(|problem| PyValueError::new_err(format!("checkpoint: {problem}")))
}

/// What a run calls.
struct Calls {
    on_steps: Option<Py<PyAny>>,
    on_sample: Option<Py<PyAny>>,
    on_warning: Py<PyAny>,
}

/// A run that leaves a checkpoint where it is interrupted.
struct Kept {
    experiment: Experiment,
    claim: Claim,
    machine: Machine,
    checkpoints: Checkpoints,
}

impl Kept {
    fn follow(self, py: Python<'_>, calls: Calls) -> PyResult<PathBuf> {
        let Self { experiment, claim, machine, checkpoints } = self;
        let Calls { on_steps, on_sample, on_warning } = calls;
        let (progress, interrupt) = (Arc::<Progress>::default(), checkpoints.interrupt.clone());
        let mut listener = Listener::new(progress.clone(), interrupt.clone(), on_sample);
        let work = move |waiting: &Waiting| {
            let listen = |event: Event<'_>| listener.on_event(waiting, &event);
            let problem = experiment.resolve().map_err(Unfinished::from)?;
            let ran = run_with(&experiment, problem, claim, &machine, &checkpoints, listen);
            pollster::block_on(ran).map_err(Box::new)
        };
        let pulse = |py: Python<'_>| progress.report(py, on_steps.as_ref(), &on_warning);
        let outcome = interrupt::watched(py, Some(&|| interrupt.request()), || progress.end(), pulse, work)?;
        let on_last = on_steps.as_ref().filter(|_| matches!(outcome, Outcome::Done(Ok(_))));
        let last = progress.report(py, on_last, &on_warning);
        let (raised, note) = match outcome {
            Outcome::Done(ran) => {
                let path = ran.map_err(|error| Raised::raised(*error))?;
                return last.map(|()| path);
            }
            Outcome::Left(raised, Err(error)) => match *error {
                Unfinished::Interrupted { path, time } => (
                    raised,
                    format!(
                        "a checkpoint at time {time} was written; tokenfield.resume({path:?}) goes on from there"
                    ),
                ),
                error => (raised, format!("no checkpoint was written: {error}")),
            },
            Outcome::Left(raised, Ok(path)) => {
                (raised, format!("the run was at its end; tokenfield.open_run({path:?}) opens it"))
            }
            Outcome::Cancelled(raised) => (raised, "no checkpoint was waited for".into()),
        };
        raised.value(py).call_method1("add_note", (note,))?;
        Err(raised)
    }
}

/// Runs a sweep into the folder `out`, and returns how many cells are left to others.
#[pyfunction]
#[pyo3(signature = (problem, sweep, set, out, device, precision, shard, worker, on_cells, on_steps, on_warning))]
#[expect(clippy::too_many_arguments, reason = "one for each argument of the function in Python")]
pub(crate) fn sweep(
    py: Python<'_>,
    problem: &Bound<'_, PyAny>,
    sweep: Option<&Bound<'_, PyDict>>,
    set: Option<&Bound<'_, PyDict>>,
    out: PathBuf,
    device: &str,
    precision: &str,
    shard: (usize, usize),
    worker: bool,
    on_cells: Option<Py<PyAny>>,
    on_steps: Option<Py<PyAny>>,
    on_warning: Py<PyAny>,
) -> PyResult<usize> {
    let file = problem::sweep(problem, sweep, set)?;
    let (part, of) = shard;
    if !(1..=of).contains(&part) {
        return Err(PyValueError::new_err(format!("shard: expected (k, n) with 1 <= k <= n, got ({part}, {of})")));
    }
    let share = if worker { Share::Worker } else { Share::Of(Shard { index: part - 1, count: of }) };
    let machine: Machine = machine(device, self::precision(precision)?)?;
    let on_cells = on_cells.map(Arc::new);
    let swept = watched(py, on_steps, None, on_warning, move |waiting, listener| {
        let listen = |event: SweepEvent<'_>| cells(waiting, listener, on_cells.as_ref(), event);
        pollster::block_on(run_sweep(&file, &out, share, &machine, listen)).map_err(Raised::raised)
    })??;
    Ok(swept.left)
}

/// Hands on what a sweep reports.
pub(crate) fn cells(
    waiting: &Waiting,
    listener: &mut Listener,
    on_cells: Option<&Arc<Py<PyAny>>>,
    event: SweepEvent<'_>,
) -> ControlFlow<()> {
    match event {
        SweepEvent::Run(event) => return listener.on_event(waiting, &event),
        SweepEvent::Cells { first, others, of } => {
            listener.progress.steps.store(0, Ordering::Relaxed);
            listener.progress.done.store(0, Ordering::Relaxed);
            if let Some(call) = on_cells {
                let call = call.clone();
                return waiting.call(move |py| call.call1(py, (first, others + 1, of)).map(|_| ()));
            }
        }
        SweepEvent::Again(reason) => listener.progress.warn(reason),
        SweepEvent::Failed(message) => listener.progress.warn(message),
        SweepEvent::Alone(message) => listener.progress.warn(message),
        SweepEvent::Note(note) => listener.progress.warn(note),
        _ => {}
    }
    if listener.progress.is_over.is_requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Does `work` on another thread, which reports to a listener, and calls Python with its progress meanwhile.
pub(crate) fn watched<T: Send + 'static>(
    py: Python<'_>,
    on_steps: Option<Py<PyAny>>,
    on_sample: Option<Py<PyAny>>,
    on_warning: Py<PyAny>,
    work: impl FnOnce(&Waiting, &mut Listener) -> T + Send + 'static,
) -> PyResult<T> {
    let progress = Arc::<Progress>::default();
    let mut listener = Listener::new(progress.clone(), Cancel::default(), on_sample);
    let reported = progress.clone();
    let pulse = |py: Python<'_>| reported.report(py, on_steps.as_ref(), &on_warning);
    let done = progress.clone();
    let outcome = interruptible(py, || done.end(), pulse, move |waiting| work(waiting, &mut listener));
    let on_last = on_steps.filter(|_| outcome.is_ok());
    let last = progress.report(py, on_last.as_ref(), &on_warning);
    outcome.and_then(|done| last.map(|()| done))
}

/// Draws the pictures of a run or sweep folder, and returns their paths.
#[pyfunction]
pub(crate) fn draw(py: Python<'_>, folder: PathBuf) -> PyResult<Vec<PathBuf>> {
    require_same_process()?;
    interruptible(py, || (), |_| Ok(()), move |_| plot::draw(&folder).map_err(Raised::raised))?
}

/// Draws the tokens of a run over time as an animated picture, and returns its path.
#[pyfunction]
pub(crate) fn animate(py: Python<'_>, folder: PathBuf) -> PyResult<PathBuf> {
    require_same_process()?;
    interruptible(py, || (), |_| Ok(()), move |_| plot::animate(&folder).map_err(Raised::raised))?
}
