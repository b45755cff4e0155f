//! The velocity of a block of tokens, from whichever sums over the keys the algorithm takes.

use super::{
    Cpu,
    columns::{Cloud, CloudMut, PADDING},
    field::Sums,
    harmonic::Expansion,
    keys::Keys,
    motion::Project,
    real::Real,
    reduction::Reduced,
};
use crate::model::Field;

/// What the velocities of one replica are computed from.
pub(super) struct Sources<'a, T> {
    pub(super) keys: Keys<'a, T>,
    /// One a head; none where sums are taken pair by pair.
    pub(super) expansions: Vec<Expansion<'a, T>>,
}

impl<T: Real> Sources<'_, T> {
    pub(super) fn pair_by_pair(&self) -> Self {
        Self { keys: self.keys, expansions: Vec::new() }
    }
}

impl<T: Real> Cpu<T> {
    pub(super) fn keys<'a>(&'a self, replica: usize, tokens: Cloud<'a, T>) -> Keys<'a, T> {
        self.bias.keys(replica, tokens, super::width(self.shape.dim))
    }

    /// The sums over `tokens`, all those of one replica.
    pub(super) fn sums<'a>(&'a self, replica: usize, tokens: Cloud<'a, T>, _field: Field) -> Sources<'a, T> {
        let keys = self.keys(replica, tokens);
        let expansions =
            self.harmonics.as_ref().map_or(Vec::new(), |harmonics| harmonics.expansions(self.instructions, keys));
        Sources { keys, expansions }
    }

    /// How many keys each of `count` tokens from `first` on sees; padding counts where every source is seen, to keep
    /// vectors whole. The padding after the last token is left out.
    pub(super) fn visible(&self, first: usize, count: usize) -> Vec<usize> {
        let sources = self.shape.sources();
        let padded = |visible| if visible == sources { sources.next_multiple_of(PADDING) } else { visible };
        let mask = self.model.attention.mask;
        (first..(first + count).min(self.shape.count)).map(|token| padded(mask.visible(token, sources))).collect()
    }

    /// The field at the tokens of `queries`, one for each of `visible`, projected if it is the tangent field.
    pub(super) fn velocity(
        &self,
        sums: &Sources<'_, T>,
        field: Field,
        queries: Cloud<'_, T>,
        visible: &[usize],
        reduced: &mut Reduced,
        velocity: &mut CloudMut<'_, T>,
    ) {
        let dim = self.shape.dim;
        let rows = queries.rows(dim, visible.len());
        let mut fields = vec![0.0; rows.len()];
        for (index, head) in self.heads.iter().enumerate() {
            let sums = self.head_sums(sums.keys, visible, sums.expansions.get(index));
            head.add(self.instructions, &rows, dim, sums, reduced, &mut fields);
        }
        velocity.set_rows(dim, &fields);
        if field == Field::Tangent {
            self.instructions.run(Project { tokens: queries, velocity });
        }
    }

    /// Where the sums of one head over `keys` come from.
    pub(super) fn head_sums<'a>(
        &self,
        keys: Keys<'a, T>,
        visible: &'a [usize],
        expansion: Option<&'a Expansion<'a, T>>,
    ) -> Sums<'a, T> {
        match (expansion, &self.harmonics) {
            (Some(expansion), Some(harmonics)) => Sums::Series { expansion, keys, most_lost: harmonics.most_lost },
            _ => Sums::Pairs { keys, visible },
        }
    }
}
