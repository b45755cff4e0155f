//! Layer-times: how many steps there are, and after which of them tokens are observed.

use toml::Value;

use super::{
    Experiment,
    error::ExperimentError,
    observe::{LogTyped, ObserveTyped},
    step::StepTyped,
};
use crate::problem::{Control, Decimal, Growth, Samples, Schedule};

impl Experiment {
    /// Tokens are observed at the start and the end, and between them as typed; at which columns they stop is not asked here.
    pub(super) fn schedule(&self) -> Result<Schedule, ExperimentError> {
        let end = self.typed.time.end;
        let step = match &self.typed.time.step {
            StepTyped::Even(step) => *step,
            StepTyped::Growing { first, factor, most } => {
                return self.growing(Growth { first: *first, factor: *factor, most: *most });
            }
            StepTyped::Controlled { tolerance, first, most } => {
                return self.controlled(Control { tolerance: *tolerance, first: *first, most: *most });
            }
            StepTyped::Each(list) => return self.listed(list),
        };
        let steps = if end == 0.0 { 0 } else { self.steps("time.end", end)? };
        let samples = self.samples(step, steps)?;
        // The multiple of the step, which the typed end may miss by 1e-9 of itself.
        let end = Decimal::of(step).map_or(end, |step| step.times(steps));
        Ok(Schedule { samples, ..Schedule::even(steps, end, 0) })
    }

    /// After which of so many steps of one length tokens are observed.
    fn samples(&self, step: f64, steps: u64) -> Result<Samples, ExperimentError> {
        let ObserveTyped { every, times, log, quantities: _, tokens: _, numbers: _ } = &self.typed.observe;
        Ok(match (every, times, log) {
            (Some(every), _, _) => Samples::Every(self.steps("observe.every", *every)?),
            (None, Some(times), _) => Samples::After(self.times(times, steps)?),
            (None, None, Some(log)) => Samples::After(self.logarithmic(*log, step, steps)?),
            (None, None, None) => Samples::Every(steps.max(1)),
        })
    }

    /// The numbers of steps that end at these times.
    fn times(&self, times: &[f64], steps: u64) -> Result<Vec<u64>, ExperimentError> {
        let after = |(index, time): (usize, &f64)| {
            let key = format!("observe.times.{index}");
            let after = if *time == 0.0 { 0 } else { self.steps(&key, *time)? };
            if after > steps { Err(self.too_late(&key, *time)) } else { Ok(after) }
        };
        times.iter().enumerate().map(after).collect()
    }

    /// The whole numbers of steps next to from * 10^{k / per_decade}, k = 0, 1, .., each once.
    fn logarithmic(&self, log: LogTyped, step: f64, steps: u64) -> Result<Vec<u64>, ExperimentError> {
        let LogTyped { from, per_decade } = log;
        if from > self.typed.time.end {
            return Err(self.too_late("observe.log.from", from));
        }
        // Of a step that is beyond all numbers it is less than any.
        let first = (from / step).max(f64::MIN_POSITIVE);
        let decades = ((steps.max(1) as f64).log10() - first.log10()).max(0.0);
        let last = (decades * per_decade as f64).ceil() as u64;
        let after = |k: u64| (first * 10f64.powf(k as f64 / per_decade as f64)).round() as u64;
        let mut list: Vec<u64> = (0..=last).map(after).filter(|after| (1..=steps).contains(after)).collect();
        list.dedup();
        Ok(list)
    }

    pub(super) fn too_late(&self, key: &str, time: f64) -> ExperimentError {
        let end = Value::from(self.typed.time.end);
        self.source.error(key, Value::from(time), format!("is after time.end = {end}"), "write an earlier time")
    }

    /// The whole number of steps, at least one, that the time typed at `key` takes.
    pub(super) fn steps(&self, key: &str, time: f64) -> Result<u64, ExperimentError> {
        let StepTyped::Even(step) = self.typed.time.step else {
            let (problem, remedy) =
                ("is counted in steps, and those of time.step have several lengths", "write e.g. time.step = 0.05");
            return Err(self.source.error(key, Value::from(time), problem, remedy));
        };
        let ratio = time / step;
        let refused = |problem: &str, remedy| {
            let problem = format!("{problem} of time.step = {}", Value::from(step));
            Err(self.source.error(key, Value::from(time), problem, remedy))
        };
        // A double counts no further than 2^53.
        if ratio > (1u64 << f64::MANTISSA_DIGITS) as f64 {
            return refused("is more than 2^53 steps", format!("write a smaller {key} or a larger time.step"));
        }
        // Typed decimals such as 0.1 are off by rounding alone, which 1e-9 forgives.
        if ratio.round() > 0.0 && (ratio / ratio.round() - 1.0).abs() <= 1e-9 {
            return Ok(ratio.round() as u64);
        }
        // Twelve digits, because nobody would type the rounding of the product.
        let nearest = |count: f64| format!("{:.11e}", count * step).parse().map_or(count * step, |time: f64| time);
        let (below, above) = (Value::from(nearest(ratio.floor())), Value::from(nearest(ratio.ceil())));
        let remedy = match ratio.floor() {
            0.0 => format!("write {key} = {above}"),
            _ => format!("write {key} = {below} or {above}"),
        };
        refused("is no whole number of steps", remedy)
    }
}
