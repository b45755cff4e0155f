//! The interaction energy of a replica.

use rayon::prelude::*;

use super::{
    algorithm::{Form, Harmonics, Heads, Radials},
    field::{HeadField, Visibility},
    observe,
    operands::Projections,
    part::{Join, Own},
    problem::Cpu,
    series::Widened,
};
use crate::{
    exchange::added,
    model::Head,
    sums::{
        columns::ColumnsRef,
        harmonic::{Expansion, Moments, Parts, Radial},
        keys::Keys,
        real::Real,
        reduction::Reduced,
    },
};

/// The sums of one head at tokens, row-major, from an expansion: how many bits they lose at most.
pub(super) type Series<'a> = &'a (dyn Fn(&[f64], &mut Reduced) -> f64 + Sync);

impl<T: Real> Cpu<T> {
    /// ln sum_h (c_h / 2 beta_h) sum_i w_i Z_i^h of one replica, c_h being the weight of a head, over all pairs whatever the mask; not a
    /// number where the sum is not positive.
    pub(super) fn log_energy(&self, replica: usize, tokens: ColumnsRef<'_, T>) -> f64 {
        let keys = self.bias.keys(replica, tokens);
        let by_source = |head: &HeadField<T>, expansion: Option<Series<'_>>| {
            let Ok(energy) = self.weighed(replica, self.log2_sums(tokens, keys, head, expansion), &Own);
            Ok(energy)
        };
        let Ok(energies) = self.log2_energies(keys, &Own, by_source);
        self.log_energy_of(replica, &energies)
    }

    /// The energy, ln sum_h (c_h / 2 beta_h) 2^energy_h, from log2 sum_i w_i Z_i of each head.
    pub(super) fn log_energy_of(&self, replica: usize, log2_energies: &[f64]) -> f64 {
        let heads = self.heads.iter().zip(&self.model.attention.heads);
        let share = |(energy, (head, Head { weight, .. })): (&f64, (&HeadField<T>, &Head))| {
            (energy - (2.0 * head.beta * head.factor(replica)).log2() + weight.abs().log2(), weight.signum())
        };
        observe::log_of_sum(&log2_energies.iter().zip(heads).map(share).collect::<Vec<_>>())
    }

    /// log2 sum_i w_i Z_i of each head over the sources of all processes, of which `keys` are those that are held here: from moments without
    /// another look at the tokens where A = c I, c >= 0, and elsewhere what `by_source` makes of the sums of each source, from
    /// an expansion if there is one.
    pub(super) fn log2_energies<J: Join>(
        &self,
        keys: Keys<'_, T>,
        join: &J,
        by_source: impl Fn(&HeadField<T>, Option<Series<'_>>) -> Result<f64, J::Error>,
    ) -> Result<Vec<f64>, J::Error> {
        match self.harmonics.as_ref().map(|harmonics| &harmonics.form) {
            None => self.heads.iter().map(|head| by_source(head, None)).collect(),
            Some(Form::Own(heads)) => self.log2_energies_of(keys, heads, keys.columns(), join, by_source),
            Some(Form::Wide(heads)) => self.log2_energies_of(keys, heads, Widened(keys.columns()), join, by_source),
        }
    }

    fn log2_energies_of<U: Real, J: Join>(
        &self,
        keys: Keys<'_, T>,
        heads: &Heads<U>,
        sources: impl Parts<U>,
        join: &J,
        by_source: impl Fn(&HeadField<T>, Option<Series<'_>>) -> Result<f64, J::Error>,
    ) -> Result<Vec<f64>, J::Error> {
        let moments = heads.moments(self.instructions, keys.replica, sources, heads.degree + 1, join)?;
        match &heads.radials {
            Radials::Circle(radials) => self.energies_from(&moments, radials, by_source),
            Radials::Sphere(radials) => self.energies_from(&moments, radials, by_source),
        }
    }

    fn energies_from<U: Real, E>(
        &self,
        moments: &Moments,
        radials: &[Radial<U>],
        by_source: impl Fn(&HeadField<T>, Option<Series<'_>>) -> Result<f64, E>,
    ) -> Result<Vec<f64>, E> {
        let energy = |(head, radial): (&HeadField<T>, &Radial<U>)| match (head.query_factor(), radial.coefficients())
        {
            (Some(factor), Some(coefficients)) if factor >= 0.0 => Ok(moments.log2_energy(factor, coefficients)),
            _ => {
                let expansion = Expansion::new(moments, radial);
                let series = |rows: &[f64], reduced: &mut Reduced| {
                    expansion.reduce(self.instructions, &head.queries(rows, self.shape.dim), reduced)
                };
                by_source(head, Some(&series))
            }
        };
        self.heads.iter().zip(radials).map(energy).collect()
    }

    /// log2 Z_i of one head, source by source, from an expansion where it does not lose too many bits.
    fn log2_sums(
        &self,
        tokens: ColumnsRef<'_, T>,
        keys: Keys<'_, T>,
        head: &HeadField<T>,
        expansion: Option<Series<'_>>,
    ) -> Vec<f64> {
        let (shape, replica) = (self.shape, keys.replica);
        let project = |projections: &Projections<T>| {
            projections.apply(self.instructions, replica, tokens, head.factor(replica))
        };
        let operands = head.projections.as_ref().map(project);
        let log2_sums = |first: usize| {
            let count = self.block().min(shape.sources() - first);
            if self.cancel.is_requested() {
                return vec![0.0; count];
            }
            let rows = tokens.part(first, count).rows(shape.dim, count);
            let mut reduced = Reduced::default();
            if !self.is_reduced(&rows, expansion, &mut reduced) {
                let all = Visibility { visible: vec![keys.padded; count], ..Visibility::default() };
                match &operands {
                    None => head.reduce(self.instructions, &rows, shape.dim, keys, &all, &mut reduced),
                    Some(own) => head.reduce_operands(self.instructions, own, first, keys, &all, &mut reduced),
                }
            }
            reduced.log2_sum
        };
        let blocks = (0..shape.sources()).step_by(self.block()).collect::<Vec<_>>().into_par_iter();
        let log2_sums: Vec<Vec<f64>> = blocks.map(log2_sums).collect();
        log2_sums.concat()
    }

    /// Whether the sums of these tokens come from an expansion that loses few enough bits; then `reduced` has them.
    pub(super) fn is_reduced(&self, rows: &[f64], expansion: Option<Series<'_>>, reduced: &mut Reduced) -> bool {
        let most_lost = self.harmonics.as_ref().map_or(0.0, Harmonics::most_lost);
        expansion.is_some_and(|expansion| expansion(rows, reduced) <= most_lost)
    }

    /// log2 sum_i w_i Z_i from log2 Z_i of the sources that are held here.
    pub(super) fn weighed<J: Join>(&self, replica: usize, log2_sums: Vec<f64>, join: &J) -> Result<f64, J::Error> {
        let weight = |token| self.weight(replica, token);
        let weighted = log2_sums.into_iter().enumerate().map(|(i, log2_sum)| log2_sum + weight(i).log2());
        let exponents: Vec<f64> = weighted.collect();
        let blocks = exponents.chunks(observe::CHUNK);
        let most = |block: &[f64]| vec![block.iter().copied().fold(f64::NEG_INFINITY, f64::max)];
        let largest = join.join(blocks.clone().map(most).collect())?.concat();
        let largest = largest.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let sum = |block: &[f64]| vec![block.iter().map(|exponent| (exponent - largest).exp2()).sum()];
        let sums = added(join.join(blocks.map(sum).collect())?);
        Ok(largest + sums.first().map_or(f64::NEG_INFINITY, |sum| sum.log2()))
    }
}
