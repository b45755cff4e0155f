//! How fast two replicas part that started next to each other.

use super::View;

/// ln(d_t / d_0) and its share of time, for d_t between the replica and the one it is paired with: 0 and 1, 2 and 3, and so on. The
/// rate is not a number at time zero, and both where the replica has no pair.
pub fn exponent(view: &View, replica: usize, distance_now: f64) -> [f64; 2] {
    let growth = (distance_now / distance(view, &view.problem.tokens.coordinates, replica)).ln();
    [growth, if view.time > 0.0 { growth / view.time } else { f64::NAN }]
}

/// (sum_j w_j |x_j - y_j|^2)^{1/2} between the replica and the one it is paired with, whose tokens are both among `tokens`; not a
/// number where it has no pair.
pub fn distance(view: &View, tokens: &[f64], replica: usize) -> f64 {
    let shape = view.problem.tokens.shape;
    if replica ^ 1 >= shape.replicas {
        return f64::NAN;
    }
    let cloud = |replica: usize| tokens[replica * shape.count * shape.dim..].chunks_exact(shape.dim);
    let pairs = cloud(replica).zip(cloud(replica ^ 1)).take(shape.sources()).enumerate();
    let square = |(token, (x, y)): (usize, (&[f64], &[f64]))| {
        let square: f64 = x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum();
        view.problem.tokens.weight(replica, token) * square
    };
    pairs.map(square).sum::<f64>().sqrt()
}
