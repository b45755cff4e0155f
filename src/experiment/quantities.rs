//! What is measured, as far as the equation lets it be: first as typed, then as resolved.

use super::{
    Experiment,
    attention::Divisor,
    error::ExperimentError,
    geometry::GeometryWord,
    section::{Word, word},
    typed::QUANTITIES,
};
use crate::{
    measure::flow_slope,
    model::{Mask, NoiseField},
    observe::Quantity,
    problem::Problem,
    tokens::Weights,
};

/// Why a quantity means nothing, and what to do about it.
type Objection = (&'static str, &'static str);

impl Experiment {
    /// What is measured: as typed, else moments, energy, w2_dirac and coupling_error, so far as they mean something.
    pub(super) fn quantity_words(&self) -> Result<Vec<Word<Quantity>>, ExperimentError> {
        let Some(typed) = &self.typed.observe.quantities else {
            let mut quantities =
                vec![Quantity::Moments, Quantity::Energy, Quantity::W2Dirac, Quantity::CouplingError];
            quantities.retain(|quantity| self.objection(*quantity).is_none());
            return Ok(quantities.into_iter().map(|quantity| word(QUANTITIES, quantity)).collect());
        };
        match typed.iter().find_map(|quantity| self.objection(quantity.meaning)) {
            None => Ok(typed.clone()),
            Some((problem, remedy)) => {
                Err(self.source.error("observe.quantities", self.quoted("observe.quantities"), problem, remedy))
            }
        }
    }

    fn objection(&self, quantity: Quantity) -> Option<Objection> {
        let attention = &self.typed.attention;
        match quantity {
            Quantity::Moments | Quantity::Tokens => None,
            Quantity::Energy if attention.divisor() == Divisor::Hardmax => Some((
                "the energy (1 / 2 beta) sum_ij .. is infinite for hardmax, which is beta = infinity",
                "leave \"energy\" out",
            )),
            Quantity::Energy if self.has_zero_beta() => Some((
                "the energy (1 / 2 beta) sum_ij .. is undefined for attention.beta = 0",
                "leave \"energy\" out, or write attention.beta = 1e-3",
            )),
            Quantity::Energy => None,
            Quantity::W2Dirac | Quantity::Overlap if self.geometry().is_unit() => None,
            Quantity::CouplingError | Quantity::TaggedError if self.typed.reference.is_none() => Some((
                "coupling_error and tagged_error compare tokens with their twins in the limit",
                "write a table [reference], or leave them out",
            )),
            Quantity::TaggedError if self.typed.tokens.passive.unwrap_or(0) == 0 => Some((
                "tagged_error is that of passive tokens, and there are none",
                "write tokens.passive = 1 or more, or leave it out",
            )),
            Quantity::CouplingError | Quantity::TaggedError => None,
            quantity if quantity.needs_directions() && !self.has_directions() => Some((
                "clusters, overlap_histogram, modes and renyi_centres are of directions, and tokens of one direction may be far \
                 apart in R^d",
                "leave them out",
            )),
            Quantity::NormMoments { .. } if self.geometry().is_unit() => Some((
                "norm_moments are of lengths, and all tokens of this tokens.geometry have length 1",
                "leave them out",
            )),
            Quantity::Lyapunov if self.typed.tokens.perturbation.is_none() => Some((
                "lyapunov compares pairs of replicas that start next to each other",
                "write tokens.perturbation = 1e-6 and an even tokens.replicas",
            )),
            Quantity::Dissipation if self.has_zero_beta() => Some((
                "the energy (1 / 2 beta) sum_ij .. is undefined for attention.beta = 0",
                "leave \"dissipation\" out, or write attention.beta = 1e-3",
            )),
            Quantity::Attention { .. } if matches!(attention.divisor(), Divisor::Hardmax | Divisor::Sinkhorn) => {
                Some((
                    "attention is of rows with a second largest weight, each by itself, and those of hardmax and sinkhorn are not",
                    "leave \"attention\" out",
                ))
            }
            Quantity::RenyiCentres { .. } if !self.is_causal() => Some((
                "renyi_centres are tokens that none before them moves, and here all see all",
                "write attention.mask = \"causal\" or \"strictly-causal\", or leave it out",
            )),
            quantity if quantity.needs_reference() && self.typed.reference.is_none() => {
                Some(("a distance from the limit needs one", "write a table [reference], or leave it out"))
            }
            Quantity::MmdReference { .. } if !self.geometry().is_unit() => Some((
                "the kernel e^{beta (<x, y> - 1)} of mmd_reference is one of unit vectors, and grows without bound off the sphere",
                "write \"sinkhorn_reference\" or \"sliced_w2_reference\" instead",
            )),
            Quantity::W1Reference
            | Quantity::W2Reference
            | Quantity::SlicedW2Reference { .. }
            | Quantity::SinkhornReference { .. }
            | Quantity::MmdReference { .. }
            | Quantity::MomentsReference
            | Quantity::OverlapReference
            | Quantity::W1Copies => None,
            Quantity::W2Dirac | Quantity::Overlap => Some((
                "w2_dirac and overlap compare tokens with a direction, and those of this tokens.geometry have a length",
                "leave them out",
            )),
            _ => None,
        }
    }

    fn is_causal(&self) -> bool {
        let mask = self.typed.attention.mask.map(|word| word.meaning);
        matches!(mask, Some(Mask::Causal | Mask::StrictlyCausal))
    }

    /// Whether the direction of a token says where it is, but for a length that layer norms or attention forget.
    fn has_directions(&self) -> bool {
        !matches!(self.geometry(), GeometryWord::Euclidean | GeometryWord::Rescaled)
    }

    /// Whether the inverse temperature of some head is zero at some time.
    fn has_zero_beta(&self) -> bool {
        let attention = &self.typed.attention;
        let common = || attention.betas().contains(&0.0);
        match attention.head[..] {
            [] => common(),
            _ => attention.head.iter().any(|head| head.beta.map_or_else(common, |beta| beta == 0.0)),
        }
    }

    /// Refuses what the resolved problem leaves without meaning.
    pub(super) fn require_measurable(&self, problem: &Problem) -> Result<(), ExperimentError> {
        let key = "observe.quantities";
        match problem.quantities.iter().find_map(|quantity| unmeasurable(*quantity, problem)) {
            None => Ok(()),
            Some((objection, remedy)) => Err(self.source.error(key, self.quoted(key), objection, remedy)),
        }
    }
}

fn unmeasurable(quantity: Quantity, problem: &Problem) -> Option<Objection> {
    let (shape, model) = (problem.tokens.shape, &problem.model);
    match quantity {
        Quantity::Modes { .. } if !matches!(shape.dim, 2 | 3) => Some((
            "modes are those of Fourier and of spherical harmonics, for tokens.dim = 2 and 3",
            "leave \"modes\" out; overlap_histogram is for any tokens.dim",
        )),
        Quantity::OverlapHistogram { .. } if !has_pairs(problem) => Some((
            "overlap_histogram is of pairs of tokens of positive weight, and a replica has less than two of those",
            "leave it out",
        )),
        Quantity::Lyapunov
            if model
                .noise
                .as_ref()
                .is_some_and(|noise| noise.field == NoiseField::Independent || !noise.is_shared) =>
        {
            Some((
                "lyapunov compares replicas under the same noise, and here each has its own",
                "write a common noise.field and noise.replicas = \"shared\"",
            ))
        }
        Quantity::Dissipation if flow_slope(problem).is_none() => Some((
            "dissipation is that of a gradient flow: softmax, unnormalized or shifted attention to all, on the sphere or in R^d, \
             with one head that does not change, A symmetric and V a multiple of A, and nothing else",
            "leave \"dissipation\" out",
        )),
        _ => None,
    }
}

fn has_pairs(problem: &Problem) -> bool {
    let shape = problem.tokens.shape;
    match &problem.tokens.weights {
        Weights::Equal => shape.sources() > 1,
        Weights::Each(weights) => weights
            .chunks_exact(shape.count)
            .all(|weights| weights.iter().filter(|weight| **weight > 0.0).count() > 1),
    }
}
