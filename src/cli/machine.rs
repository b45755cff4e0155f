//! Which machine the user asked for: the options that commands with arithmetic share, and the backend they open.

use clap::{Args, ValueEnum};
use tokenfield::{
    backend::Precision,
    run::{Choice, Machine, MachineError},
};

use super::{error::CommandError, ranks::World};

#[derive(Args)]
pub struct MachineChoice {
    /// Who does the arithmetic: a real GPU if there is one, else the CPU (auto); the best adapter, a software one
    /// included (gpu); the CPU; or the reference, the literal double loops in f64 that the others are held against: one
    /// thread, n^2 numbers of memory, and slow.
    /// [default: auto, and cpu in double precision for laws of papers]
    #[arg(long, value_enum)]
    backend: Option<BackendChoice>,
    /// The precision of the arithmetic; double needs the CPU or the reference, which knows no other. Half needs a GPU with cooperative matrices and heads of 32
    /// components or more: operands of the sums over pairs are rounded to f16, which leaves velocities wrong by some 1e-4.
    /// How fast that is has not been measured [default: single, and double with --backend reference].
    #[arg(long, value_enum)]
    precision: Option<PrecisionChoice>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BackendChoice {
    Auto,
    Gpu,
    Cpu,
    Reference,
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
        self.open_or(BackendChoice::Auto, PrecisionChoice::Single)
    }

    /// The same, where numbers are held against closed forms unless typed otherwise.
    pub fn open_for_laws(&self) -> Result<Machine, CommandError> {
        let precision = match self.backend {
            None | Some(BackendChoice::Cpu) => PrecisionChoice::Double,
            _ => PrecisionChoice::Single,
        };
        self.open_or(BackendChoice::Cpu, precision)
    }

    /// Opens what a checkpoint was computed on, unless something else was asked for.
    pub fn open_like(&self, backend: &str, precision: &str) -> Result<Machine, CommandError> {
        let backend = BackendChoice::from_str(backend, false).unwrap_or(BackendChoice::Auto);
        let precision = PrecisionChoice::from_str(precision, false).unwrap_or(PrecisionChoice::Single);
        self.open_or(backend, precision)
    }

    /// Whether the user has said who is to do the arithmetic.
    pub fn is_named(&self) -> bool {
        self.backend.is_some()
    }

    /// The CPUs of all processes of a run, in this precision unless something else was asked for.
    pub fn open_among(&self, world: &World, precision: &str) -> Result<Machine, CommandError> {
        match self.backend {
            None | Some(BackendChoice::Auto | BackendChoice::Cpu) => {}
            Some(BackendChoice::Gpu | BackendChoice::Reference) => {
                let remedy = "several processes compute on their CPUs; write --backend cpu, or start one process";
                return Err(CommandError::Input(format!("--backend: {remedy}")));
            }
        }
        let precision = PrecisionChoice::from_str(precision, false).unwrap_or(PrecisionChoice::Single);
        match self.precision.unwrap_or(precision) {
            PrecisionChoice::Single => Ok(world.machine(Precision::Single)),
            PrecisionChoice::Double => Ok(world.machine(Precision::Double)),
            PrecisionChoice::Half => Err(CommandError::Input(
                "--precision half: CPUs compute in single and double precision; write --precision single".into(),
            )),
        }
    }

    fn open_or(&self, backend: BackendChoice, precision: PrecisionChoice) -> Result<Machine, CommandError> {
        let choice = match self.backend.unwrap_or(backend) {
            BackendChoice::Auto => Choice::Auto,
            BackendChoice::Gpu => Choice::Gpu,
            BackendChoice::Cpu => Choice::Cpu,
            BackendChoice::Reference => Choice::Reference,
        };
        let precision = match self.precision.unwrap_or(precision) {
            _ if choice == Choice::Reference && self.precision.is_none() => Precision::Double,
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
            MachineError::ReferenceIsDouble(asked) => CommandError::Input(format!(
                "--precision {}: the reference computes in double precision; leave --precision out, or use --backend cpu with it",
                asked.name()
            )),
            MachineError::NoAdapterForHalf(which) => CommandError::Failed(format!(
                "--precision half: no graphics adapter found{which}; install a Vulkan driver, use --backend gpu if a software \
                 adapter will do, or write --precision single"
            )),
            MachineError::Backend(error) => error.into(),
            error => CommandError::Failed(error.to_string()),
        })
    }
}
