//! What is measured: the definition of every observable, and the columns it fills.
//!
//! A backend reduces its tokens to [`Statistics`]; this room turns those into named numbers. When a sample is taken
//! is not decided here. Every observable is a functional of mu = sum_j w_j delta_{x_j} of one replica.

use nalgebra::DMatrix;

use crate::tokens::Shape;

/// An observable that an experiment can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// `mean_k` = sum_j w_j (x_j)_k, `mean_norm` = |mean|, and the eigenvalues of the second moment
    /// sum_j w_j x_j x_j^T, largest first, as `second_moment_eigenvalue_k`.
    Moments,
    /// `log_energy` = ln E with E = (1 / 2 beta) sum_h sum_ij w_i w_j e^{beta <x_i, A_h x_j>}.
    Energy,
    /// `w2_dirac` = W_2(mu, delta_e) = (sum_j w_j |x_j - e|^2)^{1/2} with e = mean / |mean|, in chordal distance.
    W2Dirac,
    /// `overlap_min` and `overlap_mean`: the smallest and the weighted mean of <x_j, e> over tokens of positive weight.
    /// The mean is |mean|; where that vanishes e is rounding, and the smallest means nothing.
    Overlap,
    /// `coupling_error` = (1/n sum_i |x_i - xbar_i|^2)^{1/2} over sources, xbar_i being the mean-field twin of x_i (see
    /// [`limit`](crate::limit)), chordal distance.
    CouplingError,
    /// `tagged_error`: the same over passive tokens, which are no part of the sample.
    TaggedError,
}

impl Quantity {
    /// Whether tokens are compared with their limit.
    pub fn needs_reference(self) -> bool {
        matches!(self, Quantity::CouplingError | Quantity::TaggedError)
    }
}

/// What a backend reduces one replica to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// sum_j w_j x_j, d numbers.
    pub mean: Vec<f64>,
    /// sum_j w_j x_j x_j^T, row-major; empty unless [`Quantity::Moments`] is asked for.
    pub second_moment: Vec<f64>,
    /// ln E; zero unless [`Quantity::Energy`] is asked for.
    pub log_energy: f64,
    /// sum_j w_j |x_j - e|^2; zero unless [`Quantity::W2Dirac`] or [`Quantity::Overlap`] is asked for.
    pub square_distance: f64,
    /// min_j <x_j, e> over w_j > 0; on the same terms.
    pub overlap_min: f64,
    /// The distance of tokens from their twins; zero unless there is a limit.
    pub errors: Errors,
}

/// Root mean squares of |x_i - xbar_i|, over sources and over passive tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Errors {
    pub coupling: f64,
    pub tagged: f64,
}

impl Errors {
    /// Of one replica, from its tokens and their twins, both row-major.
    pub fn new(tokens: &[f64], twins: &[f64], shape: Shape) -> Self {
        let square = |(x, y): (&[f64], &[f64])| x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>();
        let squares: Vec<f64> =
            tokens.chunks_exact(shape.dim).zip(twins.chunks_exact(shape.dim)).map(square).collect();
        let (sources, passive) = squares.split_at(shape.sources());
        let root = |squares: &[f64]| (squares.iter().sum::<f64>() / squares.len() as f64).sqrt();
        Self { coupling: root(sources), tagged: root(passive) }
    }
}

/// The measurements of one replica at one time, in the order of [`columns`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub replica: usize,
    pub time: f64,
    pub values: Vec<f64>,
}

/// The names of the numbers in a [`Sample`] of tokens of width `dim`.
pub fn columns(quantities: &[Quantity], dim: usize) -> Vec<String> {
    let mut names = Vec::new();
    for quantity in quantities {
        match quantity {
            Quantity::Moments => {
                names.extend((0..dim).map(|k| format!("mean_{k}")));
                names.push("mean_norm".into());
                names.extend((0..dim).map(|k| format!("second_moment_eigenvalue_{k}")));
            }
            Quantity::Energy => names.push("log_energy".into()),
            Quantity::W2Dirac => names.push("w2_dirac".into()),
            Quantity::Overlap => names.extend(["overlap_min".into(), "overlap_mean".into()]),
            Quantity::CouplingError => names.push("coupling_error".into()),
            Quantity::TaggedError => names.push("tagged_error".into()),
        }
    }
    names
}

/// The numbers of one sample, in the order of [`columns`].
pub fn values(quantities: &[Quantity], statistics: &Statistics) -> Vec<f64> {
    let mean_norm = norm(&statistics.mean);
    let mut values = Vec::new();
    for quantity in quantities {
        match quantity {
            Quantity::Moments => {
                values.extend(&statistics.mean);
                values.push(mean_norm);
                values.extend(eigenvalues(&statistics.second_moment, statistics.mean.len()));
            }
            Quantity::Energy => values.push(statistics.log_energy),
            Quantity::W2Dirac => values.push(statistics.square_distance.sqrt()),
            // The mean of <x_j, e> is <mean, e> = |mean|.
            Quantity::Overlap => values.extend([statistics.overlap_min, mean_norm]),
            Quantity::CouplingError => values.push(statistics.errors.coupling),
            Quantity::TaggedError => values.push(statistics.errors.tagged),
        }
    }
    values
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

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|c| c * c).sum::<f64>().sqrt()
}

fn eigenvalues(symmetric: &[f64], dim: usize) -> Vec<f64> {
    // A diverged run has no spectrum, and the eigenvalue iteration would not end on it.
    if symmetric.iter().any(|entry| !entry.is_finite()) {
        return vec![f64::NAN; dim];
    }
    let matrix = DMatrix::from_row_slice(dim, dim, symmetric);
    let mut spectrum: Vec<f64> = matrix.symmetric_eigenvalues().iter().copied().collect();
    spectrum.sort_by(|a, b| b.total_cmp(a));
    spectrum
}
