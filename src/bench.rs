//! How fast a backend is on one problem, and how near that comes to what the processor could do at best.
//!
//! Machines are shared and clocks move. So everything is warmed up first, a reading is long enough for the clock to
//! mean something, readings of different things take turns, and what is reported is a median.

use std::{hint::black_box, time::Duration};

use web_time::Instant;

use crate::{
    backend::{Backend, BackendError, Point, Precision, advance, cpu},
    problem::Problem,
};

/// What a reading takes at least: far above the resolution of a clock and the cost of waiting for a device.
const SHORTEST: Duration = Duration::from_millis(100);

/// The medians of one problem on one backend, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Speed {
    /// One evaluation of the velocity of all tokens.
    pub evaluation: f64,
    /// One step of the scheme: its evaluations and the combinations of its stages.
    pub step: f64,
}

/// What is read.
#[derive(Clone, Copy)]
enum Work {
    Evaluations,
    /// The schedule of the problem, as many times over.
    Schedules,
}

/// Measures evaluations and steps by turns, `repeats` readings each. Readings of steps move the tokens of `backend` on
/// by whole schedules of `problem`, so that a short step keeps them where they are; observations are left out.
pub async fn measure(problem: &Problem, backend: &mut dyn Backend, repeats: usize) -> Result<Speed, BackendError> {
    let mut readings = Vec::new();
    for work in [Work::Evaluations, Work::Schedules] {
        readings.push((work, long_enough(problem, backend, work).await?, Vec::new()));
    }
    for _ in 0..repeats {
        for (work, count, seconds) in &mut readings {
            seconds.push(reading(problem, backend, *work, *count).await?.as_secs_f64() / *count as f64);
        }
    }
    let medians: Vec<f64> = readings.into_iter().map(|(_, _, seconds)| median(seconds)).collect();
    Ok(Speed { evaluation: medians[0], step: medians[1] / problem.schedule.steps as f64 })
}

/// How often the work must be done for a reading of the shortest length. Finding out is the warm-up.
async fn long_enough(problem: &Problem, backend: &mut dyn Backend, work: Work) -> Result<u64, BackendError> {
    // The first time compiles kernels and faults pages in; it says nothing about the second.
    reading(problem, backend, work, 1).await?;
    let mut count = 1;
    loop {
        let time = reading(problem, backend, work, count).await?;
        if time >= SHORTEST {
            return Ok(count);
        }
        let needed = count as f64 * SHORTEST.as_secs_f64() / time.as_secs_f64().max(1e-9);
        count = (1.2 * needed).ceil().min(10.0 * count as f64) as u64;
    }
}

/// The time that the work takes `count` times over, until the backend is idle again.
async fn reading(
    problem: &Problem,
    backend: &mut dyn Backend,
    work: Work,
    count: u64,
) -> Result<Duration, BackendError> {
    let start = Instant::now();
    match work {
        Work::Evaluations => evaluate(problem, backend, count).await?,
        Work::Schedules => {
            let mut left = count * problem.schedule.steps;
            while left > 0 {
                left -= advance(problem, backend, 0, left)?;
            }
            backend.wait().await?;
        }
    }
    Ok(start.elapsed())
}

async fn evaluate(problem: &Problem, backend: &mut dyn Backend, count: u64) -> Result<(), BackendError> {
    for _ in 0..count {
        backend.evaluate(Point::State, problem.scheme.field(), 0)?;
    }
    backend.wait().await
}

/// The middle one of an odd number of readings, the higher of the two middle ones of an even number.
fn median(mut readings: Vec<f64>) -> f64 {
    readings.sort_by(f64::total_cmp);
    readings.get(readings.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Floating-point operations of one pair (i, j): 2 d for the score, 2 d for the moment, one for the sum, and one for the
/// exponential, whatever it is made of.
pub fn flops_per_pair(dim: usize) -> usize {
    4 * dim + 2
}

/// The pairs that this processor evaluates in a second if nothing but arithmetic takes time; none is known without
/// vector instructions.
///
/// A vector of pairs takes d multiply-adds for the score, d for the moment, one addition, and an exponential of a
/// reduction, a scaling and a polynomial (degree 5 in single precision, 11 in double): 2 d + 8 or 2 d + 14 instructions.
/// Two of them start in every cycle of each core. Threads are counted as cores.
pub fn most_pairs_per_second(clock: f64, precision: Precision, dim: usize) -> Option<f64> {
    let (bytes, polynomial) = match precision {
        Precision::Half => return None,
        Precision::Single => (4, 5),
        Precision::Double => (8, 11),
    };
    let lanes = cpu::vector_bytes()? / bytes;
    let instructions = 2 * dim + 1 + polynomial + 2;
    Some(cpu::threads() as f64 * clock * 2.0 * lanes as f64 / instructions as f64)
}

/// Cycles per second of one core, from additions that each wait for the one before, one a cycle. The fastest of many
/// short readings, because whoever interrupts can only slow them down.
pub fn clock() -> f64 {
    const ADDITIONS: u64 = 1 << 20;
    let fastest = (0..50).map(|_| {
        let start = Instant::now();
        let (mut a, mut b) = (black_box(1u64), black_box(1u64));
        for _ in 0..ADDITIONS / 2 {
            a = a.wrapping_add(b);
            b = b.wrapping_add(a);
        }
        black_box((a, b));
        start.elapsed().as_secs_f64()
    });
    ADDITIONS as f64 / fastest.fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 3.0);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn a_limit_counts_instructions_lanes_and_threads() {
        let Some(limit) = most_pairs_per_second(1e9, Precision::Single, 3) else {
            return assert_eq!(cpu::vector_bytes(), None);
        };
        let lanes = (cpu::vector_bytes().unwrap_or(0) / 4) as f64;
        assert_eq!(limit / cpu::threads() as f64, 1e9 * lanes / 7.0);
        let double = most_pairs_per_second(1e9, Precision::Double, 3).unwrap_or(f64::NAN);
        assert_eq!(limit / double, 2.0 * 20.0 / 14.0);
    }
}
