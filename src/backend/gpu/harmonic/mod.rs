//! Sums in linear time, by expansions of the kernel in harmonics.

pub mod coefficients;
pub mod harmonics;
pub mod moments;
pub mod series;
