//! The functions that formulas may call.

use statrs::function::{
    erf::erf,
    gamma::{digamma, gamma, ln_gamma},
};

/// A function of one or two numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function {
    name: &'static str,
    meaning: Meaning,
}

#[derive(Clone, Copy, Debug)]
enum Meaning {
    OfOne(fn(f64) -> f64),
    OfTwo(fn(f64, f64) -> f64),
}

/// There is one of each name.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

const fn one(name: &'static str, function: fn(f64) -> f64) -> Function {
    Function { name, meaning: Meaning::OfOne(function) }
}

const fn two(name: &'static str, function: fn(f64, f64) -> f64) -> Function {
    Function { name, meaning: Meaning::OfTwo(function) }
}

static FUNCTIONS: [Function; 25] = [
    one("abs", f64::abs),
    one("acos", f64::acos),
    one("asin", f64::asin),
    one("atan", f64::atan),
    one("ceil", f64::ceil),
    one("cos", f64::cos),
    one("cosh", f64::cosh),
    one("digamma", digamma),
    one("erf", erf),
    one("exp", f64::exp),
    one("floor", f64::floor),
    one("gamma", gamma),
    one("ln", f64::ln),
    one("ln_gamma", ln_gamma),
    one("round", f64::round),
    one("sin", f64::sin),
    one("sinh", f64::sinh),
    one("sqrt", f64::sqrt),
    one("tan", f64::tan),
    one("tanh", f64::tanh),
    two("atan2", f64::atan2),
    two("bessel_i", bessel_i),
    two("max", f64::max),
    two("min", f64::min),
    two("mod", f64::rem_euclid),
];

/// The function of that name and so many arguments, or what is wrong with them.
pub(super) fn named(name: &str, arguments: usize) -> Result<&'static Function, String> {
    let Some(function) = FUNCTIONS.iter().find(|function| function.name == name) else {
        let names: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
        return Err(format!("knows no function {name}; those it knows are {}", names.join(", ")));
    };
    let wanted = match function.meaning {
        Meaning::OfOne(_) => 1,
        Meaning::OfTwo(_) => 2,
    };
    match arguments == wanted {
        true => Ok(function),
        false => Err(format!("gives {name} {arguments} arguments, and it takes {wanted}")),
    }
}

impl Function {
    pub(super) fn value(&self, arguments: &[f64]) -> f64 {
        match (self.meaning, arguments) {
            (Meaning::OfOne(function), [x]) => function(*x),
            (Meaning::OfTwo(function), [x, y]) => function(*x, *y),
            _ => f64::NAN,
        }
    }
}

/// I_order(x), the modified Bessel function of the first kind, for order > -1 and x >= 0 with e^x finite, by its power series
/// sum_k (x/2)^{2k + order} / (k! Gamma(k + order + 1)), all terms of which are positive (DLMF 10.25.2).
fn bessel_i(order: f64, x: f64) -> f64 {
    if !(order > -1.0 && x >= 0.0) {
        return f64::NAN;
    }
    let quarter = 0.25 * x * x;
    // Relative to the first term, which for large orders is too small or whose parts are too large for a number.
    let (mut sum, mut term, mut k) = (1.0, 1.0, 0.0);
    while term > 1e-17 * sum {
        k += 1.0;
        term *= quarter / (k * (k + order));
        sum += term;
    }
    if x == 0.0 {
        return if order == 0.0 { 1.0 } else { 0.0 };
    }
    sum * (order * (0.5 * x).ln() - ln_gamma(order + 1.0)).exp()
}
