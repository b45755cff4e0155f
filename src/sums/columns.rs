//! Numbers of every token as the kernels read them: replica by replica, component by component, each component a column
//! on cache lines of its own, padded to whole vectors.

use std::marker::PhantomData;

use rayon::prelude::*;

use super::real::Real;
use crate::tokens::Tokens;

/// Columns are padded to a multiple of this many numbers, whole vectors on every instruction set.
pub(crate) const PADDING: usize = 16;

/// Bytes of a cache line: numbers begin where one does, so that no vector load straddles two.
const CACHE_LINE: usize = 64;

/// Numbers that begin where a cache line does.
pub(crate) struct Numbers<T> {
    /// Longer than the numbers by a cache line.
    words: Vec<u64>,
    /// The word at which the numbers begin.
    first: usize,
    length: usize,
    format: PhantomData<T>,
}

impl<T: Real> Numbers<T> {
    pub(crate) fn zeros(length: usize) -> Self {
        // Pages that the system gives are zeros already, and take no memory until they are written. Where more than its own alignment is
        // asked for, the allocator writes them; so the first cache line is looked for here.
        let words: Vec<u64> = vec![0; (length * size_of::<T>() + CACHE_LINE).div_ceil(size_of::<u64>())];
        let beyond = words.as_ptr().addr() % CACHE_LINE;
        let first = (CACHE_LINE - beyond) % CACHE_LINE / size_of::<u64>();
        Self { words, first, length, format: PhantomData }
    }

    #[inline(always)]
    pub(crate) fn all(&self) -> &[T] {
        &bytemuck::cast_slice(&self.words[self.first..])[..self.length]
    }

    #[inline(always)]
    pub(crate) fn all_mut(&mut self) -> &mut [T] {
        &mut bytemuck::cast_slice_mut(&mut self.words[self.first..])[..self.length]
    }
}

/// For every replica, `width` columns of `stride` numbers.
pub(crate) struct Columns<T> {
    numbers: Numbers<T>,
    width: usize,
    stride: usize,
}

impl<T: Real> Columns<T> {
    /// Zeros, `width` for each of `count` tokens of each of `replicas`, and for the padding after them.
    pub(crate) fn zeros(replicas: usize, width: usize, count: usize) -> Self {
        let stride = count.next_multiple_of(PADDING);
        Self { numbers: Numbers::zeros(replicas * width * stride), width, stride }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn clear(&mut self) {
        self.numbers.all_mut().fill(T::zeroed());
    }

    /// The columns of one replica.
    pub(crate) fn replica(&self, replica: usize) -> ColumnsRef<'_, T> {
        let length = self.width * self.stride;
        ColumnsRef {
            numbers: &self.numbers.all()[replica * length..][..length],
            stride: self.stride,
            start: 0,
            length: self.stride,
        }
    }

    /// The columns of every replica, to be written.
    pub(crate) fn replicas_mut(&mut self) -> impl Iterator<Item = ColumnsMut<'_, T>> {
        let (width, stride) = (self.width, self.stride);
        self.numbers.all_mut().chunks_exact_mut((width * stride).max(1)).map(move |numbers| ColumnsMut {
            first: numbers.as_mut_ptr(),
            stride,
            width,
            length: stride,
            numbers: PhantomData,
        })
    }
}

/// A run of tokens of one replica.
#[derive(Clone, Copy)]
pub(crate) struct ColumnsRef<'a, T> {
    numbers: &'a [T],
    stride: usize,
    start: usize,
    length: usize,
}

impl<'a, T: Real> ColumnsRef<'a, T> {
    /// One component of the run.
    #[inline(always)]
    pub(crate) fn column(&self, component: usize) -> &'a [T] {
        &self.numbers[component * self.stride + self.start..][..self.length]
    }

    /// Tokens in the run, padding included.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn width(&self) -> usize {
        self.numbers.len() / self.stride.max(1)
    }

    /// The part of the run from `start` on, up to `length` tokens, padding included.
    pub(crate) fn part(&self, start: usize, length: usize) -> Self {
        Self { start: self.start + start, length: length.min(self.length - start), ..*self }
    }

    /// The first `dim` components of the first `count` tokens, row-major (token, component).
    pub(crate) fn rows(&self, dim: usize, count: usize) -> Vec<f64> {
        let mut rows = Vec::new();
        self.add_rows(dim, count, &mut rows);
        rows
    }

    /// Adds them to others.
    pub(crate) fn add_rows(&self, dim: usize, count: usize, rows: &mut Vec<f64>) {
        let before = rows.len();
        rows.resize(before + count * dim, 0.0);
        for component in 0..dim {
            for (row, value) in rows.iter_mut().skip(before + component).step_by(dim).zip(self.column(component)) {
                *row = value.to_f64();
            }
        }
    }
}

/// A run of tokens of one replica, to be written.
pub(crate) struct ColumnsMut<'a, T> {
    /// The first component of the first token; the run has `width` columns of `length` numbers, `stride` apart.
    first: *mut T,
    stride: usize,
    width: usize,
    length: usize,
    numbers: PhantomData<&'a mut [T]>,
}

// SAFETY: a run is the only access to its numbers, as a mutable slice would be.
unsafe impl<T: Send> Send for ColumnsMut<'_, T> {}
// SAFETY: nobody reaches the numbers through a shared reference, except `parts`, which visits each part once.
unsafe impl<T: Send> Sync for ColumnsMut<'_, T> {}

impl<'a, T: Real> ColumnsMut<'a, T> {
    /// Runs of `length` tokens, a multiple of the padding, in their order; the last may be shorter.
    pub(crate) fn parts(self, length: usize) -> impl IndexedParallelIterator<Item = ColumnsMut<'a, T>> {
        let (whole, count) = (self.length, self.length.div_ceil(length));
        (0..count).into_par_iter().map(move |part| {
            let start = part * length;
            let run = &self;
            ColumnsMut {
                // SAFETY: start < whole, so this stays in the first column of the run; parts do not overlap.
                first: unsafe { run.first.add(start) },
                length: length.min(whole - start),
                numbers: PhantomData,
                ..*run
            }
        })
    }

    #[inline(always)]
    pub(crate) fn column_mut(&mut self, component: usize) -> &mut [T] {
        assert!(component < self.width);
        // SAFETY: the run owns `length` numbers of each of its `width` columns, which lie `stride` >= `length` apart.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(component * self.stride), self.length) }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// One component of the run.
    #[inline(always)]
    pub(crate) fn column(&self, component: usize) -> &[T] {
        assert!(component < self.width);
        // SAFETY: as in `column_mut`, and nobody else writes while the run is borrowed.
        unsafe { std::slice::from_raw_parts(self.first.add(component * self.stride), self.length) }
    }

    /// Tokens in the run, padding included.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// The first `dim` components of the run, row-major (token, component).
    pub(crate) fn rows(&self, dim: usize) -> Vec<f64> {
        let mut rows = vec![0.0; self.length * dim];
        for component in 0..dim {
            for (row, value) in rows[component..].iter_mut().step_by(dim).zip(self.column(component)) {
                *row = value.to_f64();
            }
        }
        rows
    }

    /// Takes `rows`, row-major (token, component) of `dim` components, into the columns.
    pub(crate) fn set_rows(&mut self, dim: usize, rows: &[f64]) {
        for component in 0..dim {
            let values = rows[component..].iter().step_by(dim);
            for (number, value) in self.column_mut(component).iter_mut().zip(values) {
                *number = T::from_f64(*value);
            }
        }
    }

    /// Makes what lies behind the first `count` tokens copies of the last of them: padding that goes where a token goes.
    pub(crate) fn pad(&mut self, count: usize) {
        for component in 0..self.width {
            let column = self.column_mut(component);
            let last = column[count - 1];
            column[count..].fill(last);
        }
    }

    /// Takes the components of one token of the run.
    pub(crate) fn set_row(&mut self, token: usize, row: &[f64]) {
        for (component, value) in row.iter().enumerate() {
            self.column_mut(component)[token] = T::from_f64(*value);
        }
    }
}

/// The tokens, and in the padding the last of them.
pub(crate) fn state<T: Real>(tokens: &Tokens) -> Columns<T> {
    let shape = tokens.shape;
    let mut state = Columns::zeros(shape.replicas, shape.dim, shape.count);
    for (replica, mut columns) in state.replicas_mut().enumerate() {
        columns.set_rows(shape.dim, tokens.replica(replica));
        columns.pad(shape.count);
    }
    state
}

#[cfg(test)]
mod tests {
    use super::{CACHE_LINE, Numbers};

    #[test]
    fn numbers_are_zeros_that_begin_where_a_cache_line_does() {
        for length in [0, 1, 7, 8, 16, 1000, 1 << 20] {
            let mut single = Numbers::<f32>::zeros(length);
            let mut double = Numbers::<f64>::zeros(length);
            for address in [single.all().as_ptr().addr(), double.all().as_ptr().addr()] {
                assert!(address.is_multiple_of(CACHE_LINE));
            }
            assert!(single.all() == vec![0.0; length] && double.all() == vec![0.0; length]);
            single.all_mut().fill(1.5);
            double.all_mut().fill(1.5);
            assert!(single.all() == vec![1.5; length] && double.all() == vec![1.5; length]);
        }
    }
}
