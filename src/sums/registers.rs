//! The reduction for narrow tokens: queries and sums live in registers, keys run across the lanes.

use super::{
    columns::PADDING,
    exp2::Exp2,
    keys::Keys,
    real::Real,
    reduction::{CHUNK, Reduction},
};

/// Queries that share each load of the keys, and hide the latency of each other's multiply-adds.
const GROUP: usize = 4;

/// Reduces queries of width D under one shift for all.
#[inline(always)]
pub(crate) fn reduce<S: Exp2, T: Real, const D: usize>(simd: S, reduction: Reduction<'_, T>, shift: f64) {
    let keys = reduction.keys;
    let queries: &[[T; D]] = bytemuck::cast_slice(reduction.queries.rows);
    let visible = reduction.queries.visible;
    let sums = reduction.sums;
    if sums.shifts.is_empty() {
        sums.shifts.resize(queries.len(), shift);
        sums.totals.resize(queries.len() * (D + 1), 0.0);
    }
    let totals = &mut sums.totals;
    let mut room = Aligned([T::ZERO; CHUNK]);
    for start in (0..reduction.queries.reach()).step_by(CHUNK) {
        let length = CHUNK.min(keys.padded - start);
        // The shift goes into the bias, where it costs nothing per pair.
        let room = &mut room.0[..length];
        subtract::<S, T>(simd, &keys.bias()[start..][..length], T::from_f64(shift), room);
        let chunk = Chunk::<S, T, D>::new(keys, start, room);
        let groups = queries.chunks(GROUP).zip(visible.chunks(GROUP)).zip(totals.chunks_mut(GROUP * (D + 1)));
        for ((queries, visible), totals) in groups {
            chunk.add::<GROUP>(simd, queries, visible, totals);
        }
    }
}

/// A buffer on a cache line of its own. It has a second purpose: a function with such a variable aligns its stack, and
/// so what the compiler spills in the loop does not straddle two lines, which would take twice as long to load.
#[repr(align(64))]
struct Aligned<T>([T; CHUNK]);

/// shifted <- bias - shift.
#[inline(always)]
fn subtract<S: Exp2, T: Real>(simd: S, bias: &[T], shift: T, shifted: &mut [T]) {
    let shift = T::splat(simd, shift);
    for (shifted, bias) in T::vectors_mut::<S>(shifted).iter_mut().zip(T::vectors::<S>(bias)) {
        *shifted = T::sub(simd, *bias, shift);
    }
}

#[inline(always)]
fn accumulate<T: Real, const D: usize>(totals: &mut [f64], sum: T, moment: &[T; D]) {
    totals[0] += sum.to_f64();
    for (total, moment) in totals[1..].iter_mut().zip(moment) {
        *total += moment.to_f64();
    }
}

/// A run of keys short enough to stay in the first-level cache.
struct Chunk<'a, S: Exp2, T: Real, const D: usize> {
    components: [&'a [T::Vector<S>]; D],
    bias: &'a [T::Vector<S>],
    keys: Keys<'a, T>,
    numbers: &'a [T],
    start: usize,
    length: usize,
}

impl<'a, S: Exp2, T: Real, const D: usize> Chunk<'a, S, T, D> {
    /// The keys from `start` on, one for each number of `bias`.
    #[inline(always)]
    fn new(keys: Keys<'a, T>, start: usize, bias: &'a [T]) -> Self {
        let length = bias.len();
        let components = std::array::from_fn(|c| T::vectors::<S>(&keys.component(c)[start..][..length]));
        Self { components, bias: T::vectors::<S>(bias), keys, numbers: bias, start, length }
    }

    /// The first `count` keys, whole vectors of them.
    #[inline(always)]
    fn leading(&self, count: usize) -> Self {
        Self::new(self.keys, self.start, &self.numbers[..count])
    }

    /// The keys from `begin`, where a vector begins, to `end`; `bias` is room for them, in which those after `end` are
    /// masked.
    #[inline(always)]
    fn rest<'b>(&self, begin: usize, end: usize, bias: &'b mut [T]) -> Option<Chunk<'b, S, T, D>>
    where
        'a: 'b,
    {
        if begin >= end {
            return None;
        }
        let bias = &mut bias[..(end - begin).next_multiple_of(T::lanes::<S>())];
        bias.fill(T::MASKED);
        bias[..end - begin].copy_from_slice(&self.numbers[begin..end]);
        Some(Chunk::new(self.keys, self.start + begin, bias))
    }

    /// Adds to the totals of each query the keys that it sees: together those that all of a group see in whole vectors,
    /// and alone what is left to each.
    #[inline(always)]
    fn add<const Q: usize>(&self, simd: S, queries: &[[T; D]], visible: &[usize], totals: &mut [f64]) {
        let lanes = T::lanes::<S>();
        let seen = |visible: usize| visible.saturating_sub(self.start).min(self.length);
        let least = visible.iter().copied().map(seen).min().unwrap_or(0);
        let common = if least == self.length { least } else { least / lanes * lanes };
        if common > 0 {
            // A short last group repeats its last query.
            let mut group = [queries[queries.len() - 1]; Q];
            group[..queries.len()].copy_from_slice(queries);
            let sums = self.leading(common).sums::<Q>(simd, &group);
            sums.iter()
                .zip(totals.chunks_exact_mut(D + 1))
                .for_each(|((sum, moment), totals)| accumulate(totals, *sum, moment));
        }
        for ((query, visible), totals) in queries.iter().zip(visible).zip(totals.chunks_exact_mut(D + 1)) {
            let mut bias = [T::ZERO; 2 * PADDING];
            if let Some(rest) = self.rest(common, seen(*visible), &mut bias) {
                let [(sum, moment)] = rest.sums::<1>(simd, &[*query]);
                accumulate(totals, sum, &moment);
            }
        }
    }

    /// Sums of 2^score for each query.
    #[inline(always)]
    fn sums<const Q: usize>(&self, simd: S, query: &[[T; D]; Q]) -> Sums<T, D, Q> {
        let mut accumulator = Accumulator::<S, T, D, Q>::new(simd, query);
        // Cut to one length, the columns are read without a bounds check for each.
        let columns = self.components.map(|component| &component[..self.bias.len()]);
        for v in 0..self.bias.len() {
            accumulator.add(simd, self.bias[v], columns.map(|column| &column[v]));
        }
        accumulator.sums(simd)
    }
}

/// For each query of a group, (Z, M).
type Sums<T, const D: usize, const Q: usize> = [(T, [T; D]); Q];

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

    /// Adds a vector of keys.
    #[inline(always)]
    fn add(&mut self, simd: S, bias: T::Vector<S>, keys: [&T::Vector<S>; D]) {
        for q in 0..Q {
            let mut score = bias;
            for c in 0..D {
                score = T::mul_add(simd, self.query[q][c], *keys[c], score);
            }
            let weight = T::exp2(simd, score);
            self.sum[q] = T::add(simd, self.sum[q], weight);
            for c in 0..D {
                self.moment[q][c] = T::mul_add(simd, weight, *keys[c], self.moment[q][c]);
            }
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
