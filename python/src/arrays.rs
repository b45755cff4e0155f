//! NumPy arrays as vectors of f64, and back in the type that came in.

use numpy::{
    Element, IntoPyArray, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
};
use tokenfield::{backend::Precision, tokens::Shape};

/// An array of any layout, row-major in f64.
pub(crate) struct Input {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
    /// That of its entries.
    pub precision: Precision,
}

impl Input {
    /// The argument of that name, of 32 or 64 bits.
    pub(crate) fn of(name: &str, any: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(array) = any.cast::<PyArrayDyn<f64>>() {
            let (shape, values) = row_major(array, |value| value)?;
            return Ok(Self { shape, values, precision: Precision::Double });
        }
        if let Ok(array) = any.cast::<PyArrayDyn<f32>>() {
            let (shape, values) = row_major(array, f64::from)?;
            return Ok(Self { shape, values, precision: Precision::Single });
        }
        let found = match any.cast::<PyUntypedArray>() {
            Ok(array) => {
                let dtype = array.dtype();
                if dtype.kind() == b'f' && matches!(dtype.itemsize(), 4 | 8) {
                    // Of the other byte order.
                    return Self::of(
                        name,
                        &any.call_method1("astype", (dtype.call_method1("newbyteorder", ("=",))?,))?,
                    );
                }
                format!("an array of {dtype}")
            }
            Err(_) => any.get_type().to_string(),
        };
        Err(PyTypeError::new_err(format!("{name}: expected an array of float32 or float64, got {found}")))
    }

    /// How many tokens of how many replicas it holds, in two or three axes.
    pub(crate) fn cloud(&self, name: &str) -> PyResult<Shape> {
        let (replicas, count, dim) = match self.shape[..] {
            [count, dim] => (1, count, dim),
            [replicas, count, dim] => (replicas, count, dim),
            _ => (0, 0, 0),
        };
        if replicas * count * dim == 0 {
            let found = shape_text(&self.shape);
            return Err(PyValueError::new_err(format!(
                "{name}: expected shape (n, d) or (replicas, n, d), all at least 1, got {found}"
            )));
        }
        Ok(Shape { replicas, count, dim, passive: 0 })
    }

    /// Refuses numbers that are not finite, and says where the first of them is.
    pub(crate) fn require_finite(&self, name: &str) -> PyResult<()> {
        let Some(at) = self.values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
        let (value, index) = (self.values[at], self.index(at));
        Err(PyValueError::new_err(format!("{name}: has {value} at {index}; pass finite numbers")))
    }

    /// Refuses rows that are not of length one to single precision, and says which is the first of them.
    pub(crate) fn require_unit_rows(&self, name: &str, dim: usize) -> PyResult<()> {
        let length = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>().sqrt();
        let is_off = |row: &[f64]| (length(row) - 1.0).abs() > ROUNDING;
        let Some(row) = self.values.chunks_exact(dim).position(is_off) else { return Ok(()) };
        let length = length(&self.values[row * dim..][..dim]);
        let index = self.index(row * dim);
        let place = index.trim_matches(['[', ']']).rsplit_once(',').map_or("0", |(place, _)| place).to_owned();
        Err(PyValueError::new_err(format!(
            "{name}: row [{place}] has length {length}, and tokens of the sphere have length 1; divide every row by its length, or pass \
             geometry=\"euclidean\""
        )))
    }

    /// Where the entry of that number is, as Python writes it.
    fn index(&self, mut at: usize) -> String {
        let mut index: Vec<String> = Vec::new();
        for size in self.shape.iter().rev() {
            index.push((at % size).to_string());
            at /= size;
        }
        index.reverse();
        format!("[{}]", index.join(", "))
    }
}

/// Shape and entries of an array of any layout. A copy is made first of what is not row-major or not aligned.
fn row_major<T: Element + Copy>(
    array: &Bound<'_, PyArrayDyn<T>>,
    number: impl Fn(T) -> f64,
) -> PyResult<(Vec<usize>, Vec<f64>)> {
    let shape = array.shape().to_vec();
    if array.is_c_contiguous() && array.data().is_aligned() {
        return Ok((shape, array.try_readonly()?.as_slice()?.iter().map(|value| number(*value)).collect()));
    }
    // NumPy's own copy is row-major, aligned, and of the same shape.
    let copy = array.call_method1("copy", ("C",))?.cast_into::<PyArrayDyn<T>>()?;
    Ok((shape, copy.try_readonly()?.as_slice()?.iter().map(|value| number(*value)).collect()))
}

/// What rounding may leave of a length of one; what it did leave, the library takes away.
const ROUNDING: f64 = 1e-3;

/// As Python writes it.
pub(crate) fn shape_text(shape: &[usize]) -> String {
    match shape {
        [one] => format!("({one},)"),
        _ => format!("({})", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// An array of that shape and precision; of f64 without a copy.
pub(crate) fn output<'py>(
    py: Python<'py>,
    values: Vec<f64>,
    shape: &[usize],
    precision: Precision,
) -> PyResult<Bound<'py, PyAny>> {
    match precision {
        Precision::Double => Ok(values.into_pyarray(py).reshape(shape.to_vec())?.into_any()),
        Precision::Single | Precision::Half | _ => {
            let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
            let array: Bound<'py, PyArrayDyn<f32>> = values.into_pyarray(py).reshape(shape.to_vec())?;
            Ok(array.into_any())
        }
    }
}

/// A whole number between `least` and `most`.
pub(crate) fn whole(name: &str, any: &Bound<'_, PyAny>, least: u64, most: u64) -> PyResult<u64> {
    let number: Option<u64> = if any.is_instance_of::<pyo3::types::PyBool>() { None } else { any.extract().ok() };
    number.filter(|number| (least..=most).contains(number)).ok_or_else(|| {
        PyValueError::new_err(format!("{name}: expected a whole number from {least} to {most}, got {any}"))
    })
}
