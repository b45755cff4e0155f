//! The sources of one replica as the kernels read them: component by component, aligned, padded to whole vectors.

use std::marker::PhantomData;

use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;

use super::real::Real;
use crate::tokens::{Shape, Tokens};

/// Keys are padded to a multiple of this many, whole vectors on every instruction set.
pub(super) const PADDING: usize = 16;

/// One cache line, so that no vector load straddles two.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// The sources of every replica: `width` columns of coordinates, then one of log2 weights, `padded` long each.
pub(super) struct Packed<T> {
    lines: Vec<Line>,
    padded: usize,
    width: usize,
    format: PhantomData<T>,
}

impl<T: Real> Packed<T> {
    /// Room for the sources of `tokens`, in `width` >= dim components of which the excess stay zero.
    pub(super) fn new(tokens: &Tokens, width: usize) -> Self {
        let shape = tokens.shape;
        let padded = shape.sources().next_multiple_of(PADDING);
        let bytes = shape.replicas * (width + 1) * padded * size_of::<T>();
        let lines = vec![Line::zeroed(); bytes.div_ceil(size_of::<Line>())];
        let mut packed = Self { lines, padded, width, format: PhantomData };
        for replica in 0..shape.replicas {
            let bias = &mut packed.columns_mut(replica)[width * padded..];
            bias.fill(T::DEAD);
            for (token, bias) in bias[..shape.sources()].iter_mut().enumerate() {
                let weight = tokens.weight(replica, token);
                if weight > 0.0 {
                    *bias = T::from_f64(weight.log2());
                }
            }
        }
        packed
    }

    /// Copies the sources out of `coordinates`, ordered (replica, token, component), into their columns.
    pub(super) fn pack(&mut self, shape: Shape, coordinates: &[f64]) {
        let (padded, width) = (self.padded, self.width);
        let columns: &mut [T] = bytemuck::cast_slice_mut(&mut self.lines);
        let replicas = columns.par_chunks_exact_mut((width + 1) * padded);
        replicas.zip(coordinates.par_chunks_exact(shape.count * shape.dim)).for_each(|(columns, tokens)| {
            for (token, coordinates) in tokens.chunks_exact(shape.dim).take(shape.sources()).enumerate() {
                for (component, value) in coordinates.iter().enumerate() {
                    columns[component * padded + token] = T::from_f64(*value);
                }
            }
        });
    }

    fn columns_mut(&mut self, replica: usize) -> &mut [T] {
        let length = (self.width + 1) * self.padded;
        &mut bytemuck::cast_slice_mut(&mut self.lines)[replica * length..][..length]
    }

    pub(super) fn replica(&self, replica: usize) -> Keys<'_, T> {
        let values: &[T] = bytemuck::cast_slice(&self.lines);
        let length = (self.width + 1) * self.padded;
        Keys { columns: &values[replica * length..][..length], padded: self.padded, width: self.width }
    }
}

/// The sources of one replica.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a, T> {
    columns: &'a [T],
    pub(super) padded: usize,
    pub(super) width: usize,
}

impl<'a, T> Keys<'a, T> {
    /// One component of all sources.
    pub(super) fn component(&self, component: usize) -> &'a [T] {
        &self.columns[component * self.padded..][..self.padded]
    }

    /// log2 w_j of all sources.
    pub(super) fn bias(&self) -> &'a [T] {
        self.component(self.width)
    }

    /// All components, `padded` numbers each.
    pub(super) fn components(&self) -> &'a [T] {
        &self.columns[..self.width * self.padded]
    }
}
