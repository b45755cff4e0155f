//! Fields of sharp kernels against integrals over the sphere in coordinates about the token, which know no Bessel function.

use std::f64::consts::PI;

use super::*;
use crate::{
    initial::{Mixture, Uniform, VonMisesFisher, gauss_legendre},
    limit::tests::problem_of,
    model::Attention,
    scheme::Scheme,
    tokens::Shape,
};

/// Angles and weights of an integral over [0, pi].
fn angles(count: usize) -> Vec<(f64, f64)> {
    gauss_legendre(count).into_iter().map(|(t, weight)| (0.5 * PI * (t + 1.0), 0.5 * PI * weight)).collect()
}

/// ln int e^{kappa cos a} p(y) dy, and the mean of sin a cos b under that, for the density p = e^{concentration <y, e>} and an x of
/// height `height`; y lies at the angle a from x, and at b from the plane of x and e.
fn integrals(dim: usize, kappa: f64, concentration: f64, height: f64) -> (f64, f64) {
    let power = |base: f64, exponent: usize| if exponent == 0 { 0.0 } else { exponent as f64 * base.ln() };
    let around: Vec<(f64, f64)> = match dim {
        2 => vec![(1.0, 0.0), (-1.0, 0.0)],
        _ => angles(80).iter().map(|(b, weight)| (b.cos(), weight.ln() + power(b.sin(), dim - 3))).collect(),
    };
    let mut terms = Vec::new();
    for (a, weight) in angles(2400) {
        let (sin, cos) = a.sin_cos();
        let along = weight.ln() + power(sin, dim - 2) + kappa * cos;
        for (cos_b, across) in &around {
            let up = cos * height + sin * cos_b * (1.0 - height * height).sqrt();
            terms.push((along + across + concentration * up, sin * cos_b));
        }
    }
    let largest = terms.iter().map(|term| term.0).fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut moment) = (0.0, 0.0);
    for (logarithm, sine) in terms {
        sum += (logarithm - largest).exp();
        moment += (logarithm - largest).exp() * sine;
    }
    (largest + sum.ln(), moment / sum)
}

/// The velocity of tokens at `heights` towards the axis of the law, per unit of sqrt(1 - t^2) (e - t x) / |e - t x|.
fn towards_axis(attention: Attention, dim: usize, concentration: f64, heights: &[f64]) -> Vec<f64> {
    let axis: Vec<f64> = (0..dim).map(|k| f64::from(u8::from(k == 0))).collect();
    let token = |t: &f64| {
        let mut x = vec![0.0; dim];
        (x[0], x[dim - 1]) = (*t, (1.0 - t * t).sqrt());
        x
    };
    let shape = Shape { replicas: 1, count: heights.len(), dim, passive: 0 };
    let problem = problem_of(shape, heights.iter().flat_map(token).collect(), attention.into(), Scheme::Rk4, 1.0);
    let law = Law::VonMisesFisher(VonMisesFisher { concentration, axis });
    let velocities = zonal(&problem, &law, Steps::Tokens).expect("a limit").velocity();
    let coupled = velocities[velocities.len() - heights.len() * dim..].chunks_exact(dim);
    coupled.zip(heights).map(|(v, t)| v[0] / (1.0 - t * t).sqrt()).collect()
}

const HEIGHTS: [f64; 6] = [-0.999, -0.7, -0.1, 0.2, 0.9, 0.9999];

/// Where e^kappa fits a number and where it does not, of either sign; under a law so narrow that e^{-600} of it is where the
/// farthest token is.
#[test]
fn fields_of_sharp_kernels_are_integrals() {
    let cases: [(usize, f64, f64); 7] = [
        (3, 2.0, 2.0),
        (3, 800.0, 2.0),
        (2, 3000.0, 2.0),
        (8, -800.0, 3.0),
        (3, -5e4, 2.0),
        (8, 2e5, 5.0),
        (3, 900.0, 300.0),
    ];
    for (dim, kappa, concentration) in cases {
        for normalization in [Normalization::Softmax, Normalization::Shifted] {
            let head = Head { query_key: Matrix::Scale(kappa.signum()), ..Head::default() };
            let attention = Attention { beta: kappa.abs(), normalization, heads: vec![head], ..Attention::default() };
            let (total, _) = integrals(dim, 0.0, concentration, 0.0);
            let found = towards_axis(attention, dim, concentration, &HEIGHTS);
            let expected = HEIGHTS.map(|t| {
                let (logarithm, mean) = integrals(dim, kappa, concentration, t);
                match normalization {
                    Normalization::Softmax => (1.0, mean),
                    _ => ((logarithm - total - kappa.abs()).exp(), mean),
                }
            });
            let largest = expected.iter().map(|(scale, _)| *scale).fold(0.0, f64::max);
            for ((t, found), (scale, mean)) in HEIGHTS.iter().zip(found).zip(expected) {
                assert!(
                    (found - scale * mean).abs() < 1e-10 * largest && mean.abs() > 1e-9,
                    "d = {dim}, kappa = {kappa}, {normalization:?}, t = {t}: {found:e}, not {:e}",
                    scale * mean
                );
            }
        }
    }
}

#[test]
fn kernels_finer_than_all_nodes_are_refused() {
    let problem = |beta| {
        let shape = Shape { replicas: 1, count: 1, dim: 3, passive: 0 };
        problem_of(shape, vec![0.0, 0.0, 1.0], Attention { beta, ..Attention::default() }.into(), Scheme::Rk4, 1.0)
    };
    assert!(zonal(&problem(2.5e5), &Law::Uniform(Uniform), Steps::Own).is_ok());
    let error = zonal(&problem(2.6e5), &Law::Uniform(Uniform), Steps::Own).map(|_| ()).expect_err("too sharp");
    assert!(error.to_string().contains("take a smaller attention.beta"), "{error}");
}

#[test]
fn mixtures_about_several_axes_are_refused() {
    let shape = Shape { replicas: 1, count: 1, dim: 3, passive: 0 };
    let problem = problem_of(shape, vec![0.0, 0.0, 1.0], Attention::default().into(), Scheme::Rk4, 1.0);
    let about = |axis: [f64; 3]| Law::VonMisesFisher(VonMisesFisher { concentration: 2.0, axis: axis.to_vec() });
    let of = |axis| {
        Law::Mixture(Mixture {
            weights: None,
            laws: vec![Law::Uniform(Uniform), about([0.0, 3.0, 4.0]), about(axis)],
        })
    };
    assert!(zonal(&problem, &of([0.0, -0.6, -0.8]), Steps::Own).is_ok());
    let error = zonal(&problem, &of([0.0, 0.6, 0.81]), Steps::Own).map(|_| ()).expect_err("two axes");
    assert!(error.to_string().contains("has laws about several axes"), "{error}");
}
