//! How the expansion depends on kappa = |q|: the same for all queries, or computed for each.

use super::{
    super::{exp2::Exp2, real::Real},
    bessel,
};

/// A ratio of Bessel functions that nothing can see any more, in either precision.
const NEGLIGIBLE: f64 = 1e-24;

/// Where the downward recurrence starts; above it by 1 / NEGLIGIBLE is still far from overflow.
const SEED: f64 = 1e-30;

/// The degree of an expansion, and its coefficients b_l as a function of the query.
pub(in super::super) struct Radial<T> {
    pub(in super::super) degree: usize,
    pub(super) form: Form<T>,
}

pub(super) enum Form<T> {
    /// One kappa, and b_0..b_degree there.
    Constant { kappa: f64, coefficients: Vec<f64> },
    /// Each query its own.
    Varying(Recurrence<T>),
}

impl<T: Real> Radial<T> {
    /// For queries that all have length `kappa`: A = c I, kappa = beta |c|.
    pub(in super::super) fn constant(dim: usize, kappa: f64, degree: usize) -> Self {
        Self { degree, form: Form::Constant { kappa, coefficients: bessel::coefficients(dim, kappa, degree) } }
    }

    /// For queries of any length up to `kappa_max` = beta |A|_2.
    pub(in super::super) fn varying(dim: usize, kappa_max: f64, degree: usize) -> Self {
        Self { degree, form: Form::Varying(Recurrence::new(dim, kappa_max, degree)) }
    }

    /// b_0..b_degree, if they are the same for all queries.
    pub(in super::super) fn coefficients(&self) -> Option<&[f64]> {
        match &self.form {
            Form::Constant { coefficients, .. } => Some(coefficients),
            Form::Varying(_) => None,
        }
    }

    /// What b_l contributes to the coefficients of degree l: itself if it is constant, nothing if each query has its own.
    pub(super) fn folded(&self, l: usize) -> f64 {
        match &self.form {
            Form::Constant { coefficients, .. } => coefficients[l],
            Form::Varying(_) => 1.0,
        }
    }
}

/// Miller's downward recurrence f_{l-1} = f_{l+1} + (c_l / kappa) f_l on whole vectors of queries.
///
/// The terms are positive and the recurrence is stable; sum b_l = 1 fixes the factor. Queries with a small kappa would
/// overflow on the way down, so each lane starts at the first degree that its kappa can make visible.
pub(super) struct Recurrence<T> {
    /// Ordered from the start down to l = 1.
    steps: Vec<Step<T>>,
}

struct Step<T> {
    /// c_l.
    factor: T,
    multiplicity: T,
    /// Up to this kappa, f_l / f_0 is negligible.
    threshold: T,
}

impl<T: Real> Recurrence<T> {
    fn new(dim: usize, kappa_max: f64, degree: usize) -> Self {
        // The start forgets itself before it reaches a degree that is kept.
        let visible = |l: &usize| threshold(*l, kappa_max) < kappa_max;
        let start = (1..).take_while(visible).last().unwrap_or(0).max(degree);
        let step = |l| Step {
            factor: T::from_f64(bessel::recurrence(dim, l)),
            multiplicity: T::from_f64(bessel::multiplicity(dim, l)),
            threshold: T::from_f64(threshold(l, kappa_max)),
        };
        Self { steps: (1..=start).rev().map(step).collect() }
    }

    /// b_0..b_degree of V vectors of kappa into `table`, ordered (l, vector); its length sets the degree.
    #[inline(always)]
    pub(super) fn fill<S: Exp2, const V: usize>(
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

/// The kappa in [0, kappa_max] below which f_l / f_0 stays under `NEGLIGIBLE`, give or take a factor that cannot matter.
///
/// ln (I_nu / I_0) is about sqrt(nu^2 + kappa^2) - kappa + nu ln(kappa / (nu + sqrt(nu^2 + kappa^2))), the exponent of the
/// uniform expansion (DLMF 10.41.3).
fn threshold(l: usize, kappa_max: f64) -> f64 {
    let order = l as f64;
    let negligible = |kappa: f64| {
        let length = order.hypot(kappa);
        length - kappa + order * (kappa / (order + length)).ln() < NEGLIGIBLE.ln()
    };
    if negligible(kappa_max) {
        return kappa_max;
    }
    let (mut below, mut above) = (NEGLIGIBLE * NEGLIGIBLE, kappa_max);
    while above > 1.02 * below {
        let middle = (above * below).sqrt();
        if negligible(middle) {
            below = middle;
        } else {
            above = middle;
        }
    }
    below
}
