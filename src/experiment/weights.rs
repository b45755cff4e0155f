//! Weights that were written down elsewhere: at least 0, of sum 1 in every replica, and 0 for passive tokens.

use super::{Experiment, error::ExperimentError};
use crate::{
    initial::npy,
    tokens::{Shape, Weights},
};

impl Experiment {
    /// The weights of the file, used as they are; equal weights without one.
    pub(super) fn weights(&self, shape: Shape) -> Result<Weights, ExperimentError> {
        let Some(weights) = &self.typed.tokens.weights else { return Ok(Weights::Equal) };
        let error = |problem: String, remedy: String| {
            self.source.error("tokens.weights.path", weights.path.quoted(), problem, remedy)
        };
        let array = weights.path.array("tokens.weights.path", &self.source)?;
        let Shape { replicas, count, .. } = shape;
        let each = match array.shape[..] {
            [n] if n == count => array.values.repeat(replicas),
            [r, n] if r == replicas && n == count => array.values,
            _ => {
                let problem = format!("has the shape {}", npy::shape_text(&array.shape));
                return Err(error(problem, format!("save an array of shape ({count},) or ({replicas}, {count})")));
            }
        };
        for (replica, weights) in each.chunks_exact(count).enumerate() {
            if let Some(token) = weights.iter().position(|weight| *weight < 0.0) {
                let problem = format!("token {token} of replica {replica} has the weight {}", weights[token]);
                return Err(error(problem, "write weights of at least 0".into()));
            }
            let tail = &weights[count - shape.passive..];
            if let Some(token) = tail.iter().position(|weight| *weight != 0.0) {
                let (weight, token) = (tail[token], count - shape.passive + token);
                let problem = format!("token {token} of replica {replica} is passive and has the weight {weight}");
                return Err(error(problem, "write weight 0 for passive tokens, or a smaller tokens.passive".into()));
            }
            let sum: f64 = weights.iter().sum();
            if (sum - 1.0).abs() > 1e-6 {
                let problem = format!("the weights of replica {replica} sum to {sum}, not to 1");
                return Err(error(problem, format!("divide them by {sum}")));
            }
        }
        Ok(Weights::Each(each))
    }
}
