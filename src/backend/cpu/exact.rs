//! What harmonics are held against: the field of a few tokens, of length one in double precision, from all pairs in double
//! precision, whatever the precision of the run.
//!
//! Direct sums in single precision would not do: they are off by as much as harmonics are.

use rayon::prelude::*;

use super::{
    field::{HeadField, Visibility},
    problem::Cpu,
    series::widened,
    shift::HeadInputs,
};
use crate::{
    model::Field,
    sums::{
        columns::{Columns, ColumnsRef},
        keys::Bias,
        real::Real,
        reduction::Reduced,
    },
    tokens::{Shape, Weights},
};

/// Keys that are put in double precision at once.
const KEYS: usize = 1 << 14;

impl<T: Real> Cpu<T> {
    /// The field at a `sample` of the tokens of a replica, row-major, for terms that harmonics serve.
    pub(super) fn exact(
        &self,
        replica: usize,
        tokens: ColumnsRef<'_, T>,
        sample: &[usize],
        field: Field,
    ) -> Vec<f64> {
        let dim = self.shape.dim;
        let mut queries = Columns::zeros(1, dim, sample.len());
        let rows: Vec<f64> = sample.iter().flat_map(|token| tokens.part(*token, 1).rows(dim, 1)).collect();
        for mut queries in queries.replicas_mut() {
            queries.set_rows(dim, &rows);
            queries.pad(sample.len());
        }
        let rows = widened(queries.replica(0)).replica(0).rows(dim, sample.len());
        let mut fields = vec![0.0; rows.len()];
        let heads = self.exact_heads();
        for (head, reduced) in heads.iter().zip(self.exact_sums(&heads, replica, tokens, &rows)) {
            head.add(0, dim, &reduced, None, &mut fields);
        }
        self.finish(field, queries.replica(0), &rows, &mut fields);
        fields
    }

    fn exact_heads(&self) -> Vec<HeadField<f64>> {
        let Self { model, shape, weights, .. } = self;
        let inputs = HeadInputs { geometry: &model.geometry, attention: &model.attention, shape: *shape, weights };
        model.attention.heads.iter().map(|head| HeadField::new(head, inputs)).collect()
    }

    /// The sums of each head over all sources of a replica, chunk by chunk, so that few are in double precision at once.
    fn exact_sums(
        &self,
        heads: &[HeadField<f64>],
        replica: usize,
        tokens: ColumnsRef<'_, T>,
        rows: &[f64],
    ) -> Vec<Reduced> {
        let (dim, sources) = (self.shape.dim, self.shape.sources());
        let chunk = |first: usize| {
            let count = KEYS.min(sources - first);
            let keys = widened(tokens.part(first, KEYS));
            let weights = (first..first + count).map(|token| self.weights.of(self.shape, replica, token)).collect();
            let bias = Bias::new(Shape { replicas: 1, count, dim, passive: 0 }, &Weights::Each(weights));
            let keys = bias.keys(0, keys.replica(0));
            let visibility = Visibility { visible: vec![keys.padded; rows.len() / dim], ..Visibility::default() };
            let sums = |head: &HeadField<f64>| {
                let mut reduced = Reduced::default();
                head.reduce(self.instructions, rows, dim, keys, &visibility, &mut reduced);
                reduced
            };
            heads.iter().map(sums).collect::<Vec<_>>()
        };
        let firsts: Vec<usize> = (0..sources).step_by(KEYS).collect();
        let joined = |mut totals: Vec<Reduced>, chunk: Vec<Reduced>| {
            totals.iter_mut().zip(&chunk).for_each(|(totals, sums)| join(totals, sums, dim));
            totals
        };
        // A thread that waits within a chunk begins others, as many as it can get, each with keys of its own.
        let few = |firsts: &[usize]| firsts.par_iter().map(|first| chunk(*first)).collect::<Vec<_>>();
        firsts.chunks(rayon::current_num_threads()).flat_map(few).reduce(joined).unwrap_or_default()
    }
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
