//! Which distances there are between these tokens and this limit, or between two copies.

use super::{Experiment, error::ExperimentError};
use crate::{
    limit::SHARPEST,
    observe::Quantity,
    problem::Reference,
    tokens::{Tokens, Weights},
    transport::{assignment, sinkhorn},
};

/// Why there is no such distance, and what to do about it.
type Objection = (String, String);

impl Experiment {
    /// Refuses distances that nothing could measure.
    pub(super) fn require_distances(&self, quantities: &[Quantity], tokens: &Tokens) -> Result<(), ExperimentError> {
        match quantities.iter().find_map(|quantity| self.objection_of_shape(*quantity, tokens)) {
            None => Ok(()),
            Some((problem, remedy)) => {
                Err(self.source.error("observe.quantities", self.quoted("observe.quantities"), problem, remedy))
            }
        }
    }

    fn objection_of_shape(&self, quantity: Quantity, tokens: &Tokens) -> Option<Objection> {
        let is_circle = tokens.shape.dim == 2 && self.geometry().is_unit();
        let kind = self.reference().map(|(reference, _)| reference);
        match quantity {
            Quantity::W1Copies if !tokens.shape.replicas.is_multiple_of(2) => Some((
                "w1_copies compares replicas 2k and 2k + 1, and one replica has no other".into(),
                format!("write tokens.replicas = {}", tokens.shape.replicas + 1),
            )),
            Quantity::W1Copies if is_circle => None,
            Quantity::W1Copies => unpaired("w1_copies", tokens, "leave it out"),
            Quantity::OverlapReference if kind != Some(Reference::Equiangular) => Some((
                "overlap_reference is the overlap of the equiangular reference".into(),
                "write reference.kind = \"equiangular\", or leave it out".into(),
            )),
            Quantity::W1Reference
            | Quantity::W2Reference
            | Quantity::SlicedW2Reference { .. }
            | Quantity::SinkhornReference { .. }
                if kind == Some(Reference::Gaussian) =>
            {
                Some((
                    "of a gaussian limit mean and covariance are known, and no points".into(),
                    "write \"moments_reference\" instead, or reference.kind = \"particles\"".into(),
                ))
            }
            Quantity::W1Reference | Quantity::W2Reference if is_circle => None,
            Quantity::W1Reference | Quantity::W2Reference => match kind {
                Some(Reference::Equiangular) => {
                    unpaired("w1_reference and w2_reference", tokens, "write \"sliced_w2_reference\" instead")
                }
                Some(Reference::Particles { count }) if count == tokens.shape.sources() => {
                    unpaired("w1_reference and w2_reference", tokens, "write \"sliced_w2_reference\" instead")
                }
                _ => Some((
                    "off the circle w1_reference and w2_reference pair tokens with as many of the limit".into(),
                    format!(
                        "write \"sliced_w2_reference\" instead, or reference = {{ kind = \"particles\", count = {} }}",
                        tokens.shape.sources()
                    ),
                )),
            },
            Quantity::MmdReference { beta } if kind == Some(Reference::Zonal) && beta > SHARPEST => Some((
                format!(
                    "observe.kernel-beta = {beta:e} is a kernel sharper than a zonal limit resolves, which is {SHARPEST:e}"
                ),
                "write a smaller observe.kernel-beta, or reference.kind = \"particles\"".into(),
            )),
            Quantity::SinkhornReference { epsilon } if self.geometry().is_unit() && epsilon < sinkhorn::LEAST => {
                let least = sinkhorn::LEAST;
                Some((
                    format!(
                        "observe.epsilon = {epsilon:e} is below {least:e}, where rounding of the costs decides the plan"
                    ),
                    format!("write observe.epsilon = {least:e} or more, or \"w2_reference\""),
                ))
            }
            Quantity::SlicedW2Reference { .. } | Quantity::SinkhornReference { .. } if !is_circle => match kind {
                Some(Reference::Zonal) => Some((
                    "of a zonal limit heights are known, and no points".into(),
                    "write \"mmd_reference\" instead, or reference.kind = \"quadrature\" (dim = 3) or \"particles\""
                        .into(),
                )),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Why the tokens of two clouds of this shape are not paired.
fn unpaired(names: &str, tokens: &Tokens, remedy: &str) -> Option<Objection> {
    let sources = tokens.shape.sources();
    if sources > assignment::MOST {
        let problem = format!("{names} pair tokens in n^3 operations, and {sources} are too many");
        return Some((problem, format!("write tokens.count = {} or less, or {remedy}", assignment::MOST)));
    }
    match &tokens.weights {
        Weights::Equal => None,
        Weights::Each(_) => {
            let problem = format!("off the circle {names} pair tokens of equal weights");
            Some((problem, format!("leave tokens.weights out, or {remedy}")))
        }
    }
}
