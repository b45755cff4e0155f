//! The downward recurrence against the coefficients that one kappa has.

use super::super::{SEED, coefficients, steps};

/// b_0..b_degree by the steps, as a backend takes them.
fn stepped(dim: usize, kappa: f64, kappa_max: f64, degree: usize) -> Vec<f64> {
    let steps = steps(dim, kappa_max, degree);
    let mut table = vec![0.0; steps.len() + 1];
    let (mut upper, mut lower) = (0.0, SEED);
    for (step, l) in steps.iter().zip((1..=steps.len()).rev()) {
        if kappa > step.threshold {
            (upper, lower) = (lower, upper + step.factor / kappa * lower);
        } else {
            (upper, lower) = (0.0, SEED);
        }
        table[l] = step.multiplicity * upper;
    }
    table[0] = lower;
    let sum: f64 = table.iter().sum();
    table[..=degree].iter().map(|value| value / sum).collect()
}

#[test]
fn every_kappa_finds_its_coefficients() {
    for dim in [2, 3] {
        for kappa_max in [0.5, 4.0, 64.0, 400.0] {
            for kappa in [0.0, 1e-9, 0.01, 0.3, 1.0].map(|part| part * kappa_max) {
                let found = stepped(dim, kappa, kappa_max, 40);
                for (l, (found, expected)) in found.iter().zip(coefficients(dim, kappa, 40)).enumerate() {
                    assert!((found - expected).abs() < 1e-14, "d {dim} kappa {kappa} l {l}: {found} {expected}");
                }
            }
        }
    }
}
