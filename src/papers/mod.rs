//! Laws of the literature, predicted and measured side by side.
//!
//! A paper is a file under `assets/papers`: who found which law, an experiment that shows it, and what it should show, as a formula and
//! never as a number that was copied from a run. A law runs as a sweep does, and goes on where it was stopped.

mod catalogue;
mod definition;
mod error;
mod estimate;
mod expectation;
mod file;
mod flow;
mod scope;
mod trial;
mod verdict;

pub use self::{
    catalogue::catalogue,
    error::PapersError,
    file::{Certainty, Law, Paper},
    trial::try_law,
    verdict::{At, Predicted, Row},
};
