//! Steps that grow up to the end, or are as long as their error allows, and the samples among them.

use toml::Value;

use super::{
    Experiment,
    error::ExperimentError,
    observe::{LogTyped, ObserveTyped},
};
use crate::problem::{
    Control, Decimal, Growth, MOST, Problem, ReferenceSteps, Samples, Schedule, Uneven, needs_even_steps,
    needs_whole_steps,
};

impl Experiment {
    /// Steps that grow end at the times of samples that are typed, and samples on a logarithmic axis are at ends of steps.
    pub(super) fn growing(&self, growth: Growth) -> Result<Schedule, ExperimentError> {
        let log = &self.typed.observe.log;
        let end = self.typed.time.end;
        let mut marks = self.marks()?;
        let samples = marks.clone();
        marks.push(end);
        let Some(uneven) = Uneven::growing(growth, &marks) else {
            let problem = format!("makes more than {MOST} steps up to time.end = {}", Value::from(end));
            let remedy = "write longer steps, or an earlier time.end";
            return Err(self.source.error("time.step", self.quoted("time.step"), problem, remedy));
        };
        let ends = uneven.ends();
        let after = |time: &f64| if *time == 0.0 { 0 } else { ends.partition_point(|end| end < time) as u64 + 1 };
        let list = match log {
            Some(log) => self.nearest(*log, ends)?,
            None => samples.iter().map(after).collect(),
        };
        let steps = ends.len() as u64;
        let between = list.into_iter().filter(|after| (1..steps).contains(after));
        Ok(Schedule::uneven(uneven, Samples::After(between.collect())))
    }

    /// Steps of controlled error end at the times of all samples: those of the schedule lead from one sample to the next.
    pub(super) fn controlled(&self, control: Control) -> Result<Schedule, ExperimentError> {
        let end = self.typed.time.end;
        let mut marks = match &self.typed.observe.log {
            Some(LogTyped { from, .. }) if *from > end => return Err(self.too_late("observe.log.from", *from)),
            Some(LogTyped { from, per_decade }) => {
                let time = |k: u64| from * 10f64.powf(k as f64 / *per_decade as f64);
                (0..).map(time).take_while(|time| *time < end).collect()
            }
            None => self.marks()?,
        };
        marks.push(end);
        let whole = Growth { first: f64::INFINITY, factor: 1.0, most: f64::INFINITY };
        let Some(uneven) = Uneven::growing(whole, &marks) else {
            let problem = format!("makes more than {MOST} samples up to time.end = {}", Value::from(end));
            return Err(self.source.error("observe", "", problem, "write fewer times, or an earlier time.end"));
        };
        Ok(Schedule { control: Some(control), ..Schedule::uneven(uneven, Samples::Every(1)) })
    }

    /// The times of samples that are typed, or multiples.
    fn marks(&self) -> Result<Vec<f64>, ExperimentError> {
        let ObserveTyped { every, times, log: _, quantities: _, tokens: _, numbers: _ } = &self.typed.observe;
        let end = self.typed.time.end;
        let marks = match (every, times) {
            (Some(every), _) => self.multiples(*every)?,
            (None, Some(times)) => times.clone(),
            (None, None) => Vec::new(),
        };
        match marks.iter().enumerate().find(|(_, time)| **time > end) {
            Some((index, late)) => Err(self.too_late(&format!("observe.times.{index}"), *late)),
            None => Ok(marks),
        }
    }

    /// The times of samples up to the end.
    pub(super) fn multiples(&self, every: f64) -> Result<Vec<f64>, ExperimentError> {
        let end = self.typed.time.end;
        let count = (end / every * (1.0 + 1e-9)).floor();
        if count > MOST as f64 {
            let problem = format!("makes more than {MOST} samples up to time.end = {}", Value::from(end));
            return Err(self.source.error("observe.every", Value::from(every), problem, "write a larger one"));
        }
        let time = |k: u64| Decimal::of(every).map_or(k as f64 * every, |every| every.times(k)).min(end);
        Ok((1..=count as u64).map(time).collect())
    }

    /// The numbers of steps that end nearest to from * 10^{k / per_decade}, k = 0, 1, .., each once.
    pub(super) fn nearest(&self, log: LogTyped, ends: &[f64]) -> Result<Vec<u64>, ExperimentError> {
        let LogTyped { from, per_decade } = log;
        let end = self.typed.time.end;
        if from > end {
            return Err(self.too_late("observe.log.from", from));
        }
        let last = ((end.log10() - from.log10()) * per_decade as f64).ceil() as u64;
        let after = |k: u64| {
            let time = from * 10f64.powf(k as f64 / per_decade as f64);
            let next = ends.partition_point(|end| *end < time);
            let before = if next == 0 { 0.0 } else { ends[next - 1] };
            let is_next = ends.get(next).is_some_and(|next| next - time <= time - before);
            next as u64 + u64::from(is_next)
        };
        let mut list: Vec<u64> = (0..=last).map(after).filter(|after| *after > 0).collect();
        list.dedup();
        Ok(list)
    }

    /// Refuses steps of controlled error where the scheme does not estimate it, or something counts steps.
    pub(super) fn require_control(&self, problem: &Problem) -> Result<(), ExperimentError> {
        if problem.schedule.control.is_none() {
            return Ok(());
        }
        let refused =
            |key: &str, problem: &str, remedy: &str| Err(self.source.error(key, self.quoted(key), problem, remedy));
        if !problem.scheme.estimates_errors() {
            let remedy = "write time.scheme = \"heun\" or \"bogacki-shampine\", or one length of steps";
            let problem = "has no estimate of its error, which time.step.tolerance asks for";
            return refused("time.scheme", problem, remedy);
        }
        if self.typed.reference.is_some() && self.reference_steps() == ReferenceSteps::Tokens {
            let problem = "has steps of controlled error, and the limit takes those of the tokens";
            let remedy = "write one length, e.g. time.step = 0.05, or a limit with reference.steps = \"own\"";
            return refused("time.step", problem, remedy);
        }
        match needs_whole_steps(&problem.model, &problem.model_schedule) {
            None => Ok(()),
            Some(problem) => refused("time.step", problem, "write one length, e.g. time.step = 0.05"),
        }
    }

    /// Refuses steps of several lengths where the equation needs one.
    pub(super) fn require_even_steps(&self, problem: &Problem) -> Result<(), ExperimentError> {
        match problem.schedule.uneven.as_ref().and_then(|_| needs_even_steps(&problem.model, &problem.model_schedule))
        {
            None => Ok(()),
            Some(problem) => {
                let remedy = "write one length, e.g. time.step = 0.05";
                Err(self.source.error("time.step", self.quoted("time.step"), problem, remedy))
            }
        }
    }
}
