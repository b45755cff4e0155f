//! Two clusters at an angle.

use std::rc::Rc;

use serde::Serialize;

use super::von_mises_fisher;
use crate::{
    initial::{
        definition::{Form, InitialLaw, Placement},
        error::LawError,
        sphere,
    },
    tokens::Shape,
    vector::dot,
};

/// The first `fraction` of the tokens around e_1, the others around the point of the (e_1, e_2) plane whose inner
/// product with e_1 is `overlap`: von Mises-Fisher of this concentration about each, point masses when infinite.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TwoClusters {
    /// <u, e_1>, u being the centre of the others.
    pub overlap: f64,
    /// From 0 to 1.
    pub fraction: f64,
    /// Zero to infinity.
    pub concentration: f64,
}

impl InitialLaw for TwoClusters {
    const WORD: &'static str = "two-clusters";
    const KEYS: &'static [&'static str] = &["law", "overlap", "fraction", "concentration"];

    fn check(&self) -> Result<(), LawError> {
        von_mises_fisher::check_concentration(self.concentration)?;
        LawError::unless_overlap(self.overlap)?;
        if !(0.0..=1.0).contains(&self.fraction) {
            return Err(LawError::outside("fraction", "from 0 to 1", "0.5"));
        }
        Ok(())
    }

    fn place(&self, shape: Shape) -> Result<Placement<'_>, LawError> {
        let first = first_cluster(shape.count, self.fraction)?;
        let centres = two_centres(shape.dim, self.overlap);
        Ok(Placement::numbered(move |stream, i, token| {
            let centre = &centres[usize::from(i >= first)];
            von_mises_fisher::point(stream, centre, self.concentration, token)
        }))
    }

    fn form(&self) -> Form<'_> {
        let Self { overlap, fraction, concentration } = *self;
        if !concentration.is_finite() {
            return Form::Sampled;
        }
        let other = [overlap, (1.0 - overlap * overlap).max(0.0).sqrt()];
        let density = move |x: &[f64]| {
            let about = |t: f64| (concentration * (t - 1.0)).exp();
            fraction * about(x[0]) + (1.0 - fraction) * about(dot(&other, x))
        };
        Form::Smooth { density: Rc::new(density), centres: vec![0.0, overlap.clamp(-1.0, 1.0).acos()] }
    }

    fn is_on_sphere(&self) -> bool {
        true
    }

    fn write_defaults(&mut self, _: usize) {}
}

/// How many tokens the first of two clusters has.
fn first_cluster(count: usize, fraction: f64) -> Result<usize, LawError> {
    let exact = fraction * count as f64;
    let whole = exact.round();
    // Fractions such as 1/3 are typed with sixteen digits: a millionth of a token forgives that up to 10^9 tokens.
    if (exact - whole).abs() <= 1e-6 {
        return Ok(whole as usize);
    }
    let (low, high) = (exact.floor() / count as f64, exact.ceil() / count as f64);
    let problem = format!("{fraction} of {count} tokens is not a whole number of tokens");
    Err(LawError::new("fraction", problem, format!("write fraction = {low} or fraction = {high}")))
}

/// e_1, and overlap e_1 + sqrt(1 - overlap^2) e_2.
fn two_centres(dim: usize, overlap: f64) -> [Vec<f64>; 2] {
    let mut centres = [vec![0.0; dim], vec![0.0; dim]];
    centres[0][0] = 1.0;
    centres[1][0] = overlap;
    centres[1][1] = ((1.0 - overlap) * (1.0 + overlap)).sqrt();
    sphere::normalise(&mut centres[1]);
    centres
}
