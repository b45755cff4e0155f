//! Reads the final tokens of the first replica from `tokens.npy`.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ndarray::{Array3, Axis};
use ndarray_npy::{ReadNpyError, ReadNpyExt, ReadableElement};

use super::axis::LARGEST;
use super::error::PlotError;

/// The tokens of one replica, ordered (token, component).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ReplicaTokens {
    /// Components of a token.
    pub(super) dim: usize,
    /// How many replicas the file holds.
    pub(super) replicas: usize,
    pub(super) coordinates: Vec<f64>,
}

impl ReplicaTokens {
    pub(super) fn read(path: &Path) -> Result<Self, PlotError> {
        let tokens = match array::<f64>(path)? {
            Ok(double) => double,
            Err(ReadNpyError::WrongDescriptor(_)) => {
                array::<f32>(path)?.map_err(|error| unreadable(path, &error))?.mapv(f64::from)
            }
            Err(error) => return Err(unreadable(path, &error)),
        };
        if tokens.is_empty() {
            return Err(unreadable(path, &format!("its shape is {:?}", tokens.shape())));
        }
        let first = tokens.index_axis(Axis(0), 0);
        Ok(Self { dim: first.ncols(), replicas: tokens.shape()[0], coordinates: first.iter().copied().collect() })
    }

    /// The tokens whose coordinates are numbers of a size to compute with: a run that diverged has others.
    pub(super) fn finite(&self) -> impl Iterator<Item = &[f64]> + Clone {
        self.coordinates
            .chunks_exact(self.dim)
            .filter(|token| token.iter().all(|component| component.abs() <= LARGEST))
    }

    /// All tokens, finite or not.
    pub(super) fn count(&self) -> usize {
        self.coordinates.len() / self.dim
    }
}

fn array<T: ReadableElement>(path: &Path) -> Result<Result<Array3<T>, ReadNpyError>, PlotError> {
    let file = File::open(path).map_err(|source| PlotError::Read { path: path.into(), source })?;
    Ok(Array3::read_npy(BufReader::new(file)))
}

fn unreadable(path: &Path, problem: &dyn std::fmt::Display) -> PlotError {
    PlotError::File {
        path: path.into(),
        problem: problem.to_string(),
        remedy: "it must hold at least one token as an array (replicas, count, dim) of `<f4` or `<f8`",
    }
}
