//! Mixtures against the moments and masses of their laws.

use std::f64::consts::{PI, TAU};

use super::*;

fn cap(axis: &[f64], angle: f64) -> Law {
    Law::Cap(Cap { axis: axis.to_vec(), angle })
}

fn fisher(axis: &[f64], concentration: f64) -> Law {
    Law::VonMisesFisher(VonMisesFisher { axis: axis.to_vec(), concentration })
}

fn mixture(weights: &[f64], laws: Vec<Law>) -> Law {
    Law::Mixture(Mixture { weights: Some(weights.to_vec()), laws })
}

/// Three laws on the circle or the sphere, of which two are a mixture of their own, and the formula of E x: the mean height of a cap
/// is sin a / a and (1 + cos a) / 2, that of von Mises' and Fisher's law I_1(2) / I_0(2) and coth 3 - 1 / 3.
fn nested(dim: usize) -> (Law, Vec<f64>) {
    let (axis, other) = match dim {
        2 => (vec![0.6, -0.8], vec![0.0, 1.0]),
        _ => (vec![0.36, 0.48, 0.8], vec![0.0, -0.6, 0.8]),
    };
    let (concentration, of_fisher, of_cap) = match dim {
        2 => (2.0, 0.697_774_657_964_008, 0.7f64.sin() / 0.7),
        _ => (3.0, 1.0 / 3.0f64.tanh() - 1.0 / 3.0, (1.0 + 0.7f64.cos()) / 2.0),
    };
    let pair = mixture(&[0.75, 0.25], vec![fisher(&other, concentration), Law::Uniform(Uniform)]);
    let law = mixture(&[0.2, 0.8], vec![cap(&axis, 0.7), pair]);
    let mean = axis.iter().zip(&other).map(|(a, b)| 0.2 * of_cap * a + 0.8 * 0.75 * of_fisher * b);
    (law, mean.collect())
}

#[test]
fn a_mixture_has_the_weighted_mean_of_its_laws() {
    let count = 40_000;
    for dim in [2, 3] {
        let (law, mean) = nested(dim);
        let tokens = draw(&law, shape(1, count, dim), 21).expect("tokens");
        for (k, expected) in mean.iter().enumerate() {
            let found = tokens.chunks(dim).map(|x| x[k]).sum::<f64>() / count as f64;
            // No component deviates by more than one.
            assert!((found - expected).abs() < SIGMAS / (count as f64).sqrt(), "E x_{k}: {found}, not {expected}");
        }
    }
}

/// Of caps that do not meet each token is in one, and how many are in each is binomial.
#[test]
fn weights_are_probabilities() {
    let axes = [0.3, 2.1, -1.7].map(|phi: f64| [phi.cos(), phi.sin()]);
    let laws = || axes.iter().map(|axis| cap(axis, 0.2)).collect::<Vec<_>>();
    let count = 40_000;
    for (law, weights) in [
        (mixture(&[0.1, 0.3, 0.6], laws()), [0.1, 0.3, 0.6]),
        (Law::Mixture(Mixture { weights: None, laws: laws() }), [1.0 / 3.0; 3]),
    ] {
        let tokens = draw(&law, shape(1, count, 2), 22).expect("tokens");
        let inside = axes.map(|axis| tokens.chunks(2).filter(|x| dot(x, &axis) >= 0.2f64.cos()).count());
        assert_eq!(inside.iter().sum::<usize>(), count);
        for (found, weight) in inside.iter().zip(weights) {
            let error = (weight * (1.0 - weight) * count as f64).sqrt();
            assert!((*found as f64 - weight * count as f64).abs() < SIGMAS * error, "{found} of {weight}");
        }
    }
}

#[test]
fn mixtures_in_euclidean_space_have_their_moments() {
    let normal = Law::Gaussian(Gaussian { mean: Some(vec![2.0, 0.0]), spread: Spread::Scale(0.5) });
    let law = mixture(
        &[0.25, 0.75],
        vec![normal, Law::Box(UniformBox { low: Bound::All(-1.0), high: Bound::Each(vec![0.0, 2.0]) })],
    );
    let count = 40_000;
    let tokens = draw(&law, shape(1, count, 2), 23).expect("tokens");
    let mean = |of: &dyn Fn(&[f64]) -> f64| tokens.chunks(2).map(of).sum::<f64>() / count as f64;
    let error = SIGMAS / (count as f64).sqrt();
    // 2 / 4 - 3 / 8 and 3 / 8; second moments 4.25 / 4 + 1 / 4 and 0.25 / 4 + 3 / 4. Deviations are below 2 and 2.5.
    assert!((mean(&|x| x[0]) - 0.125).abs() < 2.0 * error);
    assert!((mean(&|x| x[1]) - 0.375).abs() < 2.0 * error);
    assert!((mean(&|x| x[0] * x[0]) - 1.3125).abs() < 2.5 * error);
    assert!((mean(&|x| x[1] * x[1]) - 0.8125).abs() < 2.5 * error);
    assert_eq!(law.off_sphere(), Some("laws.0.law".into()));
}

#[test]
fn nodes_of_a_mixture_have_its_moments() {
    for (dim, fineness) in [(2, 40), (3, 24)] {
        let (law, mean) = nested(dim);
        let nodes = quadrature(&law, dim, fineness).expect("nodes");
        assert!((nodes.weights.iter().sum::<f64>() - 1.0).abs() < 1e-14);
        for (k, expected) in mean.iter().enumerate() {
            let found: f64 = nodes.coordinates.chunks(dim).zip(&nodes.weights).map(|(x, w)| w * x[k]).sum();
            assert!((found - expected).abs() < 1e-14, "d = {dim}, E x_{k}: {found}, not {expected}");
        }
        // Two caps about one axis: E t^2 is (1 + cos a sin a / a) / 2 on the circle and (1 + cos a + cos^2 a) / 3 on the sphere.
        let axis = &[0.0, 0.6, 0.8][3 - dim..];
        let axis = unit_axis(axis, dim).expect("an axis");
        let caps = mixture(&[0.3, 0.7], vec![cap(&axis, 0.1), cap(&axis, 1.0)]);
        let square = |a: f64| match dim {
            2 => 0.5 * (1.0 + a.cos() * a.sin() / a),
            _ => (1.0 + a.cos() + a.cos() * a.cos()) / 3.0,
        };
        let nodes = quadrature(&caps, dim, 16).expect("nodes");
        let found: f64 =
            nodes.coordinates.chunks(dim).zip(&nodes.weights).map(|(x, w)| w * dot(x, &axis).powi(2)).sum();
        let expected = 0.3 * square(0.1) + 0.7 * square(1.0);
        assert!((found - expected).abs() < 1e-14, "d = {dim}: {found}, not {expected}");
    }
}

/// The distribution function of a quarter uniform and two caps, of which one lies across the angle pi, where it is cut.
#[test]
fn quantiles_of_a_mixture_jump_where_caps_end() {
    let law = mixture(&[0.25, 0.5, 0.25], vec![Law::Uniform(Uniform), cap(&[0.0, 2.0], 0.5), cap(&[0.0, -1.0], 0.2)]);
    let CircleQuantiles { angles, masses } = circle_quantiles(&law, 3000).expect("quantiles");
    assert!((masses.iter().sum::<f64>() - 1.0).abs() < 1e-13);
    assert!(masses.iter().all(|mass| *mass >= 0.0 && *mass <= 1.001 / 3000.0));
    assert!(angles.is_sorted() && angles.len() == masses.len() + 1);
    // Uniform laws have the last basis vector as axis, so that angles begin opposite to it.
    assert!((angles[0] + PI / 2.0).abs() < 1e-15 && (angles[angles.len() - 1] - 1.5 * PI).abs() < 1e-14);
    let mut below = 0.0;
    for (angle, mass) in angles[1..].iter().zip(&masses) {
        below += mass;
        let narrow = ((angle + PI / 2.0) / 0.4).clamp(0.0, 0.5) + ((angle - 1.5 * PI + 0.2) / 0.4).clamp(0.0, 0.5);
        let wide = (angle - PI / 2.0 + 0.5).clamp(0.0, 1.0);
        let expected = 0.25 * (angle + PI / 2.0) / TAU + 0.5 * wide + 0.25 * narrow;
        assert!((below - expected).abs() < 1e-12, "{angle}: {below}, not {expected}");
    }
}

#[test]
fn what_is_wrong_with_a_law_of_a_mixture_says_which() {
    let uniform = || Law::Uniform(Uniform);
    let refused = |law: Law| draw(&law, shape(1, 6, 2), 0).expect_err("it is refused").to_string();
    let refusals = [
        refused(mixture(&[], vec![])),
        refused(mixture(&[0.5, 0.5], vec![uniform()])),
        refused(mixture(&[1.5, -0.5], vec![uniform(), uniform()])),
        refused(mixture(&[0.5, 0.4], vec![uniform(), uniform()])),
        refused(mixture(&[0.5, 0.5], vec![uniform(), cap(&[1.0, 0.0], 4.0)])),
        refused(mixture(&[0.5, 0.5], vec![mixture(&[1.0], vec![cap(&[1.0], 0.5)]), uniform()])),
        refused(mixture(&[1.0], vec![Law::Orthonormal(Orthonormal)])),
        refused(mixture(&[1.0], vec![Law::File(FromFile { path: "absent.npy".into() })])),
        refused(mixture(&[1.0], vec![Law::Fourier(Fourier { amplitudes: vec![0.5], quiet: true })])),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    laws: must be a list of at least one law; write e.g. laws = [{ law = "uniform" }]
    weights: has 2 numbers, and there are 1 laws; write 1 numbers, or leave it out for equal weights
    weights: must be greater than 0, and is -0.5 for law 1, counted from 0; write a positive weight, or leave the law out
    weights: has the sum 0.9; write weights of sum 1: divide each by 0.9
    laws.1.angle: must be an angle in radians, greater than 0 and at most pi; write e.g. angle = 0.5
    laws.0.laws.0.axis: has 1 components and tokens have 2; write 2 numbers, not all zero, e.g. axis = [0, 1]
    laws.0.law: places tokens by their number, and the law of a token of a mixture is chosen by chance; take uniform, von-mises-fisher, cap, gaussian, box, a mixture, or fourier without quiet
    laws.0.law: places tokens by their number, and the law of a token of a mixture is chosen by chance; take uniform, von-mises-fisher, cap, gaussian, box, a mixture, or fourier without quiet
    laws.0.quiet: places tokens by their number, and the law of a token of a mixture is chosen by chance; take uniform, von-mises-fisher, cap, gaussian, box, a mixture, or fourier without quiet
    "#);
    let point = mixture(&[0.5, 0.5], vec![uniform(), fisher(&[1.0, 0.0], f64::INFINITY)]);
    assert!(draw(&point, shape(1, 6, 2), 0).is_ok());
    for error in [quadrature(&point, 2, 8).map(|_| ()), circle_quantiles(&point, 8).map(|_| ())] {
        let error = error.expect_err("a point has no density");
        assert_eq!((error.key.as_str(), error.problem.as_str()), ("laws.1.law", "has no density"));
    }
    let narrow = mixture(&[1.0], vec![cap(&[0.0, 1.0], 1e-300)]);
    assert_eq!(circle_quantiles(&narrow, 8).expect_err("a point").key, "laws.0.law");
}
