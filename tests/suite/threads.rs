//! The CPU backend gives the same bytes on any number of threads.

use libtest_mimic::Trial;
use tokenfield::{
    backend::{
        Backend,
        cpu::{Cpu, Real},
    },
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

fn evolve<T: Real>(problem: &Problem, threads: usize) -> (Vec<f64>, Vec<Sample>) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool starts");
    pool.install(|| {
        let mut backend = Cpu::<T>::new(problem).expect("the problem suits the CPU");
        let mut samples = Vec::new();
        pollster::block_on(simulate(problem, &mut backend, |event| {
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
        problem.schedule = Schedule { steps: 3, end: 0.3, observe_every: 1 };
        assert_eq!(evolve::<f32>(&problem, 1), evolve::<f32>(&problem, 3));
        assert_eq!(evolve::<f64>(&problem, 1), evolve::<f64>(&problem, 2));
    }
}
