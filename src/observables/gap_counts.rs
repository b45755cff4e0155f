//! How many scores compete with the largest of their row: what decides from which inverse temperature on attention is sharp.

use rayon::prelude::*;

use super::{
    Among, Definition, Need, Numbers, Objection, Observable, Parameter, Parametrized, Setup, View,
    attention::{self, Attention, Operands, drawn_rows},
    equation::Equation,
};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
};

/// `gap_count` and `gap_scale`: means over heads and rows of N(gap), N(u) being the number of sources j other than that of the largest
/// score with max_k s_ik - s_ij <= u, and of the largest ln N(u) / u over u > 0: the inverse temperature below which competitors of the largest
/// share its weight (arXiv:2605.12697). Of the same rows as [`Attention`](struct@super::Attention).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GapCounts {
    /// In units of scores.
    pub gap: f64,
    /// Rows of a replica that are measured at most.
    pub rows: usize,
    /// Which tokens have the rows.
    pub of: Among,
    /// The key of the draw.
    pub seed: u64,
}

const DEFINITION: Definition = Definition {
    word: "gap_counts",
    documentation: "gap_count, the number N(gap) of sources j beside that of the largest score with max_k s_ik - s_ij <= `gap`, \
        and gap_scale, the largest ln N(u) / u over u > 0, below which inverse temperature these share the weight \
        (arXiv:2605.12697; infinite where three scores tie); s_ij = <x_i, A_h x_j> without beta, as means over the \
        heads and rows of attention",
    needs: &[Need::Tokens],
    replicas_a_sample: 1,
    curve: None,
};

impl GapCounts {
    pub(super) const DEFAULT: Self = Self { gap: 0.1, rows: Attention::DEFAULT.rows, of: Among::Sources, seed: 0 };
}

impl Parametrized for GapCounts {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let gap = Parameter::number("gap", &mut self.gap, "at least 0 and finite", |gap| gap >= 0.0);
        vec![gap, attention::rows(&mut self.rows), Parameter::among(&mut self.of)]
    }

    fn seed(&mut self) -> Option<&mut u64> {
        Some(&mut self.seed)
    }
}

impl Observable for GapCounts {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["gap_count".into(), "gap_scale".into()]
    }

    fn objection(&self, _: &Setup) -> Option<Objection> {
        None
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        self.of.objection(equation.tokens.shape)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        attention::memory_of_operands(sizes)
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        Ok(means(view, replica, self).into())
    }
}

/// Of the rows that see a source.
fn means(view: &View, replica: usize, asked: &GapCounts) -> [f64; 2] {
    let GapCounts { gap, rows, of, seed } = *asked;
    let tokens = drawn_rows(of.range(view.equation.tokens.shape), replica, rows, seed);
    let seen = attention::seen(view, replica);
    let mut numbers = Vec::new();
    for head in &view.model.attention.heads {
        let operands = Operands::new(view, head, replica, &seen);
        let row = |token: &usize| {
            let scores = attention::visible(view, replica, *token).map(|j| operands.score(*token, j));
            of_row(scores.collect(), gap)
        };
        numbers.par_extend(tokens.par_iter().filter_map(row));
    }
    let mean = |k: usize| numbers.iter().map(|row: &[f64; 2]| row[k]).sum::<f64>() / numbers.len() as f64;
    [mean(0), mean(1)]
}

/// N(gap), and the largest ln N(u) / u, which is at one of the gaps; nothing of a row without scores.
fn of_row(mut scores: Vec<f64>, gap: f64) -> Option<[f64; 2]> {
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
    let (largest, others) = scores.split_first()?;
    let gaps = || others.iter().map(|score| largest - score);
    let count = gaps().take_while(|u| *u <= gap).count();
    // One competitor has the logarithm zero, wherever it is.
    let scales = (2..).zip(gaps().skip(1)).map(|(n, u)| f64::from(n).ln() / u);
    Some([count as f64, scales.fold(0.0, f64::max)])
}
