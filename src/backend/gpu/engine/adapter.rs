//! Which graphics adapters there are, and which one is taken.

use crate::backend::BackendError;
pub use crate::backend::adapter::{AdapterSummary, Choice, Kind};

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
        // Browsers need not tell.
        name: if info.name.is_empty() { "WebGPU".into() } else { info.name },
        api: info.backend.to_string(),
        kind: kind(info.device_type),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
        binding_bytes: limits.max_storage_buffer_binding_size,
        buffer_bytes: limits.max_buffer_size,
        workgroup_bytes: limits.max_compute_workgroup_storage_size,
        workgroup_threads: limits.max_compute_invocations_per_workgroup,
    }
}
