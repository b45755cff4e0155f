//! When tokens are kept, and how many of them.

use super::Problem;
use crate::{
    observables::{self, Quantity},
    tokens::Shape,
};

impl Problem {
    /// What is kept of tokens over time, if anything is.
    pub fn kept_tokens(&self) -> Option<observables::Tokens> {
        self.quantities.iter().find_map(|quantity| match quantity {
            Quantity::Tokens(tokens) => Some(*tokens),
            _ => None,
        })
    }

    /// Whether tokens are kept after so many steps: at every sample, or at times of their own and at the start and the end.
    pub fn keeps_tokens(&self, steps: u64) -> bool {
        let keeps = |tokens: observables::Tokens| match tokens.every {
            None => self.schedule.observes(steps),
            Some(every) => steps.is_multiple_of(every) || steps == self.schedule.steps,
        };
        self.kept_tokens().is_some_and(keeps)
    }

    /// How often tokens are kept.
    pub fn times_of_tokens(&self) -> u64 {
        let steps = self.schedule.steps;
        self.kept_tokens().map_or(0, |tokens| match tokens.every {
            None => self.schedule.observations(),
            Some(every) => 1 + steps.saturating_sub(1) / every.max(1) + u64::from(steps > 0),
        })
    }

    /// How many tokens are kept, where those of a problem have this shape.
    pub fn shape_of_kept(&self, shape: Shape) -> Shape {
        let sample = self.kept_tokens().and_then(|tokens| tokens.sample);
        let count = sample.map_or(shape.count, |sample| shape.count.min(sample as usize));
        Shape { count, passive: 0, ..shape }
    }

    /// Steps from `steps` to the next sample, or to the next time at which tokens are kept; zero after the last.
    pub fn until_looked_at(&self, steps: u64) -> u64 {
        let observed = self.schedule.until_observed(steps);
        let every = self.kept_tokens().and_then(|tokens| tokens.every);
        every.map_or(observed, |every| observed.min(every - steps % every))
    }
}

#[cfg(test)]
mod tests {
    use crate::experiment::Experiment;

    /// Every step is looked at that is to be, and as often as is said.
    #[test]
    fn steps_end_where_tokens_are_kept() {
        for (end, observe) in [
            (1.0, "every = 0.3"),
            (1.0, "every = 0.3, tokens = { every = 0.2 }"),
            (1.0, "every = 0.1, tokens = { every = 0.7 }"),
            (0.7, "tokens = { every = 0.7 }"),
            (0.7, "times = [0.1, 0.2], tokens = { every = 5.0 }"),
            (0.0, "tokens = { every = 0.2 }"),
            (1.2, "log = { from = 0.1, per-decade = 4 }, tokens = { every = 0.4 }"),
        ] {
            let text = format!(
                "tokens = {{ count = 3, dim = 3, initial = {{ law = \"uniform\" }} }}\n\
                 attention = {{ beta = 1.0, normalization = \"softmax\" }}\n\
                 time = {{ scheme = \"euler\", step = 0.1, end = {end:?} }}\n\
                 observe = {{ quantities = [\"energy\", \"tokens\"], {observe} }}\n"
            );
            let problem = Experiment::parse(&text).and_then(|experiment| experiment.resolve()).expect("a problem");
            let steps = problem.schedule.steps;
            let kept: Vec<u64> = (0..=steps).filter(|step| problem.keeps_tokens(*step)).collect();
            assert_eq!(kept.len() as u64, problem.times_of_tokens(), "{observe}");
            assert!(kept.first() == Some(&0) && kept.last() == Some(&steps), "{observe}: {kept:?}");
            let (mut at, mut seen) = (0, vec![0]);
            while at < steps {
                at += problem.until_looked_at(at);
                seen.push(at);
            }
            let due = |step: &u64| problem.keeps_tokens(*step) || problem.schedule.observes(*step);
            assert_eq!(seen, (0..=steps).filter(due).collect::<Vec<u64>>(), "{observe}");
        }
    }
}
