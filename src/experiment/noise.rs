//! The noise.

use serde::Serialize;

use super::{
    error::ExperimentError,
    perceptron::ACTIVATIONS,
    section::{Section, Word, word},
    shared::Shared,
};
use crate::model::{Activation, Calculus, Noise, NoiseField};

pub(super) const NOISE: &[&str] = &["field", "width", "activation", "intensity", "calculus", "replicas", "seed"];
pub(super) const FIELDS: &[(&str, FieldWord)] = &[
    ("independent", FieldWord::Independent),
    ("common-additive", FieldWord::CommonAdditive),
    ("common-matrix", FieldWord::CommonMatrix),
    ("common-perceptron", FieldWord::CommonPerceptron),
];
pub(super) const CALCULI: &[(&str, Calculus)] = &[("ito", Calculus::Ito), ("stratonovich", Calculus::Stratonovich)];
pub(super) const SHARING: &[(&str, Sharing)] = &[("independent", Sharing::Independent), ("shared", Sharing::Shared)];

/// A field of noise, without its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum FieldWord {
    Independent,
    CommonAdditive,
    CommonMatrix,
    CommonPerceptron,
}

/// Whether replicas share the draws of common noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sharing {
    Independent,
    Shared,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct NoiseTyped {
    pub field: Word<FieldWord>,
    pub width: Option<u64>,
    pub activation: Option<Word<Activation>>,
    pub intensity: f64,
    pub calculus: Word<Calculus>,
    pub replicas: Option<Word<Sharing>>,
    pub seed: Option<u64>,
}

pub(super) fn read(section: &Section) -> Result<NoiseTyped, ExperimentError> {
    let field = section.required("field", "\"independent\"")?.word(FIELDS)?;
    let (mut width, mut activation) = (None, None);
    if field.meaning == FieldWord::CommonPerceptron {
        width = Some(section.required("width", "64")?.whole(1..=1 << 20)?);
        activation = Some(section.required("activation", "\"relu\"")?.word(ACTIVATIONS)?);
    } else {
        let remedy = "write field = \"common-perceptron\", or leave it out";
        section.forbid(&["width", "activation"], "belongs to another field", remedy)?;
    }
    if field.meaning == FieldWord::Independent {
        let problem = "is about common noise, and every token of every replica has its own";
        section.forbid(&["replicas"], problem, "leave it out, or write a common field")?;
    }
    Ok(NoiseTyped {
        field,
        width,
        activation,
        intensity: section.required("intensity", "0.1")?.number("finite and at least 0", |s| s >= 0.0)?,
        calculus: section.required("calculus", "\"ito\"")?.word(CALCULI)?,
        replicas: section.read("replicas", "\"shared\"", |entry| entry.word(SHARING))?,
        seed: section.read("seed", "7", |entry| entry.whole(0..=i64::MAX as u64))?,
    })
}

impl NoiseTyped {
    pub fn resolve(&self, shared: &Shared) -> Noise {
        let width = self.width.map_or(1, |width| width as u32);
        let activation = self.activation.map_or(Activation::Identity, |word| word.meaning);
        Noise {
            field: match self.field.meaning {
                FieldWord::Independent => NoiseField::Independent,
                FieldWord::CommonAdditive => NoiseField::CommonAdditive,
                FieldWord::CommonMatrix => NoiseField::CommonMatrix,
                FieldWord::CommonPerceptron => NoiseField::CommonPerceptron { width, activation },
            },
            intensity: self.intensity,
            calculus: self.calculus.meaning,
            seed: self.seed.unwrap_or(shared.seed),
            is_shared: self.replicas.is_some_and(|word| word.meaning == Sharing::Shared),
        }
    }

    /// With every default written out.
    pub fn explicit(&mut self, shared: &Shared) {
        self.seed.get_or_insert(shared.seed);
        if self.field.meaning != FieldWord::Independent {
            self.replicas.get_or_insert(word(SHARING, Sharing::Independent));
        }
    }
}
