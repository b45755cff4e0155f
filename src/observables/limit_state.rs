//! Where a limit is at the time of a sample, and how its measure is known.

use super::equiangular_tokens::EquiangularTokens;
use crate::{initial::CircleQuantiles, tokens::Shape};

/// What the nodes of a limit are to its measure.
#[derive(Clone, Debug, PartialEq)]
pub enum Nodes {
    /// Its points.
    Points,
    /// Points of one meridian, which have its heights over the axis, about which it is symmetric.
    Meridian {
        /// d numbers, of length one.
        axis: Vec<f64>,
    },
    /// Points that have its mean and covariance; it is normal.
    Moments,
    /// None that are its points: it is equiangular tokens, of which lengths and overlap are known.
    Overlap,
}

/// A limit at one time, as far as distances from it need to know.
#[derive(Clone, Debug)]
pub struct LimitState<'a> {
    /// Of one replica: nodes, and behind them passive tokens, of which the last are coupled to those of the problem.
    pub shape: Shape,
    /// Nodes and passive tokens, ordered (token, component).
    pub tokens: &'a [f64],
    /// Those of the nodes, of sum one.
    pub weights: &'a [f64],
    /// What the nodes are to the measure of the limit.
    pub nodes: &'a Nodes,
    /// On the circle: where the law is, if that is known.
    pub quantiles: Option<CircleQuantiles>,
    /// Nodes in a direction, where they are a grid of heights and twice as many longitudes, or one for each law of a mixture.
    pub grid: Option<usize>,
    /// Whether all tokens have length one.
    pub is_unit: bool,
    /// Whether nodes are a sample of the law, whose error is in every distance from it.
    pub is_sampled: bool,
    /// Whether nodes are as many tokens as they are, a sample or equiangular ones, and no quadrature of a law.
    pub are_tokens: bool,
    /// Where the limit is equiangular tokens.
    pub equiangular: Option<EquiangularTokens>,
}
