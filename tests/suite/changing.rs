//! Weights of heads, perceptrons and alpha that change with layer-time: every backend against the literal reference, and all of them
//! against closed forms.

use libtest_mimic::Trial;
use tokenfield::{
    backend::reference,
    model::{
        Activation, Attention, Geometry, Head, Model, ModelSchedule, NumberSchedule, Part, Perceptron,
        PerceptronSchedule, Ramp,
    },
    observables::Quantity,
    problem::{Problem, Schedule},
    scheme::Scheme,
    tokens::{Shape, Tokens, Weights},
};

use crate::{
    backends::{Kind, laws, trials},
    clouds::{assert_close, cloud, general_head, problem, uneven},
    model::{factored_head, perceptron},
};

pub fn all() -> Vec<Trial> {
    let suites = [
        trials("changing::weights_perceptrons_and_alphas", parity),
        laws("changing::weights_of_a_head_follow_the_equation", weights),
        laws("changing::perceptrons_follow_the_equation", perceptrons),
        laws("changing::alphas_follow_the_equation", alphas),
    ];
    suites.into_iter().flatten().collect()
}

fn ramp(times: &[f64], values: &[f64]) -> NumberSchedule {
    Ramp { times: times.into(), values: values.into() }.into()
}

/// One replica, and so many small ones that CPUs take them side by side; narrow and wide tokens.
fn parity(kind: Kind) {
    for (replicas, count, dim) in [(2, 40, 5), (70, 9, 3), (2, 30, 24)] {
        for geometry in [Geometry::Sphere, Geometry::Euclidean, Geometry::Ngpt { alpha: 1.0 }] {
            for scheme in [Scheme::Euler, Scheme::Heun, Scheme::Rk4, Scheme::Layer] {
                if scheme == Scheme::Layer && matches!(geometry, Geometry::Ngpt { .. }) {
                    continue;
                }
                let tokens = cloud(replicas, count, dim, 31);
                let tokens = Tokens { weights: uneven(tokens.shape, 37), ..tokens };
                let layer = |seed| perceptron(dim, 6, Activation::Tanh, seed);
                let heads = vec![Head::default(), general_head(dim, 3), factored_head(dim, 2, 5)];
                let attention = Attention { beta: 1.5, heads, ..Attention::default() };
                let mut parts = vec![
                    Part::Beta(NumberSchedule::Layers(vec![1.0, 0.5, 2.0, 1.0])),
                    Part::Weight { head: 0, schedule: ramp(&[0.0, 0.6, 1.0], &[0.0, -1.0, 0.5]) },
                    Part::Weight { head: 2, schedule: NumberSchedule::Layers(vec![0.5, -1.0, 2.0, 0.25]) },
                    Part::Perceptron(PerceptronSchedule {
                        layers: (0..4).map(layer).collect(),
                        weight: Some(ramp(&[0.2, 0.7], &[1.0, 0.3])),
                    }),
                ];
                if matches!(geometry, Geometry::Ngpt { .. }) {
                    parts.push(Part::Alpha(ramp(&[0.0, 1.0], &[0.5, 1.5])));
                }
                let mut model = Model { geometry: geometry.clone(), ..attention.into() };
                model.perceptron = Some(layer(0));
                let model_schedule = ModelSchedule::Parts(parts);
                let problem = Problem {
                    model,
                    scheme,
                    schedule: Schedule::even(4, 1.0, 1),
                    quantities: vec![Quantity::Energy],
                    ..problem(tokens, 1.0)
                };
                let end = model_schedule.at(&problem.model, 4, 1.0).into_owned();
                let problem = Problem { model_schedule, ..problem };
                let outcome = kind.evolve(&problem);
                let what = format!("{replicas} replicas, d = {dim}, {geometry:?}, {scheme:?}");
                let expected = reference::evolve(&problem);
                assert_close(&what, &outcome.tokens, &expected, kind.tolerance(2e-5, 1e-11));
                // The weights are 0.5, 1 and 0.25 at last, and so is the energy weighed.
                let tokens = Tokens { coordinates: expected, ..problem.tokens };
                let energy = reference::log_energy(&tokens, &end, replicas - 1);
                let found = outcome.samples.last().expect("a sample").values[0];
                assert_close(&what, &[found], &[energy], kind.tolerance(1e-4, 1e-10));
            }
        }
    }
}

/// The second component of tokens of the plane that start at the first unit vector and at these others, at all samples.
fn heights(kind: Kind, others: &[[f64; 2]], change: impl FnOnce(&mut Problem)) -> Vec<[f64; 2]> {
    let coordinates: Vec<f64> = [&[[1.0, 0.0]], others].concat().concat();
    let shape = Shape { replicas: 1, count: coordinates.len() / 2, dim: 2, passive: 0 };
    let mut problem = problem(Tokens { shape, coordinates, weights: Weights::Equal }, 0.0);
    problem.schedule = Schedule::even(40, 2.0, 5);
    (problem.scheme, problem.quantities) = (Scheme::Rk4, vec![Quantity::PairOverlap, Quantity::Moments]);
    change(&mut problem);
    let samples = kind.evolve(&problem).samples;
    samples
        .iter()
        .map(|sample| [sample.time, if others.is_empty() { sample.values[2] } else { sample.values[0] }])
        .collect()
}

#[track_caller]
fn assert_follows(what: &str, found: &[[f64; 2]], integral: impl Fn(f64) -> f64) {
    assert_eq!(found.len(), 9);
    let values: Vec<f64> = found.iter().map(|[_, value]| *value).collect();
    let expected: Vec<f64> = found.iter().map(|[time, _]| integral(*time).tanh()).collect();
    assert_close(what, &values, &expected, 2e-6);
}

/// 0 at first, 2 at t = 1 and from then on; its integral.
fn rising(time: f64) -> f64 {
    if time < 1.0 { time * time } else { 2.0 * time - 1.0 }
}

/// 1.5 in the first 20 steps of 0.05 and -0.5 in the others; its integral.
fn falling(time: f64) -> f64 {
    if time < 1.0 { 1.5 * time } else { 2.0 - 0.5 * time }
}

fn layers() -> NumberSchedule {
    NumberSchedule::Layers([[1.5; 20], [-0.5; 20]].concat())
}

/// Two orthogonal tokens under attention without temperature and the weight c(t): their overlap is tanh(int c).
fn weights(kind: Kind) {
    let of = |schedule| {
        heights(kind, &[[0.0, 1.0]], |problem| {
            problem.model_schedule = ModelSchedule::Parts(vec![Part::Weight { head: 0, schedule }]);
        })
    };
    assert_follows("a ramp", &of(ramp(&[0.0, 1.0], &[0.0, 2.0])), rising);
    assert_follows("layers", &of(layers()), falling);
}

/// A perceptron that is the second unit vector everywhere.
fn upwards(factor: f64) -> Perceptron {
    let (inner, outer, bias) = (vec![0.0; 2], vec![0.0; 2], vec![0.0]);
    Perceptron { inner, outer, bias, output_bias: vec![0.0, factor], activation: Activation::Identity }
}

/// One token that c(t) times the second unit vector pulls: the sine of its angle is tanh(int c).
fn perceptrons(kind: Kind) {
    let of = |layers, weight| {
        heights(kind, &[], |problem| {
            problem.model.perceptron = Some(upwards(1.0));
            problem.model_schedule =
                ModelSchedule::Parts(vec![Part::Perceptron(PerceptronSchedule { layers, weight })]);
        })
    };
    let rise = Some(ramp(&[0.0, 1.0], &[0.0, 2.0]));
    assert_follows("a ramp", &of(vec![upwards(1.0)], rise.clone()), rising);
    assert_follows("layers of a number", &of(vec![upwards(1.0)], Some(layers())), falling);
    let each = [vec![upwards(1.5); 20], vec![upwards(-0.5); 20]].concat();
    assert_follows("layers", &of(each, None), falling);
    let both = [vec![upwards(1.0); 20], vec![upwards(-1.0); 20]].concat();
    let turned = |time: f64| if time < 1.0 { rising(time) } else { 2.0 - rising(time) };
    assert_follows("layers and a ramp", &of(both, rise), turned);
}

/// The same pull at the length alpha(t).
fn alphas(kind: Kind) {
    let of = |schedule| {
        heights(kind, &[], |problem| {
            problem.model.geometry = Geometry::Ngpt { alpha: 1.0 };
            problem.model.attention.heads[0].weight = 0.0;
            problem.model.perceptron = Some(upwards(7.0));
            problem.model_schedule = ModelSchedule::Parts(vec![Part::Alpha(schedule)]);
        })
    };
    assert_follows("a ramp", &of(ramp(&[0.0, 1.0], &[0.0, 2.0])), rising);
    assert_follows("layers", &of(layers()), falling);
}
