//! When a process is killed: some time after its start, or at the sight of a file.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rand::Rng;
use tokenfield::random::Stream;

use crate::look::{LOCK, RUN, SWEEP};

/// A whole number below `most`.
pub fn below(random: &mut Stream, most: u64) -> u64 {
    random.next_u64() % most
}

fn one<'a, T>(random: &mut Stream, list: &'a [T]) -> &'a T {
    &list[below(random, list.len() as u64) as usize]
}

/// A part of `most`, all with the same probability.
fn part(random: &mut Stream, most: Duration) -> Duration {
    most.mul_f64(below(random, 1 << 20) as f64 / f64::from(1 << 20))
}

#[derive(Debug)]
pub struct Moment {
    /// It comes so long after what is waited for.
    after: Duration,
    /// A file that appears, or goes; none for the start of the process.
    sight: Option<Sight>,
    since: Option<Instant>,
}

#[derive(Debug)]
struct Sight {
    path: PathBuf,
    /// It is there with so many bytes or more.
    bytes: u64,
    appears: bool,
    /// Whether it was seen as it was before.
    before: bool,
}

/// Which moments are drawn.
pub enum Draw {
    /// Those at which something may be half.
    Anywhere,
    /// Between so many seconds after the start and so many.
    Every { seconds: [f64; 2] },
}

impl Draw {
    /// For a process that is about to start, which leaves a folder `out` like `whole` and takes `life` for it if nobody kills it.
    pub fn moment(&self, random: &mut Stream, life: Duration, out: &Path, whole: &Path) -> Moment {
        match self {
            Self::Anywhere => Moment::draw(random, life, out, whole),
            Self::Every { seconds: [least, most] } => {
                let after = Duration::from_secs_f64(*least) + part(random, Duration::from_secs_f64(most - least));
                Moment { after, sight: None, since: Some(Instant::now()) }
            }
        }
    }
}

impl Moment {
    /// Of a process that is about to start and that lives for about `life`, in a folder `out` like `whole`: a fifth of all moments in its
    /// first milliseconds, as many anywhere and when its samples have come to some length, and the others when a file comes or goes, as they do in
    /// its last milliseconds.
    fn draw(random: &mut Stream, life: Duration, out: &Path, whole: &Path) -> Self {
        let anywhere = |after| Self { after, sight: None, since: Some(Instant::now()) };
        match below(random, 5) {
            0 => anywhere(part(random, Duration::from_millis(8))),
            1 => anywhere(part(random, life.mul_f64(1.1))),
            2 => {
                let samples = a_run(random, whole).join("samples.csv");
                let length = std::fs::metadata(whole.join(&samples)).expect("a file").len();
                let (path, bytes) = (out.join(samples), 1 + below(random, length));
                let sight = Sight { path, bytes, appears: true, before: false };
                Self { after: Duration::ZERO, sight: Some(sight), since: None }
            }
            _ => {
                let path = out.join(file(random, whole));
                let after = match below(random, 2) {
                    0 => Duration::ZERO,
                    _ => part(random, Duration::from_millis(2)),
                };
                let sight = Sight { path, bytes: 0, appears: below(random, 4) > 0, before: false };
                Self { after, sight: Some(sight), since: None }
            }
        }
    }

    /// It comes so much later.
    pub fn postpone(&mut self, time: Duration) {
        self.after += time;
    }

    /// Whether it has come.
    pub fn has_come(&mut self) -> bool {
        if let (Some(sight), None) = (&mut self.sight, self.since) {
            let is_there = std::fs::metadata(&sight.path).is_ok_and(|data| data.len() >= sight.bytes);
            sight.before |= is_there != sight.appears;
            self.since = (sight.before && is_there == sight.appears).then(Instant::now);
        }
        self.since.is_some_and(|since| since.elapsed() >= self.after)
    }
}

/// Where a run is in such a folder, from there.
fn a_run(random: &mut Stream, whole: &Path) -> PathBuf {
    let cells = whole.join("cells");
    if cells.exists() { Path::new("cells").join(one(random, &crate::look::names(&cells))) } else { PathBuf::new() }
}

/// The name of a file that such a folder has for a while or in the end, from there.
fn file(random: &mut Stream, whole: &Path) -> PathBuf {
    let named = |random: &mut Stream, names: &[&str]| match below(random, names.len() as u64 + 1) {
        0 => LOCK.to_owned(),
        _ => format!("{}{}", one(random, names), one(random, &["", ".partial"])),
    };
    if whole.join("cells").exists() && below(random, 3) == 0 {
        return named(random, &SWEEP).into();
    }
    a_run(random, whole).join(named(random, &RUN))
}
