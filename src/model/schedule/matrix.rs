//! Matrices of a head that change with layer-time.

use super::{layers::in_turn, operand::HeadOperand, ornstein_uhlenbeck::OrnsteinUhlenbeck, random::RandomMatrix};
use crate::model::{Head, Matrix};

/// A matrix as a function of step and layer-time. All but `Oscillating` are constant within a step.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MatrixSchedule {
    /// That of each step in turn.
    Layers(Vec<Matrix>),
    /// base + sin(frequency t) amplitude, both of d * d entries.
    Oscillating {
        /// At time zero.
        base: Vec<f64>,

        /// What oscillates.
        amplitude: Vec<f64>,

        /// In radians per unit of layer-time.
        frequency: f64,
    },
    /// Drawn once, or every so many steps.
    Random(RandomMatrix),
    /// A path of entries that forget.
    OrnsteinUhlenbeck(OrnsteinUhlenbeck),
    /// This multiple of the A of the same head, for V: with A symmetric the velocity is a gradient.
    OfQueryKey(f64),
}

impl MatrixSchedule {
    /// Whether the matrix depends on step or time by itself.
    pub fn moves(&self) -> bool {
        match self {
            MatrixSchedule::Layers(_) | MatrixSchedule::Oscillating { .. } | MatrixSchedule::OrnsteinUhlenbeck(_) => {
                true
            }
            MatrixSchedule::Random(random) => random.every.is_some(),
            MatrixSchedule::OfQueryKey(_) => false,
        }
    }

    /// The matrix of `head`, which is the given operand of the head of that number.
    pub(super) fn at(&self, head: &Head, place: HeadOperand, step: u64, time: f64) -> Matrix {
        match self {
            MatrixSchedule::Layers(layers) => in_turn(layers, step).cloned().unwrap_or(Matrix::Identity),
            MatrixSchedule::Oscillating { base, amplitude, frequency } => {
                let factor = (frequency * time).sin();
                Matrix::Dense(base.iter().zip(amplitude).map(|(base, a)| base + factor * a).collect())
            }
            MatrixSchedule::Random(random) => random.at(place, step),
            MatrixSchedule::OrnsteinUhlenbeck(process) => process.at(place, step),
            MatrixSchedule::OfQueryKey(factor) => head.query_key.scaled(*factor),
        }
    }
}
