//! Kernels on the device, and the bind groups that attach buffers to them.
//!
//! The type of a pipeline names its kernel, so that the number of buffers is checked by the compiler; the type of a bound kernel
//! names its parameters, so that no dispatch can be given those of another kernel.

use std::marker::PhantomData;

use super::{compiled::Compiled, device::Device};
use crate::backend::gpu::kernels::{
    constants::Constants,
    kernel::{Binding, Declaration, Kernel},
    params::Params,
};

/// A kernel compiled for one set of constants.
pub struct Pipeline<K> {
    compiled: Compiled,
    kernel: PhantomData<fn() -> K>,
}

/// A kernel with its buffers: all that a dispatch needs but for its parameters.
pub struct BoundKernel<P> {
    pub pipeline: wgpu::ComputePipeline,
    pub group: wgpu::BindGroup,
    params: PhantomData<fn(P)>,
}

impl<K: Kernel> Pipeline<K> {
    /// The kernel compiled for `constants`, now or before.
    pub fn new(device: &Device, constants: &Constants) -> Pipeline<K> {
        let declared = &K::DECLARATION;
        let compiled =
            device.compiled.of(declared.source(constants), |source| compile(&device.device, declared, source));
        Pipeline { compiled, kernel: PhantomData }
    }

    /// Attaches the uniform buffer and, in the order of the bindings, the storage buffers. Another number of them than the kernel
    /// declares does not compile.
    pub fn bind<const N: usize>(
        &self,
        device: &Device,
        uniforms: &wgpu::Buffer,
        buffers: [&wgpu::Buffer; N],
    ) -> BoundKernel<K::Params> {
        const { assert!(N == K::DECLARATION.bindings.len()) };
        let uniform = wgpu::BufferBinding {
            buffer: uniforms,
            offset: 0,
            size: wgpu::BufferSize::new(K::Params::LAYOUT.size as u64),
        };
        let storage = buffers.iter().map(|buffer| buffer.as_entire_binding());
        let resources = std::iter::once(wgpu::BindingResource::Buffer(uniform)).chain(storage);
        let entries: Vec<_> =
            (0..).zip(resources).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
        let group = device.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(K::DECLARATION.name),
            layout: &self.compiled.layout,
            entries: &entries,
        });
        BoundKernel { pipeline: self.compiled.pipeline.clone(), group, params: PhantomData }
    }
}

fn compile(device: &wgpu::Device, declared: &Declaration, source: &str) -> Compiled {
    let name = Some(declared.name);
    let storage = declared.bindings.iter().zip(1..).map(|(&binding, at)| storage(binding, at));
    let entries: Vec<_> = std::iter::once(uniform(declared.layout.size)).chain(storage).collect();
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: name, entries: &entries });
    let descriptor = wgpu::ShaderModuleDescriptor { label: name, source: wgpu::ShaderSource::Wgsl(source.into()) };
    // SAFETY: every loop of our kernels ends (its bound is a constant or a uniform, and its counter grows by a
    // constant or doubles, or halves; a bisection ends as its range shrinks), and every index is guarded: rows are compared with, or cut to, the number of rows for which the
    // host sized all buffers of the segment, vectors are below WIDTH, and workgroup indices follow from constants
    // and the thread. The guards cost nothing; bounded loops and clamped indices cost up to a factor of ten.
    let module = unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) };
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
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
    Compiled { pipeline, layout }
}

fn uniform(size: usize) -> wgpu::BindGroupLayoutEntry {
    let ty = wgpu::BufferBindingType::Uniform;
    buffer(0, ty, wgpu::BufferSize::new(size as u64))
}

fn storage(binding: Binding, at: u32) -> wgpu::BindGroupLayoutEntry {
    let read_only = binding == Binding::Read;
    // The size is checked against the shader when it is dispatched.
    buffer(at, wgpu::BufferBindingType::Storage { read_only }, None)
}

fn buffer(
    binding: u32,
    ty: wgpu::BufferBindingType,
    min_binding_size: Option<wgpu::BufferSize>,
) -> wgpu::BindGroupLayoutEntry {
    let has_dynamic_offset = ty == wgpu::BufferBindingType::Uniform;
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset, min_binding_size },
        count: None,
    }
}
