//! What is measured: the definition of every observable, and the columns it fills.
//!
//! A backend reduces its tokens to [`Statistics`], as far as that serves; what takes more than that is measured on tokens that are
//! read back (see [`measure`](crate::measure)). When a sample is taken is not decided here. Every observable is a functional of
//! mu = sum_j w_j delta_{x_j} of one replica.

use nalgebra::DMatrix;

/// An observable that an experiment can ask for.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    /// `w1_reference` = W_1(mu, measure of the limit): exact on the circle, geodesic; elsewhere by assignment, chordal.
    W1Reference,
    /// `w2_reference` = W_2 of the same.
    W2Reference,
    /// `sliced_w2_reference` = (mean over directions of W_2^2 of projections)^{1/2}, chordal; the same directions at all times.
    SlicedW2Reference { projections: u32 },
    /// `sinkhorn_reference`: the debiased entropic cost of |x - y|^2 / 2, W_2^2 / 2 as epsilon -> 0.
    SinkhornReference { epsilon: f64 },
    /// `mmd_reference`: the maximum mean discrepancy of the kernel e^{beta (<x, y> - 1)}, pairs i = j included.
    MmdReference { beta: f64 },
    /// `mean_reference` = |m - m*| and `covariance_reference` = |C - C*|_F of the means and covariances of mu and the limit.
    MomentsReference,
    /// `overlap_reference` = |mean of <x_i, x_j> over i != j - rho|, rho being the overlap of the equiangular reference.
    OverlapReference,
    /// `w1_copies` = W_1 of the tokens of replicas 2k and 2k + 1, which share the number: exact on the circle, geodesic;
    /// elsewhere by assignment, chordal.
    W1Copies,
}

impl Quantity {
    /// Whether tokens are compared with their limit.
    pub fn needs_reference(self) -> bool {
        matches!(
            self,
            Quantity::CouplingError
                | Quantity::TaggedError
                | Quantity::W1Reference
                | Quantity::W2Reference
                | Quantity::SlicedW2Reference { .. }
                | Quantity::SinkhornReference { .. }
                | Quantity::MmdReference { .. }
                | Quantity::MomentsReference
                | Quantity::OverlapReference
        )
    }

    /// Whether tokens are read back to be measured.
    pub fn reads_tokens(self) -> bool {
        self.needs_reference() || self == Quantity::W1Copies
    }
}

const W1_COPIES: &str = "w1_copies";

/// How many neighbouring replicas share one number in this column: those are one sample.
pub fn replicas_a_sample(column: &str) -> usize {
    if column == W1_COPIES { 2 } else { 1 }
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
            Quantity::W1Reference => names.push("w1_reference".into()),
            Quantity::W2Reference => names.push("w2_reference".into()),
            Quantity::SlicedW2Reference { .. } => names.push("sliced_w2_reference".into()),
            Quantity::SinkhornReference { .. } => names.push("sinkhorn_reference".into()),
            Quantity::MmdReference { .. } => names.push("mmd_reference".into()),
            Quantity::MomentsReference => {
                names.extend(["mean_reference".into(), "covariance_reference".into()]);
            }
            Quantity::OverlapReference => names.push("overlap_reference".into()),
            Quantity::W1Copies => names.push(W1_COPIES.into()),
        }
    }
    names
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

/// |x|.
pub fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|c| c * c).sum::<f64>().sqrt()
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
