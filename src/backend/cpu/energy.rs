//! The interaction energy of a replica.

use rayon::prelude::*;

use super::{
    Cpu,
    algorithm::Radials,
    field::HeadField,
    harmonic::{Expansion, Moments, Radial},
    keys::Keys,
    observe,
    real::Real,
    reduction::Reduced,
};

impl<T: Real> Cpu<T> {
    /// ln [(1 / 2 beta) sum_h sum_i w_i Z_i^h] of one replica, over all pairs whatever the mask.
    pub(super) fn log_energy(&self, replica: usize) -> f64 {
        let keys = self.keys(replica, self.state.replica(replica));
        let log2_energies: Vec<f64> = match &self.harmonics {
            None => self.heads.iter().map(|head| self.log2_energy::<T>(replica, keys, head, None)).collect(),
            Some(harmonics) => {
                let moments = harmonics.moments(self.instructions, replica, keys, harmonics.degree + 1);
                match &harmonics.radials {
                    Radials::Circle(radials) => self.log2_energies(replica, keys, &moments, radials),
                    Radials::Sphere(radials) => self.log2_energies(replica, keys, &moments, radials),
                }
            }
        };
        observe::log_sum_exp2(&log2_energies) - (2.0 * self.model.attention.beta).ln()
    }

    /// log2 sum_i w_i Z_i of each head, from moments: without another look at the tokens where A = c I, c >= 0.
    fn log2_energies<U: Real>(
        &self,
        replica: usize,
        keys: Keys<'_, T>,
        moments: &Moments,
        radials: &[Radial<U>],
    ) -> Vec<f64> {
        let energy = |(head, radial): (&HeadField<T>, &Radial<U>)| match (head.query_factor(), radial.coefficients())
        {
            (Some(factor), Some(coefficients)) if factor >= 0.0 => moments.log2_energy(factor, coefficients),
            _ => self.log2_energy(replica, keys, head, Some(&Expansion::new(moments, radial))),
        };
        self.heads.iter().zip(radials).map(energy).collect()
    }

    /// log2 sum_i w_i Z_i of one head, source by source, from an expansion where it does not lose too many bits.
    fn log2_energy<U: Real>(
        &self,
        replica: usize,
        keys: Keys<'_, T>,
        head: &HeadField<T>,
        expansion: Option<&Expansion<'_, U>>,
    ) -> f64 {
        let (shape, tokens) = (self.shape, self.state.replica(replica));
        let most_lost = self.harmonics.as_ref().map_or(0.0, |harmonics| harmonics.most_lost);
        let log2_sums = |first: usize| {
            let count = self.block().min(shape.sources() - first);
            let rows = tokens.part(first, count).rows(shape.dim, count);
            let mut reduced = Reduced::default();
            let lost = expansion.map_or(f64::INFINITY, |expansion| {
                expansion.reduce(self.instructions, &head.queries(&rows, shape.dim), &mut reduced)
            });
            if lost > most_lost {
                let all = vec![keys.padded; count];
                head.reduce(self.instructions, &rows, shape.dim, (keys, &all), &mut reduced);
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
