//! Compiled kernels, and the bind groups that attach buffers to them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    device::Device,
    params::Params,
    shaders::{Binding, Constants, Kernel},
};

/// A kernel compiled for one set of constants.
#[derive(Clone)]
pub(super) struct Pipeline {
    pub kernel: Kernel,
    pub compiled: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

/// The kernels that a device has compiled, by their text: a sweep compiles each once, however many problems it has.
#[derive(Clone, Default)]
pub(super) struct Compiled(Arc<Mutex<HashMap<String, Pipeline>>>);

impl Pipeline {
    /// The kernel compiled for `constants`, now or before.
    pub fn new(device: &Device, kernel: Kernel, constants: &Constants) -> Pipeline {
        let source = kernel.source(constants);
        // A panic elsewhere cannot leave a map of whole pipelines half-written.
        let mut compiled = device.compiled.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pipeline = compiled.entry(source).or_insert_with_key(|source| Self::compile(device, kernel, source));
        pipeline.clone()
    }

    fn compile(device: &Device, kernel: Kernel, source: &str) -> Pipeline {
        let device = &device.device;
        let name = Some(kernel.name());
        let entries: Vec<_> = kernel.bindings().iter().zip(0..).map(|(&kind, at)| entry(kernel, kind, at)).collect();
        let layout =
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: name, entries: &entries });
        let descriptor =
            wgpu::ShaderModuleDescriptor { label: name, source: wgpu::ShaderSource::Wgsl(source.into()) };
        // SAFETY: every loop of our kernels ends (its bound is a constant or a uniform, and its counter grows by a
        // constant or doubles, or halves; a bisection ends as its range shrinks), and every index is guarded: rows are compared with, or cut to, the number of rows for which the
        // host sized all buffers of the segment, vectors are below WIDTH, and workgroup indices follow from constants
        // and the thread. The guards cost nothing; bounded loops and clamped indices cost up to a factor of ten.
        let module =
            unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) };
        let compiled = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: name,
            layout: Some(&device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: name,
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            })),
            module: &module,
            entry_point: name,
            compilation_options: wgpu::PipelineCompilationOptions {
                // Every word of workgroup memory is written before it is read.
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
        Pipeline { kernel, compiled, layout }
    }

    /// Attaches the uniform buffer and, in the order of the kernel's bindings, its storage buffers.
    pub fn bind(&self, device: &Device, uniforms: &wgpu::Buffer, storage: &[&wgpu::Buffer]) -> Bound {
        let uniform = wgpu::BufferBinding {
            buffer: uniforms,
            offset: 0,
            size: wgpu::BufferSize::new(self.kernel.layout().size as u64),
        };
        let mut entries = vec![wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(uniform) }];
        entries.extend(
            storage
                .iter()
                .zip(1..)
                .map(|(buffer, binding)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() }),
        );
        let group = device.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(self.kernel.name()),
            layout: &self.layout,
            entries: &entries,
        });
        Bound { kernel: self.kernel, pipeline: self.compiled.clone(), group }
    }
}

/// A kernel with its buffers: all that a dispatch needs but for its parameters.
#[derive(Clone)]
pub(super) struct Bound {
    pub kernel: Kernel,
    pub pipeline: wgpu::ComputePipeline,
    pub group: wgpu::BindGroup,
}

fn entry(kernel: Kernel, kind: Binding, binding: u32) -> wgpu::BindGroupLayoutEntry {
    let ty = match kind {
        Binding::Uniform => wgpu::BufferBindingType::Uniform,
        Binding::Read => wgpu::BufferBindingType::Storage { read_only: true },
        Binding::ReadWrite => wgpu::BufferBindingType::Storage { read_only: false },
    };
    // Storage is checked against the shader when it is dispatched.
    let size = if kind == Binding::Uniform { kernel.layout().size } else { 0 };
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: kind == Binding::Uniform,
            min_binding_size: wgpu::BufferSize::new(size as u64),
        },
        count: None,
    }
}

/// Refuses parameters that are those of another kernel.
pub(super) fn takes<P: Params>(kernel: Kernel) -> Result<(), String> {
    let own = kernel.layout().name;
    if own == P::LAYOUT.name {
        return Ok(());
    }
    Err(format!("the kernel {} takes parameters {own}, not {}", kernel.name(), P::LAYOUT.name))
}

/// The bytes of a uniform struct.
pub(super) fn bytes<P: Params>(params: &P) -> &[u8] {
    bytemuck::bytes_of(params)
}

#[cfg(test)]
mod tests {
    use super::{super::params, *};

    #[test]
    fn a_kernel_takes_its_own_parameters_alone() {
        assert_eq!(takes::<params::Collect>(Kernel::Collect), Ok(()));
        // Of the same size, and of a kernel that comes beside it.
        let refused = takes::<params::Place>(Kernel::Collect).expect_err("other parameters");
        assert_eq!(refused, "the kernel collect takes parameters Collect, not Place");
        for kernel in Kernel::ALL {
            let surveys = kernel.layout() == params::Survey::LAYOUT;
            assert_eq!(takes::<params::Survey>(kernel).is_ok(), surveys, "{}", kernel.name());
        }
    }
}
