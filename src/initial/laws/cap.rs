//! Caps of the sphere.

use std::f64::consts::PI;

use rand_distr::{Distribution, OpenClosed01};
use serde::Serialize;

use crate::{
    initial::{
        axis::unit_axis,
        definition::{Axial, Form, InitialLaw, Placement},
        error::LawError,
        sphere,
    },
    random::Stream,
    tokens::Shape,
    vector::dot,
};

/// Uniform on the cap of points whose geodesic distance from the axis is at most `angle` (radians, at most pi).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cap {
    /// d numbers, of length one.
    pub axis: Vec<f64>,
    /// In radians.
    pub angle: f64,
}

impl InitialLaw for Cap {
    const WORD: &'static str = "cap";
    const KEYS: &'static [&'static str] = &["law", "axis", "angle"];

    fn check(&self) -> Result<(), LawError> {
        if !(self.angle > 0.0 && self.angle <= PI) {
            let range = "an angle in radians, greater than 0 and at most pi";
            return Err(LawError::outside("angle", range, "0.5"));
        }
        Ok(())
    }

    fn place(&self, shape: Shape) -> Result<Placement<'_>, LawError> {
        let axis = unit_axis(&self.axis, shape.dim)?;
        Ok(Placement::alike(move |stream, token| point_of(stream, &axis, self.angle, token)))
    }

    fn form(&self) -> Form<'_> {
        let Self { axis, angle } = self;
        Form::Axial(Axial { axis: Some(axis), concentration: 0.0, end: Some(*angle) })
    }

    fn is_on_sphere(&self) -> bool {
        true
    }

    fn write_defaults(&mut self, _: usize) {}
}

/// A uniform point of the cap of geodesic radius `angle` about the axis.
///
/// The geodesic distance theta from the axis has density proportional to sin^{d-2} theta. A cap that reaches to within
/// one standard deviation, 1 / sqrt(d), of the equator holds a good part of the sphere: uniform points are drawn until
/// one falls inside. In a narrower cap s = sin theta has density s^{d-2} / sqrt(1 - s^2): it is proposed from
/// s^{d-2} by inversion and accepted with cos(angle) / sqrt(1 - s^2). Both accept with a probability bounded below
/// for all d and angles.
fn point_of(stream: &mut Stream, axis: &[f64], angle: f64, point: &mut [f64]) {
    let (sin, cos) = angle.sin_cos();
    let m = (axis.len() - 1) as f64;
    if cos <= 0.0 || sin * sin > m * cos * cos {
        loop {
            sphere::uniform(stream, point);
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
            return sphere::polar(stream, axis, height, s, point);
        }
    }
}
