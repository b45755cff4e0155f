//! How large a problem is, for whoever has to find room for it.

use super::Problem;
use crate::{
    budget::{Sizes, made},
    model::{Geometry, Matrix, Model},
    observables::{Need, Quantity},
    tokens::{Shape, Weights},
};

impl Problem {
    /// How large it is, without a limit.
    pub(crate) fn sizes(&self) -> Sizes {
        let Shape { replicas, count, dim, .. } = self.tokens.shape;
        let [replicas, count, dim] = [replicas, count, dim].map(|number| number as u64);
        let model = &self.model;
        Sizes {
            replicas,
            count,
            dim,
            slots: self.slots(),
            is_unit: model.geometry.is_unit(),
            is_weighted: self.tokens.weights != Weights::Equal,
            matrices: matrices(model),
            is_rescaled: model.geometry == Geometry::Rescaled,
            noise: model.noise.as_ref().map(|noise| noise.field),
            has_columns_of_components: self.quantities.contains(&Quantity::Moments),
            has_second_moments: self.needs(Need::SecondMoment),
            reads_tokens: self.reads_tokens(),
            limit: None,
        }
    }
}

impl Problem {
    /// Whether a measurement reads the tokens, those at time zero perhaps.
    fn reads_tokens(&self) -> bool {
        self.needs(Need::Tokens) || self.needs(Need::Reference)
    }

    /// Gives back the coordinates at time zero, of which none are left then, where nobody reads them once a backend has tokens of its own.
    ///
    /// Only for problems without a limit: that starts where they start.
    pub(crate) fn forget_start(&mut self) {
        if !self.reads_tokens() {
            self.tokens.coordinates = Vec::new();
        }
    }
}

/// Matrices that heads hold, or that are made because of what a head is asked for.
fn matrices(model: &Model) -> usize {
    let attention = &model.attention;
    let is_whole = |matrix: &Matrix| usize::from(matches!(matrix, Matrix::Dense(_)));
    let held: usize = attention.heads.iter().map(|head| is_whole(&head.query_key) + is_whole(&head.value)).sum();
    held + attention.heads.len() * made(attention.normalization, &attention.position)
}
