//! What devices measure.

use super::among::Among;

/// What a device may measure where its tokens are, in single precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OnDevice {
    /// Counts of all pairs; none where pairs are drawn.
    OverlapHistogram {
        bins: usize,
        pairs: usize,
    },
    NormMoments {
        order: usize,
    },
    Attention {
        rows: usize,
        of: Among,
        seed: u64,
    },
    Modes {
        degree: usize,
    },
    /// d_t between replicas that start next to each other.
    Separation,
    /// The rate of ln E.
    Dissipation,
}
