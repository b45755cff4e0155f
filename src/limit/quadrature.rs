//! The limit by weighted nodes of the initial law, on the circle and on the sphere.

use std::ops::Range;

use super::{
    Limit, LimitError, MODES, Motion, Nodes, degree,
    motion::Models,
    on_sphere, pieces, problem_of_nodes, serves,
    solver::{Flow, largest},
};
use crate::{
    backend::{BackendError, cpu::Cpu},
    initial::{Law, circle_quantiles, quadrature},
    model::Field,
    observables::{Quantity, amplitudes},
    problem::{Problem, ReferenceSteps as Steps},
    tokens::Tokens,
    transport::harmonics::SphereMoments,
};

/// Nodes in a direction to begin with, and at most, on the circle and on the sphere.
const COARSEST: usize = 16;
const FINEST: [usize; 2] = [4096, 256];
/// Coupled tokens whose end decides how many nodes there are.
const PROBES: usize = 64;
/// The inverse temperature of the sharpest kernel that a distance may have.
const SHARPEST: f64 = 1e8;
/// How far moments of the law may be off, or be left out, in units of n^{-1/2}, which is how far those of n tokens are.
const MOMENTS: f64 = 1e-3;

/// The limit of `problem` from the law `law`, with steps of its own or those of the tokens.
///
/// Nodes are doubled in every direction until no probe, one of the first coupled tokens, ends more than `tolerance` from where half as
/// many nodes in a direction lead it, and until the law at the end is known as well as the distances that are asked for need it.
pub fn quadrature_within(problem: &Problem, law: &Law, tolerance: f64, steps: Steps) -> Result<Limit, LimitError> {
    serves(&problem.model)?;
    on_sphere(&problem.model)?;
    refuse_sharp_kernels(problem)?;
    let (dim, tokens) = (problem.tokens.shape.dim, &problem.tokens.coordinates);
    let probes = &tokens[..tokens.len().min(PROBES * dim)];
    let (fewest, degree) = (fewest(problem)?, degree(problem));
    let mut before: Option<Ended> = None;
    let mut fineness = COARSEST;
    loop {
        let mut probing = of_nodes(problem, law, steps, fineness, None, probes)?;
        probing.advance(0, problem.schedule.steps)?;
        let here = Ended::of(&probing, fineness, degree);
        let (change, law_change, modes_change) = match &before {
            None => (f64::INFINITY, f64::INFINITY, f64::INFINITY),
            Some(before) => {
                let modes = before.modes.iter().zip(&here.modes).map(|(a, b)| (a - b).abs()).fold(0.0, largest);
                (largest_distance(&before.coupled, &here.coupled, dim), before.distance(&here), modes)
            }
        };
        let is_finest = 2 * fineness > FINEST.get(dim.wrapping_sub(2)).copied().unwrap_or(0);
        let knows_law =
            !asks_for_moments(problem) || law_change <= MOMENTS / (problem.tokens.shape.sources() as f64).sqrt();
        let knows_modes = modes_change <= MODES;
        if change <= tolerance && fineness >= fewest && knows_modes && (knows_law || is_finest) {
            return of_nodes(problem, law, steps, fineness, Some(pieces(problem)), tokens);
        }
        if is_finest && change <= tolerance && !knows_modes {
            return Err(LimitError::UnresolvedModes { degree, fineness });
        }
        if is_finest {
            return Err(LimitError::Unresolved { fineness, change, tolerance });
        }
        before = Some(here);
        fineness *= 2;
    }
}

fn refuse_sharp_kernels(problem: &Problem) -> Result<(), LimitError> {
    let sources = problem.tokens.shape.sources();
    let beta = |quantity: &Quantity| quantity.resolution(sources).kernel_beta;
    match problem.quantities.iter().filter_map(beta).find(|beta| *beta > SHARPEST) {
        Some(beta) => Err(LimitError::SharpKernel { beta, most: SHARPEST }),
        None => Ok(()),
    }
}

/// Nodes in a direction that a Sinkhorn divergence needs on the sphere, a quarter of its width apart at most, and that modes need, two a
/// period.
fn fewest(problem: &Problem) -> Result<usize, LimitError> {
    let (most, degree) = (FINEST[1], degree(problem));
    let finest = FINEST.get(problem.tokens.shape.dim.wrapping_sub(2)).copied().unwrap_or(0);
    if 2 * degree > finest {
        return Err(LimitError::UnresolvedModes { degree, fineness: finest });
    }
    let needed = |quantity: &Quantity| quantity.resolution(problem.tokens.shape.sources()).nodes;
    let needed = problem.quantities.iter().map(needed).max().unwrap_or(0);
    match problem.tokens.shape.dim {
        3 if needed > most => Err(LimitError::TooFewNodes { needed, most }),
        3 => Ok(needed.max(2 * degree)),
        _ => Ok(2 * degree),
    }
}

/// Whether distances are asked for that read moments of the law on the sphere.
fn asks_for_moments(problem: &Problem) -> bool {
    let reads = |quantity: &Quantity| quantity.resolution(problem.tokens.shape.sources()).reads_moments;
    problem.tokens.shape.dim == 3 && problem.quantities.iter().any(reads)
}

/// Where a limit has come to.
struct Ended {
    coupled: Vec<f64>,
    /// On the sphere.
    moments: Option<SphereMoments>,
    /// Those that are asked for.
    modes: Vec<f64>,
}

impl Ended {
    fn of(limit: &Limit, fineness: usize, degree: usize) -> Self {
        let (mut tokens, weights) = (limit.tokens(), limit.weights());
        let modes = if degree > 0 { amplitudes(&limit.state(&tokens), degree) } else { Vec::new() };
        let dim = limit.problem.tokens.shape.dim;
        let coupled = tokens.split_off(weights.len() * dim);
        let moments = (dim == 3).then(|| SphereMoments::of(&tokens, weights, fineness / 2));
        Self { coupled, moments, modes }
    }

    /// How far the moments of twice as many nodes are from these, and how large the last of them are.
    fn distance(&self, finer: &Self) -> f64 {
        let (Some(moments), Some(finer)) = (&self.moments, &finer.moments) else { return 0.0 };
        moments.distance(finer).max(finer.tail())
    }
}

/// The limit with nodes of this fineness, the quantiles of the law in so many pieces if any, and coupled tokens that start at `coupled`.
fn of_nodes(
    problem: &Problem,
    law: &Law,
    steps: Steps,
    fineness: usize,
    pieces: Option<usize>,
    coupled: &[f64],
) -> Result<Limit, LimitError> {
    let dim = problem.tokens.shape.dim;
    let nodes = quadrature(law, dim, fineness)?;
    let curve = match pieces {
        Some(pieces) if dim == 2 && pieces > 0 => Some(circle_quantiles(law, pieces)?),
        _ => None,
    };
    let start: Vec<f64> = curve.iter().flat_map(|curve| &curve.angles).flat_map(|a| [a.cos(), a.sin()]).collect();
    let count = nodes.weights.len();
    let quantiles = count..count + start.len() / dim;
    let limit = problem_of_nodes(problem, &nodes.coordinates, &nodes.weights, &[start.as_slice(), coupled].concat());
    let cpu = Box::new(Cpu::<f64>::new(&limit)?);
    let motion = match (steps, problem.scheme.field()) {
        (Steps::Own, Field::Tangent) => {
            let (tokens, models) = (limit.tokens.clone(), Models::of(problem));
            let nodes = Moved { cpu, tokens, models };
            if dim == 2 {
                let mut angles: Vec<f64> =
                    nodes.tokens.coordinates.chunks_exact(2).map(|x| x[1].atan2(x[0])).collect();
                angles[quantiles.clone()].copy_from_slice(curve.as_ref().map_or(&[], |curve| &curve.angles));
                Motion::own(OnCircle { nodes, quantiles }, angles)
            } else {
                let state = nodes.tokens.coordinates.clone();
                Motion::own(OnSphere(nodes), state)
            }
        }
        (Steps::Tokens, _) | (Steps::Own, Field::Ambient | Field::Perceptron) => {
            Motion::backend(*cpu, quantiles, curve.as_ref().map_or(&[], |curve| &curve.angles))
        }
    };
    let grid = (dim == 3).then_some(fineness);
    Ok(Limit::new(limit, Nodes::Points, motion).with_masses(curve).with_grid(grid))
}

/// Nodes and coupled tokens that a backend evaluates.
struct Moved {
    cpu: Box<Cpu<f64>>,
    tokens: Tokens,
    models: Models,
}

impl Moved {
    /// The velocity where `place` puts the tokens.
    fn velocity(&mut self, time: f64, place: impl FnOnce(&mut [f64])) -> Result<Vec<f64>, BackendError> {
        if !self.models.is_constant() {
            self.cpu.set_model(&self.models.at(time))?;
        }
        place(&mut self.tokens.coordinates);
        self.cpu.velocity_at(&self.tokens)
    }
}

/// The state is the angle of every token, which counts on over full turns: so quantiles stay in their order.
struct OnCircle {
    nodes: Moved,
    quantiles: Range<usize>,
}

impl Flow for OnCircle {
    fn velocity(&mut self, time: f64, state: &[f64], velocity: &mut [f64]) -> Result<(), BackendError> {
        let moved = self.nodes.velocity(time, |tokens| place(tokens, state))?;
        for ((v, angle), moved) in velocity.iter_mut().zip(state).zip(moved.chunks_exact(2)) {
            let (sin, cos) = angle.sin_cos();
            *v = cos * moved[1] - sin * moved[0];
        }
        Ok(())
    }

    fn size(&self, _state: &[f64], error: &[f64]) -> f64 {
        error.iter().map(|e| e.abs()).fold(0.0, largest)
    }

    fn set_step(&mut self, step: u64) {
        self.nodes.models.set_step(step);
    }

    fn tokens(&self, state: &[f64]) -> Vec<f64> {
        let mut tokens = vec![0.0; 2 * state.len()];
        place(&mut tokens, state);
        tokens
    }

    fn angles(&self, state: &[f64]) -> Vec<f64> {
        state[self.quantiles.clone()].to_vec()
    }
}

/// Tokens at these angles.
fn place(tokens: &mut [f64], angles: &[f64]) {
    tokens.chunks_exact_mut(2).zip(angles).for_each(|(x, angle)| (x[1], x[0]) = angle.sin_cos());
}

/// The state are the tokens, off the sphere at stages: the field there is that of their directions, which leaves lengths as they are.
struct OnSphere(Moved);

impl Flow for OnSphere {
    fn velocity(&mut self, time: f64, state: &[f64], velocity: &mut [f64]) -> Result<(), BackendError> {
        let moved = self.0.velocity(time, |tokens| {
            tokens.copy_from_slice(state);
            normalize(tokens);
        })?;
        velocity.copy_from_slice(&moved);
        Ok(())
    }

    fn size(&self, _state: &[f64], error: &[f64]) -> f64 {
        error.iter().map(|e| e.abs()).fold(0.0, largest)
    }

    fn retract(&self, state: &mut [f64]) {
        normalize(state);
    }

    fn set_step(&mut self, step: u64) {
        self.0.models.set_step(step);
    }

    fn tokens(&self, state: &[f64]) -> Vec<f64> {
        state.to_vec()
    }
}

fn normalize(tokens: &mut [f64]) {
    for x in tokens.chunks_exact_mut(3) {
        let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
        x.iter_mut().for_each(|x| *x /= length);
    }
}

fn largest_distance(a: &[f64], b: &[f64], dim: usize) -> f64 {
    let square = |(a, b): (&[f64], &[f64])| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    a.chunks(dim).zip(b.chunks(dim)).map(square).fold(0.0, largest).sqrt()
}
