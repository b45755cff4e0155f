//! What is known of the tokens of a replica at one time: what a backend reduces them to, and the sample that becomes of it.
//!
//! A backend reduces its tokens to [`Statistics`], and may measure more there; what it has not is measured on tokens that are read
//! back (see [`observables`](crate::observables)).

use nalgebra::DMatrix;

use crate::vector::norm;

/// What a backend reduces one replica to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// sum_j w_j x_j, d numbers.
    pub mean: Vec<f64>,
    /// sum_j w_j x_j x_j^T, row-major; empty unless a quantity [needs](crate::observables::Need) it.
    pub second_moment: Vec<f64>,
    /// ln E; zero unless a quantity needs it.
    pub log_energy: f64,
    /// sum_j w_j |x_j - e|^2; zero unless a quantity needs the direction of the mean.
    pub square_distance: f64,
    /// min_j <x_j, e> over w_j > 0; on the same terms.
    pub overlap_min: f64,
    /// The numbers of quantities of tokens that the backend measured where they are, so that nobody has to read them back for these, by
    /// the [keys](crate::observables::Quantity::key) of the quantities; no key twice. Of `lyapunov` it is d_t alone, since a backend
    /// knows neither the time nor the start.
    ///
    /// A GPU has single precision, and leaves to the host what that is not enough for. Its modes up to degree 16 are right to 1e-6, its
    /// moments of lengths |x|^p up to order 16 to 3e-7 (p + 1) of themselves, its d_t to 3e-7 of itself, and entropies and gaps of
    /// attention to 1e-6 + 4e-7 beta.
    pub measured: Vec<(String, Vec<f64>)>,
}

impl Statistics {
    /// The numbers of the quantity of this key, if the backend has measured it.
    pub fn measured(&self, key: &str) -> Option<&[f64]> {
        self.measured.iter().find(|(measured, _)| measured == key).map(|(_, numbers)| numbers.as_slice())
    }
}

/// The measurements of one replica at one time, in the order of [`columns`](crate::observables::columns).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// Counted from zero.
    pub replica: usize,
    /// Layer-time.
    pub time: f64,
    /// One a column, in the order of [`columns`](crate::observables::columns).
    pub values: Vec<f64>,
}

impl Sample {
    /// The value of one of the columns that samples have, or the `time`.
    pub fn value(&self, columns: &[String], name: &str) -> Option<f64> {
        if name == "time" {
            return Some(self.time);
        }
        let index = columns.iter().position(|column| column == name)?;
        self.values.get(index).copied()
    }
}

/// Whether |mean| says more than rounding, when the sums are of vectors of length one and their errors at most `rounding`: beyond
/// eight times that the direction is right to an eighth.
pub fn has_direction(mean: &[f64], rounding: f64) -> bool {
    norm(mean) > 8.0 * rounding
}

/// The direction e = mean / |mean|; the first axis when the mean vanishes, where every direction is as good.
pub fn direction(mean: &[f64]) -> Vec<f64> {
    let length = norm(mean);
    if length == 0.0 {
        let mut axis = vec![0.0; mean.len()];
        axis[0] = 1.0;
        return axis;
    }
    mean.iter().map(|component| component / length).collect()
}

/// The eigenvalues of a symmetric matrix given by rows, largest first.
pub fn eigenvalues(symmetric: &[f64], dim: usize) -> Vec<f64> {
    // A diverged run has no spectrum, and the eigenvalue iteration would not end on it.
    if symmetric.iter().any(|entry| !entry.is_finite()) {
        return vec![f64::NAN; dim];
    }
    let matrix = DMatrix::from_row_slice(dim, dim, symmetric);
    let mut spectrum: Vec<f64> = matrix.symmetric_eigenvalues().iter().copied().collect();
    spectrum.sort_by(|a, b| b.total_cmp(a));
    spectrum
}
