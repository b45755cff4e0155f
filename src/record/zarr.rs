//! The tokens of every sample as a group of Zarr, version 3: metadata in JSON, and numbers in plain files, one a chunk, that are little-endian
//! and not compressed (of unit vectors in single precision zstd saves 8 % where they are uniform and 13 % where they are clustered, and
//! then nobody could map a chunk).
//!
//! ```text
//! trajectory.zarr/zarr.json
//! trajectory.zarr/tokens/zarr.json             (sample, replica, token, component)
//! trajectory.zarr/tokens/c/SAMPLE/REPLICAS/TOKENS/0
//! trajectory.zarr/time/zarr.json, time/c/0     (sample)
//! trajectory.zarr/token/zarr.json, token/c/..  (token): which ones they are, where they are not all
//! ```
//!
//! A chunk is one sample, one replica and 2^20 tokens, or fewer where tokens have more than four components; of small replicas it has as
//! many whole ones as that makes. The last chunk of a row is padded with zeros, which no reader shows. The folder takes its name when it is
//! whole, and beside it lies `trajectory.sha256`, the SHA-256 of each of its files as `sha256sum --check` reads them; the manifest vouches
//! for that list.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use serde_json::{Value, json};

use super::{
    RecordError,
    file::{Hashed, partial, sync, write_whole},
    fingerprint::{Fingerprint, hashed},
    form::Form,
    group::{GROUP, LIST, members},
};

/// Tokens and numbers of a chunk at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Largest {
    pub(super) tokens: usize,
    pub(super) numbers: usize,
}

impl Default for Largest {
    fn default() -> Self {
        Self { tokens: 1 << 20, numbers: 1 << 22 }
    }
}

/// How the numbers of a sample lie in chunks.
#[derive(Clone, Debug)]
pub(super) struct Chunks {
    form: Form,
    /// Replicas and tokens of a chunk.
    replicas: usize,
    tokens: usize,
}

impl Chunks {
    fn new(form: Form, most: Largest) -> Self {
        let (count, dim) = (form.each[1], form.each[2]);
        let most = most.tokens.min(most.numbers / dim.max(1)).max(1);
        let (tokens, replicas) = (most.min(count).max(1), (most / count.max(1)).clamp(1, form.each[0].max(1)));
        Self { form, replicas, tokens }
    }

    /// How many there are along replicas and along tokens.
    fn counts(&self) -> [usize; 2] {
        [self.form.each[0].div_ceil(self.replicas), self.form.each[1].div_ceil(self.tokens)]
    }

    /// Bytes of a chunk, padding included.
    fn bytes(&self) -> u64 {
        (self.replicas * self.tokens * self.form.each[2] * self.form.width()) as u64
    }

    /// Bytes of the chunk of this number, all samples counted, without its padding.
    fn data(&self, chunk: usize) -> u64 {
        let [_, replica, token] = self.place(chunk);
        let replicas = self.replicas.min(self.form.each[0] - replica * self.replicas);
        let tokens = self.tokens.min(self.form.each[1] - token * self.tokens);
        (replicas * tokens * self.form.each[2] * self.form.width()) as u64
    }

    /// Where the chunk of this number is along samples, replicas and tokens.
    fn place(&self, chunk: usize) -> [usize; 3] {
        let [replicas, tokens] = self.counts();
        [chunk / (replicas * tokens), chunk / tokens % replicas, chunk % tokens]
    }

    fn name(&self, chunk: usize) -> String {
        let [sample, replica, token] = self.place(chunk);
        format!("tokens/c/{sample}/{replica}/{token}/0")
    }

    fn of_samples(&self, samples: usize) -> usize {
        self.counts().iter().product::<usize>() * samples
    }
}

/// The group as it grows.
pub(super) struct ZarrGroup {
    path: PathBuf,
    partial: PathBuf,
    chunks: Chunks,
    /// Which tokens there are, where they are not all.
    tokens: Option<Vec<u64>>,
    /// The files that are whole, by their names in the group.
    files: Vec<(String, String)>,
    /// The number of the chunk that is being written.
    chunk: usize,
    open: Option<(BufWriter<Hashed>, u64)>,
    /// Folders in which there are names that may not be on the disk.
    grown: BTreeSet<PathBuf>,
}

impl ZarrGroup {
    pub(super) fn create(path: &Path, form: Form, tokens: Option<Vec<u64>>, most: Largest) -> io::Result<Self> {
        let (partial, chunks) = (partial(path), Chunks::new(form, most));
        fs::create_dir(&partial)?;
        Ok(Self {
            path: path.to_owned(),
            partial,
            chunks,
            tokens,
            files: Vec::new(),
            chunk: 0,
            open: None,
            grown: BTreeSet::new(),
        })
    }

    /// The one that was begun at `path`, with the first `kept` samples, if their chunks are still `synced`.
    pub(super) fn resume(
        path: &Path,
        form: Form,
        tokens: Option<Vec<u64>>,
        most: Largest,
        kept: usize,
        synced: &Fingerprint,
    ) -> io::Result<Self> {
        let (partial, chunks) = (partial(path), Chunks::new(form, most));
        if !partial.exists() && path.exists() {
            // It had its name already when the process ended, but its run was not complete.
            fs::rename(path, &partial)?;
        }
        let chunk = chunks.of_samples(kept);
        let found = |chunk| {
            let name = chunks.name(chunk);
            hashed(&partial.join(&name)).map(|found| (name, found.sha256))
        };
        let files: Vec<_> = (0..chunk).into_par_iter().map(found).collect::<io::Result<_>>()?;
        if Fingerprint::of(list(&files).as_bytes()) != *synced {
            return Err(io::Error::other(
                "its chunks were changed after they were written: their SHA-256 are others",
            ));
        }
        let names: BTreeSet<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        for name in members(&partial)?.iter().filter(|name| !names.contains(name.as_str())) {
            fs::remove_file(partial.join(name))?;
        }
        Ok(Self { path: path.to_owned(), partial, chunks, tokens, files, chunk, open: None, grown: BTreeSet::new() })
    }

    /// Appends bytes of a sample.
    pub(super) fn add(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (mut file, written) = match self.open.take() {
                Some(open) => open,
                None => (self.begun(&self.chunks.name(self.chunk))?, 0),
            };
            let left = self.chunks.data(self.chunk) - written;
            let (own, rest) = bytes.split_at(bytes.len().min(left as usize));
            file.write_all(own)?;
            if own.len() as u64 == left {
                let name = self.chunks.name(self.chunk);
                self.end(name, file, self.chunks.bytes() - written - left)?;
                self.chunk += 1;
            } else {
                self.open = Some((file, written + own.len() as u64));
            }
            bytes = rest;
        }
        Ok(())
    }

    /// What is on the disk, as whole chunks are as soon as they are whole.
    pub(super) fn sync(&mut self) -> io::Result<Fingerprint> {
        std::mem::take(&mut self.grown).iter().for_each(|folder| sync(folder));
        match &self.open {
            None => Ok(Fingerprint::of(list(&self.files).as_bytes())),
            Some(_) => Err(io::Error::other("part of a sample is missing")),
        }
    }

    /// Describes the samples that there are, taken at these times, and gives the folder its name; what vouches for its files.
    pub(super) fn finish(mut self, times: &[f64]) -> Result<Fingerprint, RecordError> {
        let path = self.path.clone();
        let failed = |source| RecordError::Write { path: path.clone(), source };
        self.describe(times).map_err(failed)?;
        fs::rename(&self.partial, &self.path).map_err(failed)?;
        self.files.sort();
        write_whole(&self.path.with_file_name(LIST), |file| file.write_all(list(&self.files).as_bytes()))
    }

    fn describe(&mut self, times: &[f64]) -> io::Result<()> {
        let samples = times.len();
        if self.open.is_some() || self.chunk != self.chunks.of_samples(samples) {
            return Err(io::Error::other("some of its samples are missing"));
        }
        let Chunks { form, replicas, tokens, .. } = &self.chunks;
        let (shape, chunk) = (form.shape(samples), vec![1, *replicas, *tokens, form.each[2]]);
        let kind = if form.width() == 4 { "float32" } else { "float64" };
        let named = json!({ "long_name": "x", "units": "1", "coordinates": "time" });
        let of_tokens = array(&shape, &chunk, kind, &["sample", "replica", "token", "component"], named);
        self.whole("tokens/zarr.json", &pretty(&of_tokens))?;
        let named = json!({ "long_name": "layer-time", "units": "1" });
        let of_time = array(&[samples], &[samples.max(1)], "float64", &["sample"], named);
        self.whole("time/zarr.json", &pretty(&of_time))?;
        if samples > 0 {
            let bytes: Vec<u8> = times.iter().flat_map(|time| time.to_le_bytes()).collect();
            self.whole("time/c/0", &bytes)?;
        }
        if let Some(tokens) = self.tokens.take() {
            let length = Largest::default().tokens.min(tokens.len()).max(1);
            let named = json!({ "long_name": "number of the token" });
            let of_token = array(&[tokens.len()], &[length], "uint64", &["token"], named);
            self.whole("token/zarr.json", &pretty(&of_token))?;
            for (chunk, tokens) in tokens.chunks(length).enumerate() {
                let mut bytes: Vec<u8> = tokens.iter().flat_map(|token| token.to_le_bytes()).collect();
                bytes.resize(8 * length, 0);
                self.whole(&format!("token/c/{chunk}"), &bytes)?;
            }
        }
        let about = json!({ "long_name": "tokens over layer-time" });
        self.whole("zarr.json", &pretty(&json!({ "zarr_format": 3, "node_type": "group", "attributes": about })))
    }

    fn whole(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.begun(name)?;
        file.write_all(bytes)?;
        self.end(name.to_owned(), file, 0)
    }

    fn begun(&self, name: &str) -> io::Result<BufWriter<Hashed>> {
        let path = self.partial.join(name);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        Ok(BufWriter::new(Hashed::new(File::create(path)?)))
    }

    /// Closes a file after so many zeros.
    fn end(&mut self, name: String, file: BufWriter<Hashed>, zeros: u64) -> io::Result<()> {
        let sha256 = file.into_inner()?.finish(zeros)?.sha256;
        let path = self.partial.join(&name);
        self.grown.extend(
            path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.partial)).map(Path::to_owned),
        );
        self.files.push((name, sha256));
        Ok(())
    }
}

/// A list of files, by their names in the group.
fn list(files: &[(String, String)]) -> String {
    files.iter().map(|(name, sha256)| format!("{sha256}  {GROUP}/{name}\n")).collect()
}

/// The metadata of an array of plain numbers.
fn array(shape: &[usize], chunk: &[usize], kind: &str, dimensions: &[&str], attributes: Value) -> Value {
    json!({
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": kind,
        "chunk_grid": { "name": "regular", "configuration": { "chunk_shape": chunk } },
        "chunk_key_encoding": { "name": "default", "configuration": { "separator": "/" } },
        "fill_value": 0,
        "codecs": [{ "name": "bytes", "configuration": { "endian": "little" } }],
        "dimension_names": dimensions,
        "attributes": attributes,
    })
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}
