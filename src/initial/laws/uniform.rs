//! The uniform measure on the sphere.

use serde::Serialize;

use crate::{
    initial::{
        definition::{Axial, Form, InitialLaw, Placement},
        error::LawError,
        sphere,
    },
    tokens::Shape,
};

/// The uniform measure on the sphere: a normalised Gaussian vector (Muller, CACM 1959).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Uniform;

impl InitialLaw for Uniform {
    const WORD: &'static str = "uniform";
    const KEYS: &'static [&'static str] = &["law"];

    fn check(&self) -> Result<(), LawError> {
        Ok(())
    }

    fn place(&self, _: Shape) -> Result<Placement<'_>, LawError> {
        Ok(Placement::alike(sphere::uniform))
    }

    fn form(&self) -> Form<'_> {
        Form::Axial(Axial { axis: None, concentration: 0.0, end: None })
    }

    fn is_on_sphere(&self) -> bool {
        true
    }

    fn write_defaults(&mut self, _: usize) {}
}
