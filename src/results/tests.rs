//! Functionals of curves whose integrals, slopes and crossings are known in closed form.

use super::*;

/// The results of formulas of `time` and of a column x = e^{-2t}, sampled every 1/64 up to 4.
fn results(asked: &[(Kind, &str, Option<f64>, Option<f64>)]) -> Vec<f64> {
    let functional = |(kind, of, from, to): &(Kind, &str, Option<f64>, Option<f64>)| Functional {
        name: kind.word().into(),
        kind: *kind,
        of: of.parse().expect("a formula"),
        window: Window { from: *from, to: *to },
    };
    let mut results = Results::new(asked.iter().map(functional).collect(), vec!["x".into()], 1);
    for k in 0..=256 {
        let time = f64::from(k) / 64.0;
        results.sample(&Sample { replica: 0, time, values: vec![(-2.0 * time).exp()] });
    }
    results.rows().remove(0)
}

#[test]
fn functionals_are_those_of_a_known_curve() {
    let step: f64 = 1.0 / 64.0;
    let cases = [
        (Kind::Last, "x", None, None, (-8.0f64).exp(), 1e-15),
        (Kind::Last, "x + time", None, Some(1.0), 1.0 + (-2.0f64).exp(), 1e-15),
        (Kind::Largest, "x", Some(0.5), None, (-1.0f64).exp(), 1e-15),
        (Kind::Smallest, "x * (1 - x)", None, Some(1.0), 0.0, 1e-15),
        // The trapezoidal rule is off by h^2 / 12 (f'(b) - f'(a)).
        (Kind::Integral, "x", None, None, 0.5 * (1.0 - (-8.0f64).exp()), step * step / 6.0),
        (Kind::Mean, "x", Some(1.0), Some(2.0), 0.5 * ((-2.0f64).exp() - (-4.0f64).exp()), step * step / 6.0),
        (Kind::Mean, "time", Some(1.0), Some(1.0), 1.0, 1e-15),
        (Kind::Slope, "ln(x)", None, None, -2.0, 1e-13),
        (Kind::Slope, "ln(x) + time^2", Some(1.0), Some(2.0), 1.0, 1e-12),
        // Linear interpolation is off by h^2 / 8 x'' / x' at most.
        (Kind::FirstTime, "x < 0.5", None, None, 0.5 * 2f64.ln(), step * step / 4.0),
        (Kind::FirstTime, "0.5 >= x", None, None, 0.5 * 2f64.ln(), step * step / 4.0),
        (Kind::FirstTime, "x < 2", None, None, 0.0, 0.0),
        (Kind::FirstTime, "x < 2", Some(1.5), None, 1.5, 0.0),
        // Not a plain comparison: the time of the sample.
        (Kind::FirstTime, "x < 0.5 and time > 0", None, None, 23.0 * step, 0.0),
    ];
    let asked: Vec<_> = cases.iter().map(|(kind, of, from, to, ..)| (*kind, *of, *from, *to)).collect();
    for (found, (kind, of, from, to, expected, error)) in results(&asked).into_iter().zip(&cases) {
        assert!((found - expected).abs() <= *error, "{kind:?} {of} {from:?} {to:?}: {found}, not {expected}");
    }
}

#[test]
fn what_does_not_happen_is_not_a_number() {
    let never = [
        (Kind::FirstTime, "x > 1", None, None),
        (Kind::FirstTime, "ln(-x) < 1", None, None),
        (Kind::Last, "x", Some(5.0), None),
        (Kind::Slope, "x", Some(1.0), Some(1.0)),
        (Kind::Integral, "x", Some(5.0), None),
        (Kind::Mean, "ln(-x)", None, None),
    ];
    for (found, case) in results(&never).into_iter().zip(&never) {
        assert!(found.is_nan(), "{case:?}: {found}");
    }
}

/// Both replicas of a pair have the distance between them.
#[test]
fn results_of_pairs_are_numbers_of_pairs() {
    let of = |text: &str| {
        let of = text.parse().expect("a formula");
        Functional { name: "x".into(), kind: Kind::Last, of, window: Window::default() }.replicas_a_sample()
    };
    assert_eq!(of("ln(w1_copies)"), 2);
    assert_eq!(of("mean_norm + time"), 1);
}
