//! Of what rank the matrix of attention is: its singular values.

use nalgebra::DMatrix;

use super::{
    Definition, Need, Numbers, Objection, Observable, Parameter, Parametrized, Setup, View, attention,
    equation::Equation,
};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    model::Head,
    observe::Statistics,
};

/// Tokens whose matrix takes some seconds.
const MOST: usize = 2048;

/// `attention_rank`: how many singular values of the matrix a_ij of all sources are greater than `rank_threshold` times the largest;
/// `attention_singular_value_k`: the leading ones, largest first, zero where there are fewer. Means over heads, of rows divided by their
/// sums whatever the normalization. In one dimension the matrix becomes Boolean, of low rank (arXiv:2305.05465).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionSpectrum {
    /// Relative to the largest.
    pub rank_threshold: f64,
    /// How many are columns.
    pub singular_values: usize,
}

const DEFINITION: Definition = Definition {
    word: "attention_spectrum",
    documentation: "attention_rank, how many singular values of the matrix a_ij of the tokens that are not passive are greater \
        than `rank-threshold` times the largest (arXiv:2305.05465), and the leading `singular-values` of them, \
        attention_singular_value_0 .. , zero where there are fewer; as means over heads, for at most 2048 tokens, n^3 \
        operations; rows are divided by their sums whatever the normalization; not for hardmax and sinkhorn",
    needs: &[Need::Tokens],
    replicas_a_sample: 1,
    curve: None,
};

impl AttentionSpectrum {
    pub(super) const DEFAULT: Self = Self { rank_threshold: 0.01, singular_values: 4 };
}

impl Parametrized for AttentionSpectrum {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let holds = |threshold| 0.0 < threshold && threshold < 1.0;
        vec![
            Parameter::number("rank-threshold", &mut self.rank_threshold, "greater than 0 and less than 1", holds),
            Parameter::whole("singular-values", &mut self.singular_values, 0..=1000),
        ]
    }
}

impl Observable for AttentionSpectrum {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        let leading = (0..self.singular_values).map(|k| format!("attention_singular_value_{k}"));
        std::iter::once("attention_rank".into()).chain(leading).collect()
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        let together = || {
            Objection::new(
                "attention_spectrum is of rows that are weighed each by itself, and those of hardmax and sinkhorn are not",
                "leave \"attention_spectrum\" out",
            )
        };
        (!setup.normalization.weighs_each_row()).then(together)
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        let sources = equation.tokens.shape.sources();
        let many = || {
            Objection::new(
                format!("singular values take n^3 operations, and {sources} tokens are too many"),
                format!("write tokens.count = {MOST} or less, or leave \"attention_spectrum\" out"),
            )
        };
        (sources > MOST).then(many)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        let [_, count, _] = sizes.shape();
        Part::new("matrices of attention", if sizes.count > MOST as u64 { 0 } else { 3 * DOUBLE }, &[count, count])
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        let seen = attention::seen(view, replica);
        let heads = &view.model.attention.heads;
        let mut means = vec![0.0; 1 + self.singular_values];
        for head in heads {
            let spectrum = spectrum(view, head, replica, &seen);
            let largest = spectrum.first().copied().unwrap_or(0.0);
            let rank = match largest.is_finite() {
                true => spectrum.iter().filter(|value| **value > self.rank_threshold * largest).count() as f64,
                false => f64::NAN,
            };
            let leading = (0..self.singular_values).map(|k| spectrum.get(k).copied().unwrap_or(0.0));
            let numbers = std::iter::once(rank).chain(leading);
            means.iter_mut().zip(numbers).for_each(|(mean, number)| *mean += number / heads.len() as f64);
        }
        Ok(means)
    }
}

/// The singular values of one head, largest first; not numbers where scores are none.
fn spectrum(view: &View, head: &Head, replica: usize, seen: &[f64]) -> Vec<f64> {
    let sources = view.equation.tokens.shape.sources();
    let all: Vec<usize> = (0..sources).collect();
    let rows = attention::matrix(view, head, replica, seen, &all);
    // The iteration would not end on these.
    if rows.iter().any(|entry| !entry.is_finite()) {
        return vec![f64::NAN; sources];
    }
    let mut spectrum: Vec<f64> =
        DMatrix::from_row_slice(sources, sources, &rows).singular_values().iter().copied().collect();
    spectrum.sort_by(|a, b| b.total_cmp(a));
    spectrum
}
