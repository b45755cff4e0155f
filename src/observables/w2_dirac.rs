//! How far tokens are from one cluster.

use super::{Curve, Definition, Hue, Need, Numbers, Objection, Observable, Setup, View};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
};

/// `w2_dirac` = W_2(mu, delta_e) = (sum_j w_j |x_j - e|^2)^{1/2} with e = mean / |mean|, in chordal distance; not a number
/// where the mean [has no direction](crate::observe::has_direction).
pub struct W2Dirac;

const DEFINITION: Definition = Definition {
    word: "w2_dirac",
    documentation: "w2_dirac = W_2(mu, delta_e) = (sum_j w_j |x_j - e|^2)^{1/2}, e = mean / |mean|, chordal distance",
    needs: &[Need::MeanDirection],
    replicas_a_sample: 1,
    curve: Some(Curve {
        column: "w2_dirac",
        label: "W₂(μ, δ), chordal distance to one cluster",
        hue: Hue::Teal,
        void: 0,
        rank: 3,
    }),
};

impl Observable for W2Dirac {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["w2_dirac".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        objection_to_lengths(setup)
    }

    fn memory(&self, _: &Sizes) -> Part {
        Part::none()
    }

    fn measure(&self, _: &View, _: usize, statistics: &Statistics) -> Numbers {
        Ok(vec![statistics.square_distance.sqrt()])
    }
}

/// Where a token is more than a direction.
pub(super) fn objection_to_lengths(setup: &Setup) -> Option<Objection> {
    let lengths = || {
        Objection::new(
            "w2_dirac and overlap compare tokens with a direction, and those of this tokens.geometry have a length",
            "leave them out",
        )
    };
    (!setup.is_unit).then(lengths)
}
