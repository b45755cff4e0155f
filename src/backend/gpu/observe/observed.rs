//! What an observation reads, and the way to the device and back.

use crate::backend::gpu::{
    engine::{device::Device, readback::Readback, recorder::Recorder},
    field::velocity::Velocity,
    kernels::constants::Constants,
    layout::token_buffers::TokenBuffers,
};
use crate::tokens::Shape;

pub struct Observed<'a> {
    pub device: &'a Device,
    pub shape: Shape,
    pub constants: &'a Constants,
    pub buffers: &'a TokenBuffers,
    pub velocity: &'a Velocity,
    pub recorder: &'a mut Recorder,
    pub readback: &'a Readback,
}
