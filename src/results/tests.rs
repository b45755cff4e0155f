//! Functionals of curves whose integrals, slopes and crossings are known in closed form.

use super::*;

/// The results of formulas of `time` and of a column x = e^{-2t}, sampled every 1/64 up to 4.
fn results(asked: &[(Kind, &str, Option<f64>, Option<f64>)]) -> Vec<f64> {
    let functional = |(kind, of, from, to): &(Kind, &str, Option<f64>, Option<f64>)| Functional {
        window: Window { from: *from, to: *to },
        ..functional(kind.word(), *kind, of)
    };
    row(asked.iter().map(functional).collect())
}

/// The same of results that have names.
fn rows_of(asked: &[(&str, Kind, &str)]) -> Vec<f64> {
    row(asked.iter().map(|(name, kind, of)| functional(name, *kind, of)).collect())
}

/// Of all samples.
fn functional(name: &str, kind: Kind, of: &str) -> Functional {
    Functional { name: name.into(), kind, of: of.parse().expect("a formula"), window: Window::default() }
}

fn row(functionals: Vec<Functional>) -> Vec<f64> {
    let mut results = Results::new(functionals, vec!["x".into()], 1);
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
        (Kind::Change, "x", None, None, (-8.0f64).exp() - 1.0, 1e-15),
        (Kind::Change, "ln(x)", Some(0.5), Some(2.0), -3.0, 1e-14),
        (Kind::Change, "time", Some(1.0), Some(1.0), 0.0, 0.0),
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
        (Kind::Change, "x", Some(5.0), None),
        (Kind::Change, "ln(-x)", None, None),
        (Kind::Slope, "x", Some(1.0), Some(1.0)),
        (Kind::Integral, "x", Some(5.0), None),
        (Kind::Mean, "ln(-x)", None, None),
    ];
    for (found, case) in results(&never).into_iter().zip(&never) {
        assert!(found.is_nan(), "{case:?}: {found}");
    }
}

/// x' = -2 x: what x loses is twice its integral, but for the error of the trapezoidal rule, h^2 / 12 (f'(b) - f'(a)). Of results that
/// are no numbers there is none.
#[test]
fn results_are_formulas_of_results_before_them() {
    let step: f64 = 1.0 / 64.0;
    let row = rows_of(&[
        ("lost", Kind::Change, "x"),
        ("area", Kind::Integral, "x"),
        ("residual", Kind::Of, "lost + 2 * area"),
        ("twice", Kind::Of, "2 * residual - lost"),
        ("never", Kind::FirstTime, "x > 1"),
        ("none", Kind::Of, "never + area"),
    ]);
    let [lost, area, residual, twice, _, none] = row[..] else { panic!("six results") };
    assert_eq!((residual, twice), (lost + 2.0 * area, 2.0 * (lost + 2.0 * area) - lost));
    let expected = step * step / 3.0 * (1.0 - (-8.0f64).exp());
    assert!((residual - expected).abs() < 1e-3 * expected, "{residual}, not {expected}");
    assert!(none.is_nan(), "{none}");
}

/// Both replicas of a pair have the distance between them, and what is made of it.
#[test]
fn results_of_pairs_are_numbers_of_pairs() {
    let asked = [
        functional("distance", Kind::Last, "ln(w1_copies)"),
        functional("mean", Kind::Last, "mean_norm + time"),
        functional("both", Kind::Of, "2 * mean + distance"),
        functional("again", Kind::Of, "both"),
        functional("own", Kind::Of, "-mean"),
    ];
    assert_eq!(replicas_a_result(&asked), [2, 1, 2, 2, 1]);
}
