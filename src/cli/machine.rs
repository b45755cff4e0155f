//! Which machine the user asked for: the options that commands with arithmetic share, and the backend they open.

use clap::{Args, ValueEnum};
use tokenfield::{
    backend::Precision,
    run::{Choice, Machine, MachineError},
};

use super::error::CommandError;

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

impl MachineChoice {
    /// Opens what was asked for.
    pub fn open(&self) -> Result<Machine, CommandError> {
        let choice = match self.backend {
            BackendChoice::Auto => Choice::Auto,
            BackendChoice::Gpu => Choice::Gpu,
            BackendChoice::Cpu => Choice::Cpu,
        };
        let precision = match self.precision {
            PrecisionChoice::Half => Precision::Half,
            PrecisionChoice::Single => Precision::Single,
            PrecisionChoice::Double => Precision::Double,
        };
        pollster::block_on(Machine::open(choice, precision)).map_err(|error| match error {
            MachineError::HalfOnCpu => CommandError::Input(
                "--precision half: CPUs compute in single and double precision; use --backend gpu, or --precision single"
                    .into(),
            ),
            MachineError::DoubleOnGpu => CommandError::Input(
                "--precision double: GPUs compute in single precision; use --backend cpu with it".into(),
            ),
            MachineError::NoAdapterForHalf(which) => CommandError::Failed(format!(
                "--precision half: no graphics adapter found{which}; install a Vulkan driver, use --backend gpu if a software \
                 adapter will do, or write --precision single"
            )),
            MachineError::Backend(error) => error.into(),
            error => CommandError::Failed(error.to_string()),
        })
    }
}
