//! The velocity on the sphere where it is a gradient, which takes fewer sums than Z and all of M do.
//!
//! For A = c I every query is q = beta c x, so that M = grad_q Z makes the tangential part of M the surface gradient of
//! Z as a function of the token x: P_x M = (1 / beta c) grad_S Z. With Z = e^kappa W F, kappa = |beta c|,
//!
//! ```text
//! F(x) = sum_lm c_lm p_lm(z) Re or Im (x + iy)^m ,    d p_lm / dz = 2 (l - m) p_{l,m+1}
//! ```
//!
//! so that one pass over the pairs (l, m) gives F and the z derivative, and the other two follow from the sums for each m.
//! Value matrices that are multiples of the identity scale the velocity.

use super::{
    super::{
        super::{
            columns::{ColumnsMut, ColumnsRef},
            exp2::Exp2,
            instructions::Kernel,
            real::Real,
        },
        circle::multiply,
        moments::Moments,
    },
    Polynomials, Triangle, horizons,
    polynomials::{Chebyshev, Family, Legendre, Recurrence, climb},
};

/// Vectors of tokens in flight: four sums each, their recurrences and two factors fill the registers.
const WIDE: usize = 4;
const NARROW: usize = 2;

/// A head's share of the velocity.
pub(crate) struct Gradient<T> {
    triangle: Triangle,
    family: Family,
    /// For every pair (l, m), or what stands for it in another family: the factors of p_lm Re and Im (x + iy)^m in F, then those of p_lm Re and Im (x + iy)^{m-1} in
    /// the z derivative of F.
    pairs: Vec<[T; 4]>,
    /// -gamma_lm.
    steps: Vec<T>,
    horizons: Vec<T>,
    /// What grad F is multiplied by, and divided by F or not.
    factor: T,
    divided: Divided,
}

/// What becomes of the gradient of F.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Divided {
    /// grad F / F: softmax.
    ByF,
    /// grad F itself: unnormalized.
    ByNothing,
}

impl<T: Real> Gradient<T> {
    /// For queries beta c x, of length kappa > 0, with `coefficients` b_l(kappa); `sign` is that of c. The share is
    /// `factor` grad_S F / F or `factor` grad_S F.
    pub(crate) fn new(
        moments: &Moments,
        polynomials: &Polynomials,
        coefficients: &[f64],
        sign: f64,
        factor: f64,
        divided: Divided,
    ) -> Self {
        let triangle = Triangle { degree: coefficients.len() - 1 };
        let sources = Triangle { degree: moments.degree };
        let norms = triangle.norms();
        let part = |l: usize, m: usize, part: usize| {
            let moment = moments.values[2 * sources.index(l, m) + part];
            sign.powi(l as i32) * coefficients[l] * norms[triangle.index(l, m)] * moment / moments.total()
        };
        let pair = |l: usize, m: usize| {
            let mut factors = [part(l, m, 0), part(l, m, 1), 0.0, 0.0];
            if m > 0 {
                let raised = 2.0 * (l + 1 - m) as f64;
                (factors[2], factors[3]) = (raised * part(l, m - 1, 0), raised * part(l, m - 1, 1));
            }
            factors
        };
        let mut pairs = triangle.each(pair);
        polynomials.factors(triangle, &mut pairs);
        Self {
            triangle,
            pairs: pairs.into_iter().map(|factors| factors.map(T::from_f64)).collect(),
            family: polynomials.family,
            steps: triangle.steps(),
            horizons: horizons(triangle.degree),
            factor: T::from_f64(factor),
            divided,
        }
    }

    /// sums += F and its three derivatives at V vectors of tokens.
    #[inline(always)]
    fn add_at<S: Exp2, R: Recurrence, const V: usize>(
        &self,
        simd: S,
        [x, y, z]: &[[T::Vector<S>; V]; 3],
        sums: &mut [[T::Vector<S>; V]; 4],
    ) {
        let zero = T::splat(simd, T::ZERO);
        let (mut double_z, mut sine_squared) = ([zero; V], [zero; V]);
        for v in 0..V {
            double_z[v] = T::add(simd, z[v], z[v]);
            sine_squared[v] = T::mul_add(simd, x[v], x[v], T::mul(simd, y[v], y[v]));
        }
        [sums[0]] = self.row::<S, R, V, 1>(simd, 0, double_z);
        let mut power = [[T::splat(simd, T::ONE), zero]; V];
        for m in 1..=self.triangle.degree {
            let [a, b, c, d] = self.row::<S, R, V, 4>(simd, m, double_z);
            let horizon = T::splat(simd, self.horizons[m]);
            let order = T::splat(simd, T::from_f64(m as f64));
            for v in 0..V {
                let [re, im] = power[v];
                let (along, across) = (T::mul(simd, order, re), T::mul(simd, order, im));
                sums[1][v] = T::mul_add(simd, a[v], along, T::mul_add(simd, b[v], across, sums[1][v]));
                sums[2][v] = T::mul_add(simd, b[v], along, T::negate_mul_add(simd, a[v], across, sums[2][v]));
                sums[3][v] = T::mul_add(simd, c[v], re, T::mul_add(simd, d[v], im, sums[3][v]));
                let raised = multiply::<S, T>(simd, power[v], [x[v], y[v]]);
                for part in 0..2 {
                    power[v][part] = T::select_above(simd, sine_squared[v], horizon, raised[part], zero);
                }
                sums[0][v] = T::mul_add(simd, a[v], power[v][0], T::mul_add(simd, b[v], power[v][1], sums[0][v]));
            }
        }
    }

    /// The first P polynomials in z of order m.
    #[inline(always)]
    fn row<S: Exp2, R: Recurrence, const V: usize, const P: usize>(
        &self,
        simd: S,
        m: usize,
        double_z: [T::Vector<S>; V],
    ) -> [[T::Vector<S>; V]; P] {
        let zero = T::splat(simd, T::ZERO);
        let mut sums = [[zero; V]; P];
        let (mut odd, mut even) = ([zero; V], [T::splat(simd, T::ONE); V]);
        let row = self.triangle.row(m);
        let (pairs, last) = self.pairs[row.clone()].as_chunks::<2>();
        for (pairs, steps) in pairs.iter().zip(self.steps[row].as_chunks::<2>().0) {
            add_terms::<S, T, V, P>(simd, &pairs[0], &even, &mut sums);
            climb::<S, T, R, V>(simd, &double_z, &even, steps[0], &mut odd);
            add_terms::<S, T, V, P>(simd, &pairs[1], &odd, &mut sums);
            climb::<S, T, R, V>(simd, &double_z, &odd, steps[1], &mut even);
        }
        for pair in last {
            add_terms::<S, T, V, P>(simd, pair, &even, &mut sums);
        }
        sums
    }
}

/// sums += factors times one polynomial.
#[inline(always)]
fn add_terms<S: Exp2, T: Real, const V: usize, const P: usize>(
    simd: S,
    factors: &[T; 4],
    polynomial: &[T::Vector<S>; V],
    sums: &mut [[T::Vector<S>; V]; P],
) {
    for k in 0..P {
        let factor = T::splat(simd, factors[k]);
        for v in 0..V {
            sums[k][v] = T::mul_add(simd, factor, polynomial[v], sums[k][v]);
        }
    }
}

/// Adds the share of one head to the velocity of a run of tokens; returns the smallest F.
pub(crate) struct AddGradient<'a, 'b, T> {
    pub(crate) gradient: &'a Gradient<T>,
    pub(crate) tokens: ColumnsRef<'a, T>,
    pub(crate) velocity: &'a mut ColumnsMut<'b, T>,
}

impl<T: Real> Kernel for AddGradient<'_, '_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) -> f64 {
        match self.gradient.family {
            Family::Legendre => self.all::<S, Legendre>(simd),
            Family::Chebyshev => self.all::<S, Chebyshev>(simd),
        }
    }
}

impl<T: Real> AddGradient<'_, '_, T> {
    #[inline(always)]
    fn all<S: Exp2, R: Recurrence>(mut self, simd: S) -> f64 {
        let vectors = self.tokens.len() / T::lanes::<S>();
        let lowest = T::splat(simd, T::from_f64(f64::NEG_INFINITY));
        let (whole, lowest) = if S::REGISTER_COUNT >= 32 {
            self.grouped::<S, R, WIDE>(simd, 0, vectors, lowest)
        } else {
            self.grouped::<S, R, NARROW>(simd, 0, vectors, lowest)
        };
        let (_, lowest) = self.grouped::<S, R, 1>(simd, whole, vectors, lowest);
        -T::largest(simd, lowest).to_f64()
    }

    /// As many groups of V vectors as there are from vector `start` on: where they end, and the largest -F so far.
    #[inline(always)]
    fn grouped<S: Exp2, R: Recurrence, const V: usize>(
        &mut self,
        simd: S,
        start: usize,
        vectors: usize,
        mut lowest: T::Vector<S>,
    ) -> (usize, T::Vector<S>) {
        let zero = T::splat(simd, T::ZERO);
        let factor = T::splat(simd, self.gradient.factor);
        let columns: [&[T::Vector<S>]; 3] = std::array::from_fn(|c| T::vectors::<S>(self.tokens.column(c)));
        let whole = start + (vectors - start) / V * V;
        for first in (start..whole).step_by(V) {
            let mut point = [[zero; V]; 3];
            for c in 0..3 {
                point[c].copy_from_slice(&columns[c][first..first + V]);
            }
            let mut sums = [[zero; V]; 4];
            self.gradient.add_at::<S, R, V>(simd, &point, &mut sums);
            let [sum, slopes @ ..] = &sums;
            let mut scale = [factor; V];
            for v in 0..V {
                lowest = T::max(simd, lowest, T::sub(simd, zero, sum[v]));
                if self.gradient.divided == Divided::ByF {
                    scale[v] = T::div(simd, factor, sum[v]);
                }
            }
            let mut radial = [zero; V];
            for (x, slopes) in point.iter().zip(slopes) {
                for v in 0..V {
                    radial[v] = T::mul_add(simd, x[v], slopes[v], radial[v]);
                }
            }
            for (component, (x, slopes)) in point.iter().zip(slopes).enumerate() {
                let column = &mut T::vectors_mut::<S>(self.velocity.column_mut(component))[first..first + V];
                for v in 0..V {
                    let tangential = T::negate_mul_add(simd, radial[v], x[v], slopes[v]);
                    column[v] = T::mul_add(simd, scale[v], tangential, column[v]);
                }
            }
        }
        (whole, lowest)
    }
}
