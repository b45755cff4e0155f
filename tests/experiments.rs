//! Every experiment in `assets/experiments`, run to its end and held against numbers that were found once.
//!
//! The numbers are those of the CPU in double precision; single precision must find the same physics.

use std::path::Path;

use tokenfield::{
    backend::cpu::{Cpu, Real},
    experiment::Experiment,
    observe::columns,
    problem::Problem,
    simulate::{Event, simulate},
};

fn problem(name: &str) -> Problem {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/experiments").join(name);
    Experiment::read(&path, &[]).and_then(|experiment| experiment.resolve()).expect("the experiment is right")
}

/// The last value of each named quantity.
fn last<T: Real>(problem: &Problem, names: &[&str]) -> Vec<f64> {
    let columns = columns(&problem.quantities, problem.tokens.shape.dim);
    let mut values = Vec::new();
    let mut backend = Cpu::<T>::new(problem).expect("the problem suits the CPU");
    let run = simulate(problem, &mut backend, |event| {
        if let Event::Sample(sample) = event {
            values.clone_from(&sample.values);
        }
        Ok(())
    });
    pollster::block_on(run).expect("the experiment ends");
    names.iter().map(|name| values[columns.iter().position(|column| column == name).expect("a column")]).collect()
}

#[track_caller]
fn assert_ends(name: &str, expected: &[(&str, f64)]) {
    let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    let problem = problem(name);
    for (precision, found, tolerance) in
        [("single", last::<f32>(&problem, &names), 1e-4), ("double", last::<f64>(&problem, &names), 1e-9)]
    {
        for ((column, expected), found) in expected.iter().zip(found) {
            assert!((found - expected).abs() < tolerance, "{name}, {precision}: {column} = {found}, was {expected}");
        }
    }
}

#[test]
fn clusters() {
    assert_ends(
        "clusters.toml",
        &[("log_energy", 10.538027802369164), ("mean_norm", 0.03793303202989241), ("w2_dirac", 1.387131549616048)],
    );
}

#[test]
fn minilm() {
    assert_ends(
        "minilm-warm.toml",
        &[("log_energy", 5.18021483979177), ("mean_norm", 0.9801517336667122), ("w2_dirac", 0.19923988723791047)],
    );
    assert_ends(
        "minilm-cold.toml",
        &[("log_energy", 8.590126092167546), ("mean_norm", 0.33628519554051367), ("w2_dirac", 1.152141314648066)],
    );
}
