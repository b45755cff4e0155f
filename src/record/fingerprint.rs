//! What tells a file from others: its length and its SHA-256.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    path::Path,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a file held when it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fingerprint {
    /// The length of the file.
    pub bytes: u64,
    /// In hexadecimal digits, lower case.
    pub sha256: String,
}

/// A fingerprint in the making.
#[derive(Clone, Default)]
pub(super) struct Hasher {
    bytes: u64,
    sha256: Sha256,
}

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.sha256.update(bytes);
    }

    /// The same of so many zeros.
    pub(super) fn update_zeros(&mut self, mut zeros: u64) {
        let block = [0; 1 << 12];
        while zeros > 0 {
            let part = zeros.min(block.len() as u64);
            self.update(&block[..part as usize]);
            zeros -= part;
        }
    }

    /// The bytes so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn finish(self) -> Fingerprint {
        Fingerprint { bytes: self.bytes, sha256: hexadecimal(&self.sha256.finalize()) }
    }
}

/// Bytes as text, two digits each.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Fingerprint {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(bytes);
        hasher.finish()
    }

    /// What is wrong with the file at `path`, if it does not hold what it held.
    pub fn mismatch(&self, path: &Path) -> Option<String> {
        let data = match fs::metadata(path) {
            Ok(data) => data,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Some("it is missing".into()),
            Err(error) => return Some(format!("it cannot be read: {error}")),
        };
        if !data.is_file() {
            return Some("it is not a file".into());
        }
        if data.len() != self.bytes {
            return Some(format!("it has {} bytes, and had {} when it was written", data.len(), self.bytes));
        }
        match hashed(path) {
            Err(error) => Some(format!("it cannot be read: {error}")),
            Ok(found) if found != *self => Some("it was changed after it was written: its SHA-256 is another".into()),
            Ok(_) => None,
        }
    }
}

/// The file at `path`, open behind its first bytes, which must be those of `prefix`, and their hash so far.
pub(super) fn reopened(path: &Path, prefix: &Fingerprint) -> io::Result<(File, Hasher)> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let (mut hasher, mut buffer) = (Hasher::default(), vec![0; 1 << 18]);
    while hasher.bytes() < prefix.bytes {
        let wanted = (prefix.bytes - hasher.bytes()).min(buffer.len() as u64) as usize;
        match file.read(&mut buffer[..wanted])? {
            0 => return Err(io::Error::other("it is shorter than it was")),
            read => hasher.update(&buffer[..read]),
        }
    }
    if hasher.clone().finish() == *prefix {
        Ok((file, hasher))
    } else {
        Err(io::Error::other("it was changed after it was written: its SHA-256 is another"))
    }
}

/// Of the file at `path`, as it is.
pub(super) fn hashed(path: &Path) -> io::Result<Fingerprint> {
    let mut hasher = Hasher::default();
    hash(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finish())
}

/// Adds all that is left to read.
pub(super) fn hash(from: &mut impl Read, hasher: &mut Hasher) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 18];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            read => hasher.update(&buffer[..read]),
        }
    }
}
