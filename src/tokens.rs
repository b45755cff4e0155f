//! Where tokens live: coordinates ordered (replica, token, component), their weights and the passive tail.
//!
//! This room knows nothing of attention, time or devices. It is the host's picture of a cloud of tokens, in f64;
//! each backend keeps its own copy in its own precision.

/// How many tokens there are, and of what width.
///
/// Coordinates are ordered (replica, token, component), so token `i` of replica `r` starts at
/// `(r * count + i) * dim`. The last `passive` tokens of every replica carry no weight: they feel the field of the
/// others and exert none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Independent systems that evolve side by side.
    pub replicas: usize,
    /// Tokens in one replica, passive ones included.
    pub count: usize,
    /// Components of a token: tokens live in R^dim.
    pub dim: usize,
    /// Trailing tokens of one replica that have weight zero.
    pub passive: usize,
}

impl Shape {
    /// Tokens of one replica that act on the others.
    pub fn sources(&self) -> usize {
        self.count - self.passive
    }

    /// Tokens of all replicas.
    pub fn tokens(&self) -> usize {
        self.replicas * self.count
    }

    /// Sets the numbers of the first `count` tokens of every replica to zero.
    pub(crate) fn clear_leading(&self, numbers: &mut [f64], count: usize) {
        numbers.chunks_mut(self.count * self.dim).for_each(|replica| replica[..count * self.dim].fill(0.0));
    }

    /// Numbers needed to write down every token.
    pub fn coordinates(&self) -> usize {
        self.tokens() * self.dim
    }
}

/// The weights w_j of the empirical measure sum_j w_j delta_{x_j}; they sum to one in every replica.
#[derive(Clone, Debug, PartialEq)]
pub enum Weights {
    /// 1 / sources for each source, zero for the passive tail.
    Equal,
    /// One weight a token, ordered (replica, token); zero on the passive tail.
    Each(Vec<f64>),
}

impl Weights {
    /// The weight of token `token` of replica `replica` of tokens of that shape.
    pub fn of(&self, shape: Shape, replica: usize, token: usize) -> f64 {
        match self {
            Weights::Equal if token < shape.sources() => 1.0 / shape.sources() as f64,
            Weights::Equal => 0.0,
            Weights::Each(weights) => weights[replica * shape.count + token],
        }
    }
}

/// A cloud of tokens on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Tokens {
    /// How many there are, and of which dimension.
    pub shape: Shape,
    /// Ordered (replica, token, component).
    pub coordinates: Vec<f64>,
    /// w_j.
    pub weights: Weights,
}

impl Tokens {
    /// The weight of token `token` of replica `replica`.
    pub fn weight(&self, replica: usize, token: usize) -> f64 {
        self.weights.of(self.shape, replica, token)
    }

    /// The coordinates of one replica, ordered (token, component).
    pub fn replica(&self, replica: usize) -> &[f64] {
        let length = self.shape.count * self.shape.dim;
        &self.coordinates[replica * length..][..length]
    }
}
