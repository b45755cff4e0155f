//! The uniform law on a box of R^d.

use rand::RngExt;
use serde::Serialize;

use crate::{
    initial::{
        definition::{Form, InitialLaw, Placement},
        error::LawError,
    },
    tokens::Shape,
};

/// Uniform on the x in R^d with low_k <= x_k <= high_k.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UniformBox {
    /// The least of each component.
    pub low: Bound,
    /// The largest, above the least.
    pub high: Bound,
}

/// The ends of the components of a box.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Bound {
    /// The same of all components.
    All(f64),
    /// d numbers.
    Each(Vec<f64>),
}

impl InitialLaw for UniformBox {
    const WORD: &'static str = "box";
    const KEYS: &'static [&'static str] = &["law", "low", "high"];

    fn check(&self) -> Result<(), LawError> {
        for (key, bound, example) in [("low", &self.low, "-1.0"), ("high", &self.high, "1.0")] {
            if !bound.is_finite() {
                return Err(LawError::outside(key, "finite", example));
            }
        }
        let components = self.low.length().or(self.high.length()).unwrap_or(1);
        for (k, (low, high)) in (0..components).filter_map(|k| Some((k, (self.low.at(k)?, self.high.at(k)?)))) {
            if low >= high {
                let problem = format!(
                    "must be greater than low in every component, and is {high} where low is {low}, in component {k}"
                );
                return Err(LawError::new("high", problem, "write a larger high or a smaller low"));
            }
        }
        Ok(())
    }

    fn place(&self, shape: Shape) -> Result<Placement<'_>, LawError> {
        let (low, high) = (self.low.components("low", shape.dim)?, self.high.components("high", shape.dim)?);
        Ok(Placement::alike(move |stream, token| {
            for (component, (low, high)) in token.iter_mut().zip(low.iter().zip(&high)) {
                let part: f64 = stream.random();
                // In two products, because the width of a box may overflow.
                *component = (low * (1.0 - part) + high * part).clamp(*low, *high);
            }
        }))
    }

    fn form(&self) -> Form<'_> {
        Form::Sampled
    }

    fn is_on_sphere(&self) -> bool {
        false
    }

    fn write_defaults(&mut self, _: usize) {}
}

impl Bound {
    fn is_finite(&self) -> bool {
        match self {
            Bound::All(end) => end.is_finite(),
            Bound::Each(ends) => ends.iter().all(|end| end.is_finite()),
        }
    }

    /// How many components it has, if it says so.
    fn length(&self) -> Option<usize> {
        match self {
            Bound::All(_) => None,
            Bound::Each(ends) => Some(ends.len()),
        }
    }

    fn at(&self, component: usize) -> Option<f64> {
        match self {
            Bound::All(end) => Some(*end),
            Bound::Each(ends) => ends.get(component).copied(),
        }
    }

    fn components(&self, key: &str, dim: usize) -> Result<Vec<f64>, LawError> {
        match self {
            Bound::All(end) => Ok(vec![*end; dim]),
            Bound::Each(ends) if ends.len() == dim => Ok(ends.clone()),
            Bound::Each(ends) => {
                let problem = format!("has {} components and tokens have {dim}", ends.len());
                Err(LawError::new(key, problem, format!("write {dim} numbers, or one for all components")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        initial::{Law, draw},
        tokens::Shape,
    };

    fn drawn(low: Bound, high: Bound, count: usize, dim: usize) -> Result<Vec<f64>, LawError> {
        let shape = Shape { replicas: 1, count, dim, passive: 0 };
        draw(&Law::Box(UniformBox { low, high }), shape, 13)
    }

    /// E (x_k - low_k)^p = (high_k - low_k)^p / (p + 1) and independent components, to five standard errors.
    #[test]
    fn a_box_has_its_moments_and_is_not_left() {
        let (low, high) = ([-1.0, 2.0, 0.5], [1.0, 2.5, 10.0]);
        let count = 40_000;
        let tokens = drawn(Bound::Each(low.to_vec()), Bound::Each(high.to_vec()), count, 3).expect("tokens");
        let scaled: Vec<f64> =
            tokens.chunks(3).flat_map(|x| (0..3).map(move |k| (x[k] - low[k]) / (high[k] - low[k]))).collect();
        assert!(scaled.iter().all(|part| (0.0..=1.0).contains(part)));
        let mean = |of: &dyn Fn(&[f64]) -> f64| scaled.chunks(3).map(of).sum::<f64>() / count as f64;
        let bound = 5.0 / (count as f64).sqrt();
        for k in 0..3 {
            for power in 1..=4 {
                let exact = 1.0 / f64::from(power + 1);
                let deviation = (1.0 / f64::from(2 * power + 1) - exact * exact).sqrt();
                let found = mean(&|x| x[k].powi(power));
                assert!((found - exact).abs() < bound * deviation, "E x_{k}^{power}: {found}, not {exact}");
            }
            // The product of two centred uniform numbers has the standard deviation 1 / 12.
            let found = mean(&|x| (x[k] - 0.5) * (x[(k + 1) % 3] - 0.5));
            assert!(found.abs() < bound / 12.0, "component {k} and the next: {found}");
        }
    }

    #[test]
    fn one_number_is_that_of_all_components() {
        let one = drawn(Bound::All(-2.0), Bound::Each(vec![1.0, 3.0]), 50, 2);
        assert_eq!(one, drawn(Bound::Each(vec![-2.0; 2]), Bound::Each(vec![1.0, 3.0]), 50, 2));
        let widest = drawn(Bound::All(-1e308), Bound::All(1e308), 50, 2).expect("tokens");
        assert!(widest.iter().all(|component| component.is_finite()));
        assert!(widest.iter().any(|component| component.abs() > 1e307));
    }

    #[test]
    fn a_box_without_an_inside_is_refused() {
        let each = |ends: &[f64]| Bound::Each(ends.to_vec());
        let refused = |low, high| drawn(low, high, 5, 2).expect_err("it is refused");
        let error = refused(Bound::All(0.0), each(&[1.0, -3.0]));
        assert_eq!(error.key, "high");
        assert_eq!(
            error.problem,
            "must be greater than low in every component, and is -3 where low is 0, in component 1"
        );
        assert_eq!(refused(Bound::All(1.0), Bound::All(1.0)).key, "high");
        assert_eq!(refused(Bound::All(f64::NAN), Bound::All(1.0)).key, "low");
        assert_eq!(refused(each(&[0.0, 0.0]), each(&[1.0, f64::INFINITY])).key, "high");
        let error = refused(each(&[0.0, 0.0, 0.0]), Bound::All(1.0));
        assert_eq!((error.key.as_str(), error.problem.as_str()), ("low", "has 3 components and tokens have 2"));
    }
}
