//! Files that are whole, and that can be told from others: their length and SHA-256 are taken while they are written.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use ndarray_npy::WriteNpyError;

use super::{
    error::RecordError,
    fingerprint::{Fingerprint, Hasher},
};

/// A file whose fingerprint is taken as it grows.
pub(crate) struct Hashed {
    file: File,
    hasher: Hasher,
}

impl Hashed {
    /// One that is empty.
    pub(super) fn new(file: File) -> Self {
        Self { file, hasher: Hasher::default() }
    }

    /// Adds zeros that take no room where the disk knows holes, and waits until all of it is there.
    pub(super) fn finish(mut self, zeros: u64) -> io::Result<Fingerprint> {
        if zeros > 0 {
            self.file.set_len(self.hasher.bytes() + zeros)?;
            self.hasher.update_zeros(zeros);
        }
        self.file.sync_all()?;
        Ok(self.hasher.finish())
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The error of the disk behind one of an array, so that its kind is known.
pub(super) fn of_npy(error: WriteNpyError) -> io::Error {
    match error {
        WriteNpyError::Io(error) => error,
        other => io::Error::other(other),
    }
}

/// Makes sure that the names in a folder are on the disk, where systems know how; elsewhere names come with their files.
pub(super) fn sync(folder: &Path) {
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
}

/// The name that a file has until it is whole.
pub(super) fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// Writes a file that is either whole or absent: a temporary file beside it, then a rename.
pub(crate) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<Hashed>) -> io::Result<()>,
) -> Result<Fingerprint, RecordError> {
    let temporary = partial(path);
    let attempt = || {
        let mut file = BufWriter::new(Hashed::new(File::create(&temporary)?));
        write(&mut file)?;
        let written = file.into_inner()?.finish(0)?;
        fs::rename(&temporary, path)?;
        Ok(written)
    };
    attempt().map_err(|source| {
        // Whatever stopped the write may stop the clean-up too; the error that matters is the first.
        let _ = fs::remove_file(&temporary);
        RecordError::Write { path: path.to_owned(), source }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, the example of one block.
    #[test]
    fn fingerprints_are_those_of_the_standard() {
        let abc = Fingerprint::of(b"abc");
        assert_eq!(abc.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(abc.bytes, 3);
    }

    #[test]
    fn whatever_happens_to_a_file_is_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let long: Vec<u8> = (0..1_000_000_u32).map(|k| (k.wrapping_mul(k) >> 7) as u8).collect();
        let written = write_whole(&path, |file| file.write_all(&long)).expect("room");
        assert_eq!(written, Fingerprint::of(&long));
        assert_eq!(written.mismatch(&path), None);
        let says = |expected: &str| {
            let problem = written.mismatch(&path).expect("a mismatch");
            assert!(problem.contains(expected), "{problem}");
        };
        fs::write(&path, &long[..999_999]).expect("a file");
        says("999999 bytes, and had 1000000");
        let mut other = long.clone();
        other[500_000] ^= 1;
        fs::write(&path, &other).expect("a file");
        says("SHA-256");
        fs::remove_file(&path).expect("it goes");
        says("missing");
        fs::create_dir(&path).expect("a folder");
        says("not a file");
    }

    #[test]
    fn a_write_that_fails_leaves_what_was_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, "before").expect("a file");
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let error = write_whole(&path, |file| file.write_all(b"half").and(Err(full()))).expect_err("no room");
        assert!(error.to_string().contains("file: cannot be written"), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "before");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
