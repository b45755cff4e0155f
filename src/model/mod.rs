//! What the equation is, as data.
//!
//! A token x_i moves by attention to the others and by a perceptron of its own. Before the geometry has its say, its
//! field is
//!
//! ```text
//! sum_h c_h (V_h sum_j a^h_ij x_j)  +  sum_k outer_k sigma(<inner_k, x_i> + bias_k) + output_bias
//! a^h_ij = w_j e^{beta_h <x_i, A_h x_j>} / Z^h_i     (softmax)
//! a^h_ij = w_j e^{beta_h <x_i, A_h x_j>}             (unnormalized)
//! ```
//!
//! with Z^h_i = sum_k w_k e^{beta_h <x_i, A_h x_k>} and A = Q^T K, sums running over the sources that token i sees: equations
//! SA and USA of Rigollet, "The Mean-Field Dynamics of Transformers" (arXiv:2512.01868), with general matrices. Nothing
//! here steps time; how weights change with it is a [`ModelSchedule`].

mod geometry;
mod matrix;
mod noise;
mod perceptron;
mod position;
mod schedule;
mod terms;

use serde::{Deserialize, Serialize};

pub use self::{
    geometry::{Geometry, LayerNorm},
    matrix::Matrix,
    noise::{Calculus, Noise, NoiseField},
    perceptron::{Activation, Perceptron},
    position::Position,
    schedule::{
        Draws, Ensemble, MatrixSchedule, ModelSchedule, NumberSchedule, Operand, OrnsteinUhlenbeck, Part,
        PerceptronSchedule, ProcessStart, Ramp, RandomMatrix,
    },
};

pub(crate) use self::{
    position::{Alibi, rotary_frequency},
    schedule::{HeadRates, Jump, Rates},
};

/// One attention head: scores <x_i, A x_j> with A = `query_key` = Q^T K, values V x_j with V = `value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// A = Q^T K, d x d.
    pub query_key: Matrix,
    /// V, d x d.
    pub value: Matrix,
    /// Those of queries, keys, values and output.
    pub biases: Biases,
    /// The inverse temperature of this head, if it is not that of the attention.
    pub beta: Option<f64>,
    /// How fast weights of this head decay with distance, if not as those of the attention do.
    pub decay: Option<f64>,
    /// c_h, by which the output is multiplied before heads add up.
    pub weight: f64,
}

/// The identity, twice.
impl Default for Head {
    fn default() -> Self {
        Self {
            query_key: Matrix::Identity,
            value: Matrix::Identity,
            biases: Biases::default(),
            beta: None,
            decay: None,
            weight: 1.0,
        }
    }
}

/// What is added to the queries Q x, the keys K x, the values W_v x and the output W_o (sum_j a_ij W_v x_j) of a head whose
/// matrices are products; empty for nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Biases {
    /// r numbers, r being the number of rows of Q and K.
    pub query: Vec<f64>,
    /// r numbers, r being the number of rows of Q and K.
    pub key: Vec<f64>,
    /// r numbers, r being the number of rows of W_v.
    pub value: Vec<f64>,
    /// d numbers.
    pub output: Vec<f64>,
}

/// What divides the attention weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Normalization {
    /// By their sum: SA.
    Softmax,
    /// By nothing: USA.
    Unnormalized,
    /// By e^beta: w_j e^{beta (s_ij - 1)}, the clock of "Dynamic metastability in the self-attention model"
    /// (arXiv:2410.06833).
    Shifted,
    /// beta = infinity: the sources of the largest score share the weight in proportion to theirs. Scores within
    /// [`TIE`] of the largest, relative to the largest magnitude of a score of the row, are tied.
    Hardmax,
    /// Twice, so that rows and columns are stochastic: a_ij = w_j e^{beta s_ij + f_i + g_j} with sum_j a_ij = 1 and
    /// sum_i w_i a_ij = w_j ("Sinkformers", arXiv:2110.11773). Rows are normalized last.
    Sinkhorn {
        /// Pairs of half-steps at most.
        iterations: u32,
        /// Iterations end when no log column sum of a replica is further than this from zero.
        tolerance: f64,
    },
    /// By nothing, and without an exponential: w_j max(0, beta s_ij), "Gradient Flow Structure .. Multi-Head
    /// Self-Attention" (arXiv:2605.04279).
    Relu,
    /// By nothing: w_j / (1 + e^{-beta s_ij}), "How Smooth Is Attention?" (arXiv:2312.14820) and arXiv:2501.18322.
    Sigmoid,
}

/// Relative to the largest magnitude of a score in its row, how far below the largest a score is still tied with it.
pub const TIE: f64 = 1e-6;

/// Which sources a token attends to, by their order in the replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// All of them.
    None,
    /// Those up to itself: j <= i.
    Causal,
    /// Those before itself: j < i. A token that sees none does not move.
    StrictlyCausal,
    /// All but itself: j != i.
    Others,
}

impl Mask {
    /// How many of the leading sources token `token` sees. A passive token comes after all sources and sees them all.
    pub fn visible(self, token: usize, sources: usize) -> usize {
        match self {
            Mask::None | Mask::Others => sources,
            Mask::Causal => sources.min(token + 1),
            Mask::StrictlyCausal => sources.min(token),
        }
    }
}

/// The attention term: heads add up.
#[derive(Clone, Debug, PartialEq)]
pub struct Attention {
    /// The inverse temperature of heads that do not have their own.
    pub beta: f64,
    /// What it is multiplied by in each replica, from 0 to 1; empty for one everywhere.
    pub beta_factors: Vec<f64>,
    /// What the weights of a row are divided by.
    pub normalization: Normalization,
    /// Which sources a token attends to.
    pub mask: Mask,
    /// Sources further away than window - 1 places are not seen.
    pub window: Option<usize>,
    /// How places enter.
    pub position: Position,
    /// One or more.
    pub heads: Vec<Head>,
}

/// One head of identity matrices at beta = 1, softmax, everyone seeing everyone.
impl Default for Attention {
    fn default() -> Self {
        Self {
            beta: 1.0,
            beta_factors: Vec::new(),
            normalization: Normalization::Softmax,
            mask: Mask::None,
            window: None,
            position: Position::Nowhere,
            heads: vec![Head::default()],
        }
    }
}

impl Attention {
    /// Whether weights are iterated until rows and columns are both stochastic.
    pub fn is_balanced(&self) -> bool {
        matches!(self.normalization, Normalization::Sinkhorn { .. })
    }

    /// The inverse temperature of a head, the largest of all replicas.
    pub fn beta_of(&self, head: &Head) -> f64 {
        head.beta.unwrap_or(self.beta)
    }

    /// The inverse temperature of a head in a replica.
    pub fn beta_in(&self, head: &Head, replica: usize) -> f64 {
        self.beta_of(head) * self.factors_of(head).get(replica).unwrap_or(&1.0)
    }

    /// What that of a head is multiplied by in each replica; empty for one everywhere.
    pub fn factors_of(&self, head: &Head) -> &[f64] {
        if head.beta.is_some() { &[] } else { &self.beta_factors }
    }

    /// How the weights of a head decay with distance among so many sources; nothing if they do not.
    pub(crate) fn alibi_of(&self, head: &Head, sources: usize) -> Option<Alibi> {
        match self.position {
            Position::Alibi { decay } => Some(Alibi { decay: head.decay.unwrap_or(decay), sources }),
            Position::Nowhere | Position::Rotary { .. } | Position::Additive { .. } => None,
        }
    }

    /// Whether heads differ in how their weights decay with distance.
    pub(crate) fn has_decays_of_heads(&self) -> bool {
        self.heads.iter().any(|head| head.decay.is_some())
    }

    /// The sources that token `token` sees, a passive one by its place like any other, but for itself under [`Mask::Others`].
    pub fn visible(&self, token: usize, sources: usize) -> std::ops::Range<usize> {
        let end = self.mask.visible(token, sources);
        match self.window {
            Some(window) => {
                let start = (token + 1).saturating_sub(window);
                start.min(end)..end.min(token.saturating_add(window))
            }
            None => 0..end,
        }
    }
}

/// The equation that moves the tokens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// Where tokens live.
    pub geometry: Geometry,
    /// The attention term.
    pub attention: Attention,
    /// The perceptron term, if there is one.
    pub perceptron: Option<Perceptron>,
    /// The noise, if there is any.
    pub noise: Option<Noise>,
    /// Leading tokens of each replica that never move: dx_i/dt = 0 for i < frozen, without noise and normalization too. Sources among
    /// them act on the others like all sources.
    pub frozen: usize,
}

/// Attention on the sphere and nothing else.
impl From<Attention> for Model {
    fn from(attention: Attention) -> Self {
        Self { attention, ..Self::default() }
    }
}

/// Which of the fields of the equation is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Field {
    /// dx/dt: attention and perceptron, as the geometry lets them move a token. On the sphere, P_x applied.
    Tangent,
    /// The attention output itself, as a Transformer layer adds it.
    Ambient,
    /// The perceptron output itself, likewise.
    Perceptron,
}
