//! Ensembles of small systems: replicas run across the lanes.
//!
//! Where a replica has few tokens, keys across lanes would mean a horizontal sum every few vectors. Here each lane is a
//! replica of its own: no sums across lanes, no tails, and the tokens of a whole vector of replicas stay in the first-level
//! cache while every query meets every key, and for as many steps as are wanted.

mod decays;
mod fields;
mod replicas;
mod steps;
#[cfg(test)]
mod tests;

pub(super) use self::replicas::{Ensemble, Pairs, REPLICAS, serves, suits};
use self::{
    fields::Fields,
    replicas::{NORMALIZERS, WIDEST},
};
use crate::{
    scheme::Tableau,
    sums::{
        columns::{Columns, ColumnsMut, Numbers},
        exp2::Exp2,
        instructions::{Instructions, Kernel},
        real::Real,
    },
};

/// Work on the replicas from `first` on that are given, up to `REPLICAS` of them.
struct Group<'a, 'b, 'c, T, const D: usize> {
    ensemble: Ensemble<'a, T>,
    first: usize,
    work: Work<'a, 'b, 'c, T>,
}

enum Work<'a, 'b, 'c, T> {
    /// velocities <- the field at tokens.
    Evaluate { tokens: &'a Columns<T>, velocities: &'b mut [ColumnsMut<'c, T>] },
    /// Steps of length h of a scheme.
    Advance { tokens: &'b mut [ColumnsMut<'c, T>], tableau: &'a Tableau, h: f64, steps: u64 },
}

impl<T: Real> Ensemble<'_, T> {
    /// The field at every token of the replicas from `first` on whose velocities are given, up to `REPLICAS` of them.
    pub(super) fn evaluate(
        self,
        instructions: Instructions,
        first: usize,
        tokens: &Columns<T>,
        velocities: &mut [ColumnsMut<'_, T>],
    ) {
        self.run(instructions, first, tokens.width(), Work::Evaluate { tokens, velocities });
    }

    /// Takes `steps` steps of length `h` with the replicas from `first` on that are given, up to `REPLICAS` of them.
    pub(super) fn advance(
        self,
        instructions: Instructions,
        first: usize,
        tokens: &mut [ColumnsMut<'_, T>],
        tableau: &Tableau,
        h: f64,
        steps: u64,
    ) {
        let width = tokens[0].width();
        self.run(instructions, first, width, Work::Advance { tokens, tableau, h, steps });
    }

    fn run<'a>(self, instructions: Instructions, first: usize, width: usize, work: Work<'a, '_, '_, T>)
    where
        Self: 'a,
    {
        let ensemble = self;
        match width {
            1..=2 => instructions.run(Group::<T, 2> { ensemble, first, work }),
            3 => instructions.run(Group::<T, 3> { ensemble, first, work }),
            4 => instructions.run(Group::<T, 4> { ensemble, first, work }),
            5..=8 => instructions.run(Group::<T, 8> { ensemble, first, work }),
            9..=WIDEST => instructions.run(Group::<T, WIDEST> { ensemble, first, work }),
            width => unreachable!("{width} components are not for ensembles"),
        }
    }

    /// (head, `NORMALIZERS` numbers, lane) of `present` replicas: what beta is multiplied by, the shift of scores, and what their sums
    /// are multiplied by where nothing divides them.
    fn normalizers(&self, first: usize, present: usize, lanes: usize) -> Vec<T> {
        let mut normalizers = vec![T::ZERO; self.heads.len() * NORMALIZERS * lanes];
        for (head, normalizers) in self.heads.iter().zip(normalizers.chunks_exact_mut(NORMALIZERS * lanes)) {
            for lane in 0..lanes {
                let replica = first + lane.min(present - 1);
                let factor = head.factor(replica);
                let shift = factor * head.constant_shift().unwrap_or(0.0);
                let scale = (shift + head.log2_normalizer(replica)).exp2();
                for (row, number) in [factor, shift, scale].into_iter().enumerate() {
                    normalizers[row * lanes + lane] = T::from_f64(number);
                }
            }
        }
        normalizers
    }
}

impl<T: Real, const D: usize> Kernel for Group<'_, '_, '_, T, D> {
    type Output = ();

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) {
        let Self { ensemble, first, work } = self;
        let lanes = T::lanes::<S>();
        let mut tokens = Numbers::zeros(ensemble.count * (D + 1) * lanes);
        let tokens = tokens.all_mut();
        match work {
            Work::Evaluate { tokens: from, velocities } => {
                let mut field = Numbers::zeros(ensemble.count * D * lanes);
                let field = field.all_mut();
                for (turn, velocities) in velocities.chunks_mut(lanes).enumerate() {
                    let first = first + turn * lanes;
                    let column = |lane, component| from.replica(first + lane).column(component);
                    ensemble.gather::<D>(first, velocities.len(), from.width(), column, tokens);
                    let mut fields = Fields::<S, T, D>::new(simd, ensemble, first, velocities.len());
                    fields.at(simd, T::vectors::<S>(tokens), T::vectors_mut::<S>(field));
                    scatter(field, lanes, D, ensemble.count, velocities);
                }
            }
            Work::Advance { tokens: state, tableau, h, steps } => {
                for (turn, state) in state.chunks_mut(lanes).enumerate() {
                    let first = first + turn * lanes;
                    let column = |lane: usize, component| state[lane].column(component);
                    ensemble.gather::<D>(first, state.len(), state[0].width(), column, tokens);
                    let mut fields = Fields::<S, T, D>::new(simd, ensemble, first, state.len());
                    steps::take(simd, &mut fields, tableau, h, steps, T::vectors_mut::<S>(tokens));
                    scatter(tokens, lanes, D + 1, ensemble.count, state);
                }
            }
        }
    }
}

impl<T: Real> Ensemble<'_, T> {
    /// `tokens` <- (token, coordinates and bias, lane) of `present` replicas from `first` on, from each `column` of a lane;
    /// lanes beyond repeat the last of them.
    #[inline(always)]
    fn gather<'c, const D: usize>(
        &self,
        first: usize,
        present: usize,
        width: usize,
        column: impl Fn(usize, usize) -> &'c [T],
        tokens: &mut [T],
    ) where
        T: 'c,
    {
        let (rows, lanes) = (D + 1, tokens.len() / (self.count * (D + 1)));
        for lane in 0..lanes {
            let from = lane.min(present - 1);
            let mut fill = |row: usize, column: &[T]| {
                for (token, value) in column[..self.count].iter().enumerate() {
                    tokens[(token * rows + row) * lanes + lane] = *value;
                }
            };
            (0..width).for_each(|component| fill(component, column(from, component)));
            fill(D, self.bias.replica(first + from));
        }
    }
}

/// The components of each replica from `numbers` ordered (token, row, lane), of which the first rows are components.
#[inline(always)]
fn scatter<T: Real>(numbers: &[T], lanes: usize, rows: usize, count: usize, replicas: &mut [ColumnsMut<'_, T>]) {
    for (lane, replica) in replicas.iter_mut().enumerate() {
        for component in 0..replica.width() {
            let column = &mut replica.column_mut(component)[..count];
            for (token, value) in column.iter_mut().enumerate() {
                *value = numbers[(token * rows + component) * lanes + lane];
            }
        }
    }
}
