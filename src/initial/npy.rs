//! Arrays of numbers read from `.npy` files: f32 or f64, C or Fortran order, every entry finite.

use std::{
    fmt::Display,
    fs::File,
    io::{self, BufReader, Seek},
    path::Path,
};

use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use ndarray_npy::{ReadDataError, ReadableElement, npy::header::Header, npy::header::Layout};

use crate::budget::Needs;

/// An array in f64 and C order, whatever the file holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

/// Why a file gave no array, and what to do about it. Whoever named the file says which.
#[derive(Debug)]
pub(crate) struct NpyError {
    pub problem: String,
    pub remedy: String,
}

pub(crate) fn read(path: &Path) -> Result<Array, NpyError> {
    let unreadable = |error: io::Error| NpyError {
        problem: unreadable_because(&error),
        remedy: "write the path of a .npy file, relative to the folder of the experiment file".into(),
    };
    let damaged = |error: &dyn Display| NpyError {
        problem: format!("is no .npy file: {error}"),
        remedy: "write the array with numpy.save".into(),
    };
    let file = File::open(path).map_err(unreadable)?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    let mut reader = BufReader::new(file);
    let header = Header::from_reader(&mut reader).map_err(|error| damaged(&error))?;
    let kind = header.type_descriptor.to_string();
    let Some(width) = [("'<f4'", 4), ("'>f4'", 4), ("'<f8'", 8), ("'>f8'", 8)].iter().find(|(name, _)| *name == kind)
    else {
        return Err(NpyError {
            problem: format!("holds entries of type {kind}"),
            remedy: "save it as float32 or float64, e.g. array.astype(numpy.float64)".into(),
        });
    };
    // Compared before anything is allocated: a damaged header may promise more than there is memory.
    let expected = header.shape.iter().try_fold(1, |n: usize, &axis| n.checked_mul(axis)).unwrap_or(usize::MAX);
    let present = bytes - reader.stream_position().map_err(unreadable)?;
    if (expected as u64).checked_mul(width.1) != Some(present) {
        return Err(damaged(&format!("{present} bytes do not hold the shape {}", shape_text(&header.shape))));
    }
    let mut needs = Needs::default();
    needs.add("the numbers of the file", u128::from(width.1) + 16, &[("numbers", expected as u128)]);
    needs
        .require()
        .map_err(|shortage| NpyError { problem: shortage.problem(), remedy: "take a smaller array".into() })?;
    let values = if width.1 == 4 {
        entries::<f32>(&header, &mut reader, expected)
    } else {
        entries::<f64>(&header, &mut reader, expected)
    };
    let array = Array { values: values.map_err(|error| damaged(&error))?, shape: header.shape };
    array.finite()
}

/// Why a file cannot be read, in the same words on every system where that is the usual reason.
pub(crate) fn unreadable_because(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        _ => format!("cannot be read: {error}"),
    }
}

/// `(4, 3)`, as NumPy writes a shape.
pub(crate) fn shape_text(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    format!("({}{comma})", sizes.join(", "))
}

/// All entries in C order.
fn entries<T: ReadableElement + Into<f64> + Copy>(
    header: &Header,
    reader: &mut impl io::Read,
    length: usize,
) -> Result<Vec<f64>, ReadDataError> {
    let stored = T::read_to_end_exact_vec(reader, &header.type_descriptor, length)?;
    match header.layout {
        Layout::Standard => Ok(stored.into_iter().map(T::into).collect()),
        Layout::Fortran => {
            let array = ArrayD::from_shape_vec(IxDyn(&header.shape).f(), stored)
                .map_err(|error| ReadDataError::ParseData(Box::new(error)))?;
            Ok(array.iter().map(|&entry| entry.into()).collect())
        }
    }
}

impl Array {
    pub fn finite(self) -> Result<Array, NpyError> {
        let Some(position) = self.values.iter().position(|value| !value.is_finite()) else { return Ok(self) };
        Err(NpyError {
            problem: format!("has {} at {}, counted from 0", self.values[position], self.index_text(position)),
            remedy: "write finite numbers".into(),
        })
    }

    /// `[3, 1]`: the index of the entry at this position in C order, counted from zero as NumPy does.
    pub fn index_text(&self, position: usize) -> String {
        let mut rest = position;
        let mut index: Vec<String> = Vec::new();
        for &size in self.shape.iter().rev() {
            index.push((rest % size).to_string());
            rest /= size;
        }
        index.reverse();
        format!("[{}]", index.join(", "))
    }
}
