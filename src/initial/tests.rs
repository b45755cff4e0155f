//! Laws against their moments, and files against what was written to them.

mod mixtures;

use std::f64::consts::PI;

use ndarray::{Array2, Array3, ArrayD, Axis, IxDyn, ShapeBuilder};
use ndarray_npy::write_npy;

use super::*;
use crate::{
    initial::axis::unit_axis,
    vector::{dot, norm},
};

/// Five standard errors: a correct sampler exceeds that once in two million comparisons, and the seeds are fixed.
const SIGMAS: f64 = 5.0;

fn shape(replicas: usize, count: usize, dim: usize) -> Shape {
    Shape { replicas, count, dim, passive: 0 }
}

/// An axis along no coordinate.
fn oblique(dim: usize) -> Vec<f64> {
    let axis = (1..=dim).map(|k| k as f64).collect::<Vec<_>>();
    unit_axis(&axis, dim).unwrap()
}

/// Compares a rotation-invariant law about an axis with its density on angles, e^{exponent(theta)} sin^{d-2} theta on
/// [0, reach], integrated by the midpoint rule: the moments of t = 1 - cos theta, and isotropy around the axis.
fn check_about_axis(law: &Law, axis: &[f64], exponent: impl Fn(f64) -> f64, reach: f64) {
    let dim = axis.len();
    let count = 40_000;
    let tokens = draw(law, shape(1, count, dim), 11).unwrap();
    // Half the squared chord is 1 - cos theta without cancellation.
    let t = |token: &[f64]| 0.5 * token.iter().zip(axis).map(|(x, a)| (x - a) * (x - a)).sum::<f64>();
    let nodes = 100_000;
    let mut moments = [0.0; 5];
    for node in 0..nodes {
        let theta = reach * (node as f64 + 0.5) / nodes as f64;
        let density = exponent(theta).exp() * theta.sin().powi(dim as i32 - 2);
        let t = 2.0 * (0.5 * theta).sin().powi(2);
        (0..5).for_each(|power| moments[power] += density * t.powi(power as i32));
    }
    let expected = |power: usize| moments[power] / moments[0];
    for power in [1, 2] {
        let mean = tokens.chunks(dim).map(|token| t(token).powi(power as i32)).sum::<f64>() / count as f64;
        let error = ((expected(2 * power) - expected(power).powi(2)) / count as f64).sqrt();
        let exact = expected(power);
        assert!((mean - exact).abs() < SIGMAS * error, "{law:?}: E t^{power} is {mean}, not {exact} +- {error}");
    }
    // E sin^2 theta = E t (2 - t) is shared evenly by the d - 1 directions across; a square has at most thrice its
    // mean as standard deviation (a Gaussian has sqrt(2) times).
    let across = (2.0 * expected(1) - expected(2)) / (dim - 1) as f64;
    let error = (across / count as f64).sqrt();
    for k in 0..dim {
        let mean = tokens.chunks(dim).map(|x| x[k] - dot(x, axis) * axis[k]).sum::<f64>() / count as f64;
        assert!(mean.abs() < SIGMAS * error, "{law:?}: mean {mean} across, component {k}");
        let square = tokens.chunks(dim).map(|x| (x[k] - dot(x, axis) * axis[k]).powi(2)).sum::<f64>();
        let (square, exact) = (square / count as f64, across * (1.0 - axis[k] * axis[k]));
        let error = 3.0 * exact / (count as f64).sqrt();
        assert!((square - exact).abs() < SIGMAS * error, "{law:?}: E x_{k}^2 is {square} across, not {exact}");
    }
}

#[test]
fn von_mises_fisher_has_its_moments() {
    for dim in [2, 3, 8] {
        for concentration in [0.0, 0.5, 5.0, 1e6] {
            let axis = oblique(dim);
            let law = Law::VonMisesFisher(VonMisesFisher { concentration, axis: axis.clone() });
            // Twelve widths hold the density to e^{-72}.
            let reach = PI.min(12.0 / concentration.sqrt());
            check_about_axis(&law, &axis, |theta| -2.0 * concentration * (0.5 * theta).sin().powi(2), reach);
        }
    }
}

#[test]
fn a_cap_is_uniform_and_not_left() {
    for dim in [2, 3, 8, 100] {
        for angle in [0.01, 0.7, 1.5, 2.5, PI] {
            let axis = oblique(dim);
            let law = Law::Cap(Cap { axis: axis.clone(), angle });
            check_about_axis(&law, &axis, |_| 0.0, angle);
            // The angle from the chord is accurate to 1e-15 / sin(angle / 2) and rounding of the coordinates.
            let chord = 2.0 * (0.5 * angle).sin() + 1e-14;
            for token in draw(&law, shape(1, 1000, dim), 3).unwrap().chunks(dim) {
                assert!(norm(&token.iter().zip(&axis).map(|(x, a)| x - a).collect::<Vec<_>>()) <= chord);
            }
        }
    }
}

#[test]
fn uniform_tokens_have_the_second_moment_of_the_sphere() {
    for dim in [2, 3, 8] {
        let count = 40_000;
        let tokens = draw(&Law::Uniform(Uniform), shape(1, count, dim), 5).unwrap();
        for (i, k) in (0..dim).flat_map(|i| (0..=i).map(move |k| (i, k))) {
            let moment = tokens.chunks(dim).map(|x| x[i] * x[k]).sum::<f64>() / count as f64;
            let exact = if i == k { 1.0 / dim as f64 } else { 0.0 };
            // |x_i x_k| <= 1, and its standard deviation is below 1 / 2.
            assert!((moment - exact).abs() < SIGMAS * 0.5 / (count as f64).sqrt(), "({i}, {k}): {moment}");
        }
        check_about_axis(&Law::Uniform(Uniform), &oblique(dim), |_| 0.0, PI);
    }
}

#[test]
fn every_token_has_length_one() {
    let axis = vec![3.0, 4.0, 0.0];
    let laws = [
        Law::Uniform(Uniform),
        Law::VonMisesFisher(VonMisesFisher { concentration: 1e6, axis: axis.clone() }),
        Law::VonMisesFisher(VonMisesFisher { concentration: f64::INFINITY, axis: axis.clone() }),
        Law::VonMisesFisher(VonMisesFisher { concentration: 1e80, axis: vec![1e-200, 2e-200, 0.0] }),
        Law::Cap(Cap { axis, angle: 1e-9 }),
        Law::TwoClusters(TwoClusters { overlap: -0.3, fraction: 0.25, concentration: 10.0 }),
    ];
    for law in laws {
        for token in draw(&law, shape(2, 400, 3), 1).unwrap().chunks(3) {
            // Three squares and a root round five times.
            assert!((norm(token) - 1.0).abs() < 1e-15, "{law:?}: {token:?}");
        }
    }
}

#[test]
fn a_token_does_not_depend_on_its_company() {
    let axis = vec![0.0, 0.0, 1.0];
    let laws = [
        Law::Uniform(Uniform),
        Law::VonMisesFisher(VonMisesFisher { concentration: 2.0, axis: axis.clone() }),
        Law::Cap(Cap { axis: axis.clone(), angle: 0.4 }),
        Law::Cap(Cap { axis: axis.clone(), angle: 2.0 }),
        Law::Mixture(Mixture {
            weights: None,
            laws: vec![Law::Cap(Cap { axis, angle: 0.4 }), Law::Uniform(Uniform), Law::Uniform(Uniform)],
        }),
    ];
    for law in laws {
        let many = draw(&law, shape(3, 10, 3), 7).unwrap();
        let few = draw(&law, shape(2, 4, 3), 7).unwrap();
        for (r, i) in [(0, 0), (0, 3), (1, 0), (1, 3)] {
            assert_eq!(many[(r * 10 + i) * 3..][..3], few[(r * 4 + i) * 3..][..3], "{law:?}");
        }
        let mut distinct: Vec<_> = many.chunks(3).map(|token| token[0].to_bits()).collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 30, "{law:?}: two tokens start at the same place");
        assert_ne!(many, draw(&law, shape(3, 10, 3), 8).unwrap(), "{law:?} ignores the seed");
    }
}

#[test]
fn equiangular_tokens_have_their_overlap() {
    let cases = [
        (1, 2, None, 0.0),
        (2, 2, None, -1.0),
        (3, 2, None, -0.5),
        (4, 3, None, -1.0 / 3.0),
        (5, 9, None, -0.25),
        (385, 384, None, -1.0 / 384.0),
        (4, 3, Some(-1.0 / 3.0), -1.0 / 3.0),
        (3, 3, Some(0.9), 0.9),
        (4, 7, Some(-0.2), -0.2),
        (64, 64, Some(0.0), 0.0),
    ];
    for (count, dim, overlap, exact) in cases {
        let tokens = draw(&Law::Simplex(Simplex { overlap }), shape(2, count, dim), 0).unwrap();
        let (first, second) = tokens.split_at(count * dim);
        assert_eq!(first, second, "replicas differ");
        for (i, x) in first.chunks(dim).enumerate() {
            for (j, y) in first.chunks(dim).enumerate() {
                let exact = if i == j { 1.0 } else { exact };
                // Coordinates are rounded to 1e-16, and inner products of unit vectors amplify that by a few.
                assert!((dot(x, y) - exact).abs() < 1e-14, "{count} in {dim}: ({i}, {j})");
            }
        }
    }
}

#[test]
fn orthonormal_tokens_are_the_basis() {
    assert_eq!(draw(&Law::Orthonormal(Orthonormal), shape(1, 2, 3), 0).unwrap(), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
}

#[test]
fn two_clusters_are_where_they_should_be() {
    let points = Law::TwoClusters(TwoClusters { overlap: 0.6, fraction: 1.0 / 3.0, concentration: f64::INFINITY });
    let tokens = draw(&points, shape(1, 3, 2), 0).unwrap();
    assert_eq!(tokens[..2], [1.0, 0.0]);
    assert_eq!(tokens[2..4], tokens[4..]);
    // The root and the normalisation round the last bit.
    assert!((tokens[2] - 0.6).abs() < 1e-15 && (tokens[3] - 0.8).abs() < 1e-15);

    let spread = Law::TwoClusters(TwoClusters { overlap: 0.6, fraction: 0.5, concentration: 1e4 });
    for (i, token) in draw(&spread, shape(1, 100, 3), 0).unwrap().chunks(3).enumerate() {
        let centre = if i < 50 { [1.0, 0.0, 0.0] } else { [0.6, 0.8, 0.0] };
        // 1 - <x, centre> is exponential of mean 1e-4 for d = 3; thirty means are never reached by a hundred tokens.
        let away = 1.0 - dot(token, &centre);
        assert!(away < 3e-3 && away > 0.0, "token {i}: {away}");
    }
}

#[test]
fn a_file_gives_its_tokens_in_any_order_and_precision() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let law = Law::File(FromFile { path: path.clone() });
    let drawn = draw(&Law::Uniform(Uniform), shape(2, 5, 3), 9).unwrap();
    let double = Array3::from_shape_vec((2, 5, 3), drawn.clone()).unwrap();
    let close = |found: &[f64], tolerance: f64| {
        assert_eq!(found.len(), drawn.len());
        found.iter().zip(&drawn).for_each(|(a, b)| assert!((a - b).abs() <= tolerance, "{a} {b}"));
    };

    write_npy(&path, &double).unwrap();
    // Normalising once more may move the last bit.
    close(&draw(&law, shape(2, 5, 3), 0).unwrap(), 3e-16);

    let mut fortran = ArrayD::zeros(IxDyn(&[2, 5, 3]).f());
    fortran.assign(&double);
    write_npy(&path, &fortran).unwrap();
    close(&draw(&law, shape(2, 5, 3), 0).unwrap(), 3e-16);

    write_npy(&path, &double.mapv(|x| x as f32)).unwrap();
    // Half a unit in the last place of f32 below 1 is 3e-8, in each component and in the length.
    close(&draw(&law, shape(2, 5, 3), 0).unwrap(), 1.2e-7);

    let one: Array2<f64> = double.index_axis(Axis(0), 0).to_owned();
    write_npy(&path, &one).unwrap();
    let shared = draw(&law, shape(2, 5, 3), 0).unwrap();
    assert_eq!(shared[..15], shared[15..]);
}

#[test]
fn nonsense_from_a_library_user_is_refused() {
    let key = |law, shape| draw(&law, shape, 0).unwrap_err().key;
    assert_eq!(key(Law::Uniform(Uniform), shape(1, 4, 1)), "law");
    assert_eq!(key(Law::Uniform(Uniform), shape(1 << 33, 1, 2)), "law");
    assert_eq!(key(Law::Uniform(Uniform), shape(1 << 31, 1 << 31, 1 << 31)), "law");
    assert_eq!(
        key(Law::VonMisesFisher(VonMisesFisher { concentration: f64::NAN, axis: vec![1.0, 0.0] }), shape(1, 4, 2)),
        "concentration"
    );
    assert_eq!(
        key(Law::VonMisesFisher(VonMisesFisher { concentration: 1.0, axis: vec![1.0, f64::NAN] }), shape(1, 4, 2)),
        "axis"
    );
}

/// Another seed gives other tokens exactly where tokens are drawn by chance, of which larger samples come nearer to a measure.
#[test]
fn laws_are_drawn_or_the_same_for_every_seed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x0.npy");
    write_npy(&path, &Array2::<f64>::eye(3)).unwrap();
    let axis = vec![1.0, 0.0, 0.0];
    for law in [
        Law::Uniform(Uniform),
        Law::VonMisesFisher(VonMisesFisher { concentration: 2.0, axis: axis.clone() }),
        Law::Cap(Cap { axis, angle: 0.5 }),
        Law::TwoClusters(TwoClusters { overlap: 0.3, fraction: 1.0 / 3.0, concentration: 9.0 }),
        Law::Gaussian(Gaussian { mean: None, spread: Spread::Scale(1.0) }),
        Law::Box(UniformBox { low: Bound::All(-1.0), high: Bound::All(1.0) }),
        Law::Mixture(Mixture { weights: None, laws: vec![Law::Uniform(Uniform)] }),
        Law::Simplex(Simplex { overlap: Some(0.1) }),
        Law::Orthonormal(Orthonormal),
        Law::Points(Points { rows: vec![vec![1.0, 2.0, 3.0]; 3] }),
        Law::File(FromFile { path }),
    ] {
        let [one, other] = [1, 2].map(|seed| draw(&law, shape(1, 3, 3), seed).unwrap());
        assert_eq!(one != other, law.form().is_drawn(), "{law:?}");
    }
}

/// |sum_j e^{i k phi_j}| / n is half the amplitude of mode k: without noise on quiet tokens, but for modes beyond n.
#[test]
fn fourier_densities_have_their_modes() {
    let amplitudes = vec![0.3, 0.0, -0.2, 0.1];
    let modes = |quiet, count: usize| -> Vec<[f64; 2]> {
        let law = Law::Fourier(Fourier { amplitudes: amplitudes.clone(), quiet });
        let tokens = draw(&law, shape(1, count, 2), 3).expect("tokens");
        let mode = |k: usize| {
            let angles = tokens.chunks(2).map(|x| k as f64 * x[1].atan2(x[0]));
            let (cos, sin): (Vec<f64>, Vec<f64>) = angles.map(|phi| (phi.cos(), phi.sin())).unzip();
            [cos, sin].map(|parts| parts.iter().sum::<f64>() / count as f64)
        };
        (1..=6).map(mode).collect()
    };
    for (quiet, count, error) in [(true, 400, 1e-12), (false, 40_000, SIGMAS * 0.75 / 200.0)] {
        for (k, [cos, sin]) in modes(quiet, count).into_iter().enumerate() {
            let expected = 0.5 * amplitudes.get(k).copied().unwrap_or(0.0);
            assert!((cos - expected).abs() < error && sin.abs() < error, "mode {}: {cos}, {sin}", k + 1);
        }
    }
    let refused = |amplitudes: Vec<f64>, dim| {
        let law = Law::Fourier(Fourier { amplitudes, quiet: true });
        draw(&law, shape(1, 8, dim), 3).expect_err("it is refused").key
    };
    assert_eq!(refused(vec![0.0, 1.1], 2), "amplitudes");
    assert_eq!(refused(vec![f64::NAN], 2), "amplitudes");
    assert_eq!(refused(vec![0.5], 3), "law");
    // Fejer's kernel of degree 2 vanishes and is not negative, though its amplitudes add up to more than one.
    let fejer = Law::Fourier(Fourier { amplitudes: vec![4.0 / 3.0, 2.0 / 3.0], quiet: true });
    assert!(draw(&fejer, shape(1, 8, 2), 3).is_ok());
}

#[test]
fn points_are_where_they_are_typed() {
    let law = Law::Points(Points { rows: vec![vec![0.6, 0.8], vec![-1.0, 0.0]] });
    assert_eq!(draw(&law, shape(2, 2, 2), 5), Ok(vec![0.6, 0.8, -1.0, 0.0, 0.6, 0.8, -1.0, 0.0]));
    let problem = |count, dim| draw(&law, shape(1, count, dim), 5).expect_err("it is refused").problem;
    assert_eq!(problem(3, 2), "has 2 rows, and there are 3 tokens");
    assert_eq!(problem(2, 3), "has 2 components in row 0, and tokens have 3");
}

/// One component has no directions, but a mean and a variance: of N(1, 4), of a box, and of both.
#[test]
fn on_the_line_there_are_laws_of_lengths_alone() {
    let normal = || Law::Gaussian(Gaussian { mean: Some(vec![1.0]), spread: Spread::Scale(2.0) });
    let uniform = || Law::Box(UniformBox { low: Bound::All(-3.0), high: Bound::All(1.0) });
    let both = Law::Mixture(Mixture { weights: Some(vec![0.25, 0.75]), laws: vec![normal(), uniform()] });
    let count = 40_000;
    // E x and E x^2: 1 and 5, -1 and 7 / 3.
    for (law, first, second) in [(normal(), 1.0, 5.0), (uniform(), -1.0, 7.0 / 3.0), (both, -0.5, 3.0)] {
        let tokens = draw(&law, shape(1, count, 1), 17).expect("tokens");
        let mean = |power: i32| tokens.iter().map(|x| x.powi(power)).sum::<f64>() / count as f64;
        let error = SIGMAS / (count as f64).sqrt();
        assert!((mean(1) - first).abs() < 2.0 * error, "{law:?}: {}", mean(1));
        assert!((mean(2) - second).abs() < 8.0 * error, "{law:?}: {}", mean(2));
    }
    let points = Law::Points(Points { rows: vec![vec![0.5], vec![-7.0]] });
    assert_eq!(draw(&points, shape(1, 2, 1), 0), Ok(vec![0.5, -7.0]));
    for law in [
        Law::Uniform(Uniform),
        Law::VonMisesFisher(VonMisesFisher { concentration: 1.0, axis: vec![1.0] }),
        Law::Cap(Cap { axis: vec![1.0], angle: 0.5 }),
        Law::Simplex(Simplex { overlap: None }),
        Law::Orthonormal(Orthonormal),
        Law::TwoClusters(TwoClusters { overlap: -1.0, fraction: 0.5, concentration: 1.0 }),
    ] {
        let error = draw(&law, shape(1, 2, 1), 0).expect_err("it is refused");
        assert!(error.key == "law" && error.problem.contains("no directions"), "{law:?}: {error}");
    }
}
