//! Numbers that predictions are made of: formulas, roots, integrals, sums, and solutions of ordinary differential equations.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::flow::{self, End, Values};
use crate::expression::Expression;

/// Halvings of an interval that leave nothing between two doubles.
const HALVINGS: usize = 200;
/// Panels of an integral, each with Simpson's rule.
const PANELS: usize = 20_000;

/// A number, as typed: a formula, or a table with one of the others.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, untagged)]
enum Typed {
    Formula(String),
    Other(Box<Table>),
}

/// `of` is a formula of the name `over`, which goes from `from` to `to`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    root: Option<String>,
    integral: Option<String>,
    sum: Option<String>,
    argmax: Option<String>,
    over: Option<String>,
    from: Option<toml::Value>,
    to: Option<toml::Value>,
    /// Rates of change of the names.
    ode: Option<BTreeMap<String, String>>,
    start: Option<BTreeMap<String, toml::Value>>,
    /// The time at which this first holds ..
    until: Option<String>,
    /// .. or the value of this at the time `at`.
    value: Option<String>,
    at: Option<toml::Value>,
}

/// A number, read.
#[derive(Clone, Debug)]
pub(super) enum Definition {
    Formula(Expression),
    Over { what: Over, of: Expression, over: String, from: Expression, to: Expression },
    Flow { rates: Vec<(String, Expression)>, start: Vec<Expression>, end: End },
}

/// What is done with the values of a formula over an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Where it is zero; it has one root there.
    Root,
    Integral,
    /// Over whole numbers, ends included.
    Sum,
    /// The whole number where it is largest.
    Argmax,
}

impl Definition {
    /// What is typed, or what is wrong with it.
    pub(super) fn read(typed: &toml::Value) -> Result<Self, String> {
        let typed: Typed = typed.clone().try_into().map_err(|_| {
            "is no number: write a formula, or a table with one of root, integral, sum and argmax, and over, from and to; or with \
             ode and start, and until, or value and at"
                .to_owned()
        })?;
        let table = match typed {
            Typed::Formula(text) => return Ok(Definition::Formula(formula(&text)?)),
            Typed::Other(table) => *table,
        };
        let overs = [
            (Over::Root, table.root),
            (Over::Integral, table.integral),
            (Over::Sum, table.sum),
            (Over::Argmax, table.argmax),
        ];
        let mut overs = overs.into_iter().filter_map(|(what, of)| Some((what, of?)));
        let value = |value: Option<toml::Value>, key: &str| match value {
            Some(toml::Value::String(text)) => formula(&text),
            Some(number @ (toml::Value::Integer(_) | toml::Value::Float(_))) => formula(&number.to_string()),
            _ => Err(format!("needs {key}, a number or a formula")),
        };
        match (overs.next(), overs.next(), table.ode) {
            (Some((what, of)), None, None) => {
                let over = table.over.ok_or("needs over, the name that goes from `from` to `to`")?;
                let (from, to) = (value(table.from, "from")?, value(table.to, "to")?);
                Ok(Definition::Over { what, of: formula(&of)?, over, from, to })
            }
            (None, None, Some(ode)) => {
                let mut starts = table.start.unwrap_or_default();
                let mut start = Vec::new();
                for name in ode.keys() {
                    start.push(value(starts.remove(name), &format!("start.{name}"))?);
                }
                let rates = ode.into_iter().map(|(name, rate)| Ok((name, formula(&rate)?)));
                let end = match (table.until, table.value) {
                    (Some(condition), None) => End::Until(formula(&condition)?),
                    (None, Some(text)) => End::At { time: value(table.at, "at")?, value: formula(&text)? },
                    _ => return Err("needs until, or value and at".into()),
                };
                Ok(Definition::Flow { rates: rates.collect::<Result<_, String>>()?, start, end })
            }
            _ => Err("needs one of root, integral, sum, argmax and ode".into()),
        }
    }

    /// The names whose values it needs.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        match self {
            Definition::Formula(formula) => formula.names(),
            Definition::Over { of, over, from, to, .. } => {
                let mut names = of.names();
                names.remove(over.as_str());
                names.extend(from.names().into_iter().chain(to.names()));
                names
            }
            Definition::Flow { rates, start, end } => {
                let mut names: BTreeSet<&str> = rates.iter().flat_map(|(_, rate)| rate.names()).collect();
                names.extend(match end {
                    End::Until(condition) => condition.names(),
                    End::At { value, .. } => value.names(),
                });
                rates.iter().for_each(|(name, _)| {
                    names.remove(name.as_str());
                });
                names.remove("t");
                names.extend(start.iter().flat_map(Expression::names));
                if let End::At { time, .. } = end {
                    names.extend(time.names());
                }
                names
            }
        }
    }

    /// Its value, where the values of its names are known; not a number where it has none.
    pub(super) fn value(&self, values: Values<'_>) -> f64 {
        let at = |formula: &Expression| formula.value(values).unwrap_or(f64::NAN);
        match self {
            Definition::Formula(formula) => at(formula),
            Definition::Over { what, of, over, from, to } => {
                let function = |x: f64| {
                    let inner = |name: &str| if name == over { Some(x) } else { values(name) };
                    of.value(&inner).unwrap_or(f64::NAN)
                };
                what.of(&function, at(from), at(to))
            }
            Definition::Flow { rates, start, end } => flow::value(rates, start.iter().map(at).collect(), end, values),
        }
    }
}

impl Over {
    fn of(self, function: &dyn Fn(f64) -> f64, from: f64, to: f64) -> f64 {
        if !(from.is_finite() && to.is_finite() && from <= to) {
            return f64::NAN;
        }
        match self {
            Over::Root => root(function, from, to),
            Over::Integral => {
                let h = (to - from) / PANELS as f64;
                let node = |k: usize| from + 0.5 * h * k as f64;
                let weight = |k: usize| {
                    if k == 0 || k == 2 * PANELS {
                        1.0
                    } else if k % 2 == 1 {
                        4.0
                    } else {
                        2.0
                    }
                };
                (0..=2 * PANELS).map(|k| weight(k) * function(node(k))).sum::<f64>() * h / 6.0
            }
            Over::Sum => whole(from, to).map(function).sum(),
            Over::Argmax => {
                let values = whole(from, to).map(|k| (k, function(k))).filter(|(_, value)| !value.is_nan());
                values.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(f64::NAN, |(k, _)| k)
            }
        }
    }
}

fn whole(from: f64, to: f64) -> impl Iterator<Item = f64> {
    (0..).map(move |k| from + f64::from(k)).take_while(move |x| *x <= to)
}

/// By halving, between two points of different signs.
fn root(function: &dyn Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let sign = function(low).signum();
    if function(high).signum() == sign || function(low).is_nan() || function(high).is_nan() {
        return f64::NAN;
    }
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if function(middle).signum() == sign { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// A formula, or what is wrong with it.
pub(super) fn formula(text: &str) -> Result<Expression, String> {
    text.parse::<Expression>().map_err(|error| format!("\"{text}\" {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> f64 {
        let table: toml::Table = text.parse().expect("TOML");
        let definition = Definition::read(&table["x"]).unwrap_or_else(|problem| panic!("{text} {problem}"));
        definition.value(&|name| (name == "beta").then_some(2.0))
    }

    #[test]
    fn numbers_are_those_of_closed_forms() {
        let cases = [
            ("x = \"beta^2\"", 4.0, 0.0),
            ("x = { root = \"b^2 - beta\", over = \"b\", from = 0, to = 2 }", 2f64.sqrt(), 1e-15),
            (
                "x = { integral = \"exp(beta * cos(p)) / pi\", over = \"p\", from = 0, to = \"pi\" }",
                2.279585302336067,
                1e-12,
            ),
            ("x = { sum = \"1 / k^2\", over = \"k\", from = 1, to = 3 }", 49.0 / 36.0, 1e-15),
            ("x = { argmax = \"k^2 * bessel_i(k, 10)\", over = \"k\", from = 1, to = 30 }", 4.0, 0.0),
            ("x = { ode = { u = \"1 - u^2\" }, start = { u = 0 }, value = \"u\", at = 1.5 }", 1.5f64.tanh(), 1e-10),
            ("x = { ode = { u = \"1 - u^2\" }, start = { u = 0 }, until = \"u > 0.5\" }", 0.5f64.atanh(), 1e-9),
            (
                "x = { ode = { p = \"q\", q = \"-p\" }, start = { p = 0, q = 1 }, value = \"p + t\", at = \"pi / 2\" }",
                1.0 + std::f64::consts::FRAC_PI_2,
                1e-10,
            ),
        ];
        for (text, expected, error) in cases {
            assert!(
                (value(text) - expected).abs() <= error * expected.abs(),
                "{text}: {}, not {expected}",
                value(text)
            );
        }
        assert!(value("x = { root = \"b^2 + 1\", over = \"b\", from = 0, to = 2 }").is_nan());
        assert!(value("x = { ode = { u = \"-u\" }, start = { u = 1 }, until = \"u > 2\" }").is_nan());
    }

    #[test]
    fn names_are_those_that_are_not_bound() {
        let names = |text: &str| -> Vec<String> {
            let table: toml::Table = text.parse().expect("TOML");
            let definition = Definition::read(&table["x"]).expect("a number");
            definition.names().into_iter().map(str::to_owned).collect()
        };
        assert_eq!(names("x = { sum = \"a * k\", over = \"k\", from = 1, to = \"n\" }"), ["a", "n"]);
        assert_eq!(
            names("x = { ode = { u = \"c * u + t\" }, start = { u = \"d\" }, value = \"u\", at = \"e\" }"),
            ["c", "d", "e"]
        );
    }

    #[test]
    fn what_is_no_number_is_told() {
        let problem = |text: &str| {
            let table: toml::Table = text.parse().expect("TOML");
            Definition::read(&table["x"]).expect_err(text)
        };
        assert!(problem("x = 1").starts_with("is no number"));
        assert!(problem("x = { rot = \"b\" }").starts_with("is no number"));
        assert!(problem("x = \"b +\"").contains("is no formula"));
        assert!(problem("x = { root = \"b\", over = \"b\", from = 0 }").starts_with("needs to"));
        assert!(
            problem("x = { ode = { u = \"u\" }, start = { v = 0 }, until = \"u > 1\" }").starts_with("needs start.u")
        );
    }
}
