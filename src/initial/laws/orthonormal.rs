//! Basis vectors.

use serde::Serialize;

use crate::{
    initial::{
        definition::{Form, InitialLaw, Placement},
        error::LawError,
    },
    tokens::Shape,
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

    fn place(&self, shape: Shape) -> Result<Placement<'_>, LawError> {
        at_most_an_orthonormal_basis(shape.count, shape.dim)?;
        Ok(Placement::numbered(|_, i, token| token[i] = 1.0))
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
    let problem = format!("{count} tokens cannot be orthonormal in dim = {dim}");
    Err(LawError::new("law", problem, format!("write tokens.count = {dim} or less, or tokens.dim = {count} or more")))
}
