//! What is known of a problem before it is measured.

use crate::{
    model::{Model, ModelSchedule},
    tokens::Tokens,
};

/// Tokens at time zero, and the equation that moves them.
#[derive(Clone, Copy, Debug)]
pub struct Equation<'a> {
    /// At time zero.
    pub tokens: &'a Tokens,
    /// At time zero.
    pub model: &'a Model,
    /// How the equation changes from then on.
    pub model_schedule: &'a ModelSchedule,
}
