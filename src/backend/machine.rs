//! Who does the arithmetic of a run: a graphics device that is opened, this CPU in one of its precisions, or the reference.

use std::sync::Arc;

pub use super::gpu::{Device, adapters};
use super::{Backend, BackendError, Precision, adapter, cpu, ranks, reference::Reference};
use crate::{exchange::Exchange, problem::Problem};

/// What a run asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A real GPU if there is one, else the CPU, which also computes what has no room on the GPU.
    Auto,
    /// The best adapter, a software one included.
    Gpu,
    /// All cores of the CPU.
    Cpu,
    /// The literal double loops that the others are held against, in double precision: slow.
    Reference,
}

/// What the choice comes to on this machine.
#[derive(Clone)]
#[non_exhaustive]
pub enum Machine {
    /// In a build without the feature `gpu` there is no such device.
    Gpu(Box<Device>),
    /// All cores, in f32.
    CpuSingle,
    /// All cores, in f64.
    CpuDouble,
    /// Double loops on one thread, in f64.
    Reference,
    /// All cores of several processes, of which this one is the first, in f32 or f64; the others [`follow`](ranks::follow).
    Ranks(Arc<dyn Exchange>, Precision),
}

/// Why there is no such machine.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MachineError {
    /// Half precision was asked of the CPU.
    #[error("CPUs compute in single and double precision, not in half")]
    HalfOnCpu,
    /// Double precision was asked of a GPU.
    #[error("GPUs compute in single precision, not in double")]
    DoubleOnGpu,
    /// The reference was asked for in another precision.
    #[error("the reference computes in double precision, not in {}", .0.name())]
    ReferenceIsDouble(Precision),
    /// Half precision was asked for, and there is no adapter, but those that the text names.
    #[error("no graphics adapter found{0}, and half precision needs one")]
    NoAdapterForHalf(String),
    /// The adapter cannot be opened.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

impl Machine {
    /// Opens what was asked for; the CPU under `Auto` where there is no GPU for single precision, and for double precision.
    pub async fn open(choice: Choice, precision: Precision) -> Result<Self, MachineError> {
        let adapter = match (choice, precision) {
            (Choice::Cpu, Precision::Half) => return Err(MachineError::HalfOnCpu),
            (Choice::Reference, Precision::Double) => return Ok(Self::Reference),
            (Choice::Reference, other) => return Err(MachineError::ReferenceIsDouble(other)),
            (Choice::Gpu, Precision::Double) => return Err(MachineError::DoubleOnGpu),
            (Choice::Auto | Choice::Cpu, Precision::Double) => return Ok(Self::CpuDouble),
            (Choice::Cpu, Precision::Single) => return Ok(Self::CpuSingle),
            (Choice::Gpu, Precision::Half | Precision::Single) => adapter::Choice::Best,
            (Choice::Auto, Precision::Half | Precision::Single) => adapter::Choice::Hardware,
        };
        match (Device::open(adapter, precision).await, choice, precision) {
            (Ok(device), Choice::Auto, Precision::Single) => Ok(Self::Gpu(device.giving_way().into())),
            (Ok(device), ..) => Ok(Self::Gpu(device.into())),
            (Err(BackendError::NoAdapter(_) | BackendError::BuiltWithoutGpu), Choice::Auto, Precision::Single) => {
                Ok(Self::CpuSingle)
            }
            // What asks for half precision gets it or an error.
            (Err(BackendError::NoAdapter(which)), _, Precision::Half) => Err(MachineError::NoAdapterForHalf(which)),
            (Err(error), ..) => Err(error.into()),
        }
    }

    /// `problem` on this machine; on its CPU where a device [gives way](Device::gives_way) to it, as the identity of the backend tells.
    pub async fn backend(&self, problem: &Problem) -> Result<Box<dyn Backend>, BackendError> {
        Ok(match self {
            Self::Gpu(device) => match device.backend(problem).await {
                Err(BackendError::OutOfMemory { .. } | BackendError::BelowLimit { .. }) if device.gives_way() => {
                    cpu::single(problem)?
                }
                backend => backend?,
            },
            Self::CpuSingle => cpu::single(problem)?,
            Self::CpuDouble => cpu::double(problem)?,
            Self::Reference => Box::new(Reference::new(problem)?),
            Self::Ranks(exchange, precision) => ranks::lead(problem, *precision, exchange.clone())?,
        })
    }

    /// The same machine, where a device of it was lost.
    pub async fn reopened(&self) -> Result<Self, BackendError> {
        Ok(match self {
            Self::Gpu(device) => Self::Gpu(device.reopened().await?.into()),
            Self::CpuSingle => Self::CpuSingle,
            Self::CpuDouble => Self::CpuDouble,
            Self::Reference => Self::Reference,
            Self::Ranks(exchange, precision) => Self::Ranks(exchange.clone(), *precision),
        })
    }

    /// The precision of the arithmetic.
    pub fn precision(&self) -> Precision {
        match self {
            Self::Gpu(device) => device.precision(),
            Self::CpuSingle => Precision::Single,
            Self::Ranks(_, precision) => *precision,
            Self::CpuDouble | Self::Reference => Precision::Double,
        }
    }
}
