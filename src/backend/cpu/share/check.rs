//! Whether harmonics are exact enough: one sample of the tokens of all processes, about which all decide the same.

use super::{
    super::{
        check::{BLOCK, Errors, SAMPLE},
        exact::columns_of,
        velocity::{Found, Sources},
    },
    *,
};

impl<T: Real> Together<'_, T> {
    /// The largest error in a sample of tokens; none if sums are to be widened first. The same on all processes, which have the same sums
    /// and the same sample.
    pub(super) fn sampled_error(&self) -> Result<Option<f64>, BackendError> {
        let (cpu, dim) = (self.cpu, self.cpu.shape.dim);
        let tokens = cpu.state.replica(0);
        let rows = self.rows_of(&cpu.sample(0, SAMPLE))?;
        let sources = cpu.sources_of(0, tokens, cpu.followed, self)?;
        let Some(found) = self.velocities_of(&rows, &sources)? else { return Ok(None) };
        let direct = cpu.exact(0, tokens, &rows, cpu.followed, self)?;
        let mut errors = Errors::default();
        errors.add(&found, &direct, dim);
        Ok(Some(errors.relative()))
    }

    /// The rows of these tokens of all, on all processes.
    fn rows_of(&self, sample: &[usize]) -> Result<Vec<f64>, BackendError> {
        let Part { whole, shape, first, .. } = self.cpu.part;
        let tokens = self.cpu.state.replica(0);
        let own = sample.iter().filter_map(|token| token.checked_sub(first).filter(|token| *token < shape.count));
        let own: Vec<f64> = own.flat_map(|token| tokens.part(token, 1).rows(shape.dim, 1)).collect();
        let all = allgather_numbers(self.exchange, &own)?;
        let mut of_ranks: Vec<_> = all.iter().map(|rows| rows.chunks_exact(shape.dim)).collect();
        let ranks = of_ranks.len();
        let owner = |token: usize| (0..ranks).find(|rank| token < Part::run_of(whole, *rank, ranks).end);
        let row = |token: &usize| Some(of_ranks[owner(*token)?].next()?.to_vec());
        Ok(sample.iter().filter_map(row).collect::<Vec<_>>().concat())
    }

    /// The velocities at tokens with these `rows`, row-major; none if sums are to be widened first. Those that must be summed pair
    /// by pair are shared out among the processes.
    fn velocities_of(&self, rows: &[f64], sources: &Sources<'_, T>) -> Result<Option<Vec<f64>>, BackendError> {
        let (cpu, dim) = (self.cpu, self.cpu.shape.dim);
        let (mut velocities, mut missing) = (Vec::new(), Vec::new());
        for (index, rows) in rows.chunks(BLOCK * dim).enumerate() {
            let (first, count, queries) = (index * BLOCK, rows.len() / dim, columns_of(dim, rows));
            let mut found = Columns::zeros(1, dim, count);
            for mut velocity in found.replicas_mut() {
                match cpu.by_sums(sources, cpu.followed, queries.replica(0), &mut velocity) {
                    Found::All => {}
                    Found::AllBut(few) => missing.extend(few.into_iter().filter(|k| *k < count).map(|k| first + k)),
                    Found::Nothing { is_wider_next: false } => missing.extend(first..first + count),
                    Found::Nothing { is_wider_next: true } => return Ok(None),
                }
            }
            velocities.extend(found.replica(0).rows(dim, count));
        }
        let (rank, ranks) = (self.exchange.rank(), self.exchange.ranks());
        let own = &missing[rank * missing.len() / ranks..(rank + 1) * missing.len() / ranks];
        let own: Vec<f64> = own.iter().flat_map(|k| &rows[k * dim..][..dim]).copied().collect();
        if !missing.is_empty() {
            let fields = self.fields_by_pairs(&cpu.state, cpu.followed, &own)?;
            let fields: Vec<f64> = allgather_numbers(self.exchange, &fields)?.concat();
            let rounded = columns_of::<T>(dim, &fields).replica(0).rows(dim, missing.len());
            for (k, field) in missing.iter().zip(rounded.chunks_exact(dim)) {
                velocities[k * dim..][..dim].copy_from_slice(field);
            }
        }
        Ok(Some(velocities))
    }
}
