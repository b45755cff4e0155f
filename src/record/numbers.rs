//! Numbers as `.npy` files, whole or absent.

use std::{io, path::Path};

use ndarray::{ArrayView1, ArrayView3};
use ndarray_npy::{WritableElement, WriteNpyExt};

use super::{
    error::RecordError,
    file::{of_npy, write_whole},
    fingerprint::Fingerprint,
};
use crate::{backend::Precision, tokens::Shape};

/// Writes tokens, (replicas, count, dim) in C order, in f32 or f64 as they were computed.
pub(super) fn write_tokens(
    path: &Path,
    tokens: &[f64],
    shape: Shape,
    precision: Precision,
) -> Result<Fingerprint, RecordError> {
    match precision {
        Precision::Half | Precision::Single => {
            let single: Vec<f32> = tokens.iter().map(|x| *x as f32).collect();
            write_array(path, &single, shape)
        }
        Precision::Double => write_array(path, tokens, shape),
    }
}

fn write_array<T: WritableElement>(path: &Path, tokens: &[T], shape: Shape) -> Result<Fingerprint, RecordError> {
    write_whole(path, |file| {
        let dimensions = (shape.replicas, shape.count, shape.dim);
        let array = ArrayView3::from_shape(dimensions, tokens).map_err(io::Error::other)?;
        array.write_npy(file).map_err(of_npy)
    })
}

/// Writes numbers in a row, in f64.
pub(super) fn write_numbers(path: &Path, numbers: &[f64]) -> Result<Fingerprint, RecordError> {
    write_whole(path, |file| ArrayView1::from(numbers).write_npy(file).map_err(of_npy))
}
