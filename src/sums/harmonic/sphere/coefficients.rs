//! From moments to the coefficients of Z, M_x, M_y and M_z.

use super::super::{super::real::Real, moments::Moments, radial::Radial};
use crate::harmonic::{Relation, Triangle};

/// For every pair (l, m): the factors of p_lm Re (x + iy)^m in Z, M_x, M_y, M_z, then those of p_lm Im (x + iy)^m.
pub(crate) fn coefficients<T: Real>(moments: &Moments, total: f64, radial: &Radial<T>) -> Vec<[T; 8]> {
    let triangle = Triangle { degree: radial.degree };
    let norms = triangle.norms();
    let sources = Sources { triangle: Triangle { degree: moments.degree }, values: &moments.values };
    triangle.each(|l, m| {
        let factor = norms[triangle.index(l, m)] * radial.folded(l) / total;
        sources.at(l, m).map(|moment| T::from_f64(factor * moment))
    })
}

struct Sources<'a> {
    triangle: Triangle,
    values: &'a [f64],
}

impl Sources<'_> {
    /// The moments of w_j, w_j x_j, w_j y_j, w_j z_j with one harmonic, real parts before imaginary parts.
    /// Coordinates take harmonics to their neighbours: see [`Relation`].
    fn at(&self, l: usize, m: usize) -> [f64; 8] {
        let (j, k) = (l as isize, m as isize);
        let [re, im] = self.moment(j, k);
        let Relation { axial, raise, lower } = Relation::new(l, m);
        let axial = combine(0.5, self.moment(j + 1, k), axial, self.moment(j - 1, k));
        let up = combine(1.0, self.moment(j + 1, k + 1), raise, self.moment(j - 1, k + 1));
        if m == 0 {
            return [re, up[0], up[1], axial[0], 0.0, 0.0, 0.0, 0.0];
        }
        let down = combine(lower, self.moment(j - 1, k - 1), -0.25, self.moment(j + 1, k - 1));
        let [x_re, x_im] = combine(0.5, up, 0.5, down);
        let [y_im, y_re] = combine(-0.5, up, 0.5, down);
        [re, x_re, -y_re, axial[0], im, x_im, y_im, axial[1]]
    }

    /// The moment of (l, m), zero where there is no such harmonic.
    fn moment(&self, l: isize, m: isize) -> [f64; 2] {
        if l < m {
            return [0.0; 2];
        }
        let value = &self.values[2 * self.triangle.index(l as usize, m as usize)..];
        [value[0], value[1]]
    }
}

fn combine(a: f64, x: [f64; 2], b: f64, y: [f64; 2]) -> [f64; 2] {
    [a * x[0] + b * y[0], a * x[1] + b * y[1]]
}
