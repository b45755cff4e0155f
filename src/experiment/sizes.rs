//! How large the problem is that was asked for, told before any of it is made.

use super::{
    Experiment,
    error::ExperimentError,
    geometry::GeometryWord,
    head::{HeadTyped, ScoresTyped, ValuesTyped},
    matrix::MatrixTyped,
    matrix_schedule::MatrixScheduleTyped,
    reference::ReferenceWord,
};
use crate::{
    budget::{Limit, Shortage, Sizes, made},
    model::Position,
    observables::{Need, Quantity},
    problem::{Reference, slots},
    tokens::Shape,
};

/// Nodes of limits that do not say how many they have, at least.
const FEWEST: u64 = 256;

impl Experiment {
    /// Refuses what does not fit, whichever backend moves the tokens.
    pub(super) fn require_memory(&self, shape: Shape, quantities: &[Quantity]) -> Result<(), ExperimentError> {
        let sizes = self.sizes(shape, quantities);
        let observed = quantities.iter().map(|quantity| quantity.observable().memory(&sizes)).collect();
        sizes.require(observed).map_err(|shortage| self.shortage(&shortage))
    }

    fn shortage(&self, shortage: &Shortage) -> ExperimentError {
        let (key, number) = shortage.blame().map_or(("tokens", String::new()), |(key, n)| (key, n.to_string()));
        self.source.error(key, number, shortage.problem(), shortage.remedy())
    }

    fn sizes(&self, shape: Shape, quantities: &[Quantity]) -> Sizes {
        let Shape { replicas, count, dim, .. } = shape;
        let noise = self.typed.noise.as_ref().map(|noise| noise.resolve(&self.shared()).field);
        Sizes {
            replicas: replicas as u64,
            count: count as u64,
            dim: dim as u64,
            slots: slots(self.typed.time.scheme.meaning, noise.is_some()),
            is_unit: self.geometry().is_unit(),
            is_weighted: self.typed.tokens.weights.is_some(),
            matrices: self.matrices(),
            is_rescaled: self.geometry() == GeometryWord::Rescaled,
            noise,
            has_columns_of_components: quantities.contains(&Quantity::Moments),
            has_second_moments: quantities.iter().any(|quantity| quantity.needs(Need::SecondMoment)),
            reads_tokens: quantities
                .iter()
                .any(|quantity| quantity.needs(Need::Tokens) || quantity.needs(Need::Reference)),
            limit: self.limit_sizes(),
        }
    }

    fn limit_sizes(&self) -> Option<Limit> {
        let kind = self.typed.reference.as_ref()?.kind.meaning;
        let (nodes, is_counted) = match self.reference() {
            Some((Reference::Particles { count }, _)) => (count as u64, true),
            _ => (FEWEST, false),
        };
        let nodes_a_component = if kind == ReferenceWord::Gaussian { 2 } else { 0 };
        Some(Limit { nodes, is_counted, nodes_a_component })
    }

    /// Matrices of d * d entries that are made for heads.
    fn matrices(&self) -> usize {
        let attention = &self.typed.attention;
        // Whatever the place of a token is, matrices are made alike.
        let position = attention.position.as_ref().map_or(Position::Nowhere, |_| Position::Rotary { base: 1.0 });
        let made = made(attention.normalization(), &position);
        let rows = attention.head.iter().map(|head| head.copies() * (made + matrices(head))).sum::<usize>();
        rows + if attention.head.is_empty() { made } else { 0 }
    }
}

fn matrices(head: &HeadTyped) -> usize {
    let scores = match &head.scores {
        ScoresTyped::Whole { query_key } => usize::from(is_whole(query_key)),
        ScoresTyped::Factors { .. } => 0,
    };
    let values = match &head.values {
        ValuesTyped::Whole { value } => usize::from(is_whole(value)),
        ValuesTyped::Factors { .. } => 0,
    };
    scores + values
}

/// Whether all entries of a matrix are written down.
fn is_whole(schedule: &MatrixScheduleTyped) -> bool {
    match schedule {
        MatrixScheduleTyped::Constant(matrix) => matches!(matrix, MatrixTyped::Rows(_) | MatrixTyped::Path(_)),
        MatrixScheduleTyped::Layers { .. }
        | MatrixScheduleTyped::Random { .. }
        | MatrixScheduleTyped::Oscillating { .. }
        | MatrixScheduleTyped::OrnsteinUhlenbeck { .. } => true,
        MatrixScheduleTyped::OfQueryKey { .. } => false,
    }
}
