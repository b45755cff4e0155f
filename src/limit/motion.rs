//! Who moves a limit: a solver that chooses its own steps, or the scheme and the steps of the tokens.

use std::{borrow::Cow, f64::consts::TAU, ops::Range};

use serde::{Deserialize, Serialize};

use super::solver::{Flow, Solver, SolverError, add};
use crate::{
    backend::{self, BackendError, cpu::Cpu},
    model::{Model, ModelSchedule},
    observables::EquiangularTokens,
    problem::{Problem, ReferenceSteps as Steps, Schedule},
    scheme::Tableau,
    tokens::Tokens,
};

/// The equation as a function of layer-time within one step of the tokens.
pub(super) struct Models {
    base: Model,
    model_schedule: ModelSchedule,
    step: u64,
}

impl Models {
    pub(super) fn of(problem: &Problem) -> Self {
        Self { base: problem.model.clone(), model_schedule: problem.model_schedule.clone(), step: 0 }
    }

    pub(super) fn set_step(&mut self, step: u64) {
        self.step = step;
    }

    pub(super) fn at(&self, time: f64) -> Cow<'_, Model> {
        self.model_schedule.at(&self.base, self.step, time)
    }

    pub(super) fn is_constant(&self) -> bool {
        self.model_schedule.is_constant()
    }
}

/// Where a limit has come to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The state of its equation, and behind that the angles of tokens whose quantiles are known, where these are counted apart.
    #[serde(skip)]
    pub numbers: Vec<f64>,
    /// The length of the solver's next step, if it has taken one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<f64>,
}

pub(super) enum Motion {
    /// By the solver.
    Own { flow: Box<dyn Flow>, state: Vec<f64>, solver: Solver },
    /// By the tokens' scheme.
    Scheme { flow: Box<dyn Flow>, state: Vec<f64> },
    /// By a backend, which moves nodes and coupled tokens as it moves tokens.
    Backend {
        cpu: Box<Cpu<f64>>,
        /// The tokens whose quantiles are known, and their angles, which count on over full turns.
        quantiles: Range<usize>,
        angles: Vec<f64>,
    },
}

impl Motion {
    pub(super) fn own(flow: impl Flow + 'static, state: Vec<f64>) -> Self {
        Self::Own { flow: Box::new(flow), state, solver: Solver::default() }
    }

    pub(super) fn of(flow: impl Flow + 'static, state: Vec<f64>, steps: Steps) -> Self {
        match steps {
            Steps::Own => Self::own(flow, state),
            Steps::Tokens => Self::Scheme { flow: Box::new(flow), state },
        }
    }

    pub(super) fn backend(cpu: Cpu<f64>, quantiles: Range<usize>, angles: &[f64]) -> Self {
        Self::Backend { cpu: Box::new(cpu), quantiles, angles: angles.to_vec() }
    }

    /// From the end of step `start` of the tokens to that of step `end`.
    pub(super) fn advance(&mut self, problem: &Problem, start: u64, end: u64) -> Result<(), SolverError> {
        let Problem { model_schedule, model, schedule, scheme, .. } = problem;
        match self {
            Motion::Own { flow, state, solver } if model_schedule.is_constant() => {
                solver.advance(flow.as_mut(), state, schedule.time(start), schedule.time(end))?;
            }
            Motion::Own { flow, state, solver } => {
                for step in start..end {
                    flow.set_step(step);
                    solver.advance(flow.as_mut(), state, schedule.time(step), schedule.time(step + 1))?;
                }
            }
            Motion::Scheme { flow, state } => {
                for step in start..end {
                    flow.set_step(step);
                    take(flow.as_mut(), state, scheme.tableau(), schedule, step)?;
                }
            }
            Motion::Backend { cpu, quantiles, angles } => {
                let mut done = start;
                while done < end {
                    if !model_schedule.is_constant() {
                        cpu.set_model(&model_schedule.at(model, done, schedule.time(done)))?;
                    }
                    let most = if angles.is_empty() { end - done } else { 1 };
                    done += backend::advance(problem, cpu.as_mut(), done, most)?;
                    follow(angles, &cpu.coordinates(), quantiles.clone());
                }
            }
        }
        Ok(())
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        match self {
            Motion::Own { flow: _, state, solver } => Snapshot { numbers: state.clone(), step: solver.step() },
            Motion::Scheme { flow: _, state } => Snapshot { numbers: state.clone(), step: None },
            Motion::Backend { cpu, quantiles: _, angles } => {
                Snapshot { numbers: [cpu.coordinates().as_slice(), angles].concat(), step: None }
            }
        }
    }

    /// Goes on from `snapshot`, unless that has another number of numbers: whether it has not.
    pub(super) fn resume(&mut self, problem: &Problem, snapshot: &Snapshot) -> Result<bool, BackendError> {
        let Snapshot { numbers, step } = snapshot;
        match self {
            Motion::Own { state, .. } | Motion::Scheme { state, .. } if state.len() != numbers.len() => {
                return Ok(false);
            }
            Motion::Own { flow: _, state, solver } => {
                state.clone_from(numbers);
                *solver = Solver::with_step(*step);
            }
            Motion::Scheme { flow: _, state } => state.clone_from(numbers),
            Motion::Backend { cpu, quantiles: _, angles } => {
                let count = problem.tokens.shape.coordinates();
                if numbers.len() != count + angles.len() {
                    return Ok(false);
                }
                let (tokens, counted) = numbers.split_at(count);
                let tokens = Tokens { coordinates: tokens.to_vec(), ..problem.tokens.clone() };
                **cpu = Cpu::new(&Problem { tokens, ..problem.clone() })?;
                angles.copy_from_slice(counted);
            }
        }
        Ok(true)
    }

    /// Nodes and coupled tokens, ordered (token, component).
    pub(super) fn tokens(&self) -> Vec<f64> {
        match self {
            Motion::Own { flow, state, .. } | Motion::Scheme { flow, state } => flow.tokens(state),
            Motion::Backend { cpu, .. } => cpu.coordinates(),
        }
    }

    /// Lengths and overlap, where tokens are equiangular.
    pub(super) fn equiangular(&self) -> Option<EquiangularTokens> {
        match self {
            Motion::Own { flow, state, .. } | Motion::Scheme { flow, state } => flow.equiangular(state),
            Motion::Backend { .. } => None,
        }
    }

    pub(super) fn angles(&self) -> Vec<f64> {
        match self {
            Motion::Own { flow, state, .. } | Motion::Scheme { flow, state } => flow.angles(state),
            Motion::Backend { angles, .. } => angles.clone(),
        }
    }
}

/// Counts angles on to those of the tokens, which have moved by less than half a turn.
fn follow(angles: &mut [f64], tokens: &[f64], quantiles: Range<usize>) {
    for (angle, index) in angles.iter_mut().zip(quantiles) {
        let turn = tokens[2 * index + 1].atan2(tokens[2 * index]) - *angle;
        *angle += turn - TAU * (turn / TAU).round();
    }
}

/// One step of a scheme, stage by stage.
fn take(
    flow: &mut dyn Flow,
    state: &mut [f64],
    tableau: &Tableau,
    schedule: &Schedule,
    step: u64,
) -> Result<(), BackendError> {
    let h = schedule.step(step);
    let mut stages: Vec<Vec<f64>> = Vec::new();
    for (s, row) in tableau.a.iter().enumerate() {
        let mut point = state.to_vec();
        add(&mut point, h, row, &stages);
        if s > 0 {
            flow.retract(&mut point);
        }
        let mut velocity = vec![0.0; state.len()];
        flow.velocity(schedule.time(step) + tableau.node(s) * h, &point, &mut velocity)?;
        stages.push(velocity);
    }
    add(state, h, tableau.b, &stages);
    flow.retract(state);
    Ok(())
}
