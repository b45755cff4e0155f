//! Steps of controlled error: estimates against literal sums, runs against closed forms, and how many steps there are.

use libtest_mimic::Trial;
use pollster::block_on;
use tokenfield::{
    backend::{Backend, Point},
    model::{Field, Geometry, ModelSchedule, Part, Ramp},
    observables::Quantity,
    problem::{Control, Growth, Problem, Samples, Schedule, Uneven},
    scheme::Scheme,
    simulate::{SimulateError, StepCounts, StepError, simulate},
    tokens::{Shape, Tokens, Weights},
};

use crate::{
    backends::{Kind, laws, trials},
    clouds::{assert_close, cloud, dot, problem},
};

pub fn all() -> Vec<Trial> {
    let suites = [
        laws("control::differences_of_stages_are_literal_sums", differences),
        laws("control::errors_are_near_the_tolerance", closed_form),
        trials("control::runs_agree_with_the_reference", parity),
        laws("control::steps_are_short_where_much_happens", two_scales),
        laws("control::steps_that_get_nowhere_are_an_error", nowhere),
    ];
    suites.into_iter().flatten().collect()
}

/// Steps of controlled error between samples at these times.
fn controlled(control: Control, times: &[f64]) -> Schedule {
    let whole = Growth { first: f64::INFINITY, factor: 1.0, most: f64::INFINITY };
    let uneven = Uneven::growing(whole, times).expect("few samples");
    Schedule { control: Some(control), ..Schedule::uneven(uneven, Samples::Every(1)) }
}

fn tolerance(tolerance: f64) -> Control {
    Control { tolerance, first: None, most: None }
}

fn counts(found: Option<StepCounts>) -> StepCounts {
    found.expect("steps of controlled error are counted")
}

/// Velocities that are read as how far tokens of R^d move, and the longest combination of them.
fn differences(kind: Kind) {
    for (replicas, count, dim) in [(1, 40, 3), (70, 9, 2), (2, 30, 24)] {
        let mut problem = problem(cloud(replicas, count, dim, 7), 1.5);
        (problem.model.geometry, problem.scheme) = (Geometry::Euclidean, Scheme::BogackiShampine);
        let mut backend = kind.open(&problem);
        let mut velocities = Vec::new();
        for stage in 0..4 {
            let (point, start) = if stage == 0 { (Point::State, 0.0) } else { (Point::Stage, 0.1) };
            if stage > 0 {
                let mut earlier = vec![0.0; stage];
                earlier[stage - 1] = start;
                backend.combine(&earlier, Point::Stage, Field::Tangent).expect("a point");
            }
            backend.evaluate(point, Field::Tangent, stage).expect("a stage");
            let mut alone = kind.open(&problem);
            copy_stage(&mut *alone, stage);
            let moved = block_on(alone.tokens()).expect("tokens");
            velocities.push(moved.iter().zip(&problem.tokens.coordinates).map(|(a, b)| a - b).collect::<Vec<f64>>());
        }
        let coefficients = [-0.5, 2.0, 0.75, -1.25];
        let found = block_on(backend.difference(&coefficients)).expect("a difference");
        let mut expected: f64 = 0.0;
        for token in 0..replicas * count {
            let component = |k: usize| (0..4).map(|s| coefficients[s] * velocities[s][token * dim + k]).sum::<f64>();
            expected = expected.max((0..dim).map(|k| component(k).powi(2)).sum::<f64>().sqrt());
        }
        assert!(expected > 0.1, "no test: {expected}");
        assert_close("difference", &[found], &[expected], kind.tolerance(2e-5, 1e-12));
    }
}

/// Moves the state by the velocity of stage `stage` of [`differences`], and by nothing else.
fn copy_stage(backend: &mut dyn Backend, stage: usize) {
    for earlier in 0..=stage {
        let point = if earlier == 0 { Point::State } else { Point::Stage };
        if earlier > 0 {
            let mut coefficients = vec![0.0; earlier];
            coefficients[earlier - 1] = 0.1;
            backend.combine(&coefficients, Point::Stage, Field::Tangent).expect("a point");
        }
        backend.evaluate(point, Field::Tangent, earlier).expect("a stage");
    }
    let mut last = vec![0.0; stage + 1];
    last[stage] = 1.0;
    backend.combine(&last, Point::State, Field::Tangent).expect("a step");
}

/// Two orthogonal tokens of the plane under attention without temperature, whose overlap is tanh(t).
fn pair() -> Problem {
    let shape = Shape { replicas: 1, count: 2, dim: 2, passive: 0 };
    let tokens = Tokens { shape, coordinates: vec![1.0, 0.0, 0.0, 1.0], weights: Weights::Equal };
    Problem { quantities: vec![Quantity::PairOverlap], ..problem(tokens, 0.0) }
}

/// Samples are at the times asked for, errors within some steps of the tolerance, and a thousandth of it takes as many steps more as
/// the order of the scheme says.
fn closed_form(kind: Kind) {
    let times = [0.25, 0.5, 1.0, 1.7, 4.0];
    for scheme in [Scheme::Heun, Scheme::BogackiShampine] {
        let mut taken = Vec::new();
        for allowed in [1e-4, 1e-6, 1e-8] {
            if kind.tolerance(1e-5, 0.0) > allowed {
                continue;
            }
            let problem = Problem { scheme, schedule: controlled(tolerance(allowed), &times), ..pair() };
            let outcome = kind.evolve(&problem);
            let found: Vec<f64> = outcome.samples.iter().map(|sample| sample.time).collect();
            assert_eq!(found, [&[0.0], &times[..]].concat());
            let values: Vec<f64> = outcome.samples.iter().map(|sample| sample.values[0]).collect();
            let expected: Vec<f64> = found.iter().map(|time| time.tanh()).collect();
            let counts = counts(outcome.summary.steps);
            assert_close(&format!("{scheme:?}"), &values, &expected, 20.0 * allowed + kind.tolerance(2e-6, 0.0));
            let end = dot(&outcome.tokens[..2], &outcome.tokens[2..]);
            assert_close("the end", &[end], &[4f64.tanh()], 20.0 * allowed + kind.tolerance(2e-6, 0.0));
            assert!(counts.shortest > 0.0 && counts.shortest < counts.longest, "{counts:?}");
            assert_eq!(
                outcome.summary.pairs,
                4 * (counts.taken + counts.rejected) * scheme.tableau().stages() as u64
            );
            taken.push(counts.taken as f64);
        }
        // The first steps are few, and some end at samples.
        for pair in taken.windows(2).skip(1) {
            let (ratio, expected) = (pair[1] / pair[0], 100f64.powf(1.0 / f64::from(scheme.tableau().order)));
            assert!(ratio > 0.6 * expected && ratio < 1.4 * expected, "{scheme:?}: {taken:?} steps");
        }
        assert!(!taken.is_empty());
    }
}

/// Many replicas, of which CPUs take whole steps side by side elsewhere, and an equation that changes.
fn parity(kind: Kind) {
    let ramp = Ramp { times: vec![0.0, 0.4, 2.0], values: vec![1.0, 4.0, 2.0] };
    for (replicas, count) in [(2, 60), (70, 12)] {
        for model_schedule in [ModelSchedule::Constant, ModelSchedule::Parts(vec![Part::Beta(ramp.clone().into())])] {
            let control = Control { tolerance: 1e-5, first: Some(0.5), most: Some(0.2) };
            let problem = Problem {
                model_schedule,
                scheme: Scheme::BogackiShampine,
                schedule: controlled(control, &[0.3, 1.0]),
                quantities: Vec::new(),
                ..problem(cloud(replicas, count, 3, 29), 1.0)
            };
            let [found, expected] = [kind, Kind::Reference].map(|kind| kind.evolve(&problem));
            let what = format!("{replicas} replicas");
            assert_close(&what, &found.tokens, &expected.tokens, kind.tolerance(2e-5, 1e-10));
            let [found, expected] = [found, expected].map(|outcome| counts(outcome.summary.steps));
            assert!(expected.longest <= 0.2 && found.taken.abs_diff(expected.taken) <= 1, "{found:?}, {expected:?}");
        }
    }
}

/// A weight of the head of 200 up to the time 0.02, and of 0.1 from 0.03 on: with even steps the shortest would be that of all.
fn two_scales(kind: Kind) {
    let ramp = Ramp { times: vec![0.02, 0.03], values: vec![200.0, 0.1] };
    let part = Part::Weight { head: 0, schedule: ramp.into() };
    let mut problem = pair();
    problem.tokens.coordinates = vec![1.0, 0.0, -0.999, (1.0f64 - 0.999 * 0.999).sqrt()];
    problem.scheme = Scheme::BogackiShampine;
    problem.model_schedule = ModelSchedule::Parts(vec![part]);
    problem.schedule = controlled(tolerance(1e-5), &[20.0]);
    let outcome = kind.evolve(&problem);
    // The integral of the weight is 4 + 1.0005 + 1.997.
    let expected = ((-0.999f64).atanh() + 4.0 + 1.0005 + 1.997).tanh();
    assert_close("overlap", &[outcome.samples[1].values[0]], &[expected], 2e-4);
    let counts = counts(outcome.summary.steps);
    let even = 20.0 / counts.shortest;
    assert!(even > 20.0 * (counts.taken + counts.rejected) as f64, "{counts:?}, {even} even ones");
}

/// Unnormalized weights of R^d that leave all bounds before the time 1.
fn nowhere(kind: Kind) {
    let mut problem = Problem { scheme: Scheme::Heun, ..pair() };
    problem.model.geometry = Geometry::Euclidean;
    problem.model.attention.beta = 2.0;
    problem.model.attention.normalization = tokenfield::model::Normalization::Unnormalized;
    problem.quantities = vec![Quantity::Moments];
    problem.schedule = controlled(tolerance(1e-3), &[1.0]);
    let mut backend = kind.open(&problem);
    let error = block_on(simulate(&problem, backend.as_mut(), |_| Ok(()))).expect_err("tokens that run away");
    let SimulateError::Step(StepError::TooShort { time, step, tolerance }) = error else { panic!("{error}") };
    assert!(time > 0.0 && time < 1.0 && step < 1e-12 && tolerance == 1e-3, "{time}, {step}");
}
