//! Laws of noise: invariant measures and rates on every backend, and the orders of the stochastic schemes by slopes.

use libtest_mimic::Trial;
use tokenfield::{
    model::{Activation, Calculus, Geometry, Head, Matrix, Model, Noise, NoiseField, Perceptron},
    observables::Quantity,
    problem::{Problem, Schedule},
    random::{Purpose, normals},
    scheme::Scheme,
    tokens::{Shape, Tokens, Weights},
};

use crate::{
    backends::{Kind, laws},
    clouds::{Numbers, assert_close, cloud, normalize, problem},
    order::slope,
};

pub fn all() -> Vec<Trial> {
    let suites = [
        laws("noise::brownian_motion_keeps_the_uniform_law", uniform_law),
        laws("noise::harmonics_decay_at_their_rates", decaying_harmonics),
        laws("noise::steps_of_any_length", long_steps),
        laws("noise::shared_draws_move_replicas_alike", shared_draws),
    ];
    let alone = |name: &str, test: fn()| {
        Trial::test(format!("cpu_double::noise::{name}"), move || {
            test();
            Ok(())
        })
    };
    let orders = [
        alone("the_weak_order_is_that_of_the_scheme", weak_order),
        alone("common_noise_moves_one_and_two_tokens_rightly", common_noise),
        alone("strong_order_is_one_half", strong_order),
    ];
    // With noise every step goes stage by stage: what takes long runs once on a GPU.
    let is_once = |trial: &Trial| !(trial.name().starts_with("gpu_stages") && trial.name().contains("decay"));
    suites.into_iter().flatten().filter(is_once).chain(orders).collect()
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
    let schedule = Schedule::even(steps, end, steps);
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

/// Tokens from one point, after a step of `reach` / (d - 1) without any field: the rates at which the mean and the second
/// harmonic decay, in units of the exact ones, (d - 1) / 2 and d.
fn decays(kind: Kind, noise: Noise, replicas: usize, count: usize, dim: usize, reach: f64) -> [f64; 2] {
    let scheme = if noise.calculus == Calculus::Ito { Scheme::Euler } else { Scheme::Heun };
    let end = reach / (dim - 1) as f64;
    let mut model = still(Geometry::Sphere, noise);
    model.attention.heads.clear();
    let found = kind.evolve(&Problem { scheme, ..noisy(pole(replicas, count, dim), model, 1, end) }).tokens;
    let d = dim as f64;
    let one = average(&found, dim, |x| x[0]);
    let two = average(&found, dim, |x| (d * x[0] * x[0] - 1.0) / (d - 1.0));
    [-one.ln() / (0.5 * (d - 1.0) * end), -two.ln() / (d * end)]
}

/// In dimensions 2, 3, 16 and 64, in a step of two turns with s^2 h (d - 1) = 0.1, 0.5 and 1, by both calculi: to half a percent,
/// which is at least three standard deviations of what so many tokens tell.
fn decaying_harmonics(kind: Kind) {
    let (ito, stratonovich) = (Calculus::Ito, Calculus::Stratonovich);
    for dim in [2, 3, 16, 64] {
        for (calculus, reach) in [(ito, 0.1), (ito, 0.5), (ito, 1.0), (stratonovich, 0.5)] {
            let (count, replicas) = (1000, (1000 / (dim - 1)).max(30));
            let noise = Noise { calculus, ..brownian(23) };
            let [mean, second] = decays(kind, noise, replicas, count, dim, reach);
            let what = format!("d = {dim}, {calculus:?}, s^2 h (d - 1) = {reach}: {mean}, {second}");
            assert!((mean - 1.0).abs() < 0.005 && (second - 1.0).abs() < 0.005, "{what}");
        }
    }
}

/// Whatever the length of a step, tokens are where a Brownian motion is, and on the sphere.
fn long_steps(kind: Kind) {
    for (dim, reach) in [(2, 5.0), (3, 7.0), (40, 3.0), (5, 1e6), (3, 1e300)] {
        let noise = Noise { intensity: reach, ..brownian(29) };
        let model = still(Geometry::Sphere, noise);
        let end = 1.0 / reach / (dim - 1) as f64;
        let found = kind.evolve(&noisy(pole(40, 1000, dim), model, 1, end)).tokens;
        let expected = (-0.5 * reach).exp();
        let deviation = 4.0 / (40_000.0 * dim as f64).sqrt();
        assert_close(&format!("d = {dim}"), &[average(&found, dim, |x| x[0])], &[expected], deviation);
        let lengths: Vec<f64> = found.chunks(dim).map(|x| x.iter().map(|c| c * c).sum::<f64>().sqrt()).collect();
        assert_close("lengths", &lengths, &vec![1.0; lengths.len()], kind.tolerance(4e-7, 1e-14));
    }
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

/// On the circle, P_x V x with V = diag(k, -k) / 2 turns twice the angle, phi, by -k sin(phi): E cos(j phi) = m_j obeys
/// m_j' = j k (m_{j-1} - m_{j+1}) / 2 - 2 s^2 j^2 m_j, which is solved by many small steps.
fn mean_of_twice_the_angle(k: f64, s2: f64, phi: f64, end: f64) -> f64 {
    const MODES: usize = 40;
    let mut m: Vec<f64> = (0..MODES + 2).map(|j| (j as f64 * phi).cos()).collect();
    let slope = |m: &[f64]| -> Vec<f64> {
        let of = |j: usize| {
            let order = j as f64;
            0.5 * order * k * (m[j - 1] - m[j + 1]) - 2.0 * s2 * order * order * m[j]
        };
        (0..MODES + 2).map(|j| if (1..=MODES).contains(&j) { of(j) } else { 0.0 }).collect()
    };
    let steps = 20_000;
    let h = end / f64::from(steps);
    for _ in 0..steps {
        let first = slope(&m);
        let middle: Vec<f64> = m.iter().zip(&first).map(|(m, k)| m + 0.5 * h * k).collect();
        let second = slope(&middle);
        m.iter_mut().zip(&second).for_each(|(m, k)| *m += h * k);
    }
    m[1]
}

/// With a perceptron of straight lines for a drift: of the order of the scheme, one for Euler's and two for Heun's.
fn weak_order() {
    let k = 4.0;
    let cases = [
        (Scheme::Euler, Calculus::Ito, 1.0, 0.2, 0.5, [8, 16, 32]),
        (Scheme::Heun, Calculus::Stratonovich, 2.0, 0.8, 1.0, [4, 8, 16]),
    ];
    for (scheme, calculus, order, s2, end, steps) in cases {
        let angle = 1.2f64;
        let exact = mean_of_twice_the_angle(k, s2, 2.0 * angle, end);
        let error = |steps| {
            let mut tokens = pole(400, 1000, 2);
            tokens.coordinates.chunks_mut(2).for_each(|x| x.copy_from_slice(&[angle.cos(), angle.sin()]));
            let noise = Noise { intensity: f64::sqrt(s2), calculus, ..brownian(11 + steps) };
            let mut model = still(Geometry::Sphere, noise);
            model.attention.heads.clear();
            model.perceptron = Some(Perceptron {
                inner: vec![1.0, 0.0, 0.0, 1.0],
                outer: vec![0.5 * k, 0.0, 0.0, -0.5 * k],
                bias: vec![0.0; 2],
                output_bias: vec![0.0; 2],
                activation: Activation::Identity,
            });
            let problem = Problem { scheme, ..noisy(tokens, model, steps, end) };
            let found = Kind::CpuDouble.evolve(&problem).tokens;
            (average(&found, 2, |x| x[0] * x[0] - x[1] * x[1]) - exact).abs()
        };
        let errors = steps.map(error);
        let slope = slope(&steps, &errors);
        assert!((slope - order).abs() < 0.3, "{scheme:?}: slope {slope}, errors {errors:?}");
    }
}

/// Common noise moves each token like its own would, and two tokens as the diffusion of their overlap says; steps have
/// s^2 h (d - 1) = 1, where a step with x / |x| would be slower by a third.
fn common_noise() {
    let perceptron = |width, activation| NoiseField::CommonPerceptron { width, activation };
    let cases = [
        (NoiseField::CommonAdditive, 1.0),
        (NoiseField::CommonMatrix, 1.0),
        (perceptron(8, Activation::Relu), 0.5),
        (perceptron(3, Activation::Identity), 1.0),
    ];
    for (field, variance) in cases {
        for (dim, scheme, calculus) in [(2, Scheme::Euler, Calculus::Ito), (4, Scheme::Heun, Calculus::Stratonovich)]
        {
            let noise = Noise { field, calculus, ..brownian(31) };
            let replicas = 60_000;
            let end = 1.0 / (dim - 1) as f64;
            let mut model = still(Geometry::Sphere, noise);
            model.attention.heads.clear();
            let mut tokens = pole(replicas, 2, dim);
            let c = 0.6;
            tokens.coordinates.chunks_mut(2 * dim).for_each(|pair| pair[dim..dim + 2].copy_from_slice(&[c, 0.8]));
            let found = Kind::CpuDouble.evolve(&Problem { scheme, ..noisy(tokens, model, 1, end) }).tokens;
            let mean = average(&found, 2 * dim, |pair| 0.5 * (pair[0] + (c * pair[dim] + 0.8 * pair[dim + 1])));
            let expected = (-0.5f64 * variance).exp();
            let what = format!("{field:?}, d = {dim}");
            // Three standard deviations of the mean of so many replicas, and half a percent of the rate.
            assert!((mean - expected).abs() < 0.007, "{what}: mean {mean}, expected {expected}");
            let overlap = average(&found, 2 * dim, |pair| (0..dim).map(|k| pair[k] * pair[dim + k]).sum());
            if let Some(expected) = overlap_of_two(field, dim, c, end) {
                let tolerance = if matches!(field, NoiseField::CommonPerceptron { .. }) { 0.03 } else { 0.006 };
                assert!((overlap - expected).abs() < tolerance, "{what}: overlap {overlap}, expected {expected}");
            }
        }
    }
}

/// E c of two tokens after the time `end`, c being a diffusion with b f' + a f'' for generator: by central differences in c and
/// small steps of Euler's. With common-additive noise b = c^2 - (d - 1) c + d - 2 and a = (1 - c)^2 (1 + c); with matrices
/// b = c^3 - c and a = (1 - c^2)^2, and so with perceptrons of straight lines.
fn overlap_of_two(field: NoiseField, dim: usize, c: f64, end: f64) -> Option<f64> {
    let d = dim as f64;
    let generator = |c: f64| match field {
        NoiseField::CommonAdditive => Some([c * c - (d - 1.0) * c + d - 2.0, (1.0 - c).powi(2) * (1.0 + c)]),
        NoiseField::CommonMatrix => Some([c * c * c - c, (1.0 - c * c).powi(2)]),
        NoiseField::CommonPerceptron { activation: Activation::Identity, .. } => {
            Some([c * c * c - c, (1.0 - c * c).powi(2)])
        }
        _ => None,
    };
    generator(0.0)?;
    let (cells, steps) = (160, 20_000);
    let (width, h) = (2.0 / cells as f64, end / f64::from(steps));
    let mut f: Vec<f64> = (0..=cells).map(|k| -1.0 + width * k as f64).collect();
    let nodes = f.clone();
    for _ in 0..steps {
        let rate = |k: usize| {
            let [b, a] = generator(nodes[k]).unwrap_or_default();
            // At the ends a is zero, and b points inwards or nowhere.
            let slope = match k {
                0 => (f[1] - f[0]) / width,
                k if k == cells => (f[k] - f[k - 1]) / width,
                k => 0.5 * (f[k + 1] - f[k - 1]) / width,
            };
            let bend = if k == 0 || k == cells { 0.0 } else { (f[k + 1] - 2.0 * f[k] + f[k - 1]) / (width * width) };
            b * slope + a * bend
        };
        f = (0..=cells).map(|k| f[k] + h * rate(k)).collect();
    }
    let at = (c + 1.0) / width;
    let k = at as usize;
    Some(f[k] + (at - k as f64) * (f[k + 1] - f[k]))
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
