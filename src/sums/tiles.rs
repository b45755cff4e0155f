//! The reduction for wide tokens, as small matrix products on tiles of keys: the scores of a group of queries, keys
//! across the lanes, then their exponentials, then the moments, again with keys across the lanes. So one layout of the
//! keys serves both products, and a lane sums but a few hundred terms before totals in f64 take over.

use super::{
    columns::Numbers,
    exp2::Exp2,
    keys::Keys,
    real::Real,
    reduction::{Queries, Reduction, Shift, Sums, shift_of},
};

/// Vectors of keys in a tile.
const TILE: usize = 32;
/// Vectors of keys whose scores, and components whose moments, are summed together for a whole group of queries: as many
/// sums as hide the latency of a multiply-add, with two operands for each query that is loaded.
const PAIR: usize = 2;
/// Vectors whose exponentials are taken in step; a pair of vectors for a group of queries is a whole number of them.
const STEP: usize = 2;
/// Tiles whose sums are taken in working precision, a lane each, before they are added to totals in f64.
const TILES: usize = 8;

/// Reduces Q queries at a time: as many as leave registers for their sums in pairs, the pair itself and one operand more.
#[inline(always)]
pub(crate) fn reduce<S: Exp2, T: Real, const Q: usize>(simd: S, reduction: Reduction<'_, T>) {
    let Reduction { queries, keys, shift, sums } = reduction;
    let value_width = keys.value_width();
    let mut groups: Vec<_> = (0..queries.visible.len())
        .step_by(Q)
        .map(|first| Group::<S, T, Q>::new(simd, queries.part(first, Q), keys, shift))
        .collect();
    for (index, group) in groups.iter_mut().enumerate() {
        group.resume(index * Q, sums);
    }
    let constant = match shift {
        Shift::Constant(shift) => T::from_f64(shift),
        Shift::RowMaximum => T::ZERO,
    };
    let reach = queries.reach();
    let size = TILE * T::lanes::<S>();
    let mut tile = Tile::new(keys, size);
    let mut weights = Numbers::zeros(size * Q);
    let weights = T::vectors_mut::<S>(weights.all_mut()).as_chunks_mut::<Q>().0;
    for (index, start) in (0..reach).step_by(size).enumerate() {
        tile.load(simd, keys, start, constant);
        for group in &mut groups {
            group.add(simd, &tile, start, shift, weights);
        }
        if (index + 1) % TILES == 0 {
            for group in &mut groups {
                group.flush(simd);
            }
        }
    }
    for group in &mut groups {
        group.flush(simd);
    }
    let count = queries.visible.len();
    sums.shifts = groups.iter().flat_map(|group| group.shift).take(count).collect();
    sums.totals = groups.iter().flat_map(|group| &group.totals).copied().take(count * (value_width + 1)).collect();
}

/// Keys of one tile, component by component, their values if these are others, and their biases, all within the second-level
/// cache.
struct Tile<T> {
    numbers: Numbers<T>,
    /// From one component to the next: a tile and one cache line, because columns a power of two apart share few sets of
    /// the cache.
    stride: usize,
    width: usize,
    /// Where the columns of the values begin, and how many there are.
    first_value: usize,
    value_width: usize,
    length: usize,
}

/// Bytes of a cache line.
const LINE: usize = 64;

impl<T: Real> Tile<T> {
    fn new(keys: Keys<'_, T>, size: usize) -> Self {
        let (width, value_width) = (keys.width, keys.value_width());
        let first_value = if keys.values().is_some() { width } else { 0 };
        let stride = size + LINE / size_of::<T>();
        let numbers = Numbers::zeros((width.max(first_value + value_width) + 1) * stride);
        Self { numbers, stride, width, first_value, value_width, length: 0 }
    }

    /// Columns, those of the values included.
    #[inline(always)]
    fn all(&self) -> usize {
        self.width.max(self.first_value + self.value_width)
    }

    /// The keys from `start` on, filled up with masked ones to whole pairs of vectors.
    #[inline(always)]
    fn load<S: Exp2>(&mut self, simd: S, keys: Keys<'_, T>, start: usize, constant: T) {
        let size = TILE * T::lanes::<S>();
        let length = size.min(keys.padded - start);
        self.length = length.next_multiple_of(PAIR * T::lanes::<S>());
        let all = self.all();
        let (columns, bias) = self.numbers.all_mut().split_at_mut(all * self.stride);
        let (columns, values) = columns.split_at_mut(self.width * self.stride);
        for (component, column) in columns.chunks_exact_mut(self.stride).enumerate() {
            column[..length].copy_from_slice(&keys.component(component)[start..][..length]);
        }
        if let Some(columns) = keys.values() {
            for (component, column) in values.chunks_exact_mut(self.stride).enumerate() {
                column[..length].copy_from_slice(&columns.column(component)[start..][..length]);
            }
        }
        // A constant shift goes into the bias, where it costs nothing per pair.
        let constant = T::splat(simd, constant);
        let biases = T::vectors::<S>(&keys.bias()[start..][..length]);
        for (shifted, bias) in T::vectors_mut::<S>(&mut bias[..length]).iter_mut().zip(biases) {
            *shifted = T::sub(simd, *bias, constant);
        }
        bias[length..self.length].fill(T::MASKED);
    }

    /// The components of the keys.
    #[inline(always)]
    fn columns(&self) -> &[T] {
        &self.numbers.all()[..self.width * self.stride]
    }

    /// The components of the values.
    #[inline(always)]
    fn values(&self) -> &[T] {
        &self.numbers.all()[self.first_value * self.stride..][..self.value_width * self.stride]
    }

    #[inline(always)]
    fn bias<S: Exp2>(&self) -> &[T::Vector<S>] {
        T::vectors::<S>(&self.numbers.all()[self.all() * self.stride..][..self.length])
    }
}

/// Queries that are reduced together, and their sums, one partial sum a lane.
struct Group<S: Exp2, T: Real, const Q: usize> {
    /// By component.
    query: Vec<[T; Q]>,
    /// How many of the leading keys each sees, and how many of these it does not.
    visible: [usize; Q],
    hidden: [usize; Q],
    /// The key of the first query, if none sees its own.
    own: Option<usize>,
    shift: [f64; Q],
    sum: [T::Vector<S>; Q],
    /// By component, query and lane.
    moment: Numbers<T>,
    /// (Z, M_0, .., M_{width-1}) of each query.
    totals: Vec<f64>,
}

impl<S: Exp2, T: Real, const Q: usize> Group<S, T, Q> {
    /// A short last group is filled up with its last query.
    #[inline(always)]
    fn new(simd: S, queries: Queries<'_, T>, keys: Keys<'_, T>, shift: Shift) -> Self {
        let Queries { rows, visible, hidden, own } = queries;
        let (width, value_width) = (keys.width, keys.value_width());
        let mut query = vec![[T::ZERO; Q]; width];
        for (q, row) in rows.chunks_exact(width).enumerate() {
            for (component, value) in query.iter_mut().zip(row) {
                component[q] = *value;
            }
        }
        let last = visible.len() - 1;
        for component in &mut query {
            let value = component[last];
            component[last..].fill(value);
        }
        let mut seen = [visible[last]; Q];
        seen[..=last].copy_from_slice(visible);
        let mut unseen = [hidden.last().copied().unwrap_or(0); Q];
        unseen[..hidden.len()].copy_from_slice(hidden);
        let shift = match shift {
            Shift::Constant(shift) => shift,
            Shift::RowMaximum => 0.5 * T::MASKED.to_f64(),
        };
        let zero = [T::splat(simd, T::ZERO); Q];
        Self {
            query,
            visible: seen,
            hidden: unseen,
            own,
            shift: [shift; Q],
            sum: zero,
            moment: Numbers::zeros(value_width * Q * T::lanes::<S>()),
            totals: vec![0.0; Q * (value_width + 1)],
        }
    }

    /// Goes on from the sums over other keys, of which those of this group start at query `first`, if there are any.
    fn resume(&mut self, first: usize, sums: &Sums) {
        if let Some(shifts) = sums.shifts.get(first..) {
            self.shift.iter_mut().zip(shifts).for_each(|(own, shift)| *own = *shift);
            let width = self.totals.len() / Q;
            self.totals.iter_mut().zip(&sums.totals[first * width..]).for_each(|(own, total)| *own = *total);
        }
    }

    /// Adds the keys of the tile, which are those from `start` on.
    #[inline(always)]
    fn add(&mut self, simd: S, tile: &Tile<T>, start: usize, shift: Shift, weights: &mut [[T::Vector<S>; Q]]) {
        let reach = self.visible.iter().copied().max().unwrap_or(0).saturating_sub(start).min(tile.length);
        if self.hidden.iter().all(|hidden| *hidden >= start + reach) {
            return;
        }
        let vectors = reach.div_ceil(PAIR * T::lanes::<S>()) * PAIR;
        let weights = &mut weights[..vectors];
        scores::<S, T, Q>(simd, &self.query, tile, weights);
        self.hide(start, weights);
        if shift == Shift::RowMaximum {
            self.raise(simd, weights);
        }
        exponentials::<S, T>(simd, weights.as_flattened_mut());
        add_sums::<S, T, Q>(simd, weights, &mut self.sum);
        add_moments::<S, T, Q>(simd, weights, tile, moments(&mut self.moment));
    }

    /// Takes from each query the keys that it does not see.
    #[inline(always)]
    fn hide(&self, start: usize, scores: &mut [[T::Vector<S>; Q]]) {
        let lanes = T::lanes::<S>();
        for (q, (visible, hidden)) in self.visible.iter().zip(&self.hidden).enumerate() {
            let length = scores.len() * lanes;
            for key in 0..hidden.saturating_sub(start).min(length) {
                T::lanes_mut::<S>(&mut scores[key / lanes][q])[key % lanes] = T::MASKED;
            }
            let own = self.own.map(|own| own + q).filter(|own| (start..start + length).contains(own));
            if let Some(own) = own {
                let key = own - start;
                T::lanes_mut::<S>(&mut scores[key / lanes][q])[key % lanes] = T::MASKED;
            }
            for key in visible.saturating_sub(start)..length {
                T::lanes_mut::<S>(&mut scores[key / lanes][q])[key % lanes] = T::MASKED;
            }
        }
    }

    /// Subtracts from the scores the largest one of each query so far, to which its sums are rescaled.
    #[inline(always)]
    fn raise(&mut self, simd: S, scores: &mut [[T::Vector<S>; Q]]) {
        for q in 0..Q {
            let mut largest = T::splat(simd, T::MASKED);
            for score in &*scores {
                largest = T::max(simd, largest, score[q]);
            }
            let largest = shift_of(T::largest(simd, largest));
            if largest > self.shift[q] {
                let rescale = (self.shift[q] - largest).exp2();
                self.shift[q] = largest;
                let moments = moments::<S, T, Q>(&mut self.moment);
                let width = moments.len();
                self.totals[q * (width + 1)..][..width + 1].iter_mut().for_each(|total| *total *= rescale);
                let rescale = T::splat(simd, T::from_f64(rescale));
                self.sum[q] = T::mul(simd, self.sum[q], rescale);
                for moment in moments {
                    moment[q] = T::mul(simd, moment[q], rescale);
                }
            }
            let shift = T::splat(simd, T::from_f64(self.shift[q]));
            for score in &mut *scores {
                score[q] = T::sub(simd, score[q], shift);
            }
        }
    }

    /// Moves the partial sums to the totals.
    #[inline(always)]
    fn flush(&mut self, simd: S) {
        let zero = T::splat(simd, T::ZERO);
        let moments = moments::<S, T, Q>(&mut self.moment);
        let width = moments.len();
        for (q, totals) in self.totals.chunks_exact_mut(width + 1).enumerate() {
            totals[0] += T::sum(simd, std::mem::replace(&mut self.sum[q], zero)).to_f64();
            for (total, moment) in totals[1..].iter_mut().zip(&mut *moments) {
                *total += T::sum(simd, std::mem::replace(&mut moment[q], zero)).to_f64();
            }
        }
    }
}

/// By component, each sum of each query in a vector.
#[inline(always)]
fn moments<S: Exp2, T: Real, const Q: usize>(moment: &mut Numbers<T>) -> &mut [[T::Vector<S>; Q]] {
    T::vectors_mut::<S>(moment.all_mut()).as_chunks_mut::<Q>().0
}

/// scores <- <query, key> + bias
#[inline(always)]
fn scores<S: Exp2, T: Real, const Q: usize>(
    simd: S,
    query: &[[T; Q]],
    tile: &Tile<T>,
    scores: &mut [[T::Vector<S>; Q]],
) {
    let lanes = T::lanes::<S>();
    let bias = tile.bias::<S>();
    for (pair, scores) in scores.chunks_exact_mut(PAIR).enumerate() {
        let mut sum = [[bias[PAIR * pair]; Q], [bias[PAIR * pair + 1]; Q]];
        for (u, column) in query.iter().zip(tile.columns().chunks_exact(tile.stride)) {
            let key = T::vectors::<S>(&column[PAIR * pair * lanes..][..PAIR * lanes]);
            let key = [key[0], key[1]];
            for q in 0..Q {
                let u = T::splat(simd, u[q]);
                sum[0][q] = T::mul_add(simd, u, key[0], sum[0][q]);
                sum[1][q] = T::mul_add(simd, u, key[1], sum[1][q]);
            }
        }
        scores.copy_from_slice(&sum);
    }
}

/// weights <- 2^weights
#[inline(always)]
fn exponentials<S: Exp2, T: Real>(simd: S, weights: &mut [T::Vector<S>]) {
    for weights in weights.as_chunks_mut::<STEP>().0 {
        *weights = T::exp2_each(simd, *weights);
    }
}

/// sum += weights
#[inline(always)]
fn add_sums<S: Exp2, T: Real, const Q: usize>(simd: S, weights: &[[T::Vector<S>; Q]], sum: &mut [T::Vector<S>; Q]) {
    let mut total = *sum;
    for weights in weights {
        for q in 0..Q {
            total[q] = T::add(simd, total[q], weights[q]);
        }
    }
    *sum = total;
}

/// moment += weights times keys
#[inline(always)]
fn add_moments<S: Exp2, T: Real, const Q: usize>(
    simd: S,
    weights: &[[T::Vector<S>; Q]],
    tile: &Tile<T>,
    moment: &mut [[T::Vector<S>; Q]],
) {
    let length = weights.len() * T::lanes::<S>();
    let mut columns = tile.values().chunks_exact(tile.stride);
    let mut pairs = moment.chunks_exact_mut(PAIR);
    for pair in &mut pairs {
        let (Some(first), Some(second)) = (columns.next(), columns.next()) else { return };
        let keys = T::vectors::<S>(&first[..length]).iter().zip(T::vectors::<S>(&second[..length]));
        let mut sum = [pair[0], pair[1]];
        for (weights, (first, second)) in weights.iter().zip(keys) {
            for q in 0..Q {
                sum[0][q] = T::mul_add(simd, weights[q], *first, sum[0][q]);
                sum[1][q] = T::mul_add(simd, weights[q], *second, sum[1][q]);
            }
        }
        pair.copy_from_slice(&sum);
    }
    for (moment, column) in pairs.into_remainder().iter_mut().zip(columns) {
        let mut sum = *moment;
        for (weights, key) in weights.iter().zip(T::vectors::<S>(&column[..length])) {
            for q in 0..Q {
                sum[q] = T::mul_add(simd, weights[q], *key, sum[q]);
            }
        }
        *moment = sum;
    }
}
