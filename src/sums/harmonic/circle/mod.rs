//! The circle: harmonics cos(k theta), sin(k theta) are the parts of z^k, z = x + iy, by complex multiplication.

mod moments;
mod series;
mod table;

pub(crate) use self::table::{Lookup, Table};
pub(crate) use self::{
    moments::{accumulate, fold, products},
    series::Series,
};

use super::super::{exp2::Exp2, real::Real};

/// The product of two complex numbers.
#[inline(always)]
pub(crate) fn multiply<S: Exp2, T: Real>(simd: S, a: [T::Vector<S>; 2], b: [T::Vector<S>; 2]) -> [T::Vector<S>; 2] {
    [
        T::negate_mul_add(simd, a[1], b[1], T::mul(simd, a[0], b[0])),
        T::mul_add(simd, a[1], b[0], T::mul(simd, a[0], b[1])),
    ]
}
