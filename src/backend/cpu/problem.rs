//! The tokens of one problem, and what the kernels of this backend need of its model.

use std::sync::atomic::AtomicU64;

use super::{
    algorithm::Harmonics,
    decay::Decays,
    ensemble::{self},
    field::HeadField,
    geometry::Direct,
    observe::Measures,
    part::Part,
    perceptron::Hidden,
    shift::HeadInputs,
};
use crate::{
    backend::{BackendError, Method, Point},
    budget::Sizes,
    cancel::Cancel,
    model::{Field, Model},
    problem::Problem,
    sums::{
        Real,
        columns::{Columns, state},
        instructions::Instructions,
        keys::Bias,
        reduction::block,
    },
    tokens::{Shape, Tokens, Weights},
};

/// Tokens that one task moves, or sends through an expansion, at once.
pub(super) const BLOCK: usize = 1024;

/// Pairs that ensembles sum, at most, before progress is reported again: a fraction of a second.
pub(super) const PAIRS: u64 = 1 << 31;

/// The tokens of one problem on the CPU, in precision `T`.
pub(crate) struct Cpu<T: Real> {
    pub(super) instructions: Instructions,
    pub(super) model: Model,
    pub(super) heads: Vec<HeadField<T>>,
    pub(super) perceptron: Option<Hidden<T>>,
    /// Of the tokens that are held here.
    pub(super) shape: Shape,
    /// Which of all tokens these are.
    pub(super) part: Part,
    /// Of the tokens that are held here.
    pub(super) weights: Weights,
    pub(super) state: Columns<T>,
    /// The tokens of each replica that are frozen, row-major; empty where none are.
    pub(super) frozen: Vec<Vec<f64>>,
    /// The point of the current stage.
    pub(super) stage: Columns<T>,
    /// k_s, one a stage, and after them those of the noise.
    pub(super) velocities: Vec<Columns<T>>,
    /// log2 w_j.
    pub(super) bias: Bias<T>,
    /// Present where weights decay with the distance between places.
    pub(super) decays: Option<Decays<T>>,
    /// Whether replicas are evaluated side by side.
    pub(super) is_ensemble: bool,
    /// Present as long as sums over keys are taken by harmonics.
    pub(super) harmonics: Option<Harmonics<T>>,
    pub(super) method: Method,
    /// Which field the scheme follows.
    pub(super) followed: Field,
    /// Samples of tokens that have been compared with direct sums.
    pub(super) checks: u32,
    /// The largest error of a marginal so far, as its bits.
    pub(super) marginal_error: AtomicU64,
    /// Asked before every block of sums.
    pub(super) cancel: Cancel,
}

impl<T: Real> Cpu<T> {
    /// Takes a copy of the tokens of `problem` at time zero.
    ///
    /// Fails with `Problem` where it is none, with `Shortage` where they do not fit, and with `TooManyHarmonics` where the problem asks for harmonics and no affordable degree meets its tolerance.
    pub(crate) fn new(problem: &Problem) -> Result<Self, BackendError> {
        Self::with_instructions(problem, Instructions::detect())
    }

    pub(super) fn with_instructions(problem: &Problem, instructions: Instructions) -> Result<Self, BackendError> {
        problem.check()?;
        Self::of_part(problem, Part::all(&problem.tokens), &problem.tokens, instructions)
    }

    /// The same of those `tokens` that `part` has, of a problem that has been checked and whose own are not looked at.
    pub(super) fn of_part(
        problem: &Problem,
        part: Part,
        tokens: &Tokens,
        instructions: Instructions,
    ) -> Result<Self, BackendError> {
        let shape = tokens.shape;
        let sizes = Sizes { count: shape.count as u64, ..problem.sizes() };
        sizes.require_cpu(T::PRECISION, problem.model.geometry.sees_directions())?;
        let harmonics = Harmonics::choose(problem, &part, &tokens.weights)?;
        let bias = Bias::of(shape, |replica, token| part.weight(&tokens.weights, replica, token));
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
            part,
            frozen: Vec::new(),
            stage: columns(if has_stages { shape.count } else { 0 }),
            velocities: (0..problem.slots()).map(|_| columns(shape.count)).collect(),
            decays: None,
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
            cancel: Cancel::default(),
        };
        let frozen = |replica| cpu.state.replica(replica).rows(shape.dim, problem.model.frozen);
        if problem.model.frozen > 0 {
            cpu.frozen = (0..shape.replicas).map(frozen).collect();
        }
        cpu.prepare();
        Ok(cpu)
    }

    /// Makes heads and perceptron of the model ready.
    pub(super) fn prepare(&mut self) {
        let Self { model, shape, weights, .. } = &*self;
        let inputs = self.head_inputs();
        let heads: Vec<_> = model.attention.heads.iter().map(|head| HeadField::new(head, inputs)).collect();
        let perceptron = model.perceptron.as_ref().map(|perceptron| Hidden::new(perceptron, shape.dim));
        let decays = Decays::new(&model.attention, *shape, weights, &self.bias);
        self.is_ensemble = self.harmonics.is_none() && ensemble::serves(model) && ensemble::suits(*shape, &heads);
        (self.heads, self.perceptron, self.decays) = (heads, perceptron, decays);
    }

    /// What heads are made of beside themselves.
    pub(super) fn head_inputs(&self) -> HeadInputs<'_> {
        let Self { model: Model { geometry, attention, .. }, part: Part { whole, weights, .. }, .. } = self;
        HeadInputs { geometry, attention, shape: *whole, weights }
    }

    /// The weight of a token that is held here.
    pub(super) fn weight(&self, replica: usize, token: usize) -> f64 {
        self.part.weight(&self.weights, replica, token)
    }

    /// What is observed of the tokens that are held here.
    pub(super) fn measures(&self) -> Measures<'_, T> {
        Measures { part: &self.part, weights: &self.weights, tokens: &self.state }
    }

    /// The directions of tokens, where attention sees these.
    pub(super) fn directions(&self, tokens: &Columns<T>) -> Option<Columns<T>> {
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
    pub(super) fn rows(&self, columns: &Columns<T>) -> Vec<f64> {
        let rows = |replica| columns.replica(replica).rows(self.shape.dim, self.shape.count);
        (0..self.shape.replicas).flat_map(rows).collect()
    }

    /// An error if what was just computed was not completed.
    pub(super) fn require_completed(&self) -> Result<(), BackendError> {
        if self.cancel.is_requested() { Err(BackendError::Cancelled) } else { Ok(()) }
    }

    pub(super) fn at(&self, point: Point) -> &Columns<T> {
        match point {
            Point::State => &self.state,
            Point::Stage => &self.stage,
        }
    }

    /// Tokens that one task reduces at once.
    pub(super) fn block(&self) -> usize {
        if self.harmonics.is_some() { BLOCK } else { block(self.shape.dim, self.shape.count) }
    }
}
