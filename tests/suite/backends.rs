//! Every backend behind one name, so that a law or a parity test is written once and a new backend inherits them all.

use std::sync::OnceLock;

use libtest_mimic::Trial;
use tokenfield::{
    backend::{
        Backend, BackendError, Point, Precision, advance,
        cpu::{Cpu, Real},
        gpu::{self, Bounds, Gpu},
    },
    diffusion::Diffusion,
    model::{Calculus, Field, Noise, NoiseField},
    observe::Sample,
    problem::{Problem, Schedule},
    scheme::Scheme,
    simulate::{Event, Summary, simulate},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    CpuSingle,
    CpuDouble,
    GpuSingle,
    /// The same with every step stage by stage, where small replicas would stay in workgroups.
    GpuStages,
    /// Not among `ALL`, because it refuses what it is not for.
    GpuHalf,
}

/// What a simulation leaves behind.
pub struct Outcome {
    pub tokens: Vec<f64>,
    pub samples: Vec<Sample>,
    pub summary: Summary,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::CpuSingle, Kind::CpuDouble, Kind::GpuSingle, Kind::GpuStages];

    pub fn name(self) -> &'static str {
        match self {
            Kind::CpuSingle => "cpu_single",
            Kind::CpuDouble => "cpu_double",
            Kind::GpuSingle => "gpu_single",
            Kind::GpuStages => "gpu_stages",
            Kind::GpuHalf => "gpu_half",
        }
    }

    /// `double` on a double-precision backend, `single` elsewhere.
    pub fn tolerance(self, single: f64, double: f64) -> f64 {
        match self {
            Kind::CpuDouble => double,
            Kind::CpuSingle | Kind::GpuSingle | Kind::GpuStages | Kind::GpuHalf => single,
        }
    }

    /// `device` where a device may measure its tokens itself, `host` where they are read back and measured in f64.
    pub fn measured(self, device: f64, host: f64) -> f64 {
        match self {
            Kind::CpuSingle | Kind::CpuDouble => host,
            Kind::GpuSingle | Kind::GpuStages | Kind::GpuHalf => device,
        }
    }

    /// The problem evolved to its end.
    pub fn evolve(self, problem: &Problem) -> Outcome {
        match self {
            Kind::CpuSingle => evolve(problem, on_cpu::<f32>(problem)),
            Kind::CpuDouble => evolve(problem, on_cpu::<f64>(problem)),
            Kind::GpuSingle => evolve(problem, on_gpu(problem, Bounds::default())),
            Kind::GpuStages => evolve(problem, on_gpu(problem, Bounds { steps: Some(0), ..Bounds::default() })),
            Kind::GpuHalf => evolve(problem, in_half(problem, Bounds::default()).expect("it suits half precision")),
        }
    }

    /// Tokens after the field, the noise that follows it into the same stage, and what `diffuse` does, each with a coefficient of one.
    pub fn fluctuated(self, problem: &Problem) -> Vec<f64> {
        match self {
            Kind::CpuSingle => fluctuated(on_cpu::<f32>(problem)),
            Kind::CpuDouble => fluctuated(on_cpu::<f64>(problem)),
            Kind::GpuSingle => fluctuated(on_gpu(problem, Bounds::default())),
            Kind::GpuStages => fluctuated(on_gpu(problem, Bounds { steps: Some(0), ..Bounds::default() })),
            Kind::GpuHalf => fluctuated(in_half(problem, Bounds::default()).expect("it suits half precision")),
        }
    }

    /// N(x + f(x)) for every token, with f the chosen field: one step of length one, without observations.
    pub fn shifted(self, problem: &Problem, field: Field) -> Vec<f64> {
        let scheme = match field {
            Field::Tangent => Scheme::Euler,
            Field::Ambient | Field::Perceptron => Scheme::Layer,
        };
        let schedule = Schedule { steps: 1, end: 1.0, observe_every: 1 };
        let problem = &Problem { scheme, schedule, ..problem.clone() };
        match self {
            Kind::CpuSingle => shifted(problem, on_cpu::<f32>(problem)),
            Kind::CpuDouble => shifted(problem, on_cpu::<f64>(problem)),
            Kind::GpuSingle => shifted(problem, on_gpu(problem, Bounds::default())),
            Kind::GpuStages => shifted(problem, on_gpu(problem, Bounds { steps: Some(0), ..Bounds::default() })),
            Kind::GpuHalf => shifted(problem, in_half(problem, Bounds::default()).expect("it suits half precision")),
        }
    }
}

fn on_cpu<T: Real>(problem: &Problem) -> Cpu<T> {
    Cpu::new(problem).expect("the problem suits the CPU")
}

fn on_gpu(problem: &Problem, bounds: Bounds) -> Gpu {
    let open = gpu::Device::open_bounded(gpu::Choice::Best, Precision::Single, bounds);
    let device = pollster::block_on(open).expect("an adapter opens");
    pollster::block_on(Gpu::new(&device, problem)).expect("the problem fits the adapter")
}

/// The problem in half precision, on an adapter that has it.
pub fn in_half(problem: &Problem, bounds: Bounds) -> Result<Gpu, BackendError> {
    pollster::block_on(async {
        let device = gpu::Device::open_bounded(gpu::Choice::Best, Precision::Half, bounds).await?;
        Gpu::new(&device, problem).await
    })
}

fn evolve<B: Backend>(problem: &Problem, mut backend: B) -> Outcome {
    let mut samples = Vec::new();
    let run = simulate(problem, &mut backend, |event| {
        if let Event::Sample(sample) = event {
            samples.push(sample.clone());
        }
        Ok(())
    });
    let summary = pollster::block_on(run).expect("the simulation reaches its end");
    Outcome { tokens: pollster::block_on(backend.tokens()).expect("tokens are read"), samples, summary }
}

fn fluctuated<B: Backend>(mut backend: B) -> Vec<f64> {
    let noise = Noise {
        field: NoiseField::Independent,
        intensity: 1.0,
        calculus: Calculus::Stratonovich,
        seed: 1,
        is_shared: false,
    };
    let diffusion = Diffusion::new(&noise, 0.1, 3).expect("independent noise diffuses");
    backend.evaluate(Point::State, Field::Tangent, 0).expect("a field");
    backend.fluctuate(Point::State, 0, 0).expect("no noise");
    backend.combine(&[1.0], Point::State, Field::Tangent).expect("a step");
    backend.diffuse(&diffusion, 0).expect("no diffusion");
    pollster::block_on(backend.tokens()).expect("tokens are read")
}

fn shifted<B: Backend>(problem: &Problem, mut backend: B) -> Vec<f64> {
    advance(problem, &mut backend, 0, 1).expect("a step is taken");
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
        .with_ignored_flag(matches!(kind, Kind::GpuSingle | Kind::GpuStages) && missing)
    };
    Kind::ALL.map(trial).into()
}
