//! The law of von Mises and Fisher.

use rand_distr::{Beta, Distribution, Exp1};
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
};

/// Density proportional to e^{concentration <axis, x>}, by the rejection of Wood, "Simulation of the von
/// Mises-Fisher distribution" (1994). Concentration 0 is uniform, infinity puts every token on the axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VonMisesFisher {
    /// Zero to infinity.
    pub concentration: f64,
    /// d numbers, of length one.
    pub axis: Vec<f64>,
}

impl InitialLaw for VonMisesFisher {
    const WORD: &'static str = "von-mises-fisher";
    const KEYS: &'static [&'static str] = &["law", "concentration", "axis"];

    fn check(&self) -> Result<(), LawError> {
        check_concentration(self.concentration)
    }

    fn place(&self, shape: Shape) -> Result<Placement<'_>, LawError> {
        let axis = unit_axis(&self.axis, shape.dim)?;
        Ok(Placement::alike(move |stream, token| point(stream, &axis, self.concentration, token)))
    }

    fn form(&self) -> Form<'_> {
        let Self { concentration, axis } = self;
        if !concentration.is_finite() {
            return Form::Sampled;
        }
        Form::Axial(Axial { axis: Some(axis), concentration: *concentration, end: None })
    }

    fn is_on_sphere(&self) -> bool {
        true
    }

    fn write_defaults(&mut self, _: usize) {}
}

pub(super) fn check_concentration(concentration: f64) -> Result<(), LawError> {
    if concentration.is_nan() || concentration < 0.0 {
        return Err(LawError::outside("concentration", "at least 0, or inf", "2.0"));
    }
    Ok(())
}

/// A point of density proportional to e^{concentration <axis, x>}: Wood (1994), algorithm VM*.
///
/// Written for T = 1 - <axis, x>, and with x0 and c of the paper in terms of 1 - x0, so that nothing cancels when the
/// concentration is large and T tiny.
pub(super) fn point(stream: &mut Stream, axis: &[f64], concentration: f64, point: &mut [f64]) {
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
            return sphere::polar(stream, axis, 1.0 - t, (t * (2.0 - t)).max(0.0).sqrt(), point);
        }
    }
}
