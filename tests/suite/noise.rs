//! Laws of noise: invariant measures and rates on every backend, and the orders of the stochastic schemes by slopes.

use libtest_mimic::Trial;
use tokenfield::{
    model::{Calculus, Geometry, Head, Matrix, Model, Noise, NoiseField},
    observe::Quantity,
    problem::{Problem, Schedule},
    random::{Purpose, normals},
    scheme::Scheme,
    tokens::{Shape, Tokens, Weights},
};

use crate::{
    backends::{Kind, trials},
    clouds::{Numbers, assert_close, cloud, normalize, problem},
    order::slope,
};

pub fn all() -> Vec<Trial> {
    let suites = [
        trials("noise::brownian_motion_keeps_the_uniform_law", uniform_law),
        trials("noise::the_mean_of_brownian_motion_decays", decaying_mean),
        trials("noise::shared_draws_move_replicas_alike", shared_draws),
    ];
    let alone = |name: &str, test: fn()| {
        Trial::test(format!("cpu_double::noise::{name}"), move || {
            test();
            Ok(())
        })
    };
    let orders = [alone("weak_order_is_one", weak_order), alone("strong_order_is_one_half", strong_order)];
    suites.into_iter().flatten().chain(orders).collect()
}

/// No drift: a head whose values vanish.
fn still(geometry: Geometry, noise: Noise) -> Model {
    let mut model = Model { geometry, noise: Some(noise), ..Model::default() };
    model.attention.heads = vec![Head { value: Matrix::Scale(0.0), ..Head::default() }];
    model
}

fn brownian(seed: u64) -> Noise {
    Noise { field: NoiseField::Independent, intensity: 1.0, calculus: Calculus::Ito, seed, is_shared: false }
}

fn noisy(tokens: Tokens, model: Model, steps: u64, end: f64) -> Problem {
    let schedule = Schedule { steps, end, observe_every: steps };
    let quantities = vec![Quantity::Moments];
    Problem { model, scheme: Scheme::Euler, schedule, quantities, ..problem(tokens, 1.0) }
}

/// Tokens of a replica, where all replicas together are the sample: attention is then cheap.
const FEW: usize = 10;

/// n points drawn uniformly: normal vectors (from the generator of the tests, by sums of twelve) normalized.
fn uniform(count: usize, dim: usize) -> Tokens {
    let mut numbers = Numbers(101);
    let mut coordinates: Vec<f64> = (0..count * dim).map(|_| numbers.vector(12).iter().sum::<f64>()).collect();
    normalize(&mut coordinates, dim);
    let shape = Shape { replicas: count / FEW, count: FEW, dim, passive: 0 };
    Tokens { shape, coordinates, weights: Weights::Equal }
}

/// All tokens at the first axis.
fn pole(replicas: usize, count: usize, dim: usize) -> Tokens {
    let mut tokens = cloud(replicas, count, dim, 1);
    for token in tokens.coordinates.chunks_mut(dim) {
        token.fill(0.0);
        token[0] = 1.0;
    }
    tokens
}

/// sum of f(x_i) / n over all tokens of all replicas.
fn average(tokens: &[f64], dim: usize, f: impl Fn(&[f64]) -> f64) -> f64 {
    tokens.chunks(dim).map(f).sum::<f64>() / (tokens.len() / dim) as f64
}

/// After unit time x_k and x_k^2 have the averages 0 and 1 / d of independent uniform tokens, to four of their standard
/// deviations.
fn uniform_law(kind: Kind) {
    let (count, dim) = (20_000, 3);
    let end = kind.evolve(&noisy(uniform(count, dim), still(Geometry::Sphere, brownian(5)), 50, 1.0)).tokens;
    let deviation = 4.0 / (count as f64).sqrt();
    for k in 0..dim {
        assert_close("mean", &[average(&end, dim, |x| x[k])], &[0.0], deviation * (1.0f64 / 3.0).sqrt());
        let variance = 1.0 / 5.0 - 1.0f64 / 9.0;
        assert_close("square", &[average(&end, dim, |x| x[k] * x[k])], &[1.0 / 3.0], deviation * variance.sqrt());
    }
}

/// The generator Laplacian / 2 has the eigenvalue -(d - 1) / 2 on linear functions. A step h multiplies the mean by E (1 + h
/// chi^2_{d-1})^{-1/2} instead of e^{-(d-1) h / 2}: 2 % after half a unit in steps of 0.01.
fn decaying_mean(kind: Kind) {
    let (count, dim) = (20_000, 4);
    let tokens = pole(count / FEW, FEW, dim);
    let end = kind.evolve(&noisy(tokens, still(Geometry::Sphere, brownian(7)), 50, 0.5)).tokens;
    let mean = average(&end, dim, |x| x[0]);
    let expected = (-0.5 * 1.5f64).exp();
    assert!((mean / expected - 1.0).abs() < 0.04, "the mean is {mean}, expected about {expected}");
}

/// Replicas that start alike stay alike bit for bit if they share the draws, and part if they do not.
fn shared_draws(kind: Kind) {
    let one = cloud(1, 20, 3, 3);
    let shape = Shape { replicas: 2, ..one.shape };
    let tokens = Tokens { shape, coordinates: one.coordinates.repeat(2), weights: Weights::Equal };
    for (is_shared, field) in
        [(true, NoiseField::CommonMatrix), (false, NoiseField::CommonMatrix), (true, NoiseField::Independent)]
    {
        let noise = Noise { field, is_shared, ..brownian(9) };
        let model = Model { noise: Some(noise), ..Model::default() };
        let end = kind.evolve(&noisy(tokens.clone(), model, 10, 0.1)).tokens;
        let (first, second) = end.split_at(end.len() / 2);
        let alike = is_shared && field == NoiseField::CommonMatrix;
        assert_eq!(first == second, alike, "{field:?}, shared {is_shared}");
    }
}

fn weak_order() {
    let (count, dim) = (400_000, 3);
    let exact = (-1.0f64).exp();
    let steps = [8, 16, 32];
    let error = |steps| {
        let tokens = pole(count / FEW, FEW, dim);
        let problem = noisy(tokens, still(Geometry::Sphere, brownian(11)), steps, 1.0);
        (average(&Kind::CpuDouble.evolve(&problem).tokens, dim, |x| x[0]) - exact).abs()
    };
    let errors = steps.map(error);
    let slope = slope(&steps, &errors);
    assert!((slope - 1.0).abs() < 0.25, "slope {slope}, errors {errors:?}");
}

/// dX = V X dt + sigma dW X in the plane, one token a replica: attention to itself gives V X. Each path is compared with one
/// of 64 times shorter steps whose increments are those of the coarse path, filled in by Brownian bridges.
fn strong_order() {
    for (scheme, calculus) in [(Scheme::Euler, Calculus::Ito), (Scheme::Heun, Calculus::Stratonovich)] {
        let steps = [8, 16, 32, 64];
        let errors = steps.map(|steps| strong_error(scheme, calculus, steps));
        let slope = slope(&steps, &errors);
        assert!((slope - 0.5).abs() < 0.1, "{scheme:?}: slope {slope}, errors {errors:?}");
    }
}

const DRIFT: [f64; 4] = [-0.3, 0.8, -0.8, 0.1];
const SIGMA: f64 = 0.6;
const FINER: usize = 64;

/// E |X - X_fine| over 2000 replicas.
fn strong_error(scheme: Scheme, calculus: Calculus, steps: u64) -> f64 {
    let replicas = 2000;
    let noise = Noise { field: NoiseField::CommonMatrix, intensity: SIGMA, calculus, seed: 13, is_shared: false };
    let mut model = Model { geometry: Geometry::Euclidean, noise: Some(noise), ..Model::default() };
    model.attention.heads = vec![Head { value: Matrix::Dense(DRIFT.to_vec()), ..Head::default() }];
    let problem = Problem { scheme, ..noisy(pole(replicas, 1, 2), model, steps, 1.0) };
    let found = Kind::CpuDouble.evolve(&problem).tokens;
    let distance = |(replica, x): (usize, &[f64])| {
        let fine = fine_path(calculus, steps, replica as u32);
        (x[0] - fine[0]).hypot(x[1] - fine[1])
    };
    found.chunks(2).enumerate().map(distance).sum::<f64>() / replicas as f64
}

fn fine_path(calculus: Calculus, steps: u64, replica: u32) -> [f64; 2] {
    let h = 1.0 / steps as f64;
    let fine = h / FINER as f64;
    let mut x = [1.0, 0.0];
    for step in 0..steps {
        let coarse = normals(13, step, replica, 0, Purpose::CommonNoise, 4);
        let inner = normals(14, step, replica, 0, Purpose::CommonNoise, 4 * FINER);
        let mean: Vec<f64> = (0..4).map(|k| inner[k..].iter().step_by(4).sum::<f64>() / FINER as f64).collect();
        for draws in inner.chunks(4) {
            let increment = |k: usize| h.sqrt() * coarse[k] / FINER as f64 + fine.sqrt() * (draws[k] - mean[k]);
            let matrix: Vec<f64> = (0..4).map(|k| DRIFT[k] * fine + SIGMA * increment(k)).collect();
            let times = |x: [f64; 2]| [matrix[0] * x[0] + matrix[1] * x[1], matrix[2] * x[0] + matrix[3] * x[1]];
            let one = times(x);
            let plus = |x: [f64; 2], y: [f64; 2]| [x[0] + y[0], x[1] + y[1]];
            x = match calculus {
                Calculus::Ito => plus(x, one),
                Calculus::Stratonovich => {
                    let two = times(plus(x, one));
                    plus(x, [(one[0] + two[0]) / 2.0, (one[1] + two[1]) / 2.0])
                }
            };
        }
    }
    x
}
