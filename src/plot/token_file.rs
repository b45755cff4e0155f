//! Tokens on disk, read a run at a time: those at the end, and those of the first replica at every sample.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ndarray_npy::npy::header::{Header, Layout};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::PlotError;

/// Tokens that are read at once.
const RUN: usize = 1 << 18;

/// Numbers of a file, one after the other from some place on.
struct Numbers {
    file: File,
    /// Bytes before the first number.
    start: u64,
    width: Width,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    Single,
    Double,
}

impl Width {
    fn bytes(self) -> usize {
        match self {
            Width::Single => 4,
            Width::Double => 8,
        }
    }
}

impl Numbers {
    /// So many numbers from number `first` on.
    fn read(&mut self, first: usize, count: usize) -> io::Result<Vec<f64>> {
        let width = self.width.bytes();
        self.file.seek(SeekFrom::Start(self.start + (first * width) as u64))?;
        let mut bytes = vec![0; count * width];
        self.file.read_exact(&mut bytes)?;
        let (single, double) = (bytes.as_chunks::<4>().0, bytes.as_chunks::<8>().0);
        Ok(match self.width {
            Width::Single => single.iter().map(|number| f64::from(f32::from_le_bytes(*number))).collect(),
            Width::Double => double.iter().map(|number| f64::from_le_bytes(*number)).collect(),
        })
    }
}

/// A `.npy` file in C order of `<f4` or `<f8`, and the shape of its array.
fn npy(path: &Path) -> Result<Result<(Numbers, Vec<usize>), String>, PlotError> {
    let file = File::open(path).map_err(|source| PlotError::Read { path: path.into(), source })?;
    let mut reader = BufReader::new(&file);
    let found = Header::from_reader(&mut reader).map_err(|error| error.to_string()).and_then(|header| {
        let width = match header.type_descriptor.to_string().as_str() {
            "'<f4'" => Width::Single,
            "'<f8'" => Width::Double,
            other => return Err(format!("its numbers are {other}")),
        };
        let start = reader.stream_position().map_err(|error| error.to_string())?;
        let length = file.metadata().map_err(|error| error.to_string())?.len();
        let numbers = header.shape.iter().try_fold(width.bytes(), |bytes: usize, size| bytes.checked_mul(*size));
        match (header.layout, numbers) {
            (Layout::Fortran, _) => Err("it is in Fortran order".into()),
            (Layout::Standard, Some(numbers)) if start + numbers as u64 == length => Ok((start, width, header.shape)),
            (Layout::Standard, _) => Err(format!("{length} bytes do not hold the shape {:?}", header.shape)),
        }
    });
    Ok(found.map(|(start, width, shape)| (Numbers { file, start, width }, shape)))
}

/// The final tokens of the first replica, in `tokens.npy`.
pub(super) struct TokenFile {
    path: PathBuf,
    numbers: Numbers,
    /// How many replicas the file holds.
    pub(super) replicas: usize,
    pub(super) count: usize,
    /// Components of a token.
    pub(super) dim: usize,
}

impl TokenFile {
    pub(super) fn open(path: &Path) -> Result<Self, PlotError> {
        let unreadable = |problem| PlotError::File {
            path: path.into(),
            problem,
            remedy: "it must hold at least one token as an array (replicas, count, dim) of `<f4` or `<f8`",
        };
        let (numbers, shape) = npy(path)?.map_err(unreadable)?;
        match shape[..] {
            [replicas, count, dim] if replicas * count * dim > 0 => {
                Ok(Self { path: path.into(), numbers, replicas, count, dim })
            }
            _ => Err(unreadable(format!("its shape is {shape:?}"))),
        }
    }

    /// Shows all tokens, one run after the other.
    pub(super) fn each_run(&mut self, mut look: impl FnMut(&[f64])) -> Result<(), PlotError> {
        for first in (0..self.count).step_by(RUN) {
            let count = RUN.min(self.count - first);
            let run = self.numbers.read(first * self.dim, count * self.dim);
            look(&run.map_err(|source| PlotError::Read { path: self.path.clone(), source })?);
        }
        Ok(())
    }
}

/// The tokens of the first replica at every sample, in `trajectory.npy` or `trajectory.zarr`.
pub(super) struct Frames {
    pub(super) path: PathBuf,
    form: Form,
    pub(super) samples: usize,
    pub(super) replicas: usize,
    pub(super) count: usize,
    pub(super) dim: usize,
    /// Their times, where they are not those of `samples.csv`.
    pub(super) times: Option<Vec<f64>>,
}

enum Form {
    Npy(Numbers),
    /// Chunks of so many tokens.
    Zarr {
        tokens: usize,
        width: Width,
    },
}

/// The metadata of an array of Zarr, as far as they matter here.
#[derive(Deserialize)]
struct Metadata {
    shape: Vec<usize>,
    data_type: String,
    chunk_grid: Grid,
}

#[derive(Deserialize)]
struct Grid {
    configuration: Configuration,
}

#[derive(Deserialize)]
struct Configuration {
    chunk_shape: Vec<usize>,
}

impl Frames {
    /// Those of the run folder `dir`; none if its run did not keep the tokens.
    pub(super) fn open(dir: &Path) -> Result<Option<Self>, PlotError> {
        let (file, group) = (dir.join("trajectory.npy"), dir.join("trajectory.zarr"));
        if file.exists() {
            return Self::of_npy(file, &dir.join("trajectory_times.npy")).map(Some);
        }
        if group.exists() { Self::of_zarr(group).map(Some) } else { Ok(None) }
    }

    fn of_npy(path: PathBuf, times: &Path) -> Result<Self, PlotError> {
        let (numbers, shape) = npy(&path)?.map_err(|problem| unreadable(&path, problem))?;
        let [samples, replicas, count, dim] = shape[..] else {
            return Err(unreadable(&path, format!("its shape is {shape:?}")));
        };
        let times = match times.exists() {
            true => {
                let (mut numbers, shape) = npy(times)?.map_err(|problem| unreadable(times, problem))?;
                let read = numbers.read(0, shape.iter().product());
                Some(read.map_err(|source| PlotError::Read { path: times.into(), source })?)
            }
            false => None,
        };
        Ok(Self { path, form: Form::Npy(numbers), samples, replicas, count, dim, times })
    }

    fn of_zarr(path: PathBuf) -> Result<Self, PlotError> {
        let about: Metadata = json(&path.join("tokens/zarr.json"))?;
        let width = match about.data_type.as_str() {
            "float32" => Width::Single,
            "float64" => Width::Double,
            other => return Err(unreadable(&path, format!("its numbers are {other}"))),
        };
        let chunk = &about.chunk_grid.configuration.chunk_shape;
        let ([samples, replicas, count, dim], [_, _, tokens, _]) = (&about.shape[..], &chunk[..]) else {
            return Err(unreadable(&path, format!("its shape is {:?}", about.shape)));
        };
        if *tokens == 0 {
            return Err(unreadable(&path, format!("its chunks have the shape {chunk:?}")));
        }
        let list = path.join("time/c/0");
        let mut times = Vec::new();
        if *samples > 0 {
            let file = File::open(&list).map_err(|source| PlotError::Read { path: list.clone(), source })?;
            let mut numbers = Numbers { file, start: 0, width: Width::Double };
            times = numbers.read(0, *samples).map_err(|source| PlotError::Read { path: list, source })?;
        }
        let form = Form::Zarr { tokens: *tokens, width };
        let (samples, replicas, count, dim) = (*samples, *replicas, *count, *dim);
        Ok(Self { path, form, samples, replicas, count, dim, times: Some(times) })
    }

    /// Of the tokens of a sample those of these numbers, which ascend; ordered (token, component).
    pub(super) fn read(&mut self, sample: usize, numbers: &[usize]) -> Result<Vec<f64>, PlotError> {
        let Self { form, replicas, count, dim, path, .. } = self;
        match form {
            Form::Npy(file) => {
                let first = sample * *replicas * *count;
                read(file, first, *dim, numbers).map_err(|source| PlotError::Read { path: path.clone(), source })
            }
            Form::Zarr { tokens, width } => {
                let mut found = Vec::with_capacity(numbers.len() * *dim);
                for own in numbers.chunk_by(|a, b| a / *tokens == b / *tokens) {
                    let chunk = own[0] / *tokens;
                    let inside: Vec<usize> = own.iter().map(|number| number % *tokens).collect();
                    // The first replica is the first of its chunk.
                    let path = path.join(format!("tokens/c/{sample}/0/{chunk}/0"));
                    let failed = |source| PlotError::Read { path: path.clone(), source };
                    let file = File::open(&path).map_err(failed)?;
                    let mut file = Numbers { file, start: 0, width: *width };
                    found.extend(read(&mut file, 0, *dim, &inside).map_err(failed)?);
                }
                Ok(found)
            }
        }
    }
}

/// The tokens of these numbers, counted from token `first` of the file on.
fn read(file: &mut Numbers, first: usize, dim: usize, numbers: &[usize]) -> io::Result<Vec<f64>> {
    let mut found = Vec::with_capacity(numbers.len() * dim);
    // Neighbours are read at once, and of the others only they.
    for run in numbers.chunk_by(|a, b| a + 1 == *b) {
        found.extend(file.read((first + run[0]) * dim, run.len() * dim)?);
    }
    Ok(found)
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, PlotError> {
    let text = std::fs::read(path).map_err(|source| PlotError::Read { path: path.into(), source })?;
    serde_json::from_slice(&text).map_err(|error| unreadable(path, error.to_string()))
}

pub(super) fn unreadable(path: &Path, problem: String) -> PlotError {
    let remedy =
        "it must be an array (samples, replicas, count, dim) of `<f4` or `<f8`, as `tokenfield run` writes it";
    PlotError::File { path: path.into(), problem, remedy }
}
