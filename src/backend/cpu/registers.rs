//! The reduction for narrow tokens: queries and sums live in registers, keys run across the lanes.

use super::{
    columns::PADDING,
    exp2::Exp2,
    instructions::{Instructions, Kernel},
    keys::Keys,
    panels::{self, Sums},
    real::Real,
    reduction::{CHUNK, Queries, Reduced, Shift, audible},
};

/// The widths the kernel is compiled for; a width in between is padded with zeros.
const WIDTHS: [usize; 7] = [2, 3, 4, 6, 8, 12, 16];

/// Up to this width the query, a key and the moments of a query are in registers together; beyond, in panels.
const NARROW: usize = 8;
const WIDE: usize = NARROW + 1;

/// Wider tokens than this are for tiles.
pub(super) const WIDEST: usize = WIDTHS[WIDTHS.len() - 1];

/// The compiled width that holds tokens of width `dim`, if any does.
pub(super) fn width(dim: usize) -> Option<usize> {
    WIDTHS.into_iter().find(|width| *width >= dim)
}

pub(super) fn reduce<T: Real>(
    instructions: Instructions,
    queries: Queries<'_, T>,
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
    queries: Queries<'a, T>,
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
            (true, ..=4) | (_, WIDE..) => self.grouped::<S, 4>(simd),
            (true, ..=NARROW) | (false, ..=4) => self.grouped::<S, 2>(simd),
            (false, ..=NARROW) => self.grouped::<S, 1>(simd),
        }
    }
}

impl<T: Real, const D: usize> Block<'_, T, D> {
    #[inline(always)]
    fn grouped<S: Exp2, const Q: usize>(self, simd: S) {
        let queries: &[[T; D]] = bytemuck::cast_slice(self.queries.rows);
        let visible = self.queries.visible;
        let (shifts, constant) = match self.shift {
            Shift::Constant(shift) => (vec![shift; queries.len()], shift),
            Shift::RowMaximum => (row_maxima::<S, T, D>(simd, queries, visible, self.keys), 0.0),
        };
        let mut totals = vec![0.0; queries.len() * (D + 1)];
        let mut bias = Aligned([T::ZERO; CHUNK]);
        for start in (0..self.queries.reach()).step_by(CHUNK) {
            let length = CHUNK.min(self.keys.padded - start);
            let bias = &mut bias.0[..length];
            // A constant shift goes into the bias, where it costs nothing per pair.
            subtract::<S, T>(simd, &self.keys.bias()[start..][..length], T::from_f64(constant), bias);
            let chunk = Chunk::<S, T, D>::new(self.keys, start, bias);
            let groups =
                queries.chunks(Q).zip(shifts.chunks(Q)).zip(visible.chunks(Q)).zip(totals.chunks_mut(Q * (D + 1)));
            for (((queries, shifts), visible), totals) in groups {
                let seen =
                    std::array::from_fn(|q| visible.get(q).map_or(0, |end| end.saturating_sub(start).min(length)));
                let group = Group::<T, D, Q>::new(queries, shifts, self.shift);
                group.add::<S>(simd, &chunk, seen, totals);
            }
        }
        self.out.fill(D, shifts.into_iter(), &totals);
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

/// The largest score of each query among the keys it sees, found in one pass of its own.
#[inline(always)]
fn row_maxima<S: Exp2, T: Real, const D: usize>(
    simd: S,
    queries: &[[T; D]],
    visible: &[usize],
    keys: Keys<'_, T>,
) -> Vec<f64> {
    let lanes = T::lanes::<S>();
    let mut maxima = Vec::with_capacity(queries.len());
    for (query, visible) in queries.iter().zip(visible) {
        let mut largest = T::splat(simd, T::DEAD);
        let whole = visible / lanes;
        let all = Chunk::<S, T, D>::new(keys, 0, keys.bias());
        for v in 0..whole {
            largest = T::max(simd, largest, all.score(simd, query, v));
        }
        let mut bias = [T::ZERO; PADDING];
        if let Some(rest) = all.rest(whole * lanes, *visible, &mut bias) {
            for v in 0..rest.bias.len() {
                largest = T::max(simd, largest, rest.score(simd, query, v));
            }
        }
        maxima.push(audible(T::largest(simd, largest)));
    }
    maxima
}

/// As many queries as are reduced at once.
struct Group<T, const D: usize, const Q: usize> {
    query: [[T; D]; Q],
    /// What is left to subtract from each query's scores.
    shift: Option<[T; Q]>,
}

impl<T: Real, const D: usize, const Q: usize> Group<T, D, Q> {
    /// A short last group repeats its last query.
    #[inline(always)]
    fn new(queries: &[[T; D]], shifts: &[f64], shift: Shift) -> Self {
        let last = queries.len() - 1;
        let query = std::array::from_fn(|q| queries[q.min(last)]);
        let shift = match shift {
            Shift::Constant(_) => None,
            Shift::RowMaximum => Some(std::array::from_fn(|q| T::from_f64(shifts[q.min(last)]))),
        };
        Self { query, shift }
    }

    /// Adds to the totals of each query the first `seen` keys of the chunk: together those that all of them see in whole
    /// vectors, and alone what is left to each.
    #[inline(always)]
    fn add<S: Exp2>(&self, simd: S, chunk: &Chunk<'_, S, T, D>, seen: [usize; Q], totals: &mut [f64]) {
        let lanes = T::lanes::<S>();
        let present = totals.len() / (D + 1);
        let least = seen[..present].iter().copied().min().unwrap_or(0);
        let common = if least == chunk.length { least } else { least / lanes * lanes };
        if common > 0 {
            let sums = chunk.leading(common).sums(simd, &self.query, self.shift.as_ref());
            sums.iter().zip(totals.chunks_exact_mut(D + 1)).for_each(|(sum, totals)| accumulate(totals, sum));
        }
        for (q, totals) in totals.chunks_exact_mut(D + 1).enumerate() {
            let mut bias = [T::ZERO; 2 * PADDING];
            if let Some(rest) = chunk.rest(common, seen[q], &mut bias) {
                let shift = self.shift.map(|shift| [shift[q]]);
                let [sum] = rest.sums(simd, &[self.query[q]], shift.as_ref());
                accumulate(totals, &sum);
            }
        }
    }
}

#[inline(always)]
fn accumulate<T: Real, const D: usize>(totals: &mut [f64], (sum, moment): &(T, [T; D])) {
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
    /// dead.
    #[inline(always)]
    fn rest<'b>(&self, begin: usize, end: usize, bias: &'b mut [T]) -> Option<Chunk<'b, S, T, D>>
    where
        'a: 'b,
    {
        if begin >= end {
            return None;
        }
        let bias = &mut bias[..(end - begin).next_multiple_of(T::lanes::<S>())];
        bias.fill(T::DEAD);
        bias[..end - begin].copy_from_slice(&self.numbers[begin..end]);
        Some(Chunk::new(self.keys, self.start + begin, bias))
    }

    /// Sums of 2^{score - shift} for each query.
    #[inline(always)]
    fn sums<const Q: usize>(&self, simd: S, query: &[[T; D]; Q], shift: Option<&[T; Q]>) -> Sums<T, D, Q> {
        if D > NARROW {
            return panels::sums(simd, query, shift.unwrap_or(&[T::ZERO; Q]), self.components, self.bias);
        }
        let mut accumulator = Accumulator::<S, T, D, Q>::new(simd, query);
        for (bias, key) in self.keys() {
            for q in 0..Q {
                let bias = match shift {
                    Some(shift) => T::sub(simd, bias, T::splat(simd, shift[q])),
                    None => bias,
                };
                accumulator.add(simd, q, bias, &key);
            }
        }
        accumulator.sums(simd)
    }

    /// The scores of the keys of vector `v`.
    #[inline(always)]
    fn score(&self, simd: S, query: &[T; D], v: usize) -> T::Vector<S> {
        let mut score = self.bias[v];
        for c in 0..D {
            score = T::mul_add(simd, T::splat(simd, query[c]), self.components[c][v], score);
        }
        score
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
