//! Renyi centres, in the order of the tokens.

use rayon::prelude::*;

use super::{directions::Directions, equation::Equation};
use crate::vector::dot;

/// Tokens whose distances from all centres before them are taken at once.
const BLOCK: usize = 256;

/// The Renyi centres of a replica at time zero, to which every sample looks back.
#[derive(Clone, Debug)]
pub struct Centres {
    pub(super) separation: f64,
    pub(super) parked: usize,
    /// Strong ones, by their places among the tokens of positive weight.
    pub(super) strong: Vec<usize>,
    /// Where those were.
    pub(super) start: Directions,
}

impl Centres {
    /// Those of all replicas for each of these separations, ordered (separation, replica).
    pub fn of(separations: impl Iterator<Item = f64>, equation: &Equation) -> Vec<Self> {
        let replicas = 0..equation.tokens.shape.replicas;
        let each = separations.flat_map(|separation| replicas.clone().map(move |replica| (separation, replica)));
        each.map(|(separation, replica)| {
            let directions = Directions::at(equation, replica, equation.tokens.replica(replica));
            let strong = strong(&directions, separation.cos());
            let start = directions.only(&strong);
            Self { separation, parked: parked(&directions, separation.cos()).len(), strong, start }
        })
        .collect()
    }
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
pub(super) fn angle(x: &[f64], y: &[f64]) -> f64 {
    let square: f64 = x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum();
    2.0 * (0.5 * square.sqrt()).min(1.0).asin()
}
