//! The one reduction that everything else is made of: for every query u_i over all keys y_j with values v_j = y_j,
//!
//! ```text
//! Z_i = sum_j 2^{<u_i, y_j> + bias_j} ,    M_i = sum_j 2^{<u_i, y_j> + bias_j} y_j
//! ```
//!
//! returned as (log2 Z_i, M_i / Z_i), which stay representable whatever the size of the scores. The bias is log2 w_j.

use super::{instructions::Instructions, keys::Keys, real::Real, registers, tiles};

/// Queries that one task reduces together where they are narrow; their keys are streamed through the cache once.
pub(super) const BLOCK: usize = 64;

/// Queries that one task reduces together, out of `count` of `width` components.
///
/// Wide ones are better off in larger blocks, because each block lays its keys out anew for the matrix product, as long
/// as there remain blocks enough for many threads. How many threads there are must not matter: a run repeats on any.
pub(super) fn block(width: usize, count: usize) -> usize {
    if width <= registers::WIDEST { BLOCK } else { (count / 32).clamp(BLOCK, 4 * BLOCK) }
}

/// Keys summed in working precision before they are added to totals in f64.
pub(super) const CHUNK: usize = 2048;

/// What is subtracted from every score (base 2), so that no exponential overflows and no row loses its sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shift {
    /// A bound that no score exceeds, close enough below that nothing underflows.
    Constant(f64),
    /// The largest score of each row, found first.
    RowMaximum,
}

/// The reduction of a block of queries.
#[derive(Default)]
pub(super) struct Reduced {
    /// log2 Z_i.
    pub(super) log2_sum: Vec<f64>,
    /// M_i / Z_i, row-major (query, width).
    pub(super) barycentre: Vec<f64>,
}

/// The largest score of a row as a shift. Where only keys of weight zero are seen it stays far above their scores, so that
/// they remain worth nothing.
#[inline(always)]
pub(super) fn audible<T: Real>(largest: T) -> f64 {
    largest.to_f64().max(0.5 * T::DEAD.to_f64())
}

/// A block of queries, and what each of them sees.
#[derive(Clone, Copy)]
pub(super) struct Queries<'a, T> {
    /// u_i, row-major (query, keys.width).
    pub(super) rows: &'a [T],
    /// How many of the leading keys each query sees.
    pub(super) visible: &'a [usize],
}

impl<T> Queries<'_, T> {
    /// How many keys the block sees together.
    pub(super) fn reach(&self) -> usize {
        self.visible.iter().copied().max().unwrap_or(0)
    }
}

/// Reduces `queries` over the keys that each of them sees, into `out`.
pub(super) fn reduce<T: Real>(
    instructions: Instructions,
    queries: Queries<'_, T>,
    keys: Keys<'_, T>,
    shift: Shift,
    out: &mut Reduced,
) {
    if keys.width <= registers::WIDEST {
        registers::reduce(instructions, queries, keys, shift, out);
    } else {
        tiles::reduce(instructions, queries, keys, shift, out);
    }
}

impl Reduced {
    /// From each query's shift and its totals (Z, M_0, .., M_{width-1}), sums of 2^{score - shift}. A query that sees
    /// nothing has the barycentre zero.
    pub(super) fn fill(&mut self, width: usize, shifts: impl Iterator<Item = f64>, totals: &[f64]) {
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
