//! Equiangular tokens.

use serde::Serialize;

use crate::{
    initial::{
        coordinates::zeros,
        definition::{Form, InitialLaw, Placement},
        error::LawError,
        sphere,
    },
    tokens::Shape,
};

/// Equiangular tokens, <x_i, x_j> = overlap for i != j; without an overlap the regular simplex, -1 / (count - 1).
/// The same in every replica.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Simplex {
    #[serde(skip_serializing_if = "Option::is_none")]
    /// From -1 / (count - 1) to 1.
    pub overlap: Option<f64>,
}

impl InitialLaw for Simplex {
    const WORD: &'static str = "simplex";
    const KEYS: &'static [&'static str] = &["law", "overlap"];

    fn check(&self) -> Result<(), LawError> {
        self.overlap.map_or(Ok(()), LawError::unless_overlap)
    }

    fn place(&self, shape: Shape) -> Result<Placement<'_>, LawError> {
        let Shape { replicas: _, count, dim, passive: _ } = shape;
        let tokens = equiangular(count, dim, self.overlap)?;
        Ok(Placement::numbered(move |_, i, token| token.copy_from_slice(&tokens[i * dim..][..dim])))
    }

    fn form(&self) -> Form<'_> {
        Form::Equiangular { overlap: self.overlap }
    }

    fn is_on_sphere(&self) -> bool {
        true
    }

    /// The overlap depends on how many tokens there are.
    fn write_defaults(&mut self, _: usize) {}
}

/// `count` unit vectors of R^dim with pairwise inner product `overlap`, by default -1 / (count - 1).
///
/// The Gram matrix (1 - rho) I + rho 1 1^T has the eigenvalues 1 - rho and 1 + (count - 1) rho, so that
/// -1 / (count - 1) <= rho < 1, and its symmetric square root gives x_i = a e_i + b 1 with a = sqrt(1 - rho) and
/// a + count b = sqrt(1 + (count - 1) rho). At the lower end the rank drops by one and the vectors sum to zero, which
/// places a last token, minus the sum of the others, in the dim = count - 1 that then suffices.
fn equiangular(count: usize, dim: usize, overlap: Option<f64>) -> Result<Vec<f64>, LawError> {
    let lowest = if count > 1 { -1.0 / (count - 1) as f64 } else { -1.0 };
    let regular = if count > 1 { lowest } else { 0.0 };
    let rho = overlap.unwrap_or(regular);
    let is_regular = count > 1 && (rho - lowest).abs() <= 1e-12;
    if !(is_regular || rho >= lowest && rho < 1.0) {
        let problem = format!("{count} equiangular tokens need an overlap in [{lowest}, 1)");
        let remedy = "write an overlap in this interval, or none for the regular simplex";
        return Err(LawError::new("overlap", problem, remedy));
    }
    if count > dim + usize::from(is_regular) {
        let (most, least) = (dim + usize::from(overlap.is_none()), count - usize::from(is_regular));
        let problem = format!("{count} tokens of overlap {rho} do not fit into dim = {dim}");
        let remedy = format!("write tokens.count = {most} or less, or tokens.dim = {least} or more");
        return Err(LawError::new("law", problem, remedy));
    }
    let placed = count.min(dim);
    let along = (1.0 - rho).sqrt();
    let sum = (1.0 + (placed - 1) as f64 * rho).max(0.0).sqrt();
    let shift = (sum - along) / placed as f64;
    let mut tokens = zeros(Shape { replicas: 1, count, dim, passive: 0 })?;
    for (i, token) in tokens.chunks_exact_mut(dim).enumerate() {
        token[..placed].fill(if i < placed { shift } else { -sum });
        if i < placed {
            token[i] += along;
        }
        sphere::normalise(token);
    }
    Ok(tokens)
}
