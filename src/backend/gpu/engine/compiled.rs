//! The kernels that a device has compiled, by their text: a sweep compiles each once, however many problems it has.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// A kernel on the device, and what it binds.
#[derive(Clone)]
pub struct Compiled {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

#[derive(Clone, Default)]
pub struct CompiledKernels(Arc<Mutex<HashMap<String, Compiled>>>);

impl CompiledKernels {
    /// The kernel of this text; `compile` makes it, unless it was made before.
    pub fn of(&self, source: String, compile: impl FnOnce(&str) -> Compiled) -> Compiled {
        // A panic elsewhere cannot leave a map of whole pipelines half-written.
        let mut compiled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        compiled.entry(source).or_insert_with_key(|source| compile(source)).clone()
    }
}
