//! Ensembles of small systems: replicas run across the lanes.
//!
//! Where a replica has few tokens, keys across lanes would mean a horizontal sum every few vectors. Here each lane is a
//! replica of its own: no sums across lanes, no tails, and the tokens of a whole vector of replicas stay in the first-level
//! cache while every query meets every key.

use super::{
    columns::{CloudMut, Columns},
    exp2::Exp2,
    field::HeadField,
    instructions::{Instructions, Kernel},
    keys::Bias,
    real::Real,
};
use crate::{
    model::{Field, Mask, Normalization},
    tokens::Shape,
};

/// Replicas that one task evaluates: whole vectors on every instruction set.
pub(super) const REPLICAS: usize = 16;

/// Replicas of the smallest ensemble: fewer would leave threads idle.
const FEWEST_REPLICAS: usize = 4 * REPLICAS;

/// Tokens of the largest replicas that are evaluated so: beyond, lanes are filled by keys as well.
const MOST_TOKENS: usize = 128;

/// The widest tokens that the kernel is compiled for; those of a width in between are padded with zeros.
const WIDEST: usize = 16;

/// Numbers that a head has for each replica.
const CLOCKS: usize = 3;

/// Whether replicas of that shape should be evaluated side by side, under heads that need no search for row maxima and no
/// exponential of a shift beyond the exponents of `T`.
pub(super) fn suits<T: Real>(shape: Shape, heads: &[HeadField<T>]) -> bool {
    let representable = |head: &HeadField<T>| head.constant_shift().is_some_and(|shift| shift <= T::EXPONENT_SPAN);
    shape.replicas >= FEWEST_REPLICAS
        && shape.count <= MOST_TOKENS
        && shape.dim <= WIDEST
        && heads.iter().all(|head| head.projections.is_none() && representable(head))
}

/// The equation and the tokens of an ensemble.
#[derive(Clone, Copy)]
pub(super) struct Ensemble<'a, T> {
    pub(super) heads: &'a [HeadField<T>],
    pub(super) mask: Mask,
    pub(super) field: Field,
    pub(super) tokens: &'a Columns<T>,
    pub(super) bias: &'a Bias<T>,
    pub(super) count: usize,
    pub(super) sources: usize,
}

impl<T: Real> Ensemble<'_, T> {
    /// The field at every token of the replicas from `first` on whose velocities are given, up to `REPLICAS` of them.
    pub(super) fn evaluate(self, instructions: Instructions, first: usize, velocities: &mut [CloudMut<'_, T>]) {
        match self.tokens.width() {
            2 => instructions.run(Group::<T, 2> { ensemble: self, first, velocities }),
            3 => instructions.run(Group::<T, 3> { ensemble: self, first, velocities }),
            4 => instructions.run(Group::<T, 4> { ensemble: self, first, velocities }),
            5..=8 => instructions.run(Group::<T, 8> { ensemble: self, first, velocities }),
            9..=WIDEST => instructions.run(Group::<T, WIDEST> { ensemble: self, first, velocities }),
            width => unreachable!("{width} components are not for ensembles"),
        }
    }
}

struct Group<'a, 'b, 'c, T, const D: usize> {
    ensemble: Ensemble<'a, T>,
    first: usize,
    velocities: &'b mut [CloudMut<'c, T>],
}

impl<T: Real, const D: usize> Kernel for Group<'_, '_, '_, T, D> {
    type Output = ();

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) {
        let lanes = T::lanes::<S>();
        let count = self.ensemble.count;
        let mut tokens = vec![T::ZERO; count * (D + 1) * lanes];
        let mut fields = vec![T::ZERO; count * D * lanes];
        for (turn, velocities) in self.velocities.chunks_mut(lanes).enumerate() {
            let first = self.first + turn * lanes;
            self.ensemble.gather::<D>(first, velocities.len(), lanes, &mut tokens);
            let clocks = self.ensemble.clocks(first, velocities.len(), lanes);
            let (clocks, tokens) = (T::vectors::<S>(&clocks), T::vectors::<S>(&tokens));
            self.ensemble.fields::<S, D>(simd, clocks, tokens, T::vectors_mut::<S>(&mut fields));
            scatter::<T, D>(&fields, lanes, count, velocities);
        }
    }
}

impl<T: Real> Ensemble<'_, T> {
    /// `tokens` <- (token, coordinates and bias, lane) of `present` replicas; lanes beyond repeat the last of them.
    #[inline(always)]
    fn gather<const D: usize>(&self, first: usize, present: usize, lanes: usize, tokens: &mut [T]) {
        for lane in 0..lanes {
            let replica = first + lane.min(present - 1);
            let cloud = self.tokens.replica(replica);
            let components = (0..cloud.width()).map(|component| (component, cloud.column(component)));
            for (component, column) in components.chain([(D, self.bias.replica(replica))]) {
                for (token, value) in column[..self.count].iter().enumerate() {
                    tokens[(token * (D + 1) + component) * lanes + lane] = *value;
                }
            }
        }
    }

    /// (head, `CLOCKS` numbers, lane) of `present` replicas: what beta is multiplied by, the shift of scores, and what their sums
    /// are multiplied by where nothing divides them.
    fn clocks(&self, first: usize, present: usize, lanes: usize) -> Vec<T> {
        let mut clocks = vec![T::ZERO; self.heads.len() * CLOCKS * lanes];
        for (head, clocks) in self.heads.iter().zip(clocks.chunks_exact_mut(CLOCKS * lanes)) {
            for lane in 0..lanes {
                let replica = first + lane.min(present - 1);
                let factor = head.factor(replica);
                let shift = factor * head.constant_shift().unwrap_or(0.0);
                let scale = (shift + head.log2_clock(replica)).exp2();
                for (row, number) in [factor, shift, scale].into_iter().enumerate() {
                    clocks[row * lanes + lane] = T::from_f64(number);
                }
            }
        }
        clocks
    }

    /// `fields` <- (token, component) of the fields at `tokens`, (token, coordinates and bias), a replica a lane.
    #[inline(always)]
    fn fields<S: Exp2, const D: usize>(
        &self,
        simd: S,
        clocks: &[T::Vector<S>],
        tokens: &[T::Vector<S>],
        fields: &mut [T::Vector<S>],
    ) {
        let zero = T::splat(simd, T::ZERO);
        for (token, row) in fields.chunks_exact_mut(D).enumerate() {
            let mut x = [zero; D];
            x.copy_from_slice(&tokens[token * (D + 1)..][..D]);
            let keys = &tokens[..self.mask.visible(token, self.sources) * (D + 1)];
            let mut field = [zero; D];
            for (head, clock) in self.heads.iter().zip(clocks.chunks_exact(CLOCKS)) {
                let share = head_field::<S, T, D>(simd, (head, clock), &x, keys);
                for c in 0..D {
                    field[c] = T::add(simd, field[c], share[c]);
                }
            }
            if self.field == Field::Tangent {
                let mut radial = zero;
                for c in 0..D {
                    radial = T::mul_add(simd, x[c], field[c], radial);
                }
                for c in 0..D {
                    field[c] = T::negate_mul_add(simd, radial, x[c], field[c]);
                }
            }
            row.copy_from_slice(&field);
        }
    }
}

/// V sum_j a_j y_j for one token, over keys ordered (key, coordinates and bias); zero if there are none.
#[inline(always)]
fn head_field<S: Exp2, T: Real, const D: usize>(
    simd: S,
    (head, clock): (&HeadField<T>, &[T::Vector<S>]),
    token: &[T::Vector<S>; D],
    keys: &[T::Vector<S>],
) -> [T::Vector<S>; D] {
    let zero = T::splat(simd, T::ZERO);
    let (factor, shift, undivided) = (clock[0], clock[1], clock[2]);
    let mut query = head.query_of::<S, D>(simd, token);
    for c in 0..D {
        query[c] = T::mul(simd, factor, query[c]);
    }
    let (mut sum, mut moment) = (zero, [zero; D]);
    for key in keys.chunks_exact(D + 1) {
        let mut score = T::sub(simd, key[D], shift);
        for c in 0..D {
            score = T::mul_add(simd, query[c], key[c], score);
        }
        let weight = T::exp2(simd, score);
        sum = T::add(simd, sum, weight);
        for c in 0..D {
            moment[c] = T::mul_add(simd, weight, key[c], moment[c]);
        }
    }
    let scale = match head.normalization {
        Normalization::Softmax => {
            let inverse = T::div(simd, T::splat(simd, T::ONE), sum);
            T::select_above(simd, sum, zero, inverse, sum)
        }
        Normalization::Unnormalized
        | Normalization::Shifted
        | Normalization::Hardmax
        | Normalization::Sinkhorn { .. } => undivided,
    };
    for c in 0..D {
        moment[c] = T::mul(simd, scale, moment[c]);
    }
    head.value_of::<S, D>(simd, &moment)
}

/// The velocities of each replica from fields ordered (token, component, lane).
#[inline(always)]
fn scatter<T: Real, const D: usize>(fields: &[T], lanes: usize, count: usize, velocities: &mut [CloudMut<'_, T>]) {
    for (lane, velocity) in velocities.iter_mut().enumerate() {
        for component in 0..velocity.width() {
            let column = &mut velocity.column_mut(component)[..count];
            for (token, value) in column.iter_mut().enumerate() {
                *value = fields[(token * D + component) * lanes + lane];
            }
        }
    }
}
