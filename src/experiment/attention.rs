//! The attention term: inverse temperature, normalization, mask, positions and heads.

use serde::Serialize;

use super::{
    array::{Extent, RowsTyped},
    error::ExperimentError,
    head::{self, HeadTyped},
    number::{self, NOT_NEGATIVE, NumberTyped, ResolvedNumber},
    section::{Entry, Section, Word},
    shared::Shared,
    trained::{self, TrainedTyped},
};
use crate::{
    model::{Attention, Head, Mask, Normalization, Part, Position},
    problem::Schedule,
    tokens::Shape,
};

pub(super) const ATTENTION: &[&str] =
    &["beta", "normalization", "sinkhorn", "mask", "window", "position", "model", "layers", "heads", "head"];
pub(super) const BETA: &[&str] = &["times", "values", "layers", "replicas"];
pub(super) const SINKHORN: &[&str] = &["iterations", "tolerance"];
/// Of one evaluation: beyond, a tolerance is one that rounding does not let anybody reach.
const MOST_ITERATIONS: u64 = 100_000;
pub(super) const POSITION: &[&str] = &["alibi", "rotary", "additive", "values"];
pub(super) const MASKS: &[(&str, Mask)] = &[
    ("none", Mask::None),
    ("causal", Mask::Causal),
    ("strictly-causal", Mask::StrictlyCausal),
    ("others", Mask::Others),
];
pub(super) const NORMALIZATIONS: &[(&str, Divisor)] = &[
    ("softmax", Divisor::Softmax),
    ("unnormalized", Divisor::Unnormalized),
    ("shifted", Divisor::Shifted),
    ("hardmax", Divisor::Hardmax),
    ("sinkhorn", Divisor::Sinkhorn),
    ("relu", Divisor::Relu),
    ("sigmoid", Divisor::Sigmoid),
];

/// A normalization, without its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Divisor {
    Softmax,
    Unnormalized,
    Shifted,
    Hardmax,
    Sinkhorn,
    Relu,
    Sigmoid,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct AttentionTyped {
    pub beta: Option<BetaTyped>,
    pub normalization: Option<Word<Divisor>>,
    pub mask: Option<Word<Mask>>,
    pub window: Option<u64>,
    #[serde(flatten)]
    pub trained: Option<TrainedTyped>,
    pub sinkhorn: Option<SinkhornTyped>,
    pub position: Option<PositionTyped>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub head: Vec<HeadTyped>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum BetaTyped {
    Number(NumberTyped),
    /// As many for consecutive replicas as there are numbers.
    Replicas {
        replicas: Vec<f64>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SinkhornTyped {
    pub iterations: u64,
    pub tolerance: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum PositionTyped {
    Alibi {
        alibi: f64,
    },
    Rotary {
        rotary: f64,
    },
    Additive {
        /// Whether values are made of tokens and their places too.
        values: Option<bool>,
        additive: RowsTyped,
    },
}

pub(super) fn read(section: &Section) -> Result<AttentionTyped, ExperimentError> {
    let trained = trained::read(section)?;
    let head = section.read("head", "[{ value = \"identity\" }]", |entry| {
        entry.list("{ query-key = \"identity\", value = \"identity\" }")?.iter().map(head::read).collect()
    })?;
    let normalization = match (&trained, section.optional("normalization", "\"softmax\"")) {
        (_, Some(entry)) => Some(entry.word(NORMALIZATIONS)?),
        (Some(_), None) => None,
        (None, None) => Some(section.required("normalization", "\"softmax\"")?.word(NORMALIZATIONS)?),
    };
    let divisor = normalization.map_or(Divisor::Softmax, |word| word.meaning);
    // Hardmax is beta = infinity, and a trained model has its own.
    let beta = match section.read("beta", "4.0", beta)? {
        None if trained.is_none() && divisor != Divisor::Hardmax => {
            return Err(section.missing("beta", "4.0"));
        }
        beta => beta,
    };
    let sinkhorn = match divisor {
        Divisor::Sinkhorn => Some(sinkhorn(
            &section.required("sinkhorn", "{ iterations = 20, tolerance = 1e-6 }")?.section(SINKHORN)?,
        )?),
        _ => {
            let remedy = "write normalization = \"sinkhorn\", or leave it out";
            section.forbid(&["sinkhorn"], "belongs to another normalization", remedy)?;
            None
        }
    };
    Ok(AttentionTyped {
        beta,
        normalization,
        mask: section.read("mask", "\"causal\"", |entry| entry.word(MASKS))?,
        window: section.read("window", "64", |entry| entry.whole(1..=u64::from(u32::MAX)))?,
        trained,
        sinkhorn,
        position: section.read("position", "{ rotary = 10000.0 }", position)?,
        head: head.unwrap_or_default(),
    })
}

fn beta(entry: &Entry) -> Result<BetaTyped, ExperimentError> {
    if !entry.is_table() {
        return number::read(entry, NOT_NEGATIVE).map(BetaTyped::Number);
    }
    let section = entry.section(BETA)?;
    if let Some(replicas) = section.optional("replicas", "[1.0, 2.0, 4.0]") {
        section.forbid(
            &["times", "values", "layers"],
            "stands beside replicas, which have one beta for all times",
            "leave it out",
        )?;
        let betas = replicas.numbers()?;
        return match betas.is_empty() || betas.iter().any(|beta| *beta < 0.0) {
            true => Err(replicas.error("must be one or more numbers, each at least 0")),
            false => Ok(BetaTyped::Replicas { replicas: betas }),
        };
    }
    number::read_changing(&section, NOT_NEGATIVE).map(BetaTyped::Number)
}

fn sinkhorn(section: &Section) -> Result<SinkhornTyped, ExperimentError> {
    Ok(SinkhornTyped {
        iterations: section.required("iterations", "20")?.whole(1..=MOST_ITERATIONS)?,
        tolerance: section.required("tolerance", "1e-6")?.number("finite and at least 0", |t| t >= 0.0)?,
    })
}

fn position(entry: &Entry) -> Result<PositionTyped, ExperimentError> {
    let section = entry.section(POSITION)?;
    if !section.has("additive") {
        let problem = "says where vectors of places are added, and there are none";
        section.forbid(&["values"], problem, "write additive = { path = \"p.npy\" } beside it, or leave it out")?;
    }
    let values = section.read("values", "true", Entry::truth)?;
    let forms = [
        section
            .read("alibi", "1.0", |e| e.number("finite and at least 0", |decay| decay >= 0.0))?
            .map(|alibi| PositionTyped::Alibi { alibi }),
        section
            .read("rotary", "10000.0", |e| e.number("finite and greater than 0", |b| b > 0.0))?
            .map(|rotary| PositionTyped::Rotary { rotary }),
        section
            .read("additive", "{ path = \"p.npy\" }", RowsTyped::read)?
            .map(|additive| PositionTyped::Additive { values, additive }),
    ];
    let mut typed = forms.into_iter().flatten();
    match (typed.next(), typed.next()) {
        (Some(form), None) => Ok(form),
        _ => Err(entry.error("must have exactly one of alibi, rotary and additive")),
    }
}

impl AttentionTyped {
    pub fn divisor(&self) -> Divisor {
        self.normalization.map_or(Divisor::Softmax, |word| word.meaning)
    }

    pub fn normalization(&self) -> Normalization {
        match (self.divisor(), &self.sinkhorn) {
            (Divisor::Softmax, _) => Normalization::Softmax,
            (Divisor::Unnormalized, _) => Normalization::Unnormalized,
            (Divisor::Shifted, _) => Normalization::Shifted,
            (Divisor::Hardmax, _) => Normalization::Hardmax,
            (Divisor::Relu, _) => Normalization::Relu,
            (Divisor::Sigmoid, _) => Normalization::Sigmoid,
            (Divisor::Sinkhorn, numbers) => {
                let (iterations, tolerance) = numbers.as_ref().map_or((1, 0.0), |n| (n.iterations, n.tolerance));
                Normalization::Sinkhorn { iterations: iterations as u32, tolerance }
            }
        }
    }

    /// Every inverse temperature that a head without its own has at some time.
    pub fn betas(&self) -> Vec<f64> {
        match &self.beta {
            Some(BetaTyped::Number(beta)) => beta.values(),
            Some(BetaTyped::Replicas { replicas }) => replicas.clone(),
            None => vec![1.0],
        }
    }

    /// That at time zero, or where replicas differ the largest of theirs.
    fn largest_beta(&self) -> f64 {
        match &self.beta {
            Some(BetaTyped::Replicas { replicas }) => replicas.iter().copied().fold(0.0, f64::max),
            _ => self.betas().first().copied().unwrap_or(0.0),
        }
    }

    /// The share of the largest that each replica has, where they differ: the first of the list is that of the first replicas.
    fn beta_factors(&self, count: usize) -> Vec<f64> {
        match &self.beta {
            Some(BetaTyped::Replicas { replicas: betas }) if self.largest_beta() > 0.0 => {
                (0..count).map(|replica| betas[replica * betas.len() / count] / self.largest_beta()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// All but the heads, which are none.
    pub fn around(&self, shape: Shape, shared: &Shared) -> Result<Attention, ExperimentError> {
        let position = match &self.position {
            None => Position::Nowhere,
            Some(PositionTyped::Alibi { alibi }) => Position::Alibi { decay: *alibi },
            Some(PositionTyped::Rotary { rotary }) => Position::Rotary { base: *rotary },
            Some(PositionTyped::Additive { values, additive }) => {
                let extent = Extent { length: shape.count, of: "a replica" };
                let key = "attention.position.additive";
                let places = additive.resolve_rows(key, extent, shape.dim, shared.source)?;
                Position::Additive { places, in_values: values.unwrap_or(false) }
            }
        };
        if let Some(BetaTyped::Replicas { replicas: betas }) = &self.beta
            && !shape.replicas.is_multiple_of(betas.len())
        {
            let problem = format!(
                "has {} numbers, and tokens.replicas = {} is no multiple of that",
                betas.len(),
                shape.replicas
            );
            let remedy = format!(
                "write tokens.replicas = {}, or another multiple",
                betas.len() * (shape.replicas / betas.len()).max(1)
            );
            return Err(shared.source.error("attention.beta.replicas", quoted(&self.beta), problem, remedy));
        }
        Ok(Attention {
            beta: self.largest_beta(),
            beta_factors: self.beta_factors(shape.replicas),
            normalization: self.normalization(),
            mask: self.mask.map_or(Mask::None, |mask| mask.meaning),
            window: self.window.map(|window| window as usize),
            position,
            heads: Vec::new(),
        })
    }

    /// The term at time zero; what of it changes becomes a part of the model schedule.
    pub fn resolve(
        &self,
        shape: Shape,
        schedule: &Schedule,
        shared: &Shared,
        parts: &mut Vec<Part>,
    ) -> Result<Attention, ExperimentError> {
        let mut attention = self.around(shape, shared)?;
        if let Some(BetaTyped::Number(beta)) = &self.beta
            && let ResolvedNumber::Changing(beta) = beta.resolve("attention.beta", schedule, shared)?
        {
            parts.push(Part::Beta(beta));
        }
        for (index, head) in self.head.iter().enumerate() {
            for _ in 0..head.copies() {
                let number = attention.heads.len();
                attention.heads.push(head.resolve([index, number], shape.dim, schedule, shared, parts)?);
            }
        }
        if attention.heads.is_empty() {
            attention.heads.push(Head::default());
        }
        Ok(attention)
    }
}

/// The inverse temperature as it was typed.
fn quoted(beta: &Option<BetaTyped>) -> String {
    beta.as_ref().and_then(|beta| toml::Value::try_from(beta).ok()).map_or(String::new(), |value| value.to_string())
}
