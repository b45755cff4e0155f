//! Perceptrons that change with layer-time.

use super::{layers::in_turn, number::NumberSchedule};
use crate::model::Perceptron;

/// The perceptron of each step, times a weight.
#[derive(Clone, Debug, PartialEq)]
pub struct PerceptronSchedule {
    /// That of each step in turn, all of one width; the last one for all steps beyond.
    pub layers: Vec<Perceptron>,
    /// By which its output is multiplied, if not by one.
    pub weight: Option<NumberSchedule>,
}

impl PerceptronSchedule {
    /// The perceptron at `time` within step `step`.
    pub(super) fn at(&self, step: u64, time: f64) -> Option<Perceptron> {
        let perceptron = in_turn(&self.layers, step)?.clone();
        Some(match &self.weight {
            Some(weight) => perceptron.times(weight.at(step, time)),
            None => perceptron,
        })
    }
}
