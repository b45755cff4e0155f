//! The CPU backend: one generic vector code in f32 and f64, on all cores.
//!
//! Tokens are kept component by component in the precision of the reduction, so that they are keys as they stand. Sums
//! over many keys are carried in f64, and every query is reduced in a fixed order, so that a run repeats bit for bit
//! on any number of threads.

mod algorithm;
mod check;
mod columns;
mod energy;
mod ensemble;
mod exp2;
mod field;
mod harmonic;
mod instructions;
mod keys;
mod motion;
mod observe;
mod real;
mod reduction;
mod registers;
mod tiles;
mod velocity;

use rayon::prelude::*;

pub use self::real::Real;
use self::{
    algorithm::Harmonics, columns::Columns, ensemble::Ensemble, field::HeadField, instructions::Instructions,
    keys::Bias, motion::Advance, observe::Measures,
};
use super::{Backend, BackendError, Identity, Method, Point};
use crate::{
    model::{Field, Model},
    observe::{Quantity, Statistics},
    problem::Problem,
    tokens::{Shape, Tokens, Weights},
};

/// Tokens that one task moves, or sends through an expansion, at once.
const BLOCK: usize = 1024;

/// The tokens of one problem on the CPU, in precision `T`.
pub struct Cpu<T: Real> {
    instructions: Instructions,
    model: Model,
    heads: Vec<HeadField<T>>,
    shape: Shape,
    weights: Weights,
    state: Columns<T>,
    /// The point of the current stage.
    stage: Columns<T>,
    /// k_s, one a stage.
    velocities: Vec<Columns<T>>,
    bias: Bias<T>,
    /// Whether replicas are evaluated side by side.
    is_ensemble: bool,
    /// Present as long as sums over keys are taken by harmonics.
    harmonics: Option<Harmonics<T>>,
    method: Method,
    /// Which field the scheme follows.
    followed: Field,
    /// Samples of tokens that have been compared with direct sums.
    checks: u32,
}

impl<T: Real> Cpu<T> {
    /// Takes a copy of the tokens of `problem` at time zero.
    ///
    /// Fails with `TooManyHarmonics` where the problem asks for harmonics and no affordable degree meets its tolerance.
    pub fn new(problem: &Problem) -> Result<Self, BackendError> {
        Self::with_instructions(problem, Instructions::detect())
    }

    fn with_instructions(problem: &Problem, instructions: Instructions) -> Result<Self, BackendError> {
        let tokens = &problem.tokens;
        let shape = tokens.shape;
        let stages = problem.scheme.tableau().stages();
        let attention = &problem.model.attention;
        let heads: Vec<_> = attention.heads.iter().map(|head| HeadField::new(head, attention, tokens)).collect();
        let harmonics = Harmonics::choose(problem)?;
        let columns = |count| Columns::zeros(shape.replicas, shape.dim, count);
        Ok(Self {
            instructions,
            model: problem.model.clone(),
            shape,
            weights: tokens.weights.clone(),
            state: state(tokens),
            stage: columns(if stages > 1 { shape.count } else { 0 }),
            velocities: (0..stages).map(|_| columns(shape.count)).collect(),
            bias: Bias::new(tokens),
            is_ensemble: harmonics.is_none() && ensemble::suits(shape, &heads),
            method: match &harmonics {
                Some(harmonics) => Method::Harmonic { degree: harmonics.degree, error: 0.0 },
                None => Method::Direct,
            },
            harmonics,
            heads,
            followed: problem.scheme.field(),
            checks: 0,
        })
    }

    fn evaluate_ensemble(&self, from: &Columns<T>, field: Field, velocities: &mut Columns<T>) {
        let ensemble = Ensemble {
            heads: &self.heads,
            mask: self.model.attention.mask,
            field,
            tokens: from,
            bias: &self.bias,
            count: self.shape.count,
            sources: self.shape.sources(),
        };
        let mut velocities: Vec<_> = velocities.replicas_mut().collect();
        velocities.par_chunks_mut(ensemble::REPLICAS).enumerate().for_each(|(group, velocities)| {
            ensemble.evaluate(self.instructions, group * ensemble::REPLICAS, velocities);
        });
    }

    fn evaluate_replicas(&self, from: &Columns<T>, field: Field, velocities: &mut Columns<T>) {
        let velocities: Vec<_> = velocities.replicas_mut().collect();
        velocities.into_par_iter().enumerate().for_each(|(replica, velocity)| {
            let tokens = from.replica(replica);
            let sources = self.sources(replica, tokens, field);
            velocity.parts(self.block()).enumerate().for_each(|(index, mut velocity)| {
                let first = index * self.block();
                let queries = tokens.part(first, self.block());
                let visible = || self.visible(first, queries.len());
                self.velocity(&sources, field, queries, visible, &mut velocity);
            });
        });
    }

    /// Tokens that one task reduces at once.
    fn block(&self) -> usize {
        if self.harmonics.is_some() { BLOCK } else { reduction::block(self.shape.dim, self.shape.count) }
    }
}

/// The tokens, and in the padding the first axis: a unit vector like any other.
fn state<T: Real>(tokens: &Tokens) -> Columns<T> {
    let shape = tokens.shape;
    let mut state = Columns::zeros(shape.replicas, shape.dim, shape.count);
    for (replica, mut cloud) in state.replicas_mut().enumerate() {
        cloud.column_mut(0).fill(T::ONE);
        cloud.set_rows(shape.dim, tokens.replica(replica));
    }
    state
}

fn unsupported(term: &'static str) -> BackendError {
    BackendError::Unsupported { backend: "cpu", term, remedy: "leave it out" }
}

impl<T: Real> Backend for Cpu<T> {
    fn identity(&self) -> Identity {
        Identity { backend: "cpu", adapter: describe(), driver: String::new(), precision: T::PRECISION }
    }

    fn method(&self) -> Method {
        self.method
    }

    fn evaluate(&mut self, point: Point, field: Field, stage: usize) -> Result<(), BackendError> {
        let from = match point {
            Point::State => &self.state,
            Point::Stage => &self.stage,
        };
        let mut velocities = std::mem::replace(&mut self.velocities[stage], Columns::zeros(0, 1, 0));
        if self.is_ensemble {
            self.evaluate_ensemble(from, field, &mut velocities);
        } else {
            self.evaluate_replicas(from, field, &mut velocities);
        }
        self.velocities[stage] = velocities;
        Ok(())
    }

    fn change(&mut self, _model: &Model) -> Result<(), BackendError> {
        Err(unsupported("weights that change"))
    }

    fn fluctuate(&mut self, _point: Point, _step: u64, _stage: usize) -> Result<(), BackendError> {
        Err(unsupported("noise"))
    }

    fn combine(&mut self, coefficients: &[f64], into: Point, _field: Field) -> Result<(), BackendError> {
        let (instructions, velocities) = (self.instructions, &self.velocities);
        let (target, from) = match into {
            Point::State => (&mut self.state, None),
            Point::Stage => (&mut self.stage, Some(&self.state)),
        };
        let velocities = &velocities[..coefficients.len()];
        let advance = |replica, start, target| {
            instructions.run(Advance { from, coefficients, velocities, replica, start, target });
        };
        let replicas: Vec<_> = target.replicas_mut().enumerate().collect();
        replicas.into_par_iter().for_each(|(replica, target)| {
            if target.len() <= BLOCK {
                advance(replica, 0, target);
            } else {
                target.parts(BLOCK).enumerate().for_each(|(index, target)| advance(replica, index * BLOCK, target));
            }
        });
        Ok(())
    }

    async fn wait(&mut self) -> Result<(), BackendError> {
        Ok(())
    }

    async fn observe(&mut self, quantities: &[Quantity]) -> Result<Vec<Statistics>, BackendError> {
        let measures = Measures { shape: self.shape, weights: &self.weights, tokens: &self.state };
        let mut statistics = measures.moments(quantities);
        self.check_harmonics()?;
        if quantities.contains(&Quantity::Energy) {
            for (replica, statistics) in statistics.iter_mut().enumerate() {
                statistics.log_energy = self.log_energy(replica);
            }
        }
        Ok(statistics)
    }

    async fn tokens(&mut self) -> Result<Vec<f64>, BackendError> {
        let rows = |replica| self.state.replica(replica).rows(self.shape.dim, self.shape.count);
        Ok((0..self.shape.replicas).flat_map(rows).collect())
    }
}

/// The processor as this backend uses it: architecture, instruction set, threads.
pub fn describe() -> String {
    format!("{}, {}, {} threads", std::env::consts::ARCH, Instructions::detect().name(), threads())
}

/// The threads that share the work.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// The width of a vector on the instruction set in use; none where the compiler chooses the instructions.
pub fn vector_bytes() -> Option<usize> {
    Instructions::detect().vector_bytes()
}
