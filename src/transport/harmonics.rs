//! Measures by their moments: sums of Fourier modes on the circle, and of spherical harmonics on the sphere.
//!
//! What a smooth law has beyond some degree is nothing, so that few moments are all of it, however narrow the kernel or the slice that
//! looks at it: k(x, y) = sum_l b_l C_l(<x, y>) needs degrees up to where either has an end.

use std::f64::consts::PI;

use rayon::prelude::*;

/// Points summed by one task before the sums are added in order.
const CHUNK: usize = 4096;
/// A moment below this is rounding.
const NOTHING: f64 = 1e-14;
/// Heights at which a distribution function is known, at least.
const FEWEST_PLACES: usize = 2048;

/// sum_j w_j (x_j + i y_j)^k for k = 0 .. degree, of planar points.
pub fn fourier(points: &[f64], weights: &[f64], degree: usize) -> Vec<[f64; 2]> {
    chunked(points, weights, 2, degree + 1, |sums, x, weight| {
        let mut power = [weight, 0.0];
        for sum in sums {
            *sum = [sum[0] + power[0], sum[1] + power[1]];
            power = times(power, [x[0], x[1]]);
        }
    })
}

/// sum_j w_j Y_lm(x_j) for 0 <= m <= l <= degree, at [`place`], orthonormal and without the phase (-1)^m.
///
/// With Q_lm = Y_lm / (x + i y)^m (DLMF 14.10.3 in this norm):
/// Q_mm = (1 / 4 pi prod_k (2 k + 1) / 2 k)^{1/2} and Q_lm = a_lm (z Q_{l-1,m} - Q_{l-2,m} / a_{l-1,m}) with
/// a_lm = ((4 l^2 - 1) / (l^2 - m^2))^{1/2}.
pub fn spherical(points: &[f64], weights: &[f64], degree: usize) -> Vec<[f64; 2]> {
    let a = |l: usize, m: usize| ((4 * l * l - 1) as f64 / ((l * l - m * m) as f64)).sqrt();
    let factors: Vec<f64> =
        (0..=degree).flat_map(|l| (0..=l).map(move |m| if m < l { a(l, m) } else { 1.0 })).collect();
    chunked(points, weights, 3, factors.len(), |sums, x, weight| {
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
    })
}

/// `length` sums over points, chunk by chunk, which are added in order.
fn chunked(
    points: &[f64],
    weights: &[f64],
    dim: usize,
    length: usize,
    add: impl Fn(&mut [[f64; 2]], &[f64], f64) + Sync,
) -> Vec<[f64; 2]> {
    let chunk = |(points, weights): (&[f64], &[f64])| {
        let mut sums = vec![[0.0; 2]; length];
        points.chunks_exact(dim).zip(weights).for_each(|(x, weight)| add(&mut sums, x, *weight));
        sums
    };
    let parts: Vec<Vec<[f64; 2]>> =
        points.par_chunks(CHUNK * dim).zip(weights.par_chunks(CHUNK)).map(chunk).collect();
    let mut sums = vec![[0.0; 2]; length];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum = [sum[0] + part[0], sum[1] + part[1]]);
    }
    sums
}

/// Where the sum of degree l and order m is.
pub fn place(l: usize, m: usize) -> usize {
    l * (l + 1) / 2 + m
}

fn times(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
}

/// The moments of a measure on the sphere up to a degree.
#[derive(Clone, Debug)]
pub struct SphereMoments {
    degree: usize,
    sums: Vec<[f64; 2]>,
}

impl SphereMoments {
    /// `points` are row-major (point, component), of length one.
    pub fn of(points: &[f64], weights: &[f64], degree: usize) -> Self {
        Self { degree, sums: spherical(points, weights, degree) }
    }

    /// The largest degree.
    pub fn degree(&self) -> usize {
        self.degree
    }

    /// int int P_l(<x, y>) dmu(x) dnu(y) = 4 pi / (2 l + 1) sum_m a_lm conj(b_lm) for l up to the smaller degree.
    pub fn products(&self, other: &Self) -> Vec<f64> {
        let of_degree = |l: usize| {
            // Orders m and -m of real weights have conjugate sums.
            let order = |m: usize| {
                let (a, b) = (self.sums[place(l, m)], other.sums[place(l, m)]);
                if m == 0 { a[0] * b[0] } else { 2.0 * (a[0] * b[0] + a[1] * b[1]) }
            };
            4.0 * PI / (2 * l + 1) as f64 * (0..=l).map(order).sum::<f64>()
        };
        (0..=self.degree.min(other.degree)).map(of_degree).collect()
    }

    /// The largest difference of a degree: max_l (int int P_l d(mu - nu) d(mu - nu))^{1/2}.
    pub fn distance(&self, other: &Self) -> f64 {
        let degree = self.degree.min(other.degree);
        let pairs = self.sums.iter().zip(&other.sums).take(place(degree + 1, 0));
        let sums = pairs.map(|(a, b)| [a[0] - b[0], a[1] - b[1]]).collect();
        let difference = Self { degree, sums };
        difference.products(&difference).into_iter().fold(0.0, f64::max).sqrt()
    }

    /// Along a unit vector theta: `count` numbers of equal mass in increasing order, the middles of the quantiles of <theta, y>.
    ///
    /// With c_l = int P_l(<theta, y>) dmu(y) the distribution function at z is (1 + z) / 2 + sum_l c_l (P_{l+1} - P_{l-1})(z) / 2. Where
    /// degrees that are left out make it fall, it stays.
    pub fn along(&self, direction: &[f64], count: usize) -> Vec<f64> {
        let coefficients = self.products(&Self::of(direction, &[1.0], self.degree));
        let degree = coefficients.iter().rposition(|c| c.abs() > NOTHING).unwrap_or(0);
        let places = (16 * degree).max(FEWEST_PLACES);
        let height = |k: usize| -(PI * k as f64 / places as f64).cos();
        let mut highest = 0.0;
        let mut distribution: Vec<(f64, f64)> = (0..=places)
            .map(|k| {
                highest = f64::max(highest, distribution_at(&coefficients[..=degree], height(k)));
                (height(k), highest)
            })
            .collect();
        distribution.iter_mut().for_each(|(_, mass)| *mass /= highest);
        let mut after = 1;
        let quantile = |k: usize| {
            let mass = (k as f64 + 0.5) / count as f64;
            while after < places && distribution[after].1 < mass {
                after += 1;
            }
            let ((low, from), (high, to)) = (distribution[after - 1], distribution[after]);
            if to > from { low + (high - low) * ((mass - from) / (to - from)).clamp(0.0, 1.0) } else { high }
        };
        (0..count).map(quantile).collect()
    }

    /// The largest of the last quarter of the degrees, in the same units: what the degrees beyond may have.
    pub fn tail(&self) -> f64 {
        let squares = self.products(self);
        squares[self.degree - self.degree / 4..].iter().fold(0.0, |largest: f64, a| largest.max(*a)).sqrt()
    }
}

/// The part of the mass below the height z, by the recurrence of Legendre polynomials.
fn distribution_at(coefficients: &[f64], z: f64) -> f64 {
    // P_{l-1} and P_l.
    let (mut before, mut here) = (1.0, z);
    let mut sum = (1.0 + z) / 2.0;
    for (l, c) in coefficients.iter().enumerate().skip(1) {
        let n = l as f64;
        let next = ((2.0 * n + 1.0) * z * here - n * before) / (n + 1.0);
        sum += c / 2.0 * (next - before);
        (before, here) = (here, next);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the density (1 + 3 a <e, x>) / 4 pi, whose moment of degree one is a: along theta with <e, theta> = c the distribution is
    /// (1 + z) / 2 + 3 a c (z^2 - 1) / 4. Nodes are those of Gauss and Legendre times 16 longitudes.
    #[test]
    fn slices_of_a_linear_density_are_those_on_paper() {
        let (a, mut points, mut weights) = (0.3, Vec::new(), Vec::new());
        for (z, weight) in crate::initial::gauss_legendre(8) {
            for k in 0..16 {
                let (sin, cos) = (2.0 * PI * f64::from(k) / 16.0).sin_cos();
                let radius = (1.0 - z * z).sqrt();
                points.extend([radius * cos, radius * sin, z]);
                weights.push(weight / 32.0 * (1.0 + 3.0 * a * z));
            }
        }
        let direction = [0.48, -0.64, 0.6];
        let quantiles = SphereMoments::of(&points, &weights, 7).along(&direction, 1000);
        for (k, z) in quantiles.iter().enumerate() {
            let mass = (1.0 + z) / 2.0 + 0.75 * a * 0.6 * (z * z - 1.0);
            assert!((mass - (k as f64 + 0.5) / 1000.0).abs() < 1e-6, "{k}: {mass}");
        }
    }

    /// P_l(<x, y>) of two points, by the recurrence of Legendre polynomials.
    #[test]
    fn products_of_points_are_legendre_polynomials() {
        let (x, y) = ([0.36, 0.48, 0.8], [-0.6, 0.0, 0.8]);
        let (degree, t) = (120, -0.36 * 0.6 + 0.64);
        let products = SphereMoments::of(&x, &[1.0], degree).products(&SphereMoments::of(&y, &[1.0], degree));
        let (mut before, mut here) = (1.0, t);
        assert!((products[0] - 1.0).abs() < 1e-14);
        for l in 1..=degree {
            assert!((products[l] - here).abs() < 1e-12, "{l}: {} and {here}", products[l]);
            let n = l as f64;
            (before, here) = (here, ((2.0 * n + 1.0) * t * here - n * before) / (n + 1.0));
        }
    }

    /// More points than one task sums, of weights 1 : 2 : .. : n: modes are sums of w e^{i k angle}, and products of degree l sums of
    /// w P_l(<x, e>) over points of a spiral, with P_1, P_2 and P_3 written out.
    #[test]
    fn moments_of_many_points_are_sums_over_all() {
        let count = 2 * CHUNK + 77;
        let weights: Vec<f64> = (1..=count).map(|j| 2.0 * j as f64 / (count * (count + 1)) as f64).collect();
        let angle = |j: usize| 2.4 * j as f64 + 1e-8 * (j * j) as f64;
        let circle: Vec<f64> = (0..count).flat_map(|j| [angle(j).cos(), angle(j).sin()]).collect();
        let modes = fourier(&circle, &weights, 5);
        for (k, [re, im]) in modes.into_iter().enumerate() {
            let sum = |part: fn(f64) -> f64| (0..count).map(|j| weights[j] * part(k as f64 * angle(j))).sum::<f64>();
            let (cos, sin) = (sum(f64::cos), sum(f64::sin));
            assert!(
                (re - cos).abs() < 1e-12 && (im - sin).abs() < 1e-12,
                "{k}: {re} and {im}, expected {cos} and {sin}"
            );
        }
        let height = |j: usize| 0.9 - 1.2 * (j as f64 / count as f64);
        let spiral = |j: usize| {
            let (z, (sin, cos)) = (height(j), (0.002 * j as f64).sin_cos());
            let radius = (1.0 - z * z).sqrt();
            [radius * cos, radius * sin, z]
        };
        let points: Vec<f64> = (0..count).flat_map(spiral).collect();
        let e = [0.48, -0.64, 0.6];
        let products = SphereMoments::of(&points, &weights, 3).products(&SphereMoments::of(&e, &[1.0], 3));
        let legendre: [fn(f64) -> f64; 4] = [|_| 1.0, |t| t, |t| 1.5 * t * t - 0.5, |t| 2.5 * t * t * t - 1.5 * t];
        for (l, polynomial) in legendre.into_iter().enumerate() {
            let overlap = |j: usize| points[3 * j..][..3].iter().zip(e).map(|(x, e)| x * e).sum::<f64>();
            let expected: f64 = (0..count).map(|j| weights[j] * polynomial(overlap(j))).sum();
            assert!((products[l] - expected).abs() < 1e-12, "{l}: {}, expected {expected}", products[l]);
        }
    }
}
