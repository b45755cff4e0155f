//! The CPU backend: one generic vector code in f32 and f64, on all cores.
//!
//! Tokens are kept in f64 whatever the precision; the precision is that of the reduction, the only O(n^2) part. Sums
//! over many keys are carried in f64, and every query is reduced in a fixed order, so that a run repeats bit for bit
//! on any number of threads.

mod algorithm;
mod check;
mod exp2;
mod field;
mod harmonic;
mod instructions;
mod keys;
mod observe;
mod real;
mod reduction;
mod registers;
mod tiles;

use rayon::prelude::*;

pub use self::real::Real;
use self::{
    algorithm::Harmonics,
    field::{HeadField, Sums},
    harmonic::Expansion,
    instructions::Instructions,
    keys::{Keys, Packed},
    reduction::Reduced,
};
use super::{Backend, BackendError, Identity, Method, Point};
use crate::{
    model::{Field, Mask, Model},
    observe::{Quantity, Statistics},
    problem::{Algorithm, Problem},
    tokens::{Shape, Tokens},
};

/// Queries that one task sends through an expansion.
const SERIES_BLOCK: usize = 1024;

/// The tokens of one problem on the CPU; `T` is the precision of the reduction.
pub struct Cpu<T: Real> {
    instructions: Instructions,
    model: Model,
    heads: Vec<HeadField<T>>,
    /// The tokens, with their weights.
    state: Tokens,
    /// The point of the current stage.
    stage: Vec<f64>,
    /// k_s, one a stage.
    velocities: Vec<Vec<f64>>,
    keys: Packed<T>,
    /// How many keys each token of a replica sees. One that sees every source may see the dead padding too.
    visible: Vec<usize>,
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
        let length = tokens.shape.coordinates();
        let stages = problem.scheme.tableau().stages();
        let width = registers::width(tokens.shape.dim).unwrap_or(tokens.shape.dim);
        let attention = &problem.model.attention;
        let heads: Vec<_> = attention.heads.iter().map(|head| HeadField::new(head, attention, tokens)).collect();
        let harmonics = Harmonics::choose(problem, &heads)?;
        Ok(Self {
            instructions,
            model: problem.model.clone(),
            heads,
            state: tokens.clone(),
            stage: vec![0.0; if stages > 1 { length } else { 0 }],
            velocities: vec![vec![0.0; length]; stages],
            keys: Packed::new(tokens, width),
            visible: visible(attention.mask, tokens.shape),
            method: match &harmonics {
                Some(harmonics) => Method::Harmonic { degree: harmonics.degree, error: 0.0 },
                None => Method::Direct,
            },
            harmonics,
            followed: problem.scheme.field(),
            checks: 0,
        })
    }

    fn shape(&self) -> Shape {
        self.state.shape
    }
}

impl<T: Real> Backend for Cpu<T> {
    fn identity(&self) -> Identity {
        Identity { backend: "cpu", adapter: describe(), driver: String::new(), precision: T::PRECISION }
    }

    fn method(&self) -> Method {
        self.method
    }

    fn evaluate(&mut self, point: Point, field: Field, stage: usize) -> Result<(), BackendError> {
        let shape = self.shape();
        let from = match point {
            Point::State => &self.state.coordinates,
            Point::Stage => &self.stage,
        };
        self.keys.pack(shape, from);
        let block = if self.harmonics.is_some() { SERIES_BLOCK } else { reduction::block(shape.dim, shape.count) };
        let replica_length = shape.count * shape.dim;
        let mut velocity = std::mem::take(&mut self.velocities[stage]);
        velocity.par_chunks_mut(replica_length).enumerate().for_each(|(replica, velocity)| {
            let tokens = &from[replica * replica_length..][..replica_length];
            let expansions = self.expansions(replica);
            let blocks = velocity.par_chunks_mut(block * shape.dim).zip(tokens.par_chunks(block * shape.dim));
            blocks.enumerate().for_each_init(Reduced::default, |reduced, (index, (velocity, queries))| {
                let visible = &self.visible[index * block..][..queries.len() / shape.dim];
                self.field(replica, queries, visible, &expansions, reduced, velocity);
                if field == Field::Tangent {
                    project(queries, velocity, shape.dim);
                }
            });
        });
        self.velocities[stage] = velocity;
        Ok(())
    }

    fn combine(&mut self, coefficients: &[f64], into: Point) -> Result<(), BackendError> {
        let dim = self.shape().dim;
        let velocities = &self.velocities;
        if into == Point::Stage {
            self.stage.copy_from_slice(&self.state.coordinates);
        }
        let target = match into {
            Point::State => &mut self.state.coordinates,
            Point::Stage => &mut self.stage,
        };
        target.par_chunks_mut(reduction::BLOCK * dim).enumerate().for_each(|(block, target)| {
            let offset = block * reduction::BLOCK * dim;
            for (coefficient, velocity) in coefficients.iter().zip(velocities) {
                for (x, k) in target.iter_mut().zip(&velocity[offset..]) {
                    *x += coefficient * k;
                }
            }
            target.chunks_exact_mut(dim).for_each(normalize);
        });
        Ok(())
    }

    async fn observe(&mut self, quantities: &[Quantity]) -> Result<Vec<Statistics>, BackendError> {
        let mut statistics = observe::moments(&self.state, quantities);
        if quantities.contains(&Quantity::Energy) || self.harmonics.is_some() {
            self.keys.pack(self.shape(), &self.state.coordinates);
        }
        self.check_harmonics()?;
        if quantities.contains(&Quantity::Energy) {
            for (replica, statistics) in statistics.iter_mut().enumerate() {
                statistics.log_energy = self.log_energy(replica);
            }
        }
        Ok(statistics)
    }

    async fn tokens(&mut self) -> Result<Vec<f64>, BackendError> {
        Ok(self.state.coordinates.clone())
    }
}

impl<T: Real> Cpu<T> {
    /// The expansion of each head over the packed keys of one replica; none where sums are taken pair by pair.
    fn expansions(&self, replica: usize) -> Vec<Expansion<'_, T>> {
        let keys = self.keys.replica(replica);
        self.harmonics.as_ref().map_or(Vec::new(), |harmonics| harmonics.expansions(self.instructions, keys))
    }

    /// The unprojected field at `queries`, tokens of one replica whose keys are packed.
    fn field(
        &self,
        replica: usize,
        queries: &[f64],
        visible: &[usize],
        expansions: &[Expansion<'_, T>],
        reduced: &mut Reduced,
        field: &mut [f64],
    ) {
        let (keys, dim) = (self.keys.replica(replica), self.shape().dim);
        field.fill(0.0);
        for (index, head) in self.heads.iter().enumerate() {
            let sums = self.sums(keys, visible, expansions.get(index));
            head.add(self.instructions, queries, dim, sums, reduced, field);
        }
    }

    /// Where the sums of one head over `keys` come from.
    fn sums<'a>(
        &self,
        keys: Keys<'a, T>,
        visible: &'a [usize],
        expansion: Option<&'a Expansion<'a, T>>,
    ) -> Sums<'a, T> {
        match (expansion, &self.harmonics) {
            (Some(expansion), Some(harmonics)) => Sums::Series { expansion, keys, most_lost: harmonics.most_lost },
            _ => Sums::Pairs { keys, visible },
        }
    }

    /// ln [(1 / 2 beta) sum_h sum_i w_i Z_i^h] of one replica, whose keys are packed.
    fn log_energy(&self, replica: usize) -> f64 {
        let (shape, keys) = (self.shape(), self.keys.replica(replica));
        let tokens = &self.state.replica(replica)[..shape.sources() * shape.dim];
        let expansions = self.expansions(replica);
        let all = vec![keys.padded; SERIES_BLOCK];
        let mut exponents = Vec::new();
        for (index, head) in self.heads.iter().enumerate() {
            let log2_sums = |queries: &[f64]| {
                let mut reduced = Reduced::default();
                let sums = self.sums(keys, &all[..queries.len() / shape.dim], expansions.get(index));
                head.reduce(self.instructions, queries, shape.dim, sums, &mut reduced);
                reduced.log2_sum
            };
            let blocks = tokens.par_chunks(reduction::block(shape.dim, shape.count) * shape.dim);
            let log2_sums: Vec<Vec<f64>> = blocks.map(log2_sums).collect();
            let weighted = log2_sums.concat().into_iter().enumerate();
            exponents.extend(weighted.map(|(i, log2_sum)| log2_sum + self.state.weight(replica, i).log2()));
        }
        observe::log_sum_exp2(&exponents) - (2.0 * self.model.attention.beta).ln()
    }
}

/// Whether `problem` asks for harmonic sums, or is large enough to gain by them in single precision.
pub fn takes_harmonics(problem: &Problem) -> bool {
    let head = |head| HeadField::<f32>::new(head, &problem.model.attention, &problem.tokens);
    let heads: Vec<_> = problem.model.attention.heads.iter().map(head).collect();
    problem.algorithm == Algorithm::Harmonic || matches!(Harmonics::choose(problem, &heads), Ok(Some(_)))
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

/// How many keys each token of a replica sees; padding counts where every source is seen, to keep vectors whole.
fn visible(mask: Mask, shape: Shape) -> Vec<usize> {
    let sources = shape.sources();
    let padded = |visible| if visible == sources { sources.next_multiple_of(keys::PADDING) } else { visible };
    (0..shape.count).map(|token| padded(mask.visible(token, sources))).collect()
}

/// v <- v - x <x, v> for each token x.
fn project(tokens: &[f64], velocities: &mut [f64], dim: usize) {
    for (x, v) in tokens.chunks_exact(dim).zip(velocities.chunks_exact_mut(dim)) {
        let radial: f64 = x.iter().zip(&*v).map(|(x, v)| x * v).sum();
        for (v, x) in v.iter_mut().zip(x) {
            *v -= radial * x;
        }
    }
}

/// x <- x / |x|, with components squared in units of the largest, so that a long vector has a length too.
fn normalize(token: &mut [f64]) {
    let largest = token.iter().fold(0.0, |largest: f64, component| largest.max(component.abs()));
    let length = token.iter().map(|component| (component / largest) * (component / largest)).sum::<f64>().sqrt();
    token.iter_mut().for_each(|component| *component = *component / largest / length);
}
