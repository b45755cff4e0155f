//! The one reduction that everything else is made of: for every query u_i over all keys y_j with values v_j,
//!
//! ```text
//! Z_i = sum_j 2^{<u_i, y_j> + bias_j} ,    M_i = sum_j 2^{<u_i, y_j> + bias_j} v_j
//! ```
//!
//! returned as (log2 Z_i, M_i / Z_i), which stay representable whatever the size of the scores. The bias is log2 w_j, and
//! values are the keys unless said otherwise.

use super::{keys::Keys, real::Real};

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
pub(crate) fn shift_of<T: Real>(largest: T) -> f64 {
    largest.to_f64().max(0.5 * T::MASKED.to_f64())
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

/// A block of queries against all keys.
pub(crate) struct Reduction<'a, T> {
    pub(crate) queries: Queries<'a, T>,
    pub(crate) keys: Keys<'a, T>,
    pub(crate) shift: Shift,
    pub(crate) sums: &'a mut Sums,
}

/// The keys of every part but the last, where sums over parts of the keys are to have the bytes of sums over all at once, are a
/// multiple of this many: what is summed in working precision has been added to totals there, on every instruction set.
pub(crate) const PART: usize = 4096;

/// The sums of a block of queries over the keys that came so far; none before the first.
#[derive(Clone, Default)]
pub(crate) struct Sums {
    /// What has been subtracted from the scores of each query.
    pub(crate) shifts: Vec<f64>,
    /// (Z, M_0, .., M_{width-1}) of each query, sums of 2^{score - shift}.
    pub(crate) totals: Vec<f64>,
}

impl Reduced {
    /// From the sums over all keys. A query that sees nothing has the barycentre zero.
    pub(crate) fn fill(&mut self, width: usize, sums: &Sums) {
        self.log2_sum.clear();
        self.barycentre.clear();
        for (shift, totals) in sums.shifts.iter().zip(sums.totals.chunks_exact(width + 1)) {
            let sum = totals[0];
            self.log2_sum.push(shift + sum.log2());
            let divisor = if sum == 0.0 { 1.0 } else { sum };
            self.barycentre.extend(totals[1..].iter().map(|moment| moment / divisor));
        }
    }
}
