//! How much work goes into one submission: about fifty milliseconds, learned from the submissions before.
//!
//! Operating systems end a device that does not answer for a second or two, and a busy queue must still let a window
//! be drawn; on the other hand every submission costs some ten microseconds.

use std::time::Duration;

use web_time::Instant;

/// What a submission should take.
const TARGET: Duration = Duration::from_millis(50);
/// The first guess, in multiply-adds: tens of milliseconds on a slow processor, nothing on a large adapter.
const START: f64 = 5e8;
/// How much faster the next submission may be assumed than any before.
const GROWTH: f64 = 4.0;

/// The work that one submission may hold, in multiply-adds.
#[derive(Debug)]
pub struct Pace {
    work: f64,
    adapts: Adapts,
    last_end: Option<Instant>,
}

/// What is known about the work of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Done,
    /// Some of it may have been passed over, so that it teaches no faster pace.
    AtMost,
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

    /// Learns that `work` submitted at `start` ended at `end`.
    pub fn learn(&mut self, work: f64, known: Work, start: Instant, end: Instant) {
        // The device works on one submission at a time, so this one began when the last one ended, or later.
        let began = self.last_end.map_or(start, |last| last.max(start));
        self.last_end = Some(end);
        // Small submissions are dominated by their overhead, and would teach a pace far too slow.
        if self.adapts == Adapts::Never || work < self.work / 4.0 {
            return;
        }
        let seconds = (end - began).as_secs_f64().max(1e-6);
        let target = work / seconds * TARGET.as_secs_f64();
        let growth = if known == Work::Done { GROWTH } else { 1.0 };
        self.work = target.clamp(START / 100.0, growth * self.work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_of_a_fast_device_grows_step_by_step() {
        let mut pace = Pace::new(None);
        let before = pace.work();
        pace.learn(before, Work::Done, Instant::now(), Instant::now());
        assert_eq!(pace.work(), GROWTH * before);
    }

    #[test]
    fn the_work_of_a_slow_device_shrinks_at_once() {
        let mut pace = Pace::new(None);
        let before = pace.work();
        pace.learn(before, Work::Done, Instant::now() - 10 * TARGET, Instant::now());
        assert!((pace.work() - before / 10.0).abs() < 0.02 * before / 10.0, "{}", pace.work());
    }

    #[test]
    fn work_that_may_be_passed_over_teaches_no_faster_pace() {
        let mut pace = Pace::new(None);
        let before = pace.work();
        pace.learn(before, Work::AtMost, Instant::now(), Instant::now());
        assert_eq!(pace.work(), before);
        let mut pace = Pace::new(None);
        pace.learn(before, Work::AtMost, Instant::now() - 10 * TARGET, Instant::now());
        assert!(pace.work() < before);
    }

    #[test]
    fn a_given_work_stays() {
        let mut pace = Pace::new(Some(7.0));
        pace.learn(7.0, Work::Done, Instant::now(), Instant::now());
        assert_eq!(pace.work(), 7.0);
    }

    #[test]
    fn a_small_submission_teaches_nothing() {
        let mut pace = Pace::new(None);
        let before = pace.work();
        pace.learn(1.0, Work::Done, Instant::now() - TARGET, Instant::now());
        assert_eq!(pace.work(), before);
    }
}
