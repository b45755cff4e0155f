//! Z and M in the directions of queries on the sphere.

use super::{
    super::{
        super::{
            exp2::Exp2,
            instructions::{Instructions, Kernel},
            real::Real,
            reduction::Reduced,
        },
        circle::multiply,
        evaluate::{Evaluation, Harmonics, Weigh},
        moments::Moments,
        radial::Radial,
    },
    Triangle,
    coefficients::coefficients,
    horizons,
};

/// Vectors of queries in flight: eight sums each, their recurrences and two factors fill the registers.
const WIDE: usize = 2;
const NARROW: usize = 1;

/// Z, M_x, M_y and M_z as series of spherical harmonics of the direction of the query.
pub(crate) struct Series<T> {
    triangle: Triangle,
    /// As [`coefficients`] orders them.
    pairs: Vec<[T; 8]>,
    /// -gamma_lm.
    steps: Vec<T>,
    horizons: Vec<T>,
}

impl<T: Real> Series<T> {
    pub(crate) fn new(moments: &Moments, total: f64, radial: &Radial<T>) -> Self {
        let triangle = Triangle { degree: radial.degree };
        let pairs = coefficients(moments, total, radial);
        Self { triangle, pairs, steps: triangle.steps(), horizons: horizons(triangle.degree) }
    }

    pub(crate) fn reduce(
        &self,
        instructions: Instructions,
        radial: &Radial<T>,
        log2_total: f64,
        queries: &[f64],
        out: &mut Reduced,
    ) -> f64 {
        instructions.run(Evaluation::<T, Self, 3> { series: self, radial, log2_total, queries, out })
    }

    /// The eight polynomials in z that stand before the parts of (x + iy)^m, of which the first P are asked for.
    #[inline(always)]
    fn row<S: Exp2, W: Weigh<S, T, V>, const V: usize, const P: usize>(
        &self,
        simd: S,
        m: usize,
        double_z: [T::Vector<S>; V],
        weigh: W,
    ) -> [[T::Vector<S>; V]; P] {
        let zero = T::splat(simd, T::ZERO);
        let mut sums = [[zero; V]; P];
        let (mut before, mut current) = ([zero; V], [T::splat(simd, T::ONE); V]);
        let row = self.triangle.row(m);
        for (l, (pair, step)) in (m..).zip(self.pairs[row.clone()].iter().zip(&self.steps[row])) {
            let step = T::splat(simd, *step);
            for v in 0..V {
                let weighed = weigh.weigh(simd, l, v, current[v]);
                for p in 0..P {
                    sums[p][v] = T::mul_add(simd, T::splat(simd, pair[p]), weighed, sums[p][v]);
                }
                let next = T::mul_add(simd, double_z[v], current[v], T::mul(simd, step, before[v]));
                before[v] = current[v];
                current[v] = next;
            }
        }
        sums
    }
}

impl<T: Real> Kernel for Evaluation<'_, T, Series<T>, 3> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) -> f64 {
        if S::REGISTER_COUNT >= 32 { self.grouped::<S, WIDE>(simd) } else { self.grouped::<S, NARROW>(simd) }
    }
}

impl<T: Real> Harmonics<T, 3> for Series<T> {
    #[inline(always)]
    fn sums<S: Exp2, W: Weigh<S, T, V>, const V: usize>(
        &self,
        simd: S,
        [x, y, z]: [[T::Vector<S>; V]; 3],
        weigh: W,
    ) -> [[T::Vector<S>; V]; 4] {
        let zero = T::splat(simd, T::ZERO);
        let double_z = z.map(|z| T::add(simd, z, z));
        let mut sine_squared = [zero; V];
        for v in 0..V {
            sine_squared[v] = T::mul_add(simd, x[v], x[v], T::mul(simd, y[v], y[v]));
        }
        let mut sums = self.row::<S, W, V, 4>(simd, 0, double_z, weigh);
        let mut power = [[T::splat(simd, T::ONE), zero]; V];
        for m in 1..=self.triangle.degree {
            let horizon = T::splat(simd, self.horizons[m]);
            for v in 0..V {
                let raised = multiply::<S, T>(simd, power[v], [x[v], y[v]]);
                power[v] = raised.map(|part| T::select_above(simd, sine_squared[v], horizon, part, zero));
            }
            let row = self.row::<S, W, V, 8>(simd, m, double_z, weigh);
            for v in 0..V {
                for a in 0..4 {
                    sums[a][v] = T::mul_add(simd, power[v][0], row[a][v], sums[a][v]);
                    sums[a][v] = T::mul_add(simd, power[v][1], row[4 + a][v], sums[a][v]);
                }
            }
        }
        sums
    }
}
