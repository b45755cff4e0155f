//! Graphics adapters among the backends.

use std::sync::OnceLock;

use tokenfield::{
    backend::{
        Backend, BackendError, Precision,
        gpu::{self, Bounds, Gpu},
    },
    problem::Problem,
};

/// What is asked of an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Single,
    /// The same with every step stage by stage, where small replicas would stay in workgroups.
    Stages,
    /// Not among all backends, because it refuses what it is not for.
    Half,
}

impl Mode {
    pub fn name(self) -> &'static str {
        match self {
            Mode::Single => "gpu_single",
            Mode::Stages => "gpu_stages",
            Mode::Half => "gpu_half",
        }
    }

    /// The problem on the best adapter.
    pub fn open(self, problem: &Problem) -> Box<dyn Backend> {
        Box::new(match self {
            Mode::Single => {
                static DEVICE: OnceLock<gpu::Device> = OnceLock::new();
                on_gpu(problem, &DEVICE, Bounds::default())
            }
            Mode::Stages => {
                static DEVICE: OnceLock<gpu::Device> = OnceLock::new();
                on_gpu(problem, &DEVICE, Bounds { steps: Some(0), ..Bounds::default() })
            }
            Mode::Half => in_half(problem, Bounds::default()).expect("it suits half precision"),
        })
    }
}

/// On one device for all problems, so that kernels are compiled once.
fn on_gpu(problem: &Problem, device: &OnceLock<gpu::Device>, bounds: Bounds) -> Gpu {
    let open = || {
        let open = gpu::Device::open_bounded(gpu::Choice::Best, Precision::Single, bounds);
        pollster::block_on(open).expect("an adapter opens")
    };
    pollster::block_on(Gpu::new(device.get_or_init(open), problem)).expect("the problem fits the adapter")
}

/// The problem in half precision, on an adapter that has it.
pub fn in_half(problem: &Problem, bounds: Bounds) -> Result<Gpu, BackendError> {
    pollster::block_on(async {
        let device = gpu::Device::open_bounded(gpu::Choice::Best, Precision::Half, bounds).await?;
        Gpu::new(&device, problem).await
    })
}

/// Whether this machine has no adapter and nobody requires one, by `TOKENFIELD_REQUIRE_GPU`.
pub fn missing() -> bool {
    let required = std::env::var_os("TOKENFIELD_REQUIRE_GPU").is_some();
    static ADAPTERS: OnceLock<usize> = OnceLock::new();
    !required && *ADAPTERS.get_or_init(|| pollster::block_on(gpu::adapters()).len()) == 0
}
