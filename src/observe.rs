//! What is measured: the definition of every observable, and the columns it fills.
//!
//! A backend reduces its tokens to [`Statistics`], and may measure more there; what it has not is measured on tokens that are read
//! back (see [`measure`](crate::measure)). When a sample is taken is not decided here. Every observable is a functional of
//! mu = sum_j w_j delta_{x_j} of one replica.

use nalgebra::DMatrix;

/// An observable that an experiment can ask for.
///
/// Some are about directions theta_j = x_j / |x_j| of tokens of positive weight, on the sphere the tokens themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    /// `mean_k` = sum_j w_j (x_j)_k, `mean_norm` = |mean|, and the eigenvalues of the second moment
    /// sum_j w_j x_j x_j^T, largest first, as `second_moment_eigenvalue_k`.
    Moments,
    /// `log_energy` = ln E with E = sum_h (c_h / 2 beta_h) sum_ij w_i w_j e^{beta_h <x_i, A_h x_j>}.
    Energy,
    /// `w2_dirac` = W_2(mu, delta_e) = (sum_j w_j |x_j - e|^2)^{1/2} with e = mean / |mean|, in chordal distance; not a number
    /// where the mean [has no direction](has_direction).
    W2Dirac,
    /// `overlap_min` and `overlap_mean`: the smallest and the weighted mean of <x_j, e> over tokens of positive weight.
    /// The mean is |mean|; where that [has no direction](has_direction) the smallest is not a number.
    Overlap,
    /// `coupling_error` = (1/n sum_i |x_i - xbar_i|^2)^{1/2} over sources, xbar_i being the mean-field twin of x_i (see
    /// [`limit`](crate::limit)), chordal distance.
    CouplingError,
    /// `tagged_error`: the same over passive tokens, which are no part of the sample.
    TaggedError,
    /// The tokens themselves, which fill no column but a file of their own.
    Tokens,
    /// `clusters`: the connected components of the graph that links i and j where <theta_i, theta_j> >= threshold, and the
    /// weights of the `largest` of them, largest first, as `cluster_weight_k`; zero where there are fewer.
    Clusters { threshold: f64, largest: usize },
    /// `overlap_histogram_k`: the share of pairs i < j, weighted by w_i w_j, with <theta_i, theta_j> in the k-th of `bins` equal
    /// parts of [-1, 1]; beyond that number of `pairs` the share among as many that are drawn by `seed` with probabilities in
    /// proportion to w_i w_j, the same at all times. `overlap_histogram_error`: the largest standard deviation of a share, zero where
    /// nothing is drawn.
    OverlapHistogram { bins: usize, pairs: usize, seed: u64 },
    /// `mode_l`, l = 1 .. degree: |sum_j w_j e^{i l phi_j}| on the circle, (4 pi / (2 l + 1) sum_m |sum_j w_j Y_lm(theta_j)|^2)^{1/2}
    /// on the sphere; in either case (sum_ij w_i w_j P_l(<theta_i, theta_j>))^{1/2} with P_l of Chebyshev or Legendre: zero for
    /// the uniform measure, one for a Dirac.
    Modes { degree: usize },
    /// `effective_rank` = e^{-sum_k p_k ln p_k}, p_k being the shares of the eigenvalues of sum_j w_j x_j x_j^T (Roy, Vetterli,
    /// "The effective rank", EUSIPCO 2007, of a spectrum that is one of squares): 1 for a line, d for the uniform measure.
    EffectiveRank,
    /// `norm_moment_p` = sum_j w_j |x_j|^p for p = 1 .. order.
    NormMoments { order: usize },
    /// `attention_entropy`, `attention_largest`, `attention_gap`: means over heads and rows of -sum_j a_ij ln a_ij, of the largest
    /// a_ij, and of ln(a_ij / a_ik) for the two largest, rows being divided by their sums whatever the normalization; all rows of
    /// sources, or beyond that number of `rows` as many that are drawn by `seed`, the same at all times.
    Attention { rows: usize, seed: u64 },
    /// `renyi_centres` and `strong_renyi_centres`: how many tokens were at time zero further than `separation`, an angle, from all
    /// centres before them, and from all tokens before them (arXiv:2411.04990); `renyi_absorbed`: the weight of tokens within
    /// separation / 4 of a strong one now; `renyi_drift`: the mean angle by which strong ones have moved.
    RenyiCentres { separation: f64 },
    /// `log_energy_rate` = d ln E / dt along the flow, from tokens and velocities at one time: the identity of energy and
    /// dissipation dE / dt = (1 / c) sum_i w_i s_i |v_i|^2 for V = c A, s_i = Z_i for softmax (arXiv:2512.01868).
    Dissipation,
    /// `log_growth` = ln(d_t / d_0) and `lyapunov` = ln(d_t / d_0) / t for d = (sum_j w_j |x_j - y_j|^2)^{1/2} between two replicas that
    /// start next to each other, 0 and 1, 2 and 3, ..; `lyapunov` is not a number at t = 0.
    Lyapunov,
    /// `w1_reference` = W_1(mu, measure of the limit): exact on the circle, geodesic; elsewhere by assignment, chordal.
    W1Reference,
    /// `w2_reference` = W_2 of the same.
    W2Reference,
    /// `sliced_w2_reference` = (mean over directions of W_2^2 of projections)^{1/2}, chordal, and `sliced_w2_reference_error`, one
    /// standard deviation of it over draws of the directions, which are the same at all times.
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

    /// Whether it is one of tokens, which are read back unless a backend has [measured](Statistics::measured) it.
    pub fn reads_tokens(self) -> bool {
        let others = matches!(
            self,
            Quantity::NormMoments { .. }
                | Quantity::Attention { .. }
                | Quantity::Dissipation
                | Quantity::Lyapunov
                | Quantity::Tokens
                | Quantity::W1Copies
        );
        self.needs_reference() || self.needs_directions() || others
    }

    /// Whether it is one of sum_j w_j x_j x_j^T.
    pub fn needs_second_moment(self) -> bool {
        matches!(self, Quantity::Moments | Quantity::EffectiveRank)
    }

    /// Whether it is one of directions, and tells nothing where tokens of one direction may be far apart.
    pub fn needs_directions(self) -> bool {
        use Quantity::{Clusters, Modes, OverlapHistogram, RenyiCentres};
        matches!(self, Clusters { .. } | OverlapHistogram { .. } | Modes { .. } | RenyiCentres { .. })
    }
}

const W1_COPIES: &str = "w1_copies";

/// How many neighbouring replicas share one number in this column: those are one sample.
pub fn replicas_a_sample(column: &str) -> usize {
    if matches!(column, W1_COPIES | "log_growth" | "lyapunov") { 2 } else { 1 }
}

/// What a backend reduces one replica to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// sum_j w_j x_j, d numbers.
    pub mean: Vec<f64>,
    /// sum_j w_j x_j x_j^T, row-major; empty unless a quantity needs it.
    pub second_moment: Vec<f64>,
    /// ln E; zero unless [`Quantity::Energy`] is asked for.
    pub log_energy: f64,
    /// sum_j w_j |x_j - e|^2; zero unless [`Quantity::W2Dirac`] or [`Quantity::Overlap`] is asked for.
    pub square_distance: f64,
    /// min_j <x_j, e> over w_j > 0; on the same terms.
    pub overlap_min: f64,
    /// The numbers of quantities of tokens that the backend measured where they are, so that nobody has to read them back for
    /// these; no quantity twice. Of [`Quantity::Lyapunov`] it is d_t alone, since a backend knows neither the time nor the start.
    ///
    /// A GPU has single precision, and leaves to the host what that is not enough for. Its modes up to degree 16 are right to 1e-6, its
    /// moments of lengths |x|^p up to order 16 to 3e-7 (p + 1) of themselves, its d_t to 3e-7 of itself, and entropies and gaps of
    /// attention to 1e-6 + 4e-7 beta.
    pub measured: Vec<(Quantity, Vec<f64>)>,
}

impl Statistics {
    /// The numbers of `quantity`, if the backend has measured it.
    pub fn measured(&self, quantity: Quantity) -> Option<&[f64]> {
        self.measured.iter().find(|(measured, _)| *measured == quantity).map(|(_, numbers)| numbers.as_slice())
    }

    /// Whether tokens are to be read back to measure `quantity`.
    pub fn lacks(&self, quantity: Quantity) -> bool {
        quantity.reads_tokens() && self.measured(quantity).is_none()
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
            Quantity::Tokens => {}
            Quantity::Clusters { largest, .. } => {
                names.push("clusters".into());
                names.extend((0..*largest).map(|k| format!("cluster_weight_{k}")));
            }
            Quantity::OverlapHistogram { bins, .. } => {
                names.extend((0..*bins).map(|k| format!("overlap_histogram_{k}")));
                names.push("overlap_histogram_error".into());
            }
            Quantity::Modes { degree } => names.extend((1..=*degree).map(|l| format!("mode_{l}"))),
            Quantity::EffectiveRank => names.push("effective_rank".into()),
            Quantity::NormMoments { order } => names.extend((1..=*order).map(|p| format!("norm_moment_{p}"))),
            Quantity::Attention { .. } => {
                names.extend(["entropy", "largest", "gap"].map(|name| format!("attention_{name}")));
            }
            Quantity::RenyiCentres { .. } => names
                .extend(["renyi_centres", "strong_renyi_centres", "renyi_absorbed", "renyi_drift"].map(String::from)),
            Quantity::Dissipation => names.push("log_energy_rate".into()),
            Quantity::Lyapunov => names.extend(["log_growth".into(), "lyapunov".into()]),
            Quantity::W1Reference => names.push("w1_reference".into()),
            Quantity::W2Reference => names.push("w2_reference".into()),
            Quantity::SlicedW2Reference { .. } => {
                names.extend(["sliced_w2_reference", "sliced_w2_reference_error"].map(String::from));
            }
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
