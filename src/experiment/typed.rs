//! What was typed: every key of an experiment file in its type and range, before files are read and keys compared.

use serde::Serialize;
use toml::Table;

use super::{
    attention::{self, AttentionTyped},
    error::ExperimentError,
    file_path::FilePath,
    geometry::{self, GEOMETRIES, GeometryNumbers, GeometryWord, LayerNormTyped},
    law,
    noise::{self, NoiseTyped},
    number::NumberTyped,
    observe::{self, ObserveTyped},
    perceptron::{self, PerceptronTyped},
    reference::{self, ReferenceTyped},
    result::{self, ResultTyped},
    section::{Entry, Section, Word},
    source::Source,
    step::{self, StepTyped},
    stop::{self, StopTyped},
};
use crate::{initial::Law, problem::Algorithm, scheme::Scheme};

pub(super) const ALGORITHMS: &[(&str, Algorithm)] =
    &[("auto", Algorithm::Auto), ("direct", Algorithm::Direct), ("harmonic", Algorithm::Harmonic)];
pub(super) const SCHEMES: &[(&str, Scheme)] = &[
    ("euler", Scheme::Euler),
    ("heun", Scheme::Heun),
    ("bogacki-shampine", Scheme::BogackiShampine),
    ("rk4", Scheme::Rk4),
    ("layer", Scheme::Layer),
];

/// The keys of the tables of this file. All others have theirs where they are read.
pub(super) const ROOT: &[&str] = &[
    "name",
    "algorithm",
    "tolerance",
    "tokens",
    "layer-norm",
    "attention",
    "perceptron",
    "noise",
    "time",
    "observe",
    "reference",
    "result",
];
pub(super) const TOKENS: &[&str] = &[
    "count",
    "dim",
    "replicas",
    "seed",
    "passive",
    "frozen",
    "geometry",
    "alpha",
    "switch",
    "initial",
    "perturbation",
    "weights",
];
pub(super) const WEIGHTS: &[&str] = &["path"];
pub(super) const TIME: &[&str] = &["scheme", "step", "end", "stop"];

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Typed {
    pub name: Option<String>,
    pub algorithm: Option<Word<Algorithm>>,
    pub tolerance: Option<f64>,
    pub tokens: TokensTyped,
    pub layer_norm: Option<LayerNormTyped>,
    pub attention: AttentionTyped,
    pub perceptron: Option<PerceptronTyped>,
    pub noise: Option<NoiseTyped>,
    pub time: TimeTyped,
    pub observe: ObserveTyped,
    pub reference: Option<ReferenceTyped>,
    pub result: Option<Vec<ResultTyped>>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct TokensTyped {
    pub count: Option<u64>,
    pub dim: Option<u64>,
    pub replicas: Option<u64>,
    pub seed: Option<u64>,
    pub passive: Option<u64>,
    pub frozen: Option<u64>,
    pub geometry: Option<Word<GeometryWord>>,
    pub alpha: Option<NumberTyped>,
    pub switch: Option<f64>,
    pub perturbation: Option<f64>,
    pub initial: Law,
    pub weights: Option<WeightsTyped>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct WeightsTyped {
    pub path: FilePath,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct TimeTyped {
    pub scheme: Word<Scheme>,
    pub step: StepTyped,
    pub end: f64,
    pub stop: Option<StopTyped>,
}

impl Typed {
    pub fn read(root: &Table, source: &Source) -> Result<Typed, ExperimentError> {
        let root = Section::new(source, "", root, ROOT)?;
        let tokens = root.section("tokens", TOKENS)?;
        let attention = root.section("attention", attention::ATTENTION)?;
        let time = root.section("time", TIME)?;
        let observe =
            root.read("observe", "{ every = 0.5 }", |entry| observe::read(&entry.section(&observe::OBSERVE)?))?;
        let perceptron = root.read("perceptron", "{ activation = \"relu\" }", |entry| {
            perceptron::read(&entry.section(perceptron::PERCEPTRON)?)
        })?;
        let noise =
            root.read("noise", "{ field = \"independent\" }", |entry| noise::read(&entry.section(noise::NOISE)?))?;
        let reference = root.read("reference", "{ kind = \"zonal\" }", |entry| {
            reference::read(&entry.section(reference::REFERENCE)?)
        })?;
        let attention = attention::read(&attention)?;
        let tokens = self::tokens(&tokens)?;
        let layer_norm = layer_norm(&root, &tokens, &attention)?;
        let tolerance = |entry: &Entry| {
            entry.number("greater than 0 and less than 1", |tolerance| 0.0 < tolerance && tolerance < 1.0)
        };
        Ok(Typed {
            name: root.read("name", "\"clusters\"", name)?,
            algorithm: root.read("algorithm", "\"auto\"", |entry| entry.word(ALGORITHMS))?,
            tolerance: root.read("tolerance", "1e-6", tolerance)?,
            tokens,
            layer_norm,
            attention,
            perceptron,
            noise,
            time: self::time(&time)?,
            observe: observe.unwrap_or_default(),
            reference,
            result: root.read(
                "result",
                "[{ name = \"merged\", first-time = \"overlap_min > 0.99\" }]",
                result::read,
            )?,
        })
    }
}

/// Layer norms are typed where tokens go through them, unless a trained model has its own.
fn layer_norm(
    root: &Section,
    tokens: &TokensTyped,
    attention: &AttentionTyped,
) -> Result<Option<LayerNormTyped>, ExperimentError> {
    let geometry = tokens.geometry.map(|word| word.meaning);
    if geometry == Some(GeometryWord::LayerNorm) && attention.trained.is_none() {
        let entry = root.required("layer-norm", "{ epsilon = 1e-12 }")?;
        return geometry::layer_norm(&entry).map(Some);
    }
    if geometry != Some(GeometryWord::LayerNorm) && attention.trained.is_none() {
        let remedy = "write tokens.geometry = \"layer-norm\", or leave the table out";
        root.forbid(&["layer-norm"], "belongs to another geometry", remedy)?;
    }
    root.read("layer-norm", "{ epsilon = 1e-12 }", geometry::layer_norm)
}

/// The name of a run folder, so nothing that a folder cannot be called.
pub(super) fn name(entry: &Entry) -> Result<String, ExperimentError> {
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
    let dim = whole("dim", "3", 1..=MOST)?;
    let initial = law::read(&section.required("initial", "{ law = \"uniform\" }")?)?;
    if !matches!(initial, Law::File(_)) {
        section.required("count", "4096")?;
        section.required("dim", "3")?;
    }
    let weights = match section.optional("weights", "{ path = \"w.npy\" }") {
        Some(entry) => Some(WeightsTyped { path: entry.section(WEIGHTS)?.required("path", "\"w.npy\"")?.file()? }),
        None => None,
    };
    let geometry = section.read("geometry", "\"sphere\"", |entry| entry.word(GEOMETRIES))?;
    let GeometryNumbers { alpha, switch } = geometry::numbers(section, geometry.map(|word| word.meaning))?;
    Ok(TokensTyped {
        count,
        dim,
        replicas: whole("replicas", "1", 1..=MOST)?,
        seed: whole("seed", "7", 0..=i64::MAX as u64)?,
        passive: whole("passive", "16", 0..=MOST)?,
        frozen: whole("frozen", "16", 0..=MOST)?,
        geometry,
        alpha,
        switch,
        perturbation: section.read("perturbation", "1e-6", |entry| {
            entry.number("finite and greater than 0", |perturbation| perturbation > 0.0)
        })?,
        initial,
        weights,
    })
}

fn time(section: &Section) -> Result<TimeTyped, ExperimentError> {
    let step = step::read(&section.required("step", "0.05")?)?;
    let end = match (section.optional("end", "10.0"), step.sum()) {
        (Some(end), _) => end.number("finite and at least 0", |end| end >= 0.0)?,
        (None, Some(sum)) => sum,
        (None, None) => return Err(section.missing("end", "10.0")),
    };
    Ok(TimeTyped {
        scheme: section.required("scheme", "\"heun\"")?.word(SCHEMES)?,
        step,
        end,
        stop: section.read("stop", stop::EXAMPLE, stop::read)?,
    })
}
