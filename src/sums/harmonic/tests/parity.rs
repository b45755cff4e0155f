//! Z and M / Z against the direct sum: every cloud, size, weight, matrix, temperature, precision and instruction set.

use super::{
    super::{
        super::{instructions::Instructions, real::Real},
        Radial,
    },
    direct::{Arrangement, Row, cloud, direct, harmonic, queries, uneven},
};
use crate::{
    backend::Precision,
    harmonic::degree,
    tokens::{Tokens, Weights},
};

const ARRANGEMENTS: [Arrangement; 4] =
    [Arrangement::Spread, Arrangement::Clustered, Arrangement::Polar, Arrangement::Axes];
const BETAS: [f64; 5] = [0.0, 0.5, 4.0, 64.0, 400.0];

/// Rows that lose more than this many bits to cancellation are not compared; that they do is.
const COMPARED: f64 = 9.0;

/// A, and the factor if the test is to say that it is c I.
struct Case {
    name: &'static str,
    a: fn(usize, usize) -> f64,
    multiple: Option<f64>,
}

const CASES: [Case; 7] = [
    Case { name: "identity", a: identity, multiple: Some(1.0) },
    Case { name: "identity, varying", a: identity, multiple: None },
    Case { name: "-0.7 I", a: |row, column| -0.7 * identity(row, column), multiple: Some(-0.7) },
    Case { name: "0 I", a: |_, _| 0.0, multiple: Some(0.0) },
    Case { name: "zero, varying", a: |_, _| 0.0, multiple: None },
    Case { name: "dense", a: dense, multiple: None },
    Case { name: "singular", a: |row, column| [0.6, -0.8, 0.3][row] * [0.7, 0.1, -0.5][column], multiple: None },
];

fn identity(row: usize, column: usize) -> f64 {
    (row == column) as u8 as f64
}

fn dense(row: usize, column: usize) -> f64 {
    [[0.9, -0.2, 0.4], [0.3, 0.5, -0.6], [0.1, 0.2, 0.5]][row][column]
}

fn norm(query: &[f64]) -> f64 {
    query.iter().map(|q| q * q).sum::<f64>().sqrt()
}

/// What is asked of truncation, and what of the result: the largest error of ln Z and of M / Z relative to e^{kappa_i} / Z_i.
///
/// One unit in the last place of every factor, amplified by the recurrences: the worst measured are 1.1e-6, for a
/// cluster at beta = 400, and 6e-14. The error of f32 is not the tail's, which is ten times smaller.
fn tolerances<T: Real>() -> (f64, f64) {
    match T::PRECISION {
        Precision::Half | Precision::Single => (1e-6, 2e-6),
        Precision::Double => (1e-12, 1e-13),
    }
}

/// The largest error of any compared row, in units of its tolerance; and how many were compared.
fn worst(found: &[Row], expected: &[Row], tolerance: f64) -> (f64, usize) {
    let mut worst = 0.0f64;
    let mut compared = 0;
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected).filter(|(_, expected)| expected.lost <= COMPARED) {
        compared += 1;
        let allowed = tolerance * expected.lost.exp2();
        let errors = found.barycentre.iter().zip(&expected.barycentre).map(|(found, expected)| found - expected);
        for error in errors {
            assert!(!error.is_nan());
            worst = worst.max(error.abs() / allowed);
        }
        // Rounding the coordinates moves every score by kappa times a unit or so, and the logarithm is rounded itself.
        let kappa = expected.lost * std::f64::consts::LN_2 + expected.log_sum;
        let allowed = allowed + 0.05 * tolerance * kappa + 1e-15 * kappa;
        worst = worst.max((found.log_sum - expected.log_sum).abs() / allowed);
    }
    (worst, compared)
}

/// Checks one precision on all instruction sets; returns the number of rows compared.
fn check<T: Real>(case: &Case, beta: f64, tokens: &Tokens, queries: &[f64], expected: &[Row], label: &str) -> usize {
    let dim = tokens.shape.dim;
    let (tail, tolerance) = tolerances::<T>();
    let kappa_max = queries.chunks(dim).map(norm).fold(0.0, f64::max);
    let Some(degree) = degree(dim, kappa_max, tail) else {
        assert!(dim == 3 && kappa_max > 100.0, "{label}: refused");
        return 0;
    };
    let radial = match case.multiple {
        Some(multiple) => Radial::<T>::constant(dim, beta * multiple.abs(), degree),
        None => Radial::<T>::varying(dim, kappa_max, degree),
    };
    let most_lost = expected.iter().map(|row| row.lost).fold(0.0, f64::max);
    let mut rows = 0;
    // All instruction sets at one awkward size; the portable one is too slow for all of them.
    let all = Instructions::available();
    let sets = if tokens.shape.count == 17 { &all[..] } else { &all[..1] };
    for &instructions in sets {
        let label = format!("{label}, {:?}, {}", T::PRECISION, instructions.name());
        let (found, lost) = harmonic::<T>(instructions, &radial, queries, tokens);
        let (worst, compared) = worst(&found, expected, tolerance);
        assert!(worst <= 1.0, "{label}: {worst} tolerances");
        // Beyond twelve bits rounding may hide how many more are lost in f32.
        assert!(lost >= most_lost.min(12.0) - 0.1, "{label}: {most_lost} bits lost, {lost} reported");
        rows += compared;
    }
    rows
}

fn sweep(dim: usize) {
    let mut compared = 0;
    for kind in ARRANGEMENTS {
        for (count, weights) in
            [1, 2, 15, 16, 17, 1000].into_iter().flat_map(|n| [(n, Weights::Equal), (n, uneven(n))])
        {
            let tokens = cloud(kind, count, dim, weights);
            for case in &CASES {
                for beta in BETAS {
                    let queries = queries(beta, case.a, &tokens);
                    let expected = direct(&queries, &tokens);
                    let label = format!("d {dim}, {kind:?}, n {count}, beta {beta}, {}", case.name);
                    compared += check::<f32>(case, beta, &tokens, &queries, &expected, &label);
                    compared += check::<f64>(case, beta, &tokens, &queries, &expected, &label);
                }
            }
        }
    }
    assert!(compared > 100_000, "only {compared} rows were compared");
}

#[test]
fn circle_agrees_with_the_direct_sum() {
    sweep(2);
}

#[test]
fn sphere_agrees_with_the_direct_sum() {
    sweep(3);
}

#[test]
fn the_comparison_can_fail() {
    let tokens = cloud(Arrangement::Spread, 100, 3, Weights::Equal);
    let queries = queries(4.0, identity, &tokens);
    let expected = direct(&queries, &tokens);
    let radial = Radial::<f64>::constant(3, 4.0, 30);
    let (mut found, _) = harmonic(Instructions::detect(), &radial, &queries, &tokens);
    assert!(worst(&found, &expected, 1e-13).0 <= 1.0);
    found[99].barycentre[2] += 1e-12 * expected[99].lost.exp2();
    assert!(worst(&found, &expected, 1e-13).0 > 1.0);
}

#[test]
fn degrees_that_are_cut_short_are_seen() {
    let tokens = cloud(Arrangement::Clustered, 16, 2, Weights::Equal);
    let queries = queries(64.0, identity, &tokens);
    let radial = Radial::<f64>::constant(2, 64.0, 40);
    let (found, _) = harmonic(Instructions::detect(), &radial, &queries, &tokens);
    let (errors, _) = worst(&found, &direct(&queries, &tokens), 1e-6);
    // The table says that 40 is the first degree with a tail below 1e-6 of e^kappa, which a cluster attains.
    assert!((0.1..=2.0).contains(&errors), "{errors}");
}

#[test]
fn tiny_weights_scale_the_sum_and_nothing_else() {
    for dim in [2, 3] {
        let scaled = |factor: f64| cloud(Arrangement::Spread, 100, dim, Weights::Each(vec![factor; 100]));
        let queries = queries(4.0, identity, &scaled(1.0));
        let radial = Radial::<f32>::constant(dim, 4.0, 20);
        let (ordinary, _) = harmonic(Instructions::detect(), &radial, &queries, &scaled(1.0));
        let (tiny, _) = harmonic(Instructions::detect(), &radial, &queries, &scaled(300f64.exp2().recip()));
        for (tiny, ordinary) in tiny.iter().zip(&ordinary) {
            // 2^-300 is not representable in f32; its logarithm is, exactly, and so is the scale it becomes.
            assert_eq!(tiny.barycentre, ordinary.barycentre);
            assert!((tiny.log_sum + 300.0 * std::f64::consts::LN_2 - ordinary.log_sum).abs() < 1e-12);
        }
    }
}

#[test]
fn a_sum_that_cancels_away_is_reported() {
    // Query and cluster at opposite ends: Z_i is e^{-2 kappa} of what its terms add up to.
    let tokens = cloud(Arrangement::Clustered, 100, 3, Weights::Equal);
    let queries = queries(60.0, |row, column| -identity(row, column), &tokens);
    let radial = Radial::<f32>::constant(3, 60.0, 50);
    let (_, lost) = harmonic(Instructions::detect(), &radial, &queries, &tokens);
    assert!(lost > 16.0, "{lost}");
}
