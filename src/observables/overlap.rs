//! How well tokens agree with the direction of their mean.

use super::{Definition, Need, Numbers, Objection, Observable, Setup, View, w2_dirac::objection_to_lengths};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
    vector::norm,
};

/// `overlap_min` and `overlap_mean`: the smallest and the weighted mean of <x_j, e> over tokens of positive weight.
/// The mean is |mean|; where that [has no direction](crate::observe::has_direction) the smallest is not a number.
pub struct Overlap;

const DEFINITION: Definition = Definition {
    word: "overlap",
    documentation: "overlap_min and overlap_mean, the least and the mean <x_j, e> over tokens of positive weight, the mean \
        being |mean|; w2_dirac and overlap_min are not numbers (NaN) where |mean| is at most eight times what \
        rounding may have made of it, since e is noise there: about 2e-15 (double) or 1e-6 (single) and 1e-15 a \
        token, up to 4e-12, on a CPU, 1e-5 on a GPU",
    needs: &[Need::MeanDirection],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for Overlap {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["overlap_min".into(), "overlap_mean".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        objection_to_lengths(setup)
    }

    fn memory(&self, _: &Sizes) -> Part {
        Part::none()
    }

    fn measure(&self, _: &View, _: usize, statistics: &Statistics) -> Numbers {
        // The mean of <x_j, e> is <mean, e> = |mean|.
        Ok(vec![statistics.overlap_min, norm(&statistics.mean)])
    }
}
