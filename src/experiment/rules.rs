//! Which terms go together: one table of what does not, each with its reason.

use super::{Experiment, error::ExperimentError, geometry::GeometryWord};
use crate::{
    initial::Law,
    model::{Calculus, Mask, MatrixSchedule, Model, Normalization, Operand, Part, Position},
    scheme::Scheme,
};

/// What rules are about.
pub(crate) struct Facts<'a> {
    pub geometry: GeometryWord,
    pub law: &'a Law,
    /// The equation at time zero.
    pub model: &'a Model,
    /// What of it changes.
    pub parts: &'a [Part],
    pub scheme: Scheme,
    pub dim: usize,
}

/// A combination that makes no sense.
pub(crate) struct Rule {
    /// The key that is to blame.
    pub key: &'static str,
    pub breached: fn(&Facts) -> bool,
    pub problem: &'static str,
    pub remedy: &'static str,
}

/// The key of the law of a mixture that is to blame stands further in.
const LAW: &str = "tokens.initial.law";

pub(super) const RULES: &[Rule] = &[
    Rule {
        key: "attention.mask",
        breached: |f| f.is_sinkhorn() && f.model.attention.mask != Mask::None,
        problem: "hides sources, and sinkhorn makes rows and columns of all pairs stochastic",
        remedy: "write attention.mask = \"none\"",
    },
    Rule {
        key: "attention.window",
        breached: |f| f.is_sinkhorn() && f.model.attention.window.is_some(),
        problem: "hides sources, and sinkhorn makes rows and columns of all pairs stochastic",
        remedy: "leave it out",
    },
    Rule {
        key: "attention.position",
        breached: |f| f.is_alibi() && !matches!(f.model.attention.mask, Mask::Causal | Mask::StrictlyCausal),
        problem: "alibi decays with i - j, which is negative for sources behind the token",
        remedy: "write attention.mask = \"causal\" or \"strictly-causal\"",
    },
    Rule {
        key: "attention.head",
        breached: |f| !f.is_alibi() && f.model.attention.has_decays_of_heads(),
        problem: "has an alibi in place of that of attention.position, which has none",
        remedy: "write attention.position = { alibi = 1.0 } beside it, or leave alibi of heads out",
    },
    Rule {
        key: "attention.position",
        breached: |f| f.is_alibi() && f.is_hardmax(),
        problem: "alibi adds finite terms to scores, which hardmax multiplies by infinity",
        remedy: "leave it out, or write attention.normalization = \"softmax\"",
    },
    Rule {
        key: "attention.position",
        breached: |f| f.is_alibi() && f.model.attention.normalization.is_pointwise(),
        problem: "alibi divides weights by sums of theirs, and those of relu and sigmoid are divided by nothing",
        remedy: "leave it out, or write attention.normalization = \"unnormalized\"",
    },
    Rule {
        key: "attention.mask",
        breached: |f| f.model.attention.mask == Mask::Others && !f.is_hardmax(),
        problem: "is for hardmax, under which a token may follow itself alone",
        remedy: "write attention.normalization = \"hardmax\", or another mask",
    },
    Rule {
        key: "attention.window",
        breached: |f| {
            f.model.attention.window == Some(1)
                && matches!(f.model.attention.mask, Mask::StrictlyCausal | Mask::Others)
        },
        problem: "leaves no token a source under this mask",
        remedy: "write attention.window = 2 or more",
    },
    Rule {
        key: "attention.mask",
        breached: |f| {
            matches!(f.geometry, GeometryWord::PeriNorm | GeometryWord::Ngpt)
                && f.model.attention.mask == Mask::StrictlyCausal
        },
        problem: "gives the first token no source, and this geometry divides by the length of its field",
        remedy: "write attention.mask = \"causal\"",
    },
    Rule {
        key: "attention.beta",
        breached: |f| f.is_hardmax() && f.has_cold_head(),
        problem: "makes all scores equal, and hardmax is beta = infinity",
        remedy: "leave it out, or write a beta greater than 0",
    },
    Rule {
        key: "attention.head",
        breached: |f| f.is_rescaled() && f.model.attention.heads.len() != 1,
        problem: "tokens e^{-tV} x belong to the V of one head",
        remedy: "write one head, or tokens.geometry = \"euclidean\"",
    },
    Rule {
        key: "attention.head",
        breached: |f| f.is_rescaled() && !f.is_whole(),
        problem: "tokens e^{-tV} x need a V of full form and scores without biases",
        remedy: "write value as a d x d matrix and leave biases out, or tokens.geometry = \"euclidean\"",
    },
    Rule {
        key: "attention.head",
        breached: |f| f.is_rescaled() && f.value_moves(),
        problem: "tokens e^{-tV} x need a V that does not change",
        remedy: "write a constant value, or tokens.geometry = \"euclidean\"",
    },
    Rule {
        key: "tokens.frozen",
        breached: |f| f.is_rescaled() && f.model.frozen > 0,
        problem: "keeps tokens e^{-tV} x where they are, while those x move",
        remedy: "leave it out, or write tokens.geometry = \"euclidean\"",
    },
    Rule {
        key: "perceptron",
        breached: |f| f.is_rescaled() && f.model.perceptron.is_some(),
        problem: "is no linear function of tokens e^{-tV} x",
        remedy: "leave it out, or write tokens.geometry = \"euclidean\"",
    },
    Rule {
        key: "attention.normalization",
        breached: |f| f.is_rescaled() && f.model.attention.normalization != Normalization::Softmax,
        problem: "the scores of e^{tV} z grow without bound, which only softmax is indifferent to",
        remedy: "write attention.normalization = \"softmax\", or tokens.geometry = \"euclidean\"",
    },
    Rule {
        key: "attention.position",
        breached: |f| {
            f.is_rescaled()
                && matches!(f.model.attention.position, Position::Rotary { .. } | Position::Additive { .. })
        },
        problem: "is that of tokens x, and the scores of e^{-tV} x are made of other ones",
        remedy: "leave it out, or write tokens.geometry = \"euclidean\"",
    },
    Rule {
        key: "attention.position",
        breached: |f| f.is_rotary() && !f.can_rotate(),
        problem: "rotary needs heads whose query-key is a multiple of the identity, or two factors",
        remedy: "write query and key in place of query-key",
    },
    Rule {
        key: "attention.position",
        breached: |f| f.is_rotary() && f.has_odd_head(),
        problem: "rotary turns pairs of components, and a head has queries of an odd number",
        remedy: "write factors of an even number of rows, or an even tokens.dim",
    },
    Rule {
        key: "time.scheme",
        breached: |f| f.scheme == Scheme::Layer && !f.has_layers(),
        problem: "a layer adds its outputs to the tokens and normalizes them, which is not what this tokens.geometry does",
        remedy: "write time.scheme = \"euler\", or tokens.geometry = \"sphere\", \"euclidean\" or \"layer-norm\"",
    },
    Rule {
        key: "time.scheme",
        breached: |f| f.geometry == GeometryWord::LayerNorm && f.scheme != Scheme::Layer,
        problem: "layer norms stand between the layers of a Transformer and have no velocity",
        remedy: "write time.scheme = \"layer\"",
    },
    Rule {
        key: "noise.field",
        breached: |f| {
            f.model.noise.is_some()
                && !matches!(f.geometry, GeometryWord::Sphere | GeometryWord::PostNorm | GeometryWord::Euclidean)
        },
        problem: "noise is for tokens on the sphere and in R^d",
        remedy: "leave [noise] out, or write tokens.geometry = \"sphere\" or \"euclidean\"",
    },
    Rule {
        key: "noise.calculus",
        breached: |f| f.has_noise(Calculus::Ito) && f.scheme != Scheme::Euler,
        problem: "Ito's integral is the limit of the scheme of Euler and Maruyama",
        remedy: "write time.scheme = \"euler\"",
    },
    Rule {
        key: "noise.calculus",
        breached: |f| f.has_noise(Calculus::Stratonovich) && f.scheme != Scheme::Heun,
        problem: "Stratonovich's integral is the limit of Heun's scheme",
        remedy: "write time.scheme = \"heun\"",
    },
    Rule {
        key: LAW,
        breached: |f| f.law.off_sphere().is_some() && f.geometry.starts_on_sphere(),
        problem: "is a law in R^d, and tokens of this tokens.geometry have length one",
        remedy: "write tokens.geometry = \"euclidean\", or a law on the sphere",
    },
];

impl Facts<'_> {
    fn is_sinkhorn(&self) -> bool {
        matches!(self.model.attention.normalization, Normalization::Sinkhorn { .. })
    }

    fn is_hardmax(&self) -> bool {
        self.model.attention.normalization == Normalization::Hardmax
    }

    fn is_alibi(&self) -> bool {
        matches!(self.model.attention.position, Position::Alibi { .. })
    }

    fn is_rotary(&self) -> bool {
        matches!(self.model.attention.position, Position::Rotary { .. })
    }

    fn is_rescaled(&self) -> bool {
        self.geometry == GeometryWord::Rescaled
    }

    fn has_layers(&self) -> bool {
        use GeometryWord::{Euclidean, LayerNorm, PostNorm, Sphere};
        matches!(self.geometry, Sphere | PostNorm | Euclidean | LayerNorm)
    }

    fn has_noise(&self, calculus: Calculus) -> bool {
        self.model.noise.as_ref().is_some_and(|noise| noise.calculus == calculus)
    }

    /// Whether the inverse temperature of some head is zero at some time or in some replica.
    fn has_cold_head(&self) -> bool {
        let attention = &self.model.attention;
        let cold_at_times =
            self.parts.iter().any(|part| matches!(part, Part::Beta(beta) if beta.values().contains(&0.0)));
        attention.heads.iter().any(|head| match head.beta {
            Some(beta) => beta == 0.0,
            None => attention.beta == 0.0 || cold_at_times || attention.beta_factors.contains(&0.0),
        })
    }

    /// Whether no value is a product and no head has biases.
    fn is_whole(&self) -> bool {
        let heads = &self.model.attention.heads;
        heads.iter().all(|head| head.value.factors().is_none() && !head.has_biases())
    }

    fn value_moves(&self) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Matrix { operand: Operand::Value, schedule: MatrixSchedule::OfQueryKey(_), .. } => {
                self.query_key_moves()
            }
            Part::Matrix { operand: Operand::Value, schedule, .. } => schedule.moves(),
            Part::Matrix { operand: Operand::QueryKey, .. }
            | Part::Beta(_)
            | Part::Weight { .. }
            | Part::Perceptron(_)
            | Part::Alpha(_)
            | Part::Geometry { .. }
            | Part::Rescaled { .. } => false,
        })
    }

    fn query_key_moves(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Matrix { operand: Operand::QueryKey, schedule, .. } if schedule.moves()))
    }

    fn can_rotate(&self) -> bool {
        let heads = &self.model.attention.heads;
        heads.iter().all(|head| head.query_key.multiple_of_identity().is_some() || head.query_key.factors().is_some())
    }

    fn has_odd_head(&self) -> bool {
        let width = |factors: Option<(&[f64], &[f64])>| factors.map_or(self.dim, |(left, _)| left.len() / self.dim);
        self.model.attention.heads.iter().any(|head| width(head.query_key.factors()) % 2 == 1)
    }
}

impl Experiment {
    /// Refuses what breaches a rule.
    pub(super) fn require_sense(&self, facts: &Facts) -> Result<(), ExperimentError> {
        let Some(rule) = RULES.iter().find(|rule| (rule.breached)(facts)) else { return Ok(()) };
        let key = match facts.law.off_sphere() {
            Some(law) if rule.key == LAW => format!("tokens.initial.{law}"),
            _ => rule.key.to_owned(),
        };
        Err(self.source.error(key.as_str(), self.quoted(&key), rule.problem, rule.remedy))
    }

    /// What was typed at a dotted key, as TOML; nothing if it was left out.
    pub(super) fn quoted(&self, key: &str) -> String {
        let Ok(mut value) = toml::Value::try_from(&self.typed) else { return String::new() };
        for segment in key.split('.') {
            let inner = match segment.parse::<usize>() {
                Ok(index) => value.get(index),
                Err(_) => value.get(segment),
            };
            match inner {
                Some(inner) => value = inner.clone(),
                None => return String::new(),
            }
        }
        value.to_string()
    }
}
