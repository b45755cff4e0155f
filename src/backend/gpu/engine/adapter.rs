//! Which graphics adapters there are, and which one is taken.

use crate::backend::BackendError;

/// What an adapter is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A processor that executes shaders, as Mesa's llvmpipe does.
    Software,
    /// Unknown to its driver.
    Other,
    Virtual,
    Integrated,
    Discrete,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Software => "software",
            Kind::Other => "other",
            Kind::Virtual => "virtual",
            Kind::Integrated => "integrated",
            Kind::Discrete => "discrete",
        }
    }
}

/// Which adapter to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The best there is, a software adapter included: what `--backend gpu` takes.
    Best,
    /// The best that is hardware: what `--backend auto` takes, if there is one.
    Hardware,
}

/// An adapter of this machine, as `tokenfield devices` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterSummary {
    pub name: String,
    /// The graphics API: `vulkan`, `metal`, `dx12`, `webgpu`.
    pub api: String,
    pub kind: Kind,
    /// Name and version of the driver; empty where the API tells neither.
    pub driver: String,
    /// Bytes of one storage binding; larger problems are divided among several.
    pub binding_bytes: u64,
    /// Bytes of one buffer.
    pub buffer_bytes: u64,
    /// Bytes of the memory that a workgroup shares.
    pub workgroup_bytes: u32,
    /// Threads of one workgroup.
    pub workgroup_threads: u32,
}

/// All adapters of this machine, best first. The first is what [`Choice::Best`] takes.
pub async fn adapters() -> Vec<AdapterSummary> {
    ranked().await.iter().map(summary).collect()
}

/// The adapter of `choice`, with its summary.
pub async fn choose(choice: Choice) -> Result<(wgpu::Adapter, AdapterSummary), BackendError> {
    let found = ranked().await;
    let software = !found.is_empty();
    let chosen = found.into_iter().map(|adapter| (summary(&adapter), adapter)).find(|(summary, _)| match choice {
        Choice::Best => true,
        Choice::Hardware => summary.kind != Kind::Software,
    });
    match chosen {
        Some((summary, adapter)) => Ok((adapter, summary)),
        None if software => Err(BackendError::NoAdapter(" but software ones".into())),
        None => Err(BackendError::NoAdapter(String::new())),
    }
}

async fn ranked() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let mut adapters = instance.enumerate_adapters(wgpu::Backends::PRIMARY).await;
    // The sort is stable: among equals the order of the driver stands.
    adapters.sort_by_key(|adapter| std::cmp::Reverse(kind(adapter.get_info().device_type)));
    adapters
}

fn kind(device_type: wgpu::DeviceType) -> Kind {
    match device_type {
        wgpu::DeviceType::Cpu => Kind::Software,
        wgpu::DeviceType::Other => Kind::Other,
        wgpu::DeviceType::VirtualGpu => Kind::Virtual,
        wgpu::DeviceType::IntegratedGpu => Kind::Integrated,
        wgpu::DeviceType::DiscreteGpu => Kind::Discrete,
    }
}

fn summary(adapter: &wgpu::Adapter) -> AdapterSummary {
    let info = adapter.get_info();
    let limits = adapter.limits();
    AdapterSummary {
        name: info.name,
        api: info.backend.to_string(),
        kind: kind(info.device_type),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
        binding_bytes: limits.max_storage_buffer_binding_size,
        buffer_bytes: limits.max_buffer_size,
        workgroup_bytes: limits.max_compute_workgroup_storage_size,
        workgroup_threads: limits.max_compute_invocations_per_workgroup,
    }
}
