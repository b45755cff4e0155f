//! Tokens of a file.

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    initial::{
        definition::{Form, InitialLaw, Placement},
        error::LawError,
        file::{Lengths, TokenFile},
    },
    tokens::Shape,
};

/// The tokens of a `.npy` file, (count, dim) for all replicas or (replicas, count, dim), in f32 or f64; rows of unit
/// length to 1e-3, which are then normalised.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FromFile {
    /// Where it is.
    pub path: PathBuf,
}

impl InitialLaw for FromFile {
    const WORD: &'static str = "file";
    const KEYS: &'static [&'static str] = &["law", "path"];

    fn check(&self) -> Result<(), LawError> {
        Ok(())
    }

    fn place(&self, shape: Shape) -> Result<Placement<'_>, LawError> {
        TokenFile::read(&self.path, Lengths::One)?.place(shape).map(Placement::Given)
    }

    fn form(&self) -> Form<'_> {
        Form::Placed
    }

    /// An experiment may read tokens of other lengths.
    fn is_on_sphere(&self) -> bool {
        true
    }

    fn write_defaults(&mut self, _: usize) {}
}
