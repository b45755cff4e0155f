//! How the expansion depends on kappa = |q|: the same for all queries, or computed for each.

use super::super::{exp2::Exp2, real::Real};
use crate::harmonic::{self, SEED};

/// The degree of an expansion, and its coefficients b_l as a function of the query.
pub(crate) struct Radial<T> {
    pub(crate) degree: usize,
    pub(crate) form: Form<T>,
}

pub(crate) enum Form<T> {
    /// One kappa, and b_0..b_degree there.
    Constant { kappa: f64, coefficients: Vec<f64> },
    /// Each query its own.
    Varying(Recurrence<T>),
}

impl<T: Real> Radial<T> {
    /// For queries that all have length `kappa`: A = c I, kappa = beta |c|.
    pub(crate) fn constant(dim: usize, kappa: f64, degree: usize) -> Self {
        Self { degree, form: Form::Constant { kappa, coefficients: harmonic::coefficients(dim, kappa, degree) } }
    }

    /// For queries of any length up to `kappa_max` = beta |A|_2.
    pub(crate) fn varying(dim: usize, kappa_max: f64, degree: usize) -> Self {
        Self { degree, form: Form::Varying(Recurrence::new(dim, kappa_max, degree)) }
    }

    /// b_0..b_degree, if they are the same for all queries.
    pub(crate) fn coefficients(&self) -> Option<&[f64]> {
        match &self.form {
            Form::Constant { coefficients, .. } => Some(coefficients),
            Form::Varying(_) => None,
        }
    }

    /// What b_l contributes to the coefficients of degree l: itself if it is constant, nothing if each query has its own.
    pub(crate) fn folded(&self, l: usize) -> f64 {
        match &self.form {
            Form::Constant { coefficients, .. } => coefficients[l],
            Form::Varying(_) => 1.0,
        }
    }
}

/// The recurrence of [`steps`](harmonic::steps) on whole vectors of queries.
pub(crate) struct Recurrence<T> {
    steps: Vec<Step<T>>,
}

/// As [`harmonic::Step`], in working precision.
struct Step<T> {
    factor: T,
    multiplicity: T,
    threshold: T,
}

impl<T: Real> Recurrence<T> {
    fn new(dim: usize, kappa_max: f64, degree: usize) -> Self {
        let rounded = |step: harmonic::Step| Step {
            factor: T::from_f64(step.factor),
            multiplicity: T::from_f64(step.multiplicity),
            threshold: T::from_f64(step.threshold),
        };
        Self { steps: harmonic::steps(dim, kappa_max, degree).into_iter().map(rounded).collect() }
    }

    /// b_0..b_degree of V vectors of kappa into `table`, ordered (l, vector); its length sets the degree.
    #[inline(always)]
    pub(crate) fn fill<S: Exp2, const V: usize>(
        &self,
        simd: S,
        kappa: &[T::Vector<S>; V],
        table: &mut [[T::Vector<S>; V]],
    ) {
        let zero = T::splat(simd, T::ZERO);
        let one = T::splat(simd, T::ONE);
        let seed = T::splat(simd, T::from_f64(SEED));
        let mut inverse = [zero; V];
        for v in 0..V {
            inverse[v] = T::div(simd, one, T::max(simd, kappa[v], seed));
        }
        let (mut upper, mut lower, mut sum) = ([zero; V], [seed; V], [zero; V]);
        for (step, l) in self.steps.iter().zip((1..=self.steps.len()).rev()) {
            let threshold = T::splat(simd, step.threshold);
            let factor = T::splat(simd, step.factor);
            let multiplicity = T::splat(simd, step.multiplicity);
            let mut kept = [zero; V];
            for v in 0..V {
                let next = T::mul_add(simd, T::mul(simd, factor, inverse[v]), lower[v], upper[v]);
                upper[v] = T::select_above(simd, kappa[v], threshold, lower[v], zero);
                lower[v] = T::select_above(simd, kappa[v], threshold, next, seed);
                kept[v] = T::mul(simd, multiplicity, upper[v]);
                sum[v] = T::add(simd, sum[v], kept[v]);
            }
            if let Some(row) = table.get_mut(l) {
                *row = kept;
            }
        }
        table[0] = lower;
        for v in 0..V {
            inverse[v] = T::div(simd, one, T::add(simd, sum[v], lower[v]));
        }
        for row in table {
            for v in 0..V {
                row[v] = T::mul(simd, row[v], inverse[v]);
            }
        }
    }
}
