//! What a newcomer imports to run an experiment: `use tokenfield::prelude::*;`, at most fifteen names.
//!
//! [`simulate()`](crate::simulate::simulate()) follows an experiment without files, [`run()`](crate::run::run()) fills a run folder, and
//! `sweep::run` a sweep folder; what they report are `simulate::Event`, `run::Event` and `sweep::Event`.

pub use crate::{
    backend::{
        Backend, Precision, cpu,
        machine::{Choice, Machine},
    },
    experiment::{Experiment, SweepFile},
    observe::Sample,
    problem::Problem,
    simulate::{self, simulate},
};
#[cfg(not(target_arch = "wasm32"))]
pub use crate::{
    record::Claim,
    run::{self, run},
    sweep,
};
