//! Steps taken at once against stages one by one, and when one exponential may serve two.

use super::super::problem::Cpu;
use crate::{
    backend::{Backend, advance},
    experiment::Experiment,
    model::{Head, Mask, Matrix, Normalization},
    problem::Problem,
    scheme::Scheme,
    sums::{instructions::Instructions, real::Real},
    tokens::Weights,
};

/// Replicas that fill no whole task, of tokens on the sphere.
fn problem(dim: usize, passive: usize) -> Problem {
    let mut problem = Experiment::parse(&format!(
        "
        name = \"ensemble\"
        [tokens]
        count = 7
        replicas = 70
        dim = {dim}
        seed = 3
        initial = {{ law = \"uniform\" }}
        [attention]
        beta = 1.5
        normalization = \"softmax\"
        [time]
        scheme = \"heun\"
        step = 0.1
        end = 0.5
        [observe]
        every = 0.5
        quantities = [\"moments\"]
        "
    ))
    .and_then(|experiment| experiment.resolve())
    .expect("the experiment is valid");
    problem.tokens.shape.passive = passive;
    problem
}

/// Five steps taken at once and stage by stage, on one instruction set.
fn ends<T: Real>(problem: &Problem, instructions: Instructions) -> [Vec<f64>; 2] {
    [true, false].map(|is_ensemble| {
        let mut cpu = Cpu::<T>::with_instructions(problem, instructions).expect("the problem suits the CPU");
        assert!(cpu.is_ensemble, "the problem is one of small replicas");
        let mut done = 0;
        while done < 5 {
            // Fields are those of ensembles either way: only who moves the tokens differs.
            done += if is_ensemble {
                advance(problem, &mut cpu, done, 5 - done).expect("steps are taken")
            } else {
                stages(problem, &mut cpu)
            };
        }
        pollster::block_on(cpu.tokens()).expect("tokens are read")
    })
}

fn stages<T: Real>(problem: &Problem, cpu: &mut Cpu<T>) -> u64 {
    use crate::backend::Point::{Stage, State};
    let (tableau, field, h) = (problem.scheme.tableau(), problem.scheme.field(), problem.schedule.step(0));
    let scaled = |row: &[f64]| row.iter().map(|entry| h * entry).collect::<Vec<_>>();
    for (stage, row) in tableau.a.iter().enumerate() {
        if stage > 0 {
            cpu.combine(&scaled(row), Stage, field).expect("a stage point is made");
        }
        cpu.evaluate(if stage == 0 { State } else { Stage }, field, stage).expect("a stage is evaluated");
    }
    cpu.combine(&scaled(tableau.b), State, field).expect("a step ends");
    1
}

fn assert_same(problem: &Problem, what: &str) {
    for instructions in Instructions::available() {
        let what = format!("{what}, {:?}, {}", problem.scheme, instructions.name());
        let [single, expected] = ends::<f32>(problem, instructions);
        assert!(single == expected, "{what}: single");
        let [double, expected] = ends::<f64>(problem, instructions);
        assert!(double == expected, "{what}: double");
    }
}

#[test]
fn steps_end_where_stages_end_bit_by_bit() {
    for scheme in [Scheme::Euler, Scheme::Heun, Scheme::Rk4, Scheme::Layer] {
        for (dim, passive) in [(2, 0), (3, 2), (5, 1), (16, 0)] {
            let mut problem = Problem { scheme, ..problem(dim, passive) };
            assert_same(&problem, "unordered pairs");
            problem.model.attention.mask = Mask::Causal;
            problem.model.attention.normalization = Normalization::Unnormalized;
            assert_same(&problem, "rows");
        }
    }
}

#[test]
fn one_exponential_serves_two_only_where_weights_are_symmetric() {
    let skew = Matrix::Dense(vec![1.0, 0.5, -0.5, 1.0]);
    let symmetric = Matrix::Dense(vec![1.0, 0.5, 0.5, -1.0]);
    let is_unordered = |edit: &dyn Fn(&mut Problem)| {
        let mut problem = problem(2, 1);
        edit(&mut problem);
        let cpu = Cpu::<f32>::new(&problem).expect("the problem suits the CPU");
        cpu.ensemble(problem.scheme.field()).pairs == super::Pairs::Unordered
    };
    let head = |query_key: &Matrix| vec![Head::default(), Head { query_key: query_key.clone(), ..Head::default() }];
    assert!(is_unordered(&|_| {}));
    assert!(is_unordered(&|problem| problem.model.attention.heads = head(&symmetric)));
    assert!(!is_unordered(&|problem| problem.model.attention.heads = head(&skew)));
    assert!(!is_unordered(&|problem| problem.model.attention.mask = Mask::Causal));
    assert!(!is_unordered(&|problem| {
        problem.tokens.weights = Weights::Each([0.1, 0.1, 0.2, 0.2, 0.2, 0.2, 0.0].repeat(70));
    }));
}
