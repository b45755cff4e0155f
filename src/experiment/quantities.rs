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
    model::{Mask, Model, Noise, NoiseField},
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
        match quantity {
            Quantity::Moments | Quantity::EffectiveRank | Quantity::Tokens | Quantity::W1Copies => None,
            Quantity::Energy => self.objection_to_energy(),
            Quantity::Dissipation => {
                self.undefined_energy("leave \"dissipation\" out, or write attention.beta = 1e-3")
            }
            Quantity::W2Dirac | Quantity::Overlap => self.objection_to_one_direction(),
            Quantity::NormMoments { .. } => self.objection_to_lengths(),
            Quantity::Clusters { .. } | Quantity::OverlapHistogram { .. } | Quantity::Modes { .. } => {
                self.objection_to_directions()
            }
            Quantity::RenyiCentres { .. } => self.objection_to_directions().or_else(|| self.objection_to_an_order()),
            Quantity::Attention { .. } => self.objection_to_rows(),
            Quantity::Lyapunov => self.objection_to_pairs(),
            Quantity::CouplingError => self.objection_to_twins(),
            Quantity::TaggedError => self.objection_to_twins().or_else(|| self.objection_to_passive_twins()),
            Quantity::W1Reference
            | Quantity::W2Reference
            | Quantity::SlicedW2Reference { .. }
            | Quantity::SinkhornReference { .. }
            | Quantity::MomentsReference
            | Quantity::OverlapReference => self.objection_to_distances(),
            Quantity::MmdReference { .. } => self.objection_to_distances().or_else(|| self.objection_to_the_kernel()),
        }
    }

    fn objection_to_energy(&self) -> Option<Objection> {
        let infinite = (
            "the energy (1 / 2 beta) sum_ij .. is infinite for hardmax, which is beta = infinity",
            "leave \"energy\" out",
        );
        let is_infinite = self.typed.attention.divisor() == Divisor::Hardmax;
        is_infinite
            .then_some(infinite)
            .or_else(|| self.undefined_energy("leave \"energy\" out, or write attention.beta = 1e-3"))
    }

    fn undefined_energy(&self, remedy: &'static str) -> Option<Objection> {
        let undefined = "the energy (1 / 2 beta) sum_ij .. is undefined for attention.beta = 0";
        self.has_zero_beta().then_some((undefined, remedy))
    }

    fn objection_to_one_direction(&self) -> Option<Objection> {
        (!self.geometry().is_unit()).then_some((
            "w2_dirac and overlap compare tokens with a direction, and those of this tokens.geometry have a length",
            "leave them out",
        ))
    }

    fn objection_to_lengths(&self) -> Option<Objection> {
        self.geometry().is_unit().then_some((
            "norm_moments are of lengths, and all tokens of this tokens.geometry have length 1",
            "leave them out",
        ))
    }

    fn objection_to_directions(&self) -> Option<Objection> {
        (!self.has_directions()).then_some((
            "clusters, overlap_histogram, modes and renyi_centres are of directions, and tokens of one direction may be far \
             apart in R^d",
            "leave them out",
        ))
    }

    fn objection_to_an_order(&self) -> Option<Objection> {
        (!self.is_causal()).then_some((
            "renyi_centres are tokens that none before them moves, and here all see all",
            "write attention.mask = \"causal\" or \"strictly-causal\", or leave it out",
        ))
    }

    fn objection_to_rows(&self) -> Option<Objection> {
        matches!(self.typed.attention.divisor(), Divisor::Hardmax | Divisor::Sinkhorn).then_some((
            "attention is of rows with a second largest weight, each by itself, and those of hardmax and sinkhorn are not",
            "leave \"attention\" out",
        ))
    }

    fn objection_to_pairs(&self) -> Option<Objection> {
        self.typed.tokens.perturbation.is_none().then_some((
            "lyapunov compares pairs of replicas that start next to each other",
            "write tokens.perturbation = 1e-6 and an even tokens.replicas",
        ))
    }

    fn objection_to_twins(&self) -> Option<Objection> {
        self.typed.reference.is_none().then_some((
            "coupling_error and tagged_error compare tokens with their twins in the limit",
            "write a table [reference], or leave them out",
        ))
    }

    fn objection_to_passive_twins(&self) -> Option<Objection> {
        (self.typed.tokens.passive.unwrap_or(0) == 0).then_some((
            "tagged_error is that of passive tokens, and there are none",
            "write tokens.passive = 1 or more, or leave it out",
        ))
    }

    fn objection_to_distances(&self) -> Option<Objection> {
        let none = ("a distance from the limit needs one", "write a table [reference], or leave it out");
        self.typed.reference.is_none().then_some(none)
    }

    fn objection_to_the_kernel(&self) -> Option<Objection> {
        (!self.geometry().is_unit()).then_some((
            "the kernel e^{beta (<x, y> - 1)} of mmd_reference is one of unit vectors, and grows without bound off the sphere",
            "write \"sinkhorn_reference\" or \"sliced_w2_reference\" instead",
        ))
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
    match quantity {
        Quantity::Modes { .. } => (!matches!(problem.tokens.shape.dim, 2 | 3)).then_some((
            "modes are those of Fourier and of spherical harmonics, for tokens.dim = 2 and 3",
            "leave \"modes\" out; overlap_histogram is for any tokens.dim",
        )),
        Quantity::OverlapHistogram { .. } => (!has_pairs(problem)).then_some((
            "overlap_histogram is of pairs of tokens of positive weight, and a replica has less than two of those",
            "leave it out",
        )),
        Quantity::Lyapunov => has_noises(&problem.model).then_some((
            "lyapunov compares replicas under the same noise, and here each has its own",
            "write a common noise.field and noise.replicas = \"shared\"",
        )),
        Quantity::Dissipation => flow_slope(problem).is_none().then_some((
            "dissipation is that of a gradient flow: softmax, unnormalized or shifted attention to all, on the sphere or in R^d, \
             with one head that does not change, A symmetric and V a multiple of A, and nothing else",
            "leave \"dissipation\" out",
        )),
        Quantity::Moments
        | Quantity::Energy
        | Quantity::W2Dirac
        | Quantity::Overlap
        | Quantity::CouplingError
        | Quantity::TaggedError
        | Quantity::Tokens
        | Quantity::Clusters { .. }
        | Quantity::EffectiveRank
        | Quantity::NormMoments { .. }
        | Quantity::Attention { .. }
        | Quantity::RenyiCentres { .. }
        | Quantity::W1Reference
        | Quantity::W2Reference
        | Quantity::SlicedW2Reference { .. }
        | Quantity::SinkhornReference { .. }
        | Quantity::MmdReference { .. }
        | Quantity::MomentsReference
        | Quantity::OverlapReference
        | Quantity::W1Copies => None,
    }
}

/// Whether each replica has a noise of its own.
fn has_noises(model: &Model) -> bool {
    let is_own = |noise: &Noise| noise.field == NoiseField::Independent || !noise.is_shared;
    model.noise.as_ref().is_some_and(is_own)
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
