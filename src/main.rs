//! The command line of tokenfield.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Where there is no display, Mesa's device-selection layer would complain on stderr about every look for adapters.
    if std::env::var_os("NODEVICE_SELECT").is_none() {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
    match cli::Arguments::obey() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli::output::report(&error);
            error.exit_code()
        }
    }
}
