//! The velocity of a block of tokens, from whichever sums over the keys the algorithm takes.

use std::sync::atomic::Ordering;

use super::{
    algorithm::Harmonics,
    field::{HeadField, Visibility},
    geometry, hardmax,
    operands::Operands,
    part::{Join, Own},
    pointwise,
    problem::Cpu,
    series::Sums,
    sinkhorn,
};
use crate::{
    model::{Field, Mask, Matrix, Model, Normalization},
    sums::{
        columns::{ColumnsMut, ColumnsRef, PADDING},
        harmonic::Lookup,
        keys::Keys,
        real::Real,
        reduction::Reduced,
    },
};

/// What the velocities of one replica are computed from.
pub(super) struct Sources<'a, T> {
    pub(super) keys: Keys<'a, T>,
    replica: usize,
    /// Those of each head that has its own.
    operands: Vec<Option<Operands<T>>>,
    pub(super) sums: Sums<'a, T>,
}

/// Tokens whose field is asked for: a run of them, the first of which is token `first` of its replica.
pub(super) struct Run<'a, T> {
    pub(super) tokens: ColumnsRef<'a, T>,
    pub(super) first: usize,
}

/// For which tokens of a run the field has been found without a look at pairs.
pub(super) enum Found {
    All,
    /// All but these, which lose too much.
    AllBut(Vec<usize>),
    /// There are no sums, or a token loses too much, and maybe less when sums are taken again in double precision.
    Nothing {
        is_wider_next: bool,
    },
}

impl<T: Real> Cpu<T> {
    /// The sources of one replica as a head weighs them by their places.
    fn weighed_by<'a>(&'a self, head: usize, keys: Keys<'a, T>) -> Keys<'a, T> {
        let Some(decays) = &self.decays else { return keys };
        keys.with(None, None, Some(decays.of(head).bias.sources(keys.replica)))
    }

    /// The sums over `tokens`, all those of one replica, as `field` needs them.
    pub(super) fn sources<'a>(&'a self, replica: usize, tokens: ColumnsRef<'a, T>, field: Field) -> Sources<'a, T> {
        let Ok(sources) = self.sources_of(replica, tokens, field, &Own);
        sources
    }

    /// The sums over all sources, of which `tokens` are those that are held here.
    pub(super) fn sources_of<'a, J: Join>(
        &'a self,
        replica: usize,
        tokens: ColumnsRef<'a, T>,
        field: Field,
        join: &J,
    ) -> Result<Sources<'a, T>, J::Error> {
        let keys = self.bias.keys(replica, tokens);
        let operands = self.heads.iter().map(|head| self.operands(head, keys, tokens)).collect();
        let sums = match &self.harmonics {
            Some(harmonics) => self.expanded(&harmonics.form, keys, field, join)?,
            None => Sums::Pairs,
        };
        Ok(Sources { keys, replica, operands, sums })
    }

    /// Queries, keys and values of a head that has its own.
    pub(super) fn operands(
        &self,
        head: &HeadField<T>,
        keys: Keys<'_, T>,
        tokens: ColumnsRef<'_, T>,
    ) -> Option<Operands<T>> {
        let factor = head.factor(keys.replica);
        let mut operands = head.projections.as_ref()?.apply(self.instructions, keys.replica, tokens, factor);
        if let Normalization::Sinkhorn { iterations, tolerance } = head.normalization {
            let sources = self.shape.sources();
            let balanced =
                sinkhorn::balance(self.instructions, &operands, keys, sources, iterations, tolerance, &self.cancel);
            // Numbers that are not negative are ordered like their bits.
            self.marginal_error.fetch_max(balanced.marginal_error.to_bits(), Ordering::Relaxed);
            operands.potentials = Some(balanced.bias);
        }
        Some(operands)
    }

    /// What each of `count` tokens from `first` on sees; padding counts where every source is visible, to keep vectors whole. The
    /// padding after the last token is left out.
    pub(super) fn visibility(&self, first: usize, count: usize) -> Visibility {
        let (sources, attention) = (self.shape.sources(), &self.model.attention);
        let padded = |visible| if visible == sources { sources.next_multiple_of(PADDING) } else { visible };
        let visible = (first..(first + count).min(self.shape.count)).map(|token| attention.visible(token, sources));
        let hidden = match attention.window {
            Some(_) => visible.clone().map(|range| range.start).collect(),
            None => Vec::new(),
        };
        let own = (attention.mask == Mask::Others).then_some(first);
        Visibility { visible: visible.map(|range| padded(range.end)).collect(), hidden, own }
    }

    /// The field at the tokens of `run`. `visibility` says what each of them sees, and leaves out padding; it is asked only where
    /// sums are taken pair by pair.
    ///
    /// False where sums by harmonics lose too much and can be widened: there `velocity` is worthless.
    #[must_use]
    pub(super) fn velocity(
        &self,
        sources: &Sources<'_, T>,
        field: Field,
        run: Run<'_, T>,
        visibility: impl Fn() -> Visibility,
        velocity: &mut ColumnsMut<'_, T>,
    ) -> bool {
        match self.by_sums(sources, field, run.tokens, velocity) {
            Found::All => {}
            Found::Nothing { is_wider_next: true } => return false,
            Found::Nothing { is_wider_next: false } => {
                velocity.set_rows(self.shape.dim, &self.by_pairs(sources, field, &run, &visibility()));
            }
            Found::AllBut(missing) => {
                let Visibility { visible, .. } = visibility();
                for token in missing.into_iter().filter(|token| *token < visible.len()) {
                    let alone = Run { tokens: run.tokens.part(token, 1), first: run.first + token };
                    let visibility = Visibility { visible: vec![visible[token]], ..Visibility::default() };
                    velocity.set_row(token, &self.by_pairs(sources, field, &alone, &visibility));
                }
            }
        }
        true
    }

    /// The field at `tokens`, as far as sums that are there already give it.
    pub(super) fn by_sums(
        &self,
        sources: &Sources<'_, T>,
        field: Field,
        tokens: ColumnsRef<'_, T>,
        velocity: &mut ColumnsMut<'_, T>,
    ) -> Found {
        let dim = self.shape.dim;
        let is_wider_next = self.harmonics.as_ref().is_some_and(Harmonics::can_widen);
        let is_found = match &sources.sums {
            _ if field == Field::Perceptron => {
                let mut fields = vec![0.0; dim * tokens.len()];
                self.add_perceptron(tokens, &mut fields);
                velocity.set_rows(dim, &fields);
                true
            }
            Sums::Pairs => false,
            Sums::Sphere(sums) => self.by_series(sums, field, tokens, tokens, velocity),
            Sums::Wide(sums) => self.by_wide_series(sums, field, tokens, velocity),
            Sums::Circle(table) => {
                let missing = self.instructions.run(Lookup { table, tokens, velocity: &mut *velocity });
                if field == Field::Tangent && !self.is_bare(field) {
                    let mut fields = velocity.rows(dim);
                    self.finish(field, tokens, &tokens.rows(dim, velocity.len()), &mut fields);
                    velocity.set_rows(dim, &fields);
                }
                if !missing.is_empty() && !is_wider_next {
                    return Found::AllBut(missing);
                }
                missing.is_empty()
            }
        };
        if is_found { Found::All } else { Found::Nothing { is_wider_next } }
    }

    /// The field at the tokens of `run` that see something, pair by pair.
    fn by_pairs(
        &self,
        sources: &Sources<'_, T>,
        field: Field,
        run: &Run<'_, T>,
        visibility: &Visibility,
    ) -> Vec<f64> {
        let dim = self.shape.dim;
        let rows = run.tokens.rows(dim, visibility.visible.len());
        let mut fields = vec![0.0; rows.len()];
        let mut reduced = Reduced::default();
        for (index, (head, operands)) in self.heads.iter().zip(&sources.operands).enumerate() {
            let keys = self.weighed_by(index, sources.keys);
            match (operands, head.normalization) {
                (None, _) => head.reduce(self.instructions, &rows, dim, keys, visibility, &mut reduced),
                (Some(operands), Normalization::Hardmax) => {
                    hardmax::reduce(operands, run.first, keys, visibility, &mut reduced);
                }
                (Some(operands), form @ (Normalization::Relu | Normalization::Sigmoid)) => {
                    let (instructions, first) = (self.instructions, run.first);
                    pointwise::reduce(instructions, form, operands, first, keys, visibility, &mut reduced);
                }
                (Some(operands), _) => {
                    head.reduce_operands(self.instructions, operands, run.first, keys, visibility, &mut reduced);
                }
            }
            let decay = self.decays.as_ref().map(|decays| decays.of(index));
            let divisors = decay.and_then(|decay| decay.log2_divisors(sources.replica, run.first));
            head.add(sources.replica, dim, &reduced, divisors, &mut fields);
        }
        self.finish(field, run.tokens, &rows, &mut fields);
        fields
    }

    /// From attention to the velocity of `tokens`, which are `rows` too: the perceptron added, and what the geometry makes of
    /// both. Attention by itself is left as it is.
    pub(super) fn finish(&self, field: Field, tokens: ColumnsRef<'_, T>, rows: &[f64], fields: &mut [f64]) {
        if field == Field::Tangent {
            self.add_perceptron(tokens, fields);
            let Model { geometry, attention, .. } = &self.model;
            // Rescaled tokens have one head; others do not ask.
            let value = attention.heads.first().map_or(&Matrix::Identity, |head| &head.value);
            geometry::velocities(geometry, value, self.shape.dim, rows, fields);
        }
    }

    fn add_perceptron(&self, tokens: ColumnsRef<'_, T>, fields: &mut [f64]) {
        if let Some(perceptron) = &self.perceptron {
            perceptron.add(self.instructions, tokens, fields);
        }
    }
}
