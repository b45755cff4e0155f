//! The shell of limits in closed form, whose velocities are no sums over pairs: a state, a stage point and velocities of stages.

use crate::{
    backend::{Backend, BackendError, Identity, Method, Point, Precision},
    model::{Field, Model},
    observe::{Quantity, Statistics},
};

/// What such limits differ in.
pub trait Form {
    const NAME: &'static str;

    /// The velocity of `state`, of the same length, under `model`.
    fn evaluate(&self, model: &Model, state: &[f64], velocity: &mut [f64]);

    /// Takes what a step has left back to where the state lives.
    fn retract(&self, _state: &mut [f64]) {}

    /// sum_j w_j x_j over nodes.
    fn mean(&self, state: &[f64]) -> Vec<f64>;

    /// Nodes and twins, which are the state itself unless it stands for them.
    fn tokens(&self, state: &[f64]) -> Vec<f64> {
        state.to_vec()
    }
}

/// The arithmetic of a limit in closed form, in double precision.
pub struct Closed<F> {
    form: F,
    model: Model,
    pub(super) state: Vec<f64>,
    stage: Vec<f64>,
    pub(super) velocities: Vec<Vec<f64>>,
}

impl<F> Closed<F> {
    pub(super) fn new(form: F, model: &Model, state: Vec<f64>, slots: usize) -> Self {
        let velocities = vec![vec![0.0; state.len()]; slots];
        Self { form, model: model.clone(), stage: state.clone(), velocities, state }
    }
}

impl<F: Form> Backend for Closed<F> {
    fn identity(&self) -> Identity {
        Identity { backend: F::NAME, adapter: String::new(), driver: String::new(), precision: Precision::Double }
    }

    fn method(&self) -> Method {
        Method::Direct
    }

    fn change(&mut self, model: &Model) -> Result<(), BackendError> {
        self.model = model.clone();
        Ok(())
    }

    fn evaluate(&mut self, point: Point, _field: Field, stage: usize) -> Result<(), BackendError> {
        let at = if point == Point::State { &self.state } else { &self.stage };
        self.form.evaluate(&self.model, at, &mut self.velocities[stage]);
        Ok(())
    }

    fn fluctuate(&mut self, _point: Point, _step: u64, stage: usize) -> Result<(), BackendError> {
        if self.model.noise.is_none() {
            self.velocities[stage].fill(0.0);
            return Ok(());
        }
        Err(BackendError::Unsupported { backend: F::NAME, term: "noise", remedy: "leave out [noise]" })
    }

    fn combine(&mut self, coefficients: &[f64], into: Point, _field: Field) -> Result<(), BackendError> {
        let Self { form, state, stage, velocities, .. } = self;
        if into == Point::Stage {
            stage.copy_from_slice(state);
        }
        let target = if into == Point::Stage { stage } else { state };
        for (coefficient, velocity) in coefficients.iter().zip(velocities) {
            target.iter_mut().zip(&*velocity).for_each(|(x, v)| *x += coefficient * v);
        }
        form.retract(target);
        Ok(())
    }

    async fn wait(&mut self) -> Result<(), BackendError> {
        Ok(())
    }

    async fn observe(&mut self, _quantities: &[Quantity]) -> Result<Vec<Statistics>, BackendError> {
        Ok(vec![Statistics { mean: self.form.mean(&self.state), ..Statistics::default() }])
    }

    async fn tokens(&mut self) -> Result<Vec<f64>, BackendError> {
        Ok(self.form.tokens(&self.state))
    }
}
