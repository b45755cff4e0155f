//! What noise does to tokens in one step, in f64 whatever the precision of the tokens.

use rayon::prelude::*;

use super::geometry::project;
use crate::{
    diffusion::{Diffusion, Motion, Projective, Turn},
    model::{Noise, NoiseField},
    random::{Purpose, normals},
    tokens::Shape,
    vector::dot,
};

/// intensity * G(x_i) xi_i of step `step` for the tokens `rows` of one replica.
pub(super) fn field(noise: &Noise, step: u64, replica: usize, shape: Shape, rows: &[f64]) -> Vec<f64> {
    let mut field = vec![0.0; rows.len()];
    let draws = Draws::new(noise, step, replica, shape.dim);
    let tokens = field.par_chunks_exact_mut(shape.dim).zip(rows.par_chunks_exact(shape.dim)).enumerate();
    tokens.with_min_len(64).for_each(|(token, (g, x))| {
        draws.field(token, x, g);
        g.iter_mut().for_each(|g| *g *= noise.intensity);
    });
    field
}

/// The tokens `rows` of one replica after all parts of `diffusion`, whose first draw is `first`.
pub(super) fn diffuse(
    noise: &Noise,
    diffusion: &Diffusion,
    first: u64,
    replica: usize,
    shape: Shape,
    rows: &[f64],
) -> Vec<f64> {
    let mut moved = rows.to_vec();
    match diffusion.motion {
        Motion::Turn(turn) => {
            for part in 0..diffusion.parts {
                let draws = Draws::new(noise, first.wrapping_add(part), replica, shape.dim);
                let tokens = moved.par_chunks_exact_mut(shape.dim).enumerate().with_min_len(64);
                tokens.for_each_init(
                    || vec![0.0; shape.dim],
                    |g, (token, x)| {
                        draws.field(token, x, g);
                        step(&turn, x, g);
                    },
                );
            }
        }
        Motion::Boosts { .. } | Motion::Shears { .. } => {
            let Some(map) = Projective::new(diffusion, noise, shape.dim, replica as u32, first) else { return moved };
            let tokens = moved.par_chunks_exact_mut(shape.dim).zip(rows.par_chunks_exact(shape.dim));
            tokens.with_min_len(64).for_each(|(y, x)| map.apply(x, y));
        }
    }
    moved
}

/// The turn of `x` in the direction of `g`, which is projected.
fn step(turn: &Turn, x: &mut [f64], g: &mut [f64]) {
    project(x, g);
    let [along, across] = turn.moves(dot(g, g).sqrt());
    x.iter_mut().zip(g).for_each(|(x, g)| *x += across * *g - along * *x);
    let length = dot(x, x).sqrt();
    x.iter_mut().for_each(|x| *x /= length);
}

/// What one draw has for the tokens of a replica.
struct Draws<'a> {
    noise: &'a Noise,
    number: u64,
    replica: usize,
    /// What they share.
    common: Vec<f64>,
}

impl<'a> Draws<'a> {
    fn new(noise: &'a Noise, number: u64, replica: usize, dim: usize) -> Self {
        let replica_of_common = if noise.is_shared { 0 } else { replica as u32 };
        let common =
            normals(noise.seed, number, replica_of_common, 0, Purpose::CommonNoise, common_draws(noise, dim));
        Draws { noise, number, replica, common }
    }

    /// G(x) xi into `g`.
    fn field(&self, token: usize, x: &[f64], g: &mut [f64]) {
        let (noise, dim) = (self.noise, x.len());
        match noise.field {
            NoiseField::Independent => {
                let (replica, token) = (self.replica as u32, token as u32);
                g.copy_from_slice(&normals(noise.seed, self.number, replica, token, Purpose::Noise, dim));
            }
            NoiseField::CommonAdditive => g.copy_from_slice(&self.common),
            NoiseField::CommonMatrix => {
                g.iter_mut().zip(self.common.chunks_exact(dim)).for_each(|(g, row)| *g = dot(row, x));
            }
            NoiseField::CommonPerceptron { activation, .. } => {
                g.fill(0.0);
                let (inner, outer) = self.common.split_at(self.common.len() / 2);
                let scale = (inner.len() as f64 / dim as f64).sqrt().recip();
                for (a, u) in inner.chunks_exact(dim).zip(outer.chunks_exact(dim)) {
                    let share = scale * activation.of(dot(a, x));
                    g.iter_mut().zip(u).for_each(|(g, u)| *g += share * u);
                }
            }
        }
    }
}

/// Normal numbers that all tokens share in a step.
fn common_draws(noise: &Noise, dim: usize) -> usize {
    match noise.field {
        NoiseField::Independent => 0,
        NoiseField::CommonAdditive => dim,
        NoiseField::CommonMatrix => dim * dim,
        NoiseField::CommonPerceptron { width, .. } => 2 * width as usize * dim,
    }
}
