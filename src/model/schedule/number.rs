//! Numbers of the equation that change with layer-time.

use super::layers::in_turn;

/// A number as a function of step and layer-time.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum NumberSchedule {
    /// Piecewise linear.
    Ramp(Ramp),
    /// That of each step in turn, constant within a step.
    Layers(Vec<f64>),
}

/// A number that is piecewise linear in layer-time, and constant before the first of `times` and after the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Ramp {
    /// Ascending.
    pub times: Vec<f64>,
    /// As many.
    pub values: Vec<f64>,
}

impl From<Ramp> for NumberSchedule {
    fn from(ramp: Ramp) -> Self {
        Self::Ramp(ramp)
    }
}

impl NumberSchedule {
    /// The number at `time` within step `step`; zero without any values.
    pub fn at(&self, step: u64, time: f64) -> f64 {
        match self {
            NumberSchedule::Ramp(ramp) => ramp.at(time),
            NumberSchedule::Layers(values) => in_turn(values, step).copied().unwrap_or(0.0),
        }
    }

    /// Those between which it stays.
    pub fn values(&self) -> &[f64] {
        match self {
            NumberSchedule::Ramp(Ramp { times: _, values }) | NumberSchedule::Layers(values) => values,
        }
    }
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
