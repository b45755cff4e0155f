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

/// Does `work` on another thread, calling `pulse` every twentieth of a second meanwhile. Where somebody interrupts, or a call of the work or the pulse
/// raises, `cancel` is called, and what was raised is returned, if need be before the work has ended.
pub(crate) fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    cancel: impl Fn(),
    mut pulse: impl FnMut(Python<'_>) -> PyResult<()>,
    work: impl FnOnce(&Waiting) -> T + Send + 'static,
) -> PyResult<T> {
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
    loop {
        let called = match next(py, PULSE) {
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok((request, done)) => request(py).map(|()| {
                let _ = done.send(());
            }),
        };
        let called = match called {
            Ok(()) if last_pulse.elapsed() >= PULSE => {
                last_pulse = Instant::now();
                pulse(py).and_then(|()| py.check_signals())
            }
            called => called,
        };
        if let Err(raised) = called {
            cancel();
            let end = Instant::now() + PATIENCE;
            // Calls of work that goes on are left unanswered, so that it breaks.
            while next(py, end.saturating_duration_since(Instant::now())).is_ok() {}
            return Err(raised);
        }
    }
    match py.detach(|| thread.join()) {
        Ok(done) => Ok(done),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
