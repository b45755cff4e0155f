//! What an adapter must have for the kernels, and how what it lacks is refused.

use crate::backend::BackendError;
use crate::backend::gpu::kernels::{
    declared,
    kernel::Declaration,
    sizes::{MOST_THREADS, WORKGROUP_BYTES},
};

/// The refusal of a term.
pub fn unsupported(term: &'static str) -> BackendError {
    BackendError::Unsupported { backend: "gpu", term, remedy: "write --backend cpu" }
}

/// Refuses what needs more than `available` of a limit.
pub fn within(adapter: &str, limit: &'static str, needed: u64, available: u64) -> Result<(), BackendError> {
    if needed > available {
        return Err(BackendError::BelowLimit { adapter: adapter.into(), limit, needed, available });
    }
    Ok(())
}

/// What every kernel takes for granted; browsers guarantee all of it.
pub fn require(adapter: &str, limits: &wgpu::Limits) -> Result<(), BackendError> {
    let storage_buffers = declared::ALL.iter().map(Declaration::storage_buffers).max().unwrap_or(0);
    let needs = [
        ("max_compute_invocations_per_workgroup", MOST_THREADS, limits.max_compute_invocations_per_workgroup),
        ("max_compute_workgroup_size_x", MOST_THREADS, limits.max_compute_workgroup_size_x),
        ("max_compute_workgroup_storage_size", WORKGROUP_BYTES, limits.max_compute_workgroup_storage_size),
        ("max_storage_buffers_per_shader_stage", storage_buffers, limits.max_storage_buffers_per_shader_stage),
        (
            "max_dynamic_uniform_buffers_per_pipeline_layout",
            1,
            limits.max_dynamic_uniform_buffers_per_pipeline_layout,
        ),
    ];
    needs
        .into_iter()
        .try_for_each(|(limit, needed, available)| within(adapter, limit, needed.into(), available.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_that_lacks_a_binding_of_any_kernel_is_refused() {
        let limits = wgpu::Limits { max_storage_buffers_per_shader_stage: 6, ..wgpu::Limits::default() };
        assert_eq!(require("an adapter", &limits), Ok(()));
        for kernel in declared::ALL {
            let most = kernel.storage_buffers();
            let limits = wgpu::Limits { max_storage_buffers_per_shader_stage: most - 1, ..limits.clone() };
            let Err(BackendError::BelowLimit { limit, needed, .. }) = require("an adapter", &limits) else {
                panic!("{} binds {most} buffers, and fewer are taken", kernel.name);
            };
            assert_eq!(limit, "max_storage_buffers_per_shader_stage");
            assert!(needed >= most.into());
        }
    }
}
