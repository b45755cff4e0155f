//! How the moments of w_j y_j on the sphere follow from those of w_j, as factors.

use super::triangle::gamma;

/// The factors that take harmonics of degree l and order m, multiplied by a coordinate, to their neighbours.
///
/// With p = p_lm and s = x + iy,
///
/// ```text
/// z p_lm         = (p_{l+1,m} + gamma_lm p_{l-1,m}) / 2
/// p_lm           = p_{l+1,m+1} - 4 (l-m)(l-m-1) / ((2l-1)(2l+1)) p_{l-1,m+1}
/// (1-z^2) p_lm   = (l+m)(l+m-1) / ((2l-1)(2l+1)) p_{l-1,m-1} - p_{l+1,m-1} / 4
/// x s^m = (s^{m+1} + (1-z^2) s^{m-1}) / 2 ,    y s^m = (s^{m+1} - (1-z^2) s^{m-1}) / 2i
/// ```
///
/// which are the relations DLMF 14.10.3 and 14.10.7 between associated Legendre functions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relation {
    /// Of p_{l-1,m} in z p_lm; that of p_{l+1,m} is 1/2.
    pub(crate) axial: f64,
    /// Of p_{l-1,m+1} in p_lm; that of p_{l+1,m+1} is 1.
    pub(crate) raise: f64,
    /// Of p_{l-1,m-1} in (1 - z^2) p_lm; that of p_{l+1,m-1} is -1/4.
    pub(crate) lower: f64,
}

impl Relation {
    pub(crate) fn new(l: usize, m: usize) -> Self {
        let (j, k) = (l as isize, m as isize);
        let between = ((2 * j - 1) * (2 * j + 1)) as f64;
        Self {
            axial: 0.5 * gamma(l, m),
            raise: -4.0 * ((j - k) * (j - k - 1)) as f64 / between,
            lower: ((j + k) * (j + k - 1)) as f64 / between,
        }
    }
}
