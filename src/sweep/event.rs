//! What a sweep reports while it goes on.

use std::path::Path;

use crate::{record::Holder, run};

/// What a sweep reports.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A cell, by its place in the grid, and so many others begin to run together.
    Cells {
        first: usize,
        others: usize,
        of: usize,
    },
    Run(run::Event<'a>),
    /// A cell is computed again, because of how its folder stands.
    Again(&'a str),
    /// Cells that ran together failed, with this message, and each runs by itself.
    Alone(&'a str),
    /// All that is left is what somebody else is at work on.
    Waiting {
        holder: &'a Holder,
        folder: &'a Path,
    },
    /// Nothing happens while others are at work; told several times a second, so that who waits may end the sweep.
    Idle,
    /// A remark on a fit.
    Note(&'a str),
}
