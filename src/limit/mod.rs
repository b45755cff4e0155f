//! What is n = infinity? The mean-field limit of a problem, as another problem that runs beside it.
//!
//! The limit of the empirical measures mu^n_t is the law mu_0 pushed by its own field. A *quadrature* puts weighted nodes of mu_0
//! in as tokens, which the same kernels transport. A *zonal* limit uses that the field is a function of one height where mu_0 is
//! symmetric about an axis and all matrices are multiples of the identity: it serves any dimension. Normal laws in R^d stay
//! normal under softmax: mean and covariance say everything (*gaussian*). A larger sample (*particles*) is an approximation,
//! and says so. Beside *equiangular* tokens, which stay so, no n goes to infinity: one overlap is followed.
//!
//! In all of them each token x_i of the problem has a mean-field twin, a passive token that starts where x_i starts and is moved
//! by the field of the limit. Problem and limit take the same steps, so the distance of a token from its twin is the coupling
//! error of propagation of chaos and nothing else; but for equiangular tokens, where it is an overlap that takes the steps, and the
//! distance is the error of the scheme.

mod closed;
mod equiangular;
mod gaussian;
mod mean_exponential;
mod moments;
mod particles;
mod quadrature;
mod series;
mod zonal;

use crate::{
    backend::BackendError,
    initial::LawError,
    model::{Geometry, Model},
    problem::{Algorithm, Problem, Schedule},
    tokens::{Shape, Tokens, Weights},
};

pub use self::{
    closed::{Closed, Form},
    equiangular::Equiangular,
    gaussian::Gaussian,
    particles::particles,
    quadrature::quadrature_within,
    zonal::Zonal,
};
pub(crate) use self::{
    moments::Moments,
    series::Series,
    zonal::{SHARPEST, kernel_mean},
};

/// The limit of a problem.
#[derive(Clone, Debug)]
pub struct Limit {
    /// One replica: nodes, and behind them the twins of all tokens, which are passive and ordered (replica, token).
    pub problem: Problem,
    pub nodes: Nodes,
}

/// What the nodes of a limit are to its measure.
#[derive(Clone, Debug, PartialEq)]
pub enum Nodes {
    /// Its points.
    Points,
    /// Points of one meridian, which have its heights over the axis, about which it is symmetric.
    Meridian { axis: Vec<f64> },
    /// Points that have its mean and covariance; it is normal.
    Moments,
}

/// Why a problem has no limit of the kind asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LimitError {
    #[error("{problem}; {remedy}")]
    Unserved { problem: &'static str, remedy: &'static str },
    #[error(transparent)]
    Law(#[from] LawError),
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error(
        "with {fineness} nodes a direction the twins still move by {change:e}, above the tolerance {tolerance:e}; \
         write a larger tolerance, an earlier time.end or a smaller attention.beta"
    )]
    Unresolved { fineness: usize, change: f64, tolerance: f64 },
}

/// Refuses terms whose limit is another: order, noise and chance in the weights.
fn serves(model: &Model) -> Result<(), LimitError> {
    let refused = |problem, remedy| Err(LimitError::Unserved { problem, remedy });
    if !model.attention.is_plain() {
        let problem = "masks, positions, betas of replicas and normalizations beyond softmax, unnormalized and shifted have no such limit";
        return refused(problem, "leave them out, or leave out [reference]");
    }
    if model.noise.is_some() {
        return refused("the twins of tokens that move at random are not known", "leave out [noise] or [reference]");
    }
    Ok(())
}

/// Refuses geometries other than the sphere.
fn on_sphere(model: &Model) -> Result<(), LimitError> {
    match model.geometry {
        Geometry::Sphere => Ok(()),
        _ => Err(LimitError::Unserved {
            problem: "this limit is one of tokens on the sphere",
            remedy: "write tokens.geometry = \"sphere\", or reference.kind = \"particles\"",
        }),
    }
}

/// The limit with these nodes, of sum one, and twins that start at `twins`.
fn beside(problem: &Problem, nodes: Nodes, coordinates: Vec<f64>, node_weights: &[f64], twins: &[f64]) -> Limit {
    let dim = problem.tokens.shape.dim;
    let passive = twins.len() / dim;
    let shape = Shape { replicas: 1, count: node_weights.len() + passive, dim, passive };
    let mut weights = node_weights.to_vec();
    weights.resize(shape.count, 0.0);
    let coordinates = [coordinates, twins.to_vec()].concat();
    let problem = Problem {
        tokens: Tokens { shape, coordinates, weights: Weights::Each(weights) },
        algorithm: Algorithm::Auto,
        tolerance: None,
        quantities: Vec::new(),
        schedule: Schedule { observe_every: problem.schedule.steps.max(1), ..problem.schedule },
        ..problem.clone()
    };
    Limit { problem, nodes }
}

#[cfg(test)]
mod tests;
