//! The limit by a larger sample: an approximation, for laws and dimensions that have neither nodes nor an axis.

use super::{Limit, LimitError, Motion, Nodes, problem_of_nodes, serves};
use crate::{
    backend::cpu::Cpu,
    initial::{Law, LawError, draw_for},
    problem::Problem,
    random::Purpose,
    tokens::Shape,
};

/// The limit of `problem` from the law `law`, by `count` tokens drawn from it with streams of their own: independent of those
/// of the problem, whatever their seed. Its error is that of propagation of chaos, of order count^{-1/2}. It takes the steps of the
/// tokens.
pub fn particles(problem: &Problem, law: &Law, count: usize, seed: u64) -> Result<Limit, LimitError> {
    serves(&problem.model)?;
    if !law.form().is_drawn() {
        let problem = "is no law that a larger sample could be drawn from";
        let remedy = "take uniform, von-mises-fisher, cap, fourier, two-clusters, gaussian, box or a mixture";
        return Err(LimitError::Law(LawError::new("law", problem, remedy)));
    }
    let shape = Shape { replicas: 1, count, dim: problem.tokens.shape.dim, passive: 0 };
    let coordinates = draw_for(Purpose::Reference, law, shape, seed)?;
    let weights = vec![1.0 / count as f64; count];
    let limit = problem_of_nodes(problem, &coordinates, &weights, &problem.tokens.coordinates);
    let cpu = Cpu::<f64>::new(&limit)?;
    Ok(Limit::new(limit, Nodes::Points, Motion::backend(cpu, 0..0, &[])).sampled())
}
