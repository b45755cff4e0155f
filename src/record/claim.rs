//! The right to write to a folder: it is locked, and holds nothing that could be lost.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    checkpoint::{self, Checkpoint},
    error::RecordError,
    file::partial,
    group::{self, GROUP},
    lock::{self, Holder, Lock, LockError, Unlockable},
    standing::{Standing, is_of, of_files},
    state::RunState,
    status::FILES,
};
use crate::backend::Precision;

/// Attempts to lock a folder that others remove at the same time, each of which is somebody's progress.
const ATTEMPTS: usize = 1000;

/// A folder that is locked. Dropped before anything is written to it, it is gone if it was not there before.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    lock: Option<Lock>,
    /// The folders that were made for it, the innermost first.
    made: Vec<PathBuf>,
    /// What is begun again, if anything is.
    replaces: Option<Standing>,
    /// What a run goes on from, if it does.
    resumes: Option<Checkpoint<RunState>>,
}

impl Claim {
    /// The folder `path` as it is, which is made if it is absent; or who holds it.
    pub fn attempt(path: &Path) -> Result<Result<Self, Holder>, RecordError> {
        Self::by(path, |folder| Lock::attempt(folder, Unlockable::Granted))
    }

    /// The same for this process alone: where the file system gives no locks that is an error.
    pub fn attempt_alone(path: &Path) -> Result<Result<Self, Holder>, RecordError> {
        Self::by(path, |folder| Lock::attempt(folder, Unlockable::Refused))
    }

    /// The same as soon as nobody else holds it.
    pub fn wait(path: &Path) -> Result<Self, RecordError> {
        Self::by(path, Lock::wait)?.map_err(|holder| RecordError::Held { path: path.to_owned(), holder })
    }

    /// The folder `path` for a run of `experiment`: it must be absent or empty, or hold nothing but what the same run has left that did
    /// not reach its end. The run goes on from its last checkpoint, if it has left one.
    pub fn for_run(path: &Path, experiment: &str, precision: Precision) -> Result<Self, RecordError> {
        let held = |holder| RecordError::Held { path: path.to_owned(), holder };
        let mut claim = Self::attempt(path)?.map_err(held)?;
        let (mut are_there, mut own) = (false, true);
        for entry in fs::read_dir(path).map_err(|source| claim.failed(source))? {
            let name = entry.map_err(|source| claim.failed(source))?.file_name();
            // Of files that never became whole nothing can be lost.
            let is_own_group = (name == GROUP || becomes(&name, GROUP)) && group::is_group(&path.join(&name));
            let is_partial = FILES.iter().any(|file| becomes(&name, file)) || is_own_group && name != GROUP;
            if name != lock::NAME && !is_partial {
                are_there = true;
                own &= name == checkpoint::FOLDER || is_own_group || FILES.iter().any(|file| name == *file);
            }
        }
        if !are_there {
            return Ok(claim);
        }
        let standing = claim.standing();
        if own && standing.can_be_begun_again() && is_of(path, experiment, precision) {
            claim.resumes = claim.checkpoint()?;
            claim.replaces = Some(standing);
            return Ok(claim);
        }
        claim.tidy(&standing)?;
        Err(RecordError::Occupied { path: path.to_owned(), standing })
    }

    /// The folder `path` of a run that has left a checkpoint, to go on from there.
    pub fn to_resume(path: &Path) -> Result<Self, RecordError> {
        if !path.is_dir() {
            return Err(RecordError::NoCheckpoint { path: path.to_owned(), standing: Standing::Absent });
        }
        let held = |holder| RecordError::Held { path: path.to_owned(), holder };
        let mut claim = Self::attempt(path)?.map_err(held)?;
        let standing = claim.standing();
        claim.resumes = if standing.can_be_begun_again() { claim.checkpoint()? } else { None };
        if claim.resumes.is_none() {
            claim.tidy(&standing)?;
            return Err(RecordError::NoCheckpoint { path: path.to_owned(), standing });
        }
        claim.replaces = Some(standing);
        Ok(claim)
    }

    /// Removes the checkpoints of a run that is complete: its process was killed before it did.
    fn tidy(&self, standing: &Standing) -> Result<(), RecordError> {
        if *standing == Standing::Complete { checkpoint::remove_all(&self.path) } else { Ok(()) }
    }

    /// Looks for what a run of `experiment` that did not reach its end has left in the folder to go on from. What does not fit is passed
    /// over.
    pub fn find_checkpoint(&mut self, experiment: &str, precision: Precision) {
        if self.standing().can_be_begun_again() && is_of(&self.path, experiment, precision) {
            self.resumes = self.checkpoint().ok().flatten();
        }
    }

    /// The newest checkpoint in the folder that fits what lies beside it.
    fn checkpoint(&self) -> Result<Option<Checkpoint<RunState>>, RecordError> {
        let suits = |checkpoint: &Checkpoint<RunState>| RunState::misfit(checkpoint, &self.path);
        let refused = |problem| RecordError::Misfit { path: self.path.clone(), problem };
        checkpoint::newest(&self.path, suits).transpose().map_err(refused)
    }

    /// The first of NAME, NAME-2, NAME-3, ... in `parent` that nothing and nobody has taken.
    pub fn vacant(parent: &Path, name: &str) -> Result<Self, RecordError> {
        let mut number = 1;
        loop {
            let path = parent.join(if number == 1 { name.to_owned() } else { format!("{name}-{number}") });
            number += 1;
            // Also what points nowhere is in the way.
            if fs::symlink_metadata(&path).is_ok() {
                continue;
            }
            match Self::attempt(&path)? {
                // Somebody else may have had the same thought.
                Ok(claim) if claim.made.first() == Some(&path) && claim.is_empty() => return Ok(claim),
                Ok(_) | Err(_) => {}
            }
        }
    }

    fn by(
        path: &Path,
        lock: impl Fn(&Path) -> Result<Result<Lock, Holder>, LockError>,
    ) -> Result<Result<Self, Holder>, RecordError> {
        let failed = |source| RecordError::Write { path: path.to_owned(), source };
        let mut claim = Self { path: path.to_owned(), lock: None, made: Vec::new(), replaces: None, resumes: None };
        for attempt in 1.. {
            claim.made.extend(missing(path));
            fs::create_dir_all(path).map_err(failed)?;
            match lock(path) {
                Ok(Ok(lock)) => {
                    claim.lock = Some(lock);
                    break;
                }
                Ok(Err(holder)) => return Ok(Err(holder)),
                Err(LockError::File(error)) if error.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS => {}
                Err(LockError::File(error)) => return Err(failed(error)),
                Err(LockError::Refused(source)) => {
                    return Err(RecordError::NoLocks { path: path.to_owned(), source });
                }
            }
        }
        Ok(Ok(claim))
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How the folder stands now that nobody else is at work on it.
    pub fn standing(&self) -> Standing {
        of_files(&self.path, |_| true)
    }

    /// What is begun again, and why that is possible.
    pub fn replaces(&self) -> Option<&Standing> {
        self.replaces.as_ref()
    }

    /// What the run goes on from.
    pub fn resumes(&self) -> Option<&Checkpoint<RunState>> {
        self.resumes.as_ref()
    }

    fn is_empty(&self) -> bool {
        let others = |entry: io::Result<fs::DirEntry>| entry.map_or(true, |entry| entry.file_name() != lock::NAME);
        fs::read_dir(&self.path).is_ok_and(|mut entries| !entries.any(others))
    }

    /// Removes the files of a record, and nothing else.
    pub(super) fn clear(&self) -> Result<(), RecordError> {
        checkpoint::remove_all(&self.path)?;
        remove(&self.path, &FILES)
    }

    fn failed(&self, source: io::Error) -> RecordError {
        RecordError::Write { path: self.path.clone(), source }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        drop(self.lock.take());
        for folder in &self.made {
            // One that holds anything stays.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Whether this is the name that a file has until it is whole.
pub(super) fn becomes(name: &OsStr, file: &str) -> bool {
    partial(Path::new(file)) == Path::new(name)
}

/// Removes these files of a record in their order, and after the first of them the group of its tokens, whole or not, as far as they are
/// there.
pub(super) fn remove(folder: &Path, files: &[&str]) -> Result<(), RecordError> {
    let both = |name: &str| [partial(&folder.join(name)), folder.join(name)];
    let (first, others) = files.split_at(files.len().min(1));
    let of_files = |names: &[&str]| names.iter().flat_map(|name| both(name)).collect::<Vec<PathBuf>>();
    let removed = of_files(first).into_iter().map(|path| (fs::remove_file(&path), path));
    let removed = removed.chain(both(GROUP).map(|path| (group::remove(&path), path)));
    let removed = removed.chain(of_files(others).into_iter().map(|path| (fs::remove_file(&path), path)));
    for (removed, path) in removed {
        match removed {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(RecordError::Write { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The folders on the way to `path` that are not there, the innermost first.
fn missing(path: &Path) -> Vec<PathBuf> {
    let on_the_way = path.ancestors().filter(|folder| !folder.as_os_str().is_empty());
    on_the_way.take_while(|folder| !folder.exists()).map(Path::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_comes_to_nothing_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/b");
        let claim = Claim::attempt(&path).expect("a folder").expect("nobody has it");
        assert!(path.is_dir());
        assert!(Claim::attempt(&path).expect("a folder").is_err(), "it is held");
        assert!(path.is_dir(), "those who did not get it leave it alone");
        drop(claim);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
        fs::create_dir(folder.path().join("a")).expect("a folder");
        drop(Claim::attempt(&path).expect("a folder").expect("nobody has it"));
        assert!(folder.path().join("a").is_dir() && !path.exists(), "what was there before stays");
    }

    /// It was killed before the first of its files was whole.
    #[test]
    fn a_folder_with_partial_files_alone_is_as_good_as_empty() {
        let folder = tempfile::tempdir().expect("a folder");
        let claim = || Claim::for_run(folder.path(), "", Precision::Single);
        fs::write(folder.path().join("experiment.toml.partial"), "[tok").expect("a file");
        assert_eq!(claim().expect("nothing to lose").replaces(), None);
        fs::write(folder.path().join("notes.toml.partial"), "").expect("a file");
        assert!(matches!(claim(), Err(RecordError::Occupied { standing: Standing::Absent, .. })));
    }

    /// Many at once get folders of their own.
    #[test]
    fn vacant_folders_are_taken_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let claims = std::thread::scope(|scope| {
            let start = |_| scope.spawn(|| Claim::vacant(folder.path(), "run").expect("a folder"));
            let threads: Vec<_> = (0..8).map(start).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
        });
        let mut paths: Vec<_> = claims.iter().map(|claim| claim.path().to_owned()).collect();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), 8, "{paths:?}");
    }

    #[test]
    fn only_files_of_a_record_are_cleared() {
        let folder = tempfile::tempdir().expect("a folder");
        let others = ["notes.txt", "samples.csv.bak", "tokens.svg"];
        for name in FILES.iter().chain(&others).chain(&["tokens.npy.partial"]) {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        let claim = Claim::attempt(folder.path()).expect("a folder").expect("nobody has it");
        claim.clear().expect("they go");
        drop(claim);
        let names = fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        assert_eq!(names, others);
    }
}
