//! Runs and sweeps that are killed at random moments, and started again, until they are done: SIGKILL, which nobody can catch.
//!
//! After every kill each file is whole or says that it is not; in the end every byte is that of what was left alone, and no other file
//! is there. `TOKENFIELD_KILLS` says how many kills there are, `TOKENFIELD_KILLS_SEED` which, and `TOKENFIELD_KILLS_PROGRAM` of which program,
//! if not of the one that was built for the tests.
#![cfg(unix)]

mod bench;
mod life;
mod look;
mod moment;

use std::{path::Path, process::Command};

use crate::{bench::Bench, life::Scene};

/// A whole number in the environment, or else this one.
fn number(name: &str, otherwise: u32) -> u32 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}: not a whole number: {text}")),
        Err(_) => otherwise,
    }
}

/// Kills of each of the three tests.
fn kills() -> u32 {
    number("TOKENFIELD_KILLS", 30).div_ceil(3)
}

/// What is started after a kill where the same command does it.
fn the_same(_: &Path) -> Option<Command> {
    None
}

#[test]
fn a_run_that_is_killed_begins_again_and_leaves_the_same() {
    let bench = Bench::new();
    let begin = |out: &Path| bench.command(&["run", "base.toml"], out);
    Scene { begin: &begin, again: &the_same, processes: 1, whole: &bench.run, seed: 1 }.play(kills());
}

#[test]
fn a_sweep_that_is_killed_goes_on_and_leaves_the_same() {
    let bench = Bench::new();
    let begin = |out: &Path| bench.command(&["sweep", "sweep.toml"], out);
    Scene { begin: &begin, again: &the_same, processes: 1, whole: &bench.sweep, seed: 2 }.play(kills());
}

/// The last worker to end writes the tables: there is no other command after it.
#[test]
fn workers_that_are_killed_lose_nothing_of_each_other() {
    let bench = Bench::new();
    let begin = |out: &Path| bench.command(&["sweep", "sweep.toml", "--worker", "--no-plot"], out);
    Scene { begin: &begin, again: &the_same, processes: 3, whole: &bench.workers, seed: 3 }.play(kills());
}
