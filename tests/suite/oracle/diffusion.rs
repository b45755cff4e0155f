//! What noise does to tokens on the sphere in half a step, token by token and flow by flow.

use tokenfield::{model::NoiseField, problem::Problem};

use super::field::{fluctuation, length, normals, sigma, tangent};

/// The tokens after half a step of noise: `half` is 0 before the step of the scheme, and 1 after it.
pub fn diffuse(problem: &Problem, x: &[f64], step: u64, half: u64, h: f64) -> Vec<f64> {
    let noise = problem.model.noise.as_ref().expect("a noise");
    if noise.intensity == 0.0 {
        return x.to_vec();
    }
    let (n, d) = (problem.tokens.shape.count, problem.tokens.shape.dim);
    let free = (d - 1) as f64;
    let time = noise.intensity.powi(2) * h / 2.0;
    let (variance, good) = match noise.field {
        NoiseField::Independent => (1.0, 1.0),
        NoiseField::CommonAdditive | NoiseField::CommonMatrix => (1.0, (d as f64 / 40.0).min(0.75)),
        NoiseField::CommonPerceptron { width, activation } => {
            let (square, fourth) =
                (gaussian(|z| sigma(activation, z).powi(2)), gaussian(|z| sigma(activation, z).powi(4)));
            let slower = (free + 2.0) / free * (fourth / square.powi(2) - 1.0) / 12.0 / f64::from(width);
            (square, (0.005 / slower).min(0.1))
        }
    };
    let parts = (time * variance * free / good).ceil().max(1.0);
    let part = time / parts;
    let turn = match noise.field {
        NoiseField::Independent | NoiseField::CommonPerceptron { .. } => Some(turn(part * variance, d)),
        NoiseField::CommonAdditive | NoiseField::CommonMatrix => None,
    };
    let mut x = x.to_vec();
    for number in 0..parts as u64 {
        let draw = (2 * step + half) * parts as u64 + number;
        if let Some((rate, share)) = turn {
            let unit = fluctuation(problem, &x, draw);
            for (x, xi) in x.chunks_mut(d).zip(unit.chunks(d)) {
                let xi: Vec<f64> = tangent(x, xi).iter().map(|xi| xi / noise.intensity / variance.sqrt()).collect();
                let r = length(&xi);
                let cosine = 1.0 - share * (1.0 - (rate * r).cos());
                let sine = (1.0 - cosine * cosine).max(0.0).sqrt();
                let y: Vec<f64> = x.iter().zip(&xi).map(|(x, xi)| x * cosine + xi / r * sine).collect();
                x.iter_mut().zip(&y).for_each(|(x, c)| *x = c / length(&y));
            }
            continue;
        }
        for (replica, tokens) in x.chunks_mut(n * d).enumerate() {
            let count = if noise.field == NoiseField::CommonMatrix { d * d } else { d };
            let replica = if noise.is_shared { 0 } else { replica };
            let mut drawn = normals(noise.seed, draw, replica, 0, 3, count + 1);
            let coin = drawn.pop().expect("a coin");
            let w: Vec<f64> = drawn.iter().map(|xi| part.sqrt() * xi).collect();
            for x in tokens.chunks_mut(d) {
                let y = if count == d { boosted(x, &w, coin < 0.0) } else { sheared(x, &w, coin < 0.0) };
                x.iter_mut().zip(&y).for_each(|(x, c)| *x = c / length(&y));
            }
        }
    }
    x
}

/// The flows of P_x e_k, which are boosts of (1, x) along axis k.
fn boosted(x: &[f64], w: &[f64], is_reversed: bool) -> Vec<f64> {
    let (mut time, mut x) = (1.0, x.to_vec());
    let mut axes: Vec<usize> = (0..x.len()).collect();
    if is_reversed {
        axes.reverse();
    }
    for k in axes {
        (time, x[k]) = (time * w[k].cosh() + x[k] * w[k].sinh(), x[k] * w[k].cosh() + time * w[k].sinh());
    }
    x
}

/// The flows of x_k e_k for all k, and of each x_l e_k for all k other than l.
fn sheared(x: &[f64], w: &[f64], is_reversed: bool) -> Vec<f64> {
    let (mut x, d) = (x.to_vec(), x.len());
    let stretch = |x: &mut Vec<f64>| (0..d).for_each(|k| x[k] *= w[k * d + k].exp());
    let shear = |x: &mut Vec<f64>, l: usize| {
        for k in (0..d).filter(|k| *k != l) {
            x[k] += w[k * d + l] * x[l];
        }
    };
    if is_reversed {
        (0..d).rev().for_each(|l| shear(&mut x, l));
        stretch(&mut x);
    } else {
        stretch(&mut x);
        (0..d).for_each(|l| shear(&mut x, l));
    }
    x
}

/// E f(z), z standard normal.
fn gaussian(f: impl Fn(f64) -> f64) -> f64 {
    let nodes = (-8_000..=8_000).map(|k| f64::from(k) / 800.0);
    let (sum, all) = nodes.fold((0.0, 0.0), |(sum, all), z| {
        let weight = (-z * z / 2.0).exp();
        (sum + weight * f(z), all + weight)
    });
    sum / all
}

/// Rate and share, such that E cos(theta) and E cos(theta)^2 are those of the heat kernel, by summing over r = e^s.
fn turn(time: f64, d: usize) -> (f64, f64) {
    let free = (d - 1) as f64;
    let weigh = |k: i32| {
        let r = (f64::from(k) / 32.0).exp();
        (r, (free * (r.ln() - 0.5 * free.ln()) - r * r / 2.0 + free / 2.0).exp())
    };
    let nodes: Vec<(f64, f64)> = (-1200..=160).map(weigh).filter(|(_, weight)| *weight > 0.0).collect();
    let all: f64 = nodes.iter().map(|(_, weight)| weight).sum();
    let mean = |f: &dyn Fn(f64) -> f64| nodes.iter().map(|(r, weight)| weight * f(*r)).sum::<f64>() / all;
    let versine = |angle: f64| 2.0 * (angle / 2.0).sin().powi(2);
    let first = 1.0 - (-free * time / 2.0).exp();
    let second = 2.0 * first - 1.0 + (1.0 + free * (-(free + 1.0) * time).exp()) / (free + 1.0);
    let share = |rate: f64| first / mean(&|r| versine(rate * r));
    if d == 2 {
        return (time.sqrt(), 1.0);
    }
    let (mut low, mut high) = ((0.8 * time).sqrt(), (1.02 * time).sqrt());
    for _ in 0..60 {
        let rate = (low + high) / 2.0;
        if share(rate).powi(2) * mean(&|r| versine(rate * r).powi(2)) > second {
            low = rate;
        } else {
            high = rate;
        }
    }
    (low, share(low))
}
