//! What is measured where the tokens are: sums over chunks on the device, finished on the host in double precision.

pub mod attention_statistics;
pub mod modes;
pub mod norm_moments;
pub mod observables;
pub mod observed;
pub mod overlaps;
pub mod second_moment;
pub mod sliced_wasserstein;
pub mod statistics;
