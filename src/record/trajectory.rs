//! The tokens, or the attention among them, at every sample, or the tokens at the end: an array that is written on a thread of its own while
//! the next numbers are computed.

use std::{
    io,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, Sender, SyncSender},
    thread::{self, JoinHandle},
};

use ndarray::ArrayView1;
use ndarray_npy::{WritableElement, WriteNpyExt};

use super::{
    error::RecordError,
    file::{of_npy, write_whole},
    fingerprint::Fingerprint,
    form::Form,
    group,
    npy::NpyFile,
    zarr::{Largest, ZarrGroup},
};
use crate::{observables::TokensFormat, simulate::Ending, tokens::Shape};

/// Pieces that wait to be written, beside the one that is being written and the one that is being made.
const WAITING: usize = 2;
/// Numbers of a piece.
const PIECE: usize = 1 << 22;

/// Tokens over time that take more bytes than this are in chunks, of which readers take those that they need.
const LARGEST_NPY: u64 = 256 << 20;
/// What is wrong where the thread has ended.
const NOBODY: &str = "nobody writes it any more";

/// Where an array is written.
enum Store {
    Npy(NpyFile),
    Zarr(ZarrGroup),
}

impl Store {
    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Store::Npy(file) => file.add(bytes),
            Store::Zarr(group) => group.add(bytes),
        }
    }

    fn sync(&mut self) -> io::Result<Fingerprint> {
        match self {
            Store::Npy(file) => file.sync(),
            Store::Zarr(group) => group.sync(),
        }
    }
}

/// What the thread is told.
enum Order {
    Add(Vec<u8>),
    /// To say what came before, when it is on the disk.
    Sync(Sender<Fingerprint>),
}

/// Which tokens are kept over time.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// How many times there will be.
    pub samples: usize,
    /// How many tokens are kept, and of which width.
    pub shape: Shape,
    /// What they are written as.
    pub format: TokensFormat,
    /// Whether their times are not those of `samples.csv`, and are written beside them.
    pub has_own_times: bool,
    /// Their numbers in each replica, where they are not all.
    pub numbers: Option<Vec<u64>>,
    /// The times of those that an earlier part of the run has kept.
    pub before: Vec<f64>,
}

impl Tokens {
    /// All tokens, at every sample, of a run from its beginning.
    pub fn all(samples: usize, shape: Shape) -> Self {
        let (format, numbers, before) = (TokensFormat::Auto, None, Vec::new());
        Self { samples, shape, format, has_own_times: false, numbers, before }
    }

    /// What they are written to.
    pub(super) fn name(&self, form: &Form) -> &'static str {
        let is_large = form.bytes().is_ok_and(|bytes| bytes > LARGEST_NPY);
        match self.format {
            TokensFormat::Zarr => group::GROUP,
            TokensFormat::Auto if is_large => group::GROUP,
            TokensFormat::Auto | TokensFormat::Npy => "trajectory.npy",
        }
    }
}

/// `trajectory.npy`, C order, (samples, replicas, count, dim), or the same as `trajectory.zarr`; `attention.npy`, (samples, replicas, heads,
/// rows, sources); or `tokens.npy`, (replicas, count, dim); in the precision of the run.
pub(super) struct Trajectory {
    name: &'static str,
    path: PathBuf,
    form: Form,
    kept: Tokens,
    times: Vec<f64>,
    thread: Option<Writer>,
    /// What ended the thread.
    failure: Option<(io::ErrorKind, String)>,
}

struct Writer {
    orders: SyncSender<Order>,
    thread: JoinHandle<io::Result<Store>>,
}

impl Trajectory {
    /// The array `name` of `folder`, a group of Zarr if that is its name.
    pub(super) fn create(folder: &Path, name: &'static str, form: Form, kept: Tokens) -> Result<Self, RecordError> {
        let path = folder.join(name);
        let store = match name {
            group::GROUP => {
                ZarrGroup::create(&path, form.clone(), kept.numbers.clone(), Largest::default()).map(Store::Zarr)
            }
            _ => NpyFile::create(&path, form.clone()).map(Store::Npy),
        };
        Self { name, path, form, kept, times: Vec::new(), thread: None, failure: None }.begun(store)
    }

    /// The same array that was begun before, with those samples alone that were taken before, which had [synced](Self::sync) as
    /// this; it goes on after them.
    pub(super) fn resume(
        folder: &Path,
        name: &'static str,
        form: Form,
        mut kept: Tokens,
        synced: &Fingerprint,
    ) -> Result<Self, RecordError> {
        let (path, times) = (folder.join(name), std::mem::take(&mut kept.before));
        let store = match name {
            group::GROUP => {
                let (tokens, most) = (kept.numbers.clone(), Largest::default());
                ZarrGroup::resume(&path, form.clone(), tokens, most, times.len(), synced).map(Store::Zarr)
            }
            _ => NpyFile::resume(&path, form.clone(), times.len(), synced).map(Store::Npy),
        };
        Self { name, path, form, kept, times, thread: None, failure: None }.begun(store)
    }

    fn begun(mut self, store: io::Result<Store>) -> Result<Self, RecordError> {
        let (orders, received) = mpsc::sync_channel(WAITING);
        let spawn = |store| thread::Builder::new().name("record".into()).spawn(move || write(store, received));
        let thread = store.and_then(spawn).map_err(|source| self.failed(source))?;
        self.thread = Some(Writer { orders, thread });
        Ok(self)
    }

    /// Begins the next sample.
    pub(super) fn sample(&mut self, time: f64) {
        self.times.push(time);
    }

    /// Appends numbers of a sample. An error of numbers before them comes back here.
    pub(super) fn add(&mut self, numbers: &[f64]) -> Result<(), RecordError> {
        // In pieces: the numbers may fill much of the memory.
        numbers.chunks(PIECE).try_for_each(|piece| self.order(Order::Add(self.form.encoded(piece))))
    }

    /// Waits until all samples that were added are on the disk, where [`resume`](Self::resume) finds them, and says what that is.
    pub(super) fn sync(&mut self) -> Result<Fingerprint, RecordError> {
        let (done, synced) = mpsc::channel();
        self.order(Order::Sync(done))?;
        match synced.recv() {
            Ok(synced) => Ok(synced),
            // The thread that drops the other end has an error to tell.
            Err(_) => self.join().and_then(|_| Err(self.failed(io::Error::other(NOBODY)))),
        }
    }

    /// What it is called in its folder.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    fn order(&mut self, order: Order) -> Result<(), RecordError> {
        match &self.thread {
            Some(writer) if writer.orders.send(order).is_ok() => Ok(()),
            _ => self.join().and_then(|_| Err(self.failed(io::Error::other(NOBODY)))),
        }
    }

    /// Waits for the thread, and takes what it wrote to.
    fn join(&mut self) -> Result<Store, RecordError> {
        let lost = || io::Error::other(NOBODY);
        let Some(Writer { orders, thread }) = self.thread.take() else {
            let again = |(kind, text): &(io::ErrorKind, String)| io::Error::new(*kind, text.clone());
            return Err(self.failed(self.failure.as_ref().map_or_else(lost, again)));
        };
        drop(orders);
        thread.join().unwrap_or_else(|_| Err(lost())).map_err(|source| {
            self.failure = Some((source.kind(), source.to_string()));
            self.failed(source)
        })
    }

    fn failed(&self, source: io::Error) -> RecordError {
        RecordError::Write { path: self.path.clone(), source }
    }

    /// Gives the array its name, and returns the files that there are now, each with what vouches for it. It has all samples that it was
    /// made for, or fewer where the run ended early.
    pub(super) fn finish(mut self, ending: Ending) -> Result<Vec<(&'static str, Fingerprint)>, RecordError> {
        let mut files = Vec::new();
        match self.join()? {
            Store::Zarr(group) => {
                self.form.require(self.times.len(), ending).map_err(|source| self.failed(source))?;
                files.push((group::LIST, group.finish(&self.times)?));
            }
            Store::Npy(file) => {
                files.push((self.name, file.finish(ending).map_err(|source| self.failed(source))?));
                files.extend(self.finish_beside()?);
            }
        }
        Ok(files)
    }

    /// Writes what lies beside a `.npy` file.
    fn finish_beside(&self) -> Result<Vec<(&'static str, Fingerprint)>, RecordError> {
        let mut files = Vec::new();
        if self.kept.has_own_times {
            files.push(self.list("trajectory_times.npy", &self.times)?);
        }
        if let Some(numbers) = &self.kept.numbers {
            files.push(self.list("trajectory_tokens.npy", numbers)?);
        }
        Ok(files)
    }

    fn list<T: WritableElement>(
        &self,
        name: &'static str,
        numbers: &[T],
    ) -> Result<(&'static str, Fingerprint), RecordError> {
        let path = self.path.with_file_name(name);
        let written = write_whole(&path, |file| ArrayView1::from(numbers).write_npy(file).map_err(of_npy))?;
        Ok((name, written))
    }
}

impl Drop for Trajectory {
    fn drop(&mut self) {
        // Nobody writes any more when whoever gave it up removes what there is.
        if self.thread.is_some() {
            let _ = self.join();
        }
    }
}

/// Does what is ordered until nobody orders any more.
fn write(mut store: Store, orders: Receiver<Order>) -> io::Result<Store> {
    for order in orders {
        match order {
            Order::Add(bytes) => store.add(&bytes)?,
            // Whoever asked may have gone.
            Order::Sync(done) => drop(done.send(store.sync()?)),
        }
    }
    Ok(store)
}
