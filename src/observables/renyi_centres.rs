//! Which tokens other tokens gather around under a causal mask, as far as their first places say.

use rayon::prelude::*;

use super::{
    Definition, Directions, Need, Numbers, Objection, Observable, Parameter, Parametrized, Quantity, Setup, View,
    directions, directions::dot,
};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    observe::Statistics,
    problem::Problem,
};

/// Tokens whose distances from all centres before them are taken at once.
const BLOCK: usize = 256;

/// `renyi_centres` and `strong_renyi_centres`: how many tokens were at time zero further than `separation`, an angle, from all
/// centres before them, and from all tokens before them (arXiv:2411.04990); `renyi_absorbed`: the weight of tokens within
/// separation / 4 of a strong one now; `renyi_drift`: the mean angle by which strong ones have moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RenyiCentres {
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

/// The Renyi centres of a replica at time zero, to which every sample looks back.
#[derive(Clone, Debug)]
pub struct Centres {
    separation: f64,
    parked: usize,
    /// Strong ones, by their places among the tokens of positive weight.
    strong: Vec<usize>,
    /// Where those were.
    start: Directions,
}

impl Centres {
    /// Those of all replicas for each [`RenyiCentres`] that is asked for, ordered (quantity, replica).
    pub fn of(problem: &Problem) -> Vec<Self> {
        let own = |quantity: &Quantity| {
            let Quantity::RenyiCentres(RenyiCentres { separation }) = quantity else { return None };
            Some(*separation)
        };
        let separations = problem.quantities.iter().filter_map(own);
        let replicas = 0..problem.tokens.shape.replicas;
        let each = separations.flat_map(|separation| replicas.clone().map(move |replica| (separation, replica)));
        each.map(|(separation, replica)| {
            let directions = Directions::at(problem, replica, problem.tokens.replica(replica));
            let strong = strong(&directions, separation.cos());
            let start = directions.only(&strong);
            Self { separation, parked: parked(&directions, separation.cos()).len(), strong, start }
        })
        .collect()
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
    let mut of_replica = view.centres.iter().skip(replica).step_by(view.problem.tokens.shape.replicas);
    let Some(centres) = of_replica.find(|centres| centres.separation == separation) else {
        return [f64::NAN; 4];
    };
    let (now, strong) = (Directions::of(view, replica), &centres.strong);
    let near = (0.25 * separation).cos();
    let is_absorbed = |j: &usize| strong.iter().any(|centre| dot(now.point(*j), now.point(*centre)) >= near);
    let absorbed: Vec<usize> = (0..now.count()).into_par_iter().filter(is_absorbed).collect();
    let absorbed: f64 = absorbed.into_iter().map(|j| now.weights[j]).sum();
    let angle = |(k, centre): (usize, &usize)| angle(centres.start.point(k), now.point(*centre));
    let drift = strong.iter().enumerate().map(angle).sum::<f64>() / strong.len() as f64;
    [centres.parked as f64, strong.len() as f64, absorbed, drift]
}

/// Tokens that overlap by less than `most` with all before them that have been taken.
pub(super) fn parked(directions: &Directions, most: f64) -> Vec<usize> {
    let is_far = |k: usize, j: &usize| dot(directions.point(k), directions.point(*j)) < most;
    let mut centres: Vec<usize> = Vec::new();
    for first in (0..directions.count()).step_by(BLOCK) {
        let block = first..directions.count().min(first + BLOCK);
        let free = block.into_par_iter().filter(|k| centres.iter().all(|j| is_far(*k, j)));
        let (before, free) = (centres.len(), free.collect::<Vec<usize>>());
        for k in free {
            if centres[before..].iter().all(|j| is_far(k, j)) {
                centres.push(k);
            }
        }
    }
    centres
}

/// Tokens that overlap by less than `most` with all before them.
pub(super) fn strong(directions: &Directions, most: f64) -> Vec<usize> {
    let is_strong = |k: &usize| (0..*k).all(|j| dot(directions.point(*k), directions.point(j)) < most);
    (0..directions.count()).into_par_iter().filter(is_strong).collect()
}

/// 2 arcsin(|x - y| / 2), which keeps small angles.
fn angle(x: &[f64], y: &[f64]) -> f64 {
    let square: f64 = x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum();
    2.0 * (0.5 * square.sqrt()).min(1.0).asin()
}
