//! What the commands say: data on stdout, talk on stderr. All of them say it here.
//!
//! Nobody may be listening. Talk that cannot be written is lost, and nothing else is. A reader of stdout who has gone, as `head`
//! does, has what it wanted: a command whose data is in a folder finishes its work, and one whose data is what it prints ends;
//! both succeed. Where stdout fails otherwise, on a full disk, what was printed is lost: that is an error of commands whose data it
//! is, and a remark of those whose data is in a folder, which is what their exit code speaks of.

use std::{
    fmt,
    io::{self, ErrorKind, Stdout, Write, stderr, stdout},
    path::Path,
};

use super::error::CommandError;

/// Writes data to stdout, as a line.
pub fn data(line: fmt::Arguments) -> Result<(), CommandError> {
    write_line(line).map_err(unwritten)
}

/// Writes the name of something that lies on the disk to stdout, where it matters less than what it names.
pub fn name(path: &Path) {
    match write_line(format_args!("{}", path.display())).map_err(unwritten) {
        Ok(()) | Err(CommandError::Unread) => {}
        Err(error) => talk(format_args!("{error}; what it was to name is there: {}", path.display())),
    }
}

/// Writes a line to stderr, or loses it.
pub fn talk(line: fmt::Arguments) {
    begin(format_args!("{line}\n"));
}

/// Writes the beginning of a line to stderr, or loses it.
pub fn begin(text: fmt::Arguments) {
    // At once, so that lines of two processes do not mix.
    let _ = stderr().write_all(text.to_string().as_bytes());
}

/// Where comma-separated values go.
pub fn csv() -> csv::Writer<Stdout> {
    csv::Writer::from_writer(stdout())
}

/// Why something did not get to stdout.
pub fn unwritten(error: io::Error) -> CommandError {
    match error.kind() {
        ErrorKind::BrokenPipe => CommandError::Unread,
        _ => CommandError::Failed(format!("stdout: {error}; send it to where there is room")),
    }
}

/// Writes what clap has to say: help and versions are data, the rest is talk.
pub fn of_clap(error: &clap::Error) -> Result<(), CommandError> {
    let printed = error.print().and_then(|()| stdout().flush());
    match error.use_stderr() {
        true => Err(CommandError::Typed),
        false => printed.map_err(unwritten),
    }
}

fn write_line(line: fmt::Arguments) -> io::Result<()> {
    let mut stdout = stdout().lock();
    stdout.write_all(format!("{line}\n").as_bytes())?;
    stdout.flush()
}

/// Says what is wrong, if that is not said yet and anybody wants to know.
pub fn report(error: &CommandError) {
    match error {
        CommandError::Unread | CommandError::Typed | CommandError::SaidByFirst => {}
        error => talk(format_args!("tokenfield: {error}")),
    }
}
