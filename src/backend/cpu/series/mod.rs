//! Sums over the keys by harmonics: what the field is made of where the algorithm is not pair by pair.
//!
//! Single precision serves where tokens are as dense as evenly spread ones, or nearly so. Elsewhere sums cancel to less than
//! rounding leaves, and tokens are widened: put on the sphere in double precision, summed there, and the velocities rounded.

use std::{f64::consts::LOG2_E, ops::Range};

use rayon::prelude::*;

use super::{
    algorithm::{Form, Heads, Radials},
    field::HeadField,
    part::Join,
    problem::{BLOCK, Cpu},
};
use crate::{
    model::{Field, Geometry, Model, Normalization},
    sums::{
        columns::{Columns, ColumnsMut, ColumnsRef},
        harmonic::{AddGradient, Divided, Expansion, Gradient, Moments, Parts, Radial, Table},
        keys::Keys,
        real::Real,
        reduction::Reduced,
    },
};

/// The sums of one replica on the sphere, in the precision `U`.
pub(super) struct Spherical<'a, U> {
    heads: HeadSums<'a, U>,
    /// The bits that a token may lose.
    most_lost: f64,
}

/// How the sums over keys of one replica are taken.
pub(super) enum Sums<'a, T> {
    /// The pairs of each query with the keys that it sees.
    Pairs,
    /// The field on all of the circle.
    Circle(Table<T>),
    Sphere(Spherical<'a, T>),
    /// Of widened tokens.
    Wide(Spherical<'a, f64>),
}

enum HeadSums<'a, U> {
    Expansions(Vec<Expansion<'a, U>>),
    /// Of velocities that are gradients.
    Gradients(Vec<Gradient<U>>),
}

impl<T: Real> Cpu<T> {
    /// The sums over `keys` as `field` needs them.
    pub(super) fn expanded<'a, J: Join>(
        &self,
        form: &'a Form<T>,
        keys: Keys<'_, T>,
        field: Field,
        join: &J,
    ) -> Result<Sums<'a, T>, J::Error> {
        match form {
            Form::Own(heads) => self.expand(heads, keys.replica, keys.columns(), field, join, Sums::Sphere),
            Form::Wide(heads) => self.expand(heads, keys.replica, Widened(keys.columns()), field, join, Sums::Wide),
        }
    }

    fn expand<'a, U: Real, J: Join>(
        &self,
        heads: &'a Heads<U>,
        replica: usize,
        keys: impl Parts<U>,
        field: Field,
        join: &J,
        on_sphere: impl Fn(Spherical<'a, U>) -> Sums<'a, T>,
    ) -> Result<Sums<'a, T>, J::Error> {
        // M takes moments one degree beyond those of Z.
        let moments = |degree| heads.moments(self.instructions, replica, keys, degree, join);
        let sums = match &heads.radials {
            Radials::Circle(radials) => {
                let moments = moments(heads.degree + 1)?;
                return Ok(Sums::Circle(self.table(radials, &moments, heads.most_lost, field)));
            }
            Radials::Sphere(radials) if self.is_bare(field) && self.heads.iter().all(HeadField::is_gradient) => {
                HeadSums::Gradients(self.gradients(heads, radials, &moments(heads.degree)?))
            }
            Radials::Sphere(radials) => {
                let moments = moments(heads.degree + 1)?;
                HeadSums::Expansions(radials.iter().map(|radial| Expansion::new(&moments, radial)).collect())
            }
        };
        Ok(on_sphere(Spherical { heads: sums, most_lost: heads.most_lost }))
    }

    /// Whether the field is the projected attention and nothing else.
    pub(super) fn is_bare(&self, field: Field) -> bool {
        let Model { geometry, attention: _, perceptron, noise: _, frozen: _ } = &self.model;
        field == Field::Tangent && perceptron.is_none() && *geometry == Geometry::Sphere
    }

    fn table(&self, radials: &[Radial<f64>], moments: &Moments, most_lost: f64, field: Field) -> Table<T> {
        let expansions: Vec<_> = radials.iter().map(|radial| Expansion::new(moments, radial)).collect();
        let function = |tokens: &[f64]| self.on_circle(&expansions, most_lost, tokens, field);
        let components = if self.is_bare(field) { 1 } else { 2 };
        let longest = self.heads.iter().map(|head| head.longest_query).fold(0.0, f64::max);
        let of_harmonics = self.harmonics.as_ref().map(|harmonics| (harmonics.tolerance, harmonics.refinements));
        let (tolerance, refinements) = of_harmonics.unwrap_or_default();
        Table::new(function, components, 1.0 / (1.0 + 1.2 * longest.sqrt()), tolerance, refinements)
    }

    /// The field at `tokens` on the circle: along the tangent (-y, x), or its two components. No number where a head
    /// loses too many bits.
    fn on_circle(&self, expansions: &[Expansion<'_, f64>], most_lost: f64, tokens: &[f64], field: Field) -> Vec<f64> {
        let mut fields = vec![0.0; tokens.len()];
        let mut reduced = Reduced::default();
        for (head, expansion) in self.heads.iter().zip(expansions) {
            let queries = head.queries(tokens, 2);
            expansion.reduce(self.instructions, &queries, &mut reduced);
            head.add(0, 2, &reduced, None, &mut fields);
            let rows = fields.chunks_exact_mut(2).zip(queries.chunks_exact(2)).zip(&reduced.log2_sum);
            for ((field, query), log2_sum) in rows {
                let within = expansion.log2_most(query[0].hypot(query[1])) - log2_sum <= most_lost;
                if !within {
                    field.fill(f64::NAN);
                }
            }
        }
        if !self.is_bare(field) {
            return fields;
        }
        let along = |(x, f): (&[f64], &[f64])| x[0] * f[1] - x[1] * f[0];
        tokens.chunks_exact(2).zip(fields.chunks_exact(2)).map(along).collect()
    }

    /// The velocity of each head as a gradient, if it is one.
    fn gradients<U: Real>(&self, heads: &Heads<U>, radials: &[Radial<U>], moments: &Moments) -> Vec<Gradient<U>> {
        let gradient = |(head, radial): (&HeadField<T>, &Radial<U>)| {
            let (query, value) = (head.query_factor()?, head.value_multiple?);
            let (factor, divided) = match head.normalization {
                Normalization::Softmax => (value / query, Divided::ByF),
                // Harmonics know no others.
                Normalization::Unnormalized
                | Normalization::Shifted
                | Normalization::Hardmax
                | Normalization::Relu
                | Normalization::Sigmoid
                | Normalization::Sinkhorn { .. } => {
                    let log2_most = moments.log2_total() + query.abs() * LOG2_E + head.log2_normalizer(0);
                    (value / query * log2_most.exp2(), Divided::ByNothing)
                }
            };
            let coefficients = radial.coefficients()?;
            Some(Gradient::new(moments, &heads.polynomials, coefficients, query.signum(), factor, divided))
        };
        self.heads.iter().zip(radials).filter_map(gradient).collect()
    }

    /// The field at `tokens`, unless a sum loses too many bits: whether it does not. What `velocity` holds is then worthless.
    pub(super) fn by_series<U: Real>(
        &self,
        sums: &Spherical<'_, U>,
        field: Field,
        tokens: ColumnsRef<'_, T>,
        wide: ColumnsRef<'_, U>,
        velocity: &mut ColumnsMut<'_, U>,
    ) -> bool {
        match &sums.heads {
            HeadSums::Gradients(gradients) => {
                (0..velocity.width()).for_each(|component| velocity.column_mut(component).fill(U::ZERO));
                let lowest = gradients.iter().map(|gradient| {
                    self.instructions.run(AddGradient { gradient, tokens: wide, velocity: &mut *velocity })
                });
                let lowest = lowest.fold(1.0, |lowest: f64, sum| lowest.min(if sum > 0.0 { sum } else { 0.0 }));
                -lowest.log2() <= sums.most_lost
            }
            HeadSums::Expansions(expansions) => {
                let (dim, rows) = (self.shape.dim, wide.rows(self.shape.dim, wide.len()));
                let mut fields = vec![0.0; rows.len()];
                let mut reduced = Reduced::default();
                for (head, expansion) in self.heads.iter().zip(expansions) {
                    let lost = expansion.reduce(self.instructions, &head.queries(&rows, dim), &mut reduced);
                    if lost > sums.most_lost {
                        return false;
                    }
                    head.add(0, dim, &reduced, None, &mut fields);
                }
                self.finish(field, tokens, &rows, &mut fields);
                velocity.set_rows(dim, &fields);
                true
            }
        }
    }

    /// The same of widened tokens.
    pub(super) fn by_wide_series(
        &self,
        sums: &Spherical<'_, f64>,
        field: Field,
        tokens: ColumnsRef<'_, T>,
        velocity: &mut ColumnsMut<'_, T>,
    ) -> bool {
        let wide = widened(tokens);
        let mut found = Columns::zeros(1, self.shape.dim, tokens.len());
        let is_found =
            found.replicas_mut().all(|mut found| self.by_series(sums, field, tokens, wide.replica(0), &mut found));
        for component in 0..self.shape.dim {
            let found = found.replica(0).column(component);
            velocity.column_mut(component).iter_mut().zip(found).for_each(|(v, found)| *v = T::from_f64(*found));
        }
        is_found
    }
}

/// Keys that are widened where they are summed.
#[derive(Clone, Copy)]
pub(super) struct Widened<'a, T>(pub(super) ColumnsRef<'a, T>);

impl<T: Real> Parts<f64> for Widened<'_, T> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn width(&self) -> usize {
        self.0.width()
    }

    fn with<R>(&self, keys: Range<usize>, look: impl FnOnce(ColumnsRef<'_, f64>) -> R) -> R {
        // One thread for each part: one that waited would begin others, and hold them all.
        let tokens = self.0.part(keys.start, keys.len());
        let mut wide = Columns::zeros(1, tokens.width(), tokens.len());
        wide.replicas_mut().for_each(|mut wide| widen(tokens, &mut wide));
        look(wide.replica(0))
    }
}

/// Tokens of length one but for rounding, with that length in double precision.
pub(super) fn widened<T: Real>(tokens: ColumnsRef<'_, T>) -> Columns<f64> {
    let dim = tokens.width();
    let mut wide = Columns::zeros(1, dim, tokens.len());
    for wide in wide.replicas_mut() {
        wide.parts(BLOCK).enumerate().for_each(|(index, mut wide)| {
            widen(tokens.part(index * BLOCK, BLOCK), &mut wide);
        });
    }
    wide
}

fn widen<T: Real>(tokens: ColumnsRef<'_, T>, wide: &mut ColumnsMut<'_, f64>) {
    let mut squares = vec![0.0; tokens.len()];
    for component in 0..tokens.width() {
        let column = tokens.column(component).iter().map(|x| x.to_f64());
        for ((wide, square), x) in wide.column_mut(component).iter_mut().zip(&mut squares).zip(column) {
            *wide = x;
            *square += x * x;
        }
    }
    for component in 0..tokens.width() {
        let column = wide.column_mut(component);
        column.iter_mut().zip(&squares).for_each(|(wide, square)| *wide /= square.sqrt());
    }
}

#[cfg(test)]
mod tests;
