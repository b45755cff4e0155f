//! Common noise that is linear in homogeneous coordinates: all tokens of a replica move by one matrix.
//!
//! The fields P_x e_k are those of boosts of (1, x) in R^{1,d}, and P_x W x that of the matrix W, up to lengths that do not matter.
//! One part of a step takes the flows of the fields one after the other, in their order or in the reverse of it by the sign of one
//! more draw: the weak order is two (Ninomiya and Victoir, "Weak approximation of stochastic differential equations and application
//! to derivative pricing", Applied Mathematical Finance 15, 2008). Fields that commute are taken together.

use super::{Diffusion, Motion};
use crate::{
    model::Noise,
    random::{Purpose, normals},
};

/// x -> (A x + b) / |A x + b|.
#[derive(Clone, Debug, PartialEq)]
pub struct Projective {
    /// A, by rows.
    pub matrix: Vec<f64>,
    /// b.
    pub shift: Vec<f64>,
}

/// Beyond, a draw is cut off: parts that are good stay far below, and exponentials of others stay finite.
const STEEPEST: f64 = 4.0;
/// Flows after which numbers are scaled.
const EACH: usize = 64;

impl Projective {
    /// Of half a step whose first draw is `first`; none if tokens do not move by one matrix.
    pub fn new(diffusion: &Diffusion, noise: &Noise, dim: usize, replica: u32, first: u64) -> Option<Projective> {
        let (spread, wide) = match diffusion.motion {
            Motion::Turn(_) => return None,
            Motion::Boosts { spread } => (spread, dim + 1),
            Motion::Shears { spread } => (spread, dim),
        };
        let replica = if noise.is_shared { 0 } else { replica };
        let count = if wide == dim { dim * dim } else { dim };
        let mut flow = Flow { wide, rows: vec![0.0; wide * wide], done: 0 };
        flow.rows.iter_mut().step_by(wide + 1).for_each(|entry| *entry = 1.0);
        for part in 0..diffusion.parts {
            let draw = first.wrapping_add(part);
            let mut drawn = normals(noise.seed, draw, replica, 0, Purpose::CommonNoise, count + 1);
            let is_reversed = drawn.pop().is_some_and(|coin| coin < 0.0);
            drawn.iter_mut().for_each(|w| *w = (spread * *w).clamp(-STEEPEST, STEEPEST));
            if wide == dim { flow.shears(&drawn, is_reversed) } else { flow.boosts(&drawn, is_reversed) }
        }
        Some(flow.finish(dim))
    }

    /// The direction of A x + b into `y`.
    pub fn apply(&self, x: &[f64], y: &mut [f64]) {
        let dot = |row: &[f64]| -> f64 { row.iter().zip(x).map(|(a, x)| a * x).sum() };
        for ((y, row), shift) in y.iter_mut().zip(self.matrix.chunks_exact(x.len())).zip(&self.shift) {
            *y = dot(row) + shift;
        }
        let length = y.iter().map(|y| y * y).sum::<f64>().sqrt();
        y.iter_mut().for_each(|y| *y /= length);
    }
}

/// The product of the flows so far.
struct Flow {
    wide: usize,
    rows: Vec<f64>,
    done: usize,
}

impl Flow {
    /// What it does to x, or to (1, x).
    fn finish(mut self, dim: usize) -> Projective {
        self.scale();
        let first = self.wide - dim;
        let rows = || self.rows.chunks_exact(self.wide).skip(first);
        let shift = rows().map(|row| row[..first].iter().sum()).collect();
        Projective { matrix: rows().flat_map(|row| &row[first..]).copied().collect(), shift }
    }

    /// exp(w_k K_k) for each axis: t' = t cosh(w) + x_k sinh(w), x_k' = x_k cosh(w) + t sinh(w).
    fn boosts(&mut self, drawn: &[f64], is_reversed: bool) {
        for at in 0..drawn.len() {
            let k = if is_reversed { drawn.len() - 1 - at } else { at };
            let (cosh, sinh) = (drawn[k].cosh(), drawn[k].sinh());
            let (time, space) = self.rows.split_at_mut(self.wide);
            for (t, x) in time.iter_mut().zip(&mut space[k * self.wide..]) {
                (*t, *x) = (*t * cosh + *x * sinh, *x * cosh + *t * sinh);
            }
            self.next();
        }
    }

    /// exp of the diagonal, and of each column l without it: x_k' = x_k + w_kl x_l for k other than l.
    fn shears(&mut self, drawn: &[f64], is_reversed: bool) {
        let wide = self.wide;
        if !is_reversed {
            self.stretch(drawn);
        }
        let mut source = vec![0.0; wide];
        for at in 0..wide {
            let l = if is_reversed { wide - 1 - at } else { at };
            source.copy_from_slice(&self.rows[l * wide..][..wide]);
            for (k, row) in self.rows.chunks_exact_mut(wide).enumerate().filter(|(k, _)| *k != l) {
                let w = drawn[k * wide + l];
                row.iter_mut().zip(&source).for_each(|(x, source)| *x += w * source);
            }
            self.next();
        }
        if is_reversed {
            self.stretch(drawn);
        }
    }

    fn stretch(&mut self, drawn: &[f64]) {
        for (k, row) in self.rows.chunks_exact_mut(self.wide).enumerate() {
            let factor = drawn[k * (self.wide + 1)].exp();
            row.iter_mut().for_each(|x| *x *= factor);
        }
    }

    fn next(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(EACH) {
            self.scale();
        }
    }

    /// Lengths do not matter, so that large numbers may be divided by a power of two.
    fn scale(&mut self) {
        let largest = self.rows.iter().fold(0.0f64, |largest, entry| largest.max(entry.abs()));
        if largest > 16.0 {
            let factor = largest.log2().floor().exp2().recip();
            self.rows.iter_mut().for_each(|entry| *entry *= factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// E f over independent standard normal numbers, by the trapezoidal rule.
    fn mean(count: usize, f: &dyn Fn(&[f64]) -> f64) -> f64 {
        let nodes: Vec<f64> = (-10..=10).map(|k| 0.55 * f64::from(k)).collect();
        let weight = |z: f64| (-0.5 * z * z).exp();
        let all: f64 = nodes.iter().map(|z| weight(*z)).sum();
        let cells = nodes.len().pow(count as u32);
        let term = |cell: usize| {
            let draws: Vec<f64> = (0..count).map(|k| nodes[cell / nodes.len().pow(k as u32) % nodes.len()]).collect();
            draws.iter().map(|z| weight(*z) / all).product::<f64>() * f(&draws)
        };
        (0..cells).map(term).sum()
    }

    fn direction(angle: f64) -> [f64; 2] {
        [angle.cos(), angle.sin()]
    }

    /// <x', y'> on the circle after one part of spread `spread`, on average over draws and orders.
    fn overlap(wide: usize, spread: f64, angles: [f64; 2]) -> f64 {
        let count = if wide == 2 { 4 } else { 2 };
        let of = |draws: &[f64], is_reversed: bool| {
            let drawn: Vec<f64> = draws.iter().map(|w| spread * w).collect();
            let mut rows = vec![0.0; wide * wide];
            rows.iter_mut().step_by(wide + 1).for_each(|entry| *entry = 1.0);
            let mut flow = Flow { wide, rows, done: 0 };
            if wide == 2 {
                flow.shears(&drawn, is_reversed)
            } else {
                flow.boosts(&drawn, is_reversed)
            }
            let map = flow.finish(2);
            let [mut x, mut y] = [[0.0; 2]; 2];
            map.apply(&direction(angles[0]), &mut x);
            map.apply(&direction(angles[1]), &mut y);
            x[0] * y[0] + x[1] * y[1]
        };
        mean(count, &|draws| 0.5 * (of(draws, false) + of(draws, true)))
    }

    /// The overlap c of two tokens is a diffusion of generator L f = b f' + a f'': on the circle b = c^2 - c and
    /// a = (1 - c)^2 (1 + c) with boosts, b = c^3 - c and a = (1 - c^2)^2 with matrices, by Ito's formula. One part leaves an error of
    /// the third order in time of E c, so that many leave one of the second.
    #[test]
    fn overlaps_are_of_the_second_weak_order() {
        for (wide, name) in [(3, "boosts"), (2, "shears")] {
            let error = |time: f64, angles: [f64; 2]| {
                let c = (angles[0] - angles[1]).cos();
                let [drift, slope, bend, spread] = if wide == 3 {
                    [c * c - c, 2.0 * c - 1.0, 2.0, (1.0 - c).powi(2) * (1.0 + c)]
                } else {
                    [c * c * c - c, 3.0 * c * c - 1.0, 6.0 * c, (1.0 - c * c).powi(2)]
                };
                let expected = c + time * drift + 0.5 * time * time * (drift * slope + spread * bend);
                (overlap(wide, time.sqrt(), angles) - expected).abs()
            };
            // At some angles the error of the third order vanishes.
            let pairs = [[0.3, 1.2], [2.0, -0.4], [0.1, 3.0], [1.0, 2.7]];
            let largest = |time: f64| pairs.map(|angles| error(time, angles)).into_iter().fold(0.0, f64::max);
            let (long, short) = (largest(0.02), largest(0.01));
            let order = (long / short).log2();
            assert!((order - 3.0).abs() < 0.25, "{name}: order {order}, errors {long:e}, {short:e}");
        }
    }
}
