//! The one reduction that everything else is made of: for every query u_i over all keys y_j with values v_j,
//!
//! ```text
//! Z_i = sum_j 2^{<u_i, y_j> + bias_j} ,    M_i = sum_j 2^{<u_i, y_j> + bias_j} v_j
//! ```
//!
//! returned as (log2 Z_i, M_i / Z_i), which stay representable whatever the size of the scores. The bias is log2 w_j, and
//! values are the keys unless said otherwise.

use super::{
    exp2::Exp2,
    instructions::{Instructions, Kernel},
    keys::Keys,
    real::Real,
    registers, tiles,
};

/// The most queries that one task reduces together; their keys are laid out and streamed through the cache once.
pub(crate) const BLOCK: usize = 96;
/// Wider tokens than this go in half blocks, whose sums still fit the second-level cache.
const WIDE: usize = 32;

/// Queries that one task reduces together, out of `count` of `width` components: whole groups on every instruction set,
/// and blocks enough for many threads. How many threads there are must not matter: a run repeats on any.
pub(crate) fn block(width: usize, count: usize) -> usize {
    let most = if width <= WIDE { BLOCK } else { BLOCK / 2 };
    (count / 16).next_multiple_of(12).clamp(BLOCK / 2, most)
}

/// Keys summed in working precision before they are added to totals in f64.
pub(crate) const CHUNK: usize = 2048;

/// What is subtracted from every score (base 2), so that no exponential overflows and no row loses its sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shift {
    /// A bound that no score exceeds, close enough below that nothing underflows.
    Constant(f64),
    /// The largest score of each row, found first.
    RowMaximum,
}

/// The reduction of a block of queries.
#[derive(Default)]
pub(crate) struct Reduced {
    /// log2 Z_i.
    pub(crate) log2_sum: Vec<f64>,
    /// M_i / Z_i, row-major (query, width of the values).
    pub(crate) barycentre: Vec<f64>,
}

/// The largest score of a row as a shift. Where only keys of weight zero are seen it stays far above their scores, so that
/// they remain worth nothing.
#[inline(always)]
pub(crate) fn audible<T: Real>(largest: T) -> f64 {
    largest.to_f64().max(0.5 * T::DEAD.to_f64())
}

/// A block of queries, and what each of them sees.
#[derive(Clone, Copy)]
pub(crate) struct Queries<'a, T> {
    /// u_i, row-major (query, keys.width).
    pub(crate) rows: &'a [T],
    /// How many of the leading keys each query sees.
    pub(crate) visible: &'a [usize],
    /// How many of these it does not see after all; empty for none.
    pub(crate) hidden: &'a [usize],
    /// The key of the first query, if queries are keys in the same order that do not see themselves.
    pub(crate) own: Option<usize>,
}

impl<T> Queries<'_, T> {
    /// Up to `count` queries from `first` on.
    pub(crate) fn part(&self, first: usize, count: usize) -> Self {
        let width = self.rows.len() / self.visible.len();
        let end = self.visible.len().min(first + count);
        let hidden = if self.hidden.is_empty() { self.hidden } else { &self.hidden[first..end] };
        let own = self.own.map(|own| own + first);
        Self { rows: &self.rows[first * width..end * width], visible: &self.visible[first..end], hidden, own }
    }

    /// How many keys the block sees together.
    pub(crate) fn reach(&self) -> usize {
        self.visible.iter().copied().max().unwrap_or(0)
    }
}

/// Reduces `queries` over the keys that each of them sees, into `out`.
pub(crate) fn reduce<T: Real>(
    instructions: Instructions,
    queries: Queries<'_, T>,
    keys: Keys<'_, T>,
    shift: Shift,
    out: &mut Reduced,
) {
    instructions.run(Reduction { queries, keys, shift, out });
}

/// A block of queries against all keys.
pub(crate) struct Reduction<'a, T> {
    pub(crate) queries: Queries<'a, T>,
    pub(crate) keys: Keys<'a, T>,
    pub(crate) shift: Shift,
    pub(crate) out: &'a mut Reduced,
}

impl<T: Real> Kernel for Reduction<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) {
        // Sixteen registers hold less than what several queries need of them at once.
        let Queries { hidden, own, .. } = self.queries;
        let is_general = !hidden.is_empty() || own.is_some() || self.keys.values().is_some();
        match (S::REGISTER_COUNT, self.keys.width, self.shift) {
            (32.., 2, Shift::Constant(shift)) if !is_general => registers::reduce::<S, T, 2>(simd, self, shift),
            (32.., 3, Shift::Constant(shift)) if !is_general => registers::reduce::<S, T, 3>(simd, self, shift),
            (32.., 4, Shift::Constant(shift)) if !is_general => registers::reduce::<S, T, 4>(simd, self, shift),
            (32.., ..) => tiles::reduce::<S, T, 12>(simd, self),
            _ => tiles::reduce::<S, T, 6>(simd, self),
        }
    }
}

impl Reduced {
    /// From each query's shift and its totals (Z, M_0, .., M_{width-1}), sums of 2^{score - shift}. A query that sees
    /// nothing has the barycentre zero.
    pub(crate) fn fill(&mut self, width: usize, shifts: impl Iterator<Item = f64>, totals: &[f64]) {
        self.log2_sum.clear();
        self.barycentre.clear();
        for (shift, totals) in shifts.zip(totals.chunks_exact(width + 1)) {
            let sum = totals[0];
            self.log2_sum.push(shift + sum.log2());
            let divisor = if sum == 0.0 { 1.0 } else { sum };
            self.barycentre.extend(totals[1..].iter().map(|moment| moment / divisor));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::keys::Bias, *};
    use crate::{
        sums::columns::state,
        tokens::{Shape, Tokens, Weights},
    };

    /// On whatever instructions, also where `Reduction` would choose tiles.
    struct InRegisters<'a, T>(Reduction<'a, T>);

    impl<T: Real> Kernel for InRegisters<'_, T> {
        type Output = ();

        #[inline(always)]
        fn run<S: Exp2>(self, simd: S) {
            match (self.0.keys.width, self.0.shift) {
                (2, Shift::Constant(shift)) => registers::reduce::<S, T, 2>(simd, self.0, shift),
                (3, Shift::Constant(shift)) => registers::reduce::<S, T, 3>(simd, self.0, shift),
                asked => unreachable!("no test asks for {asked:?}"),
            }
        }
    }

    struct Tiled<'a, T>(Reduction<'a, T>);

    impl<T: Real> Kernel for Tiled<'_, T> {
        type Output = ();

        #[inline(always)]
        fn run<S: Exp2>(self, simd: S) {
            tiles::reduce::<S, T, 6>(simd, self.0);
        }
    }

    /// Large enough for several chunks and tiles, and odd.
    const COUNT: usize = 4999;

    /// Queries from all over the circle or the sphere, of which each sees one key more than the last.
    fn queries(width: usize, first: usize) -> (Vec<f64>, Vec<usize>) {
        let rows = (0..13).flat_map(|q| (0..width).map(move |c| 3.0 * (1.7 * q as f64 + 2.1 * c as f64).sin()));
        (rows.collect(), (first..first + 13).collect())
    }

    fn compare<T: Real>(width: usize, first: usize, shift: Shift, tolerance: f64) {
        let coordinates: Vec<f64> = (0..COUNT * width).map(|k| (0.37 * k as f64).sin()).collect();
        let shape = Shape { replicas: 1, count: COUNT, dim: width, passive: 0 };
        let tokens = Tokens { shape, coordinates, weights: Weights::Equal };
        let (state, bias) = (state::<T>(&tokens), Bias::new(shape, &tokens.weights));
        let keys = bias.keys(0, state.replica(0));
        let (exact, visible) = queries(width, first);
        let rows: Vec<T> = exact.iter().map(|u| T::from_f64(*u)).collect();
        for instructions in Instructions::available() {
            let queries = Queries { rows: &rows, visible: &visible, hidden: &[], own: None };
            let (mut tiled, mut registered) = (Reduced::default(), Reduced::default());
            instructions.run(Tiled(Reduction { queries, keys, shift, out: &mut tiled }));
            let mut all = vec![(&tiled, "tiles")];
            if shift != Shift::RowMaximum {
                instructions.run(InRegisters(Reduction { queries, keys, shift, out: &mut registered }));
                all.push((&registered, "registers"));
            }
            for (found, name) in all {
                for (q, seen) in visible.iter().enumerate() {
                    let u = &exact[q * width..][..width];
                    let mut sum = vec![0.0; width + 1];
                    for y in tokens.coordinates.chunks_exact(width).take(*seen) {
                        let weight = u.iter().zip(y).map(|(u, y)| u * y).sum::<f64>().exp2() / COUNT as f64;
                        sum[0] += weight;
                        sum[1..].iter_mut().zip(y).for_each(|(sum, y)| *sum += weight * y);
                    }
                    let place = format!("{name}, {}, {shift:?}, width {width}, query {q}", instructions.name());
                    let error = (found.log2_sum[q] - sum[0].log2()).abs();
                    assert!(error < tolerance, "{place}: log2 Z is off by {error:e}");
                    for c in 0..width {
                        let error = (found.barycentre[q * width + c] - sum[c + 1] / sum[0]).abs();
                        assert!(error < tolerance, "{place}: component {c} is off by {error:e}");
                    }
                }
            }
        }
    }

    #[test]
    fn registers_and_tiles_take_the_sums_that_are_meant() {
        for (width, first) in [(2, 2040), (3, 1), (3, COUNT - 12)] {
            for shift in [Shift::Constant(9.0), Shift::RowMaximum] {
                compare::<f32>(width, first, shift, 4e-6);
                compare::<f64>(width, first, shift, 1e-13);
            }
        }
    }
}
