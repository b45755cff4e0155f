//! Randomness that moves the tokens.

use super::Activation;

/// The term intensity * G(x_i) dB of the equation, seen through the geometry like every other.
///
/// The draws of a step are keyed by (seed, replica, token, step), so they depend on neither backend nor threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    /// G and B.
    pub field: NoiseField,
    /// sigma: the generator of independent noise is (sigma^2 / 2) Laplacian.
    pub intensity: f64,
    /// What the product with dB means.
    pub calculus: Calculus,
    /// The key of all draws.
    pub seed: u64,
    /// Whether replicas share the draws of common noise: experiments conditional on it.
    pub is_shared: bool,
}

/// What the Brownian motions B are, and what they multiply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoiseField {
    /// dB_i in R^d, one for each token.
    Independent,
    /// dB in R^d, the same for all tokens.
    CommonAdditive,
    /// dW x_i, one matrix of d * d independent Brownian motions for all tokens.
    CommonMatrix,
    /// m^{-1/2} sum_k sigma(<a_k, x_i>) u_k sqrt(dt) with a fresh perceptron of m = `width` units for each step, a_k and u_k
    /// of independent standard normal entries ("Stochastic Scaling Limits and Synchronization by Noise", arXiv:2604.26898).
    CommonPerceptron {
        /// m.
        width: u32,
        /// sigma.
        activation: Activation,
    },
}

/// What the product with dB means. On the sphere it is the same for all fields, which are moved by `diffusion`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calculus {
    /// By Euler and Maruyama's scheme, with the retraction of the geometry.
    Ito,
    /// By Heun's scheme with the same draws in both stages.
    Stratonovich,
}
