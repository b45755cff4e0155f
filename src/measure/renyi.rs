//! Which tokens other tokens gather around under a causal mask, as far as their first places say.

use rayon::prelude::*;

use super::{Directions, View, directions::dot};
use crate::{observe::Quantity, problem::Problem};

/// Tokens whose distances from all centres before them are taken at once.
const BLOCK: usize = 256;

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
    /// Those of all replicas for each [`Quantity::RenyiCentres`] that is asked for, ordered (quantity, replica).
    pub fn of(problem: &Problem) -> Vec<Self> {
        let separations = problem.quantities.iter().filter_map(|quantity| match quantity {
            Quantity::RenyiCentres { separation } => Some(*separation),
            _ => None,
        });
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
pub fn centres(view: &View, replica: usize, separation: f64) -> [f64; 4] {
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
pub fn parked(directions: &Directions, most: f64) -> Vec<usize> {
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
pub fn strong(directions: &Directions, most: f64) -> Vec<usize> {
    let is_strong = |k: &usize| (0..*k).all(|j| dot(directions.point(*k), directions.point(j)) < most);
    (0..directions.count()).into_par_iter().filter(is_strong).collect()
}

/// 2 arcsin(|x - y| / 2), which keeps small angles.
fn angle(x: &[f64], y: &[f64]) -> f64 {
    let square: f64 = x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum();
    2.0 * (0.5 * square.sqrt()).min(1.0).asin()
}
