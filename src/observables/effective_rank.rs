//! Over how many directions tokens are spread.

use super::{Definition, Need, Numbers, Objection, Observable, Setup, View};
use crate::{
    budget::{Part, Sizes},
    observe::{Statistics, eigenvalues},
    tokens::Tokens,
};

/// `effective_rank` = e^{-sum_k p_k ln p_k}, p_k being the shares of the eigenvalues of sum_j w_j x_j x_j^T (Roy, Vetterli,
/// "The effective rank", EUSIPCO 2007, of a spectrum that is one of squares): 1 for a line, d for the uniform measure.
pub struct EffectiveRank;

const DEFINITION: Definition = Definition {
    word: "effective_rank",
    documentation: "e^{-sum_k p_k ln p_k} of the shares p_k of the eigenvalues of sum_j w_j x_j x_j^T, from 1 to dim",
    needs: &[Need::SecondMoment],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for EffectiveRank {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["effective_rank".into()]
    }

    fn objection(&self, _: &Setup) -> Option<Objection> {
        None
    }

    fn objection_to_tokens(&self, _: &Setup, tokens: &Tokens) -> Option<Objection> {
        let line = || Objection::new("effective_rank is 1 for all tokens of one component", "leave it out");
        (tokens.shape.dim == 1).then(line)
    }

    fn memory(&self, _: &Sizes) -> Part {
        Part::none()
    }

    fn measure(&self, _: &View, _: usize, statistics: &Statistics) -> Numbers {
        Ok(vec![effective_rank(&statistics.second_moment, statistics.mean.len())])
    }
}

/// e^{-sum_k p_k ln p_k} of the shares p_k of the eigenvalues of the second moment; not a number where that vanishes.
pub fn effective_rank(second_moment: &[f64], dim: usize) -> f64 {
    let spectrum = eigenvalues(second_moment, dim);
    let trace: f64 = spectrum.iter().sum();
    if !(trace > 0.0 && trace.is_finite()) {
        return f64::NAN;
    }
    // Rounding leaves eigenvalues of a singular matrix on either side of zero.
    let entropy = |eigenvalue: &f64| {
        let share = (eigenvalue / trace).max(0.0);
        if share == 0.0 { 0.0 } else { -share * share.ln() }
    };
    spectrum.iter().map(entropy).sum::<f64>().exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_spectrum_has_no_rank() {
        assert!(effective_rank(&[0.0; 4], 2).is_nan());
        assert!(effective_rank(&[f64::INFINITY, 0.0, 0.0, 1.0], 2).is_nan());
        assert!((effective_rank(&[0.5, 0.0, 0.0, 0.5], 2) - 2.0).abs() < 1e-14);
    }
}
