//! Tokens that were written down elsewhere.

use std::path::Path;

use super::{coordinates::zeros, error::LawError, npy, sphere};
use crate::{tokens::Shape, vector::norm};

/// The lengths that tokens of a file may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lengths {
    /// One, to 1e-3; tokens are then normalised.
    One,
    /// Any but zero.
    Positive,
    Any,
}

/// The tokens of a file: one array for every replica, or one each.
pub(crate) struct TokenFile {
    /// None when all replicas share the tokens.
    pub replicas: Option<usize>,
    pub count: usize,
    pub dim: usize,
    coordinates: Vec<f64>,
}

impl TokenFile {
    pub fn read(path: &Path, lengths: Lengths) -> Result<TokenFile, LawError> {
        Self::of(npy::read(path), lengths)
    }

    /// The tokens of an array, if that could be read.
    pub fn of(array: Result<npy::Array, npy::NpyError>, lengths: Lengths) -> Result<TokenFile, LawError> {
        let array = array.map_err(|npy::NpyError { problem, remedy }| unusable(problem, remedy))?;
        let (replicas, count, dim) = match array.shape[..] {
            [count, dim] => (None, count, dim),
            [replicas, count, dim] => (Some(replicas), count, dim),
            _ => (None, 0, 0),
        };
        if replicas == Some(0) || count == 0 || dim == 0 {
            let problem = format!("has the shape {}", npy::shape_text(&array.shape));
            return Err(unusable(problem, "save an array of shape (count, dim) or (replicas, count, dim)".into()));
        }
        let mut coordinates = array.values;
        for (row, token) in coordinates.chunks_exact_mut(dim).enumerate() {
            let length = norm(token);
            let place = || match replicas {
                None => format!("row {row}"),
                Some(_) => format!("row {} of replica {}", row % count, row / count),
            };
            let remedy = match lengths {
                // Tokens of another program may be in half precision; anything further off was meant otherwise.
                Lengths::One if (length - 1.0).abs() > 1e-3 => {
                    "divide every token by its length; tokens live on the unit sphere"
                }
                Lengths::Positive if length == 0.0 => {
                    "write tokens that have a direction, which is what attention sees"
                }
                Lengths::One => {
                    sphere::normalise(token);
                    continue;
                }
                Lengths::Positive | Lengths::Any => continue,
            };
            let problem = format!("has a token of length {length} in {}, counted from 0", place());
            return Err(unusable(problem, remedy.into()));
        }
        Ok(TokenFile { replicas, count, dim, coordinates })
    }

    /// The coordinates of all replicas of this shape.
    pub fn place(self, shape: Shape) -> Result<Vec<f64>, LawError> {
        let mismatch = |key: &str, asked: usize, found: usize| {
            let problem = format!("holds {key} = {found} and tokens.{key} = {asked}");
            Err(unusable(problem, format!("write tokens.{key} = {found}, or leave tokens.{key} out")))
        };
        if self.count != shape.count {
            return mismatch("count", shape.count, self.count);
        }
        if self.dim != shape.dim {
            return mismatch("dim", shape.dim, self.dim);
        }
        match self.replicas {
            Some(replicas) if replicas != shape.replicas => mismatch("replicas", shape.replicas, replicas),
            Some(_) => Ok(self.coordinates),
            None => {
                let mut coordinates = zeros(shape)?;
                coordinates
                    .chunks_exact_mut(self.coordinates.len())
                    .for_each(|r| r.copy_from_slice(&self.coordinates));
                Ok(coordinates)
            }
        }
    }
}

fn unusable(problem: String, remedy: String) -> LawError {
    LawError::new("path", problem, remedy)
}
