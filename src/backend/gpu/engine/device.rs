//! An opened adapter: the one place where limits are asked for, checked and reported.

use std::sync::Arc;

use super::{
    adapter::{self, AdapterSummary, Choice, Kind},
    compiled::CompiledKernels,
    failure::Failure,
    half, limits,
    memory::Memory,
};
use crate::backend::gpu::kernels::constants::Half;
use crate::backend::{BackendError, Precision};

/// How large pieces of work may be. The defaults are what the adapter allows; tests make them small to reach, with
/// few tokens, the paths that large problems take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Bytes of one buffer of tokens.
    pub segment_bytes: Option<u64>,
    /// Workgroups along one dimension of a grid.
    pub grid: Option<u32>,
    /// Work of one dispatch, in multiply-adds; measured and adapted unless given.
    pub dispatch_work: Option<f64>,
    /// Bytes that the device has for one problem, whatever is laid out at once.
    pub bytes: Option<u64>,
    /// Bytes that the device has for what the host can do as well.
    pub spare_bytes: Option<u64>,
    /// Slices into which the keys are cut.
    pub slices: Option<usize>,
    /// The degree at which harmonic expansions end, if that is below what their tolerance asks for.
    pub degree: Option<u16>,
    /// Steps of one dispatch where workgroups keep whole replicas; measured and adapted unless given. With zero, no
    /// workgroup does, and every step goes stage by stage.
    pub steps: Option<u64>,
    /// The kind of adapter that the reduction is shaped for, if it is not to be that of the opened one.
    pub shaped_for: Option<Kind>,
}

/// An opened graphics device, on which any number of problems can live. Clones are the same device.
#[derive(Clone)]
pub struct Device {
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    pub(crate) summary: AdapterSummary,
    pub(crate) bounds: Bounds,
    choice: Choice,
    gives_way: bool,
    /// Present where half precision was asked for.
    pub(crate) half: Option<Half>,
    pub(crate) failure: Failure,
    pub(crate) compiled: CompiledKernels,
    /// Of the problem that it is the device of.
    pub(crate) memory: Memory,
}

impl Device {
    /// Opens the adapter of `choice` for arithmetic in `precision`, which all problems on it have.
    ///
    /// Fails with `NoAdapter`, with `Unsupported` for double precision, with `NoMatrices` if the adapter lacks half precision,
    /// with `BelowLimit` if the kernels do not fit the adapter, or with `Device` if it cannot be opened.
    pub async fn open(choice: Choice, precision: Precision) -> Result<Device, BackendError> {
        Self::open_bounded(choice, precision, Bounds::default()).await
    }

    /// Opens the adapter of `choice`, with work in smaller pieces than it would allow.
    pub async fn open_bounded(choice: Choice, precision: Precision, bounds: Bounds) -> Result<Device, BackendError> {
        let (adapter, summary) = adapter::choose(choice).await?;
        limits::require(&summary.name, &adapter.limits())?;
        let half = match precision {
            Precision::Half => Some(half::require(&adapter, &summary.name)?),
            Precision::Single => None,
            Precision::Double => return Err(limits::unsupported("double precision")),
        };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("tokenfield"),
            required_features: half.map_or(wgpu::Features::empty(), |_| half::FEATURES),
            // SAFETY: what is experimental about matrices may refuse a shader or end in a lost device; both are told.
            experimental_features: half
                .map_or_else(Default::default, |_| unsafe { wgpu::ExperimentalFeatures::enabled() }),
            // Everything the adapter has: a device opened without asking is limited to what every browser has.
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let refused = |error: wgpu::RequestDeviceError| BackendError::Device {
            adapter: summary.name.clone(),
            reason: error.to_string(),
        };
        let (device, queue) = adapter.request_device(&descriptor).await.map_err(refused)?;
        let failure = Failure::default();
        listen(&device, &failure, &summary.name);
        let (compiled, memory, gives_way) = (CompiledKernels::default(), Memory::default(), false);
        Ok(Device { device, queue, summary, bounds, choice, gives_way, half, failure, compiled, memory })
    }

    /// Another device, opened as this one was, where this one was lost.
    pub async fn reopened(&self) -> Result<Device, BackendError> {
        let device = Self::open_bounded(self.choice, self.precision(), self.bounds).await?;
        Ok(Device { gives_way: self.gives_way, ..device })
    }

    /// The same device, which leaves to the CPU what has no room on it.
    pub fn giving_way(self) -> Device {
        Device { gives_way: true, ..self }
    }

    /// Whether what has no room on it goes to the CPU.
    pub fn gives_way(&self) -> bool {
        self.gives_way
    }

    /// The adapter that was opened.
    pub fn summary(&self) -> &AdapterSummary {
        &self.summary
    }

    /// The precision of the arithmetic.
    pub fn precision(&self) -> Precision {
        self.half.map_or(Precision::Single, |_| Precision::Half)
    }

    /// The device and its queue as wgpu has them, for whoever draws or computes with the buffers of a problem.
    pub fn handles(&self) -> (&wgpu::Device, &wgpu::Queue) {
        (&self.device, &self.queue)
    }

    /// The same device with memory for one more problem.
    pub(crate) fn for_problem(&self) -> Device {
        Device { memory: Memory::default(), ..self.clone() }
    }

    /// The first error on the device, the loss of it among them, if there was one.
    pub fn check(&self) -> Result<(), BackendError> {
        self.failure.check()
    }

    /// The kind of adapter that the reduction is shaped for.
    pub(crate) fn kind(&self) -> Kind {
        self.bounds.shaped_for.unwrap_or(self.summary.kind)
    }

    /// Ends the device, as the reset of a driver would: every problem on it fails at its next verb.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// Bytes that one buffer of tokens may have.
    pub(crate) fn segment_bytes(&self) -> u64 {
        let limits = self.device.limits();
        let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        self.bounds.segment_bytes.map_or(most, |bytes| bytes.min(most))
    }

    /// Workgroups that fit along one dimension of a grid.
    pub(crate) fn grid(&self) -> u32 {
        let most = self.device.limits().max_compute_workgroups_per_dimension;
        self.bounds.grid.map_or(most, |grid| grid.min(most))
    }

    /// Refuses a problem that needs more than `available` of a limit.
    pub(crate) fn within(&self, limit: &'static str, needed: u64, available: u64) -> Result<(), BackendError> {
        limits::within(&self.summary.name, limit, needed, available)
    }
}

/// Without these callbacks a refused command would end the process.
fn listen(device: &wgpu::Device, failure: &Failure, adapter: &str) {
    let (refused, name) = (failure.clone(), adapter.to_string());
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        refused.set(BackendError::Device { adapter: name.clone(), reason: error.to_string() });
    }));
    let (lost, name) = (failure.clone(), adapter.to_string());
    device.set_device_lost_callback(move |reason, message| {
        // Dropping the last handle also loses the device, on purpose; no verb follows that could return the error.
        let reason = format!("{reason:?}: {message}");
        lost.set(BackendError::DeviceLost { adapter: name.clone(), reason });
    });
}
