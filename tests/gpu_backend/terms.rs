//! Places, largest scores, balanced weights and geometries that change: what needs more than one reduction, or other operands.

use pollster::block_on;
use tokenfield::{
    backend::{
        Backend, Point,
        gpu::{Bounds, Gpu},
        reference,
    },
    model::{
        Activation, Attention, Calculus, Field, Geometry, Head, Mask, Model, ModelSchedule, Noise, NoiseField,
        Normalization, Position,
    },
    problem::Problem,
    scheme::Scheme,
    simulate::simulate,
    tokens::Shape,
};

use crate::{
    compare::{bounded, compare, device, text},
    model::{
        FIELD, STEPS, check, check_on, check_steps, geometries, numbers, perceptron, product_head, small, stretched,
    },
    problems::{Stream, problem, uneven_weights},
};

/// Heads as they are and of factors with biases, over several tiles, blocks, segments, slices and dispatches.
fn check_in_pieces(what: &str, problem: &Problem) -> Result<(), String> {
    for bounds in [
        Bounds::default(),
        Bounds { segment_bytes: Some(2500), ..Bounds::default() },
        Bounds { slices: Some(3), ..Bounds::default() },
        Bounds { dispatch_work: Some(1.0), grid: Some(5), ..Bounds::default() },
    ] {
        check_on(&bounded(bounds)?, &format!("{what}, {bounds:?}"), problem)?;
    }
    Ok(())
}

/// Positions of every kind, of tokens that have sources before and behind them and of passive ones.
pub fn positions() -> Result<(), String> {
    for (dim, geometry) in [(4, Geometry::PreNorm), (18, Geometry::Sphere)] {
        let places = numbers(&mut Stream(31), 100 * dim, 0.4);
        for (position, mask, normalization) in [
            (Position::Alibi { decay: 3.0 }, Mask::Causal, Normalization::Softmax),
            (Position::Alibi { decay: 300.0 }, Mask::StrictlyCausal, Normalization::Unnormalized),
            (Position::Rotary { base: 50.0 }, Mask::Causal, Normalization::Shifted),
            (Position::Additive { places: places.clone(), in_values: false }, Mask::None, Normalization::Softmax),
            (Position::Additive { places, in_values: true }, Mask::Causal, Normalization::Softmax),
        ] {
            let mut problem = problem(Shape { replicas: 2, count: 100, dim, passive: 7 }, 2.0);
            problem.tokens.weights = uneven_weights(problem.tokens.shape);
            problem.model.geometry = geometry.clone();
            stretched(&mut problem);
            problem.model.perceptron = Some(perceptron(&mut Stream(29), dim, 5, Activation::Identity));
            let attention = &mut problem.model.attention;
            (attention.mask, attention.normalization) = (mask, normalization);
            attention.heads = vec![Head::default(), product_head(&mut Stream(11), dim, 6, 5)];
            let what = format!("d = {dim}, {:.30}", format!("{position:?}"));
            attention.position = position;
            check_in_pieces(&what, &problem)?;
        }
    }
    Ok(())
}

/// The largest scores, among all sources and among some, with tokens that tie: every one comes three times.
pub fn hardmax() -> Result<(), String> {
    for (mask, window) in [(Mask::None, None), (Mask::Others, None), (Mask::StrictlyCausal, Some(40))] {
        for dim in [3, 18] {
            let mut problem = problem(Shape { replicas: 2, count: 120, dim, passive: 9 }, 2.0);
            for replica in problem.tokens.coordinates.chunks_exact_mut(120 * dim) {
                replica.copy_within(..37 * dim, 37 * dim);
                replica.copy_within(..37 * dim, 74 * dim);
            }
            problem.tokens.weights = uneven_weights(problem.tokens.shape);
            problem.model.perceptron = Some(perceptron(&mut Stream(29), dim, 5, Activation::Identity));
            let attention = &mut problem.model.attention;
            (attention.mask, attention.window, attention.normalization) = (mask, window, Normalization::Hardmax);
            attention.heads = vec![Head::default(), product_head(&mut Stream(11), dim, 6, 5)];
            check_in_pieces(&format!("d = {dim}, {mask:?}"), &problem)?;
        }
    }
    Ok(())
}

/// Positive parts and sigmoids of scores, some of which are large.
pub fn pointwise() -> Result<(), String> {
    for (mask, window) in [(Mask::None, None), (Mask::Causal, None), (Mask::StrictlyCausal, Some(40))] {
        for (dim, normalization, beta) in
            [(3, Normalization::Relu, 2.0), (18, Normalization::Sigmoid, 2.0), (3, Normalization::Sigmoid, 300.0)]
        {
            let mut problem = problem(Shape { replicas: 2, count: 120, dim, passive: 9 }, beta);
            problem.tokens.weights = uneven_weights(problem.tokens.shape);
            problem.model.perceptron = Some(perceptron(&mut Stream(29), dim, 5, Activation::Identity));
            let attention = &mut problem.model.attention;
            (attention.mask, attention.window, attention.normalization) = (mask, window, normalization);
            attention.heads = vec![Head::default(), product_head(&mut Stream(11), dim, 6, 5)];
            check_in_pieces(&format!("d = {dim}, {mask:?}, {normalization:?}"), &problem)?;
        }
    }
    Ok(())
}

/// Rows and columns that are balanced in turn: three iterations, as many as a loose tolerance asks for, and with places.
pub fn sinkhorn() -> Result<(), String> {
    for (dim, iterations, tolerance) in [(3, 3, 1e-9), (18, 40, 0.02)] {
        let mut problem = problem(Shape { replicas: 2, count: 90, dim, passive: 11 }, 2.0);
        problem.tokens.weights = uneven_weights(problem.tokens.shape);
        problem.model.perceptron = Some(perceptron(&mut Stream(29), dim, 5, Activation::Identity));
        let attention = &mut problem.model.attention;
        attention.normalization = Normalization::Sinkhorn { iterations, tolerance };
        attention.heads = vec![Head::default(), product_head(&mut Stream(11), dim, 6, 5)];
        check_in_pieces(&format!("d = {dim}"), &problem)?;
        problem.model.attention.position =
            Position::Additive { places: numbers(&mut Stream(31), 90 * dim, 0.4), in_values: true };
        check(&format!("d = {dim}, with places"), &problem)?;
    }
    Ok(())
}

/// Replicas of different beta, in heads of every kind: with normalizers, with positions, balanced, and in layers that change beta.
pub fn betas_of_replicas() -> Result<(), String> {
    for dim in [4, 18] {
        for (normalization, position, mask) in [
            (Normalization::Softmax, Position::Nowhere, Mask::None),
            (Normalization::Shifted, Position::Alibi { decay: 3.0 }, Mask::Causal),
            (Normalization::Unnormalized, Position::Rotary { base: 50.0 }, Mask::StrictlyCausal),
            (Normalization::Sinkhorn { iterations: 3, tolerance: 1e-9 }, Position::Nowhere, Mask::None),
        ] {
            let mut problem = problem(Shape { replicas: 3, count: 90, dim, passive: 11 }, 2.5);
            problem.tokens.weights = uneven_weights(problem.tokens.shape);
            problem.model.perceptron = Some(perceptron(&mut Stream(29), dim, 5, Activation::Identity));
            let attention = &mut problem.model.attention;
            let what = format!("d = {dim}, {normalization:?}");
            (attention.normalization, attention.position, attention.mask) = (normalization, position, mask);
            attention.beta_factors = vec![0.4, 1.0, 0.05];
            let factored = product_head(&mut Stream(11), dim, 6, 5);
            attention.heads = vec![Head::default(), Head { beta: None, ..factored.clone() }, factored];
            check_in_pieces(&what, &problem)?;
            let layer = |beta| Model {
                attention: Attention { beta, ..problem.model.attention.clone() },
                ..problem.model.clone()
            };
            problem.model_schedule = ModelSchedule::Layers([2.5, 0.5, 4.0].map(layer).to_vec());
            (problem.schedule.steps, problem.schedule.end) = (3, 0.3);
            check_steps(&format!("{what}, in layers"), &problem)?;
        }
    }
    let mut problem = problem(Shape { replicas: 2, count: 40, dim: 3, passive: 0 }, 300.0);
    problem.model.perceptron = Some(perceptron(&mut Stream(29), 3, 5, Activation::Identity));
    problem.model.attention.normalization = Normalization::Shifted;
    problem.model.attention.beta_factors = vec![1.0, 0.7];
    check("normalizers beyond what an exponent holds", &problem)
}

/// A perceptron alone, noise alone, and nothing at all, after a stage that left something behind.
pub fn without_heads() -> Result<(), String> {
    for (geometry, dim) in [(Geometry::Sphere, 3), (Geometry::PeriNorm, 18), (Geometry::Euclidean, 5)] {
        let mut problem = small(dim);
        problem.model.geometry = geometry.clone();
        stretched(&mut problem);
        problem.model.attention.heads.clear();
        let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
        let zero = vec![0.0; problem.tokens.coordinates.len()];
        for (field, expected) in [
            (Field::Tangent, reference::field(&problem.tokens, &problem.model, Field::Tangent)),
            (Field::Ambient, zero),
        ] {
            gpu.evaluate(Point::State, field, 0).map_err(text)?;
            let found = block_on(gpu.velocity(0)).map_err(text)?;
            compare(&format!("{geometry:?}, {field:?}"), &found, &expected, FIELD)?;
        }
        check_steps(&format!("{geometry:?}, a perceptron"), &problem)?;
        problem.model.perceptron = None;
        check_steps(&format!("{geometry:?}, nothing"), &problem)?;
        let (field, calculus) = (NoiseField::Independent, Calculus::Stratonovich);
        problem.model.noise = Some(Noise { field, intensity: 0.5, calculus, seed: 3, is_shared: false });
        if geometry != Geometry::PeriNorm {
            check_steps(&format!("{geometry:?}, noise"), &problem)?;
        }
    }
    Ok(())
}

/// Layers that live in one geometry after the other.
pub fn geometries_that_change() -> Result<(), String> {
    for dim in [3, 18] {
        let mut stream = Stream(37);
        let mut problem = small(dim);
        problem.model.attention.heads[0].value = stream.matrix(dim);
        let layer = |geometry| Model { geometry, ..problem.model.clone() };
        // The last, a layer norm, has no velocity.
        let layers: Vec<Model> = geometries(&mut stream, dim).into_iter().take(6).map(layer).collect();
        problem.model_schedule = ModelSchedule::Layers([&layers[..], &layers[..1]].concat());
        (problem.schedule.steps, problem.schedule.end) = (7, 0.7);
        for scheme in [Scheme::Euler, Scheme::Heun] {
            problem.scheme = scheme;
            check_steps(&format!("d = {dim}, {scheme:?}"), &problem)?;
        }
    }
    Ok(())
}

/// Frozen tokens in segments of whole replicas and of pieces of one, with noise that turns tokens and with none.
pub fn frozen() -> Result<(), String> {
    for bounds in [Bounds::default(), Bounds { segment_bytes: Some(2500), ..Bounds::default() }] {
        let device = bounded(bounds)?;
        for intensity in [0.0, 0.5] {
            let mut problem = problem(Shape { replicas: 2, count: 100, dim: 4, passive: 7 }, 2.0);
            let (field, calculus) = (NoiseField::Independent, Calculus::Stratonovich);
            let noise = Noise { field, intensity, calculus, seed: 3, is_shared: false };
            problem.model.noise = (intensity > 0.0).then_some(noise);
            problem.model.frozen = 37;
            (problem.schedule.steps, problem.schedule.end) = (2, 0.2);
            let mut gpu = block_on(Gpu::new(&device, &problem)).map_err(text)?;
            let start = block_on(gpu.tokens()).map_err(text)?;
            block_on(simulate(&problem, &mut gpu, |_| Ok(()))).map_err(|error| error.to_string())?;
            let end = block_on(gpu.tokens()).map_err(text)?;
            compare(&format!("{bounds:?}"), &end, &reference::evolve(&problem), STEPS)?;
            if start.chunks(400).zip(end.chunks(400)).any(|(start, end)| start[..4 * 37] != end[..4 * 37]) {
                return Err(format!("{bounds:?}: a frozen token moved"));
            }
        }
    }
    Ok(())
}
