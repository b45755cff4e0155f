//! What can be asked of any observable, whichever it is.

use super::{Limit, Need, Objection, OnDevice, Parameter, Quantity, Reference, Resolution, Setup};
use crate::observe::Statistics;

/// The names of the numbers in a [`Sample`](crate::observe::Sample) of tokens of width `dim`.
pub fn columns(quantities: &[Quantity], dim: usize) -> Vec<String> {
    quantities.iter().flat_map(|quantity| quantity.observable().columns(dim)).collect()
}

/// How many neighbouring replicas share one number in this column: those are one sample.
pub fn replicas_a_sample(column: &str) -> usize {
    let has_column = |quantity: &&Quantity| columns(&[**quantity], 0).iter().any(|name| name == column);
    let found = Quantity::ALL.iter().find(has_column);
    found.map_or(1, |quantity| quantity.observable().definition().replicas_a_sample)
}

impl Quantity {
    /// As typed in `observe.quantities`.
    pub fn word(&self) -> &'static str {
        self.observable().definition().word
    }

    /// What tells it from all others: the observable and its parameters.
    pub fn key(&self) -> String {
        format!("{self:?}")
    }

    /// Why it means nothing for what was typed.
    pub(crate) fn objection(&self, setup: &Setup) -> Option<Objection> {
        let is_of_overlaps = matches!(setup.reference, Some(Reference::Overlap { .. }));
        let reads_more = self.needs(Need::Reference) && !self.observable().is_known_of_overlaps();
        let more = || {
            let word = self.word();
            Objection::new(
                format!(
                    "\"{word}\" reads more of the reference than overlaps, and its equiangular tokens are not those of the \
                     problem"
                ),
                format!("leave reference.count and reference.overlap out, or leave \"{word}\" out"),
            )
        };
        self.observable().objection(setup).or_else(|| (is_of_overlaps && reads_more).then(more))
    }

    /// Whether it is measured from this.
    pub fn needs(&self, need: Need) -> bool {
        self.observable().definition().needs.contains(&need)
    }

    /// Whether it is one of tokens, which are read back unless a backend has
    /// [measured](crate::observe::Statistics::measured) it.
    pub fn reads_tokens(&self) -> bool {
        self.needs(Need::Tokens)
    }

    /// Whether tokens are to be read back to measure it.
    pub fn is_lacking_in(&self, statistics: &Statistics) -> bool {
        self.reads_tokens() && statistics.measured(&self.key()).is_none()
    }

    /// What a device may measure of it where its tokens are.
    pub(crate) fn on_device(&self) -> Option<OnDevice> {
        self.observable().on_device()
    }

    /// The parameters, to be read or changed; none where it has none.
    pub(crate) fn parameters(&mut self) -> Vec<Parameter<'_>> {
        self.parametrized().map_or_else(Vec::new, |own| own.parameters())
    }

    /// What draws its sample, if it may be one of a sample.
    pub(crate) fn seed(&mut self) -> Option<&mut u64> {
        self.parametrized().and_then(|own| own.seed())
    }

    /// Whether it may be one of a sample that its replica decides.
    pub(crate) fn is_drawn(mut self) -> bool {
        self.seed().is_some()
    }

    /// What it asks of a limit that so many tokens are compared with.
    pub(crate) fn resolution(&self, sources: usize) -> Resolution {
        self.observable().resolution(sources)
    }

    /// Nodes, quantiles or heights that stood for the law where it was measured.
    pub(crate) fn law_nodes(&self, limit: &Limit) -> Option<usize> {
        self.observable().law_nodes(limit)
    }
}
