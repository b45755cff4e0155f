//! When a run writes what it can go on from, and when it ends although it could go on.

use std::{
    str::FromStr,
    time::{Duration, Instant},
};

use crate::cancel::Cancel;

/// The checkpoints of a run.
#[derive(Clone, Debug, Default)]
pub struct Checkpoints {
    /// How often one is written while the run goes on; never, if this is none.
    pub every: Option<Interval>,
    /// Requested, the run writes one after the step under way, and ends with [`RunError::Interrupted`](super::RunError::Interrupted).
    pub interrupt: Cancel,
    /// What is done with one that another machine has written.
    pub other_machine: OtherMachine,
}

/// Between two checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// This time passes, on a clock that nobody sets.
    Time(Duration),
    /// So many steps are taken, or more where a backend takes several at once.
    Steps(u64),
}

/// Whether a run may go on from what another backend, instruction set, adapter or driver has computed; then its end has other bytes than it
/// would have had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtherMachine {
    /// It may not.
    #[default]
    Refused,
    /// It may, with a warning.
    Accepted,
}

impl FromStr for Interval {
    type Err = String;

    /// `90s`, `10m`, `2h`, or `500 steps`.
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("write a time or a number of steps, e.g. 10m, 90s, 2h or 500steps, not {text:?}");
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().ok().filter(|number| *number > 0).ok_or_else(refused)?;
        let seconds = match unit.trim_start() {
            "steps" | "step" => return Ok(Self::Steps(number)),
            "s" => Some(number),
            "m" => number.checked_mul(60),
            "h" => number.checked_mul(3600),
            _ => None,
        };
        seconds.map(Duration::from_secs).map(Self::Time).ok_or_else(refused)
    }
}

/// Since when no checkpoint was written.
pub(super) struct Clock {
    every: Option<Interval>,
    at: Instant,
    steps: u64,
}

impl Clock {
    /// It starts now, after `steps` steps.
    pub(super) fn new(every: Option<Interval>, steps: u64) -> Self {
        Self { every, at: Instant::now(), steps }
    }

    /// Whether a checkpoint is due after `steps` steps; if so, the clock starts again.
    pub(super) fn rings(&mut self, steps: u64) -> bool {
        let is_due = match self.every {
            None => false,
            Some(Interval::Time(time)) => self.at.elapsed() >= time,
            Some(Interval::Steps(count)) => steps.saturating_sub(self.steps) >= count,
        };
        if is_due {
            (self.at, self.steps) = (Instant::now(), steps);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_a_unit() {
        let seconds = |count| Ok(Interval::Time(Duration::from_secs(count)));
        assert_eq!("90s".parse(), seconds(90));
        assert_eq!("10m".parse(), seconds(600));
        assert_eq!("2h".parse(), seconds(7200));
        assert_eq!("500steps".parse(), Ok(Interval::Steps(500)));
        assert_eq!("1 step".parse(), Ok(Interval::Steps(1)));
        for wrong in ["", "10", "m", "0s", "-1s", "1.5h", "10min", "99999999999999999999s", "9999999999999999999h"] {
            let error = wrong.parse::<Interval>().expect_err(wrong);
            assert!(error.contains("10m") && error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn clocks_count_steps_from_where_they_started() {
        let mut clock = Clock::new(Some(Interval::Steps(10)), 5);
        assert_eq!(
            [14, 15, 16, 24, 40, 49, 50].map(|steps| clock.rings(steps)),
            [false, true, false, false, true, false, true]
        );
        let mut never = Clock::new(None, 0);
        assert!(!never.rings(u64::MAX));
        let mut soon = Clock::new(Some(Interval::Time(Duration::from_millis(1))), 0);
        std::thread::sleep(Duration::from_millis(2));
        assert!(soon.rings(0));
    }
}
