//! The device: how adapters are found and opened, memory is taken, kernels are compiled, work is handed over, and numbers come back.
//! Nothing here knows a token.

pub mod adapter;
pub mod allocation;
pub mod compiled;
#[cfg_attr(target_arch = "wasm32", path = "completion_in_browsers.rs")]
pub mod completion;
pub mod device;
pub mod failure;
pub mod half;
pub mod limits;
pub mod memory;
pub mod pace;
pub mod pipelines;
pub mod readback;
pub mod recorder;
pub mod signal;
