//! The moments of a chunk of keys on the sphere.

use super::{
    super::{
        super::{exp2::Exp2, real::Real},
        circle::multiply,
    },
    Polynomials, Triangle, horizons,
    polynomials::{Chebyshev, Family, Legendre, Recurrence, climb},
};

/// Vectors of keys whose recurrences run side by side: they, their sums and the steps fill the registers.
const WIDE: usize = 4;
const NARROW: usize = 2;

/// Vectors of one block, whose state stays in the first-level cache while m advances.
const BLOCK: usize = 32;

/// The parts of (x + iy)^m that are not zero.
const ORDER_ZERO: usize = 1;
const HIGHER_ORDER: usize = 2;

/// Adds sum_j w_j p_lm(z_j) (x_j + i y_j)^m, real part and imaginary part, one partial sum a lane, to each pair of
/// `lanes`, which `steps` belongs to; with other polynomials in z if `polynomials` says so.
#[inline(always)]
pub(crate) fn accumulate<S: Exp2, T: Real>(
    simd: S,
    keys: [&[T::Vector<S>]; 3],
    weights: &[T::Vector<S>],
    polynomials: &Polynomials,
    steps: &[T],
    degree: usize,
    lanes: &mut [[T::Vector<S>; 2]],
) {
    let triangle = Triangle { degree };
    let horizons = horizons::<T>(degree);
    let mut block = Block::empty(simd);
    for start in (0..weights.len()).step_by(BLOCK) {
        block.load(simd, keys, weights, start);
        for m in 0..=degree {
            let row = triangle.row(m);
            let (steps, lanes) = (&steps[row.clone()], &mut lanes[row]);
            match polynomials.family {
                Family::Legendre => block.add::<Legendre>(simd, m, steps, lanes),
                Family::Chebyshev => block.add::<Chebyshev>(simd, m, steps, lanes),
            }
            if m < degree {
                block.raise(simd, horizons[m + 1]);
            }
        }
    }
}

/// Keys with their current w (x + iy)^m, on cache lines of their own.
#[repr(align(64))]
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
    fn empty(simd: S) -> Self {
        let zero = T::splat(simd, T::ZERO);
        Self {
            point: [[zero; 2]; BLOCK],
            sine_squared: [zero; BLOCK],
            double_z: [zero; BLOCK],
            power: [[zero; 2]; BLOCK],
            vectors: 0,
        }
    }

    /// The keys from `start` on, with m = 0.
    #[inline(always)]
    fn load(&mut self, simd: S, [x, y, z]: [&[T::Vector<S>]; 3], weights: &[T::Vector<S>], start: usize) {
        let zero = T::splat(simd, T::ZERO);
        let filled = BLOCK.min(weights.len() - start);
        self.vectors = filled.next_multiple_of(WIDE);
        for v in 0..filled {
            let (x, y, z) = (x[start + v], y[start + v], z[start + v]);
            self.point[v] = [x, y];
            self.sine_squared[v] = T::mul_add(simd, x, x, T::mul(simd, y, y));
            self.double_z[v] = T::add(simd, z, z);
            self.power[v] = [weights[start + v], zero];
        }
        self.power[filled..self.vectors].fill([zero; 2]);
    }

    /// Adds the pairs of the current m.
    #[inline(always)]
    fn add<R: Recurrence>(&self, simd: S, m: usize, steps: &[T], lanes: &mut [[T::Vector<S>; 2]]) {
        match (m, S::REGISTER_COUNT) {
            (0, _) => self.add_parts::<R, NARROW, ORDER_ZERO>(simd, steps, lanes),
            (_, 32..) => self.add_parts::<R, WIDE, HIGHER_ORDER>(simd, steps, lanes),
            _ => self.add_parts::<R, NARROW, HIGHER_ORDER>(simd, steps, lanes),
        }
    }

    #[inline(always)]
    fn add_parts<R: Recurrence, const V: usize, const P: usize>(
        &self,
        simd: S,
        steps: &[T],
        lanes: &mut [[T::Vector<S>; 2]],
    ) {
        let zero = T::splat(simd, T::ZERO);
        let one = T::splat(simd, T::ONE);
        let groups = self.power.as_chunks::<V>().0.iter().zip(self.double_z.as_chunks::<V>().0);
        for (power, double_z) in groups.take(self.vectors / V) {
            let (power, double_z) = (*power, *double_z);
            let (mut odd, mut even) = ([zero; V], [one; V]);
            let (lanes, last) = lanes.as_chunks_mut::<2>();
            for (sums, steps) in lanes.iter_mut().zip(steps.as_chunks::<2>().0) {
                add_products::<S, T, V, P>(simd, &power, &even, &mut sums[0]);
                climb::<S, T, R, V>(simd, &double_z, &even, steps[0], &mut odd);
                add_products::<S, T, V, P>(simd, &power, &odd, &mut sums[1]);
                climb::<S, T, R, V>(simd, &double_z, &odd, steps[1], &mut even);
            }
            for sum in last {
                add_products::<S, T, V, P>(simd, &power, &even, sum);
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

/// sum += one polynomial times the parts of powers.
#[inline(always)]
fn add_products<S: Exp2, T: Real, const V: usize, const P: usize>(
    simd: S,
    power: &[[T::Vector<S>; 2]; V],
    polynomial: &[T::Vector<S>; V],
    sum: &mut [T::Vector<S>; 2],
) {
    let mut total = *sum;
    for v in 0..V {
        for part in 0..P {
            total[part] = T::mul_add(simd, power[v][part], polynomial[v], total[part]);
        }
    }
    *sum = total;
}
