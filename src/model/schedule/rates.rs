//! Derivatives in layer-time of the numbers and matrices that scores are made of.

use super::{MatrixSchedule, ModelSchedule, NumberSchedule, Operand, Part, Ramp};

/// Derivatives in layer-time at one time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rates {
    /// Of the beta of the attention, and so of heads that have none of their own.
    pub beta: f64,
    /// Of each head.
    pub heads: Vec<HeadRates>,
}

/// Derivatives of a head.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HeadRates {
    /// Of c_h.
    pub weight: f64,
    /// Of A, d * d numbers; empty where it stays.
    pub query_key: Vec<f64>,
}

/// What has no derivative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Jump<'a> {
    /// The equation of each step in turn.
    Layers,
    /// A term of it.
    Part(&'a Part),
}

impl ModelSchedule {
    /// Those of an equation of so many heads at `time`, from the formulas of its schedules; or the first term that jumps, whatever the time.
    pub(crate) fn rates(&self, heads: usize, time: f64) -> Result<Rates, Jump<'_>> {
        let mut rates = Rates { beta: 0.0, heads: vec![HeadRates::default(); heads] };
        match self {
            ModelSchedule::Constant => {}
            ModelSchedule::Layers(_) => return Err(Jump::Layers),
            ModelSchedule::Parts(parts) => {
                for part in parts {
                    part.rate(&mut rates, time).ok_or(Jump::Part(part))?;
                }
            }
        }
        Ok(rates)
    }
}

impl Part {
    /// Sets its derivative among `rates`; none if it jumps, or is no term of scores or values.
    fn rate(&self, rates: &mut Rates, time: f64) -> Option<()> {
        match self {
            Part::Beta(schedule) => rates.beta = schedule.rate(time)?,
            Part::Weight { head, schedule } => rates.heads.get_mut(*head)?.weight = schedule.rate(time)?,
            Part::Matrix { head, operand, schedule } => {
                let rate = schedule.rate(time)?;
                if *operand == Operand::QueryKey {
                    rates.heads.get_mut(*head)?.query_key = rate;
                }
            }
            Part::Perceptron(_) | Part::Alpha(_) | Part::Geometry { .. } | Part::Rescaled { .. } => return None,
        }
        Some(())
    }
}

impl NumberSchedule {
    /// Its derivative at `time`; none of layers.
    fn rate(&self, time: f64) -> Option<f64> {
        match self {
            NumberSchedule::Ramp(ramp) => Some(ramp.rate(time)),
            NumberSchedule::Layers(_) => None,
        }
    }
}

impl Ramp {
    /// Its derivative at `time`; at a kink that to the right, but at the last that to the left, as runs often end there.
    fn rate(&self, time: f64) -> f64 {
        let is_before_the_last = |t: &f64| *t <= time && Some(t) != self.times.last();
        let after = self.times.partition_point(is_before_the_last);
        match (after.checked_sub(1), self.times.get(after)) {
            (Some(before), Some(next)) if time <= *next => {
                (self.values[after] - self.values[before]) / (next - self.times[before])
            }
            _ => 0.0,
        }
    }
}

impl MatrixSchedule {
    /// The derivative of its entries at `time`, empty of what stays; none of what jumps.
    fn rate(&self, time: f64) -> Option<Vec<f64>> {
        match self {
            MatrixSchedule::Oscillating { base: _, amplitude, frequency } => {
                let factor = frequency * (frequency * time).cos();
                Some(amplitude.iter().map(|a| factor * a).collect())
            }
            MatrixSchedule::Layers(_) | MatrixSchedule::OrnsteinUhlenbeck(_) => None,
            MatrixSchedule::Random(random) => random.every.is_none().then(Vec::new),
            // Of V, which is no part of scores: it is as smooth as A.
            MatrixSchedule::OfQueryKey(_) => Some(Vec::new()),
        }
    }
}
