//! Affine maps of many tokens at once: x -> M x + b, tokens across the lanes.

use crate::sums::{
    columns::{ColumnsMut, ColumnsRef},
    exp2::Exp2,
    instructions::{Instructions, Kernel},
    real::Real,
};

/// Rows of the matrix that share each load of a token.
const ROWS: usize = 4;
/// Vectors of tokens that share each load of the matrix.
const VECTORS: usize = 2;

/// M of shape (rows, columns) and b.
pub(super) struct Affine<T> {
    matrix: Vec<T>,
    bias: Vec<T>,
    columns: usize,
}

impl<T: Real> Affine<T> {
    /// `factor` (M x + b), from M in row-major order; no bias given is b = 0.
    pub(super) fn new(matrix: &[f64], bias: &[f64], columns: usize, factor: f64) -> Self {
        let rows = matrix.len() / columns;
        let scaled = |entry: &f64| T::from_f64(factor * entry);
        let mut numbers: Vec<T> = bias.iter().map(scaled).collect();
        numbers.resize(rows, T::ZERO);
        Self { matrix: matrix.iter().map(scaled).collect(), bias: numbers, columns }
    }

    /// Numbers of an image.
    pub(super) fn rows(&self) -> usize {
        self.bias.len()
    }

    /// The images of a run of tokens, whose padding has images too.
    pub(super) fn apply(
        &self,
        instructions: Instructions,
        tokens: ColumnsRef<'_, T>,
        images: &mut ColumnsMut<'_, T>,
    ) {
        instructions.run(Apply { map: self, tokens, images });
    }
}

struct Apply<'a, 'b, T> {
    map: &'a Affine<T>,
    tokens: ColumnsRef<'a, T>,
    images: &'a mut ColumnsMut<'b, T>,
}

impl<T: Real> Kernel for Apply<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) {
        let Affine { matrix, bias, columns } = self.map;
        for (group, rows) in matrix.chunks(ROWS * columns).enumerate() {
            let first = group * ROWS;
            if rows.len() == ROWS * columns {
                multiply::<S, T, ROWS>(simd, rows, &bias[first..], self.tokens, first, self.images);
            } else {
                for (k, row) in rows.chunks(*columns).enumerate() {
                    multiply::<S, T, 1>(simd, row, &bias[first + k..], self.tokens, first + k, self.images);
                }
            }
        }
    }
}

/// Components `first` .. `first` + R of the images, by R rows of the matrix.
#[inline(always)]
fn multiply<S: Exp2, T: Real, const R: usize>(
    simd: S,
    rows: &[T],
    bias: &[T],
    tokens: ColumnsRef<'_, T>,
    first: usize,
    images: &mut ColumnsMut<'_, T>,
) {
    let (columns, lanes) = (rows.len() / R, T::lanes::<S>());
    let vectors = tokens.len() / lanes;
    for start in (0..vectors).step_by(VECTORS) {
        let count = VECTORS.min(vectors - start);
        let mut sum = [[T::splat(simd, T::ZERO); VECTORS]; R];
        for r in 0..R {
            sum[r] = [T::splat(simd, bias[r]); VECTORS];
        }
        for c in 0..columns {
            let x = T::vectors::<S>(&tokens.column(c)[start * lanes..][..count * lanes]);
            let x = [x[0], x[count - 1]];
            for r in 0..R {
                let entry = T::splat(simd, rows[r * columns + c]);
                for v in 0..VECTORS {
                    sum[r][v] = T::mul_add(simd, entry, x[v], sum[r][v]);
                }
            }
        }
        for r in 0..R {
            let column = &mut images.column_mut(first + r)[start * lanes..][..count * lanes];
            T::vectors_mut::<S>(column).copy_from_slice(&sum[r][..count]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sums::columns::Columns;

    /// Rows and vectors in whole groups and not, on every instruction set.
    #[test]
    fn images_are_matrix_times_token_plus_bias() {
        for (rows, columns, count) in [(1, 1, 1), (4, 3, 16), (5, 7, 17), (13, 8, 48), (2, 33, 100)] {
            let number = |k: usize| (0.7 * k as f64 + 0.3).sin();
            let matrix: Vec<f64> = (0..rows * columns).map(number).collect();
            let bias: Vec<f64> = (0..rows).map(|k| number(1000 + k)).collect();
            let tokens: Vec<f64> = (0..count * columns).map(|k| number(2000 + k)).collect();
            let mut from = Columns::<f64>::zeros(1, columns, count);
            from.replicas_mut().for_each(|mut replica| replica.set_rows(columns, &tokens));
            for instructions in Instructions::available() {
                let mut images = Columns::<f64>::zeros(1, rows, count);
                for mut images in images.replicas_mut() {
                    Affine::new(&matrix, &bias, columns, 2.0).apply(instructions, from.replica(0), &mut images);
                }
                let found = images.replica(0).rows(rows, count);
                for (i, x) in tokens.chunks(columns).enumerate() {
                    for k in 0..rows {
                        let image: f64 = x.iter().zip(&matrix[k * columns..]).map(|(x, m)| x * m).sum();
                        let expected = 2.0 * (image + bias[k]);
                        assert!(
                            (found[i * rows + k] - expected).abs() < 1e-13,
                            "{}: component {k} of token {i} of {count}",
                            instructions.name()
                        );
                    }
                }
            }
        }
    }
}
