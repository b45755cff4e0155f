//! Which shift keeps the sums of a head in range.

use crate::{
    model::{Attention, Geometry, Head, Mask, Position},
    sums::{real::Real, reduction::Shift},
    tokens::{Shape, Weights},
};

/// What the scores of the heads of a model depend on beside the heads.
#[derive(Clone, Copy)]
pub(super) struct HeadInputs<'a> {
    pub(super) geometry: &'a Geometry,
    pub(super) attention: &'a Attention,
    pub(super) shape: Shape,
    pub(super) weights: &'a Weights,
}

impl HeadInputs<'_> {
    /// Whether attention sees tokens of length one.
    fn sees_unit_tokens(&self) -> bool {
        self.geometry.is_unit() || self.geometry.sees_directions()
    }

    /// -log2 of the smallest positive weight, as the mask and the place of a token may lower it.
    fn lightest(&self, head: &Head) -> f64 {
        let weight = match self.weights {
            Weights::Equal => (self.shape.sources() as f64).log2(),
            Weights::Each(weights) => {
                let positive = weights.iter().copied().filter(|weight| *weight > 0.0);
                -positive.fold(1.0, f64::min).log2()
            }
        };
        let alibi = self.attention.alibi_of(head, self.shape.sources());
        weight + alibi.map_or(0.0, |alibi| alibi.most_bits())
    }
}

/// The cheapest shift that is safe for scores in base 2, none of which exceeds `bound` for unit tokens.
///
/// If all of [-bound, bound] and the weights fit the exponents of `T` together, the bound itself will do: no term is lost.
/// If A = c I with c >= 0, a token's own score is the largest of its row, and equal to the bound but for rounding: again the
/// bound will do as long as every query is among the sources it sees, with a weight to speak of. Otherwise, and where
/// scores have no bound, each row's maximum must be found.
pub(super) fn shift<T: Real>(head: &Head, bound: f64, inputs: HeadInputs<'_>) -> Shift {
    let HeadInputs { geometry: _, attention, shape, weights } = inputs;
    // Betas and weights of heads are in the bound or outside the sums, and normalizations follow them.
    let Attention { beta: _, beta_factors: _, normalization: _, mask, window: _, position, heads: _ } = attention;
    let Head { query_key, value: _, biases: _, beta: _, decay: _, weight: _ } = head;
    let (is_moved, is_turned) = match position {
        Position::Nowhere | Position::Alibi { .. } => (false, false),
        Position::Rotary { .. } => (false, true),
        Position::Additive { .. } => (true, false),
    };
    if is_moved || head.has_biases() || !inputs.sees_unit_tokens() {
        return Shift::RowMaximum;
    }
    let light = inputs.lightest(head);
    let every_query_sees_itself = matches!(mask, Mask::None | Mask::Causal)
        && shape.passive == 0
        && !matches!(weights, Weights::Each(weights) if weights.contains(&0.0))
        && light < T::EXPONENT_SPAN - NOTICED;
    let own_score_is_largest = query_key.multiple_of_identity().is_some_and(|factor| factor >= 0.0)
        && !is_turned
        && bound * T::EPSILON < 1.0;
    if 2.0 * bound + light <= T::EXPONENT_SPAN || (own_score_is_largest && every_query_sees_itself) {
        Shift::Constant(bound)
    } else {
        Shift::RowMaximum
    }
}

/// Bits below its own weight down to which a token notices others.
const NOTICED: f64 = 30.0;
