//! log2 without a branch, so that a loop over it becomes vector code: a call for each query costs as much as a
//! short expansion does.

/// 2 / ((2k + 1) ln 2): log2 m = sum_k of these times t^{2k+1}, t = (m - 1) / (m + 1).
const SERIES: [f64; 11] = {
    let mut series = [0.0; 11];
    let mut k = 0;
    while k < 11 {
        series[k] = 2.0 * std::f64::consts::LOG2_E / (2 * k + 1) as f64;
        k += 1;
    }
    series
};

/// log2 x for normal positive x, within 1e-15 of the truth or of one part in 1e15 of it; NaN for any other x.
#[inline(always)]
pub(crate) fn log2(x: f64) -> f64 {
    // Subtracting the bits of sqrt(1/2) leaves the exponent for which the rest m is in [sqrt(1/2), sqrt 2).
    let exponent = (x.to_bits() as i64).wrapping_sub(std::f64::consts::FRAC_1_SQRT_2.to_bits() as i64) >> 52;
    let m = f64::from_bits((x.to_bits() as i64).wrapping_sub(exponent << 52) as u64);
    let t = (m - 1.0) / (m + 1.0);
    let square = t * t;
    // |t| <= 0.172, so that the twelfth term is below 1e-18 t.
    let series = SERIES.iter().rev().fold(0.0, |sum, term| square.mul_add(sum, *term));
    let log2 = t.mul_add(series, exponent as f64);
    if x >= f64::MIN_POSITIVE { log2 } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::log2;

    #[test]
    fn logarithms_are_those_of_the_standard_library() {
        for k in 0..200_000 {
            let x = (f64::from(k) * 0.0071 - 710.0).exp() * (1.0 + f64::from(k) * 1e-7);
            if x >= f64::MIN_POSITIVE {
                let error = (log2(x) - x.log2()).abs();
                assert!(error <= 1e-15 * x.log2().abs().max(1.0), "{x}: {error:e}");
            }
        }
        assert_eq!(log2(1.0), 0.0);
        assert_eq!(log2(0.125), -3.0);
        for x in [0.0, -1.0, f64::NAN] {
            assert!(log2(x).is_nan(), "{x}");
        }
    }
}
