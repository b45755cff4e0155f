//! What is observed of the tokens of all processes.

use rayon::prelude::*;

use super::{
    super::{energy::Series, field::HeadField, observe::Wanted},
    *,
};
use crate::{exchange::any, sums::reduction::Reduced};

impl<T: Real> Together<'_, T> {
    /// All but the energy.
    pub(super) fn statistics(&self, quantities: &[Quantity]) -> Result<Statistics, BackendError> {
        self.cpu.measures().statistics(0, Wanted::by(quantities), self)
    }

    /// The logarithm of the energy.
    pub(super) fn log_energy(&self) -> Result<f64, BackendError> {
        let cpu = self.cpu;
        let directions = cpu.directions(&cpu.state);
        let tokens = directions.as_ref().unwrap_or(&cpu.state);
        let keys = cpu.bias.keys(0, tokens.replica(0));
        let by_source = |head: &HeadField<T>, expansion: Option<Series<'_>>| {
            let log2_sums = self.log2_sums(tokens, head, expansion)?;
            cpu.weighed(0, log2_sums, self)
        };
        let energies = cpu.log2_energies(keys, self, by_source)?;
        Ok(cpu.log_energy_of(0, &energies))
    }

    /// log2 Z_i of one head at the sources of this process, from an expansion where it does not lose too many bits.
    fn log2_sums(
        &self,
        tokens: &Columns<T>,
        head: &HeadField<T>,
        expansion: Option<Series<'_>>,
    ) -> Result<Vec<f64>, BackendError> {
        let (cpu, Shape { dim, .. }) = (self.cpu, self.cpu.shape);
        let (sources, block) = (cpu.shape.sources(), cpu.block());
        let rows = tokens.replica(0).rows(dim, sources);
        let of_block = |rows: &[f64]| {
            let mut reduced = Reduced::default();
            cpu.is_reduced(rows, expansion, &mut reduced).then_some(reduced.log2_sum)
        };
        let found: Vec<Option<Vec<f64>>> = rows.par_chunks(dim * block).map(of_block).collect();
        let blocks = || rows.chunks(dim * block).zip(&found);
        let missing: Vec<f64> =
            blocks().filter(|(_, found)| found.is_none()).flat_map(|(rows, _)| rows).copied().collect();
        let mut by_pairs = Vec::new();
        if any(self.exchange, !missing.is_empty())? {
            let sums = self.pairs(&[head], tokens, &missing)?;
            by_pairs = sums.into_iter().flatten().flat_map(|reduced| reduced.log2_sum).collect();
        }
        let mut by_pairs = by_pairs.into_iter();
        let log2_sums = |(rows, found): (&[f64], &Option<Vec<f64>>)| match found {
            Some(log2_sums) => log2_sums.clone(),
            None => by_pairs.by_ref().take(rows.len() / dim).collect(),
        };
        Ok(blocks().map(log2_sums).collect::<Vec<_>>().concat())
    }
}
