//! Rows of attention as the device looks at them, against the host on the same tokens, whom the suite holds against rows written out.

use pollster::block_on;
use tokenfield::{
    backend::{
        Backend, Method,
        gpu::{Bounds, Device, Gpu},
    },
    model::{Attention, Biases, Geometry, Head, Mask, Matrix, Normalization, Position},
    observables::{self, Among, Quantity, View},
    observe::Statistics,
    problem::{Algorithm, Problem, Schedule},
    tokens::Shape,
};

use crate::{
    compare::{bounded, compare_within, device, text},
    problems::{Stream, problem, uneven_weights},
    sealed::agree,
};

/// Logarithms of sums of some hundreds of terms, and scores that are rounded to about 1e-7 of beta.
const LOGARITHM: f64 = 1e-6;
const LOGARITHM_PER_BETA: f64 = 4e-7;

const ALL_ROWS: usize = 1 << 20;

pub fn by_width_and_count() -> Result<(), String> {
    let cases =
        [(2, 1, 2, 0), (3, 2, 1, 1), (3, 63, 1, 0), (3, 64, 3, 2), (3, 65, 1, 0), (8, 130, 1, 9), (48, 150, 2, 7)];
    for (dim, count, replicas, passive) in cases {
        let mut problem = problem(Shape { replicas, count, dim, passive }, 3.0);
        for (rows, of) in
            [(ALL_ROWS, Among::Sources), (5, Among::Sources), (ALL_ROWS, Among::Passive), (2, Among::Passive)]
        {
            if of == Among::Sources || passive > 0 {
                problem.quantities = vec![Quantity::Attention(observables::Attention { rows, of, seed: 3 })];
                check(device()?, &problem)?;
            }
        }
        problem.tokens.weights = uneven_weights(problem.tokens.shape);
        check(device()?, &problem)?;
    }
    // More keys than one workgroup takes, by one.
    for count in [4096, 4097] {
        let mut problem = problem(Shape { replicas: 2, count, dim: 3, passive: 0 }, 20.0);
        problem.quantities =
            vec![Quantity::Attention(observables::Attention { rows: 7, of: Among::Sources, seed: 1 })];
        check(device()?, &problem)?;
    }
    Ok(())
}

/// Heads of all kinds under masks and positions of all kinds, whole and in pieces.
pub fn of_every_head() -> Result<(), String> {
    let few = Bounds { segment_bytes: Some(9000), slices: Some(2), ..Bounds::default() };
    let work = Bounds { dispatch_work: Some(1e5), grid: Some(3), ..few };
    for device in [device()?, &bounded(few)?, &bounded(work)?] {
        for (count, replicas, passive) in [(300, 2, 20), (45, 6, 4)] {
            for mut problem in varied(Shape { replicas, count, dim: 4, passive }) {
                check(device, &problem)?;
                problem.quantities =
                    vec![Quantity::Attention(observables::Attention { rows: 3, of: Among::Passive, seed: 9 })];
                check(device, &problem)?;
            }
        }
    }
    Ok(())
}

fn varied(shape: Shape) -> Vec<Problem> {
    let mut stream = Stream(31);
    let mut rows = |count: usize| (0..count).map(|_| f64::from(stream.number() as f32)).collect::<Vec<f64>>();
    let biases = Biases { query: vec![0.3, -0.2], key: vec![0.1, 0.4], ..Biases::default() };
    let query_key = Matrix::Product { left: rows(8), right: rows(8) };
    let factors = Head { query_key, biases, beta: Some(2.5), ..Head::default() };
    let dense = Head { query_key: Matrix::Dense(rows(16)), ..Head::default() };
    let places = Position::Additive { places: rows(4 * shape.count), in_values: false };
    let mut problems = Vec::new();
    for (mask, window, position, heads) in [
        (Mask::None, None, Position::Nowhere, vec![Head::default(), dense.clone()]),
        (Mask::Others, None, Position::Nowhere, vec![Head::default()]),
        (Mask::Causal, Some(7), places, vec![factors.clone(), dense.clone()]),
        (Mask::StrictlyCausal, None, Position::Alibi { decay: 2.0 }, vec![dense]),
        (Mask::None, Some(40), Position::Rotary { base: 100.0 }, vec![factors, Head::default()]),
    ] {
        for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
            let mut problem = problem(shape, 3.0);
            problem.tokens.weights = uneven_weights(shape);
            problem.model.geometry = Geometry::PreNorm;
            problem.model.attention = Attention {
                beta: 3.0,
                beta_factors: if mask == Mask::None { [1.0, 0.6].repeat(shape.replicas / 2) } else { Vec::new() },
                normalization,
                mask,
                window,
                position: position.clone(),
                heads: heads.clone(),
            };
            problem.quantities =
                vec![Quantity::Attention(observables::Attention { rows: 50, of: Among::Sources, seed: 9 })];
            problems.push(problem);
        }
    }
    problems
}

pub fn at_extreme_beta() -> Result<(), String> {
    for query_key in [Matrix::Identity, Matrix::Scale(-1.0)] {
        let mut problem = problem(Shape { replicas: 1, count: 300, dim: 3, passive: 0 }, 1000.0);
        problem.model.attention.heads[0].query_key = query_key;
        problem.quantities =
            vec![Quantity::Attention(observables::Attention { rows: ALL_ROWS, of: Among::Sources, seed: 0 })];
        check(device()?, &problem)?;
    }
    Ok(())
}

pub fn by_harmonics() -> Result<(), String> {
    let mut problem = problem(Shape { replicas: 2, count: 500, dim: 3, passive: 3 }, 2.0);
    (problem.algorithm, problem.tolerance) = (Algorithm::Harmonic, Some(1e-4));
    problem.quantities = vec![Quantity::Attention(observables::Attention { rows: 64, of: Among::Sources, seed: 0 })];
    check(device()?, &problem)?;
    let gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
    if matches!(gpu.method(), Method::Harmonic { .. }) { Ok(()) } else { Err(format!("by {:?}", gpu.method())) }
}

/// What has no second largest weight of its own.
pub fn left_to_the_host() -> Result<(), String> {
    let quantity = Quantity::Attention(observables::Attention { rows: 64, of: Among::Sources, seed: 0 });
    for (normalization, stays) in [
        (Normalization::Hardmax, false),
        (Normalization::Sinkhorn { iterations: 5, tolerance: 0.0 }, false),
        (Normalization::Shifted, true),
    ] {
        let mut problem = problem(Shape { replicas: 1, count: 20, dim: 3, passive: 0 }, 2.0);
        problem.model.attention.normalization = normalization;
        let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
        let statistics = block_on(gpu.observe(&[quantity])).map_err(text)?;
        if quantity.is_lacking_in(&statistics[0]) == stays {
            return Err(format!("{normalization:?}: {:?}", statistics[0].measured));
        }
    }
    Ok(())
}

fn check(device: &Device, problem: &Problem) -> Result<(), String> {
    let mut gpu = block_on(Gpu::new(device, problem)).map_err(text)?;
    // Another sample before, whose rows lie elsewhere.
    block_on(gpu.observe(&[Quantity::Attention(observables::Attention { rows: 2, of: Among::Sources, seed: 8 })]))
        .map_err(text)?;
    let statistics = block_on(gpu.observe(&problem.quantities)).map_err(text)?;
    let tokens = block_on(gpu.tokens()).map_err(text)?;
    let model = &problem.model;
    let view = View {
        equation: problem.equation(),
        model,
        time: 0.0,
        tokens: &tokens,
        velocities: &[],
        limit: None,
        centres: &[],
    };
    for replica in 0..problem.tokens.shape.replicas {
        let Attention { mask, position, normalization, beta, .. } = &model.attention;
        let what =
            format!("{:?}, {mask:?}, {position:.20?}, {normalization:?}, replica {replica}", problem.tokens.shape);
        let expected = observables::values(&problem.quantities, &view, replica, &Statistics::default())
            .map_err(|error| error.to_string())?;
        let found = statistics[replica]
            .measured(&problem.quantities[0].key())
            .ok_or_else(|| format!("{what}: not measured"))?;
        // The gap of a lone token, and all of a row that nobody is in.
        if expected.iter().zip(found).any(|(e, f)| e.is_nan() != f.is_nan()) {
            return Err(format!("{what}: {found:?}, expected {expected:?}"));
        }
        let numbers = |row: &[f64]| row.iter().copied().filter(|number| !number.is_nan()).collect::<Vec<f64>>();
        compare_within(&what, &numbers(found), &numbers(&expected), LOGARITHM + LOGARITHM_PER_BETA * beta)?;
    }
    Ok(())
}

pub fn tokens_stay() -> Result<(), String> {
    let mut problem = varied(Shape { replicas: 2, count: 70, dim: 4, passive: 5 }).swap_remove(8);
    problem.schedule = Schedule::even(4, 0.4, 2);
    agree(device()?, &problem, 5e-6)
}
