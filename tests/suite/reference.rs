//! The reference itself, where comparing others with it would not tell: its steps as a backend against the schemes that it writes
//! out, and what it refuses. Laws, the contract and closed forms hold it to what is known from elsewhere.

use libtest_mimic::Trial;
use tokenfield::{
    backend::{
        BackendError, Method,
        reference::{Reference, evolve},
    },
    model::{Activation, Attention, Calculus, Geometry, Model, ModelSchedule, Noise, NoiseField, Part, Ramp},
    problem::{Algorithm, Problem, Schedule},
    scheme::Scheme,
};

use crate::{
    backends::Kind,
    clouds::{assert_close, cloud, distance, general_head, problem},
};

pub fn all() -> Vec<Trial> {
    let trial = |name: &str, test: fn()| {
        Trial::test(format!("reference::{name}"), move || {
            test();
            Ok(())
        })
    };
    vec![
        trial("steps_by_stages_are_those_written_out", steps),
        trial("steps_of_noise_are_those_written_out", noises),
        trial("harmonics_are_refused_and_auto_is_direct", algorithms),
        trial("problems_that_are_none_are_refused", no_problem),
        trial("matrices_that_fit_no_memory_are_refused", memory),
    ]
}

/// Tableaux, their nodes in time and the driver of stages: they hold for every backend, and are seen here alone.
fn steps() {
    for scheme in [Scheme::Euler, Scheme::Heun, Scheme::BogackiShampine, Scheme::Rk4, Scheme::Layer] {
        let attention = Attention { heads: vec![general_head(3, 8)], ..Attention::default() };
        let ramp = Part::Beta(Ramp { times: vec![0.0, 1.0], values: vec![1.0, 9.0] }.into());
        for model_schedule in [ModelSchedule::Constant, ModelSchedule::Parts(vec![ramp])] {
            let problem = Problem {
                model: attention.clone().into(),
                model_schedule,
                scheme,
                schedule: Schedule::even(5, 1.0, 5),
                quantities: Vec::new(),
                ..problem(cloud(2, 20, 3, 51), 1.0)
            };
            let found = Kind::Reference.evolve(&problem).tokens;
            assert_close(&format!("{scheme:?}"), &found, &evolve(&problem), 1e-14);
            assert!(distance(&found, &problem.tokens.coordinates) > 0.1, "{scheme:?}: nothing moves");
        }
    }
}

/// How many parts half a step has, which draws they take, and where noise goes with the stages.
fn noises() {
    let perceptron = NoiseField::CommonPerceptron { width: 9, activation: Activation::Tanh };
    let fields = [NoiseField::Independent, NoiseField::CommonAdditive, NoiseField::CommonMatrix, perceptron];
    for field in fields {
        for geometry in [Geometry::Sphere, Geometry::Euclidean] {
            for (scheme, intensity) in [(Scheme::Euler, 0.5), (Scheme::Heun, 2.0)] {
                let calculus = Calculus::Stratonovich;
                let noise = Noise { field, intensity, calculus, seed: 0x1234_5678_9abc, is_shared: false };
                let model = Model { geometry: geometry.clone(), noise: Some(noise), ..Model::default() };
                let problem = Problem {
                    model,
                    scheme,
                    schedule: Schedule::even(4, 0.4, 4),
                    quantities: Vec::new(),
                    ..problem(cloud(2, 12, 5, 71), 1.0)
                };
                let found = Kind::Reference.evolve(&problem).tokens;
                let what = format!("{field:?}, {geometry:?}, {scheme:?}, intensity {intensity}");
                // Rate and share of a turn are found by bisection.
                assert_close(&what, &found, &evolve(&problem), 1e-12);
            }
        }
    }
}

fn algorithms() {
    let mut problem = problem(cloud(1, 20, 3, 1), 1.0);
    problem.algorithm = Algorithm::Harmonic;
    let refusal = Reference::new(&problem).err();
    assert_eq!(refusal, Some(BackendError::NoHarmonics { backend: "reference" }));
    let message = refusal.map(|refusal| refusal.to_string()).unwrap_or_default();
    assert!(message.contains("write algorithm = \"direct\""), "{message}");
    problem.algorithm = Algorithm::Auto;
    assert_eq!(Kind::Reference.open(&problem).method(), Method::Direct);
}

fn no_problem() {
    let mut problem = problem(cloud(1, 20, 3, 1), 1.0);
    problem.tokens.coordinates.pop();
    let refusal = Reference::new(&problem).err().map(|refusal| refusal.to_string()).unwrap_or_default();
    assert!(refusal.contains("tokens.coordinates"), "{refusal}");
}

fn memory() {
    let problem = problem(cloud(1, 1_000_000, 2, 1), 1.0);
    let refusal = Reference::new(&problem).err().map(|refusal| refusal.to_string()).unwrap_or_default();
    assert!(refusal.contains("for the matrix of attention"), "{refusal}");
    assert!(refusal.contains("write less than tokens.count = 1000000"), "{refusal}");
}
