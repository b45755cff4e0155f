//! `tokenfield bench`: a table of speeds, one row for each size.

use clap::Args;
use tokenfield::{
    backend::{Backend, Method, cpu},
    bench::{clock, flops_per_pair, measure, most_pairs_per_second},
    experiment::Experiment,
    problem::Problem,
    run::Machine,
};

use super::{
    error::CommandError,
    machine::MachineChoice,
    output::talk,
    table::{Row, Table},
};

/// From 64 components on, fewer tokens take as long.
const COUNTS: [usize; 2] = [16_384, 8_192];
const DIMS: [usize; 7] = [2, 3, 4, 8, 16, 64, 128];

const CONVENTIONS: &str = "\
Tokens are uniform, attention is softmax with identity matrices. Every number is a median of readings of at least 0.1 s
after a warm-up. Harmonic sums have the pairs/s that direct sums would need to be as fast. GFLOP/s count 4 d + 2
operations a pair: 2 d for the score, 2 d for the moment, one for the sum, one for the exponential. The share is of what
the arithmetic alone would allow: two vector instructions a cycle and thread, and 2 d + 8 of them (2 d + 14 in double
precision) for as many pairs as a vector has lanes; the clock is measured, and threads count as cores. On GPUs no such
limit is known, and for the reference it would mean nothing. A step is one of Heun's scheme: two evaluations, two combinations.";

#[derive(Args)]
#[command(after_help = CONVENTIONS)]
pub struct Bench {
    /// Components of a token; may be repeated [default: 2 3 4 8 16 64 128].
    #[arg(long, value_name = "D", conflicts_with = "phase")]
    dim: Vec<usize>,
    /// Tokens [default: 16384, or 8192 from 64 components on].
    #[arg(long, value_name = "N", conflicts_with = "phase")]
    count: Option<usize>,
    /// The inverse temperature.
    #[arg(long, default_value_t = 4.0)]
    beta: f64,
    /// How the sums are computed, as in `algorithm` of an experiment.
    #[arg(long, value_name = "WORD", default_value = "direct")]
    algorithm: String,
    /// Which tokens a token attends to, as in `attention.mask` of an experiment.
    #[arg(long, value_name = "WORD", default_value = "none")]
    mask: String,
    /// One temperature of a phase diagram instead: 2048 replicas of 32 tokens on the sphere, 300 Euler steps of 0.1.
    #[arg(long)]
    phase: bool,
    #[command(flatten)]
    machine: MachineChoice,
    /// Readings of which the median is taken.
    #[arg(long, value_name = "R", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    repeats: u16,
    /// Write comma-separated values.
    #[arg(long)]
    csv: bool,
}

impl Bench {
    pub fn execute(self) -> Result<(), CommandError> {
        // What is refused is refused before anything is printed.
        let problems = self.experiments()?.iter().map(Experiment::resolve).collect::<Result<Vec<_>, _>>()?;
        let machine = self.machine.open()?;
        let clock = introduce(&machine);
        let mut table = if self.csv { Table::csv() } else { Table::text()? };
        for problem in &problems {
            let mut backend = pollster::block_on(machine.backend(problem))?;
            let row = self.row(problem, backend.as_mut(), clock)?;
            table.write(&row)?;
        }
        Ok(())
    }

    /// The experiments that mean the sizes asked for. A typical step would let the tokens cluster while they are
    /// measured; a tiny one takes as long.
    fn experiments(&self) -> Result<Vec<Experiment>, CommandError> {
        let experiment = |replicas: usize, dim: usize, count: usize, time: &str| {
            let Self { beta, algorithm, mask, .. } = self;
            Experiment::parse(&format!(
                "algorithm = {algorithm:?}\n\
                 [tokens]\nreplicas = {replicas}\ncount = {count}\ndim = {dim}\nseed = 1\n\
                 initial = {{ law = 'uniform' }}\n\
                 [attention]\nbeta = {beta:?}\nnormalization = 'softmax'\nmask = {mask:?}\n\
                 [time]\n{time}"
            ))
        };
        if self.phase {
            return Ok(vec![experiment(2048, 3, 32, "scheme = 'euler'\nstep = 0.1\nend = 30.0")?]);
        }
        let dims = if self.dim.is_empty() { &DIMS } else { self.dim.as_slice() };
        let sized = dims.iter().map(|dim| {
            let count = self.count.unwrap_or(COUNTS[usize::from(*dim >= 64)]);
            experiment(1, *dim, count, "scheme = 'heun'\nstep = 1e-6\nend = 1e-6")
        });
        Ok(sized.collect::<Result<_, _>>()?)
    }

    fn row(&self, problem: &Problem, backend: &mut dyn Backend, clock: Option<f64>) -> Result<Row<'_>, CommandError> {
        let speed = pollster::block_on(measure(problem, backend, self.repeats.into()))
            .map_err(|error| CommandError::Failed(error.to_string()))?;
        let identity = backend.identity();
        let shape = problem.tokens.shape;
        let pairs = problem.pairs_per_evaluation() as f64 / speed.evaluation;
        // Harmonic sums visit no pairs: what they are worth in pairs says nothing of the arithmetic.
        let visited = (backend.method() == Method::Direct).then_some(pairs);
        let most = clock.and_then(|clock| most_pairs_per_second(clock, identity.precision, shape.dim));
        Ok(Row {
            backend: identity.backend,
            algorithm: &self.algorithm,
            precision: identity.precision.name(),
            replicas: shape.replicas,
            dim: shape.dim,
            count: shape.count,
            beta: self.beta,
            seconds_per_evaluation: speed.evaluation,
            pairs_per_second: pairs,
            gflops: visited.map(|rate| rate * flops_per_pair(shape.dim) as f64 / 1e9),
            share: visited.zip(most).map(|(rate, most)| rate / most),
            steps_per_second: 1.0 / speed.step,
        })
    }
}

/// The clock of the processor where it does the arithmetic; whose speeds these are goes to stderr.
fn introduce(machine: &Machine) -> Option<f64> {
    match machine {
        Machine::Gpu(device) => {
            talk(format_args!("gpu: {} ({})", device.summary().name, device.summary().api));
            None
        }
        Machine::Reference => {
            talk(format_args!("reference: literal double loops, 1 thread"));
            None
        }
        Machine::CpuSingle | Machine::CpuDouble => {
            let clock = clock();
            talk(format_args!("cpu: {}, {:.2} GHz", cpu::describe(), clock / 1e9));
            Some(clock)
        }
        _ => None,
    }
}
