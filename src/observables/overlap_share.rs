//! How many pairs of tokens have come together: what papers plot to tell clusters from one.

use super::{
    Definition, Directions, Need, Numbers, Objection, Observable, Parameter, Parametrized, Setup, View, directions,
    equation::Equation,
    pairs::{self, Sample},
};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    observe::Statistics,
};

/// `overlap_share`: the share of pairs i < j, weighted by w_i w_j, with <theta_i, theta_j> > above (arXiv:2312.10794, figure 3);
/// of all pairs, or of some that are drawn, as for [`OverlapHistogram`](super::OverlapHistogram). `overlap_share_error`: its
/// standard deviation, zero where nothing is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlapShare {
    /// What overlaps are compared with, in [-1, 1).
    pub above: f64,
    /// Pairs of a replica that are measured at most.
    pub pairs: usize,
    /// The key of the draw.
    pub seed: u64,
}

const DEFINITION: Definition = Definition {
    word: "overlap_share",
    documentation: "the share of pairs i < j, weighted by w_i w_j, with <theta_i, theta_j> > `above` (arXiv:2312.10794, figure \
        3), and overlap_share_error, its standard deviation; of the same pairs as overlap_histogram",
    needs: &[Need::Tokens, Need::Directions],
    replicas_a_sample: 1,
    curve: None,
};

impl OverlapShare {
    pub(super) const DEFAULT: Self = Self { above: 0.99, pairs: pairs::MOST, seed: 0 };
}

impl Parametrized for OverlapShare {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let holds = |above| (-1.0..1.0).contains(&above);
        vec![
            Parameter::number("above", &mut self.above, "at least -1 and less than 1", holds),
            pairs::parameter(&mut self.pairs),
        ]
    }

    fn seed(&mut self) -> Option<&mut u64> {
        Some(&mut self.seed)
    }
}

impl Observable for OverlapShare {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["overlap_share".into(), "overlap_share_error".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        directions::objection(setup)
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        pairs::objection(DEFINITION.word, equation)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        Part::new("histograms of chunks of pairs", 2 * DOUBLE, &[pairs::chunks(sizes, self.pairs)])
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        let sample = Sample { most: self.pairs, seed: self.seed, replica };
        let (share, error) = share(&view.directions(replica), self.above, sample);
        Ok(vec![share, error])
    }
}

/// The share of pairs i < j, weighted by w_i w_j, with <theta_i, theta_j> > above, and its standard deviation.
pub fn share(directions: &Directions, above: f64, sample: Sample) -> (f64, f64) {
    let (shares, error) = pairs::shares(directions, 2, sample, |overlap| usize::from(overlap > above));
    (shares[1], error)
}
