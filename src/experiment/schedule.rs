//! Layer-times: how many steps there are, and after which of them tokens are observed.

use toml::Value;

use super::{Experiment, error::ExperimentError};
use crate::problem::{Decimal, Schedule};

impl Experiment {
    /// Tokens are observed at the start and the end, and between them as often as typed.
    pub(super) fn schedule(&self) -> Result<Schedule, ExperimentError> {
        let end = self.typed.time.end;
        let steps = if end == 0.0 { 0 } else { self.steps("time.end", end)? };
        let observe_every = match self.typed.observe.every {
            None => steps.max(1),
            Some(every) => self.steps("observe.every", every)?,
        };
        // The multiple of the step, which the typed end may miss by 1e-9 of itself.
        let end = Decimal::of(self.typed.time.step).map_or(end, |step| step.times(steps));
        Ok(Schedule { steps, end, observe_every })
    }

    /// The whole number of steps, at least one, that the time typed at `key` takes.
    pub(super) fn steps(&self, key: &str, time: f64) -> Result<u64, ExperimentError> {
        let step = self.typed.time.step;
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
