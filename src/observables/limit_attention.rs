//! How sharp the attention of equiangular tokens is, in closed form.

use super::{
    Definition, Limit, Need, Numbers, Objection, Observable, Reference, Setup, View, attention::Attention,
    limit_values,
};
use crate::{
    budget::{Part, Sizes},
    model::{Head, Model},
    observe::Statistics,
    transport::TransportError,
};

/// `limit_attention_entropy`, `limit_attention_largest`, `limit_attention_gap`: those of [`Attention`], of every row of the equiangular
/// reference. With g = beta (1 - rho) and Z = 1 + (n - 1) e^{-g} of a head, g >= 0, they are ln Z + g (Z - 1) / Z, 1 / Z and g.
pub struct LimitAttention;

const DEFINITION: Definition = Definition {
    word: "limit_attention",
    documentation: "limit_attention_entropy, limit_attention_largest and limit_attention_gap: those of attention, of every row of the \
        equiangular reference in closed form: with g = beta (1 - rho) and Z = 1 + (n - 1) e^-g these are ln Z + g (Z - 1) / Z, 1 / Z and \
        g, as means over heads. The largest weight passes from 1 to 0 at beta = ln n / (1 - rho) (arXiv:2510.05554)",
    needs: &[Need::Reference],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for LimitAttention {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, dim: usize) -> Vec<String> {
        limit_values::columns(Attention::DEFAULT.columns(dim))
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        let other = || {
            Objection::new(
                "\"limit_attention\" is that of equiangular tokens",
                "write reference.kind = \"equiangular\", or leave \"limit_attention\" out",
            )
        };
        let is_pointwise = setup.normalization.is_pointwise();
        let foreign = || {
            Objection::new(
                "\"limit_attention\" is that of exponential weights, and relu and sigmoid have others",
                "leave it out",
            )
        };
        let is_equiangular = matches!(setup.reference, Some(Reference::Equiangular | Reference::Overlap { .. }));
        limit_values::objection(setup, DEFINITION.word)
            .or_else(|| (!is_equiangular).then(other))
            .or_else(|| is_pointwise.then(foreign))
    }

    fn memory(&self, _: &Sizes) -> Part {
        Part::none()
    }

    /// Measured of all replicas at once, but for tokens without a limit.
    fn measure(&self, _: &View, _: usize, _: &Statistics) -> Numbers {
        Ok(vec![f64::NAN; 3])
    }

    fn measure_together(&self, view: &View) -> Result<Option<Vec<Vec<f64>>>, TransportError> {
        limit_values::everywhere(view, |limit| row(limit, view.model).into())
    }

    fn is_known_of_overlaps(&self) -> bool {
        true
    }
}

/// Means over heads of entropy, largest weight and gap; not numbers where the limit is not equiangular.
fn row(limit: &Limit, model: &Model) -> [f64; 3] {
    let Some(tokens) = limit.state.equiangular else { return [f64::NAN; 3] };
    let attention = &model.attention;
    let of_head =
        |head: &Head| tokens.row(attention.beta_of(head) * head.query_key.multiple_of_identity().unwrap_or(f64::NAN));
    let rows: Vec<[f64; 3]> = attention.heads.iter().map(of_head).collect();
    [0, 1, 2].map(|k| rows.iter().map(|row| row[k]).sum::<f64>() / rows.len() as f64)
}
