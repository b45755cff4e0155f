//! The pairs (l, m) with 0 <= m <= l <= degree, and the constants that go with each.

use std::ops::Range;

/// Pairs ordered by m, then by l from m up, as the recurrence in l visits them.
#[derive(Clone, Copy)]
pub(crate) struct Triangle {
    pub(crate) degree: usize,
}

impl Triangle {
    pub(crate) fn pairs(self) -> usize {
        (self.degree + 1) * (self.degree + 2) / 2
    }

    pub(crate) fn index(self, l: usize, m: usize) -> usize {
        self.row(m).start + l - m
    }

    /// The pairs of order m.
    pub(crate) fn row(self, m: usize) -> Range<usize> {
        let start = m * (self.degree + 1) - m * m.saturating_sub(1) / 2;
        start..start + self.degree + 1 - m
    }

    /// norm_lm = (2 - [m = 0]) (l - m)! / (l + m)! t^2, with t = (2l)! / (4^l 2^{-m} l! (l - m)!) the ratio of the m-th
    /// derivative of P_l to p_lm; by ratios of neighbours, which stay representable.
    pub(crate) fn norms(self) -> Vec<f64> {
        let mut sectoral = 1.0;
        let mut norms = Vec::with_capacity(self.pairs());
        for m in 0..=self.degree {
            if m > 0 {
                sectoral *= (2 * m - 1) as f64 / (2 * m) as f64;
            }
            let mut norm = sectoral * if m == 0 { 1.0 } else { 2.0 };
            for l in m..=self.degree {
                norms.push(norm);
                norm *= ((2 * l + 1) * (2 * l + 1)) as f64 / (4 * (l + 1 - m) * (l + 1 + m)) as f64;
            }
        }
        norms
    }

    pub(crate) fn each<V>(self, mut value: impl FnMut(usize, usize) -> V) -> Vec<V> {
        let mut values = Vec::with_capacity(self.pairs());
        for m in 0..=self.degree {
            values.extend((m..=self.degree).map(|l| value(l, m)));
        }
        values
    }
}

/// (l^2 - m^2) / (l^2 - 1/4).
pub(crate) fn gamma(l: usize, m: usize) -> f64 {
    let (l, m) = (l as f64, m as f64);
    (l - m) * (l + m) / (l * l - 0.25)
}
