//! Half precision: which adapters have it.
//!
//! Matrices of f16 whose products are summed in f32 are an experiment of wgpu, so nothing of them is asked of an adapter
//! unless half precision is requested.

use super::limits::within;
use crate::backend::{BackendError, gpu::kernels::constants::Half};

/// What `reduce_half` asks of a device beyond what every browser has.
pub const FEATURES: wgpu::Features =
    wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX.union(wgpu::Features::SHADER_F16).union(wgpu::Features::SUBGROUP);
/// Bytes of workgroup memory that `reduce_half` takes at most, rounded up.
const WORKGROUP_BYTES: u64 = 24576;
/// The matrices of an adapter, the largest that serve.
///
/// Fails with `NoMatrices` if there are none, and with `BelowLimit` if the kernel does not fit.
pub fn require(adapter: &wgpu::Adapter, name: &str) -> Result<Half, BackendError> {
    let serves = |matrix: &wgpu::CooperativeMatrixProperties| {
        let is_square = matrix.m_size == matrix.n_size && matrix.n_size == matrix.k_size;
        let types = (matrix.ab_type, matrix.cr_type);
        is_square && types == (wgpu::CooperativeScalarType::F16, wgpu::CooperativeScalarType::F32)
    };
    let matrices = adapter.cooperative_matrix_properties();
    let edge = matrices.iter().filter(|matrix| serves(matrix)).map(|matrix| matrix.m_size).max();
    let Some(edge) = edge.filter(|_| adapter.features().contains(FEATURES)) else {
        return Err(BackendError::NoMatrices { adapter: name.into() });
    };
    let available = adapter.limits().max_compute_workgroup_storage_size;
    within(name, "max_compute_workgroup_storage_size", WORKGROUP_BYTES, available.into())?;
    Ok(Half { edge, lanes: adapter.get_info().subgroup_max_size })
}
