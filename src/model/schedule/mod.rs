//! How the weights of the equation change with layer-time.

mod layers;
mod matrix;
mod number;
mod operand;
mod ornstein_uhlenbeck;
mod perceptron;
mod random;
mod rates;
mod rescaled;

use std::borrow::Cow;

use self::layers::in_turn;
pub(crate) use self::rates::{HeadRates, Jump, Rates};
pub use self::{
    matrix::MatrixSchedule,
    number::{NumberSchedule, Ramp},
    operand::Operand,
    ornstein_uhlenbeck::{OrnsteinUhlenbeck, ProcessStart},
    perceptron::PerceptronSchedule,
    random::{Draws, Ensemble, RandomMatrix},
};
use super::{Geometry, Model};

/// The equation as a function of layer-time.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum ModelSchedule {
    /// The same at all times.
    #[default]
    Constant,
    /// The equation of each step in turn: the layers of a Transformer.
    Layers(Vec<Model>),
    /// The equation at time zero, but for some of its terms; the parts take turns in this order.
    Parts(Vec<Part>),
}

/// A term of the equation that changes with layer-time.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// The inverse temperature of the attention.
    Beta(NumberSchedule),
    /// c_h of a head.
    Weight {
        /// Its number, from zero.
        head: usize,
        /// What it is at each time.
        schedule: NumberSchedule,
    },
    /// The perceptron, where there is one.
    Perceptron(PerceptronSchedule),
    /// alpha of [`Geometry::Ngpt`].
    Alpha(NumberSchedule),
    /// A matrix of a head.
    Matrix {
        /// Its number, from zero.
        head: usize,
        /// Which matrix of the head.
        operand: Operand,
        /// What it is at each time.
        schedule: MatrixSchedule,
    },
    /// Where tokens live from step `from` on.
    Geometry {
        /// The first such step.
        from: u64,
        /// From then on.
        geometry: Geometry,
    },
    /// Scores e^{tV^T} A e^{tV} of tokens of width `dim` in the coordinates of [`Geometry::Rescaled`], V being the value
    /// matrix of the only head.
    Rescaled {
        /// d.
        dim: usize,
    },
}

impl ModelSchedule {
    /// Whether the equation stays the same.
    pub fn is_constant(&self) -> bool {
        *self == ModelSchedule::Constant
    }

    /// The equation at `time` within step `step`, which is `base` where nothing changes.
    pub fn at<'a>(&'a self, base: &'a Model, step: u64, time: f64) -> Cow<'a, Model> {
        match self {
            ModelSchedule::Constant => Cow::Borrowed(base),
            ModelSchedule::Layers(layers) => in_turn(layers, step).map_or(Cow::Borrowed(base), Cow::Borrowed),
            ModelSchedule::Parts(parts) => {
                let mut model = base.clone();
                parts.iter().for_each(|part| part.apply(&mut model, step, time));
                Cow::Owned(model)
            }
        }
    }
}

impl Part {
    /// Whether the term depends on step or time by itself, and not only on terms before it.
    pub fn moves(&self) -> bool {
        match self {
            Part::Beta(_)
            | Part::Weight { .. }
            | Part::Perceptron(_)
            | Part::Alpha(_)
            | Part::Geometry { .. }
            | Part::Rescaled { .. } => true,
            Part::Matrix { schedule, .. } => schedule.moves(),
        }
    }

    fn apply(&self, model: &mut Model, step: u64, time: f64) {
        match self {
            Part::Beta(beta) => model.attention.beta = beta.at(step, time),
            Part::Weight { head, schedule } => model.attention.heads[*head].weight = schedule.at(step, time),
            Part::Perceptron(schedule) => model.perceptron = schedule.at(step, time),
            Part::Alpha(schedule) => {
                if let Geometry::Ngpt { alpha } = &mut model.geometry {
                    *alpha = schedule.at(step, time);
                }
            }
            Part::Matrix { head, operand, schedule } => {
                let changed = schedule.at(
                    &model.attention.heads[*head],
                    operand::HeadOperand { head: *head, operand: *operand },
                    step,
                    time,
                );
                *operand.of(&mut model.attention.heads[*head]) = changed;
            }
            Part::Geometry { from, geometry } => {
                if step >= *from {
                    model.geometry = geometry.clone();
                }
            }
            Part::Rescaled { dim } => {
                let head = &mut model.attention.heads[0];
                head.query_key = rescaled::query_key(&head.query_key, &head.value, *dim, time);
            }
        }
    }
}

#[cfg(test)]
mod tests;
