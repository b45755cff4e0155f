//! How far tokens are from uniform, degree by degree: Fourier modes on the circle, spherical harmonics on the sphere.

use std::f64::consts::PI;

use super::{
    Definition, Directions, Need, Numbers, Objection, Observable, OnDevice, Parameter, Parametrized, Setup, View,
    directions, equation::Equation,
};
use crate::{
    budget::{COUNT, DOUBLE, Part, Sizes},
    observe::Statistics,
    transport::harmonics::{fourier, place, spherical},
};

/// `mode_l`, l = 1 .. degree: |sum_j w_j e^{i l phi_j}| on the circle, (4 pi / (2 l + 1) sum_m |sum_j w_j Y_lm(theta_j)|^2)^{1/2}
/// on the sphere; in either case (sum_ij w_i w_j P_l(<theta_i, theta_j>))^{1/2} with P_l of Chebyshev or Legendre: zero for
/// the uniform measure, one for a Dirac.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Modes {
    /// The largest l.
    pub degree: usize,
}

const DEFINITION: Definition = Definition {
    word: "modes",
    documentation: "mode_1 .. of the degrees l up to `degree`, for dim = 2: |sum_j w_j e^{i l phi_j}|, and dim = 3: (4 pi / \
        (2 l + 1) sum_m |sum_j w_j Y_lm(theta_j)|^2)^{1/2}; 0 for the uniform measure, 1 for a Dirac \
        (arXiv:2410.23228); to 1e-6 where a GPU sums them, up to degree 16",
    needs: &[Need::Tokens, Need::Directions],
    replicas_a_sample: 1,
    curve: None,
};

impl Modes {
    pub(super) const DEFAULT: Self = Self { degree: 8 };
}

impl Parametrized for Modes {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![parameter(&mut self.degree)]
    }
}

impl Observable for Modes {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        (1..=self.degree).map(|l| format!("mode_{l}")).collect()
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        directions::objection(setup)
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        objection_to_dim(DEFINITION.word, equation)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        let degrees = ("observe.degree", self.degree as u128 + 1);
        let factors = [(COUNT, sizes.chunks() + 1), degrees, degrees];
        Part::new("harmonics of chunks of tokens", DOUBLE, if sizes.dim == 2 { &factors[..2] } else { &factors })
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        Ok(amplitudes(&view.directions(replica), self.degree))
    }

    fn on_device(&self) -> Option<OnDevice> {
        Some(OnDevice::Modes { degree: self.degree })
    }
}

/// The largest degree that is measured.
pub(super) fn parameter(degree: &mut usize) -> Parameter<'_> {
    Parameter::whole("degree", degree, 1..=1000)
}

/// Where there are no such harmonics.
pub(super) fn objection_to_dim(word: &str, equation: &Equation) -> Option<Objection> {
    let other = || {
        Objection::new(
            format!("{word} are those of Fourier and of spherical harmonics, for tokens.dim = 2 and 3"),
            format!("leave \"{word}\" out; overlap_histogram is for any tokens.dim"),
        )
    };
    (!matches!(equation.tokens.shape.dim, 2 | 3)).then(other)
}

/// The amplitudes of degrees 1 to `degree`, for d = 2 and 3.
pub fn amplitudes(directions: &Directions, degree: usize) -> Vec<f64> {
    let sums = match directions.dim {
        2 => fourier(&directions.points, &directions.weights, degree),
        _ => spherical(&directions.points, &directions.weights, degree),
    };
    let square = |[re, im]: [f64; 2]| re * re + im * im;
    let amplitude = |l: usize| match directions.dim {
        2 => square(sums[l]).sqrt(),
        _ => {
            // Orders m and -m of real weights have conjugate sums.
            let orders = (0..=l).map(|m| if m == 0 { 1.0 } else { 2.0 } * square(sums[place(l, m)]));
            (4.0 * PI / (2 * l + 1) as f64 * orders.sum::<f64>()).sqrt()
        }
    };
    (1..=degree).map(amplitude).collect()
}
