//! The limit by a larger sample: an approximation, for laws and dimensions that have neither nodes nor an axis.

use super::{Limit, LimitError, Nodes, beside, serves};
use crate::{
    initial::{Law, LawError, draw_for},
    problem::Problem,
    random::Purpose,
    tokens::Shape,
};

/// The limit of `problem` from the law `law`, by `count` tokens drawn from it with streams of their own: independent of those
/// of the problem, whatever their seed. Its error is that of propagation of chaos, of order count^{-1/2}.
pub fn particles(problem: &Problem, law: &Law, count: usize, seed: u64) -> Result<Limit, LimitError> {
    serves(&problem.model)?;
    if !law.is_drawn() {
        return Err(LimitError::Law(LawError {
            key: "law",
            problem: "is no law that a larger sample could be drawn from".into(),
            remedy: "take uniform, von-mises-fisher, cap, two-clusters or gaussian".into(),
        }));
    }
    let shape = Shape { replicas: 1, count, dim: problem.tokens.shape.dim, passive: 0 };
    let coordinates = draw_for(Purpose::Reference, law, shape, seed)?;
    let weights = vec![1.0 / count as f64; count];
    Ok(beside(problem, Nodes::Points, coordinates, &weights, &problem.tokens.coordinates))
}
