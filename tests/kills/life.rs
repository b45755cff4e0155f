//! The lives of processes on one folder, from their start to a kill, and after that again.

use std::{
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tempfile::TempDir;
use tokenfield::random::{Purpose, Stream};

use crate::{
    bench::Whole,
    look::{at_rest, in_the_end},
    moment::{Draw, Moment, below},
    number,
};

/// Lives on one folder that end with a kill, at most: then it is left alone. A run begins anew every time.
const KILLS_OF_ONE: u64 = 9;

pub struct Scene<'a> {
    /// What is started, to leave the folder that it is given.
    pub begin: &'a dyn Fn(&Path) -> Command,
    /// What is started after a kill; none for the same.
    pub again: &'a dyn Fn(&Path) -> Option<Command>,
    /// How many at the same time.
    pub processes: usize,
    /// What there is in the end.
    pub whole: &'a Whole,
    /// When they are killed.
    pub draw: Draw,
    /// Which moments are drawn.
    pub seed: u64,
}

/// A process, and when it is killed.
struct Life {
    child: Child,
    end: Option<Moment>,
}

impl Scene<'_> {
    fn random(&self) -> Stream {
        let seed = self.seed + 1000 * u64::from(number("TOKENFIELD_KILLS_SEED", 0));
        Stream::new(seed, 0, 0, Purpose::Check)
    }

    /// Kills so many processes, on as many folders as that takes.
    pub fn play(&self, kills: u32) {
        let mut random = self.random();
        let (mut killed, mut folders) = (0, 0);
        while killed < kills {
            let most = (1 + below(&mut random, KILLS_OF_ONE) as u32).min(kills - killed);
            killed += self.on_a_folder(most, &mut random);
            folders += 1;
            assert!(folders < 20 * kills, "almost nothing was killed: {killed} on {folders} folders");
        }
        println!("{killed} kills on {folders} folders");
    }

    /// Kills processes on one folder until it is done, this many at most, and returns how many.
    pub fn once(&self, most: u32) -> u32 {
        self.on_a_folder(most, &mut self.random())
    }

    fn on_a_folder(&self, most: u32, random: &mut Stream) -> u32 {
        let root = TempDir::new().expect("a temporary folder");
        let out = root.path().join("out");
        let killed = self.endure(&out, most, random);
        if let Err(problem) = in_the_end(&out, &self.whole.folder) {
            panic!("after {killed} kills, in the end: {problem}; look at {}", kept(root));
        }
        killed
    }

    /// Lets processes work on `out` until all have ended, kills `most` of them or fewer, and returns how many.
    fn endure(&self, out: &Path, most: u32, random: &mut Stream) -> u32 {
        let mut killed = 0;
        let begin = |random: &mut Stream, command: Option<Command>, is_mortal: bool| {
            let mut command = command.unwrap_or_else(|| (self.begin)(out));
            let end = is_mortal.then(|| self.draw.moment(random, self.whole.life, out, &self.whole.folder));
            Life { child: command.spawn().expect("the program starts"), end }
        };
        let mut lives: Vec<Life> = (0..self.processes).map(|_| begin(random, None, true)).collect();
        while !lives.is_empty() {
            lives.retain_mut(|life| !life.has_ended(out));
            let now = |life: &mut Life| killed < most && life.end.as_mut().is_some_and(Moment::has_come);
            if let Some(index) = lives.iter_mut().position(now) {
                let mut life = lives.swap_remove(index);
                // So that nobody is at work while the folder is looked at.
                lives.iter().for_each(|life| life.signal(Signal::STOP));
                lives.iter().for_each(Life::wait_until_stopped);
                life.child.kill().expect("it goes");
                let was_killed = life.child.wait().expect("a status").code().is_none();
                let looked = Instant::now();
                if let Err(problem) = at_rest(out, &self.whole.folder) {
                    panic!("after {killed} kills on this folder, at {:?}: {problem}", life.end);
                }
                // While they stand still nobody gets older.
                let ends = lives.iter_mut().filter_map(|life| life.end.as_mut());
                ends.for_each(|end| end.postpone(looked.elapsed()));
                lives.iter().for_each(|life| life.signal(Signal::CONT));
                killed += u32::from(was_killed);
                lives.push(begin(random, (self.again)(out), killed < most));
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        killed
    }
}

impl Life {
    /// Whether it has come to its end by itself; then that was a good one.
    fn has_ended(&mut self, out: &Path) -> bool {
        let Some(status) = self.child.try_wait().expect("a status") else { return false };
        let talk = self.child.stderr.take().map(std::io::read_to_string).expect("a pipe").expect("text");
        // A run that was killed when it was done.
        let was_done = status.code() == Some(2) && talk.contains("its run is complete");
        assert!(status.success() || was_done, "{}: {status}: {talk}", out.display());
        true
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// One that has ended is not there to get it.
    fn signal(&self, signal: Signal) {
        let _ = kill_process(self.pid(), signal);
    }

    fn wait_until_stopped(&self) {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(self.pid()), options).expect("a child");
    }
}

/// Keeps a folder, and says where it is.
fn kept(folder: TempDir) -> String {
    folder.keep().display().to_string()
}
