//! Random points of the unit sphere S^{d-1}: uniform, and on circles about an axis.

use rand_distr::{Distribution, StandardNormal};

use crate::{
    random::Stream,
    vector::{dot, norm},
};

pub(super) fn normalise(vector: &mut [f64]) {
    let mut length = norm(vector);
    if !length.is_normal() {
        // Squares overflow or vanish: scaled first.
        let largest = vector.iter().fold(0.0, |most: f64, c| most.max(c.abs()));
        vector.iter_mut().for_each(|c| *c /= largest);
        length = norm(vector);
    }
    vector.iter_mut().for_each(|c| *c /= length);
}

/// A uniform point: a Gaussian vector, normalised.
pub(super) fn uniform(stream: &mut Stream, point: &mut [f64]) {
    // The squares of a very short Gaussian vector lose digits; one in 10^200 is that short.
    loop {
        point.fill_with(|| StandardNormal.sample(stream));
        if norm(point) > 1e-100 {
            return normalise(point);
        }
    }
}

/// The point height * axis + radius * v, where v is a uniform unit vector orthogonal to the axis.
pub(super) fn polar(stream: &mut Stream, axis: &[f64], height: f64, radius: f64, point: &mut [f64]) {
    loop {
        uniform(stream, point);
        remove_component(axis, point);
        // Almost parallel to the axis, where the rest is rounding: one in 10^10 even on the circle.
        if norm(point) > 1e-10 {
            break;
        }
    }
    normalise(point);
    // Once more, because the first subtraction cancelled digits.
    remove_component(axis, point);
    normalise(point);
    for (component, along) in point.iter_mut().zip(axis) {
        *component = height * along + radius * *component;
    }
    normalise(point);
}

fn remove_component(axis: &[f64], point: &mut [f64]) {
    let along = dot(axis, point);
    for (component, direction) in point.iter_mut().zip(axis) {
        *component -= along * direction;
    }
}
