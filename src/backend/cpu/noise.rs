//! What noise does to tokens in one step, in f64 whatever the precision of the tokens.

use rayon::prelude::*;

use super::geometry::project;
use crate::{
    model::{Geometry, Noise, NoiseField},
    random::{Purpose, normals},
    tokens::Shape,
};

/// intensity * G(x_i) xi_i of step `step` for the tokens `rows` of one replica, projected on the sphere.
pub(super) fn field(
    noise: &Noise,
    geometry: &Geometry,
    step: u64,
    replica: usize,
    shape: Shape,
    rows: &[f64],
) -> Vec<f64> {
    let dim = shape.dim;
    let replica_of_common = if noise.is_shared { 0 } else { replica as u32 };
    let draws = normals(noise.seed, step, replica_of_common, 0, Purpose::CommonNoise, common_draws(noise, dim));
    let mut field = vec![0.0; rows.len()];
    let tokens = field.par_chunks_exact_mut(dim).zip(rows.par_chunks_exact(dim)).enumerate().with_min_len(64);
    tokens.for_each(|(token, (g, x))| {
        match noise.field {
            NoiseField::Independent => {
                let own = normals(noise.seed, step, replica as u32, token as u32, Purpose::Noise, dim);
                g.copy_from_slice(&own);
            }
            NoiseField::CommonAdditive => g.copy_from_slice(&draws),
            NoiseField::CommonMatrix => {
                g.iter_mut().zip(draws.chunks_exact(dim)).for_each(|(g, row)| *g = dot(row, x));
            }
            NoiseField::CommonPerceptron { activation, .. } => {
                let (inner, outer) = draws.split_at(draws.len() / 2);
                let scale = (inner.len() as f64 / dim as f64).sqrt().recip();
                for (a, u) in inner.chunks_exact(dim).zip(outer.chunks_exact(dim)) {
                    let share = scale * activation.of(dot(a, x));
                    g.iter_mut().zip(u).for_each(|(g, u)| *g += share * u);
                }
            }
        }
        g.iter_mut().for_each(|g| *g *= noise.intensity);
        if *geometry == Geometry::Sphere {
            project(x, g);
        }
    });
    field
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

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
