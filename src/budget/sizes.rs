//! The numbers that decide how large a problem is, and the memory that they come to on the host.

use super::{Needs, Part, Shortage};
use crate::{
    model::{NoiseField, Normalization, Position},
    sums::{Precision, columns::PADDING},
};

const REPLICAS: &str = "tokens.replicas";
pub(crate) const COUNT: &str = "tokens.count";
const DIM: &str = "tokens.dim";
const NODES: &str = "reference.count";
/// Bytes of a number in double precision.
pub(crate) const DOUBLE: u128 = 8;
/// Copies of a matrix that a head holds: in the model, its schedule and the model of a stage, and as queries and keys are made.
const COPIES: u128 = 6;
/// Tokens whose sums of products, or of harmonics, are kept until all are there.
const CHUNK: u128 = 4096;
/// Bytes of a name of a column, and of a number in text.
const NAME: u128 = 64;

/// How large a problem is. Numbers of shapes are as they were asked for, so that none is cut before it is judged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sizes {
    pub replicas: u64,
    pub count: u64,
    pub dim: u64,
    /// Stages of a step, those of the noise included.
    pub slots: usize,
    /// Whether all tokens have length one.
    pub is_unit: bool,
    /// Whether there is a weight for every token.
    pub is_weighted: bool,
    /// Matrices of d * d entries that are made for heads, however few numbers say what they are.
    pub matrices: usize,
    /// Whether the matrices of the only head are exponentials.
    pub is_rescaled: bool,
    pub noise: Option<NoiseField>,
    /// Whether samples have columns for every component.
    pub has_columns_of_components: bool,
    pub has_second_moments: bool,
    /// Whether measurements read all tokens at once. If not, those at time zero are given back once a backend has its own.
    pub reads_tokens: bool,
    pub limit: Option<Limit>,
}

/// The limit beside the tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limit {
    /// Nodes beside the coupled tokens, at least; those of particles are asked for.
    pub nodes: u64,
    pub is_counted: bool,
    /// Nodes for each component of a token.
    pub nodes_a_component: u64,
}

impl Sizes {
    pub(crate) fn shape(&self) -> [(&'static str, u128); 3] {
        [(REPLICAS, self.replicas.into()), (COUNT, self.count.into()), (DIM, self.dim.into())]
    }

    pub(crate) fn matrix(&self) -> [(&'static str, u128); 2] {
        [(DIM, self.dim.into()); 2]
    }

    /// Chunks of tokens whose sums are kept until all are there.
    pub(crate) fn chunks(&self) -> u128 {
        u128::from(self.count).div_ceil(CHUNK)
    }

    /// Replicas that are worked on at once.
    fn at_once(&self) -> u128 {
        u128::from(self.replicas).min(rayon::current_num_threads() as u128)
    }

    /// Refuses problems that do not fit, whichever backend moves the tokens.
    ///
    /// `observed` is what each observable takes while it is measured.
    pub(crate) fn require(&self, observed: Vec<Part>) -> Result<(), Shortage> {
        self.needs(observed).require()
    }

    /// What the host holds whichever backend moves the tokens.
    pub(super) fn needs(&self, observed: Vec<Part>) -> Needs {
        let mut needs = Needs::default();
        let shape = self.shape();
        // As they started, and as they are read back for a sample; who writes them takes a run of them at a time.
        needs.add("the tokens", if self.reads_tokens { 2 * DOUBLE } else { DOUBLE }, &shape);
        if self.is_weighted {
            needs.add("the weights", 2 * DOUBLE, &shape[..2]);
        }
        needs.add("the matrices of heads", COPIES * DOUBLE * self.matrices as u128, &self.matrix());
        if self.is_rescaled {
            needs.add("exponentials of matrices", 8 * DOUBLE, &self.matrix());
        }
        if let Some(limit) = &self.limit {
            let copies = 4 + self.slots as u128;
            needs.add("tokens coupled to those of the problem", copies * DOUBLE, &shape);
            let key = if limit.is_counted { NODES } else { DIM };
            needs.add("the nodes of the limit", copies * DOUBLE, &[(key, limit.nodes.into()), shape[2]]);
            let square = copies * DOUBLE * u128::from(limit.nodes_a_component);
            needs.add("the nodes of the limit", square, &self.matrix());
        }
        if self.has_columns_of_components {
            needs.add("the columns of samples", 2 * (NAME + DOUBLE * u128::from(self.replicas)), &shape[2..]);
        }
        if self.has_second_moments {
            needs.add("second moments", DOUBLE, &[shape[0], shape[2], shape[2]]);
            needs.add("sums of second moments", DOUBLE * (self.chunks() * self.at_once() + 3), &self.matrix());
        }
        needs.add_largest(observed);
        needs
    }

    /// Refuses problems whose state does not fit on a CPU; the host's copies are there already.
    pub(crate) fn require_cpu(&self, precision: Precision, sees_directions: bool) -> Result<(), Shortage> {
        self.cpu_needs(precision, sees_directions).require()
    }

    /// What a CPU takes beside the host's copies.
    pub(super) fn cpu_needs(&self, precision: Precision, sees_directions: bool) -> Needs {
        let number = if precision == Precision::Double { 8 } else { 4 };
        let mut needs = Needs::default();
        let [replicas, count, dim] = self.shape();
        // Columns are whole vectors.
        let padded = (COUNT, count.1.next_multiple_of(PADDING as u128));
        // The point of a stage is one only where there are others.
        let points = 1 + self.slots as u128 + u128::from(self.slots > 1) + u128::from(sees_directions);
        // Stages are written first when the host's tokens are gone, if these go.
        let given_back = if self.reads_tokens || self.limit.is_some() { 0 } else { DOUBLE };
        let each = number * points - given_back.min(number * (points - 1));
        needs.add("tokens and stages", each, &[replicas, padded, dim]);
        needs.add("the weights of tokens", number, &[replicas, padded]);
        if self.is_weighted {
            // As harmonics take them, in both precisions.
            needs.add("the weights of tokens", DOUBLE + number, &[replicas, padded]);
        }
        needs.add("the matrices of heads", COPIES * DOUBLE * self.matrices as u128, &self.matrix());
        let each = 3 * DOUBLE * self.at_once();
        match self.noise {
            None => {}
            Some(NoiseField::CommonMatrix) => needs.add("the noise of a step", each, &self.matrix()),
            Some(NoiseField::CommonPerceptron { width, .. }) => {
                needs.add("the noise of a step", 2 * each, &[("noise.width", width.into()), dim]);
            }
            Some(NoiseField::Independent | NoiseField::CommonAdditive) => {
                needs.add("the noise of a step", each, &[count, dim]);
            }
        }
        needs
    }
}

impl Sizes {
    /// Refuses problems whose tokens, stages or matrix of weights do not fit the reference.
    pub(crate) fn require_reference(&self) -> Result<(), Shortage> {
        let mut needs = Needs::default();
        let shape = self.shape();
        let [_, count, dim] = shape;
        // State, stage point, stages, and the terms of a step.
        needs.add("tokens and stages", DOUBLE * (6 + self.slots as u128), &shape);
        needs.add("queries, keys and values", 6 * DOUBLE, &[count, dim]);
        // Scores, weights, and rows of both as they are made.
        needs.add("the matrix of attention", 3 * DOUBLE, &[count, count]);
        needs.require()
    }
}

/// Matrices that queries and keys of a head are made by where the reduction does not make them itself.
pub(crate) fn made(normalization: Normalization, position: &Position) -> usize {
    usize::from(position.is_in_operands() || !normalization.takes_one_reduction())
}
