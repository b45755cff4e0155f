//! What is said while a run goes on: a line when it begins, its warnings, and on a terminal a bar.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use tokenfield::{problem::Problem, run::Event};

use super::output::talk;

/// The runs of a command, one after the other.
#[derive(Default)]
pub struct Progress {
    /// Of the run under way.
    bar: Option<Bar>,
}

impl Progress {
    /// Says what a run reports.
    pub fn show(&mut self, event: Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Limit(reference) => talk(format_args!("beside the limit: {reference}")),
            Event::Started { name, identity, problem, cancel: _ } => {
                let (adapter, precision) = (&identity.adapter, identity.precision.name());
                talk(format_args!("{name} on {} ({adapter}, {precision})", identity.backend));
                self.bar = Some(Bar::new(problem));
            }
            Event::Resumed { time, steps } => {
                self.say(format_args!("goes on from the checkpoint at time {time}"));
                self.bar.iter_mut().for_each(|bar| bar.first = steps);
            }
            Event::Steps(done) => self.bar.iter().for_each(|bar| bar.steps(done)),
            Event::Warning(line) => self.say(format_args!("warning: {line}")),
            Event::Stopped { time, condition } => {
                self.say(format_args!("stopped at time {time}: {condition} in all replicas"));
            }
            Event::Ended => self.bar.take().iter().for_each(|bar| bar.bar.finish_and_clear()),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    /// Writes a line above the bar, if there is one.
    fn say(&self, line: std::fmt::Arguments) {
        match &self.bar {
            Some(Bar { bar, .. }) => bar.suspend(|| talk(line)),
            None => talk(line),
        }
    }
}

/// A bar with the time left and the pairs per second, drawn only on a terminal.
struct Bar {
    bar: ProgressBar,
    started: Instant,
    pairs_per_step: f64,
    /// Steps that were done before it started.
    first: u64,
}

impl Bar {
    fn new(problem: &Problem) -> Self {
        let template = "{wide_bar} {pos}/{len} steps, {msg} pairs/s, {eta} left";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(problem.schedule.steps).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar, started: Instant::now(), pairs_per_step: problem.pairs_per_step() as f64, first: 0 }
    }

    fn steps(&self, done: u64) {
        let rate =
            self.pairs_per_step * done.saturating_sub(self.first) as f64 / self.started.elapsed().as_secs_f64();
        self.bar.set_message(format!("{rate:.1e}"));
        self.bar.set_position(done);
    }
}
