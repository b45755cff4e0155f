//! How a problem lies on the device: in which buffers, in pieces of which sizes, and whether the kernels have what it asks for.

pub mod decay;
pub mod geometries;
pub mod half;
pub mod points;
pub mod segments;
pub mod terms;
pub mod token_buffers;
pub mod tune;
