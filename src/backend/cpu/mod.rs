//! The CPU backend: one generic vector code in f32 and f64, on all cores.
//!
//! Tokens are kept component by component in the precision of the reduction, so that they are keys as they stand. Sums
//! over many keys are carried in f64, and every query is reduced in a fixed order, so that a run repeats bit for bit
//! on any number of threads.

mod affine;
mod algorithm;
mod check;
mod columns;
mod decay;
mod energy;
mod ensemble;
mod exact;
mod exp2;
mod field;
mod flow;
mod geometry;
mod hardmax;
mod harmonic;
mod instructions;
mod keys;
mod map;
mod motion;
mod noise;
mod observe;
mod operands;
mod perceptron;
mod real;
mod reduction;
mod registers;
mod series;
mod shift;
mod sinkhorn;
mod sums;
mod tiles;
mod velocity;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::prelude::*;

pub(crate) use self::columns::PADDING;
pub use self::real::Real;
pub(crate) use self::sums::{Sources, are_unit, by_harmonics};
use self::{
    algorithm::Harmonics,
    columns::Columns,
    decay::Decay,
    ensemble::{Ensemble, Pairs},
    field::HeadField,
    geometry::{Direct, Retraction},
    instructions::Instructions,
    keys::Bias,
    motion::Advance,
    observe::Measures,
    perceptron::Hidden,
    shift::Setting,
    velocity::Run,
};
use super::{Backend, BackendError, Identity, Method, Point};
use crate::{
    budget::Sizes,
    diffusion::Diffusion,
    model::{Field, Geometry, Mask, Model},
    observables::{Need, Quantity},
    observe::Statistics,
    problem::Problem,
    scheme::Tableau,
    tokens::{Shape, Tokens, Weights},
};

/// Tokens that one task moves, or sends through an expansion, at once.
const BLOCK: usize = 1024;

/// Pairs that ensembles sum, at most, before progress is heard of again: a fraction of a second.
const PAIRS: u64 = 1 << 31;

/// The tokens of one problem on the CPU, in precision `T`.
pub struct Cpu<T: Real> {
    instructions: Instructions,
    model: Model,
    heads: Vec<HeadField<T>>,
    perceptron: Option<Hidden<T>>,
    shape: Shape,
    weights: Weights,
    state: Columns<T>,
    /// The point of the current stage.
    stage: Columns<T>,
    /// k_s, one a stage, and after them those of the noise.
    velocities: Vec<Columns<T>>,
    /// log2 w_j.
    bias: Bias<T>,
    /// Present where weights decay with the distance between places.
    decay: Option<Decay<T>>,
    /// Whether replicas are evaluated side by side.
    is_ensemble: bool,
    /// Present as long as sums over keys are taken by harmonics.
    harmonics: Option<Harmonics<T>>,
    method: Method,
    /// Which field the scheme follows.
    followed: Field,
    /// Samples of tokens that have been compared with direct sums.
    checks: u32,
    /// The largest error of a marginal so far, as its bits.
    marginal_error: AtomicU64,
}

impl<T: Real> Cpu<T> {
    /// Takes a copy of the tokens of `problem` at time zero.
    ///
    /// Fails with `Shortage` where they do not fit, and with `TooManyHarmonics` where the problem asks for harmonics and no affordable degree meets its tolerance.
    pub fn new(problem: &Problem) -> Result<Self, BackendError> {
        Self::with_instructions(problem, Instructions::detect())
    }

    fn with_instructions(problem: &Problem, instructions: Instructions) -> Result<Self, BackendError> {
        let (tokens, attention) = (&problem.tokens, &problem.model.attention);
        let shape = tokens.shape;
        Sizes::of(problem).require_cpu(T::PRECISION, problem.model.geometry.sees_directions())?;
        let harmonics = Harmonics::choose(problem)?;
        let bias = Bias::new(shape, &tokens.weights);
        let columns = |count| Columns::zeros(shape.replicas, shape.dim, count);
        let has_stages = problem.scheme.tableau().stages() > 1;
        let mut cpu = Self {
            instructions,
            model: problem.model.clone(),
            heads: Vec::new(),
            perceptron: None,
            shape,
            weights: tokens.weights.clone(),
            state: state(tokens),
            stage: columns(if has_stages { shape.count } else { 0 }),
            velocities: (0..problem.slots()).map(|_| columns(shape.count)).collect(),
            decay: Decay::new(attention, shape, &tokens.weights, &bias),
            bias,
            is_ensemble: false,
            method: match &harmonics {
                Some(harmonics) => harmonics.method(0.0),
                None => Method::Direct,
            },
            harmonics,
            followed: problem.scheme.field(),
            checks: 0,
            marginal_error: AtomicU64::new(0),
        };
        cpu.prepare();
        Ok(cpu)
    }

    /// Makes heads and perceptron of the model ready.
    fn prepare(&mut self) {
        let Self { model, shape, weights, .. } = &*self;
        let setting = Setting { geometry: &model.geometry, attention: &model.attention, shape: *shape, weights };
        let heads: Vec<_> = model.attention.heads.iter().map(|head| HeadField::new(head, setting)).collect();
        let perceptron = model.perceptron.as_ref().map(|perceptron| Hidden::new(perceptron, shape.dim));
        self.is_ensemble = self.harmonics.is_none()
            && perceptron.is_none()
            && model.geometry == Geometry::Sphere
            && self.decay.is_none()
            && model.attention.window.is_none()
            && model.attention.mask != Mask::Others
            && ensemble::suits(*shape, &heads);
        (self.heads, self.perceptron) = (heads, perceptron);
    }

    fn ensemble(&self, field: Field) -> Ensemble<'_, T> {
        let mask = self.model.attention.mask;
        let is_symmetric =
            mask == Mask::None && self.weights == Weights::Equal && self.heads.iter().all(HeadField::is_symmetric);
        Ensemble {
            heads: &self.heads,
            mask,
            pairs: if is_symmetric { Pairs::Unordered } else { Pairs::Ordered },
            field,
            bias: &self.bias,
            count: self.shape.count,
            sources: self.shape.sources(),
        }
    }

    fn evaluate_ensemble(&self, from: &Columns<T>, field: Field, velocities: &mut Columns<T>) {
        let ensemble = self.ensemble(field);
        let mut velocities: Vec<_> = velocities.replicas_mut().collect();
        velocities.par_chunks_mut(ensemble::REPLICAS).enumerate().for_each(|(group, velocities)| {
            ensemble.evaluate(self.instructions, group * ensemble::REPLICAS, from, velocities);
        });
    }

    /// False if sums by harmonics are to be widened, and all of it is to be done again.
    fn evaluate_replicas(&self, from: &Columns<T>, field: Field, velocities: &mut Columns<T>) -> bool {
        let are_found = AtomicBool::new(true);
        let velocities: Vec<_> = velocities.replicas_mut().collect();
        velocities.into_par_iter().enumerate().for_each(|(replica, velocity)| {
            let tokens = from.replica(replica);
            let sources = self.sources(replica, tokens, field);
            velocity.parts(self.block()).enumerate().for_each(|(index, mut velocity)| {
                let first = index * self.block();
                let queries = tokens.part(first, self.block());
                let seen = || self.seen(first, queries.len());
                if !self.velocity(&sources, field, Run { tokens: queries, first }, seen, &mut velocity) {
                    are_found.store(false, Ordering::Relaxed);
                }
            });
        });
        are_found.into_inner()
    }

    /// From now on harmonics sum in double precision.
    fn widen(&mut self) {
        if let (Some(harmonics), Method::Harmonic { error, .. }) = (&mut self.harmonics, self.method) {
            harmonics.widen();
            self.method = harmonics.method(error);
        }
    }

    /// The directions of tokens, where attention sees these.
    fn directions(&self, tokens: &Columns<T>) -> Option<Columns<T>> {
        if !self.model.geometry.sees_directions() {
            return None;
        }
        let mut directions = Columns::zeros(self.shape.replicas, self.shape.dim, self.shape.count);
        for (replica, mut directions) in directions.replicas_mut().enumerate() {
            self.instructions.run(Direct { tokens: tokens.replica(replica), directions: &mut directions });
        }
        Some(directions)
    }

    /// The numbers of all tokens, ordered (replica, token, component).
    fn rows(&self, columns: &Columns<T>) -> Vec<f64> {
        let rows = |replica| columns.replica(replica).rows(self.shape.dim, self.shape.count);
        (0..self.shape.replicas).flat_map(rows).collect()
    }

    fn at(&self, point: Point) -> &Columns<T> {
        match point {
            Point::State => &self.state,
            Point::Stage => &self.stage,
        }
    }

    /// Tokens that one task reduces at once.
    fn block(&self) -> usize {
        if self.harmonics.is_some() { BLOCK } else { reduction::block(self.shape.dim, self.shape.count) }
    }
}

/// The tokens, and in the padding the last of them.
fn state<T: Real>(tokens: &Tokens) -> Columns<T> {
    let shape = tokens.shape;
    let mut state = Columns::zeros(shape.replicas, shape.dim, shape.count);
    for (replica, mut cloud) in state.replicas_mut().enumerate() {
        cloud.set_rows(shape.dim, tokens.replica(replica));
        cloud.pad(shape.count);
    }
    state
}

impl<T: Real> Backend for Cpu<T> {
    fn identity(&self) -> Identity {
        Identity { backend: "cpu", adapter: describe(), driver: String::new(), precision: T::PRECISION }
    }

    fn method(&self) -> Method {
        self.method
    }

    fn change(&mut self, model: &Model) -> Result<(), BackendError> {
        self.model = model.clone();
        self.prepare();
        Ok(())
    }

    fn evaluate(&mut self, point: Point, field: Field, stage: usize) -> Result<(), BackendError> {
        let mut velocities = std::mem::replace(&mut self.velocities[stage], Columns::zeros(0, 1, 0));
        let directions = self.directions(self.at(point));
        let from = directions.as_ref().unwrap_or(self.at(point));
        let is_found = if self.is_ensemble && field != Field::Perceptron {
            self.evaluate_ensemble(from, field, &mut velocities);
            true
        } else {
            self.evaluate_replicas(from, field, &mut velocities)
        };
        self.velocities[stage] = velocities;
        if !is_found {
            self.widen();
            return self.evaluate(point, field, stage);
        }
        Ok(())
    }

    fn fluctuate(&mut self, point: Point, step: u64, stage: usize) -> Result<(), BackendError> {
        let Some(noise) = &self.model.noise else {
            self.velocities[stage].clear();
            return Ok(());
        };
        let mut velocities = std::mem::replace(&mut self.velocities[stage], Columns::zeros(0, 1, 0));
        let clouds: Vec<_> = velocities.replicas_mut().enumerate().collect();
        clouds.into_par_iter().for_each(|(replica, mut velocity)| {
            let rows = self.at(point).replica(replica).rows(self.shape.dim, self.shape.count);
            velocity.set_rows(self.shape.dim, &noise::field(noise, step, replica, self.shape, &rows));
        });
        self.velocities[stage] = velocities;
        Ok(())
    }

    fn diffuse(&mut self, diffusion: &Diffusion, first: u64) -> Result<(), BackendError> {
        let Some(noise) = &self.model.noise else { return Ok(()) };
        let Shape { dim, count, .. } = self.shape;
        let replicas: Vec<_> = self.state.replicas_mut().enumerate().collect();
        replicas.into_par_iter().for_each(|(replica, mut tokens)| {
            let mut rows = tokens.rows(dim);
            rows.truncate(count * dim);
            tokens.set_rows(dim, &noise::diffuse(noise, diffusion, (first, replica), self.shape, &rows));
            tokens.pad(count);
        });
        Ok(())
    }

    fn combine(&mut self, coefficients: &[f64], into: Point, field: Field) -> Result<(), BackendError> {
        let retraction = &Retraction::after(&self.model.geometry, field);
        let (instructions, velocities) = (self.instructions, &self.velocities);
        let (target, from) = match into {
            Point::State => (&mut self.state, None),
            Point::Stage => (&mut self.stage, Some(&self.state)),
        };
        let velocities = &velocities[..coefficients.len()];
        let advance = |replica, start, target| {
            instructions.run(Advance { retraction, from, coefficients, velocities, replica, start, target });
        };
        let replicas: Vec<_> = target.replicas_mut().enumerate().collect();
        replicas.into_par_iter().for_each(|(replica, target)| {
            if target.len() <= BLOCK {
                advance(replica, 0, target);
            } else {
                target.parts(BLOCK).enumerate().for_each(|(index, target)| advance(replica, index * BLOCK, target));
            }
        });
        // What rounding makes of padding must not decide what becomes of tokens.
        target.replicas_mut().for_each(|mut replica| replica.pad(self.shape.count));
        Ok(())
    }

    fn advance(&mut self, tableau: &Tableau, h: f64, field: Field, most: u64) -> Result<u64, BackendError> {
        if !self.is_ensemble {
            return Ok(0);
        }
        let Shape { replicas, count, .. } = self.shape;
        let pairs = replicas * count * count * tableau.stages() * self.heads.len().max(1);
        let steps = (PAIRS / pairs as u64).clamp(1, most);
        let mut state = std::mem::replace(&mut self.state, Columns::zeros(0, 1, 0));
        let ensemble = self.ensemble(field);
        let mut tokens: Vec<_> = state.replicas_mut().collect();
        tokens.par_chunks_mut(ensemble::REPLICAS).enumerate().for_each(|(group, tokens)| {
            ensemble.advance(self.instructions, group * ensemble::REPLICAS, tokens, (tableau, h, steps));
        });
        self.state = state;
        Ok(steps)
    }

    async fn wait(&mut self) -> Result<(), BackendError> {
        Ok(())
    }

    async fn observe(&mut self, quantities: &[Quantity]) -> Result<Vec<Statistics>, BackendError> {
        let measures = Measures { shape: self.shape, weights: &self.weights, tokens: &self.state };
        let mut statistics = measures.moments(quantities);
        self.check_harmonics()?;
        if quantities.iter().any(|quantity| quantity.needs(Need::Energy)) {
            let directions = self.directions(&self.state);
            let tokens = directions.as_ref().unwrap_or(&self.state);
            for (replica, statistics) in statistics.iter_mut().enumerate() {
                statistics.log_energy = self.log_energy(replica, tokens.replica(replica));
            }
        }
        Ok(statistics)
    }

    async fn marginal_error(&mut self) -> Result<Option<f64>, BackendError> {
        Ok(self.model.attention.is_balanced().then(|| f64::from_bits(*self.marginal_error.get_mut())))
    }

    async fn tokens(&mut self) -> Result<Vec<f64>, BackendError> {
        Ok(self.rows(&self.state))
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
