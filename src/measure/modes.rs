//! How far tokens are from uniform, degree by degree: Fourier modes on the circle, spherical harmonics on the sphere.

use std::f64::consts::PI;

use rayon::prelude::*;

use super::Directions;

/// Tokens summed by one task before the sums are added in order.
const CHUNK: usize = 4096;

/// The amplitudes of degrees 1 to `degree`, for d = 2 and 3.
pub fn amplitudes(directions: &Directions, degree: usize) -> Vec<f64> {
    let chunk = |(points, weights): (&[f64], &[f64])| match directions.dim {
        2 => fourier(points, weights, degree),
        _ => spherical(points, weights, degree),
    };
    let points = directions.points.par_chunks(CHUNK * directions.dim);
    let parts: Vec<Vec<[f64; 2]>> = points.zip(directions.weights.par_chunks(CHUNK)).map(chunk).collect();
    let mut sums = vec![[0.0; 2]; if directions.dim == 2 { degree + 1 } else { place(degree + 1, 0) }];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum = [sum[0] + part[0], sum[1] + part[1]]);
    }
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

/// sum_j w_j (x_j + i y_j)^k for k = 0 .. degree.
fn fourier(points: &[f64], weights: &[f64], degree: usize) -> Vec<[f64; 2]> {
    let mut sums = vec![[0.0; 2]; degree + 1];
    for (x, weight) in points.chunks_exact(2).zip(weights) {
        let mut power = [*weight, 0.0];
        for sum in &mut sums {
            *sum = [sum[0] + power[0], sum[1] + power[1]];
            power = times(power, [x[0], x[1]]);
        }
    }
    sums
}

/// sum_j w_j Y_lm(x_j) for 0 <= m <= l <= degree, orthonormal and without the phase (-1)^m.
///
/// With Q_lm = Y_lm / (x + i y)^m (DLMF 14.10.3 in this norm):
/// Q_mm = (1 / 4 pi prod_k (2 k + 1) / 2 k)^{1/2} and Q_lm = a_lm (z Q_{l-1,m} - Q_{l-2,m} / a_{l-1,m}) with
/// a_lm = ((4 l^2 - 1) / (l^2 - m^2))^{1/2}.
fn spherical(points: &[f64], weights: &[f64], degree: usize) -> Vec<[f64; 2]> {
    let a = |l: usize, m: usize| ((4 * l * l - 1) as f64 / ((l * l - m * m) as f64)).sqrt();
    let factors: Vec<f64> =
        (0..=degree).flat_map(|l| (0..=l).map(move |m| if m < l { a(l, m) } else { 1.0 })).collect();
    let mut sums = vec![[0.0; 2]; factors.len()];
    for (x, weight) in points.chunks_exact(3).zip(weights) {
        let mut power = [weight / (4.0 * PI).sqrt(), 0.0];
        for m in 0..=degree {
            let (mut before, mut current, mut last) = (0.0, 1.0, 1.0);
            for l in m..=degree {
                if l > m {
                    let factor = factors[place(l, m)];
                    let next = factor * (x[2] * current - before / last);
                    (before, current, last) = (current, next, factor);
                }
                let sum = &mut sums[place(l, m)];
                *sum = [sum[0] + current * power[0], sum[1] + current * power[1]];
            }
            let growth = ((2 * m + 3) as f64 / (2 * m + 2) as f64).sqrt();
            power = times(power, [growth * x[0], growth * x[1]]);
        }
    }
    sums
}

/// Where the sum of degree l and order m is.
fn place(l: usize, m: usize) -> usize {
    l * (l + 1) / 2 + m
}

fn times(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
}
