//! Lengths of vectors, and whether they are one.

use rayon::prelude::*;

/// Vectors that one task measures at once.
const VECTORS: usize = 1024;
/// How far |x|^2 may be from one: what normalising and turning a vector leaves. It moves a score by half of this.
const UNIT: f64 = 4e-15;

/// Whether vectors, row-major (vector, component), are on the unit circle or sphere.
pub(crate) fn are_unit(vectors: &[f64], dim: usize) -> bool {
    matches!(dim, 2 | 3) && Lengths::of(vectors, dim, 1.0).is_one(1.0)
}

/// Between which lengths queries are, their scale included.
#[derive(Clone, Copy)]
pub(crate) struct Lengths {
    pub(super) least: f64,
    pub(super) longest: f64,
}

impl Lengths {
    /// Of `vectors`, row-major (vector, component), times `scale`.
    pub(crate) fn of(vectors: &[f64], dim: usize, scale: f64) -> Self {
        let square = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
        let none = || (f64::INFINITY, 0.0);
        let squares = vectors.par_chunks_exact(dim).with_min_len(VECTORS).map(square);
        // What is not a number is no length of a unit vector.
        let known = squares.map(|x| if x.is_nan() { f64::INFINITY } else { x });
        let both = known.fold(none, |(least, most), x| (f64::min(least, x), f64::max(most, x)));
        let (least, longest) = both.reduce(none, |x, y| (f64::min(x.0, y.0), f64::max(x.1, y.1)));
        Self { least: scale * least.sqrt(), longest: scale * longest.sqrt() }
    }

    /// Whether all are `scale`, to rounding.
    pub(super) fn is_one(self, scale: f64) -> bool {
        let is_unit = |length: f64| ((length / scale).powi(2) - 1.0).abs() <= UNIT;
        is_unit(self.least) && is_unit(self.longest)
    }
}
