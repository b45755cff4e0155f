//! Every check has a problem that it refuses, by the field, the value and a remedy.

use super::*;
use crate::{
    backend::{cpu::Cpu, reference::Reference},
    model::{
        Activation, Attention, Biases, Calculus, Draws, Ensemble, Head, LayerNorm, Matrix, MatrixSchedule, Model,
        ModelSchedule, Noise, NoiseField, Normalization, NumberSchedule, Operand, OrnsteinUhlenbeck, Part,
        Perceptron, PerceptronSchedule, Position, ProcessStart, Ramp, RandomMatrix,
    },
    problem::Algorithm,
    scheme::Scheme,
};

/// Two replicas of three tokens in the plane, the last one passive.
fn problem() -> Problem {
    let shape = Shape { replicas: 2, count: 3, dim: 2, passive: 1 };
    Problem {
        tokens: Tokens { shape, coordinates: [0.6, 0.8].repeat(6), weights: Weights::Equal },
        model: Model::default(),
        model_schedule: ModelSchedule::Constant,
        scheme: Scheme::Rk4,
        schedule: Schedule::even(10, 1.0, 1),
        quantities: Vec::new(),
        algorithm: Algorithm::Auto,
        tolerance: None,
    }
}

fn head(change: impl FnOnce(&mut Head)) -> impl FnOnce(&mut Problem) {
    |problem| change(&mut problem.model.attention.heads[0])
}

fn attention(change: impl FnOnce(&mut Attention)) -> impl FnOnce(&mut Problem) {
    |problem| change(&mut problem.model.attention)
}

fn geometry(geometry: Geometry) -> impl FnOnce(&mut Problem) {
    |problem| problem.model.geometry = geometry
}

fn part(part: Part) -> impl FnOnce(&mut Problem) {
    |problem| problem.model_schedule = ModelSchedule::Parts(vec![part])
}

fn matrices(schedule: MatrixSchedule) -> impl FnOnce(&mut Problem) {
    part(Part::Matrix { head: 0, operand: Operand::Value, schedule })
}

fn perceptron(change: impl FnOnce(&mut Perceptron)) -> impl FnOnce(&mut Problem) {
    let mut perceptron = Perceptron {
        inner: vec![1.0; 6],
        outer: vec![1.0; 6],
        bias: vec![0.0; 3],
        output_bias: vec![0.0; 2],
        activation: Activation::Relu,
    };
    change(&mut perceptron);
    |problem| problem.model.perceptron = Some(perceptron)
}

fn noise(field: NoiseField, intensity: f64) -> impl FnOnce(&mut Problem) {
    move |problem| {
        problem.model.noise = Some(Noise { field, intensity, calculus: Calculus::Ito, seed: 1, is_shared: false });
    }
}

fn layer_norm(change: impl FnOnce(&mut LayerNorm)) -> impl FnOnce(&mut Problem) {
    let norm = LayerNorm { gain: vec![1.0; 2], bias: vec![0.0; 2], epsilon: 0.0 };
    let mut changed = norm.clone();
    change(&mut changed);
    geometry(Geometry::LayerNorm { attention: norm, perceptron: changed })
}

fn product(left: usize, right: usize) -> Matrix {
    Matrix::Product { left: vec![1.0; left], right: vec![1.0; right] }
}

/// `change` makes of a problem one that is refused at `field`, with words of its value and of a remedy.
#[track_caller]
fn refused(change: impl FnOnce(&mut Problem), field: &str, value: &str, remedy: &str) {
    let mut malformed = problem();
    assert_eq!(malformed.check(), Ok(()));
    change(&mut malformed);
    let error = malformed.check().expect_err(field);
    assert_eq!(error.field, field);
    assert!(error.problem.contains(value) && error.remedy.contains(remedy), "{error}");
}

#[test]
fn tokens_that_do_not_fit_their_shape_are_refused() {
    for (change, field) in [
        ((|shape| shape.replicas = 0) as fn(&mut Shape), "replicas"),
        (|shape| shape.count = 0, "count"),
        (|shape| shape.dim = 0, "dim"),
    ] {
        refused(|problem| change(&mut problem.tokens.shape), &format!("tokens.shape.{field}"), "0", "at least 1");
    }
    refused(|p| p.tokens.shape.passive = 3, "tokens.shape.passive", "3", "source");
    refused(|p| p.tokens.shape.dim = usize::MAX, "tokens.shape", "larger", "fewer");
    refused(|p| p.tokens.coordinates.truncate(11), "tokens.coordinates", "11", "12");
    refused(|p| p.tokens.coordinates[3] = f64::NAN, "tokens.coordinates[3]", "NaN", "finite");
    refused(|p| p.tokens.coordinates[8] = 0.0, "tokens.coordinates", "0.8: 1 of replica 1", "length");
    let each = |weights: Vec<f64>| move |problem: &mut Problem| problem.tokens.weights = Weights::Each(weights);
    refused(each(vec![0.5; 5]), "tokens.weights", "5", "6");
    refused(each(vec![0.5, 0.5, 0.0, 1.5, -0.5, 0.0]), "tokens.weights[4]", "-0.5", "at least 0");
    refused(each(vec![0.5, 0.5, 0.0, 0.5, 0.0, 0.5]), "tokens.weights[5]", "0.5", "passive");
    refused(each(vec![0.5, 0.5, 0.0, 0.5, 0.25, 0.0]), "tokens.weights", "replica 1 sum to 0.75", "0.75");
}

#[test]
fn schedules_and_tolerances_outside_their_ranges_are_refused() {
    refused(|p| p.schedule.end = 0.0, "schedule.end", "0", "greater than 0");
    refused(|p| p.schedule.end = f64::INFINITY, "schedule.end", "inf", "finite");
    refused(|p| p.schedule = Schedule::even(0, -1.0, 1), "schedule.end", "-1", "at least 0");
    let stop = |p: &mut Problem| p.schedule.stop = Some("mean_0 > time".parse().expect("a condition"));
    refused(stop, "schedule.stop", "no sample has", "mean_0 is none");
    let after = |list: &[u64]| Samples::After(list.to_vec());
    refused(|p| p.schedule.samples = after(&[2, 2]), "schedule.samples", "[2, 2]", "ascending");
    refused(|p| p.schedule.samples = after(&[2, 11]), "schedule.samples", "[2, 11]", "at most schedule.steps = 10");
    refused(|p| p.tolerance = Some(0.0), "tolerance", "0", "greater than 0");
}

#[test]
fn attention_that_does_not_fit_the_tokens_is_refused() {
    let at = "model.attention";
    refused(attention(|a| a.beta = f64::NAN), &format!("{at}.beta"), "NaN", "finite");
    refused(attention(|a| a.beta_factors = vec![1.0]), &format!("{at}.beta_factors"), "1", "replicas = 2");
    refused(attention(|a| a.beta_factors = vec![1.0, 1.5]), &format!("{at}.beta_factors[1]"), "1.5", "from 0 to 1");
    let sinkhorn = Normalization::Sinkhorn { iterations: 3, tolerance: -1.0 };
    refused(attention(|a| a.normalization = sinkhorn), &format!("{at}.normalization.tolerance"), "-1", "at least 0");
    let position = |position: Position| attention(|a| a.position = position);
    refused(position(Position::Alibi { decay: f64::NAN }), &format!("{at}.position.decay"), "NaN", "finite");
    let decaying =
        |a: &mut Attention| (a.normalization, a.position) = (Normalization::Relu, Position::Alibi { decay: 1.0 });
    refused(attention(decaying), &format!("{at}.position"), "divides weights", "Normalization::Unnormalized");
    refused(position(Position::Rotary { base: 0.0 }), &format!("{at}.position.base"), "0", "greater than 0");
    refused(
        position(Position::Additive { places: vec![0.0; 4], in_values: false }),
        &format!("{at}.position"),
        "4",
        "count * dim = 6",
    );
    let at = "model.attention.heads[0]";
    refused(head(|h| h.weight = f64::INFINITY), &format!("{at}.weight"), "inf", "finite");
    refused(head(|h| h.beta = Some(f64::NAN)), &format!("{at}.beta"), "NaN", "finite");
    let matrix = |matrix: Matrix| head(|h| h.value = matrix);
    refused(matrix(Matrix::Scale(f64::NAN)), &format!("{at}.value"), "NaN", "finite");
    refused(matrix(Matrix::Diagonal(vec![1.0; 3])), &format!("{at}.value"), "3", "dim = 2");
    refused(matrix(Matrix::Dense(vec![1.0; 3])), &format!("{at}.value"), "3", "dim * dim = 4");
    refused(matrix(product(0, 0)), &format!("{at}.value"), "0", "rank");
    refused(matrix(product(5, 4)), &format!("{at}.value.left"), "5", "rank * dim = 4");
    refused(matrix(product(4, 2)), &format!("{at}.value.right"), "2", "rank * dim = 4");
    let biased = |biases: Biases| head(|h| (h.query_key, h.biases) = (product(4, 4), biases));
    refused(biased(Biases { query: vec![1.0], ..Biases::default() }), &format!("{at}.biases.query"), "1", "2");
    refused(biased(Biases { key: vec![1.0], ..Biases::default() }), &format!("{at}.biases.key"), "1", "2");
    refused(biased(Biases { value: vec![1.0], ..Biases::default() }), &format!("{at}.biases.value"), "1", "0");
    refused(biased(Biases { output: vec![1.0], ..Biases::default() }), &format!("{at}.biases.output"), "1", "2");
}

#[test]
fn other_terms_that_do_not_fit_the_tokens_are_refused() {
    let at = "model.perceptron";
    refused(perceptron(|p| p.inner.truncate(4)), &format!("{at}.inner"), "4", "width * dim = 6");
    refused(perceptron(|p| p.outer.truncate(4)), &format!("{at}.outer"), "4", "width * dim = 6");
    refused(perceptron(|p| p.bias[1] = f64::NAN), &format!("{at}.bias[1]"), "NaN", "finite");
    refused(perceptron(|p| p.output_bias.truncate(1)), &format!("{at}.output_bias"), "1", "dim = 2");
    refused(noise(NoiseField::Independent, -1.0), "model.noise.intensity", "-1", "at least 0");
    let empty = NoiseField::CommonPerceptron { width: 0, activation: Activation::Relu };
    refused(noise(empty, 1.0), "model.noise.field.width", "0", "at least 1");
    refused(geometry(Geometry::Ngpt { alpha: f64::NAN }), "model.geometry.alpha", "NaN", "finite");
    refused(layer_norm(|norm| norm.gain.truncate(1)), "model.geometry.perceptron.gain", "1", "dim = 2");
    refused(layer_norm(|norm| norm.bias.truncate(1)), "model.geometry.perceptron.bias", "1", "dim = 2");
    refused(layer_norm(|norm| norm.epsilon = -1.0), "model.geometry.perceptron.epsilon", "-1", "at least 0");
    let rescaled = |problem: &mut Problem| {
        problem.model.geometry = Geometry::Rescaled;
        problem.model.attention.heads.push(Head::default());
    };
    refused(rescaled, "model.geometry", "2", "one head");
}

#[test]
fn schedules_of_the_model_that_do_not_fit_the_tokens_are_refused() {
    let at = "model_schedule[0]";
    let layer = Model::from(Attention { beta: f64::NAN, ..Attention::default() });
    let layers = |problem: &mut Problem| problem.model_schedule = ModelSchedule::Layers(vec![layer]);
    refused(layers, &format!("{at}.attention.beta"), "NaN", "finite");
    let ramp =
        |times: &[f64], values: &[f64]| part(Part::Beta(Ramp { times: times.into(), values: values.into() }.into()));
    refused(ramp(&[0.0, f64::NAN], &[1.0, 2.0]), &format!("{at}.times[1]"), "NaN", "finite");
    refused(ramp(&[0.0, 1.0], &[1.0]), &format!("{at}.values"), "1", "as many as times = 2");
    refused(ramp(&[1.0, 0.0], &[1.0, 2.0]), &format!("{at}.times"), "[1.0, 0.0]", "ascending");
    let weight = |head, values: &[f64]| part(Part::Weight { head, schedule: NumberSchedule::Layers(values.into()) });
    refused(weight(1, &[1.0]), &format!("{at}.head"), "1", "number of heads");
    refused(weight(0, &[1.0, f64::NAN]), &format!("{at}.layers[1]"), "NaN", "finite");
    refused(part(Part::Alpha(NumberSchedule::Layers(vec![1.0]))), at, "alpha", "Geometry::Ngpt");
    let schedule = |layers: &[usize], weight: Option<f64>| {
        let layer = |width: &usize| Perceptron {
            inner: vec![1.0; 2 * width],
            outer: vec![1.0; 2 * width],
            bias: vec![0.0; *width],
            output_bias: vec![0.0; 2],
            activation: Activation::Relu,
        };
        let weight = weight.map(|weight| NumberSchedule::Layers(vec![weight]));
        Part::Perceptron(PerceptronSchedule { layers: layers.iter().map(layer).collect(), weight })
    };
    let changing = |changes: Part| {
        |problem: &mut Problem| {
            perceptron(|_| {})(problem);
            part(changes)(problem);
        }
    };
    refused(part(schedule(&[3], None)), at, "a perceptron", "that has one");
    refused(changing(schedule(&[], None)), &format!("{at}.layers"), "0", "one or more");
    refused(
        changing(schedule(&[3, 2], None)),
        &format!("{at}.layers[1].bias"),
        "2",
        "as wide as that of the model, 3",
    );
    refused(changing(schedule(&[3], Some(f64::INFINITY))), &format!("{at}.weight.layers[0]"), "inf", "finite");
    refused(part(Part::Rescaled { dim: 3 }), &format!("{at}.dim"), "3", "tokens.shape.dim = 2");
    let ngpt = Part::Geometry { from: 1, geometry: Geometry::Ngpt { alpha: f64::NAN } };
    refused(part(ngpt), &format!("{at}.geometry.alpha"), "NaN", "finite");
    let second = Part::Matrix { head: 1, operand: Operand::Value, schedule: MatrixSchedule::OfQueryKey(1.0) };
    refused(part(second), &format!("{at}.head"), "1", "number of heads");
    let at = "model_schedule[0].schedule";
    refused(matrices(MatrixSchedule::OfQueryKey(f64::NAN)), at, "NaN", "finite");
    let layers = MatrixSchedule::Layers(vec![Matrix::Dense(vec![1.0])]);
    refused(matrices(layers), &format!("{at}[0]"), "1", "dim * dim = 4");
    let oscillating = |base: usize, amplitude: usize, frequency: f64| {
        let (base, amplitude) = (vec![1.0; base], vec![1.0; amplitude]);
        matrices(MatrixSchedule::Oscillating { base, amplitude, frequency })
    };
    refused(oscillating(3, 4, 1.0), &format!("{at}.base"), "3", "dim * dim = 4");
    refused(oscillating(4, 3, 1.0), &format!("{at}.amplitude"), "3", "dim * dim = 4");
    refused(oscillating(4, 4, f64::NAN), &format!("{at}.frequency"), "NaN", "finite");
    let random = |variance: f64, dim: usize| {
        let random =
            RandomMatrix { ensemble: Ensemble::Goe, variance, every: None, dim, seed: 1, draws: Draws::Shared };
        matrices(MatrixSchedule::Random(random))
    };
    refused(random(-1.0, 2), &format!("{at}.variance"), "-1", "at least 0");
    refused(random(1.0, 3), &format!("{at}.dim"), "3", "tokens.shape.dim = 2");
    let wandering = |mean: usize, rate: f64, intensity: f64, step: f64| {
        let process = OrnsteinUhlenbeck {
            mean: vec![0.0; mean],
            rate,
            intensity,
            start: ProcessStart::Mean,
            is_symmetric: false,
            draws: Draws::Shared,
            step,
            seed: 1,
        };
        matrices(MatrixSchedule::OrnsteinUhlenbeck(process))
    };
    refused(wandering(3, 1.0, 1.0, 0.1), &format!("{at}.mean"), "3", "dim * dim = 4");
    refused(wandering(4, 0.0, 1.0, 0.1), &format!("{at}.rate"), "0", "greater than 0");
    refused(wandering(4, 1.0, f64::NAN, 0.1), &format!("{at}.intensity"), "NaN", "finite");
    refused(wandering(4, 1.0, 1.0, -0.1), &format!("{at}.step"), "-0.1", "at least 0");
}

/// What is refused never reaches a backend.
#[test]
fn backends_refuse_what_is_no_problem() {
    let mut malformed = problem();
    malformed.tokens.coordinates.pop();
    let errors = [
        Cpu::<f64>::new(&malformed).map(|_| ()).expect_err("too few coordinates"),
        Reference::new(&malformed).map(|_| ()).expect_err("too few coordinates"),
    ];
    for error in errors {
        assert!(error.to_string().starts_with("tokens.coordinates has 11 numbers; "), "{error}");
    }
}
