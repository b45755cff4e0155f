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
        // Scores are queries times keys.
        multiply(
            [count, width, length],
            Strided { entries: queries.rows, row: width, column: 1 },
            Strided { entries: components, row: keys.stride(), column: 1 },
            Strided { entries: &mut weights, row: TILE, column: 1 },
        );
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
        // Moments are weights times values, which are the keys.
        multiply(
            [count, length, width],
            Strided { entries: &weights, row: TILE, column: 1 },
            Strided { entries: components, row: 1, column: keys.stride() },
            Strided { entries: &mut moments, row: width, column: 1 },
        );
        for (totals, moments) in totals.chunks_exact_mut(width + 1).zip(moments.chunks_exact(width)) {
            for (total, moment) in totals[1..].iter_mut().zip(moments) {
                *total += moment.to_f64();
            }
        }
    }
    out.fill(width, shifts.into_iter(), &totals);
}

/// A matrix inside a slice: how far apart its rows lie, and its columns.
struct Strided<S> {
    entries: S,
    row: usize,
    column: usize,
}

/// product (rows, columns) <- left (rows, inner) * right (inner, columns)
fn multiply<T: Real>(
    [rows, inner, columns]: [usize; 3],
    left: Strided<&[T]>,
    right: Strided<&[T]>,
    product: Strided<&mut [T]>,
) {
    let reaches = |rows: usize, columns: usize, row, column| (rows - 1) * row + (columns - 1) * column;
    assert!(left.entries.len() > reaches(rows, inner, left.row, left.column));
    assert!(right.entries.len() > reaches(inner, columns, right.row, right.column));
    assert!(product.entries.len() > reaches(rows, columns, product.row, product.column));
    // SAFETY: the three matrices lie within their slices by the assertions above, and do not overlap.
    unsafe {
        gemm(
            rows,
            columns,
            inner,
            product.entries.as_mut_ptr(),
            product.column as isize,
            product.row as isize,
            false,
            left.entries.as_ptr(),
            left.column as isize,
            left.row as isize,
            right.entries.as_ptr(),
            right.column as isize,
            right.row as isize,
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
