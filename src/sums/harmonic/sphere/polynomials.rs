//! The polynomials in z that stand before (x + iy)^m.
//!
//! Those of Legendre, p_lm, suit every degree. The Chebyshev polynomials U_k of the second kind span the same spaces, and their
//! recurrence U_{k+1} = 2z U_k - U_{k-1} takes one operation where that of p_lm takes two: so tokens meet these, and the host
//! turns sums into what they would have been, or factors the other way, by p_lm = sum_k t_lk U_k. Entries of t grow with m, and
//! what they multiply is rounded, so that a kernel of high degree would lose digits.

use super::{
    super::super::{exp2::Exp2, real::Real},
    Triangle,
};
use crate::harmonic;

/// How many times larger sums may become by rounding than sums of p_lm: less than the bound on either is from what is found.
const MOST: f64 = 4.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Legendre,
    Chebyshev,
}

/// Which polynomials the tokens meet, and what becomes of them.
pub(crate) struct Polynomials {
    pub(crate) family: Family,
    /// t of every m, ordered (l - m, k) with k <= l - m; none for Legendre.
    tables: Vec<Vec<Vec<f64>>>,
}

impl Polynomials {
    /// For moments up to `degree`, of which kernels up to `kappa` are made.
    pub(crate) fn choose(degree: usize, kappa: f64) -> Self {
        let tables: Vec<_> = (0..=degree).map(|m| table(m, degree)).collect();
        let coefficients = harmonic::coefficients(3, kappa, degree);
        if growth(&coefficients, &tables) <= MOST {
            Self { family: Family::Chebyshev, tables }
        } else {
            Self::legendre()
        }
    }

    pub(crate) fn legendre() -> Self {
        Self { family: Family::Legendre, tables: Vec::new() }
    }

    /// Makes sums with p_lm out of sums with the polynomials, both ordered as [`Triangle`] does, two parts each.
    pub(crate) fn sums(&self, triangle: Triangle, values: &mut [f64]) {
        let (values, _) = values.as_chunks_mut::<2>();
        for (m, table) in self.tables.iter().enumerate().take(triangle.degree + 1) {
            let row = &mut values[triangle.row(m)];
            for j in (0..row.len()).rev() {
                row[j] = combined(table[j].iter().zip(&row[..=j]));
            }
        }
    }

    /// Makes factors of the polynomials out of factors of p_lm.
    pub(crate) fn factors<const P: usize>(&self, triangle: Triangle, factors: &mut [[f64; P]]) {
        for (m, table) in self.tables.iter().enumerate().take(triangle.degree + 1) {
            let row = &mut factors[triangle.row(m)];
            for k in 0..row.len() {
                row[k] = combined((k..row.len()).map(|j| (&table[j][k], &row[j])));
            }
        }
    }
}

fn combined<'a, const P: usize>(terms: impl Iterator<Item = (&'a f64, &'a [f64; P])>) -> [f64; P] {
    terms.fold([0.0; P], |sum, (factor, term)| std::array::from_fn(|part| sum[part] + factor * term[part]))
}

/// t of order m, from the recurrence of p_lm with 2z U_k = U_{k+1} + U_{k-1}.
fn table(m: usize, degree: usize) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = vec![vec![1.0]];
    for l in m..degree {
        let current = &rows[l - m];
        let entry = |row: &[f64], k: usize| row.get(k).copied().unwrap_or(0.0);
        let before = |k| if l > m { harmonic::gamma(l, m) * entry(&rows[l - m - 1], k) } else { 0.0 };
        let next = |k: usize| if k > 0 { current[k - 1] } else { 0.0 } + entry(current, k + 1) - before(k);
        rows.push((0..=l - m + 1).map(next).collect());
    }
    rows
}

/// How many times larger than e^kappa sum_j w_j a rounding of the sums with U_k comes out at most: a harmonic of degree l is one
/// in the mean over m, and |U_k sin| <= 1.
fn growth(coefficients: &[f64], tables: &[Vec<Vec<f64>>]) -> f64 {
    let triangle = Triangle { degree: tables.len() - 1 };
    let norms = triangle.norms();
    let degree = |l: usize| {
        let order =
            |m: usize| norms[triangle.index(l, m)] * tables[m][l - m].iter().map(|t| t.abs()).sum::<f64>().powi(2);
        (0..=l).map(order).sum::<f64>().sqrt()
    };
    coefficients.iter().enumerate().map(|(l, coefficient)| coefficient * degree(l)).sum()
}

/// The recurrence of the polynomials that tokens meet.
pub(crate) trait Recurrence {
    /// The next polynomial from the `current` one and that `before`; `step` is -gamma_lm.
    fn next<S: Exp2, T: Real>(
        simd: S,
        double_z: T::Vector<S>,
        current: T::Vector<S>,
        step: T::Vector<S>,
        before: T::Vector<S>,
    ) -> T::Vector<S>;
}

pub(crate) struct Legendre;
pub(crate) struct Chebyshev;

impl Recurrence for Legendre {
    #[inline(always)]
    fn next<S: Exp2, T: Real>(
        simd: S,
        double_z: T::Vector<S>,
        current: T::Vector<S>,
        step: T::Vector<S>,
        before: T::Vector<S>,
    ) -> T::Vector<S> {
        T::mul_add(simd, double_z, current, T::mul(simd, step, before))
    }
}

impl Recurrence for Chebyshev {
    #[inline(always)]
    fn next<S: Exp2, T: Real>(
        simd: S,
        double_z: T::Vector<S>,
        current: T::Vector<S>,
        _: T::Vector<S>,
        before: T::Vector<S>,
    ) -> T::Vector<S> {
        T::mul_sub(simd, double_z, current, before)
    }
}

/// From polynomials of two neighbouring degrees to the next two: the lower of them gives way to the one above the `upper`.
#[inline(always)]
pub(crate) fn climb<S: Exp2, T: Real, R: Recurrence, const V: usize>(
    simd: S,
    double_z: &[T::Vector<S>; V],
    upper: &[T::Vector<S>; V],
    step: T,
    lower: &mut [T::Vector<S>; V],
) {
    let step = T::splat(simd, step);
    for v in 0..V {
        lower[v] = R::next::<S, T>(simd, double_z[v], upper[v], step, lower[v]);
    }
}
