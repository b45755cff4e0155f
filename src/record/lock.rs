//! Who writes to a folder: a lock that the system takes back when its holder ends, however it ends.
//!
//! The lock is on a file in the folder, which says who holds it and goes when it is released. Only the lock counts: a file that a
//! killed process has left is nobody's. Where a file system knows no locks everyone gets them, unless the caller counts on
//! having one for itself alone.

use std::{
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use same_file::Handle;

/// The name of the file.
pub(super) const NAME: &str = "tokenfield.lock";

/// The process at work in a folder, as it calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder(String);

impl Holder {
    fn ourselves() -> Self {
        Self(format!("process {} on {}", std::process::id(), gethostname::gethostname().display()))
    }

    /// What the file says, as long as it is one short line.
    fn named_in(file: &mut impl Read) -> Self {
        let mut text = String::new();
        // On some systems a locked file cannot be read.
        let _ = file.take(300).read_to_string(&mut text);
        let line = text.lines().next().unwrap_or_default().trim();
        Self(if line.is_empty() { "another process".into() } else { line.into() })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What becomes of a lock that the file system does not give to anyone, since it knows none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unlockable {
    /// Everyone gets it: all that is lost is the protection from others.
    Granted,
    /// Nobody gets it.
    Refused,
}

/// Why there is no lock, and no holder either.
#[derive(Debug)]
pub(super) enum LockError {
    /// There is no file to lock.
    File(io::Error),
    /// The file system gives no lock of it.
    Refused(io::Error),
}

impl From<io::Error> for LockError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// A folder's lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// The lock of `folder`, or who has it.
    pub(super) fn attempt(folder: &Path, unlockable: Unlockable) -> Result<Result<Self, Holder>, LockError> {
        Self::by(folder, try_lock, unlockable)
    }

    /// The lock of `folder`, as soon as nobody else has it.
    pub(super) fn wait(folder: &Path) -> Result<Result<Self, Holder>, LockError> {
        Self::by(folder, |file| file.lock().map_err(TryLockError::Error), Unlockable::Granted)
    }

    fn by(
        folder: &Path,
        lock: fn(&File) -> Result<(), TryLockError>,
        unlockable: Unlockable,
    ) -> Result<Result<Self, Holder>, LockError> {
        let path = folder.join(NAME);
        loop {
            let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
            match lock(&file) {
                Err(TryLockError::WouldBlock) => return Ok(Err(Holder::named_in(&mut file))),
                Err(TryLockError::Error(error)) if unlockable == Unlockable::Refused => {
                    // Where nobody can hold it, it is nobody's.
                    if error.kind() == io::ErrorKind::Unsupported {
                        let _ = std::fs::remove_file(&path);
                    }
                    return Err(LockError::Refused(error));
                }
                Ok(()) | Err(TryLockError::Error(_)) => {}
            }
            if !is_at(&file, &path) {
                // The one who held it has removed the file that was opened here; another counts now.
                continue;
            }
            // A name that finds no room on a full disk is missed by others only.
            let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", Holder::ourselves()));
            return Ok(Ok(Self { file, path }));
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Before the lock goes, so that nobody else's file is removed; a file that stays is in nobody's way.
        let _ = std::fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

/// The lock of a file, unless somebody has it for more than a look at whether anyone has.
///
/// Those who only look share the lock for a moment (`holder`). Took one of them for a holder, each of two processes might leave a
/// folder to the other.
fn try_lock(file: &File) -> Result<(), TryLockError> {
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => file.try_lock_shared()?,
            outcome => return outcome,
        }
        file.unlock().map_err(TryLockError::Error)?;
        std::thread::yield_now();
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let opened = file.try_clone().and_then(Handle::from_file);
    matches!((opened, Handle::from_path(path)), (Ok(opened), Ok(there)) if opened == there)
}

/// Who holds the lock of a folder, if anyone does. Nothing is written.
pub fn holder(folder: &Path) -> Option<Holder> {
    let mut file = File::open(folder.join(NAME)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(Holder::named_in(&mut file)),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

/// Removes the file that a process has left which died at work on `folder`, if there is one.
pub fn remove_stale_lock(folder: &Path) {
    if folder.join(NAME).exists() {
        // Somebody who lives keeps it.
        drop(Lock::attempt(folder, Unlockable::Refused));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_has_one_holder_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        assert_eq!(holder(folder), None);
        let lock = Lock::attempt(folder, Unlockable::Granted).expect("a file").expect("nobody has it");
        let ourselves = Holder::ourselves();
        assert!(ourselves.0.starts_with(&format!("process {} on ", std::process::id())), "{ourselves}");
        assert_eq!(holder(folder), Some(ourselves.clone()));
        assert_eq!(Lock::attempt(folder, Unlockable::Granted).expect("a file").expect_err("it is held"), ourselves);
        drop(lock);
        assert_eq!(std::fs::read_dir(folder).expect("a folder").count(), 0);
    }

    #[test]
    fn a_file_without_a_lock_is_nobodys() {
        let folder = tempfile::tempdir().expect("a folder");
        let count = || std::fs::read_dir(folder.path()).expect("a folder").count();
        let ways: [fn(&Path); 2] = [remove_stale_lock, |folder| {
            drop(Lock::attempt(folder, Unlockable::Granted).expect("a file").expect("nobody has it"))
        }];
        for remove in ways {
            std::fs::write(folder.path().join(NAME), "process 1 on the moon, long gone\n").expect("a file");
            assert_eq!((holder(folder.path()), count()), (None, 1));
            remove(folder.path());
            assert_eq!(count(), 0);
        }
        let held = Lock::attempt(folder.path(), Unlockable::Refused).expect("a file").expect("nobody has it");
        remove_stale_lock(folder.path());
        assert_eq!(count(), 1, "its holder lives");
        drop(held);
    }

    /// Some network file systems.
    #[test]
    fn a_file_system_without_locks_gives_everyone_one_or_nobody() {
        let folder = tempfile::tempdir().expect("a folder");
        let unsupported = |_: &File| Err(TryLockError::Error(io::ErrorKind::Unsupported.into()));
        let granted = |folder| Lock::by(folder, unsupported, Unlockable::Granted);
        let both = [0, 1].map(|_| granted(folder.path()).expect("a file").expect("everyone has it"));
        drop(both);
        let refused = Lock::by(folder.path(), unsupported, Unlockable::Refused);
        assert!(matches!(&refused, Err(LockError::Refused(error)) if error.kind() == io::ErrorKind::Unsupported));
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
        // A lock that this process is not given may be another one's.
        std::fs::write(folder.path().join(NAME), "process 1\n").expect("a file");
        let none_left = |_: &File| Err(TryLockError::Error(io::ErrorKind::QuotaExceeded.into()));
        assert!(matches!(Lock::by(folder.path(), none_left, Unlockable::Refused), Err(LockError::Refused(_))));
        assert_eq!(std::fs::read_to_string(folder.path().join(NAME)).expect("it is there"), "process 1\n");
    }

    /// One process looks at a folder again and again, which two others would share: one of them gets it.
    #[test]
    fn a_look_at_who_has_a_folder_keeps_nobody_from_it() {
        use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !is_over.load(SeqCst) {
                        holder(folder);
                    }
                });
            }
            let taken =
                (0..2000).filter(|_| Lock::attempt(folder, Unlockable::Refused).expect("a file").is_ok()).count();
            is_over.store(true, SeqCst);
            assert_eq!(taken, 2000);
        });
    }

    /// Whoever waits on a file that its holder removes must not take that for the lock: of many threads one at a time has it.
    #[test]
    fn those_who_wait_follow_one_another() {
        use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
        let folder = tempfile::tempdir().expect("a folder");
        let (inside, turns) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let lock = Lock::wait(folder.path()).expect("a file").expect("waited for");
                        assert_eq!(inside.fetch_add(1, SeqCst), 0, "two hold one lock");
                        turns.fetch_add(1, SeqCst);
                        std::thread::yield_now();
                        inside.fetch_sub(1, SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert_eq!(turns.into_inner(), 400);
    }
}
