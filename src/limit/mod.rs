//! What is n = infinity? The mean-field limit of a problem, as another problem that runs beside it.
//!
//! The limit of the empirical measures mu^n_t is the law mu_0 pushed by its own field. A *quadrature* puts weighted nodes of mu_0
//! in as tokens, which the same kernels transport. A *zonal* limit uses that the field is a function of one height where mu_0 is
//! symmetric about an axis and all matrices are multiples of the identity: it serves any dimension. Normal laws in R^d stay
//! normal under softmax: mean and covariance say everything (*gaussian*). A larger sample (*particles*) is an approximation,
//! and says so. For *equiangular* tokens, which stay so, no n goes to infinity: one overlap is followed.
//!
//! In all of them each token x_i of the problem has a coupled mean-field token, a passive token that starts where x_i starts and is moved
//! by the field of the limit. A limit takes [steps of its own](crate::problem::ReferenceSteps::Own) unless told otherwise, so that it is where the equation
//! leads, to 1e-10, whatever the step of the tokens; the distance of a token from its coupled token is then the error of sampling and that of
//! the tokens' steps together. With the [steps of the tokens](crate::problem::ReferenceSteps::Tokens) it is the coupling error of propagation of chaos and
//! nothing else.

mod dop853;
mod equiangular;
mod gaussian;
mod motion;
mod particles;
mod quadrature;
mod solver;
mod zonal;

pub use self::motion::Snapshot;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::solver::{Flow, Solver};
use self::{motion::Motion, solver::SolverError};
use crate::{
    backend::BackendError,
    initial::{CircleQuantiles, LawError},
    model::{Attention, Geometry, Head, Model},
    observables::{LimitState, Nodes, Quantity},
    problem::{Algorithm, Problem, Samples, Schedule},
    tokens::{Shape, Tokens, Weights},
};

pub use self::{
    equiangular::{equiangular, overlap},
    gaussian::gaussian,
    particles::particles,
    quadrature::quadrature_within,
    zonal::zonal,
};

/// The limit of a problem, and where it has come to.
pub struct Limit {
    /// One replica: nodes, and behind them passive tokens: those whose quantiles are known, and those coupled to all tokens, ordered
    /// (replica, token). Its tokens are those at time zero.
    pub problem: Problem,
    /// What the nodes are to the measure of the limit.
    pub nodes: Nodes,
    motion: Motion,
    /// On the circle: the mass of the law between neighbours of known quantiles.
    masses: Vec<f64>,
    /// Nodes in a direction, where they are a grid of heights and twice as many longitudes, or one for each law of a mixture.
    grid: Option<usize>,
    /// Whether nodes are a sample of the law.
    is_sampled: bool,
    /// Whether nodes are tokens, of a sample or equiangular.
    are_tokens: bool,
}

/// Why a problem has no limit of the kind asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what it is and names its fields")]
pub enum LimitError {
    #[error("{problem}; {remedy}")]
    Unserved { problem: &'static str, remedy: &'static str },
    #[error(transparent)]
    Law(#[from] LawError),
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error(
        "the limit that runs beside the tokens is no longer finite at time {time}; take an earlier time.end, or leave out [reference]"
    )]
    NotFinite { time: f64 },
    #[error(
        "the equation of the limit is too stiff from time {time} on; take a smaller attention.beta or an earlier time.end, \
         or write reference.steps = \"tokens\""
    )]
    Stiff { time: f64 },
    #[error(
        "observe.epsilon asks for {needed} nodes a direction of the limit on the sphere, which has at most {most}; \
         write a larger observe.epsilon, or leave \"sinkhorn_reference\" out"
    )]
    TooFewNodes { needed: usize, most: usize },
    #[error(
        "observe.kernel-beta = {beta} is sharper than the limit is known, which serves up to {most}; \
         write a smaller observe.kernel-beta, or leave \"mmd_reference\" out"
    )]
    SharpKernel { beta: f64, most: f64 },
    #[error(
        "with {fineness} nodes a direction the modes of the limit are not known up to observe.degree = {degree}; \
         write a smaller observe.degree or an earlier time.end, or leave \"limit_modes\" out"
    )]
    UnresolvedModes { degree: usize, fineness: usize },
    #[error(
        "with {fineness} nodes a direction the coupled tokens still move by {change:e}, above the tolerance {tolerance:e}; \
         write a larger tolerance, an earlier time.end or a smaller attention.beta"
    )]
    Unresolved { fineness: usize, change: f64, tolerance: f64 },
    #[error(
        "the limit in the checkpoint has {kept} numbers, and that of the problem has others; begin again from time 0"
    )]
    Unlike { kept: usize },
}

/// Refuses terms whose limit is another: order, noise and chance in the weights.
fn serves(model: &Model) -> Result<(), LimitError> {
    let refused = |problem, remedy| Err(LimitError::Unserved { problem, remedy });
    // Each limit decides of the geometry and of the perceptron, and `is_known` of noise and frozen tokens.
    let Model { geometry: _, attention, perceptron: _, noise: _, frozen: _ } = model;
    if !attention.is_plain() {
        let problem = "masks, positions, betas of replicas and normalizations beyond softmax, unnormalized and shifted have no such limit";
        return refused(problem, "leave them out, or leave out [reference]");
    }
    is_known(model)
}

/// Refuses noise and frozen tokens.
fn is_known(model: &Model) -> Result<(), LimitError> {
    let refused = |problem, remedy| Err(LimitError::Unserved { problem, remedy });
    let Model { geometry: _, attention: _, perceptron: _, noise, frozen } = model;
    if *frozen > 0 {
        let problem = "sources that stay where they are started are no sample of a law that moves";
        return refused(problem, "leave out tokens.frozen or [reference]");
    }
    if noise.is_some() {
        return refused(
            "the tokens coupled to those that move at random are not known",
            "leave out [noise] or [reference]",
        );
    }
    Ok(())
}

/// Refuses geometries other than the sphere.
fn on_sphere(model: &Model) -> Result<(), LimitError> {
    let Model { geometry, attention: _, perceptron: _, noise: _, frozen: _ } = model;
    match geometry {
        Geometry::Sphere => Ok(()),
        Geometry::Euclidean
        | Geometry::Rescaled
        | Geometry::PreNorm
        | Geometry::PeriNorm
        | Geometry::Ngpt { .. }
        | Geometry::LayerNorm { .. } => Err(LimitError::Unserved {
            problem: "this limit is one of tokens on the sphere",
            remedy: "write tokens.geometry = \"sphere\", or reference.kind = \"particles\"",
        }),
    }
}

/// Whether no direction is distinguished by a model: attention alone that treats all tokens alike, whose matrices are multiples of the identity.
fn is_isotropic(model: &Model) -> bool {
    let Model { geometry: _, attention, perceptron: _, noise: _, frozen: _ } = model;
    let Attention { beta: _, beta_factors: _, normalization: _, mask: _, window: _, position: _, heads } = attention;
    attention.treats_all_alike() && model.is_attention_alone() && heads.iter().all(Head::is_multiple_of_identity)
}

/// The problem of a limit with these nodes, of sum one, and passive tokens that start at `passive`.
fn problem_of_nodes(problem: &Problem, nodes: &[f64], node_weights: &[f64], passive: &[f64]) -> Problem {
    let dim = problem.tokens.shape.dim;
    let count = passive.len() / dim;
    let shape = Shape { replicas: 1, count: node_weights.len() + count, dim, passive: count };
    let mut weights = node_weights.to_vec();
    weights.resize(shape.count, 0.0);
    Problem {
        tokens: Tokens { shape, coordinates: [nodes, passive].concat(), weights: Weights::Each(weights) },
        algorithm: Algorithm::Auto,
        tolerance: None,
        quantities: Vec::new(),
        schedule: Schedule { samples: Samples::Every(0), ..problem.schedule.clone() },
        ..problem.clone()
    }
}

/// In how many pieces a law on the circle is known, for the distances that are asked for: so many that interpolation between them
/// is far below what n tokens are off, and that the width of an entropy holds many of them. None if no distance is asked for.
fn pieces(problem: &Problem) -> usize {
    let sources = problem.tokens.shape.sources();
    let needed = |quantity: &Quantity| quantity.resolution(sources).pieces;
    match problem.quantities.iter().map(needed).fold(0.0, f64::max) {
        0.0 => 0,
        needed => (needed as usize).clamp(4096, MOST_PIECES).next_power_of_two(),
    }
}

/// The largest degree of the modes of the law that are asked for.
fn degree(problem: &Problem) -> usize {
    let of = |quantity: &Quantity| quantity.resolution(problem.tokens.shape.sources()).degree;
    problem.quantities.iter().map(of).max().unwrap_or(0)
}

/// By how much modes of the law at the end may change where nodes are doubled.
const MODES: f64 = 1e-8;
/// Of a law on the circle.
const MOST_PIECES: usize = 1 << 17;

impl Limit {
    fn new(problem: Problem, nodes: Nodes, motion: Motion) -> Self {
        Self { problem, nodes, motion, masses: Vec::new(), grid: None, is_sampled: false, are_tokens: false }
    }

    fn with_masses(mut self, curve: Option<CircleQuantiles>) -> Self {
        self.masses = curve.map(|curve| curve.masses).unwrap_or_default();
        self
    }

    fn with_grid(mut self, grid: Option<usize>) -> Self {
        self.grid = grid;
        self
    }

    fn sampled(mut self) -> Self {
        self.is_sampled = true;
        self.of_tokens()
    }

    fn of_tokens(mut self) -> Self {
        self.are_tokens = true;
        self
    }

    /// From the end of step `start` of the tokens to that of step `end`.
    pub(crate) fn advance(&mut self, start: u64, end: u64) -> Result<(), LimitError> {
        self.motion.advance(&self.problem, start, end).map_err(|error| match error {
            SolverError::Backend(error) => LimitError::Backend(error),
            SolverError::NotFinite { time } => LimitError::NotFinite { time },
            SolverError::Stiff { time } => LimitError::Stiff { time },
        })
    }

    /// Where it has come to.
    pub fn snapshot(&self) -> Snapshot {
        self.motion.snapshot()
    }

    /// Goes on from where another limit of the same problem had come to.
    pub fn resume(&mut self, snapshot: &Snapshot) -> Result<(), LimitError> {
        match self.motion.resume(&self.problem, snapshot) {
            Err(error) => Err(LimitError::Backend(error)),
            Ok(true) => Ok(()),
            Ok(false) => Err(LimitError::Unlike { kept: snapshot.numbers.len() }),
        }
    }

    /// Nodes and passive tokens where they are now, ordered (token, component).
    pub fn tokens(&self) -> Vec<f64> {
        self.motion.tokens()
    }

    /// What distances see of it when nodes and passive tokens are these.
    pub fn state<'a>(&'a self, tokens: &'a [f64]) -> LimitState<'a> {
        LimitState {
            shape: self.problem.tokens.shape,
            tokens,
            weights: self.weights(),
            nodes: &self.nodes,
            quantiles: self.quantiles(),
            grid: self.grid,
            is_unit: self.problem.model.geometry.is_unit(),
            is_sampled: self.is_sampled,
            are_tokens: self.are_tokens,
            equiangular: self.motion.equiangular(),
        }
    }

    /// The weights of the nodes.
    pub fn weights(&self) -> &[f64] {
        match &self.problem.tokens.weights {
            Weights::Each(weights) => &weights[..self.problem.tokens.shape.sources()],
            Weights::Equal => &[],
        }
    }

    /// On the circle: where the law is now, if it is known.
    pub(crate) fn quantiles(&self) -> Option<CircleQuantiles> {
        let quantiles = CircleQuantiles { angles: self.motion.angles(), masses: self.masses.clone() };
        (!quantiles.masses.is_empty()).then_some(quantiles)
    }

    /// The velocity at time zero of the state, whatever that is.
    #[cfg(test)]
    fn velocity(&mut self) -> Vec<f64> {
        let (Motion::Own { flow, state, .. } | Motion::Scheme { flow, state }) = &mut self.motion else {
            panic!("a limit of its own equation")
        };
        let mut velocity = vec![0.0; state.len()];
        flow.velocity(0.0, state, &mut velocity).expect("a velocity");
        velocity
    }
}

#[cfg(test)]
mod tests;
