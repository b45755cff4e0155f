//! The velocity of a block of tokens, from whichever sums over the keys the algorithm takes.

use std::f64::consts::LOG2_E;

use super::{
    Cpu,
    algorithm::{Harmonics, Radials},
    columns::{Cloud, CloudMut, PADDING},
    field::{HeadField, Seen},
    geometry, hardmax,
    harmonic::{AddGradient, Divided, Expansion, Gradient, Lookup, Moments, Radial, Table},
    keys::Keys,
    operands::Operands,
    real::Real,
    reduction::Reduced,
    sinkhorn,
};
use crate::model::{Field, Geometry, Mask, Matrix, Model, Normalization};

/// What the velocities of one replica are computed from.
pub(super) struct Sources<'a, T> {
    pub(super) keys: Keys<'a, T>,
    replica: usize,
    /// Those of each head that has its own.
    operands: Vec<Option<Operands<T>>>,
    sums: Sums<'a, T>,
}

/// Tokens whose field is asked for: a run of them, the first of which is token `first` of its replica.
pub(super) struct Run<'a, T> {
    pub(super) tokens: Cloud<'a, T>,
    pub(super) first: usize,
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
    /// The same sources without expansions, which only heads without operands have.
    pub(super) fn pair_by_pair(&self) -> Self {
        let operands = self.operands.iter().map(|_| None).collect();
        Self { keys: self.keys, replica: self.replica, operands, sums: Sums::Pairs }
    }
}

impl<T: Real> Cpu<T> {
    pub(super) fn keys<'a>(&'a self, replica: usize, tokens: Cloud<'a, T>) -> Keys<'a, T> {
        self.decay.as_ref().map_or(&self.bias, |decay| &decay.bias).keys(replica, tokens)
    }

    /// The sums over `tokens`, all those of one replica, as `field` needs them.
    pub(super) fn sources<'a>(&'a self, replica: usize, tokens: Cloud<'a, T>, field: Field) -> Sources<'a, T> {
        let keys = self.keys(replica, tokens);
        let operands = self.heads.iter().map(|head| self.operands(head, keys, tokens)).collect();
        let Some(harmonics) = &self.harmonics else {
            return Sources { keys, replica, operands, sums: Sums::Pairs };
        };
        // M takes moments one degree beyond those of Z.
        let moments = |degree| harmonics.moments(self.instructions, replica, keys, degree);
        let sums = match &harmonics.radials {
            Radials::Circle(radials) => {
                Sums::Circle(self.table(harmonics, radials, &moments(harmonics.degree + 1), field))
            }
            Radials::Sphere(radials) if self.is_bare(field) && self.heads.iter().all(HeadField::is_gradient) => {
                Sums::Gradients(self.gradients(harmonics, radials, &moments(harmonics.degree)))
            }
            Radials::Sphere(radials) => {
                let moments = moments(harmonics.degree + 1);
                Sums::Series(radials.iter().map(|radial| Expansion::new(&moments, radial)).collect())
            }
        };
        Sources { keys, replica, operands, sums }
    }

    /// Queries, keys and values of a head that has its own.
    pub(super) fn operands(
        &self,
        head: &HeadField<T>,
        keys: Keys<'_, T>,
        tokens: Cloud<'_, T>,
    ) -> Option<Operands<T>> {
        let factor = head.factor(keys.replica);
        let mut operands = head.projections.as_ref()?.apply(self.instructions, tokens, factor);
        if let Normalization::Sinkhorn { iterations, tolerance } = head.normalization {
            let (limits, sources) = ((iterations, tolerance), self.shape.sources());
            operands.potentials = Some(sinkhorn::potentials(self.instructions, &operands, keys, sources, limits));
        }
        Some(operands)
    }

    /// Whether the field is the projected attention and nothing else.
    fn is_bare(&self, field: Field) -> bool {
        field == Field::Tangent && self.perceptron.is_none() && self.model.geometry == Geometry::Sphere
    }

    fn table(&self, harmonics: &Harmonics<T>, radials: &[Radial<f64>], moments: &Moments, field: Field) -> Table<T> {
        let expansions: Vec<_> = radials.iter().map(|radial| Expansion::new(moments, radial)).collect();
        let function = |tokens: &[f64]| self.on_circle(&expansions, harmonics.most_lost, tokens, field);
        let components = if self.is_bare(field) { 1 } else { 2 };
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
            head.add((0, 2), &reduced, None, &mut fields);
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
    fn gradients(&self, harmonics: &Harmonics<T>, radials: &[Radial<T>], moments: &Moments) -> Vec<Gradient<T>> {
        let gradient = |(head, radial): (&HeadField<T>, &Radial<T>)| {
            let (query, value) = (head.query_factor()?, head.value_multiple?);
            let (factor, divided) = match head.normalization {
                Normalization::Softmax => (value / query, Divided::ByF),
                _ => {
                    let log2_most = moments.log2_total() + query.abs() * LOG2_E + head.log2_clock(0);
                    (value / query * log2_most.exp2(), Divided::ByNothing)
                }
            };
            let series = (&harmonics.polynomials, radial.coefficients()?);
            Some(Gradient::new(moments, series, query.signum(), factor, divided))
        };
        self.heads.iter().zip(radials).filter_map(gradient).collect()
    }

    /// What each of `count` tokens from `first` on sees; padding counts where every source is seen, to keep vectors whole. The
    /// padding after the last token is left out.
    pub(super) fn seen(&self, first: usize, count: usize) -> Seen {
        let (sources, attention) = (self.shape.sources(), &self.model.attention);
        let padded = |visible| if visible == sources { sources.next_multiple_of(PADDING) } else { visible };
        let sights = (first..(first + count).min(self.shape.count)).map(|token| attention.sight(token, sources));
        let hidden = match attention.window {
            Some(_) => sights.clone().map(|sight| sight.start).collect(),
            None => Vec::new(),
        };
        let own = (attention.mask == Mask::Others).then_some(first);
        Seen { visible: sights.map(|sight| padded(sight.end)).collect(), hidden, own }
    }

    /// The field at the tokens of `run`. `seen` says what each of them sees, and leaves out padding; it is asked only where
    /// sums are taken pair by pair.
    pub(super) fn velocity(
        &self,
        sources: &Sources<'_, T>,
        field: Field,
        run: Run<'_, T>,
        seen: impl Fn() -> Seen,
        velocity: &mut CloudMut<'_, T>,
    ) {
        let (dim, queries) = (self.shape.dim, run.tokens);
        let most_lost = self.harmonics.as_ref().map_or(f64::INFINITY, |harmonics| harmonics.most_lost);
        let by_pairs = || self.by_pairs(sources, field, &run, &seen());
        match &sources.sums {
            _ if field == Field::Perceptron => {
                let mut fields = vec![0.0; dim * queries.len()];
                self.add_perceptron(queries, &mut fields);
                velocity.set_rows(dim, &fields);
            }
            Sums::Pairs => velocity.set_rows(dim, &by_pairs()),
            Sums::Series(expansions) => {
                let found = self.by_series(expansions, most_lost, field, queries);
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
                self.complete(sources, field, &run, (missing, seen), velocity);
            }
        }
    }

    /// What the table of the circle leaves: tokens that are `missing` from it, and what is added to attention.
    fn complete(
        &self,
        sources: &Sources<'_, T>,
        field: Field,
        run: &Run<'_, T>,
        (missing, seen): (Vec<usize>, impl Fn() -> Seen),
        velocity: &mut CloudMut<'_, T>,
    ) {
        let dim = self.shape.dim;
        if field == Field::Tangent && !self.is_bare(field) {
            let count = velocity.len();
            let mut fields = velocity.rows(dim);
            self.finish(field, run.tokens, &run.tokens.rows(dim, count), &mut fields);
            velocity.set_rows(dim, &fields);
        }
        if missing.is_empty() {
            return;
        }
        let Seen { visible, .. } = seen();
        for token in missing.into_iter().filter(|token| *token < visible.len()) {
            let alone = Run { tokens: run.tokens.part(token, 1), first: run.first + token };
            let seen = Seen { visible: vec![visible[token]], ..Seen::default() };
            velocity.set_row(token, &self.by_pairs(sources, field, &alone, &seen));
        }
    }

    /// The field at the tokens of `run` that see something, pair by pair.
    fn by_pairs(&self, sources: &Sources<'_, T>, field: Field, run: &Run<'_, T>, seen: &Seen) -> Vec<f64> {
        let dim = self.shape.dim;
        let rows = run.tokens.rows(dim, seen.visible.len());
        let mut fields = vec![0.0; rows.len()];
        let mut reduced = Reduced::default();
        let divisors = self.decay.as_ref().and_then(|decay| decay.log2_divisors(sources.replica, run.first));
        for (head, operands) in self.heads.iter().zip(&sources.operands) {
            match (operands, head.normalization) {
                (None, _) => head.reduce(self.instructions, &rows, dim, (sources.keys, seen), &mut reduced),
                (Some(operands), Normalization::Hardmax) => {
                    hardmax::reduce(operands, run.first, (sources.keys, seen), &mut reduced);
                }
                (Some(operands), _) => {
                    let both = (operands, run.first);
                    head.reduce_operands(self.instructions, both, (sources.keys, seen), &mut reduced);
                }
            }
            head.add((sources.replica, dim), &reduced, divisors, &mut fields);
        }
        self.finish(field, run.tokens, &rows, &mut fields);
        fields
    }

    /// The same from expansions, if none of them loses too many bits.
    fn by_series(
        &self,
        expansions: &[Expansion<'_, T>],
        most_lost: f64,
        field: Field,
        tokens: Cloud<'_, T>,
    ) -> Option<Vec<f64>> {
        let dim = self.shape.dim;
        let rows = tokens.rows(dim, tokens.len());
        let mut fields = vec![0.0; rows.len()];
        let mut reduced = Reduced::default();
        for (head, expansion) in self.heads.iter().zip(expansions) {
            let lost = expansion.reduce(self.instructions, &head.queries(&rows, dim), &mut reduced);
            if lost > most_lost {
                return None;
            }
            head.add((0, dim), &reduced, None, &mut fields);
        }
        self.finish(field, tokens, &rows, &mut fields);
        Some(fields)
    }

    /// From attention to the velocity of `tokens`, which are `rows` too: the perceptron added, and what the geometry makes of
    /// both. Attention by itself is left as it is.
    fn finish(&self, field: Field, tokens: Cloud<'_, T>, rows: &[f64], fields: &mut [f64]) {
        if field == Field::Tangent {
            self.add_perceptron(tokens, fields);
            let Model { geometry, attention, .. } = &self.model;
            // Rescaled tokens have one head; others do not ask.
            let value = attention.heads.first().map_or(&Matrix::Identity, |head| &head.value);
            geometry::velocities(geometry, value, self.shape.dim, rows, fields);
        }
    }

    fn add_perceptron(&self, tokens: Cloud<'_, T>, fields: &mut [f64]) {
        if let Some(perceptron) = &self.perceptron {
            perceptron.add(self.instructions, tokens, fields);
        }
    }
}
