//! What the terms of the equation mean.

use ndarray::{Array1, Array2, Array3};
use ndarray_npy::write_npy;

use super::super::{tests::GOOD, *};
use crate::{
    model::{
        Activation, Biases, Calculus, Draws, Ensemble, Geometry, LayerNorm, Mask, Matrix, MatrixSchedule,
        ModelSchedule, Noise, NoiseField, Normalization, NumberSchedule, Operand, OrnsteinUhlenbeck, Part,
        Perceptron, PerceptronSchedule, Position, ProcessStart, Ramp, RandomMatrix,
    },
    problem::Problem,
};

/// The good experiment with overrides, in a folder of arrays; its resolved file means the same.
fn problem(overrides: &[&str]) -> Problem {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let counted = |shape: (usize, usize)| Array2::from_shape_fn(shape, |(k, l)| (10 * k + l) as f64);
    write_npy(at("two-rows.npy"), &counted((2, 3))).unwrap();
    write_npy(at("two-columns.npy"), &counted((3, 2))).unwrap();
    write_npy(at("places.npy"), &counted((6, 3))).unwrap();
    write_npy(at("two.npy"), &Array1::from(vec![1.0, 2.0])).unwrap();
    write_npy(
        at("stack.npy"),
        &Array3::from_shape_fn((200, 3, 3), |(layer, k, l)| (100 * layer + 10 * k + l) as f64),
    )
    .unwrap();
    let file = at("clusters.toml");
    std::fs::write(&file, GOOD).unwrap();
    let overrides: Vec<Override> = overrides.iter().map(|text| text.parse().unwrap()).collect();
    let experiment = Experiment::read(&file, &overrides).unwrap_or_else(|error| panic!("{error}"));
    let problem = experiment.resolve().unwrap_or_else(|error| panic!("{error}"));
    let written = experiment.to_toml().unwrap();
    let again = Experiment::parse(&written).unwrap_or_else(|error| panic!("{error} in\n{written}"));
    assert!(again.resolve().unwrap() == problem, "another problem in\n{written}");
    problem
}

#[test]
fn heads_of_factors() {
    let head = "attention.head=[{ query = { path = \"two-rows.npy\" }, key = [[1, 0, 0], [0, 2, 0]], \
                query-bias = { path = \"two.npy\" }, key-bias = [3, 4], value = { rows = [[0, 0, 1], [0, 1, 0]] }, \
                output = { path = \"two-columns.npy\" }, value-bias = [5, 6], output-bias = [7, 8, 9], \
                beta = 2.5, weight = -0.5 }]";
    let heads = problem(&[head]).model.attention.heads;
    let head = &heads[0];
    assert_eq!((heads.len(), head.beta, head.weight), (1, Some(2.5), -0.5));
    let left = vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0];
    assert_eq!(head.query_key, Matrix::Product { left, right: vec![1.0, 0.0, 0.0, 0.0, 2.0, 0.0] });
    // output is [[0, 1], [10, 11], [20, 21]], of which the left factor is the transpose.
    let left = vec![0.0, 10.0, 20.0, 1.0, 11.0, 21.0];
    assert_eq!(head.value, Matrix::Product { left, right: vec![0.0, 0.0, 1.0, 0.0, 1.0, 0.0] });
    let biases =
        Biases { query: vec![1.0, 2.0], key: vec![3.0, 4.0], value: vec![5.0, 6.0], output: vec![7.0, 8.0, 9.0] };
    assert_eq!(head.biases, biases);
}

#[test]
fn normalizations_masks_and_positions() {
    let sinkhorn =
        "attention={ beta = 1, normalization = \"sinkhorn\", sinkhorn = { iterations = 7, tolerance = 1e-3 } }";
    let normalization = Normalization::Sinkhorn { iterations: 7, tolerance: 1e-3 };
    assert_eq!(problem(&[sinkhorn]).model.attention.normalization, normalization);
    let set = ["attention.normalization=hardmax", "attention.mask=others", "attention.window=3"];
    let attention = problem(&set).model.attention;
    assert_eq!((attention.normalization, attention.mask), (Normalization::Hardmax, Mask::Others));
    assert_eq!(attention.window, Some(3));
    let position = |set: &[&str]| problem(set).model.attention.position;
    let alibi = ["attention.mask=causal", "attention.position={ alibi = 0.5 }", "attention.normalization=shifted"];
    assert_eq!(position(&alibi), Position::Alibi { decay: 0.5 });
    let factors = "attention.head=[{ query = { path = \"two-rows.npy\" }, key = { path = \"two-rows.npy\" } }]";
    assert_eq!(position(&["attention.position={ rotary = 100 }", factors]), Position::Rotary { base: 100.0 });
    let additive = position(&["attention.position={ additive = { path = \"places.npy\" } }"]);
    assert!(
        matches!(additive, Position::Additive { places, in_values: false } if places.len() == 18 && places[17] == 52.0)
    );
    let everywhere = position(&["attention.position={ additive = { path = \"places.npy\" }, values = true }"]);
    assert!(matches!(everywhere, Position::Additive { in_values: true, .. }));
}

#[test]
fn perceptrons() {
    let layers = "perceptron={ inner = [[1, 2, 3], [4, 5, 6]], outer = { path = \"two-rows.npy\" }, \
                  bias = { path = \"two.npy\" }, activation = \"gelu\" }";
    let expected = Perceptron {
        inner: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        outer: vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0],
        bias: vec![1.0, 2.0],
        output_bias: vec![0.0; 3],
        activation: Activation::Gelu,
    };
    assert_eq!(problem(&[layers]).model.perceptron, Some(expected));
    let gradient = "perceptron={ gradient = { directions = [[1, 2, 3], [4, 5, 6]], weights = [-1, 0.5] }, \
                    activation = \"tanh\" }";
    let expected = Perceptron {
        inner: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        outer: vec![-1.0, -2.0, -3.0, 2.0, 2.5, 3.0],
        bias: vec![0.0; 2],
        output_bias: vec![0.0; 3],
        activation: Activation::Tanh,
    };
    assert_eq!(problem(&[gradient]).model.perceptron, Some(expected));
    // -2 sum_k outer_k sigma(..) - 2 output_bias: the output is multiplied, wherever a token is.
    for form in [layers, gradient] {
        let [once, twice] = ["1.0", "-2.0"].map(|weight| {
            let perceptron =
                problem(&[form, &format!("perceptron.weight={weight}")]).model.perceptron.expect("a perceptron");
            let x = [0.3, -0.5, 0.8];
            let mut output = perceptron.output_bias.clone();
            for (k, inner) in perceptron.inner.chunks_exact(3).enumerate() {
                let s: f64 = inner.iter().zip(x).map(|(a, x)| a * x).sum::<f64>() + perceptron.bias[k];
                let outer = &perceptron.outer[3 * k..][..3];
                output.iter_mut().zip(outer).for_each(|(output, u)| *output += u * perceptron.activation.of(s));
            }
            output
        });
        assert!(once.iter().any(|output| *output != 0.0));
        assert_eq!(once.iter().map(|output| -2.0 * output).collect::<Vec<_>>(), twice, "{form}");
        assert_eq!(problem(&[form, "perceptron.weight=1.0"]).model, problem(&[form]).model);
    }
}

#[test]
fn geometries() {
    let geometry = |set: &[&str]| problem(set).model.geometry;
    assert_eq!(geometry(&["tokens.geometry=post-norm"]), Geometry::Sphere);
    assert_eq!(geometry(&["tokens.geometry=euclidean"]), Geometry::Euclidean);
    assert_eq!(geometry(&["tokens.geometry=pre-norm"]), Geometry::PreNorm);
    assert_eq!(geometry(&["tokens.geometry=peri-norm"]), Geometry::PeriNorm);
    assert_eq!(geometry(&["tokens.geometry=ngpt", "tokens.alpha=0.5"]), Geometry::Ngpt { alpha: 0.5 });
    let norms = "layer-norm={ epsilon = 1e-5, attention = { gain = [1, 2, 3] }, perceptron = { bias = [4, 5, 6] } }";
    let norm = |gain: [f64; 3], bias: [f64; 3]| LayerNorm { gain: gain.into(), bias: bias.into(), epsilon: 1e-5 };
    let expected = Geometry::LayerNorm {
        attention: norm([1.0, 2.0, 3.0], [0.0; 3]),
        perceptron: norm([1.0; 3], [4.0, 5.0, 6.0]),
    };
    assert_eq!(geometry(&["tokens.geometry=layer-norm", norms, "time.scheme=layer"]), expected);
}

#[test]
fn a_mixed_norm_switches_at_its_step() {
    let problem = problem(&["tokens.geometry=mix-norm", "tokens.switch=0.5"]);
    let geometry = |step| problem.model_schedule.at(&problem.model, step, 0.0).geometry.clone();
    assert_eq!((geometry(9), geometry(10)), (Geometry::Sphere, Geometry::PreNorm));
    assert_eq!(problem.model.geometry, Geometry::Sphere);
}

#[test]
fn a_rescaled_cloud_starts_with_its_own_scores() {
    let head = "attention.head=[{ query-key = { diagonal = [1, 2, 3] }, value = { diagonal = [1, 0, -1] } }]";
    let problem = problem(&["tokens.geometry=rescaled", head]);
    assert_eq!(problem.model.geometry, Geometry::Rescaled);
    let scores =
        |step, time| problem.model_schedule.at(&problem.model, step, time).attention.heads[0].query_key.dense(3, 1.0);
    let off = |found: Vec<f64>, expected: [f64; 3]| -> f64 {
        (0..9).map(|k| (found[k] - if k % 4 == 0 { expected[k / 4] } else { 0.0 }).abs()).fold(0.0, f64::max)
    };
    assert!(off(scores(0, 0.0), [1.0, 2.0, 3.0]) < 1e-13);
    assert!(matches!(problem.model.attention.heads[0].query_key, Matrix::Dense(_)), "one form at all times");
    assert!(off(scores(20, 1.0), [2f64.exp(), 2.0, 3.0 * (-2f64).exp()]) < 1e-13);
}

#[test]
fn noises() {
    let noise = |set: &str, scheme: &str| problem(&[set, scheme]).model.noise.unwrap();
    let plain =
        Noise { field: NoiseField::Independent, intensity: 0.5, calculus: Calculus::Ito, seed: 7, is_shared: false };
    let ito = "time.scheme=euler";
    assert_eq!(noise("noise={ field = \"independent\", intensity = 0.5, calculus = \"ito\" }", ito), plain);
    let set =
        "noise={ field = \"common-matrix\", intensity = 0.5, calculus = \"ito\", replicas = \"shared\", seed = 3 }";
    let expected = Noise { field: NoiseField::CommonMatrix, seed: 3, is_shared: true, ..plain.clone() };
    assert_eq!(noise(set, ito), expected);
    let set = "noise={ field = \"common-perceptron\", width = 5, activation = \"tanh\", intensity = 0.5, \
               calculus = \"stratonovich\" }";
    let field = NoiseField::CommonPerceptron { width: 5, activation: Activation::Tanh };
    assert_eq!(noise(set, "time.scheme=heun"), Noise { field, calculus: Calculus::Stratonovich, ..plain });
}

/// The only part of the model schedule, for a query-key typed so.
fn part(form: &str) -> MatrixSchedule {
    match problem(&[&format!("attention.head=[{{ query-key = {form} }}]")]).model_schedule {
        ModelSchedule::Parts(mut parts) => match parts.pop() {
            Some(Part::Matrix { head: 0, operand: Operand::QueryKey, schedule }) if parts.is_empty() => schedule,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn ramps_of_beta() {
    let beta = problem(&["attention.beta={ times = [1, 2], values = [3, 5] }"]);
    assert_eq!(
        beta.model_schedule,
        ModelSchedule::Parts(vec![Part::Beta(Ramp { times: vec![1.0, 2.0], values: vec![3.0, 5.0] }.into())])
    );
    assert_eq!(beta.model.attention.beta, 3.0);
    let stack = part("{ layers = \"stack.npy\" }");
    assert!(
        matches!(stack, MatrixSchedule::Layers(layers) if layers.len() == 200 && layers[7].dense(3, 1.0)[5] == 712.0)
    );
    let identity = || Matrix::Identity.dense(3, 1.0);
    let oscillating = part("{ base = \"identity\", amplitude = { scale = 0.5 }, frequency = 3 }");
    let amplitude = Matrix::Scale(0.5).dense(3, 1.0);
    assert_eq!(oscillating, MatrixSchedule::Oscillating { base: identity(), amplitude, frequency: 3.0 });
    let process = part("{ ornstein-uhlenbeck = { mean = \"identity\", rate = 2, intensity = 0.5 } }");
    let expected = OrnsteinUhlenbeck {
        mean: identity(),
        rate: 2.0,
        intensity: 0.5,
        start: ProcessStart::Mean,
        is_symmetric: false,
        draws: Draws::Shared,
        step: 0.05,
        seed: 7,
    };
    assert_eq!(process, MatrixSchedule::OrnsteinUhlenbeck(expected.clone()));
    let process = part(
        "{ ornstein-uhlenbeck = { mean = \"identity\", rate = 2, intensity = 0.5, start = \"stationary\", symmetric = true, draws = \"pairs\" } }",
    );
    let (start, draws) = (ProcessStart::Stationary, Draws::Pairs(1));
    let expected = OrnsteinUhlenbeck { start, is_symmetric: true, draws, ..expected };
    assert_eq!(process, MatrixSchedule::OrnsteinUhlenbeck(expected));
    let random = part("{ ensemble = \"gaussian-product\", variance = 0.25, every = 4 }");
    let ensemble = Ensemble::GaussianProduct;
    let expected = RandomMatrix { ensemble, variance: 0.25, every: Some(4), dim: 3, seed: 7, draws: Draws::Shared };
    assert_eq!(random, MatrixSchedule::Random(expected));
}

#[test]
fn numbers_and_perceptrons_that_change() {
    let parts = |overrides: &[&str]| match problem(overrides).model_schedule {
        ModelSchedule::Parts(parts) => parts,
        other => panic!("{other:?}"),
    };
    let ramp = || NumberSchedule::Ramp(Ramp { times: vec![1.0, 2.0], values: vec![-3.0, 5.0] });
    let weight = "attention.head=[{}, { copies = 2, weight = { times = [1, 2], values = [-3, 5] } }]";
    let of_head = |head| Part::Weight { head, schedule: ramp() };
    assert_eq!(parts(&[weight]), [of_head(1), of_head(2)]);
    assert_eq!(problem(&[weight]).model.attention.heads[2].weight, -3.0);
    let two = ["time={ scheme = \"heun\", step = 1, end = 2 }"];
    let layers = |key: &str| parts(&[&[key][..], &two].concat());
    let numbers = || NumberSchedule::Layers(vec![1.5, 2.5, 4.0]);
    assert_eq!(layers("attention.beta={ layers = [1.5, 2.5, 4] }"), [Part::Beta(numbers())]);
    let alpha = parts(&["tokens.geometry=ngpt", "tokens.alpha={ layers = [1.5, 2.5, 4] }", two[0]]);
    assert_eq!(alpha, [Part::Alpha(numbers())]);
    let perceptron = "activation = \"tanh\", inner = [[1, 0, 2]], outer = [[0, 1, 3]]";
    let layer = |outer: [f64; 3], bias, output: [f64; 3]| Perceptron {
        inner: vec![1.0, 0.0, 2.0],
        outer: outer.into(),
        bias: vec![bias],
        output_bias: output.into(),
        activation: Activation::Tanh,
    };
    let weighed =
        parts(&[&format!("perceptron={{ {perceptron}, weight = {{ times = [1, 2], values = [-3, 5] }} }}")]);
    let plain = layer([0.0, 1.0, 3.0], 0.0, [0.0; 3]);
    let expected = PerceptronSchedule { layers: vec![plain.clone()], weight: Some(ramp()) };
    assert_eq!(weighed, [Part::Perceptron(expected)]);
    let stacked = layers(&format!(
        "perceptron={{ {perceptron}, weight = 2, bias = {{ layers = [[5], [7]] }}, \
         output-bias = {{ layers = \"two-rows.npy\" }} }}"
    ));
    let doubled = |bias, output| layer([0.0, 2.0, 6.0], bias, output);
    let expected = vec![doubled(5.0, [0.0, 2.0, 4.0]), doubled(7.0, [20.0, 22.0, 24.0])];
    assert_eq!(stacked, [Part::Perceptron(PerceptronSchedule { layers: expected, weight: None })]);
    let gradient = layers(
        "perceptron={ activation = \"relu\", gradient = { directions = { layers = \"stack.npy\" }, \
         weights = { layers = [[1, 0, 0], [0, 0, 2]] } } }",
    );
    let [Part::Perceptron(PerceptronSchedule { layers, weight: None })] = &gradient[..] else {
        panic!("{gradient:?}")
    };
    assert_eq!(layers.len(), 2);
    assert_eq!(layers[0].outer, [0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(layers[1].inner, [100.0, 101.0, 102.0, 110.0, 111.0, 112.0, 120.0, 121.0, 122.0]);
    assert_eq!(layers[1].outer, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 240.0, 242.0, 244.0]);
}

#[test]
fn what_is_drawn_once_or_follows_is_constant() {
    let head = "attention.head=[{ query-key = { ensemble = \"goe\", variance = 1 }, value = { query-key = -2 } }]";
    let problem = problem(&[head]);
    assert_eq!(problem.model_schedule, ModelSchedule::Constant);
    let head = &problem.model.attention.heads[0];
    let doubled: Vec<f64> = head.query_key.dense(3, -2.0);
    assert!(head.value.dense(3, 1.0) == doubled && doubled[1] != 0.0);
    let following = "attention.head=[{ query-key = { scale = 3 }, value = { query-key = -2 } }]";
    assert_eq!(self::problem(&[following]).model.attention.heads[0].value, Matrix::Scale(-6.0));
}

#[test]
fn normal_laws_have_their_mean_and_covariance() {
    let law =
        "tokens.initial={ law = \"gaussian\", mean = [1, 2, 3], covariance = [[2, 1, 0], [1, 2, 0], [0, 0, 0]] }";
    let problem = problem(&[law, "tokens.geometry=euclidean", "tokens.count=40000"]);
    let tokens: Vec<&[f64]> = problem.tokens.coordinates.chunks(3).collect();
    let mean = |f: &dyn Fn(&[f64]) -> f64| tokens.iter().map(|x| f(x)).sum::<f64>() / tokens.len() as f64;
    let centre = [1.0, 2.0, 3.0];
    for (k, expected) in [[2.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0; 3]].iter().enumerate() {
        // Five standard deviations of a mean of 40,000.
        assert!((mean(&|x| x[k]) - centre[k]).abs() < 0.04);
        for (l, expected) in expected.iter().enumerate() {
            let found = mean(&|x| (x[k] - centre[k]) * (x[l] - centre[l]));
            assert!((found - expected).abs() < 0.08, "({k}, {l}): {found}");
        }
    }
    let scaled = ["tokens.initial={ law = \"gaussian\", scale = 0 }", "tokens.geometry=euclidean"];
    assert!(self::problem(&scaled).tokens.coordinates.iter().all(|component| *component == 0.0));
}
