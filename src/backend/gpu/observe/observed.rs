//! What an observation reads, and the way to the device and back.

use crate::backend::gpu::{
    engine::{device::Device, readback::Readback, recorder::Recorder},
    field::velocity::Velocity,
    kernels::constants::Constants,
    layout::token_buffers::Cloud,
};
use crate::tokens::Shape;

pub struct Observed<'a> {
    pub device: &'a Device,
    pub shape: Shape,
    pub constants: &'a Constants,
    pub cloud: &'a Cloud,
    pub velocity: &'a Velocity,
    pub recorder: &'a mut Recorder,
    pub readback: &'a Readback,
}
