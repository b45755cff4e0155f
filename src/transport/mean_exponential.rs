//! The mean of e^{z y_1} over the unit sphere, for any dimension and any z: the kernel of limits that are symmetric about an axis.
//!
//! With nu = dim / 2 - 1 it is A(z) = 0F1(; nu + 1; z^2 / 4) = Gamma(nu + 1) (2 / z)^nu I_nu(z). Its logarithm is what fits a number.
//! As in `harmonic`, ratios of neighbours come from the recurrence downward, and e^z = sum_l m_l I_{nu+l} / I_nu A(z), with m_l
//! the number of independent harmonics of degree l, normalises them (DLMF 10.23.9, 10.29.1).

/// What sums are divided by before they overflow.
const LARGE: f64 = 1e200;

/// A, as far as a field needs it.
pub(crate) struct MeanExponential {
    /// ln A(z).
    pub logarithm: f64,
    /// A'(z) / (z A(z)), 1 / dim at z = 0.
    pub slope: f64,
}

/// At z >= 0, over the unit sphere of R^dim, two points for dim = 1.
pub(crate) fn mean_exponential(dim: usize, z: f64) -> MeanExponential {
    let dim = dim as f64;
    // m_l I_{nu+l} falls like l^{dim-2} e^{-l^2 / 2z}, and like z^l / l! once l > z. Five more than the roots would give
    // all digits.
    let last = ((dim * z).sqrt() + (80.0 * z).sqrt()) as usize + 8;
    let (mut slope, mut sum, mut one, mut divided) = (0.0, 1.0, 1.0, 0.0);
    for l in (1..=last).rev().map(|l| l as f64) {
        slope = 1.0 / (2.0 * l + dim - 2.0 + z * z * slope);
        let more = if l == 1.0 { dim } else { (2.0 * l + dim - 2.0) * (l + dim - 3.0) / ((2.0 * l + dim - 4.0) * l) };
        sum = one + more * z * slope * sum;
        if sum > LARGE {
            (sum, one, divided) = (sum / LARGE, one / LARGE, divided + LARGE.ln());
        }
    }
    MeanExponential { logarithm: z - sum.ln() - divided, slope }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_is(dim: usize, z: f64, logarithm: f64, slope: f64) {
        let found = mean_exponential(dim, z);
        let error = (found.logarithm - logarithm).abs();
        assert!(error <= 4e-15 * z.max(1.0), "dim {dim}, z {z}: {}, not {logarithm}", found.logarithm);
        assert!((found.slope / slope - 1.0).abs() < 1e-13, "dim {dim}, z {z}: {}, not {slope}", found.slope);
    }

    /// cosh z over two points, sinh z / z over the sphere.
    #[test]
    fn means_that_are_elementary() {
        for z in [1e-3, 0.5, 2.0, 20.0, 300.0, 5000.0, 1e6] {
            let (tanh, twice) = (f64::tanh(z), (-2.0 * z).exp());
            assert_is(1, z, z + (0.5 + 0.5 * twice).ln(), tanh / z);
            // (1 - e^{-2z}) / 2z loses digits where z is small.
            let (logarithm, slope) = match z {
                1e-3 => (z * z / 6.0 - z.powi(4) / 180.0, (1.0 - z * z / 15.0) / 3.0),
                _ => (z + (-(-2.0 * z).exp_m1() / (2.0 * z)).ln(), (1.0 / tanh - 1.0 / z) / z),
            };
            assert_is(3, z, logarithm, slope);
        }
        for dim in [1, 2, 383] {
            assert_is(dim, 0.0, 0.0, 1.0 / dim as f64);
        }
    }

    /// From mpmath with 50 digits, where neither the exponential nor the sum fits a number.
    #[test]
    fn means_in_more_dimensions() {
        assert_is(2, 7.5, 5.591588708075275, 0.12409663124655028);
        assert_is(2, 2000.0, 1995.2806727526574, 0.0004998749843671814);
        assert_is(4, 0.03, 0.00011249789070409799, 0.2499906255273121);
        assert_is(7, 40.0, 30.872328092110514, 0.023173044504383008);
        assert_is(7, 100000.0, 99967.47609662548, 9.99970000300003e-06);
        assert_is(62, 900.0, 786.5605802400024, 0.0010740744173910121);
        assert_is(383, 300.0, 96.06080108723921, 0.0018279687052948175);
        assert_is(383, 20000.0, 19051.755156147083, 4.952476818696289e-05);
    }
}
