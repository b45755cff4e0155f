//! Sums pair by pair of the tokens of one process over the keys of all, which go round in their order.

use rayon::prelude::*;

use super::{super::problem::BLOCK, *};
use crate::{
    backend::cpu::{exact::columns_of, field::HeadField},
    exchange::{self, broadcast_parts},
    sums::{
        keys::Keys,
        reduction::{PART, Reduced, Sums, block},
    },
    tokens::Weights,
};

/// Keys that go round at once: enough that the way takes longer than its beginning, and few beside the tokens.
const KEYS: usize = 16 * PART;

/// A run of keys that go round together.
struct Round {
    owner: usize,
    /// The first of them among the tokens of its owner.
    start: usize,
    count: usize,
}

impl Round {
    /// Those of all processes, in the order of tokens.
    fn all(whole: Shape, ranks: usize) -> Vec<Self> {
        let of_rank = |owner| {
            let sources = Part::shape_of(whole, owner, ranks).sources();
            let starts = (0..sources).step_by(KEYS);
            starts.map(move |start| Self { owner, start, count: KEYS.min(sources - start) })
        };
        (0..ranks).flat_map(of_rank).collect()
    }

    fn padded(&self) -> usize {
        self.count.next_multiple_of(PADDING)
    }
}

/// Queries that are reduced together, in the precision of the run, and their sums so far, for each head.
struct Block<T> {
    rows: Vec<Vec<T>>,
    visible: Vec<usize>,
    sums: Vec<Sums>,
}

impl<T: Real> Together<'_, T> {
    /// The sums of each of `heads` at tokens of this process with these `rows`, row-major, over the sources of all processes, whose tokens
    /// are `keys`: block by block of tokens, head by head.
    pub(super) fn pairs(
        &self,
        heads: &[&HeadField<T>],
        keys: &Columns<T>,
        rows: &[f64],
    ) -> Result<Vec<Vec<Reduced>>, BackendError> {
        let (cpu, dim) = (self.cpu, self.cpu.shape.dim);
        let prepared = |rows: &[f64]| Block {
            rows: heads.iter().map(|head| head.query_rows(rows, dim, dim, 0)).collect(),
            visible: vec![0; rows.len() / dim],
            sums: vec![Sums::default(); heads.len()],
        };
        let mut blocks: Vec<Block<T>> = self.blocks(rows).map(prepared).collect();
        let rounds = Round::all(cpu.part.whole, self.exchange.ranks());
        let has_weights = usize::from(cpu.weights != Weights::Equal);
        let bytes = |round: &Round| round.padded() * (dim + has_weights) * size_of::<T>();
        let parts: Vec<_> =
            rounds.iter().map(|round| exchange::Part { owner: round.owner, bytes: bytes(round) }).collect();
        let tokens = keys.replica(0);
        let load = |index: usize, bytes: &mut [u8]| {
            let Round { start, .. } = rounds[index];
            let padded = rounds[index].padded();
            let biases = cpu.bias.replica(0);
            let columns = (0..dim).map(|c| tokens.column(c)).chain((has_weights > 0).then_some(biases));
            for (bytes, column) in bytes.chunks_exact_mut(padded * size_of::<T>()).zip(columns) {
                bytes.copy_from_slice(bytemuck::cast_slice(&column[start..][..padded]));
            }
        };
        let visit = |index: usize, bytes: &[u8]| {
            let (columns, bias) = self.received(&rounds[index], bytes);
            let keys = Keys::new(columns.replica(0), bias.replica(0).column(0));
            blocks.par_iter_mut().filter(|_| !cpu.cancel.is_requested()).for_each(|block| {
                block.visible.fill(keys.padded);
                for ((head, rows), sums) in heads.iter().zip(&block.rows).zip(&mut block.sums) {
                    head.add_keys(cpu.instructions, rows, keys, &block.visible, sums);
                }
            });
        };
        let way = broadcast_parts(self.exchange, &parts, load, || cpu.cancel.is_requested(), visit)?;
        // Blocks of the last round may have been left out.
        if way.is_break() || cpu.cancel.is_requested() {
            return Err(BackendError::Cancelled);
        }
        let reduced = |sums: &Sums| {
            let mut reduced = Reduced::default();
            reduced.fill(dim, sums);
            reduced
        };
        Ok(blocks.par_iter().map(|block| block.sums.iter().map(reduced).collect()).collect())
    }

    /// Tokens in blocks that are reduced together.
    pub(super) fn blocks<'a>(&self, rows: &'a [f64]) -> impl Iterator<Item = &'a [f64]> {
        let Shape { dim, .. } = self.cpu.shape;
        rows.chunks(dim * block(dim, rows.len() / dim))
    }

    /// Keys as they came from their owner, and log2 of their weights.
    fn received(&self, round: &Round, bytes: &[u8]) -> (Columns<T>, Columns<T>) {
        let (dim, padded) = (self.cpu.shape.dim, round.padded());
        let (mut columns, mut bias) = (Columns::zeros(1, dim, padded), Columns::zeros(1, 1, padded));
        let mut received = bytes.chunks_exact(padded * size_of::<T>());
        for mut columns in columns.replicas_mut() {
            for (component, bytes) in (0..dim).zip(&mut received) {
                bytemuck::cast_slice_mut(columns.column_mut(component)).copy_from_slice(bytes);
            }
        }
        let log2_weight = self.cpu.part.whole.sources() as f64;
        for mut bias in bias.replicas_mut() {
            let bias = bias.column_mut(0);
            match received.next() {
                Some(bytes) => bytemuck::cast_slice_mut(bias).copy_from_slice(bytes),
                None => {
                    bias[..round.count].fill(T::from_f64((1.0 / log2_weight).log2()));
                    bias[round.count..].fill(T::MASKED);
                }
            }
        }
        (columns, bias)
    }

    /// The field at tokens of this process with these `rows`, row-major, pair by pair.
    pub(super) fn fields_by_pairs(
        &self,
        keys: &Columns<T>,
        field: Field,
        rows: &[f64],
    ) -> Result<Vec<f64>, BackendError> {
        let dim = self.cpu.shape.dim;
        let heads: Vec<_> = self.cpu.heads.iter().collect();
        let sums = self.pairs(&heads, keys, rows)?;
        let blocks: Vec<&[f64]> = self.blocks(rows).collect();
        let of_block = |(rows, sums): (&&[f64], &Vec<Reduced>)| {
            let mut fields = vec![0.0; rows.len()];
            for (head, reduced) in heads.iter().zip(sums) {
                head.add(0, dim, reduced, None, &mut fields);
            }
            self.cpu.finish(field, columns_of(dim, rows).replica(0), rows, &mut fields);
            fields
        };
        let fields: Vec<Vec<f64>> = blocks.par_iter().zip(&sums).map(of_block).collect();
        Ok(fields.concat())
    }
}

const _: () = assert!(PART.is_multiple_of(BLOCK), "spans are whole blocks of tokens");
