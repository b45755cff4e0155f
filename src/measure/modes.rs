//! How far tokens are from uniform, degree by degree: Fourier modes on the circle, spherical harmonics on the sphere.

use std::f64::consts::PI;

use super::Directions;
use crate::transport::harmonics::{fourier, place, spherical};

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
