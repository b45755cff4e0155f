//! What noise does to tokens on the sphere in half a step, token by token and flow by flow.

use super::{
    linear::{length, tangent, unit},
    noise::{common, draws},
    perceptron::sigma,
};
use crate::{
    model::{Noise, NoiseField},
    tokens::Tokens,
};

/// Half a step in parts, each as long as the next.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    pub count: u64,
    /// Of each, for a Brownian motion of generator Laplacian / 2: s^2 h / 2 / count times the variance of the field, with s the
    /// intensity and h the step.
    pub time: f64,
}

/// As many parts of half a step of length `h` as keep what each is good for, up to 1024; none where nothing moves. What is
/// independent has mixed after 80 / (d - 1).
pub(super) fn parts(noise: &Noise, d: usize, h: f64) -> Option<Parts> {
    let free = d.saturating_sub(1) as f64;
    let (variance, independent) = (variance(noise), noise.field == NoiseField::Independent);
    let reach = noise.intensity.powi(2) * h / 2.0 * variance * free;
    let reach = if independent { reach.min(80.0) } else { reach };
    let good = match noise.field {
        NoiseField::Independent => 1.0,
        NoiseField::CommonAdditive | NoiseField::CommonMatrix => (d as f64 / 40.0).min(0.75),
        NoiseField::CommonPerceptron { width, activation } => {
            let fourth = gaussian(|z| sigma(activation, z).powi(4));
            let slower = (free + 2.0) / free * (fourth / variance.powi(2) - 1.0) / 12.0 / f64::from(width);
            (0.005 / slower).min(0.1)
        }
    };
    let count = (reach / good).ceil().clamp(1.0, 1024.0);
    (reach > 0.0).then_some(Parts { count: count as u64, time: reach / free / count })
}

/// The tokens after all `parts`, whose first draw is number `first`.
pub(super) fn diffuse(tokens: &Tokens, noise: &Noise, parts: Parts, first: u64) -> Vec<f64> {
    let mut tokens = tokens.clone();
    let turn = match noise.field {
        NoiseField::Independent | NoiseField::CommonPerceptron { .. } => {
            Some(Turn::new(parts.time, tokens.shape.dim))
        }
        NoiseField::CommonAdditive | NoiseField::CommonMatrix => None,
    };
    for draw in (0..parts.count).map(|part| first.wrapping_add(part)) {
        match turn {
            Some(turn) => turned(&mut tokens, noise, turn, draw),
            None => flowed(&mut tokens, noise, parts.time, draw),
        }
    }
    tokens.coordinates
}

/// Every token along a great circle, in the direction of its draw.
fn turned(tokens: &mut Tokens, noise: &Noise, turn: Turn, draw: u64) {
    let (d, deviation) = (tokens.shape.dim, variance(noise).sqrt());
    let drawn = draws(tokens, noise, draw);
    for (x, xi) in tokens.coordinates.chunks_mut(d).zip(drawn.chunks(d)) {
        let xi: Vec<f64> = tangent(x, xi).iter().map(|xi| xi / deviation).collect();
        let r = length(&xi);
        // Of half of the angle.
        let sine = turn.share.sqrt() * (turn.rate * r / 2.0).sin().abs();
        let (along, across) = (1.0 - 2.0 * sine * sine, 2.0 * sine * (1.0 - sine * sine).max(0.0).sqrt());
        let y: Vec<f64> = x.iter().zip(&xi).map(|(x, xi)| x * along + xi / r * across).collect();
        x.copy_from_slice(&unit(&y));
    }
}

/// The tokens of every replica along the flows of its common field, one after the other in an order that a coin decides.
fn flowed(tokens: &mut Tokens, noise: &Noise, time: f64, draw: u64) {
    let (n, d) = (tokens.shape.count, tokens.shape.dim);
    let count = if noise.field == NoiseField::CommonMatrix { d * d } else { d };
    for (replica, tokens) in tokens.coordinates.chunks_mut(n * d).enumerate() {
        let drawn = common(noise, draw, replica, count + 1);
        // Beyond four a draw is cut off, where time goes on in parts that are too long to be good.
        let w: Vec<f64> = drawn[..count].iter().map(|xi| (time.sqrt() * xi).clamp(-4.0, 4.0)).collect();
        let is_reversed = drawn[count] < 0.0;
        for x in tokens.chunks_mut(d) {
            let y = if count == d { boosted(x, &w, is_reversed) } else { sheared(x, &w, is_reversed) };
            x.copy_from_slice(&unit(&y));
        }
    }
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

/// Of a component of the field that noise of intensity one has.
pub(super) fn variance(noise: &Noise) -> f64 {
    match noise.field {
        NoiseField::CommonPerceptron { activation, .. } => gaussian(|z| sigma(activation, z).powi(2)),
        NoiseField::Independent | NoiseField::CommonAdditive | NoiseField::CommonMatrix => 1.0,
    }
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

/// Rate and share of the angle, 1 - cos(theta) = share (1 - cos(rate r)), such that E cos(theta) and E cos(theta)^2 are those of
/// the heat kernel.
#[derive(Clone, Copy)]
struct Turn {
    rate: f64,
    share: f64,
}

impl Turn {
    /// By bisection; means are sums over r = sqrt(d - 1) e^s. After a time of more than 1 / (d - 1) as after that.
    fn new(time: f64, d: usize) -> Turn {
        let free = (d - 1) as f64;
        let time = time.min(1.0 / free);
        if d == 2 {
            return Turn { rate: time.sqrt(), share: 1.0 };
        }
        // Steps are short against the width of the law of s, which is (2 (d - 1))^{-1/2}.
        let step = (0.25 / free.sqrt()).min(1.0 / 32.0);
        let (first, last) = ((-(42.0 / free + 1.0) / step) as i32, (2.5 / step) as i32);
        let weigh = |k: i32| {
            let s = step * f64::from(k);
            (free.sqrt() * s.exp(), (free * (s - 0.5 * (2.0 * s).exp_m1())).exp())
        };
        let nodes: Vec<(f64, f64)> = (first..=last).map(weigh).filter(|(_, weight)| *weight > 0.0).collect();
        let all: f64 = nodes.iter().map(|(_, weight)| weight).sum();
        let mean = |f: &dyn Fn(f64) -> f64| nodes.iter().map(|(r, weight)| weight * f(*r)).sum::<f64>() / all;
        let versine = |angle: f64| 2.0 * (angle / 2.0).sin().powi(2);
        let decay = -(-free * time / 2.0).exp_m1();
        let second = 2.0 * decay - 1.0 + (1.0 + free * (-(free + 1.0) * time).exp()) / (free + 1.0);
        let share = |rate: f64| decay / mean(&|r| versine(rate * r));
        let (mut low, mut high) = ((0.8 * time).sqrt(), (1.02 * time).sqrt());
        for _ in 0..60 {
            let rate = (low + high) / 2.0;
            if share(rate).powi(2) * mean(&|r| versine(rate * r).powi(2)) > second {
                low = rate;
            } else {
                high = rate;
            }
        }
        Turn { rate: low, share: share(low).min(1.0) }
    }
}
