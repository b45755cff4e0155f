//! How long a million tokens take, by harmonics and directly, and how far apart the two are:
//! `cargo test --release --lib harmonic::tests::speed -- --ignored --nocapture`.

use std::{hint::black_box, time::Instant};

use rayon::prelude::*;

use super::{
    super::{
        super::{
            instructions::Instructions,
            real::Real,
            reduction::{BLOCK, Reduced, Shift, reduce},
        },
        Expansion, Moments, Radial, degree,
    },
    direct::{Cloud, cloud, direct, packed, queries},
};
use crate::tokens::Weights;

const COUNT: usize = 1_000_000;
const SAMPLE: usize = 128;

/// The shortest of several runs: whatever else the machine does only adds.
fn shortest(seconds: Vec<f64>) -> f64 {
    seconds.into_iter().fold(f64::INFINITY, f64::min)
}

/// Matrices by what they ask of the radial part.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Identity,
    General,
}

fn measure<T: Real>(dim: usize, beta: f64, form: Form, tolerance: f64) {
    let tokens = cloud(Cloud::Spread, COUNT, dim, Weights::Equal);
    let a = |row: usize, column: usize| match (row == column, form) {
        (true, _) => 1.0,
        (false, Form::Identity) => 0.0,
        (false, Form::General) => 0.3 / (1 + 2 * row) as f64,
    };
    let queries = queries(beta, a, &tokens);
    let kappa = queries.chunks(dim).map(|q| q.iter().map(|q| q * q).sum::<f64>().sqrt()).fold(0.0, f64::max);
    let Some(degree) = degree(dim, kappa, tolerance) else {
        println!("d {dim} beta {beta} {form:?}: hopeless");
        return;
    };
    let radial = match form {
        Form::Identity => Radial::<T>::constant(dim, beta, degree),
        Form::General => Radial::<T>::varying(dim, kappa, degree),
    };
    let instructions = Instructions::detect();
    let packed = packed::<T>(&tokens);
    let keys = packed.replica(0);
    let (mut pass_keys, mut pass_queries) = (Vec::new(), Vec::new());
    let mut barycentres = vec![0.0; COUNT * dim];
    for _ in 0..15 {
        let start = Instant::now();
        let moments = Moments::new(instructions, keys, degree + 1);
        pass_keys.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        let expansion = Expansion::new(&moments, &radial);
        let blocks = queries.par_chunks(BLOCK * dim).zip(barycentres.par_chunks_mut(BLOCK * dim));
        blocks.for_each_init(Reduced::default, |reduced, (queries, barycentres)| {
            black_box(expansion.reduce(instructions, queries, reduced));
            barycentres.copy_from_slice(&reduced.barycentre);
        });
        pass_queries.push(start.elapsed().as_secs_f64());
    }
    let start = Instant::now();
    let scale = std::f64::consts::LOG2_E;
    let sampled: Vec<T> = queries[..SAMPLE * dim].iter().map(|q| T::from_f64(q * scale)).collect();
    sampled.par_chunks(BLOCK * dim).for_each_init(Reduced::default, |reduced, queries| {
        reduce(instructions, queries, keys, Shift::Constant(kappa * scale), reduced);
    });
    let directly = start.elapsed().as_secs_f64() * COUNT as f64 / SAMPLE as f64;
    let mut error = 0.0f64;
    for (i, expected) in direct(&queries[..64 * dim], &tokens).iter().enumerate() {
        for c in 0..dim {
            error = error.max((barycentres[i * dim + c] - expected.barycentre[c]).abs());
        }
    }
    let (keys, queries) = (shortest(pass_keys), shortest(pass_queries));
    println!(
        "{:?} d {dim} beta {beta} {form:?} L {degree}: keys {:.2} ms, queries {:.2} ms, together {:.2} ms; direct {directly:.1} s; error {error:.1e}",
        T::PRECISION,
        1e3 * keys,
        1e3 * queries,
        1e3 * (keys + queries)
    );
}

#[test]
#[ignore = "a measurement, not a test"]
fn a_million_tokens() {
    for (dim, beta) in [(2, 16.0), (2, 400.0), (3, 4.0), (3, 64.0)] {
        for form in [Form::Identity, Form::General] {
            measure::<f32>(dim, beta, form, 1e-6);
            measure::<f64>(dim, beta, form, 1e-12);
        }
    }
}
