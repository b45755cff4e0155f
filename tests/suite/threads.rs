//! The CPU backend gives the same bytes on any number of threads.

use libtest_mimic::Trial;
use tokenfield::{
    backend::{Backend, BackendError, cpu},
    observe::Sample,
    problem::{Problem, Schedule},
    simulate::{Event, simulate},
};

use crate::clouds::{cloud, problem};

pub fn all() -> Vec<Trial> {
    vec![Trial::test("cpu::the_number_of_threads_changes_no_bit", || {
        the_number_of_threads_changes_no_bit();
        Ok(())
    })]
}

type Open = fn(&Problem) -> Result<Box<dyn Backend>, BackendError>;

fn evolve(open: Open, problem: &Problem, threads: usize) -> (Vec<f64>, Vec<Sample>) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool starts");
    pool.install(|| {
        let mut backend = open(problem).expect("the problem suits the CPU");
        let mut samples = Vec::new();
        pollster::block_on(simulate(problem, backend.as_mut(), |event| {
            if let Event::Sample(sample) = event {
                samples.push(sample.clone());
            }
            Ok(())
        }))
        .expect("the simulation reaches its end");
        (pollster::block_on(backend.tokens()).expect("tokens are read"), samples)
    })
}

fn the_number_of_threads_changes_no_bit() {
    for (count, dim) in [(5000, 3), (300, 40)] {
        let mut problem = problem(cloud(2, count, dim, 61), 4.0);
        problem.schedule = Schedule::even(3, 0.3, 1);
        assert_eq!(evolve(cpu::single, &problem, 1), evolve(cpu::single, &problem, 3));
        assert_eq!(evolve(cpu::double, &problem, 1), evolve(cpu::double, &problem, 2));
    }
}
