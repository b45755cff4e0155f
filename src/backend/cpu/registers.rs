//! The reduction for narrow tokens: queries and sums live in registers, keys run across the lanes.

#![allow(clippy::needless_range_loop, reason = "loops over lanes of several arrays at once are clearer by index")]

use super::{
    exp2::Exp2,
    instructions::{Instructions, Kernel},
    keys::Keys,
    real::Real,
    reduction::{CHUNK, Reduced, Shift},
};

/// The widths the kernel is compiled for; a width in between is padded with zeros.
const WIDTHS: [usize; 7] = [2, 3, 4, 6, 8, 12, 16];

/// Wider tokens than this do not fit registers.
pub(super) const WIDEST: usize = WIDTHS[WIDTHS.len() - 1];

/// The compiled width that holds tokens of width `dim`, if any does.
pub(super) fn width(dim: usize) -> Option<usize> {
    WIDTHS.into_iter().find(|width| *width >= dim)
}

pub(super) fn reduce<T: Real>(
    instructions: Instructions,
    queries: &[T],
    keys: Keys<'_, T>,
    shift: Shift,
    out: &mut Reduced,
) {
    match keys.width {
        2 => instructions.run(Block::<T, 2> { queries, keys, shift, out }),
        3 => instructions.run(Block::<T, 3> { queries, keys, shift, out }),
        4 => instructions.run(Block::<T, 4> { queries, keys, shift, out }),
        6 => instructions.run(Block::<T, 6> { queries, keys, shift, out }),
        8 => instructions.run(Block::<T, 8> { queries, keys, shift, out }),
        12 => instructions.run(Block::<T, 12> { queries, keys, shift, out }),
        16 => instructions.run(Block::<T, 16> { queries, keys, shift, out }),
        width => unreachable!("keys are packed to a compiled width, not to {width}"),
    }
}

/// A block of queries against all keys.
struct Block<'a, T, const D: usize> {
    queries: &'a [T],
    keys: Keys<'a, T>,
    shift: Shift,
    out: &'a mut Reduced,
}

impl<T: Real, const D: usize> Kernel for Block<'_, T, D> {
    type Output = ();

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) {
        // As many queries at once as leave their sums, one key and the exponential in registers.
        match (S::REGISTER_COUNT >= 32, D) {
            (true, ..=4) => self.grouped::<S, 4>(simd),
            (true, ..=8) | (false, ..=4) => self.grouped::<S, 2>(simd),
            _ => self.grouped::<S, 1>(simd),
        }
    }
}

impl<T: Real, const D: usize> Block<'_, T, D> {
    #[inline(always)]
    fn grouped<S: Exp2, const Q: usize>(self, simd: S) {
        let queries: &[[T; D]] = bytemuck::cast_slice(self.queries);
        let shifts = match self.shift {
            Shift::Constant(shift) => vec![shift; queries.len()],
            Shift::RowMaximum => row_maxima::<S, T, D>(simd, queries, self.keys),
        };
        let mut totals = vec![0.0; queries.len() * (D + 1)];
        let mut shifted_bias = Aligned([T::ZERO; CHUNK]);
        for start in (0..self.keys.padded).step_by(CHUNK) {
            let length = CHUNK.min(self.keys.padded - start);
            // A constant shift goes into the bias, where it costs nothing per pair.
            let constant = T::from_f64(if let Shift::Constant(shift) = self.shift { shift } else { 0.0 });
            let bias = &self.keys.bias()[start..][..length];
            let shifted_bias = &mut shifted_bias.0[..length];
            for (shifted, bias) in T::vectors_mut::<S>(shifted_bias).iter_mut().zip(T::vectors::<S>(bias)) {
                *shifted = T::sub(simd, *bias, T::splat(simd, constant));
            }
            let chunk = Chunk::<S, T, D> {
                components: std::array::from_fn(|c| T::vectors::<S>(&self.keys.component(c)[start..][..length])),
                bias: T::vectors::<S>(shifted_bias),
            };
            let groups = queries.chunks(Q).zip(shifts.chunks(Q)).zip(totals.chunks_mut(Q * (D + 1)));
            for ((queries, shifts), totals) in groups {
                // A short last group repeats its last query, and drops the copies.
                let query: [[T; D]; Q] = std::array::from_fn(|q| queries[q.min(queries.len() - 1)]);
                let sums = match self.shift {
                    Shift::Constant(_) => chunk.sums(simd, &query),
                    Shift::RowMaximum => {
                        let shift = std::array::from_fn(|q| T::from_f64(shifts[q.min(shifts.len() - 1)]));
                        chunk.shifted_sums(simd, &query, &shift)
                    }
                };
                for (totals, (sum, moment)) in totals.chunks_exact_mut(D + 1).zip(sums) {
                    totals[0] += sum.to_f64();
                    for (total, moment) in totals[1..].iter_mut().zip(moment) {
                        *total += moment.to_f64();
                    }
                }
            }
        }
        self.out.fill(D, shifts.into_iter(), &totals);
    }
}

/// A buffer on a cache line of its own. It has a second purpose: a function with such a variable aligns its stack, and
/// so what the compiler spills in the loop does not straddle two lines, which would take twice as long to load.
#[repr(align(64))]
struct Aligned<T>([T; CHUNK]);

/// The largest score of each query, found in one pass of its own.
#[inline(always)]
fn row_maxima<S: Exp2, T: Real, const D: usize>(simd: S, queries: &[[T; D]], keys: Keys<'_, T>) -> Vec<f64> {
    let components: [&[T::Vector<S>]; D] = std::array::from_fn(|c| T::vectors::<S>(keys.component(c)));
    let bias = T::vectors::<S>(keys.bias());
    let mut maxima = Vec::with_capacity(queries.len());
    for query in queries {
        let mut largest = T::splat(simd, T::DEAD);
        for (v, bias) in bias.iter().enumerate() {
            let mut score = *bias;
            for c in 0..D {
                score = T::mul_add(simd, T::splat(simd, query[c]), components[c][v], score);
            }
            largest = T::max(simd, largest, score);
        }
        maxima.push(T::largest(simd, largest).to_f64());
    }
    maxima
}

/// A run of keys short enough to stay in the first-level cache.
struct Chunk<'a, S: Exp2, T: Real, const D: usize> {
    components: [&'a [T::Vector<S>]; D],
    bias: &'a [T::Vector<S>],
}

/// For each query of a group, (Z, M) over one chunk.
type Sums<T, const D: usize, const Q: usize> = [(T, [T; D]); Q];

impl<S: Exp2, T: Real, const D: usize> Chunk<'_, S, T, D> {
    /// Sums of 2^{score}; the shift is in the bias already.
    #[inline(always)]
    fn sums<const Q: usize>(&self, simd: S, query: &[[T; D]; Q]) -> Sums<T, D, Q> {
        let mut accumulator = Accumulator::<S, T, D, Q>::new(simd, query);
        for (bias, key) in self.keys() {
            for q in 0..Q {
                accumulator.add(simd, q, bias, &key);
            }
        }
        accumulator.sums(simd)
    }

    /// Sums of 2^{score - shift}, with a shift for each query.
    #[inline(always)]
    fn shifted_sums<const Q: usize>(&self, simd: S, query: &[[T; D]; Q], shift: &[T; Q]) -> Sums<T, D, Q> {
        let mut accumulator = Accumulator::<S, T, D, Q>::new(simd, query);
        for (bias, key) in self.keys() {
            for q in 0..Q {
                let bias = T::sub(simd, bias, T::splat(simd, shift[q]));
                accumulator.add(simd, q, bias, &key);
            }
        }
        accumulator.sums(simd)
    }

    /// The keys, a vector at a time, with their bias.
    #[inline(always)]
    fn keys(&self) -> impl Iterator<Item = (T::Vector<S>, [T::Vector<S>; D])> {
        // Cut to one length, the columns are read without a bounds check for each.
        let components = self.components.map(|component| &component[..self.bias.len()]);
        (0..self.bias.len()).map(move |v| (self.bias[v], std::array::from_fn(|c| components[c][v])))
    }
}

/// The running sums of a group of queries, one partial sum a lane.
struct Accumulator<S: Exp2, T: Real, const D: usize, const Q: usize> {
    query: [[T::Vector<S>; D]; Q],
    sum: [T::Vector<S>; Q],
    moment: [[T::Vector<S>; D]; Q],
}

impl<S: Exp2, T: Real, const D: usize, const Q: usize> Accumulator<S, T, D, Q> {
    #[inline(always)]
    fn new(simd: S, query: &[[T; D]; Q]) -> Self {
        let zero = T::splat(simd, T::ZERO);
        let mut splat = [[zero; D]; Q];
        for q in 0..Q {
            for c in 0..D {
                splat[q][c] = T::splat(simd, query[q][c]);
            }
        }
        Self { query: splat, sum: [zero; Q], moment: [[zero; D]; Q] }
    }

    /// Adds the keys of one vector to the sums of query `q`.
    #[inline(always)]
    fn add(&mut self, simd: S, q: usize, bias: T::Vector<S>, key: &[T::Vector<S>; D]) {
        let mut score = bias;
        for c in 0..D {
            score = T::mul_add(simd, self.query[q][c], key[c], score);
        }
        let weight = T::exp2(simd, score);
        self.sum[q] = T::add(simd, self.sum[q], weight);
        for c in 0..D {
            self.moment[q][c] = T::mul_add(simd, weight, key[c], self.moment[q][c]);
        }
    }

    #[inline(always)]
    fn sums(&self, simd: S) -> Sums<T, D, Q> {
        let mut sums = [(T::ZERO, [T::ZERO; D]); Q];
        for q in 0..Q {
            sums[q].0 = T::sum(simd, self.sum[q]);
            for c in 0..D {
                sums[q].1[c] = T::sum(simd, self.moment[q][c]);
            }
        }
        sums
    }
}
