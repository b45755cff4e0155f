//! The reduction for wide tokens: scores and moments are matrix products of tiles, the exponentials vectorised between.

use gemm::{Parallelism, gemm};

use super::{
    exp2::Exp2,
    instructions::{Instructions, Kernel},
    keys::Keys,
    real::Real,
    reduction::{Queries, Reduced, Shift, audible},
};

/// Keys of one tile: the weights of a block of queries then fit the second-level cache together with the tile.
const TILE: usize = 512;

pub(super) fn reduce<T: Real>(
    instructions: Instructions,
    queries: Queries<'_, T>,
    keys: Keys<'_, T>,
    shift: Shift,
    out: &mut Reduced,
) {
    let width = keys.width;
    let count = queries.visible.len();
    let mut shifts = match shift {
        Shift::Constant(shift) => vec![shift; count],
        Shift::RowMaximum => vec![0.5 * T::DEAD.to_f64(); count],
    };
    let mut totals = vec![0.0; count * (width + 1)];
    let mut weights = vec![T::ZERO; count * TILE];
    let mut moments = vec![T::ZERO; count * width];
    for start in (0..queries.reach()).step_by(TILE) {
        let length = TILE.min(keys.padded - start);
        let components = &keys.components()[start..];
        let bias = &keys.bias()[start..][..length];
        score(count, width, length, keys.padded, queries.rows, components, &mut weights);
        for (q, (weights, totals)) in weights.chunks_mut(TILE).zip(totals.chunks_mut(width + 1)).enumerate() {
            let row = &mut weights[..length];
            let seen = queries.visible[q].saturating_sub(start).min(length);
            row[seen..].fill(T::DEAD);
            if seen == 0 {
                row.fill(T::ZERO);
                continue;
            }
            let largest = audible(instructions.run(AddBias { row: &mut *row, bias }));
            if shift == Shift::RowMaximum && largest > shifts[q] {
                let rescale = (shifts[q] - largest).exp2();
                totals.iter_mut().for_each(|total| *total *= rescale);
                shifts[q] = largest;
            }
            totals[0] += instructions.run(Exponentials { row, shift: T::from_f64(shifts[q]) });
        }
        moment(count, width, length, keys.padded, &weights, components, &mut moments);
        for (totals, moments) in totals.chunks_exact_mut(width + 1).zip(moments.chunks_exact(width)) {
            for (total, moment) in totals[1..].iter_mut().zip(moments) {
                *total += moment.to_f64();
            }
        }
    }
    out.fill(width, shifts.into_iter(), &totals);
}

/// scores (count, TILE) <- queries (count, width) * components (width, length)
fn score<T: Real>(
    count: usize,
    width: usize,
    length: usize,
    stride: usize,
    queries: &[T],
    components: &[T],
    scores: &mut [T],
) {
    assert!(queries.len() >= count * width && scores.len() >= count * TILE && length <= TILE);
    assert!(components.len() >= (width - 1) * stride + length);
    // SAFETY: the three matrices lie within their slices by the assertions above, and do not overlap.
    unsafe {
        gemm(
            count,
            length,
            width,
            scores.as_mut_ptr(),
            1,
            TILE as isize,
            false,
            queries.as_ptr(),
            1,
            width as isize,
            components.as_ptr(),
            1,
            stride as isize,
            T::ZERO,
            T::ONE,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// moments (count, width) <- weights (count, length) * components (width, length)^T
fn moment<T: Real>(
    count: usize,
    width: usize,
    length: usize,
    stride: usize,
    weights: &[T],
    components: &[T],
    moments: &mut [T],
) {
    assert!(weights.len() >= count * TILE && moments.len() >= count * width && length <= TILE);
    assert!(components.len() >= (width - 1) * stride + length);
    // SAFETY: the three matrices lie within their slices by the assertions above, and do not overlap.
    unsafe {
        gemm(
            count,
            width,
            length,
            moments.as_mut_ptr(),
            1,
            width as isize,
            false,
            weights.as_ptr(),
            1,
            TILE as isize,
            components.as_ptr(),
            stride as isize,
            1,
            T::ZERO,
            T::ONE,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// Adds the bias to a row of scores and returns the largest.
struct AddBias<'a, T> {
    row: &'a mut [T],
    bias: &'a [T],
}

impl<T: Real> Kernel for AddBias<'_, T> {
    type Output = T;

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) -> T {
        let mut largest = T::splat(simd, T::DEAD);
        for (score, bias) in T::vectors_mut::<S>(self.row).iter_mut().zip(T::vectors::<S>(self.bias)) {
            *score = T::add(simd, *score, *bias);
            largest = T::max(simd, largest, *score);
        }
        T::largest(simd, largest)
    }
}

/// Turns a row of biased scores into weights 2^{score - shift} and returns their sum.
struct Exponentials<'a, T> {
    row: &'a mut [T],
    shift: T,
}

impl<T: Real> Kernel for Exponentials<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) -> f64 {
        let shift = T::splat(simd, self.shift);
        let mut sum = T::splat(simd, T::ZERO);
        for score in T::vectors_mut::<S>(self.row) {
            *score = T::exp2(simd, T::sub(simd, *score, shift));
            sum = T::add(simd, sum, *score);
        }
        T::sum(simd, sum).to_f64()
    }
}
