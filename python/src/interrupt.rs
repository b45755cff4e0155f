//! Work that takes long: on a thread of its own, so that whoever waits for it can be interrupted.

use std::{
    ops::ControlFlow,
    sync::{
        Mutex,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use pyo3::{exceptions::PyRuntimeError, prelude::*};

/// How often Python is asked whether somebody interrupts.
const PULSE: Duration = Duration::from_millis(50);
/// How long work that was cancelled is waited for; then it ends by itself, later.
const PATIENCE: Duration = Duration::from_millis(150);

/// What work asks of the thread that waits for it.
type Request = Box<dyn FnOnce(Python<'_>) -> PyResult<()> + Send>;

/// The thread that waits for work, as the work sees it.
pub(crate) struct Waiting {
    requests: SyncSender<(Request, SyncSender<()>)>,
}

impl Waiting {
    /// Has the waiting thread call `request`, and breaks where it raises, or where nobody waits any longer.
    pub(crate) fn call(&self, request: impl FnOnce(Python<'_>) -> PyResult<()> + Send + 'static) -> ControlFlow<()> {
        let (done, answer) = sync_channel(1);
        let is_called = self.requests.send((Box::new(request), done)).is_ok() && answer.recv().is_ok();
        if is_called { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// What became of work that was watched.
pub(crate) enum Outcome<T> {
    /// It has ended.
    Done(T),
    /// Somebody interrupted or a call raised, and it has ended since, as it was asked to.
    Left(PyErr, T),
    /// Nobody waits for its end.
    Cancelled(PyErr),
}

/// Does `work` on another thread, calling `pulse` every twentieth of a second meanwhile. Where somebody interrupts, or a call of the work or the pulse
/// raises, `cancel` is called, and what was raised is returned, if need be before the work has ended.
pub(crate) fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    cancel: impl Fn(),
    pulse: impl FnMut(Python<'_>) -> PyResult<()>,
    work: impl FnOnce(&Waiting) -> T + Send + 'static,
) -> PyResult<T> {
    match watched(py, None, cancel, pulse, work)? {
        Outcome::Done(done) => Ok(done),
        Outcome::Left(raised, _) | Outcome::Cancelled(raised) => Err(raised),
    }
}

/// The same. Where there is `leave`, it is called first and the end of the work waited for, which makes no calls any longer; only who interrupts again
/// cancels it.
pub(crate) fn watched<T: Send + 'static>(
    py: Python<'_>,
    leave: Option<&dyn Fn()>,
    cancel: impl Fn(),
    mut pulse: impl FnMut(Python<'_>) -> PyResult<()>,
    work: impl FnOnce(&Waiting) -> T + Send + 'static,
) -> PyResult<Outcome<T>> {
    let (requests, received) = sync_channel(0);
    let received: Mutex<Receiver<(Request, SyncSender<()>)>> = Mutex::new(received);
    let next = |py: Python<'_>, wait| {
        let received = &received;
        py.detach(|| {
            received.lock().map_or(Err(RecvTimeoutError::Disconnected), |received| received.recv_timeout(wait))
        })
    };
    let thread = thread::Builder::new()
        .name("tokenfield".into())
        .spawn(move || work(&Waiting { requests }))
        .map_err(|error| PyRuntimeError::new_err(format!("no thread could be started: {error}")))?;
    let mut last_pulse = Instant::now();
    let mut left = None;
    loop {
        // A call is unanswered until it is known what becomes of the work.
        let mut unanswered = None;
        let called = match next(py, PULSE) {
            Err(RecvTimeoutError::Disconnected) => break,
            Ok((request, done)) if left.is_none() => request(py)
                .map(|()| {
                    let _ = done.send(());
                })
                .inspect_err(|_| unanswered = Some(done)),
            Err(RecvTimeoutError::Timeout) | Ok(_) => Ok(()),
        };
        let called = match called {
            Ok(()) if last_pulse.elapsed() >= PULSE => {
                last_pulse = Instant::now();
                let pulsed = if left.is_none() { pulse(py) } else { Ok(()) };
                pulsed.and_then(|()| py.check_signals())
            }
            called => called,
        };
        let Err(raised) = called else { continue };
        if let (Some(leave), None) = (leave, &left) {
            leave();
            left = Some(raised);
            continue;
        }
        cancel();
        drop(unanswered);
        let end = Instant::now() + PATIENCE;
        // Calls of work that goes on are left unanswered, so that it breaks.
        while next(py, end.saturating_duration_since(Instant::now())).is_ok() {}
        return Ok(Outcome::Cancelled(raised));
    }
    match py.detach(|| thread.join()) {
        Ok(done) => Ok(match left {
            None => Outcome::Done(done),
            Some(raised) => Outcome::Left(raised, done),
        }),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
