//! Who writes to a folder: a lock that the system takes back when its holder ends, however it ends.
//!
//! The lock is on a file in the folder, which says who holds it and goes when it is released. Only the lock counts: a file that a
//! killed process has left is nobody's. Where a file system knows no locks everyone gets them.

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

/// A folder's lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// The lock of `folder`, or who has it.
    pub(super) fn attempt(folder: &Path) -> io::Result<Result<Self, Holder>> {
        Self::by(folder, File::try_lock)
    }

    /// The lock of `folder`, as soon as nobody else has it.
    pub(super) fn wait(folder: &Path) -> io::Result<Result<Self, Holder>> {
        Self::by(folder, |file| file.lock().map_err(TryLockError::Error))
    }

    fn by(folder: &Path, lock: fn(&File) -> Result<(), TryLockError>) -> io::Result<Result<Self, Holder>> {
        let path = folder.join(NAME);
        loop {
            let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
            match lock(&file) {
                Err(TryLockError::WouldBlock) => return Ok(Err(Holder::named_in(&mut file))),
                // No locks here: all that is lost is the protection from others.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_has_one_holder_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        assert_eq!(holder(folder), None);
        let lock = Lock::attempt(folder).expect("a file").expect("nobody has it");
        let ourselves = Holder::ourselves();
        assert!(ourselves.0.starts_with(&format!("process {} on ", std::process::id())), "{ourselves}");
        assert_eq!(holder(folder), Some(ourselves.clone()));
        assert_eq!(Lock::attempt(folder).expect("a file").expect_err("it is held"), ourselves);
        drop(lock);
        assert_eq!(std::fs::read_dir(folder).expect("a folder").count(), 0);
    }

    #[test]
    fn a_file_without_a_lock_is_nobodys() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(NAME), "process 1 on the moon, long gone\n").expect("a file");
        assert_eq!(holder(folder.path()), None);
        drop(Lock::attempt(folder.path()).expect("a file").expect("nobody has it"));
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
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
