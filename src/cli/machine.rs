//! Which machine the user asked for: the options that commands with arithmetic share, and the backend they open.

use clap::{Args, ValueEnum};
use tokenfield::backend::{BackendError, Precision, gpu};

use super::CommandError;

#[derive(Args)]
pub struct MachineChoice {
    /// Who does the arithmetic: a real GPU if there is one, else the CPU (auto); the best adapter, a software one
    /// included (gpu); or the CPU.
    #[arg(long, value_enum, default_value_t = BackendChoice::Auto)]
    backend: BackendChoice,
    /// The precision of the arithmetic; double needs the CPU. Half needs a GPU with cooperative matrices and heads of 32
    /// components or more: operands of the sums over pairs are rounded to f16, which leaves velocities wrong by some 1e-4.
    /// How fast that is has not been measured.
    #[arg(long, value_enum, default_value_t = PrecisionChoice::Single)]
    precision: PrecisionChoice,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BackendChoice {
    Auto,
    Gpu,
    Cpu,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PrecisionChoice {
    Half,
    Single,
    Double,
}

/// What the choice came to on this machine.
pub enum Machine {
    Gpu(Box<gpu::Device>),
    CpuSingle,
    CpuDouble,
}

impl Machine {
    pub fn precision(&self) -> Precision {
        match self {
            Machine::Gpu(device) => device.precision(),
            Machine::CpuSingle => Precision::Single,
            Machine::CpuDouble => Precision::Double,
        }
    }
}

impl MachineChoice {
    /// Opens what was asked for.
    pub fn open(&self) -> Result<Machine, CommandError> {
        let open = |choice| pollster::block_on(gpu::Device::open(choice, Precision::Single));
        match (self.backend, self.precision) {
            (BackendChoice::Cpu, PrecisionChoice::Half) => Err(CommandError::Input(
                "--precision half: CPUs compute in single and double precision; use --backend gpu, or --precision single"
                    .into(),
            )),
            (BackendChoice::Gpu, PrecisionChoice::Half) => open_half(gpu::Choice::Best),
            (BackendChoice::Auto, PrecisionChoice::Half) => open_half(gpu::Choice::Hardware),
            (BackendChoice::Gpu, PrecisionChoice::Double) => Err(CommandError::Input(
                "--precision double: GPUs compute in single precision; use --backend cpu with it".into(),
            )),
            (BackendChoice::Gpu, PrecisionChoice::Single) => Ok(Machine::Gpu(Box::new(open(gpu::Choice::Best)?))),
            (BackendChoice::Auto, PrecisionChoice::Single) => match open(gpu::Choice::Hardware) {
                Ok(device) => Ok(Machine::Gpu(device.into())),
                Err(BackendError::NoAdapter(_)) => Ok(Machine::CpuSingle),
                Err(error) => Err(error.into()),
            },
            (BackendChoice::Cpu, PrecisionChoice::Single) => Ok(Machine::CpuSingle),
            (_, PrecisionChoice::Double) => Ok(Machine::CpuDouble),
        }
    }
}

/// What asks for half precision gets it or an error.
fn open_half(choice: gpu::Choice) -> Result<Machine, CommandError> {
    match pollster::block_on(gpu::Device::open(choice, Precision::Half)) {
        Ok(device) => Ok(Machine::Gpu(device.into())),
        Err(BackendError::NoAdapter(which)) => Err(CommandError::Failed(format!(
            "--precision half: no graphics adapter found{which}; install a Vulkan driver, use --backend gpu if a software \
             adapter will do, or write --precision single"
        ))),
        Err(error) => Err(error.into()),
    }
}
