//! Who computes: a graphics device of the browser, or the processor in WebAssembly.

use std::cell::RefCell;

use tokenfield::{
    backend::{
        Backend, BackendError, Precision, cpu,
        gpu::{Choice, Device, Gpu},
    },
    problem::Problem,
};

thread_local! {
    /// The device of the sessions so far: the next one finds its kernels compiled.
    static OPENED: RefCell<Option<Device>> = const { RefCell::new(None) };
}

/// That device if it works, else another one.
async fn device() -> Result<Device, BackendError> {
    if let Some(device) = OPENED.take() {
        if device.check().is_ok() {
            OPENED.set(Some(device.clone()));
            return Ok(device);
        }
        device.destroy();
    }
    let device = Device::open(Choice::Best, Precision::Single).await?;
    OPENED.set(Some(device.clone()));
    Ok(device)
}

/// Where a session computes.
pub enum Machine {
    /// On a graphics device, with what opened it.
    Gpu(Box<Device>),
    /// In WebAssembly, on one thread.
    Cpu(Precision),
}

impl Machine {
    /// What is asked for: `auto`, `gpu`, `cpu` or `cpu-double`. Under `auto` it is the processor where there is no WebGPU.
    pub async fn open(name: &str) -> Result<Self, String> {
        match name {
            "cpu" => Ok(Self::Cpu(Precision::Single)),
            "cpu-double" => Ok(Self::Cpu(Precision::Double)),
            "gpu" => Ok(Self::Gpu(Box::new(device().await.map_err(|error| error.to_string())?))),
            "auto" => Ok(device().await.map_or(Self::Cpu(Precision::Single), |device| Self::Gpu(Box::new(device)))),
            other => Err(format!("device = \"{other}\" is none of \"auto\", \"gpu\", \"cpu\" and \"cpu-double\"")),
        }
    }

    /// `problem` on this machine.
    pub async fn engine(&self, problem: &Problem) -> Result<Engine, BackendError> {
        match self {
            Self::Gpu(device) => Ok(Engine::Gpu(Box::new(Gpu::new(device, problem).await?))),
            Self::Cpu(Precision::Double) => Ok(Engine::Cpu(cpu::double(problem)?)),
            Self::Cpu(_) => Ok(Engine::Cpu(cpu::single(problem)?)),
        }
    }

    /// What the page calls it.
    pub fn name(&self) -> String {
        match self {
            Self::Gpu(device) => match device.summary().name.as_str() {
                "WebGPU" => "WebGPU".into(),
                name => format!("WebGPU: {name}"),
            },
            Self::Cpu(Precision::Double) => "CPU in WebAssembly, double precision".into(),
            Self::Cpu(_) => "CPU in WebAssembly".into(),
        }
    }
}

/// A problem on a machine.
pub enum Engine {
    /// Tokens on the device, from where they are drawn.
    Gpu(Box<Gpu>),
    /// Tokens in the memory of the page.
    Cpu(Box<dyn Backend>),
}

impl Engine {
    /// The arithmetic.
    pub fn backend(&mut self) -> &mut dyn Backend {
        match self {
            Self::Gpu(gpu) => gpu.as_mut(),
            Self::Cpu(cpu) => cpu.as_mut(),
        }
    }

    /// The tokens of the first replica, row-major (token, component).
    pub async fn first_replica(&mut self, problem: &Problem) -> Result<Vec<f64>, BackendError> {
        self.backend().tokens_of(0..problem.tokens.shape.count).await
    }
}
