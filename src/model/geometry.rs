//! Where tokens live, and how a field moves them there.

/// Where tokens live, and what is done to the field f(x) = attention and perceptron before it moves them. With
/// theta = x / |x|:
///
/// | | attention and perceptron see | dx/dt | after each stage and step |
/// |---|---|---|---|
/// | `Sphere` | x | P_x f | x / \|x\| |
/// | `Euclidean` | x | f | |
/// | `Rescaled` | z = e^{-tV} x | f - V z | |
/// | `PreNorm` | theta | f | |
/// | `PeriNorm` | theta | f / \|f\| | |
/// | `Ngpt` | x | alpha P_x f / \|f\| | x / \|x\| |
/// | `LayerNorm` | x | f | gain (x - mean) / sqrt(variance + epsilon) + bias |
///
/// The sphere is Post-LN. Pre-LN and Peri-LN are those of "Normalization in attention dynamics" (arXiv:2510.22026), whose
/// state (r, theta) is x = r theta here: theta' = P_theta f / r and r' = <theta, f> are the two parts of x' = f.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Geometry {
    /// S^{d-1}: fields are projected, and tokens divided by their lengths.
    #[default]
    Sphere,
    /// R^d, as in "The emergence of clusters in self-attention dynamics" (arXiv:2305.05465).
    Euclidean,
    /// R^d in the coordinates z = e^{-tV} x of the same paper, for one head: z' = V (sum_j a_ij z_j - z_i), with the
    /// scores of x = e^{tV} z. A [`ModelSchedule`](super::ModelSchedule) supplies e^{tV^T} A e^{tV}.
    Rescaled,
    /// R^d: attention sees theta = x / |x|, and x' = f(theta).
    PreNorm,
    /// R^d: attention sees theta = x / |x|, and x' = f(theta) / |f(theta)|.
    PeriNorm,
    /// "nGPT": the velocity has length alpha, but for the projection.
    Ngpt {
        /// The length.
        alpha: f64,
    },
    /// Layer norms after the attention and after the perceptron of a Transformer layer.
    LayerNorm {
        /// That after the attention.
        attention: LayerNorm,

        /// That after the perceptron.
        perceptron: LayerNorm,
    },
}

impl Geometry {
    /// Whether tokens have length one.
    pub fn is_unit(&self) -> bool {
        matches!(self, Geometry::Sphere | Geometry::Ngpt { .. })
    }

    /// Whether attention and perceptron see directions theta = x / |x| of tokens that have a length too.
    pub fn sees_directions(&self) -> bool {
        matches!(self, Geometry::PreNorm | Geometry::PeriNorm)
    }
}

/// y_k = gain_k (x_k - mean) / sqrt(variance + epsilon) + bias_k, mean and variance being those of the d components of x
/// ("Layer normalization", arXiv:1607.06450).
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNorm {
    /// d numbers.
    pub gain: Vec<f64>,
    /// d numbers.
    pub bias: Vec<f64>,
    /// Added to the variance, so that equal components divide by no zero.
    pub epsilon: f64,
}
