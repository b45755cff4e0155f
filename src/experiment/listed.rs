//! Steps that are typed one by one, and the samples among their ends.

use toml::Value;

use super::{Experiment, array::ListTyped, error::ExperimentError, observe::ObserveTyped};
use crate::{
    initial::npy,
    problem::{MOST, Samples, Schedule, Uneven},
};

impl Experiment {
    /// The end, and samples that are not on a logarithmic axis, are at ends of these steps.
    pub(super) fn listed(&self, list: &ListTyped) -> Result<Schedule, ExperimentError> {
        let ObserveTyped { every, times, log, quantities: _, tokens: _, numbers: _ } = &self.typed.observe;
        let mut uneven = Uneven::new(self.lengths_of_steps(list)?);
        let end = self.typed.time.end;
        let time_after = |step: usize| uneven.ends()[step];
        let is_lost = |step: &usize| !(time_after(*step) > time_after(step - 1) && time_after(*step).is_finite());
        if let Some(step) = (1..uneven.ends().len()).find(is_lost) {
            let (length, time) = (uneven.lengths()[step], time_after(step - 1));
            let problem =
                format!("has a step of {length:e} after the time {time:e}, which no number tells from that");
            return Err(self.source.error(
                "time.step",
                self.quoted("time.step"),
                problem,
                "write lengths of one scale",
            ));
        }
        uneven.truncate(self.steps_until("time.end", end, end, uneven.ends())?);
        let (ends, steps) = (uneven.ends(), uneven.ends().len());
        let list = match (every, times, log) {
            (Some(every), _, _) => {
                let steps_until = |time: f64| self.steps_until("observe.every", *every, time, ends);
                self.multiples(*every)?.into_iter().map(steps_until).collect::<Result<Vec<_>, _>>()?
            }
            (None, Some(times), _) => {
                let steps_until = |(index, time): (usize, &f64)| {
                    let key = format!("observe.times.{index}");
                    if *time > end {
                        return Err(self.too_late(&key, *time));
                    }
                    self.steps_until(&key, *time, *time, ends)
                };
                times.iter().enumerate().map(steps_until).collect::<Result<_, _>>()?
            }
            (None, None, Some(log)) => self.nearest(*log, ends)?.into_iter().map(|after| after as usize).collect(),
            (None, None, None) => Vec::new(),
        };
        let between = list.into_iter().filter(|after| (1..steps).contains(after)).map(|after| after as u64);
        let samples = Samples::After(between.collect());
        Ok(Schedule::uneven(uneven, samples))
    }

    /// As typed, or as in the file.
    fn lengths_of_steps(&self, list: &ListTyped) -> Result<Vec<f64>, ExperimentError> {
        let (key, quoted, lengths) = match list {
            ListTyped::Numbers(lengths) => ("time.step", self.quoted("time.step"), lengths.clone()),
            ListTyped::File { path } => {
                let key = "time.step.path";
                let array = path.array(key, &self.source)?;
                if array.shape.len() != 1 {
                    let problem = format!("has the shape {}", npy::shape_text(&array.shape));
                    return Err(self.source.error(key, path.quoted(), problem, "save an array of shape (steps,)"));
                }
                (key, path.quoted().to_string(), array.values)
            }
        };
        if let Some(odd) = lengths.iter().find(|length| !(length.is_finite() && **length > 0.0)) {
            let problem = format!("has a step of {odd}, and steps are finite and greater than 0");
            return Err(self.source.error(key, quoted, problem, "write lengths greater than 0"));
        }
        if lengths.len() > MOST {
            let problem = format!("has {} steps, more than {MOST}", lengths.len());
            return Err(self.source.error(key, "", problem, "write one length, or fewer steps"));
        }
        Ok(lengths)
    }

    /// How many steps end at `time`, one of those that the value typed at `key` asks for.
    fn steps_until(&self, key: &str, typed: f64, time: f64, ends: &[f64]) -> Result<usize, ExperimentError> {
        // Sums of typed decimals are off by rounding alone, which 1e-9 forgives.
        let next = ends.partition_point(|end| *end < time * (1.0 - 1e-9));
        let refused =
            |problem: String, remedy: String| Err(self.source.error(key, Value::from(typed), problem, remedy));
        let end_of = |step: Option<usize>| step.and_then(|step| ends.get(step)).copied().unwrap_or(0.0);
        match ends.get(next) {
            _ if time == 0.0 => Ok(0),
            Some(end) if *end <= time * (1.0 + 1e-9) => Ok(next + 1),
            Some(end) => {
                let (before, end) = (Value::from(end_of(next.checked_sub(1))), Value::from(*end));
                let problem = format!("makes a time, {}, at which no step of time.step ends", Value::from(time));
                refused(problem, format!("times near it at which one does are {before} and {end}"))
            }
            None => {
                let last = Value::from(end_of(ends.len().checked_sub(1)));
                let problem = format!("is after the last step of time.step, which ends at {last}");
                refused(problem, format!("write more steps, or {key} = {last}"))
            }
        }
    }
}
