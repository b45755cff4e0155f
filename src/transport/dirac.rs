//! The distance to a single point, which leaves nothing to choose.

use super::{Measure, Order, TransportError, measure::squared_distance};

/// W_p(a, delta_point) = (sum_j w_j |x_j - point|^p)^{1/p}, chordal.
pub fn wasserstein(order: Order, a: &Measure<'_>, point: &[f64]) -> Result<f64, TransportError> {
    a.common_dim(&Measure::new(point, point.len(), super::Masses::Equal)?)?;
    Ok(order.root(a.mean(|x| match order {
        Order::One => squared_distance(x, point).sqrt(),
        Order::Two => squared_distance(x, point),
    })))
}
