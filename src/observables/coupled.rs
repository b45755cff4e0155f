//! How far tokens are from their coupled tokens in the limit: root mean squares of |x_i - xbar_i|, chordal.

use super::{Objection, Setup, View};

/// Without a limit there are no coupled tokens.
pub fn objection(setup: &Setup) -> Option<Objection> {
    let none = || {
        Objection::new(
            "coupling_error and tagged_error compare tokens with their coupled tokens in the limit",
            "write a table [reference], or leave them out",
        )
    };
    setup.reference.is_none().then(none)
}

/// Over sources; not a number without a limit.
pub fn coupling_error(view: &View, replica: usize) -> f64 {
    root_mean_square(&squares(view, replica)[..view.equation.tokens.shape.sources()])
}

/// Over passive tokens; not a number without a limit, or where there are none.
pub fn tagged_error(view: &View, replica: usize) -> f64 {
    root_mean_square(&squares(view, replica)[view.equation.tokens.shape.sources()..])
}

/// |x_i - xbar_i|^2 of every token.
fn squares(view: &View, replica: usize) -> Vec<f64> {
    let shape = view.equation.tokens.shape;
    let Some(coupled) = view.coupled(replica) else {
        return vec![f64::NAN; shape.count];
    };
    let square = |(x, y): (&[f64], &[f64])| x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>();
    view.replica(replica).chunks_exact(shape.dim).zip(coupled.chunks_exact(shape.dim)).map(square).collect()
}

fn root_mean_square(squares: &[f64]) -> f64 {
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Model, ModelSchedule},
        observables::{Equation, Limit, LimitState, Nodes},
        tokens::{Shape, Tokens, Weights},
    };

    /// Of the second replica, behind two nodes: sources 3 and 4 off give (25 / 2)^{1/2}, the one passive token (1, 2) off
    /// gives 5^{1/2}.
    #[test]
    fn sources_couple_and_passive_tokens_are_tagged() {
        let shape = Shape { replicas: 2, count: 3, dim: 2, passive: 1 };
        let tokens = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 4.0, 1.0, 2.0];
        let coupled = [vec![9.0; 4], vec![7.0; 6], vec![0.0; 6]].concat();
        let start = Tokens { shape, coordinates: tokens.to_vec(), weights: Weights::Equal };
        let (model, model_schedule) = (Model::default(), ModelSchedule::Constant);
        let state = LimitState {
            shape: Shape { replicas: 1, count: 8, dim: 2, passive: 6 },
            tokens: &coupled,
            weights: &[0.5; 2],
            nodes: &Nodes::Points,
            quantiles: None,
            grid: None,
            is_unit: true,
            is_sampled: false,
            are_tokens: false,
            equiangular: None,
        };
        let limit = Limit::new(state, &[], 2).expect("a limit");
        let view = View {
            equation: Equation { tokens: &start, model: &model, model_schedule: &model_schedule },
            model: &model,
            time: 0.0,
            tokens: &tokens,
            velocities: &[],
            limit: Some(&limit),
            centres: &[],
        };
        assert_eq!(coupling_error(&view, 1), 12.5_f64.sqrt());
        assert_eq!(tagged_error(&view, 1), 5.0_f64.sqrt());
        assert_eq!(tagged_error(&view, 0), 98.0_f64.sqrt());
    }
}
