//! Z and M in the directions of queries on the circle.

use super::{
    super::{
        super::{
            exp2::Exp2,
            instructions::{Instructions, Kernel},
            real::Real,
            reduction::Reduced,
        },
        evaluate::{Evaluation, Harmonics, Weigh},
        moments::Moments,
        radial::Radial,
    },
    multiply,
};

/// Vectors of queries in flight at once: enough to hide the latency of the recurrence.
const WIDE: usize = 4;
const NARROW: usize = 2;

/// Z, M_x and M_y as Fourier series in the angle of the query: for each k, their three factors of cos, then of sin.
pub(crate) struct Series<T> {
    rows: Vec<[T; 6]>,
}

impl<T: Real> Series<T> {
    /// The moments of w_j cos theta_j and w_j sin theta_j are half sums and differences of c_{k+1} and c_{k-1}.
    pub(crate) fn new(moments: &Moments, total: f64, radial: &Radial<T>) -> Self {
        let moment = |k: isize| {
            let value = &moments.values[2 * k.unsigned_abs()..];
            [value[0], if k < 0 { -value[1] } else { value[1] }]
        };
        let row = |l: usize| {
            let [[re, im], [re_above, im_above], [re_below, im_below]] =
                [0, 1, -1].map(|step| moment(l as isize + step));
            let cosines = [re, 0.5 * (re_above + re_below), 0.5 * (im_above - im_below)];
            let sines = [im, 0.5 * (im_above + im_below), 0.5 * (re_below - re_above)];
            let factor = radial.folded(l) / total;
            std::array::from_fn(|k| T::from_f64(factor * if k < 3 { cosines[k] } else { sines[k - 3] }))
        };
        Self { rows: (0..=radial.degree).map(row).collect() }
    }

    pub(crate) fn reduce(
        &self,
        instructions: Instructions,
        radial: &Radial<T>,
        log2_total: f64,
        queries: &[f64],
        out: &mut Reduced,
    ) -> f64 {
        instructions.run(Evaluation::<T, Self, 2> { series: self, radial, log2_total, queries, out })
    }
}

impl<T: Real> Kernel for Evaluation<'_, T, Series<T>, 2> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) -> f64 {
        if S::REGISTER_COUNT >= 32 { self.grouped::<S, WIDE>(simd) } else { self.grouped::<S, NARROW>(simd) }
    }
}

impl<T: Real> Harmonics<T, 2> for Series<T> {
    #[inline(always)]
    fn sums<S: Exp2, W: Weigh<S, T, V>, const V: usize>(
        &self,
        simd: S,
        [x, y]: [[T::Vector<S>; V]; 2],
        weigh: W,
    ) -> [[T::Vector<S>; V]; 4] {
        let zero = T::splat(simd, T::ZERO);
        let mut sums = [[zero; V]; 4];
        let mut power = [[T::splat(simd, T::ONE), zero]; V];
        for (l, row) in self.rows.iter().enumerate() {
            for v in 0..V {
                let cosine = weigh.weigh(simd, l, v, power[v][0]);
                let sine = weigh.weigh(simd, l, v, power[v][1]);
                for a in 0..3 {
                    sums[a][v] = T::mul_add(simd, T::splat(simd, row[a]), cosine, sums[a][v]);
                    sums[a][v] = T::mul_add(simd, T::splat(simd, row[3 + a]), sine, sums[a][v]);
                }
                power[v] = multiply::<S, T>(simd, power[v], [x[v], y[v]]);
            }
        }
        sums
    }
}
