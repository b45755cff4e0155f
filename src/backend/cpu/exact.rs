//! What harmonics are held against: the field of a few tokens, of length one in double precision, from all pairs in double
//! precision, whatever the precision of the run.
//!
//! Direct sums in single precision would not do: they are off by as much as harmonics are.

use rayon::prelude::*;

use super::{
    field::{HeadField, Visibility},
    part::Join,
    problem::Cpu,
    series::widened,
};
use crate::{
    model::Field,
    sums::{
        columns::{Columns, ColumnsRef},
        keys::Bias,
        real::Real,
        reduction::Reduced,
    },
    tokens::Shape,
};

/// Keys that are put in double precision at once.
const KEYS: usize = 1 << 14;

impl<T: Real> Cpu<T> {
    /// The field at tokens with these `rows`, row-major, of all sources of a replica, of which `tokens` are those that are held here: for
    /// terms that harmonics serve.
    pub(super) fn exact<J: Join>(
        &self,
        replica: usize,
        tokens: ColumnsRef<'_, T>,
        rows: &[f64],
        field: Field,
        join: &J,
    ) -> Result<Vec<f64>, J::Error> {
        let dim = self.shape.dim;
        let queries = columns_of::<T>(dim, rows);
        let rows = widened(queries.replica(0)).replica(0).rows(dim, rows.len() / dim);
        let mut fields = vec![0.0; rows.len()];
        let heads = self.exact_heads();
        let spans = self.exact_sums(&heads, replica, tokens, &rows);
        let spans = join.join(spans.iter().map(|heads| flattened(heads)).collect())?;
        let spans = spans.iter().map(|numbers| unflattened(numbers, heads.len(), dim));
        for (head, reduced) in heads.iter().zip(spans.reduce(|all, span| joined(all, &span, dim)).unwrap_or_default())
        {
            head.add(0, dim, &reduced, None, &mut fields);
        }
        self.finish(field, queries.replica(0), &rows, &mut fields);
        Ok(fields)
    }

    fn exact_heads(&self) -> Vec<HeadField<f64>> {
        self.model.attention.heads.iter().map(|head| HeadField::new(head, self.head_inputs())).collect()
    }

    /// The sums of each head over each span of the sources that are held here, chunk by chunk, so that few are in double precision at
    /// once.
    fn exact_sums(
        &self,
        heads: &[HeadField<f64>],
        replica: usize,
        tokens: ColumnsRef<'_, T>,
        rows: &[f64],
    ) -> Vec<Vec<Reduced>> {
        let (dim, sources, span) = (self.shape.dim, self.shape.sources(), self.part.span());
        let chunk = |first: usize| {
            let end = (first - first % span + span).min(sources);
            let count = KEYS.min(end - first);
            let keys = widened(tokens.part(first, KEYS.min(span - first % span)));
            let shape = Shape { replicas: 1, count, dim, passive: 0 };
            let bias = Bias::of(shape, |_, token| self.weight(replica, first + token));
            let keys = bias.keys(0, keys.replica(0));
            let visibility = Visibility { visible: vec![keys.padded; rows.len() / dim], ..Visibility::default() };
            let sums = |head: &HeadField<f64>| {
                let mut reduced = Reduced::default();
                head.reduce(self.instructions, rows, dim, keys, &visibility, &mut reduced);
                reduced
            };
            heads.iter().map(sums).collect::<Vec<_>>()
        };
        let of_span = |start: usize| (start..(start + span).min(sources)).step_by(KEYS);
        let firsts: Vec<usize> = (0..sources).step_by(span).flat_map(of_span).collect();
        // A thread that waits within a chunk begins others, as many as it can get, each with keys of its own.
        let few = |firsts: &[usize]| firsts.par_iter().map(|first| chunk(*first)).collect::<Vec<_>>();
        let chunks = firsts.chunks(rayon::current_num_threads()).flat_map(few);
        let mut spans: Vec<Vec<Reduced>> = Vec::new();
        for (first, chunk) in firsts.iter().zip(chunks) {
            match spans.last_mut() {
                Some(sums) if first % span > 0 => *sums = joined(std::mem::take(sums), &chunk, dim),
                _ => spans.push(chunk),
            }
        }
        spans
    }
}

/// Tokens with these `rows`, row-major, and padding after them.
pub(super) fn columns_of<T: Real>(dim: usize, rows: &[f64]) -> Columns<T> {
    let count = rows.len() / dim;
    let mut columns = Columns::zeros(1, dim, count);
    for mut columns in columns.replicas_mut() {
        columns.set_rows(dim, rows);
        columns.pad(count);
    }
    columns
}

/// The numbers of the sums of each head.
fn flattened(heads: &[Reduced]) -> Vec<f64> {
    heads.iter().flat_map(|reduced| reduced.log2_sum.iter().chain(&reduced.barycentre)).copied().collect()
}

fn unflattened(numbers: &[f64], heads: usize, dim: usize) -> Vec<Reduced> {
    let of_head = |numbers: &[f64]| {
        let (log2_sum, barycentre) = numbers.split_at(numbers.len() / (dim + 1));
        Reduced { log2_sum: log2_sum.to_vec(), barycentre: barycentre.to_vec() }
    };
    numbers.chunks_exact((numbers.len() / heads.max(1)).max(1)).map(of_head).collect()
}

/// The sums of each head over other keys of the same queries, added.
fn joined(mut totals: Vec<Reduced>, other: &[Reduced], dim: usize) -> Vec<Reduced> {
    totals.iter_mut().zip(other).for_each(|(totals, sums)| join(totals, sums, dim));
    totals
}

/// Adds the sums over other keys of the same queries.
fn join(totals: &mut Reduced, other: &Reduced, dim: usize) {
    let own = totals.log2_sum.iter_mut().zip(totals.barycentre.chunks_exact_mut(dim));
    for ((own, mean), (sum, value)) in own.zip(other.log2_sum.iter().zip(other.barycentre.chunks_exact(dim))) {
        let largest = own.max(*sum);
        if largest == f64::NEG_INFINITY {
            continue;
        }
        let both = largest + ((*own - largest).exp2() + (sum - largest).exp2()).log2();
        let (kept, added) = ((*own - both).exp2(), (sum - both).exp2());
        mean.iter_mut().zip(value).for_each(|(mean, value)| *mean = kept * *mean + added * value);
        *own = both;
    }
}
