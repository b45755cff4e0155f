//! The terms of the equation beside plain attention, against the reference.

use pollster::block_on;
use tokenfield::{
    backend::{
        Backend, Point,
        gpu::{Bounds, Device, Gpu},
        reference,
    },
    model::{
        Activation, Biases, Calculus, Field, Geometry, Head, LayerNorm, Mask, Matrix, Model, ModelSchedule, Noise,
        NoiseField, Normalization, Perceptron,
    },
    observables::Quantity,
    problem::Problem,
    scheme::Scheme,
    simulate::simulate,
    tokens::Shape,
};

use crate::{
    compare::{bounded, compare, compare_within, device, largest, text, tolerance, velocity},
    problems::{Stream, problem, uneven_weights},
};

/// Some products of single precision and an exponential between the tokens and their field.
pub const FIELD: f64 = 1e-5;
/// Draws are made from words to some units of single precision.
const NOISE: f64 = 1e-6;
/// The same after a few steps.
pub const STEPS: f64 = 2e-5;

pub fn numbers(stream: &mut Stream, count: usize, scale: f64) -> Vec<f64> {
    (0..count).map(|_| f64::from((scale * stream.number()) as f32)).collect()
}

/// L^T R of rank `rank`.
fn product(stream: &mut Stream, dim: usize, rank: usize) -> Matrix {
    let scale = 1.5 / (dim as f64).sqrt();
    Matrix::Product { left: numbers(stream, rank * dim, scale), right: numbers(stream, rank * dim, scale) }
}

/// A head with factors of rank `keys` and `values`, and all biases.
pub fn product_head(stream: &mut Stream, dim: usize, keys: usize, values: usize) -> Head {
    Head {
        query_key: product(stream, dim, keys),
        value: product(stream, dim, values),
        biases: Biases {
            query: numbers(stream, keys, 0.3),
            key: numbers(stream, keys, 0.3),
            value: numbers(stream, values, 0.3),
            output: numbers(stream, dim, 0.3),
        },
        beta: Some(1.25),
        decay: None,
        weight: 0.75,
    }
}

pub fn perceptron(stream: &mut Stream, dim: usize, width: usize, activation: Activation) -> Perceptron {
    Perceptron {
        inner: numbers(stream, width * dim, 2.0 / (dim as f64).sqrt()),
        outer: numbers(stream, width * dim, 2.0 / (width as f64).sqrt()),
        bias: numbers(stream, width, 0.5),
        output_bias: numbers(stream, dim, 0.5),
        activation,
    }
}

/// Every field and the energy on `device`.
pub fn check_on(device: &Device, what: &str, problem: &Problem) -> Result<(), String> {
    let size = largest(&reference::field(&problem.tokens, &problem.model, Field::Ambient));
    for field in [Field::Ambient, Field::Tangent, Field::Perceptron] {
        let found = velocity(device, problem, field)?;
        let expected = reference::field(&problem.tokens, &problem.model, field);
        let allowed = (FIELD + tolerance(problem)) * largest(&expected).max(size);
        compare_within(&format!("{what}, {field:?}"), &found, &expected, allowed)?;
    }
    let mut gpu = block_on(Gpu::new(device, problem)).map_err(text)?;
    for (replica, found) in block_on(gpu.observe(&[Quantity::Energy])).map_err(text)?.iter().enumerate() {
        let expected = reference::log_energy(&problem.tokens, &problem.model, replica);
        compare(&format!("{what}, energy"), &[found.log_energy], &[expected], FIELD)?;
    }
    Ok(())
}

pub fn check(what: &str, problem: &Problem) -> Result<(), String> {
    check_on(device()?, what, problem)
}

/// The tokens at the end of the schedule.
pub fn check_steps(what: &str, problem: &Problem) -> Result<(), String> {
    let mut gpu = block_on(Gpu::new(device()?, problem)).map_err(text)?;
    block_on(simulate(problem, &mut gpu, |_| Ok(()))).map_err(|error| error.to_string())?;
    let found = block_on(gpu.tokens()).map_err(text)?;
    compare(what, &found, &reference::evolve(problem), STEPS)
}

pub fn small(dim: usize) -> Problem {
    let mut problem = problem(Shape { replicas: 2, count: 37, dim, passive: 3 }, 2.0);
    problem.tokens.weights = uneven_weights(problem.tokens.shape);
    // The field is a perceptron's too, so that there is one to compare.
    problem.model.perceptron = Some(perceptron(&mut Stream(29), dim, 5, Activation::Identity));
    problem
}

pub fn heads_with_a_beta_and_a_weight() -> Result<(), String> {
    for normalization in [Normalization::Softmax, Normalization::Unnormalized, Normalization::Shifted] {
        for dim in [3, 17] {
            let mut problem = small(dim);
            let mut stream = Stream(3);
            let general = Head { query_key: stream.matrix(dim), value: stream.matrix(dim), ..Head::default() };
            problem.model.attention.normalization = normalization;
            problem.model.attention.heads = vec![
                Head { beta: Some(0.5), weight: -2.0, ..Head::default() },
                Head { beta: Some(4.0), weight: 0.5, ..general },
                Head::default(),
            ];
            check(&format!("d = {dim}, {normalization:?}"), &problem)?;
        }
    }
    let mut problem = small(3);
    problem.model.attention.normalization = Normalization::Shifted;
    problem.model.attention.beta = 300.0;
    check("shifted by more than an exponent holds", &problem)
}

pub fn perceptrons() -> Result<(), String> {
    for activation in [Activation::Relu, Activation::Gelu, Activation::Tanh, Activation::Identity] {
        for (dim, width) in [(2, 1), (3, 70), (17, 5), (33, 130)] {
            let mut problem = small(dim);
            problem.model.perceptron = Some(perceptron(&mut Stream(5), dim, width, activation));
            check(&format!("d = {dim}, m = {width}, {activation:?}"), &problem)?;
        }
    }
    // More hidden units than are kept at once.
    let device = bounded(Bounds { segment_bytes: Some(9000), ..Bounds::default() })?;
    let mut problem = small(6);
    problem.model.perceptron = Some(perceptron(&mut Stream(7), 6, 1000, Activation::Gelu));
    check_on(&device, "in blocks", &problem)
}

/// Keys and values narrower and wider than tokens, and than each other; one factored matrix beside a full one.
pub fn products() -> Result<(), String> {
    for (dim, keys, values) in [(2, 1, 5), (3, 20, 2), (20, 4, 9), (36, 8, 40)] {
        for mask in [Mask::None, Mask::Causal, Mask::StrictlyCausal] {
            let mut stream = Stream(11);
            let mut problem = small(dim);
            let full = Head { query_key: stream.matrix(dim), value: stream.matrix(dim), ..Head::default() };
            let head = product_head(&mut stream, dim, keys, values);
            problem.model.attention.mask = mask;
            // Only products have biases of their own; every output may have one.
            let Biases { query, key, value, output } = head.biases.clone();
            let of_values = Biases { value, output: output.clone(), ..Biases::default() };
            let of_keys = Biases { query, key, output, ..Biases::default() };
            problem.model.attention.heads = vec![
                Head { query_key: full.query_key.clone(), biases: of_values, ..head.clone() },
                full,
                Head { value: Matrix::Scale(0.5), biases: of_keys, ..head.clone() },
                head,
            ];
            check(&format!("d = {dim}, ranks {keys} and {values}, {mask:?}"), &problem)?;
            problem.model.attention.normalization = Normalization::Unnormalized;
            check(&format!("d = {dim}, ranks {keys} and {values}, {mask:?}, unnormalized"), &problem)?;
        }
    }
    for bounds in [
        Bounds { segment_bytes: Some(2500), ..Bounds::default() },
        Bounds { slices: Some(3), ..Bounds::default() },
        Bounds { dispatch_work: Some(1.0), grid: Some(5), ..Bounds::default() },
    ] {
        let mut problem = small(6);
        problem.model.attention.heads = vec![product_head(&mut Stream(11), 6, 4, 5), Head::default()];
        check_on(&bounded(bounds)?, &format!("{bounds:?}"), &problem)?;
    }
    Ok(())
}

fn layer_norm(stream: &mut Stream, dim: usize) -> LayerNorm {
    let gain = numbers(stream, dim, 0.5).iter().map(|g| 1.0 + g).collect();
    LayerNorm { gain, bias: numbers(stream, dim, 0.2), epsilon: 1e-5 }
}

pub fn geometries(stream: &mut Stream, dim: usize) -> [Geometry; 7] {
    let [attention, perceptron] = [layer_norm(stream, dim), layer_norm(stream, dim)];
    [
        Geometry::Sphere,
        Geometry::Euclidean,
        Geometry::Rescaled,
        Geometry::PreNorm,
        Geometry::PeriNorm,
        Geometry::Ngpt { alpha: 0.7 },
        Geometry::LayerNorm { attention, perceptron },
    ]
}

/// Tokens of lengths from a third to three, where the geometry lets them.
pub fn stretched(problem: &mut Problem) {
    if !problem.model.geometry.is_unit() {
        let mut stream = Stream(17);
        for token in problem.tokens.coordinates.chunks_exact_mut(problem.tokens.shape.dim) {
            let length = 3f64.powf(stream.number());
            token.iter_mut().for_each(|c| *c = f64::from((*c * length) as f32));
        }
    }
}

pub fn every_geometry() -> Result<(), String> {
    for dim in [3, 18] {
        let mut stream = Stream(13);
        for geometry in geometries(&mut stream, dim) {
            let what = format!("d = {dim}, {geometry:?}");
            let mut problem = small(dim);
            problem.model.geometry = geometry;
            stretched(&mut problem);
            problem.model.attention.heads[0].value = stream.matrix(dim);
            check(&what[..what.len().min(30)], &problem)?;
            problem.schedule.steps = 2;
            check_steps(&what[..what.len().min(30)], &problem)?;
            problem.scheme = Scheme::Layer;
            check_steps(&format!("layer, {}", &what[..what.len().min(30)]), &problem)?;
        }
    }
    Ok(())
}

/// d = 48, three heads of width 16, m = 96.
fn encoder(stream: &mut Stream) -> Model {
    let mut problem = small(48);
    let heads = (0..3).map(|_| product_head(stream, 48, 16, 16));
    problem.model.attention.heads = heads.map(|head| Head { beta: None, weight: 1.0, ..head }).collect();
    problem.model.attention.beta = 0.25;
    problem.model.perceptron = Some(perceptron(stream, 48, 96, Activation::Gelu));
    let [attention, perceptron] = [layer_norm(stream, 48), layer_norm(stream, 48)];
    problem.model.geometry = Geometry::LayerNorm { attention, perceptron };
    problem.model
}

/// Three random layers of an encoder.
pub fn layers() -> Result<(), String> {
    let mut stream = Stream(19);
    let mut problem = small(48);
    let layers: Vec<Model> = (0..3).map(|_| encoder(&mut stream)).collect();
    problem.model = layers[0].clone();
    stretched(&mut problem);
    problem.scheme = Scheme::Layer;
    problem.schedule.end = 1.0;
    check_steps("one layer", &problem)?;
    (problem.schedule.steps, problem.schedule.end) = (3, 3.0);
    problem.model_schedule = ModelSchedule::Layers(layers);
    check_steps("three layers", &problem)
}

/// Windows and tokens that do not hear themselves, over several tiles, blocks, segments and slices.
pub fn windows() -> Result<(), String> {
    let devices = [
        bounded(Bounds::default())?,
        bounded(Bounds { segment_bytes: Some(2500), ..Bounds::default() })?,
        bounded(Bounds { slices: Some(3), dispatch_work: Some(1.0), ..Bounds::default() })?,
    ];
    for (mask, window) in [
        (Mask::Others, None),
        (Mask::Others, Some(1)),
        (Mask::None, Some(9)),
        (Mask::Causal, Some(1)),
        (Mask::Causal, Some(40)),
        (Mask::StrictlyCausal, Some(3)),
    ] {
        for (dim, count, passive) in [(3, 400, 30), (17, 150, 7)] {
            for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
                let mut problem = problem(Shape { replicas: 2, count, dim, passive }, 2.0);
                problem.model.attention.mask = mask;
                problem.model.attention.window = window;
                problem.model.attention.normalization = normalization;
                let devices = if normalization == Normalization::Softmax { &devices[..] } else { &devices[..1] };
                for device in devices {
                    check_on(device, &format!("{mask:?}, {window:?}, d = {dim}, {normalization:?}"), &problem)?;
                }
            }
        }
    }
    Ok(())
}

/// Draws of every kind, beside those of the reference, and a few steps of Heun's scheme under them.
pub fn noises() -> Result<(), String> {
    let (width, activation) = (9, Activation::Tanh);
    let fields = [
        NoiseField::Independent,
        NoiseField::CommonAdditive,
        NoiseField::CommonMatrix,
        NoiseField::CommonPerceptron { width, activation },
    ];
    let small_segments = bounded(Bounds { segment_bytes: Some(2500), ..Bounds::default() })?;
    for field in fields {
        for (dim, geometry, is_shared) in [(3, Geometry::Sphere, false), (18, Geometry::PreNorm, true)] {
            for device in [device()?, &small_segments] {
                let what = format!("{field:?}, d = {dim}");
                let mut problem = small(dim);
                problem.model.geometry = geometry.clone();
                stretched(&mut problem);
                let (intensity, seed) = (0.5, 0x0123_4567_89ab_cdef);
                let calculus = Calculus::Stratonovich;
                let noise = Noise { field, intensity, calculus, seed, is_shared };
                problem.model.noise = Some(noise.clone());
                let mut gpu = block_on(Gpu::new(device, &problem)).map_err(text)?;
                let step = (7 << 32) + 5;
                if geometry != Geometry::Sphere {
                    gpu.fluctuate(Point::State, step, 1).map_err(text)?;
                    let found = block_on(gpu.velocity(1)).map_err(text)?;
                    let expected = reference::fluctuation(&problem.tokens, &noise, step);
                    compare(&what, &found, &expected, NOISE)?;
                }
                problem.schedule.steps = 2;
                check_steps(&format!("{what}, steps"), &problem)?;
            }
        }
    }
    Ok(())
}

/// The draws of many tokens, so that both ends of the unit interval are met.
pub fn many_draws() -> Result<(), String> {
    let mut problem = problem(Shape { replicas: 1, count: 20_000, dim: 4, passive: 19_000 }, 1.0);
    problem.model.geometry = Geometry::Euclidean;
    let (field, calculus) = (NoiseField::Independent, Calculus::Ito);
    let noise = Noise { field, intensity: 1.0, calculus, seed: 11, is_shared: false };
    problem.model.noise = Some(noise.clone());
    let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
    gpu.fluctuate(Point::State, 3, 0).map_err(text)?;
    let found = block_on(gpu.velocity(0)).map_err(text)?;
    compare("draws", &found, &reference::fluctuation(&problem.tokens, &noise, 3), NOISE)
}

/// Full matrices that are multiples of the identity in one layer and not in another.
pub fn full_matrices_that_change() -> Result<(), String> {
    for dim in [3, 20] {
        let mut stream = Stream(23);
        let mut problem = small(dim);
        problem.model.attention.heads.push(Head::default());
        let layer = |query_key, value, beta| {
            let mut model = problem.model.clone();
            model.attention.heads[0] = Head { query_key, value, beta: Some(beta), ..Head::default() };
            model
        };
        let [a, v] = [stream.matrix(dim), stream.matrix(dim)];
        let layers = vec![
            layer(Matrix::Identity, v.clone(), 3.0),
            layer(a.clone(), Matrix::Scale(-1.0), 1.0),
            layer(a, v, 2.0),
        ];
        problem.model = layers[0].clone();
        problem.model_schedule = ModelSchedule::Layers(layers);
        (problem.schedule.steps, problem.schedule.end) = (3, 0.3);
        for scheme in [Scheme::Heun, Scheme::Layer] {
            problem.scheme = scheme;
            check_steps(&format!("d = {dim}, {scheme:?}"), &problem)?;
        }
    }
    Ok(())
}
