//! The moments of the keys, sum_j w_j H(y_j): the pass over the keys that all heads share.

use std::ops::Range;

use rayon::prelude::*;

use super::{
    super::{
        columns::{ColumnsRef, Numbers},
        exp2::Exp2,
        instructions::{Instructions, Kernel},
        real::Real,
    },
    circle,
    sphere::{self, Polynomials},
    weights::ScaledWeights,
};
use crate::exchange::added;

/// Keys summed in working precision, a partial sum a lane, before they are added to totals in f64.
const CHUNK: usize = 4096;

/// The keys are cut into at most this many spans, whatever the number of threads and processes, so that sums do not depend on it.
const SPANS: usize = 64;

/// Keys in each span but the last, of so many in all.
pub(crate) fn span(keys: usize) -> usize {
    CHUNK * keys.div_ceil(CHUNK * SPANS).max(1)
}

/// Keys that are taken part by part, so that those which have to be made first need not all be there.
pub(crate) trait Parts<T: Real>: Copy + Sync {
    fn len(&self) -> usize;

    fn width(&self) -> usize;

    /// What `look` makes of some of them.
    fn with<R>(&self, keys: Range<usize>, look: impl FnOnce(ColumnsRef<'_, T>) -> R) -> R;
}

impl<T: Real> Parts<T> for ColumnsRef<'_, T> {
    fn len(&self) -> usize {
        Self::len(self)
    }

    fn width(&self) -> usize {
        Self::width(self)
    }

    fn with<R>(&self, keys: Range<usize>, look: impl FnOnce(ColumnsRef<'_, T>) -> R) -> R {
        look(self.part(keys.start, keys.len()))
    }
}

/// The moments of one replica, in f64: all that the reduction needs to know of the keys.
pub(crate) struct Moments {
    pub(crate) dim: usize,
    pub(crate) degree: usize,
    /// The values are to be multiplied by two to this power.
    pub(crate) log2_scale: f64,
    /// Circle: (k, part) for k = 0..=degree. Sphere: (m, l, part) as [`sphere::Triangle`] orders it. The parts are
    /// the sums with Re and Im of (x + iy)^m.
    pub(crate) values: Vec<f64>,
}

impl Moments {
    /// The moments of `keys`, padded sources, on the circle (width 2) or sphere (width 3), with the weights w_j / 2^log2_scale, up to
    /// `degree`, on the sphere by way of `polynomials`. The first moments of an expansion need one degree more than the expansion
    /// itself. Keys are unit vectors.
    pub(crate) fn new<T: Real>(
        instructions: Instructions,
        keys: impl Parts<T>,
        weights: ScaledWeights<'_, T>,
        polynomials: &Polynomials,
        degree: usize,
    ) -> Self {
        let spans = Self::spans(instructions, keys, weights, polynomials, degree, span(keys.len()));
        Self::of_total(keys.width(), degree, weights.log2_scale, polynomials, added(spans))
    }

    /// The sums over each `span` of `keys`, in their order: what [`of_total`](Self::of_total) makes moments of when those of all keys
    /// have been added.
    pub(crate) fn spans<T: Real>(
        instructions: Instructions,
        keys: impl Parts<T>,
        weights: ScaledWeights<'_, T>,
        polynomials: &Polynomials,
        degree: usize,
        span: usize,
    ) -> Vec<Vec<f64>> {
        let (dim, is_empty) = (keys.width(), keys.len() == 0);
        assert!(is_empty || matches!(dim, 2 | 3), "harmonics are of the circle and the sphere, not of width {dim}");
        let starts: Vec<usize> = (0..keys.len()).step_by(span).collect();
        let sums = starts.into_par_iter().map(|start| {
            let end = (start + span).min(keys.len());
            keys.with(start..end, |keys| instructions.run(Span { keys, weights, start, polynomials, degree }))
        });
        sums.collect()
    }

    /// From the sum of all spans.
    pub(crate) fn of_total(
        dim: usize,
        degree: usize,
        log2_scale: f64,
        polynomials: &Polynomials,
        mut total: Vec<f64>,
    ) -> Self {
        let values = if dim == 2 {
            circle::fold(&total, degree)
        } else {
            polynomials.sums(sphere::Triangle { degree }, &mut total);
            total
        };
        Self { dim, degree, log2_scale, values }
    }

    /// sum_j w_j, in units of the scale: the zeroth harmonic is one.
    pub(crate) fn total(&self) -> f64 {
        self.values[0]
    }

    /// log2 sum_j w_j.
    pub(crate) fn log2_total(&self) -> f64 {
        self.log2_scale + self.total().log2()
    }

    /// log2 sum_i w_i Z_i over the keys as queries, where q_i = kappa y_i and `coefficients` are b_l(kappa): by the addition
    /// theorem sum_i w_i Z_i = e^kappa sum_l b_l sum_m norm_lm |c_lm|^2, with no term negative.
    pub(crate) fn log2_energy(&self, kappa: f64, coefficients: &[f64]) -> f64 {
        let square = |pair: usize| self.values[2 * pair].powi(2) + self.values[2 * pair + 1].powi(2);
        let sum: f64 = match self.dim {
            2 => (0..coefficients.len()).map(|k| coefficients[k] * square(k)).sum(),
            _ => {
                let triangle = sphere::Triangle { degree: self.degree };
                let norms = triangle.norms();
                let degree = |l: usize| {
                    (0..=l).map(|m| triangle.index(l, m)).map(|pair| norms[pair] * square(pair)).sum::<f64>()
                };
                (0..coefficients.len()).map(|l| coefficients[l] * degree(l)).sum()
            }
        };
        kappa * std::f64::consts::LOG2_E + 2.0 * self.log2_scale + sum.log2()
    }
}

/// A run of keys that one task sums, chunk by chunk: on the circle products, on the sphere moments.
struct Span<'a, T> {
    keys: ColumnsRef<'a, T>,
    weights: ScaledWeights<'a, T>,
    /// The number of its first key.
    start: usize,
    polynomials: &'a Polynomials,
    degree: usize,
}

impl<T: Real> Kernel for Span<'_, T> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) -> Vec<f64> {
        let triangle = sphere::Triangle { degree: self.degree };
        let sums = if self.keys.width() == 2 { circle::products(self.degree) } else { 2 * triangle.pairs() };
        let steps: Vec<T> = if self.keys.width() == 2 { Vec::new() } else { triangle.steps() };
        let mut total = vec![0.0; sums];
        let mut room = Numbers::zeros(CHUNK);
        let mut lanes = Numbers::zeros(sums * T::lanes::<S>());
        let lanes = T::vectors_mut::<S>(lanes.all_mut());
        for start in (0..self.keys.len()).step_by(CHUNK) {
            let range = start..(start + CHUNK).min(self.keys.len());
            lanes.fill(T::splat(simd, T::ZERO));
            let weights =
                T::vectors::<S>(self.weights.of(self.start + range.start..self.start + range.end, &mut room));
            let component = |c| T::vectors::<S>(&self.keys.column(c)[range.clone()]);
            if self.keys.width() == 2 {
                circle::accumulate::<S, T>(simd, [component(0), component(1)], weights, lanes);
            } else {
                let components = [component(0), component(1), component(2)];
                let pairs = lanes.as_chunks_mut().0;
                sphere::accumulate::<S, T>(simd, components, weights, self.polynomials, &steps, self.degree, pairs);
            }
            for (total, lanes) in total.iter_mut().zip(&*lanes) {
                *total += T::sum(simd, *lanes).to_f64();
            }
        }
        total
    }
}
