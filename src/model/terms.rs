//! What ways of computing that serve some models only may ask of one.
//!
//! Each answer takes the terms apart field by field, so that a new one does not compile before it is decided here what it means.

use super::{Attention, Biases, Head, Mask, Matrix, Model, Normalization, Position};

impl Normalization {
    /// Whether weights are divided by their sum.
    pub fn is_divided(self) -> bool {
        match self {
            Normalization::Softmax | Normalization::Hardmax | Normalization::Sinkhorn { .. } => true,
            Normalization::Unnormalized | Normalization::Shifted | Normalization::Relu | Normalization::Sigmoid => {
                false
            }
        }
    }

    /// Whether one reduction gives all that weights need: w_j e^{beta s_ij}, over its sum or over a number known beforehand.
    pub fn takes_one_reduction(self) -> bool {
        match self {
            Normalization::Softmax | Normalization::Unnormalized | Normalization::Shifted => true,
            Normalization::Hardmax
            | Normalization::Sinkhorn { .. }
            | Normalization::Relu
            | Normalization::Sigmoid => false,
        }
    }

    /// Whether a weight is w_j times a function of its score that is no exponential, and nothing else.
    pub fn is_pointwise(self) -> bool {
        match self {
            Normalization::Relu | Normalization::Sigmoid => true,
            Normalization::Softmax
            | Normalization::Unnormalized
            | Normalization::Shifted
            | Normalization::Hardmax
            | Normalization::Sinkhorn { .. } => false,
        }
    }

    /// Whether weights have logarithms, up to a number of their row, that are known from the scores of that row.
    pub fn weighs_each_row(self) -> bool {
        self.takes_one_reduction() || self.is_pointwise()
    }
}

impl Position {
    /// Whether values are made of tokens and their places.
    pub fn is_in_values(&self) -> bool {
        match self {
            Position::Additive { places: _, in_values } => *in_values,
            Position::Nowhere | Position::Alibi { .. } | Position::Rotary { .. } => false,
        }
    }

    /// Whether queries and keys are made of tokens and their places.
    pub fn is_in_operands(&self) -> bool {
        match self {
            Position::Rotary { .. } | Position::Additive { .. } => true,
            Position::Nowhere | Position::Alibi { .. } => false,
        }
    }
}

impl Head {
    /// Whether something is added to queries, keys, values or the output.
    pub fn has_biases(&self) -> bool {
        let Head { query_key: _, value: _, biases, beta: _, decay: _, weight: _ } = self;
        *biases != Biases::default()
    }

    /// Whether A and V are multiples of the identity.
    pub fn is_multiple_of_identity(&self) -> bool {
        let Head { query_key, value, biases: _, beta: _, decay: _, weight: _ } = self;
        [query_key, value].iter().all(|matrix| matrix.multiple_of_identity().is_some())
    }

    /// Whether A or V is a product, so that queries, keys or values may have another width than tokens.
    pub fn has_products(&self) -> bool {
        let Head { query_key, value, biases: _, beta: _, decay: _, weight: _ } = self;
        [query_key, value].iter().any(|matrix| matrix.factors().is_some())
    }
}

impl Head {
    /// Whether replicas have matrices of their own.
    pub fn has_matrices_of_replicas(&self) -> bool {
        let Head { query_key, value, biases: _, beta: _, decay: _, weight: _ } = self;
        [query_key, value].iter().any(|matrix| matches!(matrix, Matrix::OfReplicas(_)))
    }
}

impl Attention {
    /// Whether every token sees all sources, itself among them, and nothing of their places.
    pub fn sees_all(&self) -> bool {
        let Attention { beta: _, beta_factors: _, normalization: _, mask, window, position, heads: _ } = self;
        *mask == Mask::None && window.is_none() && *position == Position::Nowhere
    }

    /// Whether all replicas have one beta and the same matrices, and the weights of sources are all that distinguishes the places of
    /// tokens, and all are seen.
    pub fn treats_all_alike(&self) -> bool {
        // `sees_all` decides of masks, windows and positions.
        let Attention { beta: _, beta_factors, normalization: _, mask: _, window: _, position: _, heads } = self;
        self.sees_all()
            && beta_factors.is_empty()
            && !heads.iter().any(|head| head.has_biases() || head.has_matrices_of_replicas())
    }

    /// Whether weights are exponentials of scores beside: what expansions and fast kernels may assume, beside matrices of their liking.
    pub fn is_plain(&self) -> bool {
        // `treats_all_alike` decides of all others.
        let Attention { beta: _, beta_factors: _, normalization, mask: _, window: _, position: _, heads: _ } = self;
        self.treats_all_alike() && normalization.takes_one_reduction()
    }
}

impl Model {
    /// Whether nothing but attention moves tokens, wherever they live.
    pub fn is_attention_alone(&self) -> bool {
        let Model { geometry: _, attention: _, perceptron, noise, frozen: _ } = self;
        perceptron.is_none() && noise.is_none()
    }
}
