//! The sliced distance of a replica from the limit.

use super::{
    Definition, Limit, Need, Numbers, Objection, Observable, Parameter, Parametrized, Range, Resolution, Setup,
    Value, View,
    distances::{self, objection_to_heights, objection_to_moments},
    law::Law,
    wasserstein,
};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    observe::Statistics,
    tokens::Tokens,
    transport::{Measure, Order, TransportError, sliced::Sliced},
};

/// `sliced_w2_reference` = (mean over directions of W_2^2 of projections)^{1/2}, chordal, and `sliced_w2_reference_error`, one
/// standard deviation of it over draws of the directions, which are the same at all times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlicedW2Reference {
    /// How many directions are drawn.
    pub projections: u32,
}

const DEFINITION: Definition = Definition {
    word: "sliced_w2_reference",
    documentation: "(mean over directions theta of W_2^2(<theta, mu>, <theta, limit>))^{1/2}, chords, over `projections` \
        directions, the same at all times and in all runs; to 1e-7 of the longest token where a GPU measures it. \
        And sliced_w2_reference_error, one standard deviation of it over draws of the directions",
    needs: &[Need::Tokens, Need::Reference],
    replicas_a_sample: 1,
    curve: None,
};

impl SlicedW2Reference {
    pub(super) const DEFAULT: Self = Self { projections: 256 };
}

impl Parametrized for SlicedW2Reference {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let (range, value) = (Range::Whole(2..=1_000_000), Value::Whole32(&mut self.projections));
        vec![Parameter { key: "projections", range, value }]
    }
}

impl Observable for SlicedW2Reference {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["sliced_w2_reference".into(), "sliced_w2_reference_error".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        setup.objection_without_reference()
    }

    fn objection_to_tokens(&self, setup: &Setup, tokens: &Tokens) -> Option<Objection> {
        let line = || {
            Objection::new(
                "sliced_w2_reference is a mean over directions, and tokens of one component have two of them, along which it is W_2",
                "write \"w2_reference\", \"mmd_reference\" or \"moments_reference\" instead",
            )
        };
        let on_line = (tokens.shape.dim == 1).then(line);
        objection_to_moments(setup).or_else(|| objection_to_heights(setup, tokens.shape.dim)).or(on_line)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        let [replicas, _, dim] = sizes.shape();
        let each = DOUBLE * dim.1.saturating_add(replicas.1.saturating_mul(3));
        Part::new("costs along directions", each, &[("observe.projections", self.projections.into())])
    }

    /// Measured of all replicas at once, but for tokens without a limit.
    fn measure(&self, _: &View, _: usize, _: &Statistics) -> Numbers {
        Ok(vec![f64::NAN; 2])
    }

    fn measure_together(&self, view: &View) -> Result<Option<Vec<Vec<f64>>>, TransportError> {
        let Some(limit) = view.limit else { return Ok(None) };
        let (slices, error) = limit.slices(self.projections)?;
        let replicas = view.equation.tokens.shape.replicas;
        let laws: Vec<Law> = (0..replicas).map(|replica| distances::sources(view, replica)).collect();
        let measures = laws.iter().map(Law::measure).collect::<Result<Vec<Measure>, _>>()?;
        Ok(Some(roots(&slices.costs(Order::Two, &measures)?, replicas, error)))
    }

    /// Of a law on the circle it reads quantiles, and of one on the sphere moments.
    fn resolution(&self, sources: usize) -> Resolution {
        Resolution { reads_moments: true, ..wasserstein::resolution(sources) }
    }

    /// What is left of an error is in the second column.
    fn law_error(&self, _: &Limit) -> Option<f64> {
        Some(0.0)
    }

    fn law_nodes(&self, limit: &Limit) -> Option<usize> {
        limit.point_count()
    }
}

/// The distances, and their errors, that costs W_2^2, ordered (replica, direction), make, where what stands for the law is
/// `error` from it.
pub(crate) fn roots(costs: &[f64], replicas: usize, error: f64) -> Vec<Vec<f64>> {
    let root = |costs: &[f64]| {
        let Sliced { distance, standard_error } = Sliced::of(Order::Two, costs);
        vec![distance, standard_error.hypot(error)]
    };
    costs.chunks_exact(costs.len() / replicas).map(root).collect()
}
