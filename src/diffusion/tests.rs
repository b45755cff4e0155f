//! Turns against the heat kernel, by integrals that the library does not take.

use super::*;
use crate::model::{Calculus, Noise};

/// E f(r), r^2 being chi-squared with `free` degrees of freedom: the trapezoidal rule in ln r.
fn mean(free: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (mut sum, mut all) = (0.0, 0.0);
    // s = ln(r / sqrt(free)), in steps much finer than the law is wide, as far as rounding sees it.
    let step = (0.3 / free.sqrt()).min(1.0 / 32.0);
    let (first, last) = ((-(42.0 / free + 1.0) / step) as i32, (2.5 / step) as i32);
    for s in (first..=last).map(|k| step * f64::from(k)) {
        let r = free.sqrt() * s.exp();
        let weight = (free * (s - 0.5 * (2.0 * s).exp_m1())).exp();
        sum += weight * f(r);
        all += weight;
    }
    sum / all
}

fn times() -> impl Iterator<Item = f64> {
    (0..=60).map(|k| 10f64.powf(-12.0 + 0.2 * f64::from(k)))
}

const DIMS: [usize; 16] = [2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 48, 64, 128, 384, 4096];

/// 1 - E P_l(cos(theta)) for l = 1 and 2 is 1 - e^{-l (l + d - 2) t / 2}, relative to itself to 1e-12, for (d - 1) t from 1e-12 to 1;
/// and cosines stay in [-1, 1].
#[test]
fn turns_have_the_first_two_eigenvalues_of_the_heat_kernel() {
    for dim in DIMS {
        let free = (dim - 1) as f64;
        for time in times().map(|reach| reach / free) {
            let turn = Turn::new(time, dim);
            assert!(turn.share <= 1.0 && turn.share > 0.9, "d = {dim}, t = {time}: {turn:?}");
            let versine = |r: f64| turn.moves(r)[0];
            let one = mean(free, versine);
            let two = (free + 1.0) / free * mean(free, |r| versine(r) * (2.0 - versine(r)));
            for (found, rate) in [(one, 0.5 * free), (two, free + 1.0)] {
                let expected = -(-rate * time).exp_m1();
                assert!((found / expected - 1.0).abs() < 1e-12, "d = {dim}, t = {time}: {found} is not {expected}");
            }
        }
    }
}

/// theta is in [0, pi], and sin(theta) and cos(theta) belong together.
#[test]
fn turns_stay_on_the_sphere() {
    for dim in DIMS {
        for time in times().map(|reach| reach / (dim - 1) as f64) {
            let turn = Turn::new(time, dim);
            for k in 0..2_000 {
                let r = 0.01 * f64::from(k);
                let [versine, across] = turn.moves(r);
                assert!((0.0..=2.0).contains(&versine) && across >= 0.0, "d = {dim}, t = {time}, r = {r}");
                let circle = (1.0 - versine).powi(2) + (across * r).powi(2);
                assert!((circle - 1.0).abs() < 1e-14, "d = {dim}, t = {time}, r = {r}: {circle}");
            }
        }
    }
}

/// What the reference page says of the third degree.
#[test]
fn the_third_eigenvalue_is_right_to_one_in_six_hundred() {
    for dim in DIMS {
        let d = dim as f64;
        let turn = Turn::new(1.0 / (d - 1.0), dim);
        let cubic = |y: f64| ((d + 2.0) * y.powi(3) - 3.0 * y) / (d - 1.0);
        let found = mean(d - 1.0, |r| cubic(1.0 - turn.moves(r)[0])).ln();
        let expected = -1.5 * (d + 1.0) / (d - 1.0);
        assert!((found / expected - 1.0).abs() < 1.0 / 600.0, "d = {dim}: {found} is not {expected}");
    }
}

fn noise(field: NoiseField, intensity: f64) -> Noise {
    Noise { field, intensity, calculus: Calculus::Ito, seed: 1, is_shared: false }
}

/// No part is longer than it may be, and all together are as long as the time, or as what mixes everything.
#[test]
fn long_steps_have_parts() {
    let perceptron = NoiseField::CommonPerceptron { width: 64, activation: Activation::Identity };
    let fields = [NoiseField::Independent, NoiseField::CommonAdditive, NoiseField::CommonMatrix, perceptron];
    for field in fields {
        for dim in [2, 3, 64] {
            for reach in [1e-9, 0.04, 0.9, 20.0] {
                let h = reach / (4.0 * (dim - 1) as f64);
                let diffusion = Diffusion::new(&noise(field, 2.0), h, dim).expect("it moves");
                let total = diffusion.reach * diffusion.parts as f64;
                assert!((total / reach - 1.0).abs() < 1e-12, "{field:?}, d = {dim}: {total} is not {reach}");
                assert!(diffusion.reach <= diffusion.good, "{field:?}, d = {dim}: {diffusion:?}");
            }
        }
        assert_eq!(Diffusion::new(&noise(field, 0.0), 1.0, 3), None);
        let long = Diffusion::new(&noise(field, 1e200), 1e200, 3).expect("it moves");
        assert!(long.parts <= MOST_PARTS, "{long:?}");
    }
    let mixed = Diffusion::new(&noise(NoiseField::Independent, 1.0), 1e9, 5).expect("it moves");
    assert_eq!((mixed.parts, mixed.reach), (80, 1.0));
}

#[test]
fn draws_are_used_once() {
    let diffusion = Diffusion::new(&noise(NoiseField::Independent, 1.0), 3.5, 2).expect("it moves");
    let draws = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(step, half)| diffusion.draw(step, half));
    assert_eq!((diffusion.parts, draws), (4, [0, 4, 8, 12]));
}

/// E sigma^2 and E sigma^4 of relu are 1/2 and 3/2, and those of a straight line 1 and 3.
#[test]
fn activations_have_the_variance_of_their_integrals() {
    for (activation, variance, excess) in [(Activation::Relu, 0.5, 5.0), (Activation::Identity, 1.0, 2.0)] {
        let moments = Moments::of(activation);
        assert!((moments.variance - variance).abs() < 1e-9, "{activation:?}: {}", moments.variance);
        assert!((moments.excess - excess).abs() < 1e-8, "{activation:?}: {}", moments.excess);
    }
}
