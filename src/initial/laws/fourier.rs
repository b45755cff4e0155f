//! Densities on the circle given by their Fourier series.

use std::{
    f64::consts::{PI, TAU},
    rc::Rc,
};

use rand::RngExt;
use serde::Serialize;

use crate::{
    initial::{
        definition::{Form, InitialLaw, Placement},
        error::LawError,
    },
    tokens::Shape,
};

/// The density (1 + sum_k amplitudes_k cos(k phi)) / 2 pi of the angle phi on the circle; `quiet`: token i of n at its quantile
/// (i + 1/2) / n instead of drawn, the same in every replica.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fourier {
    /// Of k = 1, 2, ..
    pub amplitudes: Vec<f64>,
    /// Whether tokens are at quantiles.
    pub quiet: bool,
}

impl InitialLaw for Fourier {
    const WORD: &'static str = "fourier";
    const KEYS: &'static [&'static str] = &["law", "amplitudes", "quiet"];

    fn check(&self) -> Result<(), LawError> {
        if self.amplitudes.iter().any(|amplitude| !amplitude.is_finite()) {
            return Err(LawError::outside("amplitudes", "finite", "[0.0, 0.0, 0.01]"));
        }
        // A cosine of the highest mode is off its value at the nearest of these angles by 1e-5 of its amplitude at most.
        let angles = 1024 * (1 + self.amplitudes.len());
        let lowest = (0..angles).map(|k| self.density(TAU * k as f64 / angles as f64)).fold(f64::INFINITY, f64::min);
        match lowest < -1e-12 {
            true => Err(LawError::outside(
                "amplitudes",
                "so small that 1 + sum_k amplitudes_k cos(k phi) >= 0",
                "[0.0, 0.0, 0.01]",
            )),
            false => Ok(()),
        }
    }

    fn place(&self, shape: Shape) -> Result<Placement<'_>, LawError> {
        if shape.dim != 2 {
            return Err(LawError::new("law", "is a law on the circle", "write tokens.dim = 2, or another law"));
        }
        let put = |quantile: f64, token: &mut [f64]| {
            let (sin, cos) = self.angle(quantile).sin_cos();
            token.copy_from_slice(&[cos, sin]);
        };
        if !self.quiet {
            return Ok(Placement::alike(move |stream, token| put(stream.random(), token)));
        }
        let sources = shape.sources();
        Ok(Placement::numbered(move |_, i, token| {
            let (place, count) = if i < sources { (i, sources) } else { (i - sources, shape.passive) };
            put((place as f64 + 0.5) / count as f64, token);
        }))
    }

    fn form(&self) -> Form<'_> {
        let law = self.clone();
        let density = move |x: &[f64]| law.density(x[1].atan2(x[0])).max(0.0);
        Form::Smooth { density: Rc::new(density), centres: vec![0.0] }
    }

    fn is_on_sphere(&self) -> bool {
        true
    }

    fn write_defaults(&mut self, _: usize) {}
}

impl Fourier {
    fn density(&self, phi: f64) -> f64 {
        let modes = self.amplitudes.iter().zip(1..);
        1.0 + modes.map(|(amplitude, k)| amplitude * (f64::from(k) * phi).cos()).sum::<f64>()
    }

    /// The angle in [0, 2 pi] below which this part of the mass is: where phi + sum_k amplitudes_k sin(k phi) / k is 2 pi times it, by
    /// Newton's method, kept between bounds that are halved where it leaves them.
    fn angle(&self, quantile: f64) -> f64 {
        let target = TAU * quantile;
        let mass = |phi: f64| {
            let modes = self.amplitudes.iter().zip(1..);
            phi + modes.map(|(amplitude, k)| amplitude * (f64::from(k) * phi).sin() / f64::from(k)).sum::<f64>()
        };
        let (mut low, mut high, mut phi) = (0.0, TAU, target);
        for _ in 0..100 {
            let excess = mass(phi) - target;
            if excess > 0.0 {
                high = phi
            } else {
                low = phi
            }
            let next = phi - excess / self.density(phi);
            let next = if next > low && next < high { next } else { 0.5 * (low + high) };
            if (next - phi).abs() <= f64::EPSILON * PI {
                return next;
            }
            phi = next;
        }
        phi
    }
}
