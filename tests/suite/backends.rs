//! Every backend behind one name, so that a law or a parity test is written once and a new backend inherits them all.

use std::sync::OnceLock;

use libtest_mimic::Trial;
use tokenfield::{
    backend::{
        Backend, Point,
        cpu::{Cpu, Real},
        gpu::{self, Gpu},
    },
    model::Field,
    observe::Sample,
    problem::Problem,
    simulate::{Event, simulate},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    CpuSingle,
    CpuDouble,
    GpuSingle,
}

/// What a simulation leaves behind.
pub struct Outcome {
    pub tokens: Vec<f64>,
    pub samples: Vec<Sample>,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::CpuSingle, Kind::CpuDouble, Kind::GpuSingle];

    pub fn name(self) -> &'static str {
        match self {
            Kind::CpuSingle => "cpu_single",
            Kind::CpuDouble => "cpu_double",
            Kind::GpuSingle => "gpu_single",
        }
    }

    /// `double` on a double-precision backend, `single` elsewhere.
    pub fn tolerance(self, single: f64, double: f64) -> f64 {
        match self {
            Kind::CpuDouble => double,
            Kind::CpuSingle | Kind::GpuSingle => single,
        }
    }

    /// The problem evolved to its end.
    pub fn evolve(self, problem: &Problem) -> Outcome {
        match self {
            Kind::CpuSingle => evolve(problem, on_cpu::<f32>(problem)),
            Kind::CpuDouble => evolve(problem, on_cpu::<f64>(problem)),
            Kind::GpuSingle => evolve(problem, on_gpu(problem)),
        }
    }

    /// N(x + f(x)) for every token, with f the chosen field.
    pub fn shifted(self, problem: &Problem, field: Field) -> Vec<f64> {
        match self {
            Kind::CpuSingle => shifted(on_cpu::<f32>(problem), field),
            Kind::CpuDouble => shifted(on_cpu::<f64>(problem), field),
            Kind::GpuSingle => shifted(on_gpu(problem), field),
        }
    }
}

fn on_cpu<T: Real>(problem: &Problem) -> Cpu<T> {
    Cpu::new(problem).expect("the problem suits the CPU")
}

fn on_gpu(problem: &Problem) -> Gpu {
    let device = pollster::block_on(gpu::Device::open(gpu::Choice::Best)).expect("an adapter opens");
    pollster::block_on(Gpu::new(&device, problem)).expect("the problem fits the adapter")
}

fn evolve<B: Backend>(problem: &Problem, mut backend: B) -> Outcome {
    let mut samples = Vec::new();
    let run = simulate(problem, &mut backend, |event| {
        if let Event::Sample(sample) = event {
            samples.push(sample.clone());
        }
        Ok(())
    });
    pollster::block_on(run).expect("the simulation reaches its end");
    Outcome { tokens: pollster::block_on(backend.tokens()).expect("tokens are read"), samples }
}

fn shifted<B: Backend>(mut backend: B, field: Field) -> Vec<f64> {
    backend.evaluate(Point::State, field, 0).expect("the field is evaluated");
    backend.combine(&[1.0], Point::State).expect("the state moves");
    pollster::block_on(backend.tokens()).expect("tokens are read")
}

/// One trial a backend. Without an adapter the GPU's are shown as ignored, unless `TOKENFIELD_REQUIRE_GPU` asks for
/// one: then they run, and fail.
pub fn trials(name: &str, test: impl Fn(Kind) + Copy + Send + 'static) -> Vec<Trial> {
    let required = std::env::var_os("TOKENFIELD_REQUIRE_GPU").is_some();
    static ADAPTERS: OnceLock<usize> = OnceLock::new();
    let missing = !required && *ADAPTERS.get_or_init(|| pollster::block_on(gpu::adapters()).len()) == 0;
    let trial = |kind: Kind| {
        Trial::test(format!("{}::{name}", kind.name()), move || {
            test(kind);
            Ok(())
        })
        .with_ignored_flag(kind == Kind::GpuSingle && missing)
    };
    Kind::ALL.map(trial).into()
}
