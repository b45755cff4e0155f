//! Distances that are known on paper.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use tokenfield::transport::{
    Masses, Measure, Order, assignment, circle, dirac, kernel,
    sinkhorn::{self, Sinkhorn},
    sliced,
};

use crate::{
    clouds::{Formula, WeightedPoints},
    compare::close,
};

const ORDERS: [Order; 2] = [Order::One, Order::Two];

fn divergence(a: &Measure<'_>, b: &Measure<'_>, epsilon: f64) -> f64 {
    let settings = Sinkhorn { epsilon, tolerance: 1e-9, iterations: 100_000 };
    sinkhorn::divergence(a, b, settings).expect("a divergence").value
}

/// The shorter arc, the chord, 1 - cos, sqrt(2 - 2k) and the square root of twice the chord.
#[test]
fn two_diracs_are_as_far_as_their_points() {
    for angle in [1e-6, 0.3, FRAC_PI_2, 3.0, 3.5, 6.0] {
        let (a, b) = (WeightedPoints::at_angles([0.4]), WeightedPoints::at_angles([0.4 + angle]));
        let (a, b) = (a.measure(), b.measure());
        let (arc, chord) = (f64::min(angle, TAU - angle), 2.0 * (0.5 * angle).sin());
        for order in ORDERS {
            close("circle", circle::wasserstein(order, &a, &b).expect("a distance"), arc, 2e-15);
            close("assignment", assignment::wasserstein(order, &a, &b).expect("a distance"), chord, 1e-15);
            let point = b.points().next().expect("a point");
            close("dirac", dirac::wasserstein(order, &a, point).expect("a distance"), chord, 1e-15);
        }
        close("sinkhorn", divergence(&a, &b, 0.1), 0.5 * chord * chord, 1e-14);
        let kernel = (3.0 * (angle.cos() - 1.0)).exp();
        // The square root of rounding where the kernel is nearly one.
        close("mmd", kernel::mmd(&a, &b, 3.0).expect("a distance"), (2.0 - 2.0 * kernel).sqrt(), 3e-8);
        // The chord of 1e-6 is known to 1e-10 of itself only.
        close("energy", kernel::energy_distance(&a, &b).expect("a distance"), (2.0 * chord).sqrt(), 2e-13);
    }
}

/// All points of both in one place, where every cost is zero.
#[test]
fn clouds_in_one_place_are_at_no_distance() {
    let points = [0.6, -0.8].repeat(7);
    let cloud = || Measure::new(&points, 2, Masses::Equal).expect("a measure");
    for order in ORDERS {
        assert_eq!(assignment::wasserstein(order, &cloud(), &cloud()), Ok(0.0));
        assert_eq!(circle::wasserstein(order, &cloud(), &cloud()), Ok(0.0));
        assert_eq!(dirac::wasserstein(order, &cloud(), &points[..2]), Ok(0.0));
    }
}

/// A mean over directions of |<theta, x>|^p: |x| 2 / pi and |x|^2 / 2 in the plane, and 1/2, 1/3 in space.
#[test]
fn two_diracs_are_as_far_as_their_mean_shadow() {
    for (dim, order, mean) in
        [(2, Order::One, 2.0 / PI), (2, Order::Two, 0.5), (3, Order::One, 0.5), (3, Order::Two, 1.0 / 3.0)]
    {
        let (origin, point) = (vec![0.0; dim], [[0.7, 0.0].as_slice(), [2.0, -1.0, 2.0].as_slice()][dim - 2]);
        let length = point.iter().map(|x| x * x).sum::<f64>().sqrt();
        let a = Measure::new(&origin, dim, Masses::Equal).expect("a point");
        let b = Measure::new(point, dim, Masses::Equal).expect("a point");
        let found = sliced::wasserstein(order, &a, &b, 20_000, 7).expect("a distance");
        let expected = length * mean.powf(1.0 / order.exponent());
        let off = (found.distance - expected).abs() / found.standard_error;
        assert!(off < 3.5, "d = {dim}, {order:?}: {found:?} is {off} errors off {expected}");
        let relative = found.standard_error / found.distance;
        assert!((0.001..0.01).contains(&relative), "d = {dim}, {order:?}: {found:?}");
    }
}

/// The error bar is the spread of the estimates: the mean square of 200 deviations in units of it is 1 to 10 %.
#[test]
fn standard_errors_are_those_of_repetitions() {
    let (a, b) = (Formula::on_sphere(40, 3, 0.1, 0.0).cloud(), Formula::on_sphere(50, 3, 2.0, 0.8).cloud());
    for order in ORDERS {
        let of = |projections, seed| {
            sliced::wasserstein(order, &a.measure(), &b.measure(), projections, seed).expect("a distance")
        };
        let truth = of(100_000, 0).distance;
        let squares = (1..=200).map(|seed| {
            let found = of(100, seed);
            ((found.distance - truth) / found.standard_error).powi(2)
        });
        let mean = squares.sum::<f64>() / 200.0;
        // Three standard deviations of a mean of 200 squares of normal numbers.
        assert!((mean - 1.0).abs() < 0.3, "{order:?}: {mean}");
    }
}

/// Weights of a von Mises law of concentration `kappa` about `mean` on a regular grid of angles.
fn von_mises(count: usize, kappa: f64, mean: f64) -> WeightedPoints {
    let angle = move |index: usize| TAU * index as f64 / count as f64;
    WeightedPoints::at_angles((0..count).map(angle))
        .with_weights(|index| (kappa * ((angle(index) - mean).cos() - 1.0)).exp())
}

/// I_k(x) / I_0(x) for k < 60, by Miller's backward recurrence.
fn bessel_ratios(x: f64) -> Vec<f64> {
    let mut values = vec![0.0; 82];
    values[80] = 1e-200;
    for k in (1..=80).rev() {
        values[k - 1] = values[k + 1] + 2.0 * k as f64 / x * values[k];
    }
    (0..60).map(|k| values[k] / values[0]).collect()
}

/// With f = (1 + 2 sum_k r_k cos kx) / 2 pi, r_k = I_k / I_0, the difference F(x) - F(x - theta) is even and unimodal about
/// theta / 2, so that its median is at a quarter turn from there, and
/// W_1 = (8 / pi) sum over odd k of (-1)^{(k - 1) / 2} r_k sin(k theta / 2) / k^2.
#[test]
fn a_rotated_von_mises_law_is_as_far_as_its_fourier_series_says() {
    // The median is at a kink between nodes of the grid: an error of its square.
    let count = 8192;
    for (kappa, theta) in [(0.5, 1.0), (3.0, 0.7), (8.0, 2.9)] {
        let (a, b) = (von_mises(count, kappa, 0.0), von_mises(count, kappa, theta));
        let ratios = bessel_ratios(kappa);
        let term = |k: usize| {
            let sign = if k % 4 == 1 { 1.0 } else { -1.0 };
            sign * ratios[k] * (0.5 * k as f64 * theta).sin() / (k * k) as f64
        };
        let expected = 8.0 / PI * (1..60).step_by(2).map(term).sum::<f64>();
        let found = circle::wasserstein(Order::One, &a.measure(), &b.measure()).expect("a distance");
        close(&format!("kappa {kappa}, theta {theta}"), found, expected, 1e-6);
    }
}

/// Mass far from the mean may take the other way round, but there is next to none: W_2 -> theta as kappa grows.
#[test]
fn a_concentrated_von_mises_law_is_rotated_by_its_angle() {
    let (a, b) = (von_mises(4096, 60.0, 0.0), von_mises(4096, 60.0, TAU * 512.0 / 4096.0));
    for order in ORDERS {
        let found = circle::wasserstein(order, &a.measure(), &b.measure()).expect("a distance");
        close("concentrated", found, TAU / 8.0, 1e-9);
    }
}

/// A regular polygon and the same turned by half of its angle: every point moves by that.
#[test]
fn a_polygon_turned_by_half_an_edge_moves_by_it() {
    for count in [1, 3, 64] {
        let half = PI / count as f64;
        let angles = |shift: f64| WeightedPoints::at_angles((0..count).map(move |k| 2.0 * half * k as f64 + shift));
        let (a, b) = (angles(0.1), angles(0.1 + half));
        for order in ORDERS {
            let found = circle::wasserstein(order, &a.measure(), &b.measure()).expect("a distance");
            close("polygon", found, half, 5e-15);
        }
    }
}

/// MMD^2 = 1 - e^{-beta} I_0(beta) between the uniform law of the circle and a point of it.
#[test]
fn the_uniform_law_is_as_far_from_a_point_as_bessel_says() {
    let beta: f64 = 5.0;
    let (a, b) = (von_mises(256, 0.0, 0.0), WeightedPoints::at_angles([0.2]));
    // I_0 = e^x / (1 + 2 sum_k I_k / I_0), which is Jacobi and Anger at angle zero.
    let scaled = 1.0 / (1.0 + 2.0 * bessel_ratios(beta)[1..].iter().sum::<f64>());
    let found = kernel::mmd(&a.measure(), &b.measure(), beta).expect("a distance");
    close("mmd", found, (1.0 - scaled).sqrt(), 1e-14);
}

/// Nodes of the line with the weights of a normal law: sums over them are integrals to rounding.
fn normal(mean: f64, deviation: f64) -> WeightedPoints {
    let node = |index: usize| (index as f64 - 60.0) / 6.0;
    let coordinates = (0..121).map(|index| mean + deviation * node(index)).collect();
    WeightedPoints { coordinates, dim: 1, weights: None }.with_weights(|index| (-0.5 * node(index).powi(2)).exp())
}

/// Janati, Muzellec, Peyre, Cuturi (NeurIPS 2020), theorem 1, in one dimension, halved: their cost is |x - y|^2, and their
/// 2 sigma^2 is 2 epsilon.
fn entropic_normal(a: (f64, f64), b: (f64, f64), epsilon: f64) -> f64 {
    let root = (4.0 * (a.1 * b.1).powi(2) + epsilon * epsilon).sqrt();
    let constant = epsilon * (1.0 - (2.0 * epsilon).ln());
    0.5 * ((a.0 - b.0).powi(2) + a.1.powi(2) + b.1.powi(2) - root + constant + epsilon * (root + epsilon).ln())
}

#[test]
fn normal_laws_are_as_far_as_their_moments_say() {
    let (a, b) = ((0.3, 1.0), (-0.8, 0.6));
    let (cloud_a, cloud_b) = (normal(a.0, a.1), normal(b.0, b.1));
    for epsilon in [0.3, 1.0, 10.0] {
        let own = 0.5 * (entropic_normal(a, a, epsilon) + entropic_normal(b, b, epsilon));
        let expected = entropic_normal(a, b, epsilon) - own;
        let found = divergence(&cloud_a.measure(), &cloud_b.measure(), epsilon);
        close(&format!("epsilon {epsilon}"), found, expected, 1e-11);
    }
    // On the line every direction shows the whole, and the plan from node to node is the optimal one.
    let found = sliced::wasserstein(Order::Two, &cloud_a.measure(), &cloud_b.measure(), 2, 1).expect("a distance");
    close("W_2", found.distance, 1.1_f64.hypot(0.4), 1e-12);
    assert!(found.standard_error < 1e-12, "{found:?}");
}
