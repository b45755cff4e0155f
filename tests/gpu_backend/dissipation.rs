//! The rate of the energy as the device measures it, against that of the host on the same tokens, which the suite holds
//! against differences of the energy in time.

use pollster::block_on;
use tokenfield::{
    backend::{
        Backend, Method,
        gpu::{Bounds, Device, Gpu},
    },
    model::{Attention, Geometry, Head, Mask, Matrix, Normalization},
    observables::{self, Quantity, View},
    observe::Statistics,
    problem::{Algorithm, Problem},
    tokens::Shape,
};

use crate::{
    compare::{bounded, compare, compare_within, device, largest, text},
    problems::{Stream, problem, uneven_weights},
};

/// Velocities of single precision, squared, of tokens that are far from rest.
const RATE: f64 = 1e-5;

pub fn of_every_flow() -> Result<(), String> {
    let pieces = bounded(Bounds { segment_bytes: Some(9000), slices: Some(2), ..Bounds::default() })?;
    for device in [device()?, &pieces] {
        for (dim, count, replicas, passive) in
            [(2, 1, 1, 0), (3, 65, 3, 4), (8, 64, 2, 0), (48, 150, 2, 7), (3, 1100, 1, 0)]
        {
            let shape = Shape { replicas, count, dim, passive };
            for normalization in [Normalization::Softmax, Normalization::Unnormalized, Normalization::Shifted] {
                flows(shape, normalization).iter().try_for_each(|problem| check(device, problem))?;
            }
        }
    }
    Ok(())
}

/// On the sphere and in R^d, with equal weights and others, with A the identity and not.
fn flows(shape: Shape, normalization: Normalization) -> [Problem; 3] {
    let plain = problem(shape, 2.5);
    let with = |geometry, head| {
        let attention = Attention { beta: 2.5, normalization, heads: vec![head], ..Attention::default() };
        let mut problem = plain.clone();
        problem.model.attention = attention;
        problem.model.geometry = geometry;
        problem.quantities = vec![Quantity::Energy, Quantity::Dissipation];
        problem
    };
    let dim = shape.dim;
    let half = Stream(5).matrix(dim).dense(dim, 1.0);
    let symmetric = Matrix::Dense((0..dim * dim).map(|k| half[k] + half[k % dim * dim + k / dim]).collect());
    let general = Head { value: symmetric.scaled(-0.5), query_key: symmetric, weight: 1.5, ..Head::default() };
    let mut uneven = with(Geometry::Sphere, general);
    uneven.tokens.weights = uneven_weights(shape);
    let away = Head { value: Matrix::Scale(-0.7), ..Head::default() };
    [with(Geometry::Sphere, Head::default()), uneven, with(Geometry::Euclidean, away)]
}

/// Squares of velocities, and sums over keys, that leave single precision.
pub fn at_extreme_beta() -> Result<(), String> {
    for normalization in [Normalization::Softmax, Normalization::Shifted, Normalization::Unnormalized] {
        // Unnormalized velocities of beta = 60 are about 1e26.
        let beta = if normalization == Normalization::Unnormalized { 60.0 } else { 800.0 };
        let mut problem = flows(Shape { replicas: 1, count: 300, dim: 3, passive: 0 }, normalization)[2].clone();
        problem.model.attention.beta = beta;
        check_within(device()?, &problem, 2e-7 * beta)?;
    }
    Ok(())
}

pub fn by_harmonics() -> Result<(), String> {
    for dim in [2, 3] {
        let mut problem =
            flows(Shape { replicas: 2, count: 500, dim, passive: 3 }, Normalization::Softmax)[0].clone();
        (problem.algorithm, problem.tolerance) = (Algorithm::Harmonic, Some(1e-4));
        check_within(device()?, &problem, 2e-4)?;
        let gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
        if !matches!(gpu.method(), Method::Harmonic { .. }) {
            return Err(format!("not by harmonics but by {:?}", gpu.method()));
        }
    }
    Ok(())
}

/// What is no flow of a gradient is left to the host.
pub fn of_none() -> Result<(), String> {
    let mut problem = flows(Shape { replicas: 1, count: 20, dim: 3, passive: 0 }, Normalization::Softmax)[0].clone();
    problem.model.attention.mask = Mask::Causal;
    let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
    let statistics = block_on(gpu.observe(&problem.quantities)).map_err(text)?;
    if Quantity::Dissipation.is_lacking_in(&statistics[0]) { Ok(()) } else { Err("a rate under a mask".into()) }
}

fn check(device: &Device, problem: &Problem) -> Result<(), String> {
    check_within(device, problem, RATE)
}

fn check_within(device: &Device, problem: &Problem, tolerance: f64) -> Result<(), String> {
    let mut gpu = block_on(Gpu::new(device, problem)).map_err(text)?;
    let beside = block_on(gpu.observe(&problem.quantities)).map_err(text)?;
    let alone = block_on(gpu.observe(&[Quantity::Energy])).map_err(text)?;
    let tokens = block_on(gpu.tokens()).map_err(text)?;
    let only = Problem { quantities: vec![Quantity::Dissipation], ..problem.clone() };
    let view = View {
        equation: only.equation(),
        model: &problem.model,
        time: 0.0,
        tokens: &tokens,
        velocities: &[],
        limit: None,
        centres: &[],
    };
    for replica in 0..problem.tokens.shape.replicas {
        let Attention { normalization, beta, .. } = &problem.model.attention;
        let what = format!("{:?}, {normalization:?}, beta = {beta}, replica {replica}", problem.tokens.shape);
        let expected = observables::values(&only.quantities, &view, replica, &Statistics::default())
            .map_err(|error| error.to_string())?;
        let found =
            beside[replica].measured(&Quantity::Dissipation.key()).ok_or_else(|| format!("{what}: not measured"))?;
        // A token alone under A = I does not move, but for rounding.
        let allowed = tolerance * largest(&expected) + 1e-10;
        compare_within(&what, found, &expected, allowed)?;
        compare(&what, &[beside[replica].log_energy], &[alone[replica].log_energy], 1e-6)?;
    }
    Ok(())
}
