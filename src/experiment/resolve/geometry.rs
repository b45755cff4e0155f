//! Where tokens live, from the word and the numbers of the geometry.

use super::super::{
    Experiment,
    error::ExperimentError,
    geometry::{GEOMETRIES, GeometryWord, LayerNormTyped},
    number::ResolvedNumber,
    section::{Word, word},
};
use crate::{
    model::{Geometry, Part},
    problem::Schedule,
};

impl Experiment {
    /// As typed, else where the trained model has its tokens, else the sphere.
    pub(crate) fn geometry(&self) -> GeometryWord {
        let default = match self.typed.attention.trained {
            Some(_) => GeometryWord::LayerNorm,
            None => GeometryWord::Sphere,
        };
        self.typed.tokens.geometry.map_or(default, |word| word.meaning)
    }

    /// Where tokens start; what changes becomes a part of the model schedule.
    pub(crate) fn resolved_geometry(
        &self,
        dim: usize,
        schedule: &Schedule,
        parts: &mut Vec<Part>,
    ) -> Result<Geometry, ExperimentError> {
        let tokens = &self.typed.tokens;
        Ok(match self.geometry() {
            GeometryWord::Sphere | GeometryWord::PostNorm => Geometry::Sphere,
            GeometryWord::Euclidean => Geometry::Euclidean,
            GeometryWord::Rescaled => {
                parts.push(Part::Rescaled { dim });
                Geometry::Rescaled
            }
            GeometryWord::PreNorm => Geometry::PreNorm,
            GeometryWord::PeriNorm => Geometry::PeriNorm,
            GeometryWord::MixNorm => {
                let from = match tokens.switch {
                    None | Some(0.0) => 0,
                    Some(switch) => self.steps("tokens.switch", switch)?,
                };
                parts.push(Part::Geometry { from, geometry: Geometry::PreNorm });
                Geometry::Sphere
            }
            GeometryWord::Ngpt => {
                let alpha = tokens.alpha.as_ref();
                match alpha.map(|alpha| alpha.resolve("tokens.alpha", schedule, &self.shared())).transpose()? {
                    None => Geometry::Ngpt { alpha: 1.0 },
                    Some(ResolvedNumber::Constant(alpha)) => Geometry::Ngpt { alpha },
                    Some(ResolvedNumber::Changing(alpha)) => {
                        parts.push(Part::Alpha(alpha));
                        Geometry::Ngpt { alpha: 1.0 }
                    }
                }
            }
            GeometryWord::LayerNorm => {
                let norms = self.typed.layer_norm.as_ref();
                let LayerNormTyped { epsilon, attention, perceptron } = norms.cloned().unwrap_or_default();
                Geometry::LayerNorm {
                    attention: attention.resolve("attention", epsilon, dim, &self.source)?,
                    perceptron: perceptron.resolve("perceptron", epsilon, dim, &self.source)?,
                }
            }
        })
    }

    /// The word of the geometry, for a file in which nothing is left to defaults.
    pub(crate) fn explicit_geometry(&self) -> Word<GeometryWord> {
        word(GEOMETRIES, self.geometry())
    }
}
