//! Chebyshev polynomials in place of Legendre's: the same spaces, and only where they are safe.

use super::{
    super::{
        super::instructions::Instructions,
        sphere::{Family, Polynomials, Triangle},
    },
    direct::{Arrangement, cloud, moments, moments_by, uneven},
};
use crate::harmonic::gamma;

#[test]
fn moments_are_the_same_by_either_family() {
    let tokens = cloud(Arrangement::Spread, 1003, 3, uneven(1003));
    for degree in [0, 1, 2, 15, 16] {
        let polynomials = Polynomials::choose(degree, 4.0);
        assert_eq!(polynomials.family, Family::Chebyshev);
        for instructions in Instructions::available() {
            let expected = moments::<f64>(instructions, &tokens, degree).values;
            let found = moments_by::<f64>(instructions, &tokens, &polynomials, degree).values;
            assert_eq!(found.len(), expected.len());
            for (k, (found, expected)) in found.iter().zip(&expected).enumerate() {
                // Sums of a thousand terms of order one; factors of the tables are of order a hundred.
                let error = (found - expected).abs();
                assert!(error < 1e-10, "{}, degree {degree}: moment {k} is off by {error:e}", instructions.name());
            }
        }
    }
}

/// A sum of p_lm and what stands for it, order by order, at some heights.
#[test]
fn factors_describe_the_same_polynomials() {
    let triangle = Triangle { degree: 12 };
    let polynomials = Polynomials::choose(13, 4.0);
    let factors: Vec<[f64; 2]> = triangle.each(|l, m| [(1.0 + l as f64).sin(), (2.0 * m as f64 - l as f64).cos()]);
    let mut others = factors.clone();
    polynomials.factors(triangle, &mut others);
    for m in 0..=triangle.degree {
        let row = triangle.row(m);
        for z in [-0.93, -0.2, 0.0, 0.41, 1.0] {
            for part in 0..2 {
                let sum = |factors: &[[f64; 2]], step: &dyn Fn(usize) -> f64| {
                    let (mut before, mut current, mut sum) = (0.0, 1.0, 0.0);
                    for (l, factor) in (m..).zip(factors) {
                        sum += factor[part] * current;
                        (before, current) = (current, 2.0 * z * current - step(l) * before);
                    }
                    sum
                };
                let expected = sum(&factors[row.clone()], &|l| gamma(l, m));
                let found = sum(&others[row.clone()], &|_| 1.0);
                assert!(
                    (found - expected).abs() < 1e-11 * (1.0 + expected.abs()),
                    "m {m}, z {z}: {found}, {expected}"
                );
            }
        }
    }
}

#[test]
fn kernels_of_high_degree_keep_to_legendre() {
    for (degree, kappa, family) in [
        (9, 1.0, Family::Chebyshev),
        (15, 4.0, Family::Chebyshev),
        (28, 16.0, Family::Legendre),
        (56, 64.0, Family::Legendre),
    ] {
        assert_eq!(Polynomials::choose(degree, kappa).family, family, "kappa {kappa}");
    }
}
