//! How directions of pairs of tokens overlap: a histogram over all pairs, or over some that are drawn once.

use super::{
    Definition, Directions, Need, Numbers, Objection, Observable, OnDevice, Parameter, Parametrized, Setup, View,
    directions,
    equation::Equation,
    pairs::{self, Sample},
};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    observe::Statistics,
};

/// `overlap_histogram_k`: the share of pairs i < j, weighted by w_i w_j, with <theta_i, theta_j> in the k-th of `bins` equal
/// parts of [-1, 1]; beyond that number of `pairs` the share among as many that are drawn by `seed` with probabilities in
/// proportion to w_i w_j, the same at all times. `overlap_histogram_error`: the largest standard deviation of a share, zero where
/// nothing is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlapHistogram {
    /// Parts of [-1, 1].
    pub bins: usize,
    /// Pairs of a replica that are measured at most.
    pub pairs: usize,
    /// The key of the draw.
    pub seed: u64,
}

const DEFINITION: Definition = Definition {
    word: "overlap_histogram",
    documentation: "overlap_histogram_0 .. , the shares of pairs i < j, weighted by w_i w_j, with <theta_i, theta_j> in each \
        of `bins` equal parts of [-1, 1]; of all pairs up to the number `pairs`, else of as many drawn by \
        `seed`, each with a probability proportional to w_i w_j; and overlap_histogram_error, the largest \
        standard deviation of a share, which is (p (1 - p) / pairs)^{1/2} of a share p that is drawn, and 0 \
        where all pairs are counted",
    needs: &[Need::Tokens, Need::Directions],
    replicas_a_sample: 1,
    curve: None,
};

impl OverlapHistogram {
    pub(super) const DEFAULT: Self = Self { bins: 32, pairs: pairs::MOST, seed: 0 };
}

impl Parametrized for OverlapHistogram {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter::whole("bins", &mut self.bins, 1..=1000), pairs::parameter(&mut self.pairs)]
    }

    fn seed(&mut self) -> Option<&mut u64> {
        Some(&mut self.seed)
    }
}

impl Observable for OverlapHistogram {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        let shares = (0..self.bins).map(|k| format!("overlap_histogram_{k}"));
        shares.chain(["overlap_histogram_error".into()]).collect()
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        directions::objection(setup)
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        pairs::objection(DEFINITION.word, equation)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        let factors = [pairs::chunks(sizes, self.pairs), ("observe.bins", self.bins as u128)];
        Part::new("histograms of chunks of pairs", DOUBLE, &factors)
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        let directions = view.directions(replica);
        let sample = Sample { most: self.pairs, seed: self.seed, replica };
        let (mut numbers, error) = histogram(&directions, self.bins, sample);
        numbers.push(error);
        Ok(numbers)
    }

    fn on_device(&self) -> Option<OnDevice> {
        Some(OnDevice::OverlapHistogram { bins: self.bins, pairs: self.pairs })
    }

    /// A backend counts all pairs or leaves them to the host, so that its shares have no error.
    fn complete(&self, _: &View, _: usize, shares: &[f64]) -> Vec<f64> {
        let error = 0.0 * shares.iter().sum::<f64>();
        shares.iter().copied().chain([error]).collect()
    }
}

/// The shares of pairs i < j, weighted by w_i w_j, with <theta_i, theta_j> in each of `bins` equal parts of [-1, 1], of which all
/// but the last are open above; and the largest standard deviation of one of them.
pub fn histogram(directions: &Directions, bins: usize, sample: Sample) -> (Vec<f64>, f64) {
    // The cast sends what is below zero, by rounding, to zero.
    let bin = |overlap: f64| ((0.5 * (overlap + 1.0) * bins as f64) as usize).min(bins - 1);
    pairs::shares(directions, bins, sample, bin)
}
