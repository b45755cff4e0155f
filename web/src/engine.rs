//! Who computes: a graphics device of the browser, or the processor in WebAssembly.

use tokenfield::{
    backend::{
        Backend, BackendError, Precision, cpu,
        gpu::{Choice, Device, Gpu},
    },
    problem::Problem,
};

/// Where a session computes.
pub enum Machine {
    /// On a graphics device, with what opened it.
    Gpu(Box<Device>),
    /// In WebAssembly, on one thread.
    Cpu,
}

impl Machine {
    /// What is asked for: `auto`, `gpu` or `cpu`. Under `auto` it is the processor where there is no WebGPU.
    pub async fn open(device: &str) -> Result<Self, String> {
        let opened = async || Device::open(Choice::Best, Precision::Single).await;
        match device {
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu(Box::new(opened().await.map_err(|error| error.to_string())?))),
            "auto" => Ok(opened().await.map_or(Self::Cpu, |device| Self::Gpu(Box::new(device)))),
            other => Err(format!("device = \"{other}\" is none of \"auto\", \"gpu\" and \"cpu\"")),
        }
    }

    /// `problem` on this machine.
    pub async fn engine(&self, problem: &Problem) -> Result<Engine, BackendError> {
        match self {
            Self::Gpu(device) => Ok(Engine::Gpu(Box::new(Gpu::new(device, problem).await?))),
            Self::Cpu => Ok(Engine::Cpu(cpu::single(problem)?)),
        }
    }

    /// What the page calls it.
    pub fn name(&self) -> String {
        match self {
            Self::Gpu(device) => match device.summary().name.as_str() {
                // Browsers tell what they like.
                "" => "WebGPU".into(),
                name => format!("WebGPU: {name}"),
            },
            Self::Cpu => "CPU in WebAssembly".into(),
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
