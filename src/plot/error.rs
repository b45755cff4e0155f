//! What can be wrong with a folder that is to be drawn, and what to do about it.

use std::path::PathBuf;

use thiserror::Error;

/// Why no picture was drawn. Pictures of earlier calls are left as they were.
#[derive(Debug, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what it is and names its fields")]
pub enum PlotError {
    #[error("{}: {source}; give a folder that `tokenfield run` wrote, after its run has ended", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}: {source}; let `tokenfield sweep` run until no cell is left, then it is there", path.display())]
    Unfinished { path: PathBuf, source: std::io::Error },
    #[error("{}: {problem}; {remedy}", path.display())]
    File { path: PathBuf, problem: String, remedy: &'static str },
    #[error("{}, line {line}: {problem}; {remedy}", path.display())]
    Row { path: PathBuf, line: u64, problem: String, remedy: &'static str },
    #[error("{}, line {line}, column `{column}`: `{value}` {problem}; {remedy}", path.display())]
    Cell { path: PathBuf, line: u64, column: String, value: String, problem: &'static str, remedy: &'static str },
    #[error("{}: the picture could not be drawn: {reason}; please report this with the run folder", path.display())]
    Draw { path: PathBuf, reason: String },
    #[error("{}: the picture could not be written: {source}; check that the folder is writable and the disk not full", path.display())]
    Write { path: PathBuf, source: std::io::Error },
}
