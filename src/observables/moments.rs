//! Mean and second moment.

use super::{Curve, Definition, Hue, Need, Numbers, Objection, Observable, Setup, View};
use crate::{
    budget::{Part, Sizes},
    observe::{Statistics, eigenvalues},
    vector::norm,
};

/// `mean_k` = sum_j w_j (x_j)_k, `mean_norm` = |mean|, and the eigenvalues of the second moment
/// sum_j w_j x_j x_j^T, largest first, as `second_moment_eigenvalue_k`.
pub struct Moments;

const DEFINITION: Definition = Definition {
    word: "moments",
    documentation: "mean_0 .. mean_{d-1} of mean = sum_j w_j x_j, mean_norm = |mean|, and the eigenvalues of sum_j w_j x_j \
        x_j^T, largest first, second_moment_eigenvalue_0 .. ",
    needs: &[Need::SecondMoment],
    replicas_a_sample: 1,
    curve: Some(Curve {
        column: "mean_norm",
        label: "|mean|, on the sphere 1 when tokens agree",
        hue: Hue::Blue,
        void: 0,
        rank: 0,
    }),
};

impl Observable for Moments {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, dim: usize) -> Vec<String> {
        let means = (0..dim).map(|k| format!("mean_{k}"));
        let eigenvalues = (0..dim).map(|k| format!("second_moment_eigenvalue_{k}"));
        means.chain(["mean_norm".into()]).chain(eigenvalues).collect()
    }

    fn objection(&self, _: &Setup) -> Option<Objection> {
        None
    }

    fn memory(&self, _: &Sizes) -> Part {
        Part::none()
    }

    fn measure(&self, _: &View, _: usize, statistics: &Statistics) -> Numbers {
        let Statistics { mean, second_moment, .. } = statistics;
        Ok([mean.clone(), vec![norm(mean)], eigenvalues(second_moment, mean.len())].concat())
    }
}
