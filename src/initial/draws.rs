//! The tokens that a law is asked for, each with a random stream of its own.

use rayon::prelude::*;

use super::{coordinates::zeros, definition::Placement, error::LawError};
use crate::{
    random::{Purpose, Stream},
    tokens::Shape,
};

/// How many tokens are drawn, and from which streams.
#[derive(Clone, Copy)]
pub(super) struct Draws {
    pub shape: Shape,
    pub seed: u64,
    pub purpose: Purpose,
}

impl Draws {
    /// The coordinates of all tokens, ordered (replica, token, component).
    pub fn coordinates(&self, placement: Placement<'_>) -> Result<Vec<f64>, LawError> {
        match placement {
            Placement::Alike(draw) => self.scatter(|stream, _, token| draw(stream, token)),
            Placement::Numbered(place) => self.scatter(place),
            Placement::Given(coordinates) => Ok(coordinates),
        }
    }

    /// Places each token, of this number in its replica, with its own stream; tokens are zero before.
    fn scatter(&self, place: impl Fn(&mut Stream, usize, &mut [f64]) + Sync) -> Result<Vec<f64>, LawError> {
        let Draws { shape, seed, purpose } = *self;
        let too_many = |_| {
            let Shape { replicas, count, .. } = shape;
            let problem = format!("{replicas} replicas of {count} tokens are more than random streams can number");
            LawError::new("law", problem, format!("take at most {} of each", u32::MAX))
        };
        u32::try_from(shape.replicas.max(shape.count)).map_err(too_many)?;
        let mut coordinates = zeros(shape)?;
        coordinates.par_chunks_mut(shape.dim).enumerate().for_each(|(index, token)| {
            let (replica, i) = (index / shape.count, index % shape.count);
            place(&mut Stream::new(seed, replica as u32, i as u32, purpose), i, token);
        });
        Ok(coordinates)
    }
}
