//! How the weights of the equation change with layer-time.

mod layers;
mod matrix;
mod operand;
mod ornstein_uhlenbeck;
mod random;
mod rescaled;

use std::borrow::Cow;

use self::layers::in_turn;
pub use self::{
    matrix::MatrixSchedule,
    operand::Operand,
    ornstein_uhlenbeck::{OrnsteinUhlenbeck, ProcessStart},
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
    Beta(Ramp),
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

/// A number that is piecewise linear in layer-time, and constant before the first of `times` and after the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Ramp {
    /// Ascending.
    pub times: Vec<f64>,
    /// As many.
    pub values: Vec<f64>,
}

impl Ramp {
    /// The number at `time`; zero without any values.
    pub fn at(&self, time: f64) -> f64 {
        let (Some(first), Some(last)) = (self.values.first(), self.values.last()) else { return 0.0 };
        match self.times.partition_point(|t| *t <= time) {
            0 => *first,
            after if after == self.times.len() => *last,
            after => {
                let share = (time - self.times[after - 1]) / (self.times[after] - self.times[after - 1]);
                self.values[after - 1] + share * (self.values[after] - self.values[after - 1])
            }
        }
    }
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
            Part::Beta(_) | Part::Geometry { .. } | Part::Rescaled { .. } => true,
            Part::Matrix { schedule, .. } => schedule.moves(),
        }
    }

    fn apply(&self, model: &mut Model, step: u64, time: f64) {
        match self {
            Part::Beta(ramp) => model.attention.beta = ramp.at(time),
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
