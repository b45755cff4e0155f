//! The reduction on the CPU, size by size, for whoever changes the kernels: `cargo bench`, then change, then `cargo
//! bench` again tells what became faster. `tokenfield bench` measures any backend, and against its limit.

use std::time::Duration;

use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main, measurement};
use tokenfield::{
    backend::{Backend, BackendError, Point, Precision, cpu},
    experiment::Experiment,
    model::Field,
    problem::Problem,
    simulate::simulate,
};

fn problem(algorithm: &str, replicas: usize, count: usize, dim: usize, time: &str) -> Problem {
    let text = format!(
        "algorithm = {algorithm:?}\n[tokens]\nreplicas = {replicas}\ncount = {count}\ndim = {dim}\nseed = 1\ninitial = {{ law = 'uniform' }}\n\
         [attention]\nbeta = 4.0\nnormalization = 'softmax'\n[time]\n{time}\n[observe]\nquantities = []"
    );
    Experiment::parse(&text).expect("an experiment").resolve().expect("a problem")
}

fn velocity(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("velocity");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for dim in [2, 3, 4, 8, 16, 64, 128] {
        for count in [1024, 8192] {
            let problem = problem("direct", 1, count, dim, "scheme = 'euler'\nstep = 0.1\nend = 0.1");
            evaluation(Precision::Single, &mut group, &problem);
            evaluation(Precision::Double, &mut group, &problem);
        }
    }
    for dim in [2, 3] {
        for count in [100_000, 1_000_000] {
            let problem = problem("harmonic", 1, count, dim, "scheme = 'euler'\nstep = 0.1\nend = 0.1");
            evaluation(Precision::Single, &mut group, &problem);
            evaluation(Precision::Double, &mut group, &problem);
        }
    }
}

/// A step of Heun's scheme: two evaluations, two combinations.
fn step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    group.sample_size(10).measurement_time(Duration::from_secs(2));
    for (algorithm, dim, count) in [("direct", 3, 8192), ("harmonic", 2, 1_000_000), ("harmonic", 3, 1_000_000)] {
        let problem = problem(algorithm, 1, count, dim, "scheme = 'heun'\nstep = 1e-6\nend = 1e-6");
        let mut backend = cpu::single(&problem).expect("the problem suits the CPU");
        group.bench_function(BenchmarkId::new(format!("{algorithm} d={dim}"), count), |bencher| {
            bencher.iter(|| heun(backend.as_mut(), 1e-6).expect("a step"));
        });
    }
}

/// Without the observations that `simulate` would make.
fn heun(backend: &mut dyn Backend, h: f64) -> Result<(), BackendError> {
    backend.evaluate(Point::State, Field::Tangent, 0)?;
    backend.combine(&[h], Point::Stage, Field::Tangent)?;
    backend.evaluate(Point::Stage, Field::Tangent, 1)?;
    backend.combine(&[0.5 * h, 0.5 * h], Point::State, Field::Tangent)
}

fn evaluation(precision: Precision, group: &mut BenchmarkGroup<measurement::WallTime>, problem: &Problem) {
    let shape = problem.tokens.shape;
    let open = if precision == Precision::Single { cpu::single } else { cpu::double };
    let mut backend = open(problem).expect("the problem suits the CPU");
    group.throughput(Throughput::Elements(problem.pairs_per_evaluation()));
    let algorithm = format!("{:?} {} d={}", problem.algorithm, precision.name(), shape.dim).to_lowercase();
    let id = BenchmarkId::new(algorithm, shape.count);
    group.bench_function(id, |bencher| {
        bencher.iter(|| backend.evaluate(Point::State, Field::Tangent, 0).expect("an evaluation"));
    });
}

/// One temperature of a phase diagram, with an eighth of the replicas and a tenth of the steps.
fn phase_diagram(criterion: &mut Criterion) {
    let problem = problem("direct", 256, 32, 3, "scheme = 'euler'\nstep = 0.1\nend = 3.0");
    let mut backend = cpu::single(&problem).expect("the problem suits the CPU");
    let mut group = criterion.benchmark_group("phase diagram");
    group.sample_size(10).throughput(Throughput::Elements(problem.schedule.steps * problem.pairs_per_step()));
    group.bench_function("256 replicas of 32 tokens, 30 steps", |bencher| {
        bencher.iter(|| pollster::block_on(simulate(&problem, backend.as_mut(), |_| Ok(()))).expect("a run"));
    });
}

criterion_group!(benches, velocity, step, phase_diagram);
criterion_main!(benches);
