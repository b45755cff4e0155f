//! The velocity of a block of tokens, from whichever sums over the keys the algorithm takes.

use std::f64::consts::LOG2_E;

use super::{
    Cpu,
    algorithm::{Harmonics, Radials},
    columns::{Cloud, CloudMut, PADDING},
    field::HeadField,
    harmonic::{AddGradient, Divided, Expansion, Gradient, Lookup, Moments, Radial, Table},
    keys::Keys,
    real::Real,
    reduction::Reduced,
};
use crate::model::{Field, Normalization};

/// What the velocities of one replica are computed from.
pub(super) struct Sources<'a, T> {
    pub(super) keys: Keys<'a, T>,
    sums: Sums<'a, T>,
}

enum Sums<'a, T> {
    /// The pairs of each query with the keys that it sees.
    Pairs,
    /// An expansion a head, on the sphere.
    Series(Vec<Expansion<'a, T>>),
    /// The same for velocities that are gradients.
    Gradients(Vec<Gradient<T>>),
    /// The field on all of the circle.
    Circle(Table<T>),
}

impl<T: Real> Sources<'_, T> {
    pub(super) fn pair_by_pair(&self) -> Self {
        Self { keys: self.keys, sums: Sums::Pairs }
    }
}

impl<T: Real> Cpu<T> {
    pub(super) fn keys<'a>(&'a self, replica: usize, tokens: Cloud<'a, T>) -> Keys<'a, T> {
        self.bias.keys(replica, tokens)
    }

    /// The sums over `tokens`, all those of one replica, as `field` needs them.
    pub(super) fn sources<'a>(&'a self, replica: usize, tokens: Cloud<'a, T>, field: Field) -> Sources<'a, T> {
        let keys = self.keys(replica, tokens);
        let Some(harmonics) = &self.harmonics else { return Sources { keys, sums: Sums::Pairs } };
        // M takes moments one degree beyond those of Z.
        let moments = |degree| harmonics.moments(self.instructions, replica, keys, degree);
        let sums = match &harmonics.radials {
            Radials::Circle(radials) => {
                Sums::Circle(self.table(harmonics, radials, &moments(harmonics.degree + 1), field))
            }
            Radials::Sphere(radials) if field == Field::Tangent && self.heads.iter().all(HeadField::is_gradient) => {
                Sums::Gradients(self.gradients(radials, &moments(harmonics.degree)))
            }
            Radials::Sphere(radials) => {
                let moments = moments(harmonics.degree + 1);
                Sums::Series(radials.iter().map(|radial| Expansion::new(&moments, radial)).collect())
            }
        };
        Sources { keys, sums }
    }

    fn table(&self, harmonics: &Harmonics<T>, radials: &[Radial<f64>], moments: &Moments, field: Field) -> Table<T> {
        let expansions: Vec<_> = radials.iter().map(|radial| Expansion::new(moments, radial)).collect();
        let function = |tokens: &[f64]| self.on_circle(&expansions, harmonics.most_lost, tokens, field);
        let components = if field == Field::Tangent { 1 } else { 2 };
        let longest = self.heads.iter().map(|head| head.longest_query).fold(0.0, f64::max);
        Table::new(function, components, 1.0 / (1.0 + 1.2 * longest.sqrt()), harmonics.tolerance)
    }

    /// The field at `tokens` on the circle: along the tangent (-y, x), or its two components. No number where a head
    /// loses too many bits.
    fn on_circle(&self, expansions: &[Expansion<'_, f64>], most_lost: f64, tokens: &[f64], field: Field) -> Vec<f64> {
        let mut fields = vec![0.0; tokens.len()];
        let mut reduced = Reduced::default();
        for (head, expansion) in self.heads.iter().zip(expansions) {
            let queries = head.queries(tokens, 2);
            expansion.reduce(self.instructions, &queries, &mut reduced);
            head.add(2, &reduced, &mut fields);
            let rows = fields.chunks_exact_mut(2).zip(queries.chunks_exact(2)).zip(&reduced.log2_sum);
            for ((field, query), log2_sum) in rows {
                let within = expansion.log2_most(query[0].hypot(query[1])) - log2_sum <= most_lost;
                if !within {
                    field.fill(f64::NAN);
                }
            }
        }
        match field {
            Field::Ambient | Field::Perceptron => fields,
            Field::Tangent => {
                let along = |(x, f): (&[f64], &[f64])| x[0] * f[1] - x[1] * f[0];
                tokens.chunks_exact(2).zip(fields.chunks_exact(2)).map(along).collect()
            }
        }
    }

    /// The velocity of each head as a gradient, if it is one.
    fn gradients(&self, radials: &[Radial<T>], moments: &Moments) -> Vec<Gradient<T>> {
        let gradient = |(head, radial): (&HeadField<T>, &Radial<T>)| {
            let (query, value) = (head.query_factor()?, head.value_multiple?);
            let (factor, divided) = match head.normalization {
                Normalization::Softmax => (value / query, Divided::ByF),
                _ => {
                    let log2_most = moments.log2_total() + query.abs() * LOG2_E;
                    (value / query * log2_most.exp2(), Divided::ByNothing)
                }
            };
            Some(Gradient::new(moments, radial.coefficients()?, query.signum(), factor, divided))
        };
        self.heads.iter().zip(radials).filter_map(gradient).collect()
    }

    /// How many keys each of `count` tokens from `first` on sees; padding counts where every source is seen, to keep
    /// vectors whole. The padding after the last token is left out.
    pub(super) fn visible(&self, first: usize, count: usize) -> Vec<usize> {
        let sources = self.shape.sources();
        let padded = |visible| if visible == sources { sources.next_multiple_of(PADDING) } else { visible };
        let mask = self.model.attention.mask;
        (first..(first + count).min(self.shape.count)).map(|token| padded(mask.visible(token, sources))).collect()
    }

    /// The field at the tokens of `queries`, projected if it is the tangent field. `visible` says how many keys each of
    /// them sees, and leaves out padding; it is asked only where sums are taken pair by pair.
    pub(super) fn velocity(
        &self,
        sources: &Sources<'_, T>,
        field: Field,
        queries: Cloud<'_, T>,
        visible: impl Fn() -> Vec<usize>,
        velocity: &mut CloudMut<'_, T>,
    ) {
        let dim = self.shape.dim;
        let most_lost = self.harmonics.as_ref().map_or(f64::INFINITY, |harmonics| harmonics.most_lost);
        let by_pairs = || {
            let visible = visible();
            self.by_pairs(sources.keys, field, &queries.rows(dim, visible.len()), &visible)
        };
        match &sources.sums {
            Sums::Pairs => velocity.set_rows(dim, &by_pairs()),
            Sums::Series(expansions) => {
                let rows = queries.rows(dim, queries.len());
                let found = self.by_series(expansions, most_lost, field, &rows);
                velocity.set_rows(dim, &found.unwrap_or_else(by_pairs));
            }
            Sums::Gradients(gradients) => {
                (0..velocity.width()).for_each(|component| velocity.column_mut(component).fill(T::ZERO));
                let lowest = gradients.iter().map(|gradient| {
                    self.instructions.run(AddGradient { gradient, tokens: queries, velocity: &mut *velocity })
                });
                let lost = -lowest.fold(1.0, |lowest: f64, sum| lowest.min(if sum > 0.0 { sum } else { 0.0 })).log2();
                if lost > most_lost {
                    velocity.set_rows(dim, &by_pairs());
                }
            }
            Sums::Circle(table) => {
                let missing = self.instructions.run(Lookup { table, tokens: queries, velocity: &mut *velocity });
                if missing.is_empty() {
                    return;
                }
                let visible = visible();
                for token in missing.into_iter().filter(|token| *token < visible.len()) {
                    let row = queries.part(token, 1).rows(dim, 1);
                    velocity.set_row(token, &self.by_pairs(sources.keys, field, &row, &visible[token..=token]));
                }
            }
        }
    }

    /// The field at the tokens `rows`, pair by pair.
    fn by_pairs(&self, keys: Keys<'_, T>, field: Field, rows: &[f64], visible: &[usize]) -> Vec<f64> {
        let dim = self.shape.dim;
        let mut fields = vec![0.0; rows.len()];
        let mut reduced = Reduced::default();
        for head in &self.heads {
            head.reduce(self.instructions, rows, dim, (keys, visible), &mut reduced);
            head.add(dim, &reduced, &mut fields);
        }
        projected(field, rows, fields, dim)
    }

    /// The same from expansions, if none of them loses too many bits.
    fn by_series(
        &self,
        expansions: &[Expansion<'_, T>],
        most_lost: f64,
        field: Field,
        rows: &[f64],
    ) -> Option<Vec<f64>> {
        let dim = self.shape.dim;
        let mut fields = vec![0.0; rows.len()];
        let mut reduced = Reduced::default();
        for (head, expansion) in self.heads.iter().zip(expansions) {
            let lost = expansion.reduce(self.instructions, &head.queries(rows, dim), &mut reduced);
            if lost > most_lost {
                return None;
            }
            head.add(dim, &reduced, &mut fields);
        }
        Some(projected(field, rows, fields, dim))
    }
}

/// v - x <x, v> for each token x and its field v, if it is the tangent field; v itself otherwise.
fn projected(field: Field, tokens: &[f64], mut fields: Vec<f64>, dim: usize) -> Vec<f64> {
    if field == Field::Tangent {
        for (x, v) in tokens.chunks_exact(dim).zip(fields.chunks_exact_mut(dim)) {
            let radial: f64 = x.iter().zip(&*v).map(|(x, v)| x * v).sum();
            for (v, x) in v.iter_mut().zip(x) {
                *v -= radial * x;
            }
        }
    }
    fields
}
