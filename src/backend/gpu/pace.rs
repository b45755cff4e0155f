//! How much work goes into one submission: about fifty milliseconds, learned from the submissions before.
//!
//! Operating systems end a device that does not answer for a second or two, and a busy queue must still let a window be
//! drawn; on the other hand every submission costs some ten microseconds.

use std::time::{Duration, Instant};

/// What a submission should take.
const TARGET: Duration = Duration::from_millis(50);
/// The first guess, in multiply-adds: tens of milliseconds on a slow processor, nothing on a large adapter.
const START: f64 = 5e8;
/// How much faster the next submission may be assumed than any before.
const GROWTH: f64 = 4.0;

/// The work that one submission may hold, in multiply-adds.
#[derive(Debug)]
pub(super) struct Pace {
    work: f64,
    adapts: Adapts,
    last_end: Option<Instant>,
}

#[derive(Debug, PartialEq)]
enum Adapts {
    ToMeasured,
    Never,
}

impl Pace {
    /// A pace that learns, or one that stays at `work`.
    pub fn new(work: Option<f64>) -> Pace {
        let adapts = if work.is_some() { Adapts::Never } else { Adapts::ToMeasured };
        Pace { work: work.unwrap_or(START), adapts, last_end: None }
    }

    pub fn work(&self) -> f64 {
        self.work
    }

    /// Learns that `work` submitted at `start` has just ended.
    pub fn learn(&mut self, work: f64, start: Instant) {
        let end = Instant::now();
        // The device works on one submission at a time, so this one began when the last one ended, or later.
        let began = self.last_end.map_or(start, |last| last.max(start));
        self.last_end = Some(end);
        // Small submissions are dominated by their overhead, and would teach a pace far too slow.
        if self.adapts == Adapts::Never || work < self.work / 4.0 {
            return;
        }
        let seconds = (end - began).as_secs_f64().max(1e-6);
        let target = work / seconds * TARGET.as_secs_f64();
        self.work = target.clamp(START / 100.0, GROWTH * self.work);
    }
}
