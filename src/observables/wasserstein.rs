//! W_p between replicas, or a replica and the limit: exact on the circle, elsewhere by assignment.

use super::{
    Limit, Numbers, Objection, Resolution, Setup, View,
    distances::{self, from_limit, objection_to_moments},
    equation::Equation,
};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    observables::Reference,
    tokens::{Tokens, Weights},
    transport::{Measure, Order, TransportError, assignment, circle},
};

/// Bytes of the costs of assignments that are solved at once, unless one is more.
pub const COSTS: usize = 2 << 30;

/// W_p: geodesic between unit vectors of the plane, else chordal by assignment.
pub fn exact(equation: &Equation, order: Order, a: &Measure, b: &Measure) -> Result<f64, TransportError> {
    if equation.tokens.shape.dim == 2 && equation.model.geometry.is_unit() {
        circle::wasserstein(order, a, b)
    } else {
        assignment::wasserstein(order, a, b)
    }
}

/// W_p of a replica and the limit.
pub fn of_limit(view: &View, replica: usize, order: Order) -> Numbers {
    let distance = match view.limit.and_then(|limit| limit.curve.as_ref()) {
        Some(curve) => curve.wasserstein(order, &distances::sources(view, replica).measure()?)?,
        None => from_limit(view, replica, |a, b| exact(&view.equation, order, a, b))?,
    };
    Ok(vec![distance])
}

/// Off the circle W_p of a replica and the limit pairs tokens with points.
pub fn objection_to_points(setup: &Setup, tokens: &Tokens) -> Option<Objection> {
    let sources = tokens.shape.sources();
    if let Some(objection) = objection_to_moments(setup) {
        return Some(objection);
    }
    if setup.is_circle(tokens.shape.dim) {
        return None;
    }
    let unpaired = || unpaired("w1_reference and w2_reference", tokens, "write \"sliced_w2_reference\" instead");
    match setup.reference {
        Some(Reference::Equiangular) => unpaired(),
        Some(Reference::Particles { count }) if count == sources => unpaired(),
        _ => Some(Objection::new(
            "off the circle w1_reference and w2_reference pair tokens with as many of the limit",
            format!(
                "write \"sliced_w2_reference\" instead, or reference = {{ kind = \"particles\", count = {sources} }}"
            ),
        )),
    }
}

/// Why the tokens of two clouds of this shape are not paired.
pub fn unpaired(names: &str, tokens: &Tokens, remedy: &str) -> Option<Objection> {
    let sources = tokens.shape.sources();
    if sources > assignment::MOST {
        let problem = format!("{names} pair tokens in n^3 operations, and {sources} are too many");
        return Some(Objection::new(
            problem,
            format!("write tokens.count = {} or less, or {remedy}", assignment::MOST),
        ));
    }
    match &tokens.weights {
        Weights::Equal => None,
        Weights::Each(_) => {
            let problem = format!("off the circle {names} pair tokens of equal weights");
            Some(Objection::new(problem, format!("leave tokens.weights out, or {remedy}")))
        }
    }
}

pub fn memory(sizes: &Sizes) -> Part {
    let [replicas, count, _] = sizes.shape();
    let one = DOUBLE * count.1.saturating_mul(count.1);
    let threads = rayon::current_num_threads() as u128;
    let several = (COSTS as u128 / one.max(1)).clamp(1, threads).min(replicas.1.div_ceil(2));
    let is_circle = sizes.is_unit && sizes.dim == 2 || sizes.count > assignment::MOST as u64;
    Part::new("costs of pairs", if is_circle { 0 } else { DOUBLE * several }, &[count, count])
}

/// Interpolation between quantiles is to be far below what n tokens are off.
pub fn resolution(sources: usize) -> Resolution {
    Resolution { pieces: 64.0 * (sources as f64).sqrt(), ..Resolution::default() }
}

pub fn law_error(limit: &Limit, order: Order) -> f64 {
    limit.curve.as_ref().map_or(0.0, |curve| curve.error(order))
}
