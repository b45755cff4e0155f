//! The two floating-point formats, behind one name, so that every kernel is written once.

use bytemuck::Pod;

use super::exp2::Exp2;
use crate::sums::Precision;

/// f32 or f64: a scalar, its vectors on each instruction set, and the few operations that the kernels use.
pub trait Real: Pod + Send + Sync + PartialOrd {
    /// Which of the two it is.
    const PRECISION: Precision;
    /// The largest span of exponents (base 2) within which a sum loses nothing to underflow.
    const EXPONENT_SPAN: f64;
    /// A finite stand-in for log2 of a zero weight: 2 to it is exactly zero whatever score is added.
    const MASKED: Self;
    /// The spacing of numbers at one.
    const EPSILON: f64;
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;

    /// The nearest number.
    fn from_f64(value: f64) -> Self;
    /// The same number.
    fn to_f64(self) -> f64;
    /// self * factor + addend.
    #[doc(hidden)]
    fn times_plus(self, factor: Self, addend: Self) -> Self;
    /// Added to a number that is moderate and not below -1/2, it leaves the nearest whole number in the low bits.
    #[doc(hidden)]
    const MAGIC: Self;
    /// That whole number.
    #[doc(hidden)]
    fn low_bits(self) -> usize;

    #[doc(hidden)]
    type Vector<S: Exp2>: Copy;
    /// Numbers in one vector.
    #[doc(hidden)]
    fn lanes<S: Exp2>() -> usize;
    /// The whole vectors of a slice whose length is a multiple of the lanes.
    #[doc(hidden)]
    fn vectors<S: Exp2>(slice: &[Self]) -> &[Self::Vector<S>];
    #[doc(hidden)]
    fn vectors_mut<S: Exp2>(slice: &mut [Self]) -> &mut [Self::Vector<S>];
    /// The numbers of one vector.
    #[doc(hidden)]
    fn lanes_mut<S: Exp2>(vector: &mut Self::Vector<S>) -> &mut [Self];
    #[doc(hidden)]
    fn splat<S: Exp2>(simd: S, value: Self) -> Self::Vector<S>;
    #[doc(hidden)]
    fn add<S: Exp2>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    #[doc(hidden)]
    fn sub<S: Exp2>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a * b + c
    #[doc(hidden)]
    fn mul_add<S: Exp2>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;
    /// a * b - c
    #[doc(hidden)]
    fn mul_sub<S: Exp2>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;
    /// c - a * b
    #[doc(hidden)]
    fn negate_mul_add<S: Exp2>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;
    #[doc(hidden)]
    fn mul<S: Exp2>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    #[doc(hidden)]
    fn div<S: Exp2>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// `above` where x > bound, else `below`.
    #[doc(hidden)]
    fn select_above<S: Exp2>(
        simd: S,
        x: Self::Vector<S>,
        bound: Self::Vector<S>,
        above: Self::Vector<S>,
        below: Self::Vector<S>,
    ) -> Self::Vector<S>;
    #[doc(hidden)]
    fn max<S: Exp2>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    #[doc(hidden)]
    fn sqrt<S: Exp2>(simd: S, x: Self::Vector<S>) -> Self::Vector<S>;
    /// 2^x on one vector.
    #[doc(hidden)]
    #[inline(always)]
    fn exp2<S: Exp2>(simd: S, x: Self::Vector<S>) -> Self::Vector<S> {
        Self::exp2_each(simd, [x])[0]
    }
    /// 2^x on several vectors in step.
    #[doc(hidden)]
    fn exp2_each<S: Exp2, const N: usize>(simd: S, x: [Self::Vector<S>; N]) -> [Self::Vector<S>; N];
    #[doc(hidden)]
    fn sum<S: Exp2>(simd: S, a: Self::Vector<S>) -> Self;
    #[doc(hidden)]
    fn largest<S: Exp2>(simd: S, a: Self::Vector<S>) -> Self;
}

macro_rules! real {
    ($real:ident, $precision:ident, $span:literal, $vector:ident, $lanes:ident, $as_simd:ident, $as_mut_simd:ident,
     $splat:ident, $add:ident, $sub:ident, $mul_add:ident, $max:ident, $exp2:ident, $sum:ident, $largest:ident,
     $negate:ident, $negate_mul_add:ident, $mul:ident, $div:ident, $greater:ident, $select:ident, $sqrt:ident) => {
        impl Real for $real {
            const PRECISION: Precision = Precision::$precision;
            const EXPONENT_SPAN: f64 = $span;
            const MASKED: Self = -1e30;
            const EPSILON: f64 = $real::EPSILON as f64;
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;

            fn from_f64(value: f64) -> Self {
                value as $real
            }

            fn to_f64(self) -> f64 {
                self as f64
            }

            #[inline(always)]
            fn times_plus(self, factor: Self, addend: Self) -> Self {
                self * factor + addend
            }

            const MAGIC: Self = (3u64 << ($real::MANTISSA_DIGITS - 2)) as $real;

            #[inline(always)]
            fn low_bits(self) -> usize {
                (self.to_bits() as u64 & ((1 << ($real::MANTISSA_DIGITS - 2)) - 1)) as usize
            }

            type Vector<S: Exp2> = S::$vector;

            #[inline(always)]
            fn lanes<S: Exp2>() -> usize {
                S::$lanes
            }

            #[inline(always)]
            fn vectors<S: Exp2>(slice: &[Self]) -> &[Self::Vector<S>] {
                S::$as_simd(slice).0
            }

            #[inline(always)]
            fn vectors_mut<S: Exp2>(slice: &mut [Self]) -> &mut [Self::Vector<S>] {
                S::$as_mut_simd(slice).0
            }

            #[inline(always)]
            fn lanes_mut<S: Exp2>(vector: &mut Self::Vector<S>) -> &mut [Self] {
                bytemuck::cast_slice_mut(std::slice::from_mut(vector))
            }

            #[inline(always)]
            fn splat<S: Exp2>(simd: S, value: Self) -> Self::Vector<S> {
                simd.$splat(value)
            }

            #[inline(always)]
            fn add<S: Exp2>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$add(a, b)
            }

            #[inline(always)]
            fn sub<S: Exp2>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$sub(a, b)
            }

            #[inline(always)]
            fn mul_add<S: Exp2>(
                simd: S,
                a: Self::Vector<S>,
                b: Self::Vector<S>,
                c: Self::Vector<S>,
            ) -> Self::Vector<S> {
                simd.$mul_add(a, b, c)
            }

            #[inline(always)]
            fn mul_sub<S: Exp2>(
                simd: S,
                a: Self::Vector<S>,
                b: Self::Vector<S>,
                c: Self::Vector<S>,
            ) -> Self::Vector<S> {
                simd.$mul_add(a, b, simd.$negate(c))
            }

            #[inline(always)]
            fn negate_mul_add<S: Exp2>(
                simd: S,
                a: Self::Vector<S>,
                b: Self::Vector<S>,
                c: Self::Vector<S>,
            ) -> Self::Vector<S> {
                simd.$negate_mul_add(a, b, c)
            }

            #[inline(always)]
            fn mul<S: Exp2>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$mul(a, b)
            }

            #[inline(always)]
            fn div<S: Exp2>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$div(a, b)
            }

            #[inline(always)]
            fn select_above<S: Exp2>(
                simd: S,
                x: Self::Vector<S>,
                bound: Self::Vector<S>,
                above: Self::Vector<S>,
                below: Self::Vector<S>,
            ) -> Self::Vector<S> {
                simd.$select(simd.$greater(x, bound), above, below)
            }

            #[inline(always)]
            fn max<S: Exp2>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$max(a, b)
            }

            #[inline(always)]
            fn sqrt<S: Exp2>(simd: S, x: Self::Vector<S>) -> Self::Vector<S> {
                simd.$sqrt(x)
            }

            #[inline(always)]
            fn exp2_each<S: Exp2, const N: usize>(simd: S, x: [Self::Vector<S>; N]) -> [Self::Vector<S>; N] {
                simd.$exp2(x)
            }

            #[inline(always)]
            fn sum<S: Exp2>(simd: S, a: Self::Vector<S>) -> Self {
                simd.$sum(a)
            }

            #[inline(always)]
            fn largest<S: Exp2>(simd: S, a: Self::Vector<S>) -> Self {
                simd.$largest(a)
            }
        }
    };
}

real!(
    f32,
    Single,
    90.0,
    f32s,
    F32_LANES,
    as_simd_f32s,
    as_mut_simd_f32s,
    splat_f32s,
    add_f32s,
    sub_f32s,
    mul_add_e_f32s,
    max_f32s,
    exp2_f32,
    reduce_sum_f32s,
    reduce_max_f32s,
    neg_f32s,
    negate_mul_add_e_f32s,
    mul_f32s,
    div_f32s,
    greater_than_f32s,
    select_f32s,
    sqrt_f32s
);
real!(
    f64,
    Double,
    900.0,
    f64s,
    F64_LANES,
    as_simd_f64s,
    as_mut_simd_f64s,
    splat_f64s,
    add_f64s,
    sub_f64s,
    mul_add_e_f64s,
    max_f64s,
    exp2_f64,
    reduce_sum_f64s,
    reduce_max_f64s,
    neg_f64s,
    negate_mul_add_e_f64s,
    mul_f64s,
    div_f64s,
    greater_than_f64s,
    select_f64s,
    sqrt_f64s
);
