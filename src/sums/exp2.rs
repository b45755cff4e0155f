//! The exponential of the attention weights: 2^x on every lane, for x that a shift has made non-positive.
//!
//! x = n + r with a whole n, and r in [0, 1) or [-1/2, 1/2]; 2^r is a minimax polynomial in r (relative error 1.9e-9
//! for f32, 3.1e-18 for f64, below the rounding of its evaluation), and 2^n goes into the exponent bits. Measured over the
//! whole range the result is within 1e-7 of the truth in f32 and within 4e-16 in f64, and exactly zero far
//! below what a sum could see.

use pulp::Simd;

/// Below these exponents a weight is zero. They leave room above the smallest normal numbers for a product with a
/// coordinate: arithmetic on subnormal numbers takes a hundred times as long, and nothing could see the result.
const SMALLEST_SINGLE: f32 = -100.0;
const SMALLEST_DOUBLE: f64 = -960.0;

/// Minimax coefficients of 2^r, lowest power first (Remez exchange on the relative error): on [-1/2, 1/2] and, for
/// AVX-512, on [0, 1) in single precision; on [0, 1) in double.
#[allow(clippy::approx_constant, reason = "a minimax coefficient near ln 2 is not ln 2")]
const SINGLE: [f32; 7] =
    [1.0, 0.693_147_2, 0.240_226_47, 0.055_503_29, 0.009_618_489, 0.001_339_993_1, 0.000_153_458_12];
#[allow(clippy::approx_constant, reason = "a minimax coefficient near ln 2 is not ln 2")]
#[cfg(target_arch = "x86_64")]
const SINGLE_FROM_ZERO: [f32; 7] =
    [1.0, 0.693_147, 0.240_229_83, 0.055_483_34, 0.009_678_841, 0.001_243_968_7, 0.000_217_022_56];
const DOUBLE: [f64; 12] = [
    1.0,
    0.693_147_180_559_946_3,
    0.240_226_506_959_054_7,
    0.055_504_108_665_711_14,
    0.009_618_129_098_792_621,
    0.001_333_355_866_157_575_8,
    0.000_154_035_114_464_905_53,
    1.525_319_024_883_124_8e-5,
    1.320_819_349_574_712_2e-6,
    1.025_445_737_901_455_1e-7,
    6.554_457_162_654_839e-9,
    6.272_434_464_803_29e-10,
];

/// An instruction set that can raise two to a power, on several vectors in step: the polynomial is one long chain, and
/// each vector hides the latency of the others.
pub trait Exp2: Simd {
    #[inline(always)]
    fn exp2_f32<const N: usize>(self, x: [Self::f32s; N]) -> [Self::f32s; N] {
        // Adding 1.5 * 2^23 rounds x to the nearest n, and leaves n where a shift moves it into the exponent.
        let magic = self.splat_f32s(12_582_912.0);
        let (mut rounded, mut r) = (x, x);
        for k in 0..N {
            rounded[k] = self.add_f32s(x[k], magic);
        }
        for k in 0..N {
            r[k] = self.sub_f32s(x[k], self.sub_f32s(rounded[k], magic));
        }
        let mut power = self.horner_f32(&SINGLE, r);
        for k in 0..N {
            let exponent = self.wrapping_dyn_shl_u32s(self.transmute_u32s_f32s(rounded[k]), self.splat_u32s(23));
            let scaled = self.add_u32s(self.transmute_u32s_f32s(power[k]), exponent);
            power[k] = self.flushed_f32(x[k], self.transmute_f32s_u32s(scaled));
        }
        power
    }

    #[inline(always)]
    fn exp2_f64<const N: usize>(self, x: [Self::f64s; N]) -> [Self::f64s; N] {
        // Adding 1.5 * 2^20 leaves the fraction in the low word and n at the bottom of the high word; clearing the
        // fraction floors x.
        let magic = self.splat_f64s(1_572_864.0);
        let (mut floored, mut r) = (x, x);
        for k in 0..N {
            let bits = self.transmute_u64s_f64s(self.add_f64s(x[k], magic));
            floored[k] = self.transmute_f64s_u64s(self.and_u64s(bits, self.splat_u64s(0xffff_ffff_0000_0000)));
            r[k] = self.sub_f64s(x[k], self.sub_f64s(floored[k], magic));
        }
        let mut power = self.horner_f64(&DOUBLE, r);
        for k in 0..N {
            let halves = pulp::cast(floored[k]);
            let exponent = pulp::cast(self.wrapping_dyn_shl_u32s(halves, self.splat_u32s(20)));
            let scaled = self.add_u64s(self.transmute_u64s_f64s(power[k]), exponent);
            power[k] = self.flushed_f64(x[k], self.transmute_f64s_u64s(scaled));
        }
        power
    }

    /// `power` where x is above the smallest exponent, else zero.
    #[inline(always)]
    fn flushed_f32(self, x: Self::f32s, power: Self::f32s) -> Self::f32s {
        let normal = self.greater_than_f32s(x, self.splat_f32s(SMALLEST_SINGLE));
        self.select_f32s(normal, power, self.splat_f32s(0.0))
    }

    #[inline(always)]
    fn flushed_f64(self, x: Self::f64s, power: Self::f64s) -> Self::f64s {
        let normal = self.greater_than_f64s(x, self.splat_f64s(SMALLEST_DOUBLE));
        self.select_f64s(normal, power, self.splat_f64s(0.0))
    }

    #[inline(always)]
    fn horner_f32<const N: usize>(self, coefficients: &[f32; 7], r: [Self::f32s; N]) -> [Self::f32s; N] {
        let mut power = [self.splat_f32s(coefficients[6]); N];
        for coefficient in coefficients[..6].iter().rev() {
            let coefficient = self.splat_f32s(*coefficient);
            for k in 0..N {
                power[k] = self.mul_add_e_f32s(power[k], r[k], coefficient);
            }
        }
        power
    }

    #[inline(always)]
    fn horner_f64<const N: usize>(self, coefficients: &[f64; 12], r: [Self::f64s; N]) -> [Self::f64s; N] {
        let mut power = [self.splat_f64s(coefficients[11]); N];
        for coefficient in coefficients[..11].iter().rev() {
            let coefficient = self.splat_f64s(*coefficient);
            for k in 0..N {
                power[k] = self.mul_add_e_f64s(power[k], r[k], coefficient);
            }
        }
        power
    }
}

impl Exp2 for pulp::Scalar256b {}

#[cfg(target_arch = "aarch64")]
impl Exp2 for pulp::aarch64::Neon {}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
impl Exp2 for pulp::wasm::Simd128 {}

/// On AVX2 a comparison leaves all bits or none, and a bit-wise and selects in one instruction.
#[cfg(target_arch = "x86_64")]
impl Exp2 for pulp::x86::V3 {
    #[inline(always)]
    fn flushed_f32(self, x: Self::f32s, power: Self::f32s) -> Self::f32s {
        let normal = self.avx._mm256_cmp_ps::<GREATER>(pulp::cast(x), self.avx._mm256_set1_ps(SMALLEST_SINGLE));
        pulp::cast(self.avx._mm256_and_ps(normal, pulp::cast(power)))
    }

    #[inline(always)]
    fn flushed_f64(self, x: Self::f64s, power: Self::f64s) -> Self::f64s {
        let normal = self.avx._mm256_cmp_pd::<GREATER>(pulp::cast(x), self.avx._mm256_set1_pd(SMALLEST_DOUBLE));
        pulp::cast(self.avx._mm256_and_pd(normal, pulp::cast(power)))
    }
}

/// AVX-512 splits and scales in one instruction each: `vreduce` gives r, `vscalef` applies 2^floor(x).
#[cfg(target_arch = "x86_64")]
impl Exp2 for pulp::x86::V4 {
    #[inline(always)]
    fn exp2_f32<const N: usize>(self, x: [Self::f32s; N]) -> [Self::f32s; N] {
        let smallest = self.avx512f._mm512_set1_ps(SMALLEST_SINGLE);
        let mut r = x;
        for k in 0..N {
            r[k] = pulp::cast(self.avx512dq._mm512_reduce_ps::<FLOOR>(pulp::cast(x[k])));
        }
        let mut power = self.horner_f32(&SINGLE_FROM_ZERO, r);
        for k in 0..N {
            let x = pulp::cast(x[k]);
            let normal = self.avx512f._mm512_cmp_ps_mask::<GREATER>(x, smallest);
            power[k] = pulp::cast(self.avx512f._mm512_maskz_scalef_ps(normal, pulp::cast(power[k]), x));
        }
        power
    }

    #[inline(always)]
    fn exp2_f64<const N: usize>(self, x: [Self::f64s; N]) -> [Self::f64s; N] {
        let smallest = self.avx512f._mm512_set1_pd(SMALLEST_DOUBLE);
        let mut r = x;
        for k in 0..N {
            r[k] = pulp::cast(self.avx512dq._mm512_reduce_pd::<FLOOR>(pulp::cast(x[k])));
        }
        let mut power = self.horner_f64(&DOUBLE, r);
        for k in 0..N {
            let x = pulp::cast(x[k]);
            let normal = self.avx512f._mm512_cmp_pd_mask::<GREATER>(x, smallest);
            power[k] = pulp::cast(self.avx512f._mm512_maskz_scalef_pd(normal, pulp::cast(power[k]), x));
        }
        power
    }
}

/// Round down, report no exceptions: the immediate of `vreduce`.
#[cfg(target_arch = "x86_64")]
const FLOOR: i32 = 0b1001;

/// Greater than, ordered, quiet: the immediate of `vcmp`.
#[cfg(target_arch = "x86_64")]
const GREATER: i32 = 0x1e;

#[cfg(test)]
mod tests {
    use super::{
        super::{
            instructions::{Instructions, Kernel},
            real::Real,
        },
        Exp2,
    };

    struct Powers<'a, T>(&'a mut [T]);

    impl<T: Real> Kernel for Powers<'_, T> {
        type Output = ();

        #[inline(always)]
        fn run<S: Exp2>(self, simd: S) {
            T::vectors_mut::<S>(self.0).iter_mut().for_each(|x| *x = T::exp2(simd, *x));
        }
    }

    /// The largest relative error of 2^x over `count` exponents in [`low`, 0.01].
    fn largest_error<T: Real>(instructions: Instructions, low: f64, count: usize) -> f64 {
        let exponent = |k: usize| T::from_f64(0.01 + (low - 0.01) * k as f64 / count as f64);
        let mut powers: Vec<T> = (0..count).map(exponent).collect();
        instructions.run(Powers(&mut powers));
        let error = |(k, power): (usize, &T)| (power.to_f64() / exponent(k).to_f64().exp2() - 1.0).abs();
        powers.iter().enumerate().map(error).fold(0.0, f64::max)
    }

    #[test]
    fn powers_are_as_exact_as_promised_on_every_instruction_set() {
        for instructions in Instructions::available() {
            let single = largest_error::<f32>(instructions, -99.9, 1 << 20);
            let double = largest_error::<f64>(instructions, -959.9, 1 << 18);
            assert!(single < 1e-7, "{}: {single:e}", instructions.name());
            assert!(double < 1e-15, "{}: {double:e}", instructions.name());
        }
    }

    #[test]
    fn powers_that_nothing_sees_are_zero() {
        for instructions in Instructions::available() {
            let mut single = [-100.5f32, -126.0, -140.0, -1e5, -1e30, f32::MASKED, -1e38, -150.5].repeat(2);
            instructions.run(Powers(&mut single));
            assert_eq!(single, vec![0.0; 16], "{}", instructions.name());
            let mut double = [-960.5f64, -1022.0, -1050.0, -1e12, -1e30, f64::MASKED, -1e300, -1076.0].repeat(2);
            instructions.run(Powers(&mut double));
            assert_eq!(double, vec![0.0; 16], "{}", instructions.name());
        }
    }
}
