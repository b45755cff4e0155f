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

use std::{cell::Cell, ffi::OsStr, fs, path::Path, process::Command, time::Instant};

use crate::{bench::Bench, life::Scene, moment::Draw};

/// A whole number in the environment, or else this one.
fn number(name: &str, otherwise: u32) -> u32 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}: not a whole number: {text}")),
        Err(_) => otherwise,
    }
}

/// Kills of each of the four tests.
fn kills() -> u32 {
    number("TOKENFIELD_KILLS", 30).div_ceil(4)
}

/// What is started after a kill where the same command does it.
fn the_same(_: &Path) -> Option<Command> {
    None
}

/// Plays one scene: what begins, what is started after a kill, and what there is if nobody disturbs it.
fn play(bench: &Bench, arguments: &[&str], again: &dyn Fn(&Path) -> Option<Command>, processes: usize, seed: u64) {
    let begin = |out: &Path| bench.command(arguments, out);
    let scene = Scene { begin: &begin, again, processes, whole: &bench.whole, draw: Draw::Anywhere, seed };
    scene.play(kills());
}

/// Without pictures: a run that is complete does not begin again, so that they might be missing.
#[test]
fn a_run_that_is_killed_begins_again_and_leaves_the_same() {
    let run = ["run", "base.toml", "--no-plot"];
    play(&Bench::of_a_run(&run), &run, &the_same, 1, 1);
}

/// Every other time by the same command, as where there is no checkpoint yet.
#[test]
fn a_run_with_checkpoints_goes_on_from_them_and_leaves_the_same() {
    let bench = Bench::of_a_run(&["run", "base.toml", "--no-plot"]);
    let often = ["--checkpoint", "7steps", "--no-plot"];
    let lives = Cell::new(0);
    let resumed = Cell::new(0);
    let again = |out: &Path| {
        lives.set(lives.get() + 1);
        let has_checkpoint = fs::read_dir(out.join("checkpoints")).is_ok_and(|mut entries| {
            entries.any(|entry| {
                entry.is_ok_and(|entry| {
                    entry.path().extension().is_none() && entry.path().join("manifest.json").exists()
                })
            })
        });
        (has_checkpoint && lives.get() % 2 == 0).then(|| {
            resumed.set(resumed.get() + 1);
            bench.program(&[&["resume".as_ref(), out.as_os_str()], &often.map(OsStr::new)[..]].concat())
        })
    };
    play(&bench, &[&["run", "base.toml"], &often[..]].concat(), &again, 1, 5);
    println!("{} of {} resumed", resumed.get(), lives.get());
}

#[test]
fn a_sweep_that_is_killed_goes_on_and_leaves_the_same() {
    let sweep = ["sweep", "sweep.toml"];
    play(&Bench::of_a_sweep(&sweep), &sweep, &the_same, 1, 2);
}

/// The last worker to end writes the tables: there is no other command after it.
#[test]
fn workers_that_are_killed_lose_nothing_of_each_other() {
    let bench = Bench::of_a_sweep(&["sweep", "sweep.toml", "--no-plot"]);
    play(&bench, &["sweep", "sweep.toml", "--no-plot", "--worker"], &the_same, 3, 3);
}

/// A night on a cluster whose machines go down: 600 cells, three workers, each of which is killed every 5 to 20 seconds. With a release build,
///
/// `TOKENFIELD_KILLS_PROGRAM=$PWD/target/release/tokenfield cargo test --test kills -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes on two cores, with a release build"]
fn a_night_of_workers_is_complete_in_the_morning() {
    let bench = Bench::of_a_night(&["sweep", "sweep.toml", "--no-plot"]);
    let begin = |out: &Path| bench.command(&["sweep", "sweep.toml", "--worker", "--no-plot"], out);
    let draw = Draw::Every { seconds: [5.0, 20.0] };
    let scene = Scene { begin: &begin, again: &the_same, processes: 3, whole: &bench.whole, draw, seed: 4 };
    println!("undisturbed: {:.0} s", bench.whole.life.as_secs_f64());
    let started = Instant::now();
    let killed = scene.once(u32::MAX);
    println!("{killed} kills in {:.0} s", started.elapsed().as_secs_f64());
    assert!(killed > 10, "that was no night");
}
