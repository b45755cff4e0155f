//! The interaction energy of each head by itself.

use super::{
    Definition, Need, Numbers, Objection, Observable, Parameter, Parametrized, Setup, View,
    attention::{self, Operands},
    dissipation::log_sum,
    energy::Energy,
    equation::Equation,
};
use crate::{
    budget::{Part, Sizes},
    model::Head,
    observe::Statistics,
    sums::sources::Sources,
};

/// How far the sum over all tokens may be off for one of them, relative to that sum.
pub(super) const ACCURACY: f64 = 1e-12;

/// `log_energy_h` = ln E_h of each head, E_h = (1 / 2 beta_h) sum_ij w_i w_j e^{beta_h <x_i, A_h x_j>} over all pairs: the parts of
/// [`Energy`](super::Energy) without their weights (arXiv:2605.18870).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeadEnergies {
    /// How many heads have a column.
    pub heads: usize,
}

const DEFINITION: Definition = Definition {
    word: "head_energies",
    documentation: "log_energy_0 .. = ln E_h of each of `heads` heads, without its weight c_h: the parts of the E of energy \
        (arXiv:2605.18870)",
    needs: &[Need::Tokens],
    replicas_a_sample: 1,
    curve: None,
};

impl HeadEnergies {
    pub(super) const DEFAULT: Self = Self { heads: 1 };
}

impl Parametrized for HeadEnergies {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter::whole("heads", &mut self.heads, 1..=1000)]
    }
}

impl Observable for HeadEnergies {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        (0..self.heads).map(|head| format!("log_energy_{head}")).collect()
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        let objection = Energy.objection(setup)?;
        Some(Objection { remedy: objection.remedy.replace("\"energy\"", "\"head_energies\""), ..objection })
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        let heads = equation.model.attention.heads.len();
        let others = || {
            Objection::new(
                format!(
                    "attention has {heads} heads, and head_energies a column for each of observe.heads = {}",
                    self.heads
                ),
                format!("write observe.heads = {heads}"),
            )
        };
        (heads != self.heads).then(others)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        attention::memory_of_operands(sizes)
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        let seen = attention::seen(view, replica);
        Ok(view.model.attention.heads.iter().map(|head| log_energy(view, head, replica, &seen)).collect())
    }
}

/// ln E of one head, whatever the mask.
pub(super) fn log_energy(view: &View, head: &Head, replica: usize, seen: &[f64]) -> f64 {
    let tokens = view.equation.tokens;
    let Operands { width, queries, keys, beta, alibi: _, normalization: _ } =
        Operands::new(view, head, replica, seen);
    let heavy: Vec<usize> = (0..tokens.shape.sources()).filter(|j| tokens.weight(replica, *j) > 0.0).collect();
    let log_weights: Vec<f64> = heavy.iter().map(|j| tokens.weight(replica, *j).ln()).collect();
    let of_heavy =
        |rows: &[f64]| -> Vec<f64> { heavy.iter().flat_map(|j| &rows[j * width..][..width]).copied().collect() };
    let sums = Sources::new(&of_heavy(&keys), width).log_sums(&of_heavy(&queries), beta, &log_weights, ACCURACY);
    let terms: Vec<f64> = sums.iter().zip(log_weights).map(|(sum, weight)| sum + weight).collect();
    log_sum(&terms) - (2.0 * beta).ln()
}
