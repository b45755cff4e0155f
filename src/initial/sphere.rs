//! Random points of the unit sphere S^{d-1}: uniform, von Mises-Fisher, and uniform on a cap.

use rand_distr::{Beta, Distribution, Exp1, OpenClosed01, StandardNormal};

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

/// A point of density proportional to e^{concentration <axis, x>}: Wood (1994), algorithm VM*.
///
/// Written for T = 1 - <axis, x>, and with x0 and c of the paper in terms of 1 - x0, so that nothing cancels when the
/// concentration is large and T tiny.
pub(super) fn von_mises_fisher(stream: &mut Stream, axis: &[f64], concentration: f64, point: &mut [f64]) {
    // The distance from the axis, about concentration^{-1/2}, is then nothing to a double.
    if concentration > 1e100 {
        return point.copy_from_slice(axis);
    }
    let m = (axis.len() - 1) as f64;
    let b = m / (2.0 * concentration + (2.0 * concentration).hypot(m));
    let x0 = (1.0 - b) / (1.0 + b);
    let one_minus_x0 = 2.0 * b / (1.0 + b);
    let beta = Beta::new(0.5 * m, 0.5 * m).expect("m / 2 is positive and finite, because dim is at least 2");
    loop {
        let z: f64 = beta.sample(stream);
        let t = 2.0 * b * z / ((1.0 - z) + b * z);
        let log_ratio =
            concentration * (one_minus_x0 - t) + m * ((one_minus_x0 + x0 * t) / (one_minus_x0 * (1.0 + x0))).ln();
        let exponential: f64 = Exp1.sample(stream);
        if log_ratio >= -exponential {
            return polar(stream, axis, 1.0 - t, (t * (2.0 - t)).max(0.0).sqrt(), point);
        }
    }
}

/// A uniform point of the cap of geodesic radius `angle` about the axis.
///
/// The geodesic distance theta from the axis has density proportional to sin^{d-2} theta. A cap that reaches to within
/// one standard deviation, 1 / sqrt(d), of the equator holds a good part of the sphere: uniform points are drawn until
/// one falls inside. In a narrower cap s = sin theta has density s^{d-2} / sqrt(1 - s^2): it is proposed from
/// s^{d-2} by inversion and accepted with cos(angle) / sqrt(1 - s^2). Both accept with a probability bounded below
/// for all d and angles.
pub(super) fn cap(stream: &mut Stream, axis: &[f64], angle: f64, point: &mut [f64]) {
    let (sin, cos) = angle.sin_cos();
    let m = (axis.len() - 1) as f64;
    if cos <= 0.0 || sin * sin > m * cos * cos {
        loop {
            uniform(stream, point);
            if dot(axis, point) >= cos {
                return;
            }
        }
    }
    loop {
        let level: f64 = OpenClosed01.sample(stream);
        let s = sin * level.powf(1.0 / m);
        let height = (1.0 - s * s).sqrt();
        let accept: f64 = OpenClosed01.sample(stream);
        if accept * height <= cos {
            return polar(stream, axis, height, s, point);
        }
    }
}

/// The point height * axis + radius * v, where v is a uniform unit vector orthogonal to the axis.
fn polar(stream: &mut Stream, axis: &[f64], height: f64, radius: f64, point: &mut [f64]) {
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
