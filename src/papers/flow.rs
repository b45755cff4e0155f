//! Solutions of ordinary differential equations that predictions ask for.

use std::collections::BTreeSet;

use crate::{
    backend::BackendError,
    expression::Expression,
    limit::{Flow, Solver},
};

/// The value of a name, where it is known.
pub(super) type Values<'a> = &'a dyn Fn(&str) -> Option<f64>;

/// When a flow ends, and what is asked of it then.
#[derive(Clone, Debug)]
pub(super) enum End {
    Until(Expression),
    At { time: Expression, value: Expression },
}

/// Beyond this time nothing is waited for.
const LATEST: f64 = 1e9;
/// How sharp a time is, relative to itself or to one.
const SHARPEST: f64 = 1e-12;

/// dy/dt for the names in their order.
struct Equation<'a> {
    rates: &'a [(String, Expression)],
    /// Of all other names, once for all.
    values: Vec<(String, f64)>,
}

impl Equation<'_> {
    fn at(&self, formula: &Expression, time: f64, state: &[f64]) -> f64 {
        let value_of = |name: &str| match self.rates.iter().position(|(own, _)| own == name) {
            Some(index) => Some(state[index]),
            None if name == "t" => Some(time),
            None => self.values.iter().find(|(other, _)| other == name).map(|(_, value)| *value),
        };
        formula.value(&value_of).unwrap_or(f64::NAN)
    }
}

impl Flow for Equation<'_> {
    fn velocity(&mut self, time: f64, state: &[f64], velocity: &mut [f64]) -> Result<(), BackendError> {
        for (velocity, (_, rate)) in velocity.iter_mut().zip(self.rates) {
            *velocity = self.at(rate, time, state);
        }
        Ok(())
    }
}

/// What is asked of the solution from `start` at the time 0; not a number where it does not get there.
pub(super) fn value(rates: &[(String, Expression)], start: Vec<f64>, end: &End, values: Values<'_>) -> f64 {
    let ends = match end {
        End::Until(condition) => vec![condition],
        End::At { time, value } => vec![time, value],
    };
    let formulas = rates.iter().map(|(_, rate)| rate).chain(ends);
    let names = formulas.flat_map(|formula| formula.names()).collect::<BTreeSet<_>>();
    let values: Vec<(String, f64)> =
        names.into_iter().filter_map(|name| Some((name.to_owned(), values(name)?))).collect();
    let mut equation = Equation { rates, values };
    match end {
        End::At { time, value } => {
            let (end, mut state) = (equation.at(time, 0.0, &start), start);
            match Solver::default().advance(&mut equation, &mut state, 0.0, end) {
                Ok(()) => equation.at(value, end, &state),
                Err(_) => f64::NAN,
            }
        }
        End::Until(condition) => until(&mut equation, start, condition),
    }
}

/// The first time that a condition holds: intervals grow until it does at the end of one, and are halved then.
fn until(equation: &mut Equation<'_>, mut state: Vec<f64>, condition: &Expression) -> f64 {
    if equation.at(condition, 0.0, &state) != 0.0 {
        return 0.0;
    }
    let (mut time, mut length, mut has_held) = (0.0, 1e-3, false);
    let mut solver = Solver::default();
    while time < LATEST {
        let mut next = state.clone();
        if solver.advance(equation, &mut next, time, time + length).is_err() {
            return f64::NAN;
        }
        let holds = equation.at(condition, time + length, &next) == 1.0;
        has_held |= holds;
        if !holds {
            (state, time) = (next, time + length);
        }
        length *= if has_held { 0.5 } else { 1.1 };
        if has_held && length < SHARPEST * time.max(1.0) {
            return time + length;
        }
    }
    f64::NAN
}
