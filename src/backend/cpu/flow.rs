//! The velocity as a function of the tokens: what a solver that chooses its own steps asks a backend for.

use super::problem::Cpu;
use crate::{
    backend::{Backend, BackendError, Point},
    model::{Field, Model},
    sums::columns::state,
    tokens::Tokens,
};

impl Cpu<f64> {
    /// Moves the state to `tokens`, of the same shape, and returns dx/dt there, ordered (replica, token, component).
    pub(crate) fn velocity_at(&mut self, tokens: &Tokens) -> Result<Vec<f64>, BackendError> {
        self.state = state(tokens);
        self.evaluate(Point::State, Field::Tangent, 0)?;
        Ok(self.rows(&self.velocities[0]))
    }

    /// From now on the equation is `model`, as [`Backend::change`] has it.
    pub(crate) fn set_model(&mut self, model: &Model) -> Result<(), BackendError> {
        self.change(model)
    }

    /// The coordinates of the state, ordered (replica, token, component).
    pub(crate) fn coordinates(&self) -> Vec<f64> {
        self.rows(&self.state)
    }
}
