//! The moments of the keys, sum_j w_j H(y_j): the pass over the keys that all heads share.

use rayon::prelude::*;

use super::{
    super::{
        exp2::Exp2,
        instructions::{Instructions, Kernel},
        keys::Keys,
        real::Real,
    },
    circle, sphere,
};

/// Keys summed in working precision, a partial sum a lane, before they are added to totals in f64.
const CHUNK: usize = 4096;

/// The keys are cut into at most this many spans, whatever the number of threads, so that sums do not depend on it.
const SPANS: usize = 64;

/// The moments of one replica, in f64: all that the reduction needs to know of the keys.
pub(in super::super) struct Moments {
    pub(super) dim: usize,
    pub(super) degree: usize,
    /// The values are to be multiplied by two to this power.
    pub(super) log2_scale: f64,
    /// Circle: (k, part) for k = 0..=degree. Sphere: (m, l, part) as [`sphere::Triangle`] orders it. The parts are
    /// the sums with Re and Im of (x + iy)^m.
    pub(super) values: Vec<f64>,
}

impl Moments {
    /// The moments of `keys` on the circle (width 2) or sphere (width 3), with weights w_j = 2^{bias_j}, up to `degree`,
    /// which is one more than the largest degree of the expansions to be made from them. Keys are unit vectors; dead
    /// ones count for nothing.
    pub(in super::super) fn new<T: Real>(instructions: Instructions, keys: Keys<'_, T>, degree: usize) -> Self {
        let dim = keys.width;
        assert!(matches!(dim, 2 | 3), "harmonics are known for the circle and the sphere, not for width {dim}");
        let span = CHUNK * keys.padded.div_ceil(CHUNK * SPANS).max(1);
        let starts: Vec<usize> = (0..keys.padded).step_by(span).collect();
        let sums = starts.into_par_iter().map(|start| {
            let end = (start + span).min(keys.padded);
            let mut values = vec![0.0; length(dim, degree)];
            let log2_scale = instructions.run(Span { keys, start, end, degree, values: &mut values });
            Self { dim, degree, log2_scale, values }
        });
        let sums: Vec<Self> = sums.collect();
        let log2_scale = sums.iter().map(|sum| sum.log2_scale).fold(T::DEAD.to_f64(), f64::max);
        let mut total = Self { dim, degree, log2_scale, values: vec![0.0; length(dim, degree)] };
        for sum in &sums {
            let rescale = (sum.log2_scale - log2_scale).exp2();
            total.values.iter_mut().zip(&sum.values).for_each(|(total, value)| *total += rescale * value);
        }
        total
    }

    /// sum_j w_j, in units of the scale: the zeroth harmonic is one.
    pub(super) fn total(&self) -> f64 {
        self.values[0]
    }
}

fn length(dim: usize, degree: usize) -> usize {
    2 * match dim {
        2 => degree + 1,
        _ => sphere::Triangle { degree }.pairs(),
    }
}

/// A run of keys that one task sums, chunk by chunk. Returns the largest bias, the scale of the values.
struct Span<'a, T> {
    keys: Keys<'a, T>,
    start: usize,
    end: usize,
    degree: usize,
    values: &'a mut [f64],
}

impl<T: Real> Kernel for Span<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) -> f64 {
        let dead = T::splat(simd, T::DEAD);
        let bias = T::vectors::<S>(&self.keys.bias()[self.start..self.end]);
        let scale = T::largest(simd, bias.iter().fold(dead, |largest, bias| T::max(simd, largest, *bias)));
        if scale <= T::DEAD {
            return T::DEAD.to_f64();
        }
        let mut lanes = vec![[T::splat(simd, T::ZERO); 2]; self.values.len() / 2];
        let steps: Vec<T> = match self.keys.width {
            2 => Vec::new(),
            _ => sphere::Triangle { degree: self.degree }.steps(),
        };
        for start in (self.start..self.end).step_by(CHUNK) {
            let range = start..(start + CHUNK).min(self.end);
            lanes.fill([T::splat(simd, T::ZERO); 2]);
            let weights = Weights { bias: T::vectors::<S>(&self.keys.bias()[range.clone()]), scale };
            let component = |c| T::vectors::<S>(&self.keys.component(c)[range.clone()]);
            match self.keys.width {
                2 => circle::accumulate(simd, [component(0), component(1)], weights, &mut lanes),
                _ => {
                    let components = [component(0), component(1), component(2)];
                    sphere::accumulate(simd, components, weights, &steps, self.degree, &mut lanes);
                }
            }
            for (values, lanes) in self.values.chunks_exact_mut(2).zip(&lanes) {
                values[0] += T::sum(simd, lanes[0]).to_f64();
                values[1] += T::sum(simd, lanes[1]).to_f64();
            }
        }
        scale.to_f64()
    }
}

/// The weights 2^{bias - scale} of a chunk of keys, computed where they are used.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a, S: Exp2, T: Real> {
    bias: &'a [T::Vector<S>],
    scale: T,
}

impl<S: Exp2, T: Real> Weights<'_, S, T> {
    #[inline(always)]
    pub(super) fn at(&self, simd: S, vector: usize) -> T::Vector<S> {
        T::exp2(simd, T::sub(simd, self.bias[vector], T::splat(simd, self.scale)))
    }

    pub(super) fn len(&self) -> usize {
        self.bias.len()
    }
}
