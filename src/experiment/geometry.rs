//! Where tokens live, and the numbers that some geometries have.

use serde::Serialize;

use super::{
    array::{Extent, ListTyped},
    error::ExperimentError,
    number::{self, NOT_NEGATIVE, NumberTyped, POSITIVE, Range},
    section::{Entry, Section},
    source::Source,
};
use crate::model::LayerNorm;

pub(super) const GEOMETRIES: &[(&str, GeometryWord)] = &[
    ("sphere", GeometryWord::Sphere),
    ("post-norm", GeometryWord::PostNorm),
    ("euclidean", GeometryWord::Euclidean),
    ("rescaled", GeometryWord::Rescaled),
    ("pre-norm", GeometryWord::PreNorm),
    ("peri-norm", GeometryWord::PeriNorm),
    ("mix-norm", GeometryWord::MixNorm),
    ("ngpt", GeometryWord::Ngpt),
    ("layer-norm", GeometryWord::LayerNorm),
];
pub(super) const LAYER_NORM: &[&str] = &["epsilon", "attention", "perceptron"];
pub(super) const NORM: &[&str] = &["gain", "bias"];

/// A geometry, without its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum GeometryWord {
    Sphere,
    /// The sphere, by its name among Transformers.
    PostNorm,
    Euclidean,
    Rescaled,
    PreNorm,
    PeriNorm,
    /// The sphere until a layer-time, and pre-norm from then on.
    MixNorm,
    Ngpt,
    LayerNorm,
}

impl GeometryWord {
    /// Whether tokens start with length one.
    pub fn starts_on_sphere(self) -> bool {
        matches!(self, GeometryWord::Sphere | GeometryWord::PostNorm | GeometryWord::MixNorm | GeometryWord::Ngpt)
    }

    /// Whether tokens may have one component: where nothing is divided by their lengths.
    pub fn suits_a_line(self) -> bool {
        match self {
            GeometryWord::Euclidean | GeometryWord::Rescaled => true,
            GeometryWord::Sphere
            | GeometryWord::PostNorm
            | GeometryWord::PreNorm
            | GeometryWord::PeriNorm
            | GeometryWord::MixNorm
            | GeometryWord::Ngpt
            | GeometryWord::LayerNorm => false,
        }
    }

    /// Whether tokens have length one at all times.
    pub fn is_unit(self) -> bool {
        self.starts_on_sphere() && self != GeometryWord::MixNorm
    }
}

/// The table `[layer-norm]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct LayerNormTyped {
    pub epsilon: f64,
    pub attention: NormTyped,
    pub perceptron: NormTyped,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct NormTyped {
    pub gain: Option<ListTyped>,
    pub bias: Option<ListTyped>,
}

pub(super) fn layer_norm(entry: &Entry) -> Result<LayerNormTyped, ExperimentError> {
    let section = entry.section(LAYER_NORM)?;
    let norm = |key| section.read(key, "{ gain = [1.0], bias = [0.0] }", |entry| norm(&entry.section(NORM)?));
    Ok(LayerNormTyped {
        epsilon: section.required("epsilon", "1e-12")?.number("finite and at least 0", |epsilon| epsilon >= 0.0)?,
        attention: norm("attention")?.unwrap_or_default(),
        perceptron: norm("perceptron")?.unwrap_or_default(),
    })
}

fn norm(section: &Section) -> Result<NormTyped, ExperimentError> {
    Ok(NormTyped {
        gain: section.read("gain", "[1.0]", ListTyped::read)?,
        bias: section.read("bias", "[0.0]", ListTyped::read)?,
    })
}

impl NormTyped {
    pub(super) fn resolve(
        &self,
        key: &str,
        epsilon: f64,
        dim: usize,
        source: &Source,
    ) -> Result<LayerNorm, ExperimentError> {
        let list = |name: &str, list: &Option<ListTyped>, default: f64| {
            let key = format!("layer-norm.{key}.{name}");
            list.as_ref().map_or(Ok(vec![default; dim]), |list| {
                list.resolve(&key, Extent { length: dim, of: "a token" }, source)
            })
        };
        Ok(LayerNorm { gain: list("gain", &self.gain, 1.0)?, bias: list("bias", &self.bias, 0.0)?, epsilon })
    }
}

/// The numbers that only some geometries have: required there, and refused elsewhere.
pub(crate) struct GeometryNumbers {
    pub alpha: Option<NumberTyped>,
    pub switch: Option<f64>,
}

pub(super) fn numbers(section: &Section, geometry: Option<GeometryWord>) -> Result<GeometryNumbers, ExperimentError> {
    let number = |key: &str, of: GeometryWord, example: &'static str| {
        if geometry == Some(of) {
            return section.required(key, example).map(Some);
        }
        let remedy = format!("write geometry = {}, or leave it out", quoted(of));
        section.forbid(&[key], "belongs to another geometry", &remedy)?;
        Ok(None)
    };
    let alpha = number("alpha", GeometryWord::Ngpt, "1.0")?;
    let switch = number("switch", GeometryWord::MixNorm, "2.0")?;
    let Range { words, holds } = NOT_NEGATIVE;
    Ok(GeometryNumbers {
        alpha: alpha.map(|entry| number::read(&entry, POSITIVE)).transpose()?,
        switch: switch.map(|entry| entry.number(words, holds)).transpose()?,
    })
}

/// `"ngpt"`.
fn quoted(geometry: GeometryWord) -> String {
    let found = GEOMETRIES.iter().find(|(_, meaning)| *meaning == geometry);
    found.map_or(String::new(), |(text, _)| format!("{text:?}"))
}
