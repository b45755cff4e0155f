//! What a sweep reports while it goes on.

use std::path::Path;

use crate::{record::Holder, run};

/// What a sweep reports.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A cell, by its place in the grid, and so many others begin to run together.
    Cells {
        /// Its place in the grid, from zero.
        first: usize,
        /// How many run with it.
        others: usize,
        /// Cells of the grid.
        of: usize,
    },
    /// What the run of a cell, or of several together, reports.
    Run(run::Event<'a>),
    /// A cell is computed again, because of how its folder stands.
    Again(&'a str),
    /// Cells that ran together failed, with this message, and each runs by itself.
    Alone(&'a str),
    /// A cell failed, with this message; a worker goes on with others, and says so again in the end.
    Failed(&'a str),
    /// All that is left is what somebody else is at work on.
    Waiting {
        /// Who is at work.
        holder: &'a Holder,
        /// On which cell.
        folder: &'a Path,
    },
    /// Nothing happens while others are at work; told several times a second, so that who waits may end the sweep.
    Idle,
    /// A remark on a fit.
    Note(&'a str),
}
