//! Tokens that are typed.

use serde::Serialize;

use crate::{
    initial::{
        definition::{Form, InitialLaw, Placement},
        error::LawError,
    },
    tokens::Shape,
};

/// These tokens, the same in every replica.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Points {
    /// One row a token.
    pub rows: Vec<Vec<f64>>,
}

/// How far the length of a token that is typed with few digits may be from one.
const ROUNDED: f64 = 1e-3;

impl InitialLaw for Points {
    const WORD: &'static str = "points";
    const KEYS: &'static [&'static str] = &["law", "rows"];

    fn check(&self) -> Result<(), LawError> {
        match self.rows.iter().flatten().all(|component| component.is_finite()) {
            true => Ok(()),
            false => Err(LawError::outside("rows", "finite", "[[1.0, 0.0], [0.0, 1.0]]")),
        }
    }

    fn place(&self, shape: Shape) -> Result<Placement<'_>, LawError> {
        let Shape { count, dim, .. } = shape;
        let wrong = |problem: String, remedy: String| Err(LawError::new("rows", problem, remedy));
        if self.rows.len() != count {
            let problem = format!("has {} rows, and there are {count} tokens", self.rows.len());
            return wrong(problem, format!("write tokens.count = {}", self.rows.len()));
        }
        if let Some(row) = self.rows.iter().position(|row| row.len() != dim) {
            let problem = format!("has {} components in row {row}, and tokens have {dim}", self.rows[row].len());
            return wrong(problem, format!("write rows of {dim} numbers, or another tokens.dim"));
        }
        Ok(Placement::numbered(|_, i, token| token.copy_from_slice(&self.rows[i])))
    }

    fn form(&self) -> Form<'_> {
        Form::Placed
    }

    fn is_on_sphere(&self) -> bool {
        self.rows.iter().all(|row| (crate::vector::norm(row) - 1.0).abs() <= ROUNDED)
    }

    fn write_defaults(&mut self, _: usize) {}
}
