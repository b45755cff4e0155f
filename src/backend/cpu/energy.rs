//! The interaction energy of a replica.

use rayon::prelude::*;

use super::{
    algorithm::{Form, Harmonics, Heads, Radials},
    field::{HeadField, Visibility},
    observe,
    operands::Projections,
    problem::Cpu,
    series::Widened,
};
use crate::{
    model::Head,
    sums::{
        columns::ColumnsRef,
        harmonic::{Expansion, Moments, Parts, Radial},
        keys::Keys,
        real::Real,
        reduction::Reduced,
    },
};

impl<T: Real> Cpu<T> {
    /// ln sum_h (c_h / 2 beta_h) sum_i w_i Z_i^h of one replica, c_h being the weight of a head, over all pairs whatever the mask; not a
    /// number where the sum is not positive.
    pub(super) fn log_energy(&self, replica: usize, tokens: ColumnsRef<'_, T>) -> f64 {
        let keys = self.bias.keys(replica, tokens);
        let log2_energies: Vec<f64> = match &self.harmonics {
            None => self.heads.iter().map(|head| self.log2_energy::<T>(tokens, keys, head, None)).collect(),
            Some(harmonics) => match &harmonics.form {
                Form::Own(heads) => self.log2_energies(tokens, keys, heads, keys.columns()),
                Form::Wide(heads) => self.log2_energies(tokens, keys, heads, Widened(keys.columns())),
            },
        };
        let heads = self.heads.iter().zip(&self.model.attention.heads);
        let share = |(energy, (head, Head { weight, .. })): (&f64, (&HeadField<T>, &Head))| {
            (energy - (2.0 * head.beta * head.factor(replica)).log2() + weight.abs().log2(), weight.signum())
        };
        observe::log_of_sum(&log2_energies.iter().zip(heads).map(share).collect::<Vec<_>>())
    }

    /// log2 sum_i w_i Z_i of each head, from moments of `sources`: without another look at the tokens where A = c I, c >= 0.
    fn log2_energies<U: Real>(
        &self,
        tokens: ColumnsRef<'_, T>,
        keys: Keys<'_, T>,
        heads: &Heads<U>,
        sources: impl Parts<U>,
    ) -> Vec<f64> {
        let moments = heads.moments(self.instructions, keys.replica, sources, heads.degree + 1);
        match &heads.radials {
            Radials::Circle(radials) => self.log2_energies_of(tokens, keys, &moments, radials),
            Radials::Sphere(radials) => self.log2_energies_of(tokens, keys, &moments, radials),
        }
    }

    fn log2_energies_of<U: Real>(
        &self,
        tokens: ColumnsRef<'_, T>,
        keys: Keys<'_, T>,
        moments: &Moments,
        radials: &[Radial<U>],
    ) -> Vec<f64> {
        let energy = |(head, radial): (&HeadField<T>, &Radial<U>)| match (head.query_factor(), radial.coefficients())
        {
            (Some(factor), Some(coefficients)) if factor >= 0.0 => moments.log2_energy(factor, coefficients),
            _ => self.log2_energy(tokens, keys, head, Some(&Expansion::new(moments, radial))),
        };
        self.heads.iter().zip(radials).map(energy).collect()
    }

    /// log2 sum_i w_i Z_i of one head, source by source, from an expansion where it does not lose too many bits.
    fn log2_energy<U: Real>(
        &self,
        tokens: ColumnsRef<'_, T>,
        keys: Keys<'_, T>,
        head: &HeadField<T>,
        expansion: Option<&Expansion<'_, U>>,
    ) -> f64 {
        let (shape, replica) = (self.shape, keys.replica);
        let project = |projections: &Projections<T>| {
            projections.apply(self.instructions, replica, tokens, head.factor(replica))
        };
        let operands = head.projections.as_ref().map(project);
        let most_lost = self.harmonics.as_ref().map_or(0.0, Harmonics::most_lost);
        let log2_sums = |first: usize| {
            let count = self.block().min(shape.sources() - first);
            if self.cancel.is_requested() {
                return vec![0.0; count];
            }
            let rows = tokens.part(first, count).rows(shape.dim, count);
            let mut reduced = Reduced::default();
            let lost = expansion.map_or(f64::INFINITY, |expansion| {
                expansion.reduce(self.instructions, &head.queries(&rows, shape.dim), &mut reduced)
            });
            if lost > most_lost {
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
        let weight = |token| self.weights.of(shape, replica, token);
        let weighted = log2_sums.concat().into_iter().enumerate().map(|(i, log2_sum)| log2_sum + weight(i).log2());
        observe::log_sum_exp2(&weighted.collect::<Vec<_>>()) * std::f64::consts::LOG2_E
    }
}
