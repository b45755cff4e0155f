//! How lengths of tokens are spread.

use super::{Definition, Need, Numbers, Objection, Observable, OnDevice, Parameter, Parametrized, Setup, View};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
    vector::norm,
};

/// `norm_moment_p` = sum_j w_j |x_j|^p for p = 1 .. order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormMoments {
    /// The largest p.
    pub order: usize,
}

const DEFINITION: Definition = Definition {
    word: "norm_moments",
    documentation: "norm_moment_p = sum_j w_j |x_j|^p for p = 1 .. `order`, for tokens that have a length; to 3e-7 (p + 1) \
        of themselves where a GPU sums them, up to order 16",
    needs: &[Need::Tokens],
    replicas_a_sample: 1,
    curve: None,
};

impl NormMoments {
    pub(super) const DEFAULT: Self = Self { order: 4 };
}

impl Parametrized for NormMoments {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter::whole("order", &mut self.order, 1..=1000)]
    }
}

impl Observable for NormMoments {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        (1..=self.order).map(|p| format!("norm_moment_{p}")).collect()
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        let unit = || {
            Objection::new(
                "norm_moments are of lengths, and all tokens of this tokens.geometry have length 1",
                "leave them out",
            )
        };
        setup.is_unit.then(unit)
    }

    fn memory(&self, _: &Sizes) -> Part {
        Part::none()
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        Ok(norm_moments(view, replica, self.order))
    }

    fn on_device(&self) -> Option<OnDevice> {
        Some(OnDevice::NormMoments { order: self.order })
    }
}

/// sum_j w_j |x_j|^p for p = 1 .. order.
fn norm_moments(view: &View, replica: usize, order: usize) -> Vec<f64> {
    let tokens = view.equation.tokens;
    let mut moments = vec![0.0; order];
    for (token, x) in view.replica(replica).chunks_exact(tokens.shape.dim).take(tokens.shape.sources()).enumerate() {
        let (length, mut power) = (norm(x), tokens.weight(replica, token));
        for moment in &mut moments {
            power *= length;
            *moment += power;
        }
    }
    moments
}
