//! What was typed: every key of an experiment file in its type and range, before files are read and keys compared.

use std::path::PathBuf;

use serde::Serialize;
use toml::Table;

use super::{
    error::{ExperimentError, Source},
    law,
    matrix::{self, MatrixTyped},
    section::{Entry, Section, Word},
};
use crate::{
    initial::Law,
    model::{Mask, Normalization},
    observe::Quantity,
    problem::Algorithm,
    scheme::Scheme,
};

/// The unit sphere, the only geometry so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sphere;

pub(super) const ALGORITHMS: &[(&str, Algorithm)] =
    &[("auto", Algorithm::Auto), ("direct", Algorithm::Direct), ("harmonic", Algorithm::Harmonic)];
pub(super) const GEOMETRIES: &[(&str, Sphere)] = &[("sphere", Sphere)];
pub(super) const MASKS: &[(&str, Mask)] =
    &[("none", Mask::None), ("causal", Mask::Causal), ("strictly-causal", Mask::StrictlyCausal)];
const NORMALIZATIONS: &[(&str, Normalization)] =
    &[("softmax", Normalization::Softmax), ("unnormalized", Normalization::Unnormalized)];
const SCHEMES: &[(&str, Scheme)] =
    &[("euler", Scheme::Euler), ("heun", Scheme::Heun), ("rk4", Scheme::Rk4), ("layer", Scheme::Layer)];
pub(super) const QUANTITIES: &[(&str, Quantity)] = &[
    ("moments", Quantity::Moments),
    ("energy", Quantity::Energy),
    ("w2_dirac", Quantity::W2Dirac),
    ("overlap", Quantity::Overlap),
];

/// The keys of every table. Laws and matrices have theirs in their rooms.
pub(super) const ROOT: &[&str] = &["name", "algorithm", "tolerance", "tokens", "attention", "time", "observe"];
pub(super) const TOKENS: &[&str] = &["count", "dim", "replicas", "seed", "passive", "geometry", "initial", "weights"];
pub(super) const WEIGHTS: &[&str] = &["path"];
pub(super) const ATTENTION: &[&str] = &["beta", "normalization", "mask", "head"];
pub(super) const HEAD: &[&str] = &["query-key", "value"];
pub(super) const TIME: &[&str] = &["scheme", "step", "end"];
pub(super) const OBSERVE: &[&str] = &["every", "quantities"];

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Typed {
    pub name: Option<String>,
    pub algorithm: Option<Word<Algorithm>>,
    pub tolerance: Option<f64>,
    pub tokens: TokensTyped,
    pub attention: AttentionTyped,
    pub time: TimeTyped,
    pub observe: ObserveTyped,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct TokensTyped {
    pub count: Option<u64>,
    pub dim: Option<u64>,
    pub replicas: Option<u64>,
    pub seed: Option<u64>,
    pub passive: Option<u64>,
    pub geometry: Option<Word<Sphere>>,
    pub initial: Law,
    pub weights: Option<WeightsTyped>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct WeightsTyped {
    pub path: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct AttentionTyped {
    pub beta: f64,
    pub normalization: Word<Normalization>,
    pub mask: Option<Word<Mask>>,
    pub head: Vec<HeadTyped>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct HeadTyped {
    pub query_key: MatrixTyped,
    pub value: MatrixTyped,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct TimeTyped {
    pub scheme: Word<Scheme>,
    pub step: f64,
    pub end: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ObserveTyped {
    pub every: Option<f64>,
    pub quantities: Option<Vec<Word<Quantity>>>,
}

impl Typed {
    pub fn read(root: &Table, source: &Source) -> Result<Typed, ExperimentError> {
        let root = Section::new(source, "", root, ROOT)?;
        let tokens = root.section("tokens", TOKENS)?;
        let attention = root.section("attention", ATTENTION)?;
        let time = root.section("time", TIME)?;
        let observe = match root.optional("observe", "{ every = 0.5 }") {
            Some(entry) => observe(&entry.section(OBSERVE)?)?,
            None => ObserveTyped { every: None, quantities: None },
        };
        Ok(Typed {
            name: root.optional("name", "\"clusters\"").map(|entry| name(&entry)).transpose()?,
            algorithm: root.optional("algorithm", "\"auto\"").map(|entry| entry.word(ALGORITHMS)).transpose()?,
            tolerance: root
                .optional("tolerance", "1e-6")
                .map(|entry| {
                    entry.number("greater than 0 and less than 1", |tolerance| 0.0 < tolerance && tolerance < 1.0)
                })
                .transpose()?,
            tokens: self::tokens(&tokens)?,
            attention: self::attention(&attention)?,
            time: self::time(&time)?,
            observe,
        })
    }
}

/// The name of a run folder, so nothing that a folder cannot be called.
fn name(entry: &Entry) -> Result<String, ExperimentError> {
    let name = entry.text()?;
    let unfit = |c: char| c.is_control() || r#"/\:*?"<>|"#.contains(c);
    if name.trim().is_empty() || name.starts_with('.') || name.chars().any(unfit) {
        return Err(entry.error("must be fit for the name of a folder"));
    }
    Ok(name.to_owned())
}

fn tokens(section: &Section) -> Result<TokensTyped, ExperimentError> {
    // Random streams number replicas and tokens by 32 bits.
    const MOST: u64 = u32::MAX as u64;
    let whole = |key, example, range| section.optional(key, example).map(|entry| entry.whole(range)).transpose();
    let count = whole("count", "4096", 1..=MOST)?;
    let dim = whole("dim", "3", 2..=MOST)?;
    let initial = law::read(&section.required("initial", "{ law = \"uniform\" }")?)?;
    if !matches!(initial, Law::File { .. }) {
        section.required("count", "4096")?;
        section.required("dim", "3")?;
    }
    let weights = match section.optional("weights", "{ path = \"w.npy\" }") {
        Some(entry) => Some(WeightsTyped { path: entry.section(WEIGHTS)?.required("path", "\"w.npy\"")?.path()? }),
        None => None,
    };
    Ok(TokensTyped {
        count,
        dim,
        replicas: whole("replicas", "1", 1..=MOST)?,
        seed: whole("seed", "7", 0..=i64::MAX as u64)?,
        passive: whole("passive", "16", 0..=MOST)?,
        geometry: section.optional("geometry", "\"sphere\"").map(|entry| entry.word(GEOMETRIES)).transpose()?,
        initial,
        weights,
    })
}

fn attention(section: &Section) -> Result<AttentionTyped, ExperimentError> {
    let beta = section.required("beta", "4.0")?.number("finite and at least 0", |beta| beta >= 0.0)?;
    let head = match section.optional("head", "[{ value = \"identity\" }]") {
        Some(entry) => entry
            .list("{ query-key = \"identity\", value = \"identity\" }")?
            .iter()
            .map(head)
            .collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    Ok(AttentionTyped {
        beta,
        normalization: section.required("normalization", "\"softmax\"")?.word(NORMALIZATIONS)?,
        mask: section.optional("mask", "\"causal\"").map(|entry| entry.word(MASKS)).transpose()?,
        head,
    })
}

fn head(entry: &Entry) -> Result<HeadTyped, ExperimentError> {
    let section = entry.section(HEAD)?;
    let matrix =
        |key| section.optional(key, "\"identity\"").map_or(Ok(MatrixTyped::Identity), |entry| matrix::read(&entry));
    Ok(HeadTyped { query_key: matrix("query-key")?, value: matrix("value")? })
}

fn time(section: &Section) -> Result<TimeTyped, ExperimentError> {
    Ok(TimeTyped {
        scheme: section.required("scheme", "\"heun\"")?.word(SCHEMES)?,
        step: section.required("step", "0.05")?.number("finite and greater than 0", |step| step > 0.0)?,
        end: section.required("end", "10.0")?.number("finite and at least 0", |end| end >= 0.0)?,
    })
}

fn observe(section: &Section) -> Result<ObserveTyped, ExperimentError> {
    let every = section.optional("every", "0.5");
    let every = every.map(|entry| entry.number("finite and greater than 0", |every| every > 0.0)).transpose()?;
    let Some(entry) = section.optional("quantities", "[\"moments\", \"energy\"]") else {
        return Ok(ObserveTyped { every, quantities: None });
    };
    let mut quantities: Vec<Word<Quantity>> = Vec::new();
    for element in entry.list("\"moments\"")? {
        let quantity = element.word(QUANTITIES)?;
        if quantities.contains(&quantity) {
            return Err(element.error_with("is listed twice", "write every quantity once"));
        }
        quantities.push(quantity);
    }
    Ok(ObserveTyped { every, quantities: Some(quantities) })
}

/// Every word that one of the keys of this room accepts.
#[cfg(test)]
pub(super) fn words() -> Vec<&'static str> {
    fn of<T>(words: &[(&'static str, T)]) -> Vec<&'static str> {
        words.iter().map(|(word, _)| *word).collect()
    }
    [of(ALGORITHMS), of(GEOMETRIES), of(MASKS), of(NORMALIZATIONS), of(SCHEMES), of(QUANTITIES)].concat()
}
