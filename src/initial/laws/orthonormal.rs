//! Basis vectors.

use serde::Serialize;

use crate::initial::{
    definition::{Form, InitialLaw},
    draws::Draws,
    error::LawError,
};

/// Token i is the basis vector e_i, in every replica.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Orthonormal;

impl InitialLaw for Orthonormal {
    const WORD: &'static str = "orthonormal";
    const KEYS: &'static [&'static str] = &["law"];

    fn check(&self) -> Result<(), LawError> {
        Ok(())
    }

    fn draw(&self, draws: &Draws) -> Result<Vec<f64>, LawError> {
        at_most_an_orthonormal_basis(draws.shape.count, draws.shape.dim)?;
        draws.scatter(|_, i, token| token[i] = 1.0)
    }

    fn form(&self) -> Form<'_> {
        Form::Equiangular { overlap: Some(0.0) }
    }

    fn is_on_sphere(&self) -> bool {
        true
    }

    fn write_defaults(&mut self, _: usize) {}
}

/// Refuses more tokens than an orthonormal basis of R^dim has.
fn at_most_an_orthonormal_basis(count: usize, dim: usize) -> Result<(), LawError> {
    if count <= dim {
        return Ok(());
    }
    Err(LawError {
        key: "law",
        problem: format!("{count} tokens cannot be orthonormal in dim = {dim}"),
        remedy: format!("write tokens.count = {dim} or less, or tokens.dim = {count} or more"),
    })
}
