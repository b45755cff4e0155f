//! Steps of several lengths: every backend against the literal reference, and the reference against a closed form.

use libtest_mimic::Trial;
use tokenfield::{
    backend::reference,
    model::{Calculus, Geometry, ModelSchedule, Noise, NoiseField, Normalization, NumberSchedule, Part, Ramp},
    observables::Quantity,
    problem::{Growth, Problem, Samples, Schedule, Uneven},
    scheme::Scheme,
    tokens::{Shape, Tokens, Weights},
};

use crate::{
    backends::{Kind, laws, trials},
    clouds::{assert_close, cloud, dot, problem},
};

pub fn all() -> Vec<Trial> {
    let suites = [
        trials("steps::that_are_listed_evolve_like_the_reference", listed),
        trials("steps::that_grow_evolve_like_the_reference", parity),
        laws("steps::that_grow_follow_the_equation", closed_form),
    ];
    suites.into_iter().flatten().collect()
}

/// From 0.001 up to 0.1, of which there are several in a row, and a shorter one before each of these times.
fn growing() -> Schedule {
    let growth = Growth { first: 0.001, factor: 1.5, most: 0.1 };
    let uneven = Uneven::growing(growth, &[0.25, 1.0, 1.73]).expect("few steps");
    Schedule::uneven(uneven, Samples::Every(5))
}

/// One replica, and so many small ones that CPUs take them side by side; noise in R^d, and an equation that changes.
fn parity(kind: Kind) {
    let ramp = Ramp { times: vec![0.0, 0.3, 2.0], values: vec![1.0, 3.0, 2.0] };
    let noise = Noise {
        field: NoiseField::Independent,
        intensity: 0.1,
        calculus: Calculus::Stratonovich,
        seed: 3,
        is_shared: false,
    };
    let plain = |problem: Problem| problem;
    let changing = |problem: Problem| {
        let model_schedule = ModelSchedule::Parts(vec![Part::Beta(ramp.clone().into())]);
        Problem { model_schedule, ..problem }
    };
    let noisy = |mut problem: Problem| {
        problem.model.geometry = Geometry::Euclidean;
        problem.model.noise = Some(noise.clone());
        problem
    };
    let changes: [(&str, &dyn Fn(Problem) -> Problem); 3] =
        [("plain", &plain), ("changing", &changing), ("noisy", &noisy)];
    for (replicas, count) in [(1, 150), (70, 12)] {
        for scheme in [Scheme::Euler, Scheme::Heun, Scheme::Rk4, Scheme::BogackiShampine] {
            // Noise goes with Euler and Heun alone.
            let served =
                if matches!(scheme, Scheme::Rk4 | Scheme::BogackiShampine) { &changes[..2] } else { &changes[..] };
            for (what, change) in served {
                let mut problem = problem(cloud(replicas, count, 3, 29), 1.0);
                problem.model.attention.normalization = Normalization::Softmax;
                (problem.scheme, problem.schedule, problem.quantities) = (scheme, growing(), Vec::new());
                let problem = change(problem);
                let what = format!("{what}, {scheme:?}, {replicas} replicas");
                let tolerance = kind.tolerance(1e-5, 1e-12);
                assert_close(&what, &kind.evolve(&problem).tokens, &reference::evolve(&problem), tolerance);
            }
        }
    }
}

/// Each of another length, none of which is a tenth of the last; matrices of each step in turn.
fn listed(kind: Kind) {
    for (replicas, count) in [(1, 150), (70, 12)] {
        let mut problem = problem(cloud(replicas, count, 3, 29), 1.0);
        let uneven = Uneven::new(vec![0.3, 0.1, 0.1, 0.25, 0.05]);
        assert_eq!(uneven.ends(), [0.3, 0.4, 0.5, 0.75, 0.8]);
        (problem.schedule, problem.quantities) = (Schedule::uneven(uneven, Samples::Every(2)), Vec::new());
        let weight = |weights: &[f64]| Part::Weight { head: 0, schedule: NumberSchedule::Layers(weights.into()) };
        for model_schedule in
            [ModelSchedule::Constant, ModelSchedule::Parts(vec![weight(&[1.0, -1.0, 0.5, 2.0, 1.0])])]
        {
            let problem = Problem { model_schedule, ..problem.clone() };
            let found = kind.evolve(&problem).tokens;
            let what = format!("{replicas} replicas");
            assert_close(&what, &found, &reference::evolve(&problem), kind.tolerance(1e-5, 1e-12));
        }
    }
}

/// Two orthogonal tokens under attention without temperature, whose overlap is tanh(t), at all samples.
fn closed_form(kind: Kind) {
    let shape = Shape { replicas: 1, count: 2, dim: 2, passive: 0 };
    let tokens = Tokens { shape, coordinates: vec![1.0, 0.0, 0.0, 1.0], weights: Weights::Equal };
    let mut problem = problem(tokens, 0.0);
    problem.quantities = vec![Quantity::PairOverlap];
    (problem.scheme, problem.schedule) = (Scheme::Rk4, growing());
    let outcome = kind.evolve(&problem);
    assert_eq!(outcome.summary.time, 1.73);
    let expected: Vec<f64> = outcome.samples.iter().map(|sample| sample.time.tanh()).collect();
    let found: Vec<f64> = outcome.samples.iter().map(|sample| sample.values[0]).collect();
    assert!(outcome.samples[1].time > 0.01 && found.len() > 5, "no test: {:?}", outcome.samples);
    assert_close("overlap", &found, &expected, 1e-6);
    assert_close("overlap", &[dot(&outcome.tokens[..2], &outcome.tokens[2..])], &[1.73f64.tanh()], 1e-6);
}
