//! Every backend behind one name, so that a law or a parity test is written once and a new backend inherits them all.

use libtest_mimic::Trial;
use tokenfield::{
    backend::{Backend, advance, cpu, reference::Reference},
    model::Field,
    observe::Sample,
    problem::{Problem, Schedule},
    scheme::Scheme,
    simulate::{Event, Summary, simulate},
};

#[cfg(feature = "gpu")]
use crate::graphics::{self, Mode};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    CpuSingle,
    CpuDouble,
    #[cfg(feature = "gpu")]
    Gpu(Mode),
    /// Not among `ALL`, because it judges these: laws and the contract hold for it too.
    Reference,
}

/// What a simulation leaves behind.
pub struct Outcome {
    pub tokens: Vec<f64>,
    pub samples: Vec<Sample>,
    pub summary: Summary,
}

impl Kind {
    pub const ALL: &[Kind] = &[
        Kind::CpuSingle,
        Kind::CpuDouble,
        #[cfg(feature = "gpu")]
        Kind::Gpu(Mode::Single),
        #[cfg(feature = "gpu")]
        Kind::Gpu(Mode::Stages),
    ];

    pub fn name(self) -> &'static str {
        match self {
            Kind::CpuSingle => "cpu_single",
            Kind::CpuDouble => "cpu_double",
            #[cfg(feature = "gpu")]
            Kind::Gpu(mode) => mode.name(),
            Kind::Reference => "reference",
        }
    }

    fn needs_adapter(self) -> bool {
        match self {
            Kind::CpuSingle | Kind::CpuDouble | Kind::Reference => false,
            #[cfg(feature = "gpu")]
            Kind::Gpu(_) => true,
        }
    }

    /// `double` on a double-precision backend, `single` elsewhere.
    pub fn tolerance(self, single: f64, double: f64) -> f64 {
        match self {
            Kind::CpuDouble | Kind::Reference => double,
            Kind::CpuSingle => single,
            #[cfg(feature = "gpu")]
            Kind::Gpu(_) => single,
        }
    }

    /// `device` where a device may measure its tokens itself, `host` where they are read back and measured in f64.
    #[cfg_attr(not(feature = "gpu"), expect(unused_variables, reason = "no backend is a device"))]
    pub fn measured(self, device: f64, host: f64) -> f64 {
        match self {
            Kind::CpuSingle | Kind::CpuDouble | Kind::Reference => host,
            #[cfg(feature = "gpu")]
            Kind::Gpu(_) => device,
        }
    }

    /// The problem on this backend.
    pub fn open(self, problem: &Problem) -> Box<dyn Backend> {
        match self {
            Kind::CpuSingle => cpu::single(problem).expect("the problem suits the CPU"),
            Kind::CpuDouble => cpu::double(problem).expect("the problem suits the CPU"),
            Kind::Reference => Box::new(Reference::new(problem).expect("the problem suits the reference")),
            #[cfg(feature = "gpu")]
            Kind::Gpu(mode) => mode.open(problem),
        }
    }

    /// The problem evolved to its end.
    pub fn evolve(self, problem: &Problem) -> Outcome {
        let mut backend = self.open(problem);
        let mut samples = Vec::new();
        let run = simulate(problem, backend.as_mut(), |event| {
            if let Event::Sample(sample) = event {
                samples.push(sample.clone());
            }
            Ok(())
        });
        let summary = pollster::block_on(run).expect("the simulation reaches its end");
        Outcome { tokens: pollster::block_on(backend.tokens()).expect("tokens are read"), samples, summary }
    }

    /// N(x + f(x)) for every token, with f the chosen field: one step of length one, without observations.
    pub fn shifted(self, problem: &Problem, field: Field) -> Vec<f64> {
        let scheme = match field {
            Field::Tangent => Scheme::Euler,
            Field::Ambient | Field::Perceptron => Scheme::Layer,
        };
        let schedule = Schedule::even(1, 1.0, 1);
        let problem = &Problem { scheme, schedule, ..problem.clone() };
        let mut backend = self.open(problem);
        advance(problem, backend.as_mut(), 0, 1).expect("a step is taken");
        pollster::block_on(backend.tokens()).expect("tokens are read")
    }
}

/// One trial for each backend and the reference: of what is known without it. A comparison with the reference is no test of it.
pub fn laws(name: &str, test: impl Fn(Kind) + Copy + Send + 'static) -> Vec<Trial> {
    trials_of(&[Kind::ALL, &[Kind::Reference]].concat(), name, test)
}

/// One trial for each backend.
pub fn trials(name: &str, test: impl Fn(Kind) + Copy + Send + 'static) -> Vec<Trial> {
    trials_of(Kind::ALL, name, test)
}

/// Without an adapter the trials of GPUs are shown as ignored, unless `TOKENFIELD_REQUIRE_GPU` asks for one: then they run, and fail.
fn trials_of(kinds: &[Kind], name: &str, test: impl Fn(Kind) + Copy + Send + 'static) -> Vec<Trial> {
    #[cfg(feature = "gpu")]
    let missing = graphics::missing();
    #[cfg(not(feature = "gpu"))]
    let missing = true;
    let trial = |kind: &Kind| {
        let kind = *kind;
        Trial::test(format!("{}::{name}", kind.name()), move || {
            test(kind);
            Ok(())
        })
        .with_ignored_flag(kind.needs_adapter() && missing)
    };
    kinds.iter().map(trial).collect()
}
