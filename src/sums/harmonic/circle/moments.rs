//! The moments sum_j w_j z_j^k of a chunk of keys on the circle.
//!
//! Every k is 5 q + r with |r| <= 2, and z^{5q + r}, z^{5q - r} are sums and differences of the four products of parts of
//! z^{5q} with parts of z^r. So the sums of those products are taken, two multiply-adds a moment and no recurrence of
//! their own, and sorted into moments once at the end.

use super::{
    super::super::{exp2::Exp2, real::Real},
    multiply,
};

/// Moments that one power of z^5 brings.
const STEP: usize = 5;

/// Vectors of keys whose powers stay in the first-level cache while q advances.
const BLOCK: usize = 16;

/// The parts of w z^r for r = 0, 1, 2: the imaginary part of r = 0 is left out.
type Near<V> = [V; STEP];

fn powers(degree: usize) -> usize {
    (degree + 2) / STEP
}

/// How many sums of products the moments up to `degree` are made of.
pub(crate) fn products(degree: usize) -> usize {
    STEP * (1 + 2 * powers(degree))
}

/// Adds the products of a chunk of keys to `lanes`, one partial sum a lane: the parts of w z^r, then for each q those
/// with the real part of z^{5q}, and those with its imaginary part.
#[inline(always)]
pub(crate) fn accumulate<S: Exp2, T: Real>(
    simd: S,
    [x, y]: [&[T::Vector<S>]; 2],
    weights: &[T::Vector<S>],
    lanes: &mut [T::Vector<S>],
) {
    let zero = T::splat(simd, T::ZERO);
    let (lanes, _) = lanes.as_chunks_mut::<STEP>();
    let (first, pairs) = lanes.split_at_mut(1);
    let mut near = [[zero; STEP]; BLOCK];
    let mut fifth = [[zero; 2]; BLOCK];
    let mut power = [[zero; 2]; BLOCK];
    for start in (0..weights.len()).step_by(BLOCK) {
        let end = weights.len().min(start + BLOCK);
        for (k, v) in (start..end).enumerate() {
            let z = [x[v], y[v]];
            let square = multiply::<S, T>(simd, z, z);
            fifth[k] = multiply::<S, T>(simd, multiply::<S, T>(simd, square, square), z);
            power[k] = fifth[k];
            near[k][0] = weights[v];
            for part in 0..2 {
                near[k][1 + part] = T::mul(simd, weights[v], z[part]);
                near[k][3 + part] = T::mul(simd, weights[v], square[part]);
            }
            for r in 0..STEP {
                first[0][r] = T::add(simd, first[0][r], near[k][r]);
            }
        }
        let length = end - start;
        for pair in pairs.chunks_exact_mut(2) {
            add_products::<S, T>(simd, &near[..length], &fifth[..length], &mut power[..length], pair);
        }
    }
}

/// Adds the products with `power` to the sums `pair`, and raises the power by z^5.
#[inline(always)]
fn add_products<S: Exp2, T: Real>(
    simd: S,
    near: &[Near<T::Vector<S>>],
    fifth: &[[T::Vector<S>; 2]],
    power: &mut [[T::Vector<S>; 2]],
    pair: &mut [[T::Vector<S>; STEP]],
) {
    let (mut real, mut imaginary) = (pair[0], pair[1]);
    for ((near, fifth), power) in near.iter().zip(fifth).zip(power) {
        for r in 0..STEP {
            real[r] = T::mul_add(simd, power[0], near[r], real[r]);
            imaginary[r] = T::mul_add(simd, power[1], near[r], imaginary[r]);
        }
        *power = multiply::<S, T>(simd, *power, *fifth);
    }
    (pair[0], pair[1]) = (real, imaginary);
}

/// The moments up to `degree`, (k, part), from the sums of products.
pub(crate) fn fold(products: &[f64], degree: usize) -> Vec<f64> {
    let (sums, _) = products.as_chunks::<STEP>();
    let mut moments = vec![0.0; 2 * (degree + 1)];
    let mut set = |k: usize, re: f64, im: f64| {
        if k <= degree {
            (moments[2 * k], moments[2 * k + 1]) = (re, im);
        }
    };
    set(0, sums[0][0], 0.0);
    set(1, sums[0][1], sums[0][2]);
    set(2, sums[0][3], sums[0][4]);
    for (q, pair) in (1..).zip(sums[1..].chunks_exact(2)) {
        let (re, im) = (&pair[0], &pair[1]);
        set(STEP * q, re[0], im[0]);
        for r in [1, 2] {
            set(STEP * q + r, re[2 * r - 1] - im[2 * r], re[2 * r] + im[2 * r - 1]);
            set(STEP * q - r, re[2 * r - 1] + im[2 * r], im[2 * r - 1] - re[2 * r]);
        }
    }
    moments
}
