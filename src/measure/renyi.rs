//! Which tokens other tokens gather around under a causal mask, as far as their first places say.

use super::{Directions, View, directions::dot};

/// The number of Renyi centres, the number of strong ones, the weight of tokens that strong ones have absorbed, and the mean angle
/// by which strong ones have moved.
///
/// In the order of tokens at time zero, a Renyi centre is one further than `separation` (an angle) from all centres before it, as
/// cars park, and a strong one is further than that from all tokens before it ("Clustering in causal attention masking",
/// arXiv:2411.04990, section 5). Absorbed is what lies within a quarter of the separation of a strong centre: beta^{-1/2} for
/// the separation 4 beta^{-1/2} of the paper.
pub fn centres(view: &View, replica: usize, separation: f64) -> [f64; 4] {
    let start = Directions::at(view, replica, view.problem.tokens.replica(replica));
    let now = Directions::of(view, replica);
    let (parked, strong) = (parked(&start, separation.cos()), strong(&start, separation.cos()));
    let near = (0.25 * separation).cos();
    let is_absorbed = |j: &usize| strong.iter().any(|centre| dot(now.point(*j), now.point(*centre)) >= near);
    let absorbed: f64 = (0..now.count()).filter(is_absorbed).map(|j| now.weights[j]).sum();
    let angle = |centre: &usize| angle(start.point(*centre), now.point(*centre));
    let drift = strong.iter().map(angle).sum::<f64>() / strong.len() as f64;
    [parked.len() as f64, strong.len() as f64, absorbed, drift]
}

/// Tokens that overlap by less than `most` with all before them that have been taken.
pub fn parked(directions: &Directions, most: f64) -> Vec<usize> {
    let mut centres: Vec<usize> = Vec::new();
    for k in 0..directions.count() {
        if centres.iter().all(|centre| dot(directions.point(k), directions.point(*centre)) < most) {
            centres.push(k);
        }
    }
    centres
}

/// Tokens that overlap by less than `most` with all before them.
pub fn strong(directions: &Directions, most: f64) -> Vec<usize> {
    let is_strong = |k: &usize| (0..*k).all(|j| dot(directions.point(*k), directions.point(j)) < most);
    (0..directions.count()).filter(is_strong).collect()
}

/// 2 arcsin(|x - y| / 2), which keeps small angles.
fn angle(x: &[f64], y: &[f64]) -> f64 {
    let square: f64 = x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum();
    2.0 * (0.5 * square.sqrt()).min(1.0).asin()
}
