//! The field at the tokens of a vector of replicas, a replica a lane.

use super::{
    decays::LaneDecay,
    replicas::{Ensemble, NORMALIZERS, Pairs},
};
use crate::{
    backend::cpu::{
        field::HeadField,
        map::{LaneMatrix, Maps, image},
    },
    model::{Field, Normalization},
    sums::{columns::Numbers, exp2::Exp2, real::Real},
};

/// Keys whose weights are made and added at once.
const BLOCK: usize = 4;

/// The equation of the replicas of one vector.
pub(super) struct Fields<'a, S: Exp2, T: Real, const D: usize> {
    pub(super) ensemble: Ensemble<'a, T>,
    /// (head, number of the normalizer).
    normalizers: Vec<T::Vector<S>>,
    /// For each head A^T and V where replicas have their own.
    matrices: Vec<HeadMatrices<T::Vector<S>>>,
    /// One for each head where weights decay with distance.
    decays: Vec<LaneDecay<T::Vector<S>>>,
    /// Room for (M, Z) of every token.
    sums: Numbers<T>,
    /// Room for the scores of one token.
    scores: Numbers<T>,
}

/// A^T and V of a head, where replicas have their own.
type HeadMatrices<V> = [Option<LaneMatrix<V>>; 2];

/// What a replica makes of the scores under one head.
#[derive(Clone, Copy)]
struct Normalizer<V> {
    factor: V,
    shift: V,
    /// What sums are multiplied by where nothing divides them.
    undivided: V,
}

/// Of a token: coordinates and bias, or the sums M and Z.
#[derive(Clone, Copy)]
struct Row<V, const D: usize> {
    vector: [V; D],
    scalar: V,
}

impl<'a, S: Exp2, T: Real, const D: usize> Fields<'a, S, T, D> {
    /// For the `present` replicas from `first` on.
    #[inline(always)]
    pub(super) fn new(_: S, ensemble: Ensemble<'a, T>, first: usize, present: usize) -> Self {
        let lanes = T::lanes::<S>();
        let normalizers = T::vectors::<S>(&ensemble.normalizers(first, present, lanes)).to_vec();
        let matrices = ensemble.heads.iter().map(|head| {
            let (query, factor) = head.query_map();
            let own = |maps: &Maps, factor| LaneMatrix::of::<S, T, D>(maps, factor, first, present);
            [own(query, factor), own(head.value_map(), 1.0)]
        });
        Self {
            ensemble,
            normalizers,
            matrices: matrices.collect(),
            decays: LaneDecay::of_heads::<S, T>(&ensemble, first, present),
            sums: Numbers::zeros(ensemble.count * (D + 1) * lanes),
            scores: Numbers::zeros(ensemble.sources * lanes),
        }
    }

    /// `field` <- (token, component) of the field at `tokens`, (token, coordinates and bias).
    #[inline(always)]
    pub(super) fn at(&mut self, simd: S, tokens: &[T::Vector<S>], field: &mut [T::Vector<S>]) {
        let zero = T::splat(simd, T::ZERO);
        field.fill(zero);
        let sums = T::vectors_mut::<S>(self.sums.all_mut());
        let scores = T::vectors_mut::<S>(self.scores.all_mut());
        let normalizers = self.normalizers.chunks_exact(NORMALIZERS);
        let heads = self.ensemble.heads.iter().zip(normalizers).zip(&self.matrices);
        for (index, ((head, normalizer), [query, value])) in heads.enumerate() {
            let decay = self.decays.get(index);
            let normalizer = Normalizer { factor: normalizer[0], shift: normalizer[1], undivided: normalizer[2] };
            let share =
                Share::<S, T, D> { simd, head, normalizer, query: query.as_ref(), value: value.as_ref(), decay };
            match self.ensemble.pairs {
                Pairs::Ordered => share.sum_rows(&self.ensemble, tokens, scores, sums),
                Pairs::Unordered => share.sum_pairs(self.ensemble.sources, tokens, scores, sums),
            }
            for (token, (field, sums)) in field.chunks_exact_mut(D).zip(sums.chunks_exact(D + 1)).enumerate() {
                share.add(token, row(sums), field);
            }
        }
        if self.ensemble.field == Field::Tangent {
            for (x, field) in tokens.chunks_exact(D + 1).zip(field.chunks_exact_mut(D)) {
                let mut radial = zero;
                for c in 0..D {
                    radial = T::mul_add(simd, x[c], field[c], radial);
                }
                for c in 0..D {
                    field[c] = T::negate_mul_add(simd, radial, x[c], field[c]);
                }
            }
        }
    }
}

#[inline(always)]
fn row<V: Copy, const D: usize>(numbers: &[V]) -> Row<V, D> {
    Row { vector: std::array::from_fn(|c| numbers[c]), scalar: numbers[D] }
}

#[inline(always)]
fn set<V: Copy, const D: usize>(numbers: &mut [V], row: Row<V, D>) {
    numbers[..D].copy_from_slice(&row.vector);
    numbers[D] = row.scalar;
}

/// One head in one vector of replicas.
struct Share<'a, S: Exp2, T: Real, const D: usize> {
    simd: S,
    head: &'a HeadField<T>,
    normalizer: Normalizer<T::Vector<S>>,
    /// beta log2(e) A^T, and V, where replicas have their own.
    query: Option<&'a LaneMatrix<T::Vector<S>>>,
    value: Option<&'a LaneMatrix<T::Vector<S>>>,
    decay: Option<&'a LaneDecay<T::Vector<S>>>,
}

impl<S: Exp2, T: Real, const D: usize> Share<'_, S, T, D> {
    /// (M, Z) of every token over the keys that it sees.
    #[inline(always)]
    fn sum_rows(
        &self,
        ensemble: &Ensemble<'_, T>,
        tokens: &[T::Vector<S>],
        scores: &mut [T::Vector<S>],
        sums: &mut [T::Vector<S>],
    ) {
        for (token, (x, sum)) in tokens.chunks_exact(D + 1).zip(sums.chunks_exact_mut(D + 1)).enumerate() {
            let seen = ensemble.mask.visible(token, ensemble.sources);
            set(sum, self.sum_row(&row(x).vector, &tokens[..seen * (D + 1)], scores));
        }
    }

    /// (M, Z) of one token over `keys`, for whose scores there is room.
    #[inline(always)]
    fn sum_row(
        &self,
        x: &[T::Vector<S>; D],
        keys: &[T::Vector<S>],
        scores: &mut [T::Vector<S>],
    ) -> Row<T::Vector<S>, D> {
        let query = self.query(x);
        let scores = &mut scores[..keys.len() / (D + 1)];
        for (score, key) in scores.iter_mut().zip(keys.chunks_exact(D + 1)) {
            *score = self.score(&query, &row(key));
        }
        if let Some(decay) = self.decay {
            for ((score, bias), key) in scores.iter_mut().zip(&decay.bias).zip(keys.chunks_exact(D + 1)) {
                *score = T::add(self.simd, *score, T::sub(self.simd, *bias, key[D]));
            }
        }
        if self.head.constant_shift().is_none() {
            self.shift_by_maximum(scores);
        }
        let zero = T::splat(self.simd, T::ZERO);
        let mut sums = Row { vector: [zero; D], scalar: zero };
        let (blocks, rest) = scores.as_chunks::<BLOCK>();
        let (block_keys, rest_keys) = keys.split_at(blocks.len() * BLOCK * (D + 1));
        for (scores, keys) in blocks.iter().zip(block_keys.chunks_exact(BLOCK * (D + 1))) {
            self.accumulate(*scores, keys, &mut sums);
        }
        for (score, key) in rest.iter().zip(rest_keys.chunks_exact(D + 1)) {
            self.accumulate([*score], key, &mut sums);
        }
        sums
    }

    /// Subtracts the largest; scores of keys without weight stay so low that nothing is left of them, whatever the others are.
    #[inline(always)]
    fn shift_by_maximum(&self, scores: &mut [T::Vector<S>]) {
        let mut largest = T::splat(self.simd, T::from_f64(0.5 * T::MASKED.to_f64()));
        for score in scores.iter() {
            largest = T::max(self.simd, largest, *score);
        }
        for score in scores {
            *score = T::sub(self.simd, *score, largest);
        }
    }

    /// Adds `N` keys in turn, component by component, so that sums stay in registers meanwhile.
    #[inline(always)]
    fn accumulate<const N: usize>(
        &self,
        scores: [T::Vector<S>; N],
        keys: &[T::Vector<S>],
        sums: &mut Row<T::Vector<S>, D>,
    ) {
        let weights = T::exp2_each(self.simd, scores);
        for c in 0..D {
            for k in 0..N {
                sums.vector[c] = T::mul_add(self.simd, weights[k], keys[k * (D + 1) + c], sums.vector[c]);
            }
        }
        for weight in weights {
            sums.scalar = T::add(self.simd, sums.scalar, weight);
        }
    }

    /// The same where the weight of (i, j) is that of (j, i): what a pair adds to the later of the two is kept in `sums`.
    #[inline(always)]
    fn sum_pairs(
        &self,
        sources: usize,
        tokens: &[T::Vector<S>],
        scores: &mut [T::Vector<S>],
        sums: &mut [T::Vector<S>],
    ) {
        sums.fill(T::splat(self.simd, T::ZERO));
        let (sources, passive) = tokens.split_at(sources * (D + 1));
        let (sums, passive_sums) = sums.split_at_mut(sources.len());
        for i in (0..sources.len()).step_by(D + 1) {
            let own = row(&sources[i..]);
            let query = self.query(&own.vector);
            let (sum, later_sums) = sums[i..].split_at_mut(D + 1);
            let mut total = self.plus(row(sum), self.weight(&query, &own), &own.vector);
            for (key, sum) in sources[i + D + 1..].chunks_exact(D + 1).zip(later_sums.chunks_exact_mut(D + 1)) {
                let key = row(key);
                let weight = self.weight(&query, &key);
                total = self.plus(total, weight, &key.vector);
                set(sum, self.plus(row(sum), weight, &own.vector));
            }
            set(sum, total);
        }
        for (x, sum) in passive.chunks_exact(D + 1).zip(passive_sums.chunks_exact_mut(D + 1)) {
            set(sum, self.sum_row(&row(x).vector, sources, scores));
        }
    }

    /// beta log2(e) A^T x.
    #[inline(always)]
    fn query(&self, x: &[T::Vector<S>; D]) -> [T::Vector<S>; D] {
        let (map, factor) = self.head.query_map();
        let mut query = image::<S, T, D>(self.simd, map, factor, self.query, x);
        for c in 0..D {
            query[c] = T::mul(self.simd, self.normalizer.factor, query[c]);
        }
        query
    }

    /// log2 w_j + <query, y_j> - shift.
    #[inline(always)]
    fn score(&self, query: &[T::Vector<S>; D], key: &Row<T::Vector<S>, D>) -> T::Vector<S> {
        let mut score = T::sub(self.simd, key.scalar, self.normalizer.shift);
        for c in 0..D {
            score = T::mul_add(self.simd, query[c], key.vector[c], score);
        }
        score
    }

    /// w_j 2^{<query, y_j> - shift}.
    #[inline(always)]
    fn weight(&self, query: &[T::Vector<S>; D], key: &Row<T::Vector<S>, D>) -> T::Vector<S> {
        T::exp2(self.simd, self.score(query, key))
    }

    #[inline(always)]
    fn plus(
        &self,
        mut sums: Row<T::Vector<S>, D>,
        weight: T::Vector<S>,
        y: &[T::Vector<S>; D],
    ) -> Row<T::Vector<S>, D> {
        for c in 0..D {
            sums.vector[c] = T::mul_add(self.simd, weight, y[c], sums.vector[c]);
        }
        sums.scalar = T::add(self.simd, sums.scalar, weight);
        sums
    }

    /// Adds V sum_j a_j y_j to the field of a token; nothing if it sees nothing.
    #[inline(always)]
    fn add(&self, token: usize, sums: Row<T::Vector<S>, D>, field: &mut [T::Vector<S>]) {
        let (simd, Row { vector: mut moment, scalar: sum }) = (self.simd, sums);
        let scale = match self.head.normalization {
            Normalization::Softmax => {
                let inverse = T::div(simd, T::splat(simd, T::ONE), sum);
                T::select_above(simd, sum, T::splat(simd, T::ZERO), inverse, sum)
            }
            Normalization::Unnormalized
            | Normalization::Shifted
            | Normalization::Hardmax
            | Normalization::Relu
            | Normalization::Sigmoid
            | Normalization::Sinkhorn { .. } => {
                let undivided = self.normalizer.undivided;
                let divisor = self.decay.and_then(|decay| decay.divisors.get(token));
                divisor.map_or(undivided, |divisor| T::mul(simd, undivided, *divisor))
            }
        };
        for c in 0..D {
            moment[c] = T::mul(simd, scale, moment[c]);
        }
        let share = image::<S, T, D>(simd, self.head.value_map(), 1.0, self.value, &moment);
        for c in 0..D {
            field[c] = T::add(simd, field[c], share[c]);
        }
    }
}
