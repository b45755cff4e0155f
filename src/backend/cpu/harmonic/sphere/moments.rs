//! The moments of a chunk of keys on the sphere.

use super::{
    super::{
        super::{exp2::Exp2, real::Real},
        circle::multiply,
    },
    Triangle, horizons,
};

/// Vectors of keys whose recurrences run side by side: they, their sums and the steps fill the registers.
const WIDE: usize = 4;
const NARROW: usize = 2;

/// Vectors of one block, whose state stays in the first-level cache while m advances.
const BLOCK: usize = 32;

/// Adds sum_j w_j p_lm(z_j) (x_j + i y_j)^m, real part and imaginary part, one partial sum a lane, to each pair of
/// `lanes`, which `steps` belongs to.
#[inline(always)]
pub(in super::super) fn accumulate<S: Exp2, T: Real>(
    simd: S,
    keys: [&[T::Vector<S>]; 3],
    weights: &[T::Vector<S>],
    steps: &[T],
    degree: usize,
    lanes: &mut [[T::Vector<S>; 2]],
) {
    let triangle = Triangle { degree };
    let horizons = horizons::<T>(degree);
    for start in (0..weights.len()).step_by(BLOCK) {
        let mut block = Block::new(simd, keys, weights, start);
        for m in 0..=degree {
            let row = triangle.row(m);
            if S::REGISTER_COUNT >= 32 {
                block.add::<WIDE>(simd, &steps[row.clone()], &mut lanes[row]);
            } else {
                block.add::<NARROW>(simd, &steps[row.clone()], &mut lanes[row]);
            }
            if m < degree {
                block.raise(simd, horizons[m + 1]);
            }
        }
    }
}

/// Keys with their current w (x + iy)^m.
struct Block<S: Exp2, T: Real> {
    point: [[T::Vector<S>; 2]; BLOCK],
    sine_squared: [T::Vector<S>; BLOCK],
    double_z: [T::Vector<S>; BLOCK],
    power: [[T::Vector<S>; 2]; BLOCK],
    /// Vectors in use, a multiple of the group; those without keys weigh nothing.
    vectors: usize,
}

impl<S: Exp2, T: Real> Block<S, T> {
    #[inline(always)]
    fn new(simd: S, [x, y, z]: [&[T::Vector<S>]; 3], weights: &[T::Vector<S>], start: usize) -> Self {
        let zero = T::splat(simd, T::ZERO);
        let filled = BLOCK.min(weights.len() - start);
        let mut block = Self {
            point: [[zero; 2]; BLOCK],
            sine_squared: [zero; BLOCK],
            double_z: [zero; BLOCK],
            power: [[zero; 2]; BLOCK],
            vectors: filled.next_multiple_of(WIDE),
        };
        for v in 0..filled {
            let (x, y, z) = (x[start + v], y[start + v], z[start + v]);
            block.point[v] = [x, y];
            block.sine_squared[v] = T::mul_add(simd, x, x, T::mul(simd, y, y));
            block.double_z[v] = T::add(simd, z, z);
            block.power[v][0] = weights[start + v];
        }
        block
    }

    /// Adds the pairs of the current m.
    #[inline(always)]
    fn add<const V: usize>(&self, simd: S, steps: &[T], lanes: &mut [[T::Vector<S>; 2]]) {
        let zero = T::splat(simd, T::ZERO);
        let one = T::splat(simd, T::ONE);
        let groups = self.power.as_chunks::<V>().0.iter().zip(self.double_z.as_chunks::<V>().0);
        for (power, double_z) in groups.take(self.vectors / V) {
            let (power, double_z) = (*power, *double_z);
            let (mut before, mut current) = ([zero; V], [one; V]);
            for (sum, step) in lanes.iter_mut().zip(steps) {
                let step = T::splat(simd, *step);
                let mut total = *sum;
                for v in 0..V {
                    total[0] = T::mul_add(simd, power[v][0], current[v], total[0]);
                    total[1] = T::mul_add(simd, power[v][1], current[v], total[1]);
                    let next = T::mul_add(simd, double_z[v], current[v], T::mul(simd, step, before[v]));
                    before[v] = current[v];
                    current[v] = next;
                }
                *sum = total;
            }
        }
    }

    /// From m to m + 1; powers of sines below the horizon become zero.
    #[inline(always)]
    fn raise(&mut self, simd: S, horizon: T) {
        let zero = T::splat(simd, T::ZERO);
        let horizon = T::splat(simd, horizon);
        for v in 0..self.vectors {
            let power = multiply::<S, T>(simd, self.power[v], self.point[v]);
            for part in 0..2 {
                self.power[v][part] = T::select_above(simd, self.sine_squared[v], horizon, power[part], zero);
            }
        }
    }
}
