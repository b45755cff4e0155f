//! What asks a command to end: Ctrl-C, and the signals by which systems and schedulers do.

use signal_hook::{consts, flag};
use tokenfield::cancel::Cancel;

use super::output::talk;

#[cfg(unix)]
const SIGNALS: [i32; 3] = [consts::SIGINT, consts::SIGTERM, consts::SIGUSR1];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [consts::SIGINT, consts::SIGTERM];

/// From now on the first of these signals is a request, and the second one ends the process as if nobody listened.
pub fn request_on_signals(request: &Cancel) {
    for signal in SIGNALS {
        // In this order: the handlers of a signal are called in that in which they came.
        let registered = flag::register_conditional_default(signal, request.flag())
            .and_then(|_| flag::register(signal, request.flag()));
        if let Err(error) = registered {
            talk(format_args!("signal {signal} ends this run without a checkpoint: {error}"));
        }
    }
}
