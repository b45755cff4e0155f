//! The kernels as text: how each is declared, which files it is made of, and the constants written in front of them.
//!
//! A shader is plain WGSL that a browser takes. Nothing here needs a device, so a test can parse, validate and translate
//! every kernel anywhere.

pub mod codes;
pub mod constants;
pub mod declared;
pub mod files;
pub mod header;
pub mod kernel;
pub mod params;
pub mod sizes;
