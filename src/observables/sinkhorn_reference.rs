//! The debiased entropic cost of transport from a replica to the limit.

use super::{
    Definition, Limit, Need, Numbers, Objection, Observable, Parameter, Parametrized, Resolution, Setup, View,
    distances::{self, from_limit, objection_to_heights, objection_to_moments},
};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
    tokens::Tokens,
    transport::sinkhorn::{self, Sinkhorn},
};

/// When a Sinkhorn divergence is known, and when it is given up.
const MARGINAL: f64 = 1e-6;
const ITERATIONS: u32 = 20_000;

/// `sinkhorn_reference`: the debiased entropic cost of |x - y|^2 / 2, W_2^2 / 2 as epsilon -> 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SinkhornReference {
    /// The entropic regularisation, in units of the cost.
    pub epsilon: f64,
}

const DEFINITION: Definition = Definition {
    word: "sinkhorn_reference",
    documentation: "the debiased entropic cost of transport |x - y|^2 / 2 to the limit at `epsilon`, W_2^2 / 2 as epsilon -> \
        0",
    needs: &[Need::Tokens, Need::Reference],
    replicas_a_sample: 1,
    curve: None,
};

impl SinkhornReference {
    pub(super) const DEFAULT: Self = Self { epsilon: 0.05 };
}

impl Parametrized for SinkhornReference {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter::number("epsilon", &mut self.epsilon, "finite and greater than 0", |epsilon| epsilon > 0.0)]
    }
}

impl Observable for SinkhornReference {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["sinkhorn_reference".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        setup.objection_without_reference()
    }

    fn objection_to_tokens(&self, setup: &Setup, tokens: &Tokens) -> Option<Objection> {
        let (epsilon, least) = (self.epsilon, sinkhorn::LEAST);
        let rounded = || {
            Objection::new(
                format!(
                    "observe.epsilon = {epsilon:e} is below {least:e}, where rounding of the costs decides the plan"
                ),
                format!("write observe.epsilon = {least:e} or more, or \"w2_reference\""),
            )
        };
        objection_to_moments(setup)
            .or_else(|| (setup.is_unit && epsilon < least).then(rounded))
            .or_else(|| objection_to_heights(setup, tokens.shape.dim))
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        distances::memory(sizes)
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        let settings = Sinkhorn { epsilon: self.epsilon, tolerance: MARGINAL, iterations: ITERATIONS };
        Ok(vec![from_limit(view, replica, |a, b| Ok(sinkhorn::divergence(a, b, settings)?.value))?])
    }

    /// The width of the entropy, epsilon^{1/2}, holds many pieces of the circle, and is four nodes of the sphere at least.
    fn resolution(&self, sources: usize) -> Resolution {
        let width = self.epsilon.sqrt();
        Resolution {
            pieces: 64.0 * (sources as f64).sqrt().max(2.0 / width),
            nodes: (4.0 * std::f64::consts::PI / width).ceil() as usize,
            ..Resolution::default()
        }
    }

    fn law_error(&self, _: &Limit) -> Option<f64> {
        Some(0.0)
    }

    fn law_nodes(&self, limit: &Limit) -> Option<usize> {
        limit.point_count()
    }
}
