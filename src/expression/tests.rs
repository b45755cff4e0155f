//! Formulas against arithmetic, and functions against published values.

use super::*;

fn value(text: &str) -> f64 {
    let formula: Expression = text.parse().unwrap_or_else(|error| panic!("{text} {error}"));
    formula.value(&|name| (name == "x").then_some(3.0)).expect("x is known")
}

#[test]
fn operators_bind_as_on_paper() {
    let cases = [
        ("1 - 2 - 3", -4.0),
        ("2 / 3 / 4", 2.0 / 3.0 / 4.0),
        ("2 + 3 * 4", 14.0),
        ("-2^2", -4.0),
        ("-x^2 / 2", -4.5),
        ("2^-1", 0.5),
        ("2^3^2", 512.0),
        ("2 * -3", -6.0),
        ("--3", 3.0),
        ("2^-1 * 4", 2.0),
        ("(1 + 2) * 3", 9.0),
        ("1e-3 * 2", 0.002),
        (".5 + 2.", 2.5),
        ("exp(-x^2 / 2)", (-4.5f64).exp()),
        ("x > 2 and x < 4", 1.0),
        ("x > 3 or x <= 2", 0.0),
        ("x >= 3 and 1 > 2 or 1", 1.0),
        ("1 + 1 > 1", 1.0),
        ("sin(pi / 6)", 0.5),
        ("max(1, x) - min(1, x)", 2.0),
        ("mod(-1, x)", 2.0),
    ];
    for (text, expected) in cases {
        assert!((value(text) - expected).abs() < 1e-15, "{text} = {}", value(text));
    }
}

#[test]
fn names_are_columns_and_dotted_keys() {
    let formula: Expression =
        "2 * ln(tokens.count) - attention.head.0.query-key.scale - mode_3 + pi + origin".parse().expect("a formula");
    let names: Vec<&str> = formula.names().into_iter().collect();
    assert_eq!(names, ["attention.head.0.query-key.scale", "mode_3", "origin", "tokens.count"]);
    let known = |name: &str| (name != "mode_3").then_some(1.0);
    assert_eq!(formula.value(&known).map_err(|error| error.to_string()), Err("knows no mode_3".into()));
    let apart: Expression = "tokens.count-1".parse().expect("a formula");
    assert_eq!(apart.value(&|_| Some(8.0)), Ok(7.0));
}

#[test]
fn margins_are_positive_where_comparisons_hold() {
    let margin = |text: &str| {
        let formula: Expression = text.parse().expect("a formula");
        formula.margin(&|_| Some(3.0)).map(|margin| margin.expect("x is known"))
    };
    assert_eq!(margin("x > 2"), Some(1.0));
    assert_eq!(margin("x^2 < 4"), Some(-5.0));
    assert_eq!(margin("x"), None);
    assert_eq!(margin("x > 2 and x > 1"), None);
}

#[test]
fn what_is_no_formula_is_told_where() {
    let cases = [
        ("", "is empty"),
        ("2 +", "is no formula: nothing fits at character 4, before \"\""),
        ("2 3", "is no formula: nothing fits at character 3, before \"3\""),
        ("x = 2", "is no formula: nothing fits at character 3, before \"= 2\""),
        ("log(2)", "knows no function log; those it knows are abs, acos"),
        ("ln(2, 3)", "gives ln 2 arguments, and it takes 1"),
        ("and", "is no formula: nothing fits at character 1, before \"and\""),
    ];
    for (text, expected) in cases {
        let error = text.parse::<Expression>().expect_err(text).to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

/// DLMF's relations I_{1/2}(x) = (2 / pi x)^{1/2} sinh x and I_{n-1} - I_{n+1} = 2 n I_n / x, and two values of Abramowitz and Stegun,
/// tables 9.8 and 9.11: e^{-5} I_0(5) = 0.1835408126, I_3(5) = 10.33115017.
#[test]
fn bessel_functions_are_those_of_tables() {
    let close = |text: &str, expected: f64, error: f64| {
        let found = value(text);
        assert!((found - expected).abs() <= error * expected.abs(), "{text} = {found}, not {expected}");
    };
    close("exp(-5) * bessel_i(0, 5)", 0.1835408126, 1e-9);
    // DLMF 5.4.12, 5.4.13 and 5.5.2.
    close("digamma(1)", -0.577_215_664_901_532_9, 1e-12);
    close("digamma(0.5)", -0.577_215_664_901_532_9 - 2.0 * 2f64.ln(), 1e-12);
    close("digamma(7.5) - digamma(6.5)", 1.0 / 6.5, 1e-12);
    close("ln_gamma(171) - ln_gamma(170)", 170f64.ln(), 1e-11);
    close("bessel_i(3, 5)", 10.33115017, 1e-9);
    close("bessel_i(0.5, 30)", (2.0 / (std::f64::consts::PI * 30.0)).sqrt() * 30f64.sinh(), 1e-13);
    close("(bessel_i(38, 7) - bessel_i(40, 7)) / bessel_i(39, 7)", 2.0 * 39.0 / 7.0, 1e-12);
    assert_eq!(value("bessel_i(0, 0)"), 1.0);
    assert_eq!(value("bessel_i(2, 0)"), 0.0);
    assert!(value("bessel_i(-2, 1)").is_nan());
}
