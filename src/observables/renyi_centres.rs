//! Which tokens other tokens gather around under a causal mask, as far as their first places say.

use rayon::prelude::*;

use super::{
    Definition, Need, Numbers, Objection, Observable, Parameter, Parametrized, Setup, View, centres::angle,
    directions,
};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    observe::Statistics,
    vector::dot,
};

/// `renyi_centres` and `strong_renyi_centres`: how many tokens were at time zero further than `separation`, an angle, from all
/// centres before them, and from all tokens before them (arXiv:2411.04990); `renyi_absorbed`: the weight of tokens within
/// separation / 4 of a strong one now; `renyi_drift`: the mean angle by which strong ones have moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RenyiCentres {
    /// In radians.
    pub separation: f64,
}

const DEFINITION: Definition = Definition {
    word: "renyi_centres",
    documentation: "renyi_centres and strong_renyi_centres, how many tokens were at t = 0 further than the angle \
        `separation` from all centres before them, and from all tokens before them; renyi_absorbed, the weight \
        of what is now within separation / 4 of a strong one; renyi_drift, the mean angle that strong ones have \
        moved; for causal masks (arXiv:2411.04990, whose separation is 4 beta^{-1/2})",
    needs: &[Need::Tokens, Need::Directions],
    replicas_a_sample: 1,
    curve: None,
};

impl RenyiCentres {
    pub(super) const DEFAULT: Self = Self { separation: 0.5 };
}

impl Parametrized for RenyiCentres {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let words = "an angle greater than 0 and at most pi";
        let holds = |angle| 0.0 < angle && angle <= std::f64::consts::PI;
        vec![Parameter::number("separation", &mut self.separation, words, holds)]
    }
}

impl Observable for RenyiCentres {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        ["renyi_centres", "strong_renyi_centres", "renyi_absorbed", "renyi_drift"].map(String::from).into()
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        let unordered = || {
            Objection::new(
                "renyi_centres are tokens that none before them moves, and here all see all",
                "write attention.mask = \"causal\" or \"strictly-causal\", or leave it out",
            )
        };
        directions::objection(setup).or_else(|| (!setup.is_causal).then(unordered))
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        Part::new("centres", DOUBLE, &sizes.shape())
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        Ok(centres(view, replica, self.separation).into())
    }
}

/// The number of Renyi centres, the number of strong ones, the weight of tokens that strong ones have absorbed, and the mean angle
/// by which strong ones have moved.
///
/// In the order of tokens at time zero, a Renyi centre is one further than `separation` (an angle) from all centres before it, as
/// cars park, and a strong one is further than that from all tokens before it ("Clustering in causal attention masking",
/// arXiv:2411.04990, section 5). Absorbed is what lies within a quarter of the separation of a strong centre: beta^{-1/2} for
/// the separation 4 beta^{-1/2} of the paper. Not numbers where the view does not have the centres of that separation.
fn centres(view: &View, replica: usize, separation: f64) -> [f64; 4] {
    let mut of_replica = view.centres.iter().skip(replica).step_by(view.equation.tokens.shape.replicas);
    let Some(centres) = of_replica.find(|centres| centres.separation == separation) else {
        return [f64::NAN; 4];
    };
    let (now, strong) = (view.directions(replica), &centres.strong);
    let near = (0.25 * separation).cos();
    let is_absorbed = |j: &usize| strong.iter().any(|centre| dot(now.point(*j), now.point(*centre)) >= near);
    let absorbed: Vec<usize> = (0..now.count()).into_par_iter().filter(is_absorbed).collect();
    let absorbed: f64 = absorbed.into_iter().map(|j| now.weights[j]).sum();
    let angle = |(k, centre): (usize, &usize)| angle(centres.start.point(k), now.point(*centre));
    let drift = strong.iter().enumerate().map(angle).sum::<f64>() / strong.len() as f64;
    [centres.parked as f64, strong.len() as f64, absorbed, drift]
}
