//! Degrees against a table computed elsewhere.

use super::super::{
    bessel::coefficients,
    truncation::{degree, is_affordable, within},
};

#[test]
fn degrees_for_a_tail() {
    // Tails of 1e-6 and 1e-12 relative to e^kappa, from an independent sum of scaled Bessel functions.
    let table = [
        (1.0, [7, 11], [7, 12]),
        (4.0, [11, 18], [12, 18]),
        (16.0, [20, 31], [22, 32]),
        (64.0, [40, 59], [42, 61]),
        (256.0, [79, 115], [84, 119]),
        (1000.0, [155, 226], [166, 235]),
    ];
    for (kappa, circle, sphere) in table {
        for (k, tail) in [1e-6, 1e-12].into_iter().enumerate() {
            assert_eq!(within(2, kappa, tail), Some(circle[k]), "circle, kappa {kappa}, tail {tail}");
            let expected = (sphere[k] <= 120).then_some(sphere[k]);
            assert_eq!(within(3, kappa, tail), expected, "sphere, kappa {kappa}, tail {tail}");
        }
    }
}

#[test]
fn hopeless_expansions_are_refused() {
    assert_eq!(degree(2, 1e5, 1e-6), None);
    assert_eq!(degree(3, 1e3, 1e-6), None);
    assert_eq!(degree(4, 1.0, 1e-6), None);
    assert_eq!(degree(1, 1.0, 1e-6), None);
    assert_eq!(degree(3, 0.0, 1e-6), Some(0));
}

/// The bound is asked before coefficients are: no degree up to the cap serves beyond it, however coarse the tolerance.
#[test]
fn what_no_degree_serves_is_refused_before_it_costs_anything() {
    for (dim, cap) in [(2, 400.0), (3, 120.0)] {
        let bound: f64 = (cap + 1.0) * (cap + 1.0);
        assert!(is_affordable(dim, bound) && !is_affordable(dim, 1.0001 * bound));
        // Just within, where coefficients decide.
        assert_eq!(degree(dim, bound, 0.999), None);
        let all = coefficients(dim, bound, 2 * cap as usize);
        let tail: f64 = all[cap as usize + 1..].iter().sum();
        assert!(tail > 0.25 * all[0], "d = {dim}: {tail} of {}", all[0]);
        for kappa in [1e14, 1e17, 1e300, f64::INFINITY, f64::NAN] {
            assert_eq!(degree(dim, kappa, 1e-6), None);
            assert_eq!(within(dim, kappa, f64::EPSILON), None);
        }
    }
    for dim in [0, 1, 4, 1000] {
        assert_eq!(degree(dim, 1e300, 1e-6), None);
    }
}
