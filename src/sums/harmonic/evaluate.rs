//! The pass over the queries: directions and lengths in, the sums of a series on whole vectors, (log2 Z, M / Z) out.

use std::f64::consts::LOG2_E;

use super::{
    super::{exp2::Exp2, real::Real, reduction::Reduced},
    logarithm::log2,
    radial::{Form, Radial},
};

/// Queries of the largest group, four vectors of sixteen.
const GROUP: usize = 64;

/// A head's series on the circle (D = 2) or sphere (D = 3).
pub(crate) trait Harmonics<T: Real, const D: usize> {
    /// (Z, M_x, M_y, M_z) e^{-kappa} / sum_j w_j in V vectors of `direction`s; on the circle the last is zero.
    fn sums<S: Exp2, W: Weigh<S, T, V>, const V: usize>(
        &self,
        simd: S,
        direction: [[T::Vector<S>; V]; D],
        weigh: W,
    ) -> [[T::Vector<S>; V]; 4];
}

/// What a harmonic of degree l is multiplied by, in each of V vectors of queries.
pub(crate) trait Weigh<S: Exp2, T: Real, const V: usize>: Copy {
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
pub(crate) struct Evaluation<'a, T, H, const D: usize> {
    pub(crate) series: &'a H,
    pub(crate) radial: &'a Radial<T>,
    pub(crate) log2_total: f64,
    pub(crate) queries: &'a [f64],
    pub(crate) out: &'a mut Reduced,
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
    pub(crate) fn grouped<S: Exp2, const V: usize>(self, simd: S) -> f64 {
        let size = V * size_of::<T::Vector<S>>() / size_of::<T>();
        let zero = T::splat(simd, T::ZERO);
        let mut table = match self.radial.form {
            Form::Constant { .. } => Vec::new(),
            Form::Varying(_) => vec![[zero; V]; self.radial.degree + 1],
        };
        self.out.log2_sum.clear();
        self.out.barycentre.clear();
        let mut lowest = T::splat(simd, T::from_f64(f64::NEG_INFINITY));
        let mut group = Group { direction: [[T::ZERO; GROUP]; D], kappa: [0.0; GROUP], sums: [[T::ZERO; GROUP]; 4] };
        for queries in self.queries.chunks(size * D) {
            group.load(queries, size, &self.radial.form);
            let direction = std::array::from_fn(|c| vectors::<S, T, V>(simd, &group.direction[c][..size]));
            let sums = match &self.radial.form {
                Form::Constant { .. } => self.series.sums(simd, direction, Folded),
                Form::Varying(recurrence) => {
                    let kappa: [T; GROUP] = std::array::from_fn(|i| T::from_f64(group.kappa[i]));
                    recurrence.fill(simd, &vectors::<S, T, V>(simd, &kappa[..size]), &mut table);
                    self.series.sums(simd, direction, &table[..])
                }
            };
            for sum in sums[0] {
                lowest = T::max(simd, lowest, T::sub(simd, zero, sum));
            }
            for (stored, sums) in group.sums.iter_mut().zip(sums) {
                T::vectors_mut::<S>(&mut stored[..size]).copy_from_slice(&sums);
            }
            group.store(queries.len() / D, self.log2_total, self.out);
        }
        let smallest = -T::largest(simd, lowest).to_f64();
        if smallest > 0.0 { -smallest.log2() } else { f64::INFINITY }
    }
}

impl<T: Real, const D: usize> Group<T, D> {
    /// Splits queries into length and direction. A query of length zero has the direction zero, and no use for it; what
    /// a short last group lacks of `size` is filled with its last query.
    #[inline(always)]
    fn load(&mut self, queries: &[f64], size: usize, form: &Form<T>) {
        let (queries, _) = queries.as_chunks::<D>();
        match form {
            Form::Constant { kappa, .. } => {
                self.kappa.fill(*kappa);
                let inverse = reciprocal(*kappa);
                for (i, query) in queries.iter().enumerate().take(GROUP) {
                    self.point(i, query, inverse);
                }
            }
            Form::Varying(_) => {
                for (i, query) in queries.iter().enumerate().take(GROUP) {
                    self.kappa[i] = query.iter().map(|q| q * q).sum::<f64>().sqrt();
                    let inverse = reciprocal(self.kappa[i]);
                    self.point(i, query, inverse);
                }
            }
        }
        for i in queries.len()..size {
            self.kappa[i] = self.kappa[i - 1];
            self.direction.iter_mut().for_each(|component| component[i] = component[i - 1]);
        }
    }

    #[inline(always)]
    fn point(&mut self, i: usize, query: &[f64; D], inverse: f64) {
        for (component, q) in self.direction.iter_mut().zip(query) {
            component[i] = T::from_f64(q * inverse);
        }
    }

    /// Appends the first `count` rows to `out`.
    #[inline(always)]
    fn store(&self, count: usize, log2_total: f64, out: &mut Reduced) {
        let done = out.log2_sum.len();
        out.log2_sum.resize(done + count, 0.0);
        out.barycentre.resize((done + count) * D, 0.0);
        let log2_sums = out.log2_sum[done..].iter_mut().zip(&self.sums[0]).zip(&self.kappa);
        for ((log2_sum, sum), kappa) in log2_sums {
            *log2_sum = log2_total + kappa * LOG2_E + log2(sum.to_f64());
        }
        let inverse: [f64; GROUP] = std::array::from_fn(|i| 1.0 / self.sums[0][i].to_f64());
        let (rows, _) = out.barycentre[done * D..].as_chunks_mut::<D>();
        for (i, row) in rows.iter_mut().enumerate().take(GROUP) {
            for (component, sums) in row.iter_mut().zip(&self.sums[1..]) {
                *component = sums[i].to_f64() * inverse[i];
            }
        }
    }
}

/// 1 / kappa, or zero for zero.
#[inline(always)]
fn reciprocal(kappa: f64) -> f64 {
    if kappa > 0.0 { 1.0 / kappa } else { 0.0 }
}

#[inline(always)]
fn vectors<S: Exp2, T: Real, const V: usize>(simd: S, values: &[T]) -> [T::Vector<S>; V] {
    let mut vectors = [T::splat(simd, T::ZERO); V];
    vectors.copy_from_slice(T::vectors::<S>(values));
    vectors
}
