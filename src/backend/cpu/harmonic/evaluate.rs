//! The pass over the queries: directions and lengths in, the sums of a series on whole vectors, (log2 Z, M / Z) out.

use std::f64::consts::LOG2_E;

use super::{
    super::{exp2::Exp2, real::Real, reduction::Reduced},
    radial::{Form, Radial},
};

/// Queries of the largest group, four vectors of sixteen.
const GROUP: usize = 64;

/// A head's series on the circle (D = 2) or sphere (D = 3).
pub(super) trait Harmonics<T: Real, const D: usize> {
    /// (Z, M_x, M_y, M_z) e^{-kappa} / sum_j w_j in V vectors of `direction`s; on the circle the last is zero.
    fn sums<S: Exp2, W: Weigh<S, T, V>, const V: usize>(
        &self,
        simd: S,
        direction: [[T::Vector<S>; V]; D],
        weigh: W,
    ) -> [[T::Vector<S>; V]; 4];
}

/// What a harmonic of degree l is multiplied by, in each of V vectors of queries.
pub(super) trait Weigh<S: Exp2, T: Real, const V: usize>: Copy {
    fn weigh(self, simd: S, l: usize, v: usize, harmonic: T::Vector<S>) -> T::Vector<S>;
}

/// By nothing: b_l is in the coefficients.
#[derive(Clone, Copy)]
struct Folded;

impl<S: Exp2, T: Real, const V: usize> Weigh<S, T, V> for Folded {
    #[inline(always)]
    fn weigh(self, _: S, _: usize, _: usize, harmonic: T::Vector<S>) -> T::Vector<S> {
        harmonic
    }
}

/// By the query's own b_l, ordered (l, vector).
impl<S: Exp2, T: Real, const V: usize> Weigh<S, T, V> for &[[T::Vector<S>; V]] {
    #[inline(always)]
    fn weigh(self, simd: S, l: usize, v: usize, harmonic: T::Vector<S>) -> T::Vector<S> {
        T::mul(simd, self[l][v], harmonic)
    }
}

/// A block of queries, row-major (query, D), against one series.
pub(super) struct Evaluation<'a, T, H, const D: usize> {
    pub(super) series: &'a H,
    pub(super) radial: &'a Radial<T>,
    pub(super) log2_total: f64,
    pub(super) queries: &'a [f64],
    pub(super) out: &'a mut Reduced,
}

/// Up to `GROUP` queries, component by component, and their sums.
struct Group<T, const D: usize> {
    direction: [[T; GROUP]; D],
    kappa: [f64; GROUP],
    sums: [[T; GROUP]; 4],
}

impl<T: Real, H: Harmonics<T, D>, const D: usize> Evaluation<'_, T, H, D> {
    /// All queries, V vectors at a time; returns the bits lost to cancellation in the worst row.
    #[inline(always)]
    pub(super) fn grouped<S: Exp2, const V: usize>(self, simd: S) -> f64 {
        let size = V * size_of::<T::Vector<S>>() / size_of::<T>();
        let zero = T::splat(simd, T::ZERO);
        let mut table = match self.radial.form {
            Form::Constant { .. } => Vec::new(),
            Form::Varying(_) => vec![[zero; V]; self.radial.degree + 1],
        };
        self.out.log2_sum.clear();
        self.out.barycentre.clear();
        let mut smallest = f64::INFINITY;
        let mut group = Group { direction: [[T::ZERO; GROUP]; D], kappa: [0.0; GROUP], sums: [[T::ZERO; GROUP]; 4] };
        for queries in self.queries.chunks(size * D) {
            group.load(queries, &self.radial.form);
            let direction = std::array::from_fn(|c| vectors::<S, T, V>(simd, &group.direction[c][..size]));
            let sums = match &self.radial.form {
                Form::Constant { .. } => self.series.sums(simd, direction, Folded),
                Form::Varying(recurrence) => {
                    let mut kappa = [T::ZERO; GROUP];
                    kappa.iter_mut().zip(&group.kappa).for_each(|(single, kappa)| *single = T::from_f64(*kappa));
                    recurrence.fill(simd, &vectors::<S, T, V>(simd, &kappa[..size]), &mut table);
                    self.series.sums(simd, direction, &table[..])
                }
            };
            for (stored, sums) in group.sums.iter_mut().zip(sums) {
                T::vectors_mut::<S>(&mut stored[..size]).copy_from_slice(&sums);
            }
            smallest = smallest.min(group.store(queries.len() / D, self.log2_total, self.out));
        }
        if smallest > 0.0 { -smallest.log2() } else { f64::INFINITY }
    }
}

impl<T: Real, const D: usize> Group<T, D> {
    /// Splits queries into length and direction; a query of length zero has the direction zero, and no use for it.
    #[inline(always)]
    fn load(&mut self, queries: &[f64], form: &Form<T>) {
        let queries: &[[f64; D]] = bytemuck::cast_slice(queries);
        for (i, query) in queries.iter().enumerate() {
            self.kappa[i] = match form {
                Form::Constant { kappa, .. } => *kappa,
                Form::Varying(_) => query.iter().map(|q| q * q).sum::<f64>().sqrt(),
            };
            let inverse = if self.kappa[i] > 0.0 { 1.0 / self.kappa[i] } else { 0.0 };
            for c in 0..D {
                self.direction[c][i] = T::from_f64(query[c] * inverse);
            }
        }
    }

    /// Appends the first `count` rows to `out`; returns the smallest Z e^{-kappa} / sum_j w_j, or zero if one is none.
    #[inline(always)]
    fn store(&self, count: usize, log2_total: f64, out: &mut Reduced) -> f64 {
        let mut smallest = f64::INFINITY;
        for i in 0..count {
            let sum = self.sums[0][i].to_f64();
            let inverse = 1.0 / sum;
            out.log2_sum.push(log2_total + self.kappa[i] * LOG2_E + sum.log2());
            for c in 0..D {
                out.barycentre.push(self.sums[1 + c][i].to_f64() * inverse);
            }
            smallest = if sum > 0.0 { smallest.min(sum) } else { 0.0 };
        }
        smallest
    }
}

#[inline(always)]
fn vectors<S: Exp2, T: Real, const V: usize>(simd: S, values: &[T]) -> [T::Vector<S>; V] {
    let mut vectors = [T::splat(simd, T::ZERO); V];
    vectors.copy_from_slice(T::vectors::<S>(values));
    vectors
}
