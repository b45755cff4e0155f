//! When tokens are moved, and when they are looked at.

use super::{control::Control, decimal::Decimal, uneven::Uneven};
use crate::expression::Expression;

/// The layer-times at which tokens are: `steps` steps from 0 to `end`, or to the sample at which they stop, observed at the start, at the
/// end, and at the samples between.
///
/// An even step is the shortest decimal that `steps` times are `end`, if there is one, and times are its multiples, each rounded once: the
/// third time of steps of 0.1 is 0.3, whatever the end is.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// The number of steps.
    pub steps: u64,
    /// The layer-time of the last one.
    pub end: f64,
    /// How long they are, where they are not all alike; as many as `steps`, to `end`.
    pub uneven: Option<Uneven>,
    /// Where steps are as long as an estimate of their error allows: then each of those above is taken in as many as that needs.
    pub control: Option<Control>,
    /// After which of them tokens are observed.
    pub samples: Samples,
    /// A condition on the columns of a sample and on `time`; the first sample at which it holds in all replicas is the last.
    pub stop: Option<Expression>,
}

/// Numbers of steps after which tokens are observed, beside none and all of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// The multiples of this one; zero: no others.
    Every(u64),
    /// These, which ascend.
    After(Vec<u64>),
}

impl Schedule {
    /// So many steps of one length up to the time `end`, observed every `observe_every` steps; nothing stops them.
    pub fn even(steps: u64, end: f64, observe_every: u64) -> Self {
        Self { steps, end, uneven: None, control: None, samples: Samples::Every(observe_every), stop: None }
    }

    /// Steps of several lengths; nothing stops them.
    pub fn uneven(uneven: Uneven, samples: Samples) -> Self {
        let end = uneven.ends().last().copied().unwrap_or(0.0);
        let steps = uneven.lengths().len() as u64;
        Self { steps, end, uneven: Some(uneven), control: None, samples, stop: None }
    }

    /// The length h of the step after `done` others.
    pub fn step(&self, done: u64) -> f64 {
        if let Some(uneven) = &self.uneven {
            return uneven.lengths().get(done as usize).copied().unwrap_or(0.0);
        }
        Decimal::part(self.end, self.steps).map_or(self.end / self.steps.max(1) as f64, |step| step.times(1))
    }

    /// The layer-time after `steps` steps.
    pub fn time(&self, steps: u64) -> f64 {
        if let Some(uneven) = &self.uneven {
            let before = steps.checked_sub(1).and_then(|last| uneven.ends().get(last as usize));
            return before.copied().unwrap_or(0.0);
        }
        match Decimal::part(self.end, self.steps) {
            Some(step) => step.times(steps),
            None => self.end * steps as f64 / self.steps.max(1) as f64,
        }
    }

    /// How many steps after the first `done`, of `most`, are as long as the first of them.
    pub fn alike(&self, done: u64, most: u64) -> u64 {
        let Some(uneven) = &self.uneven else { return most };
        let lengths = uneven.lengths().iter().skip(done as usize).take(most as usize);
        let first = self.step(done);
        lengths.take_while(|length| **length == first).count() as u64
    }

    /// Steps from `steps` to the next observation; zero after the last.
    pub fn until_observed(&self, steps: u64) -> u64 {
        let rest = self.steps.saturating_sub(steps);
        match &self.samples {
            Samples::Every(0) => rest,
            Samples::Every(every) => rest.min(every - steps % every),
            Samples::After(list) => {
                let next = list.partition_point(|sample| *sample <= steps);
                list.get(next).map_or(rest, |next| rest.min(next - steps))
            }
        }
    }

    /// How often the tokens are observed.
    pub fn observations(&self) -> u64 {
        let between = match &self.samples {
            Samples::Every(0) => 0,
            Samples::Every(every) => self.steps.saturating_sub(1) / every,
            Samples::After(list) => list.iter().filter(|sample| (1..self.steps).contains(*sample)).count() as u64,
        };
        1 + between + u64::from(self.steps > 0)
    }

    /// Whether the tokens are observed after `steps` steps.
    pub fn observes(&self, steps: u64) -> bool {
        let is_between = match &self.samples {
            Samples::Every(every) => steps.is_multiple_of(*every),
            Samples::After(list) => list.binary_search(&steps).is_ok(),
        };
        is_between || steps == 0 || steps == self.steps
    }
}
