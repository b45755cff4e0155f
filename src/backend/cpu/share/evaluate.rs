//! The field at the tokens of one process.

use rayon::prelude::*;

use super::{super::problem::BLOCK, *};
use crate::{backend::cpu::velocity::Found, exchange::any, sums::columns::ColumnsRef};

impl<T: Real> Together<'_, T> {
    /// False if sums by harmonics are to be widened, on all processes, and all of it is to be done again.
    pub(super) fn field(
        &self,
        point: Point,
        field: Field,
        velocities: &mut Columns<T>,
    ) -> Result<bool, BackendError> {
        let cpu = self.cpu;
        let directions = cpu.directions(cpu.at(point));
        let from = directions.as_ref().unwrap_or(cpu.at(point));
        let tokens = from.replica(0);
        let exchange = self.exchange;
        let sources = cpu.sources_of(0, tokens, field, self)?;
        let mut found = Vec::new();
        for velocity in velocities.replicas_mut() {
            let block = |(index, mut velocity)| {
                let run: ColumnsRef<'_, T> = tokens.part(index * BLOCK, BLOCK);
                cpu.by_sums(&sources, field, run, &mut velocity)
            };
            found = velocity.parts(BLOCK).enumerate().map(block).collect();
        }
        let is_wider_next = |found: &Found| matches!(found, Found::Nothing { is_wider_next: true });
        if cpu.harmonics.is_some() && any(exchange, found.iter().any(is_wider_next))? {
            return Ok(false);
        }
        let missing = self.missing(&found);
        if any(exchange, !missing.is_empty())? {
            let dim = cpu.shape.dim;
            let rows: Vec<f64> = missing.iter().flat_map(|token| tokens.part(*token, 1).rows(dim, 1)).collect();
            let fields = self.fields_by_pairs(from, field, &rows)?;
            for mut velocity in velocities.replicas_mut() {
                for (token, field) in missing.iter().zip(fields.chunks_exact(dim)) {
                    velocity.set_row(*token, field);
                }
            }
        }
        Ok(true)
    }

    /// The tokens of this process whose field is not there yet, from what was found in each block.
    fn missing(&self, found: &[Found]) -> Vec<usize> {
        let count = self.cpu.shape.count;
        let of_block = |(index, found): (usize, &Found)| {
            let first = index * BLOCK;
            let tokens: Vec<usize> = match found {
                Found::All => Vec::new(),
                Found::AllBut(missing) => missing.iter().map(|token| first + token).collect(),
                Found::Nothing { .. } => (first..first + BLOCK).collect(),
            };
            tokens.into_iter().filter(move |token| *token < count)
        };
        found.iter().enumerate().flat_map(of_block).collect()
    }
}
