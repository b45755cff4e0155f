//! Terms of the equation that are typed wrongly, and the whole text of what the user is told.

use ndarray::{Array1, Array2, Array3};
use ndarray_npy::write_npy;

use super::super::{tests::GOOD, *};

/// The errors of the good experiment with each of these overrides, in a folder of a few arrays.
fn refusals(sets: &[&[&str]]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_npy(at("two.npy"), &Array1::<f64>::ones(2)).unwrap();
    write_npy(at("square.npy"), &Array2::<f64>::eye(2)).unwrap();
    write_npy(at("stack.npy"), &Array3::<f64>::zeros((4, 3, 3))).unwrap();
    write_npy(at("origin.npy"), &Array2::<f64>::zeros((6, 3))).unwrap();
    let file = at("clusters.toml");
    std::fs::write(&file, GOOD).unwrap();
    let message = |set: &&[&str]| {
        let overrides: Vec<Override> = set.iter().map(|text| text.parse().unwrap()).collect();
        let error = match Experiment::read(&file, &overrides).and_then(|experiment| experiment.resolve()) {
            Ok(_) => panic!("{set:?} is accepted"),
            Err(error) => error.to_string(),
        };
        let error = error.replace(&format!("{}", folder.path().display()), "FOLDER");
        let (head, tail) = error.split_once(": ").unwrap();
        assert!(head.starts_with("FOLDER/clusters.toml"), "{error}");
        tail.to_owned()
    };
    sets.iter().map(message).collect::<Vec<_>>().join("\n")
}

const LINE: &str = "tokens.initial={ law = \"box\", low = -1, high = 1 }";

#[test]
fn heads() {
    let refusals = refusals(&[
        &["attention.head=[{ query = [[1, 0, 0]] }]"],
        &["attention.head=[{ query = [[1, 0, 0]], key = [[1, 0]] }]"],
        &["attention.head=[{ query = [[1, 0, 0]], key = [[1, 0, 0], [0, 1, 0]] }]"],
        &["attention.head=[{ query = { path = \"square.npy\" }, key = [[1, 0, 0]] }]"],
        &["attention.head=[{ query = { rows = [] }, key = [[1, 0, 0]] }]"],
        &["attention.head=[{ query = { rows = [], path = \"square.npy\" }, key = [[1, 0, 0]] }]"],
        &["attention.head=[{ query = [[1, 0, 0]], key = [[1, 0, 0]], query-key = \"identity\" }]"],
        &["attention.head=[{ query = [[1, 0, 0]], key = [[1, 0, 0]], query-bias = [1, 2] }]"],
        &["attention.head=[{ query = [[1, 0, 0]], key = [[1, 0, 0]], key-bias = { path = \"two.npy\" } }]"],
        &["attention.head=[{ query-bias = [1] }]"],
        &["attention.head=[{ output-bias = [1, 2, 3] }]"],
        &["attention.head=[{ value = [[1, 0, 0]], output = [[1], [0]] }]"],
        &["attention.head=[{ value = \"identity\", output = [[1], [0], [0]] }]"],
        &["attention.head=[{ weight = inf }]"],
        &["attention.head=[{ beta = -1 }]"],
    ]);
    insta::assert_snapshot!(refusals, @r#"
    attention.head.0.key: missing; write e.g. attention.head.0.key = { path = "K.npy" }
    attention.head.0.key = [[1.0, 0.0]]: has 2 numbers in row 0, counted from 0; write rows of 3 numbers
    attention.head.0.key: has 2 rows of 3 numbers, and query has 1; write 1 rows of 3 numbers
    attention.head.0.query.path = "FOLDER/square.npy": has the shape (2, 2); save an array of one or more rows of 3 numbers
    attention.head.0.query.rows = []: has no rows; write rows of 3 numbers
    attention.head.0.query.path = "square.npy": stands beside rows; write one of the two
    attention.head.0.query-key = "identity": stands beside its factors; write query-key, or query and key
    attention.head.0.query-bias = [1.0, 2.0]: has 2 numbers, and query has 1; write 1 numbers
    attention.head.0.key-bias.path = "FOLDER/two.npy": has the shape (2,), and query has 1; save an array of shape (1,)
    attention.head.0.query-bias = [1]: is a bias of factors; write query and key, the factors of query-key, or leave the bias out
    attention.head.0.output-bias = [1, 2, 3]: is a bias of factors; write output beside value, the factors of the whole, or leave the bias out
    attention.head.0.output: has 2 rows of 1 numbers, and a token has 3; write 3 rows of 1 numbers
    attention.head.0.value = "identity": must be a table, and is text; write e.g. attention.head.0.value = { path = "V.npy" }
    attention.head.0.weight = inf: must be finite; write e.g. attention.head.0.weight = 0.5
    attention.head.0.beta = -1: must be finite and at least 0; write e.g. attention.head.0.beta = 4.0
    "#);
}

#[test]
fn attention_words_and_numbers() {
    let refusals = refusals(&[
        &["attention.normalization=sinkhorn"],
        &["attention.normalization=sinkhorn", "attention.sinkhorn={ iterations = 0, tolerance = 0 }"],
        &["attention.sinkhorn={ iterations = 1, tolerance = 0 }"],
        &["attention.window=0"],
        &["attention.position={ alibi = -1 }"],
        &["attention.position={ alibi = 1, rotary = 10 }"],
        &["attention.position={ additive = [[1, 0, 0]] }"],
        &["attention.position={ rotary = 10, values = true }"],
        &["attention.beta={ times = [1, 0], values = [1, 2] }"],
        &["attention.beta={ times = [0, 1], values = [1] }"],
        &["attention.beta={ times = [0, 1], values = [1, -2] }"],
        &["attention.layers=[0]"],
    ]);
    insta::assert_snapshot!(refusals, @r#"
    attention.sinkhorn: missing; write e.g. attention.sinkhorn = { iterations = 20, tolerance = 1e-6 }
    attention.sinkhorn.iterations = 0: must be at least 1; write e.g. attention.sinkhorn.iterations = 20
    attention.sinkhorn = { iterations = 1, tolerance = 0 }: belongs to another normalization; write normalization = "sinkhorn", or leave it out
    attention.window = 0: must be at least 1; write e.g. attention.window = 64
    attention.position.alibi = -1: must be finite and at least 0; write e.g. attention.position.alibi = 1.0
    attention.position = { alibi = 1, rotary = 10 }: must have exactly one of alibi, rotary and additive; write e.g. attention.position = { rotary = 10000.0 }
    attention.position.additive: has 1 rows of 3 numbers, and a replica has 6; write 6 rows of 3 numbers
    attention.position.values = true: says where vectors of places are added, and there are none; write additive = { path = "p.npy" } beside it, or leave it out
    attention.beta.times = [1, 0]: must be one or more layer-times in ascending order; write e.g. attention.beta.times = [0.0, 10.0]
    attention.beta.values = [1]: has 1 numbers, and there are 2 times; write 2 numbers
    attention.beta.values = [1, -2]: must be finite and at least 0, each of them; write e.g. attention.beta.values = [1.0, 8.0]
    attention.layers = [0]: is about a trained model; write model = "model.safetensors", or leave it out
    "#);
}

#[test]
fn courses_of_matrices() {
    let head = |form: &str| format!("attention.head=[{{ query-key = {form} }}]");
    let sets = [
        head("{ layers = \"stack.npy\" }"),
        head("{ layers = \"square.npy\" }"),
        head("{ layers = [[[1, 0], [0, 1]]] }"),
        head("{ ensemble = \"goe\" }"),
        head("{ ensemble = \"gue\", variance = 1 }"),
        head("{ ensemble = \"goe\", variance = 0 }"),
        head("{ ensemble = \"goe\", variance = 1, every = 0 }"),
        head("{ base = \"identity\", amplitude = { layers = \"stack.npy\" }, frequency = 1 }"),
        head("{ base = \"identity\", frequency = 1 }"),
        head("{ ornstein-uhlenbeck = { mean = \"identity\", rate = 0, intensity = 1 } }"),
        head("{ ornstein-uhlenbeck = { mean = { diagonal = [1] }, rate = 1, intensity = 1 } }"),
        head("{ query-key = 1 }"),
        head("{ layers = \"stack.npy\", scale = 2 }"),
    ];
    let sets: Vec<[&str; 1]> = sets.iter().map(|set| [set.as_str()]).collect();
    let sets: Vec<&[&str]> = sets.iter().map(|set| &set[..]).collect();
    insta::assert_snapshot!(refusals(&sets), @r#"
    attention.head.0.query-key.layers = "FOLDER/stack.npy": has 4 matrices, and there are 200 steps; write one matrix a step, or a smaller time.end
    attention.head.0.query-key.layers = "FOLDER/square.npy": has the shape (2, 2); save an array of shape (steps, 3, 3)
    attention.head.0.query-key.layers.0.rows = [[1.0, 0.0], [0.0, 1.0]]: has 2 rows and tokens have 3 components; write 3 rows of 3 numbers
    attention.head.0.query-key.variance: missing; write e.g. attention.head.0.query-key.variance = 1.0
    attention.head.0.query-key.ensemble = "gue": not supported; accepted: "gaussian", "goe", "wigner", "psd", "gaussian-product"
    attention.head.0.query-key.variance = 0: must be finite and greater than 0; write e.g. attention.head.0.query-key.variance = 1.0
    attention.head.0.query-key.every = 0: must be at least 1; write e.g. attention.head.0.query-key.every = 1
    attention.head.0.query-key.amplitude.layers: unknown key; known here: scale, diagonal, rows, path
    attention.head.0.query-key.amplitude: missing; write e.g. attention.head.0.query-key.amplitude = { scale = 0.5 }
    attention.head.0.query-key.ornstein-uhlenbeck.rate = 0: must be finite and greater than 0; write e.g. attention.head.0.query-key.ornstein-uhlenbeck.rate = 1.0
    attention.head.0.query-key.ornstein-uhlenbeck.mean.diagonal = [1.0]: has 1 entries and tokens have 3 components; write 3 numbers
    attention.head.0.query-key.query-key: unknown key; query-key belongs in [attention.head] or [attention.head.value]; known here: scale, diagonal, rows, path
    attention.head.0.query-key.scale: unknown key; known here: layers
    "#);
}

#[test]
fn perceptrons_and_noises() {
    let refusals = refusals(&[
        &["perceptron={ inner = [[1, 0, 0]], outer = [[1, 0, 0]] }"],
        &["perceptron={ inner = [[1, 0]], outer = [[1, 0, 0]], activation = \"relu\" }"],
        &["perceptron={ inner = [[1, 0, 0]], outer = [[1, 0, 0], [0, 1, 0]], activation = \"relu\" }"],
        &["perceptron={ inner = [[1, 0, 0]], outer = [[1, 0, 0]], bias = [1, 2], activation = \"relu\" }"],
        &["perceptron={ gradient = { directions = [[1, 0, 0]], weights = [1, 2] }, activation = \"relu\" }"],
        &["perceptron={ gradient = { directions = [[1, 0, 0]], weights = [1] }, activation = \"relu\", bias = [0] }"],
        &["noise={ intensity = 1, calculus = \"ito\" }"],
        &["noise={ field = \"independent\", intensity = -1, calculus = \"ito\" }"],
        &["noise={ field = \"independent\", intensity = 1 }"],
        &["noise={ field = \"independent\", intensity = 1, calculus = \"ito\", replicas = \"shared\" }"],
        &["noise={ field = \"common-matrix\", intensity = 1, calculus = \"ito\", width = 3 }"],
        &["noise={ field = \"common-perceptron\", intensity = 1, calculus = \"ito\", width = 3 }"],
    ]);
    insta::assert_snapshot!(refusals, @r#"
    perceptron.activation: missing; write e.g. perceptron.activation = "relu"
    perceptron.inner = [[1.0, 0.0]]: has 2 numbers in row 0, counted from 0; write rows of 3 numbers
    perceptron.outer: has 2 rows of 3 numbers, and inner has 1; write 1 rows of 3 numbers
    perceptron.bias = [1.0, 2.0]: has 2 numbers, and inner has 1; write 1 numbers
    perceptron.gradient.weights = [1.0, 2.0]: has 2 numbers, and directions has 1; write 1 numbers
    perceptron.bias = [0]: stands beside gradient; write inner and outer, or gradient
    noise.field: missing; write e.g. noise.field = "independent"
    noise.intensity = -1: must be finite and at least 0; write e.g. noise.intensity = 0.1
    noise.calculus: missing; write e.g. noise.calculus = "ito"
    noise.replicas = "shared": is about common noise, and every token of every replica has its own; leave it out, or write a common field
    noise.width = 3: belongs to another field; write field = "common-perceptron", or leave it out
    noise.activation: missing; write e.g. noise.activation = "relu"
    "#);
}

#[test]
fn numbers_and_perceptrons_that_change() {
    let ngpt = |alpha: &'static str| ["tokens.geometry=ngpt", alpha];
    let perceptron = |arrays: &str| format!("perceptron={{ activation = \"relu\", {arrays} }}");
    let inner = "inner = [[1, 0, 0]]";
    let arrays = [
        perceptron("inner = { layers = \"square.npy\" }, outer = [[1, 0, 0]]"),
        perceptron("inner = { layers = [[[1, 0, 0]], [[1, 0, 0], [0, 1, 0]]] }, outer = [[1, 0, 0]]"),
        perceptron("inner = { layers = \"stack.npy\" }, outer = [[1, 0, 0]]"),
        perceptron(&format!("{inner}, outer = {{ layers = \"stack.npy\" }}")),
        perceptron(&format!("{inner}, outer = [[1, 0, 0]], bias = {{ layers = \"square.npy\" }}")),
        perceptron(&format!("{inner}, outer = [[1, 0, 0]], bias = {{ layers = [[1], [1, 2]] }}")),
        perceptron(&format!("{inner}, outer = [[1, 0, 0]], bias = {{ layers = [[1], [2]] }}")),
        perceptron(&format!("{inner}, outer = [[1, 0, 0]], weight = {{ layers = [] }}")),
    ];
    let refusals = refusals(&[
        &["attention.beta={ times = [0, 1], values = [1, -1] }"],
        &["attention.beta={ layers = [1], values = [1] }"],
        &["attention.beta={ replicas = [1], layers = [1] }"],
        &["attention.head=[{ weight = { times = [1, 0], values = [1, 1] } }]"],
        &["attention.head=[{ weight = { times = [0, 1], values = [1] } }]"],
        &["attention.head=[{}, { weight = { layers = [1, 2] } }]"],
        &["attention.head=[{ weight = { ramp = [1, 2] } }]"],
        &ngpt("tokens.alpha={ times = [0, 1], values = [1, 0] }"),
        &ngpt("tokens.alpha={ layers = [1] }"),
        &[&arrays[0]],
        &[&arrays[1]],
        &[&arrays[2]],
        &[&arrays[3]],
        &[&arrays[4]],
        &[&arrays[5]],
        &[&arrays[6]],
        &[&arrays[7]],
    ]);
    insta::assert_snapshot!(refusals, @r#"
    attention.beta.values = [1, -1]: must be finite and at least 0, each of them; write e.g. attention.beta.values = [1.0, 8.0]
    attention.beta.values = [1]: stands beside layers; write layers, or times and values
    attention.beta.layers = [1]: stands beside replicas, which have one beta for all times; leave it out
    attention.head.0.weight.times = [1, 0]: must be one or more layer-times in ascending order; write e.g. attention.head.0.weight.times = [0.0, 10.0]
    attention.head.0.weight.values = [1]: has 1 numbers, and there are 2 times; write 2 numbers
    attention.head.1.weight.layers = [1.0, 2.0]: has 2 numbers, and there are 200 steps; write one number a step, or a smaller time.end
    attention.head.0.weight.ramp: unknown key; known here: times, values, layers
    tokens.alpha.values = [1, 0]: must be finite and greater than 0, each of them; write e.g. tokens.alpha.values = [1.0, 8.0]
    tokens.alpha.layers = [1.0]: has 1 numbers, and there are 200 steps; write one number a step, or a smaller time.end
    perceptron.inner.layers = "FOLDER/square.npy": has the shape (2, 2); save an array of shape (steps, rows, 3)
    perceptron.inner.layers.1: has 2 rows, and perceptron.inner.layers.0 has 1; write as many rows in every layer
    perceptron.inner.layers: has 4 arrays, and there are 200 steps; write one array a step, or a smaller time.end
    perceptron.outer.layers: has 3 rows of 3 numbers a layer, and inner has 1; write 1 rows of 3 numbers for each
    perceptron.bias.layers = "FOLDER/square.npy": has the shape (2, 2), and inner has 1; save an array of shape (steps, 1)
    perceptron.bias.layers.1 = [1.0, 2.0]: has 2 numbers, and inner has 1; write 1 numbers
    perceptron.bias.layers: has 2 arrays, and there are 200 steps; write one array a step, or a smaller time.end
    perceptron.weight.layers = []: has 0 numbers, and there are 200 steps; write one number a step, or a smaller time.end
    "#);
}

#[test]
fn geometries_and_where_tokens_start() {
    let refusals = refusals(&[
        &["tokens.geometry=ngpt"],
        &["tokens.alpha=1"],
        &["tokens.geometry=mix-norm"],
        &["tokens.geometry=mix-norm", "tokens.switch=0.12"],
        &["tokens.geometry=layer-norm", "time.scheme=layer"],
        &["layer-norm={ epsilon = 1e-12 }"],
        &[
            "tokens.geometry=layer-norm",
            "time.scheme=layer",
            "layer-norm={ epsilon = 0, attention = { gain = [1] } }",
        ],
        &["tokens.geometry=pre-norm", "tokens.initial={ law = \"file\", path = \"origin.npy\" }"],
        &["tokens.geometry=euclidean", "tokens.initial={ law = \"gaussian\" }"],
        &["tokens.geometry=euclidean", "tokens.initial={ law = \"gaussian\", scale = -1 }"],
        &["tokens.geometry=euclidean", "tokens.initial={ law = \"gaussian\", scale = 1, mean = [1] }"],
        &["tokens.geometry=euclidean", "tokens.initial={ law = \"gaussian\", scale = 1, covariance = [[1]] }"],
        &["tokens.geometry=euclidean", "tokens.initial={ law = \"gaussian\", covariance = [[1]] }"],
        &[
            "tokens.geometry=euclidean",
            "tokens.dim=2",
            "tokens.initial={ law = \"gaussian\", covariance = [[1, 2], [2, 1]] }",
        ],
        &[
            "tokens.geometry=euclidean",
            "tokens.dim=2",
            "tokens.initial={ law = \"gaussian\", covariance = [[1, 2], [0, 1]] }",
        ],
        &["tokens.initial={ law = \"box\", low = -1, high = 1 }"],
        &["tokens.geometry=euclidean", "tokens.initial={ law = \"box\", low = -1 }"],
        &["tokens.geometry=euclidean", "tokens.initial={ law = \"box\", low = -1, high = \"one\" }"],
        &["tokens.geometry=euclidean", "tokens.initial={ law = \"box\", low = -inf, high = 1 }"],
        &["tokens.geometry=euclidean", "tokens.initial={ law = \"box\", low = [-1, 0], high = 1 }"],
        &["tokens.geometry=euclidean", "tokens.initial={ law = \"box\", low = [-1, 0, 2], high = 1 }"],
        &["tokens.geometry=peri-norm", "tokens.dim=1", "tokens.initial={ law = \"box\", low = -1, high = 1 }"],
        &["tokens.geometry=euclidean", "tokens.dim=1"],
        &[
            "tokens.geometry=euclidean",
            "tokens.dim=1",
            "tokens.initial={ law = \"mixture\", laws = [{ law = \"gaussian\", scale = 1 }, { law = \"uniform\" }] }",
        ],
        &["tokens.geometry=euclidean", "tokens.dim=1", LINE, "observe.quantities=[\"effective_rank\"]"],
        &["tokens.geometry=euclidean", "tokens.dim=1", LINE, "observe.quantities=[\"clusters\"]"],
        &[
            "tokens.geometry=euclidean",
            "tokens.dim=1",
            LINE,
            "reference={ kind = \"particles\" }",
            "observe.quantities=[\"sliced_w2_reference\"]",
        ],
        &["tokens.geometry=euclidean", "tokens.dim=1", LINE, "algorithm=harmonic"],
    ]);
    insta::assert_snapshot!(refusals, @r#"
    tokens.alpha: missing; write e.g. tokens.alpha = 1.0
    tokens.alpha = 1: belongs to another geometry; write geometry = "ngpt", or leave it out
    tokens.switch: missing; write e.g. tokens.switch = 2.0
    tokens.switch = 0.12: is no whole number of steps of time.step = 0.05; write tokens.switch = 0.1 or 0.15
    layer-norm: missing; write e.g. layer-norm = { epsilon = 1e-12 }
    layer-norm = { epsilon = 0.000000000001 }: belongs to another geometry; write tokens.geometry = "layer-norm", or leave the table out
    layer-norm.attention.gain = [1.0]: has 1 numbers, and a token has 3; write 3 numbers
    tokens.initial.path = "FOLDER/origin.npy": has a token of length 0 in row 0, counted from 0; write tokens that have a direction, which is what attention sees
    tokens.initial.scale: missing; write e.g. tokens.initial.scale = 1.0
    tokens.initial.scale = -1.0: must be finite and at least 0; write e.g. scale = 1.0
    tokens.initial.mean = [1.0]: has 1 components and tokens have 3; write 3 numbers, or leave it out
    tokens.initial.scale = 1: stands beside covariance; write one of the two
    tokens.initial.covariance = [[1.0]]: is no matrix of 3 rows of 3 numbers; write 3 rows of 3 numbers, symmetric and without negative eigenvalues
    tokens.initial.covariance = [[1.0, 2.0], [2.0, 1.0]]: has the eigenvalue -1; write 2 rows of 2 numbers, symmetric and without negative eigenvalues
    tokens.initial.covariance = [[1.0, 2.0], [0.0, 1.0]]: is not symmetric; write 2 rows of 2 numbers, symmetric and without negative eigenvalues
    tokens.initial.law = "box": is a law in R^d, and tokens of this tokens.geometry have length one; write tokens.geometry = "euclidean", or a law on the sphere
    tokens.initial.high: missing; write e.g. tokens.initial.high = 1.0
    tokens.initial.high = "one": must be a number, and is text; write e.g. tokens.initial.high = 1.0
    tokens.initial.low = -inf: must be finite; write e.g. low = -1.0
    tokens.initial.low = [-1.0, 0.0]: has 2 components and tokens have 3; write 3 numbers, or one for all components
    tokens.initial.high = 1.0: must be greater than low in every component, and is 1 where low is 2, in component 2; write a larger high or a smaller low
    tokens.dim = 1: must be at least 2, because tokens of one component have no directions, which this tokens.geometry needs; take tokens of two or more components, or write tokens.geometry = "euclidean"
    tokens.initial.law = "uniform": is a law on the sphere, and tokens of one component have no directions; write tokens.dim = 2 or more, or gaussian, box or points
    tokens.initial.laws.1.law = "uniform": is a law on the sphere, and tokens of one component have no directions; write tokens.dim = 2 or more, or gaussian, box or points
    observe.quantities = ["effective_rank"]: effective_rank is 1 for all tokens of one component; leave it out
    observe.quantities = ["clusters"]: clusters, limit_modes, modes, overlap_histogram, overlap_share and renyi_centres are of directions, and tokens of one direction may be far apart in R^d; leave them out
    observe.quantities = ["sliced_w2_reference"]: sliced_w2_reference is a mean over directions, and tokens of one component have two of them, along which it is W_2; write "w2_reference", "mmd_reference" or "moments_reference" instead
    algorithm = "harmonic": needs tokens.dim = 2 or 3 and no mask; write algorithm = "auto"
    "#);
}

#[test]
fn references() {
    let refusals = refusals(&[
        &["observe.quantities=[\"coupling_error\"]"],
        &["reference.kind=\"cloud\""],
        &["reference.tolerance=1e-6"],
        &["reference={ kind = \"zonal\", tolerance = 1e-6 }"],
        &["reference={ kind = \"quadrature\", tolerance = 0 }"],
        &["reference.kind=\"zonal\"", "observe.quantities=[\"tagged_error\"]"],
        &["reference={ kind = \"zonal\", count = 8 }"],
        &["reference={ kind = \"particles\", count = 0 }"],
        &["reference={ kind = \"zonal\", overlap = 0.0 }"],
        &["reference={ kind = \"equiangular\", count = 1 }"],
        &["reference={ kind = \"equiangular\", overlap = 1.0 }"],
        &["reference={ kind = \"equiangular\", count = 100 }"],
        &["reference={ kind = \"equiangular\", count = 101, overlap = -0.1 }"],
        &[
            "reference={ kind = \"equiangular\", count = 101 }",
            "tokens.initial={ law = \"simplex\", overlap = -0.1 }",
            "tokens.dim=6",
        ],
        &[
            "reference={ kind = \"equiangular\", count = 100, overlap = 0.0 }",
            "observe.quantities=[\"coupling_error\"]",
        ],
        &["reference={ kind = \"equiangular\", overlap = 0.0 }", "observe.quantities=[\"overlap_reference\"]"],
        &["reference.kind=\"zonal\"", "observe.quantities=[\"limit_attention\"]"],
        &["observe.quantities=[\"mmd_reference\"]"],
        &["reference.kind=\"zonal\"", "observe.quantities=[\"sliced_w2_reference\"]"],
        &["reference.kind=\"zonal\"", "observe.quantities=[\"w1_reference\"]"],
        &["reference={ kind = \"particles\", count = 8 }", "observe.quantities=[\"w2_reference\"]"],
        &[
            "reference={ kind = \"particles\", count = 9000 }",
            "tokens.count=9000",
            "observe.quantities=[\"w2_reference\"]",
        ],
        &["reference.kind=\"particles\"", "tokens.geometry=\"euclidean\"", "observe.quantities=[\"mmd_reference\"]"],
        &[
            "reference.kind=\"gaussian\"",
            "tokens.geometry=\"euclidean\"",
            "observe.quantities=[\"sliced_w2_reference\"]",
        ],
        &["reference.kind=\"zonal\"", "observe.quantities=[\"overlap_reference\"]"],
        &["observe.quantities=[\"w1_copies\"]"],
        &["observe.quantities=[\"w1_copies\"]", "tokens.replicas=2", "tokens.count=9000"],
        &["observe.kernel-beta=2.0"],
        &["observe={ quantities = [\"moments\"], projections = 8 }"],
        &["reference.kind=\"particles\"", "observe={ quantities = [\"mmd_reference\"], kernel-beta = 0 }"],
        &["reference.kind=\"particles\"", "observe={ quantities = [\"sliced_w2_reference\"], projections = 1 }"],
    ]);
    insta::assert_snapshot!(refusals, @r#"
    observe.quantities = ["coupling_error"]: coupling_error and tagged_error compare tokens with their coupled tokens in the limit; write a table [reference], or leave them out
    reference.kind = "cloud": not supported; accepted: "quadrature", "zonal", "gaussian", "equiangular", "particles"
    reference.kind: missing; write e.g. reference.kind = "zonal"
    reference.tolerance = 0.000001: is one of nodes that are doubled, which this limit does not have; leave it out, or write reference.kind = "quadrature"
    reference.tolerance = 0: must be greater than 0 and less than 1; write e.g. reference.tolerance = 1e-8
    observe.quantities = ["tagged_error"]: tagged_error is that of passive tokens, and there are none; write tokens.passive = 1 or more, or leave it out
    reference.count = 8: is that of particles or equiangular tokens that stand for the limit; leave it out, or write reference.kind = "particles" or "equiangular"
    reference.count = 0: must be at least 1; write e.g. reference.count = 65536
    reference.overlap = 0.0: is that of equiangular tokens; leave it out, or write reference.kind = "equiangular"
    reference.count = 1: must be at least 2; write e.g. reference.count = 65536
    reference.overlap = 1.0: must be at least -1 and less than 1; write e.g. reference.overlap = 0.0
    reference.overlap: missing, and tokens.initial is not equiangular; write e.g. reference.overlap = 0.0
    reference.overlap = -0.1: 101 equiangular tokens need an overlap in [-0.01, 1), and would start from -0.1; write reference.overlap = 0.0, for example
    reference.count = 101: 101 equiangular tokens need an overlap in [-0.01, 1), and would start from -0.1; write reference.overlap = 0.0, for example
    observe.quantities = ["coupling_error"]: "coupling_error" reads more of the reference than overlaps, and its equiangular tokens are not those of the problem; leave reference.count and reference.overlap out, or leave "coupling_error" out
    observe.quantities = ["overlap_reference"]: "overlap_reference" reads more of the reference than overlaps, and its equiangular tokens are not those of the problem; leave reference.count and reference.overlap out, or leave "overlap_reference" out
    observe.quantities = ["limit_attention"]: "limit_attention" is that of equiangular tokens; write reference.kind = "equiangular", or leave "limit_attention" out
    observe.quantities = ["mmd_reference"]: a distance from the limit needs one; write a table [reference], or leave it out
    observe.quantities = ["sliced_w2_reference"]: of a zonal limit heights are known, and no points; write "mmd_reference" instead, or reference.kind = "quadrature" (dim = 3) or "particles"
    observe.quantities = ["w1_reference"]: off the circle w1_reference and w2_reference pair tokens with as many of the limit; write "sliced_w2_reference" instead, or reference = { kind = "particles", count = 6 }
    observe.quantities = ["w2_reference"]: off the circle w1_reference and w2_reference pair tokens with as many of the limit; write "sliced_w2_reference" instead, or reference = { kind = "particles", count = 6 }
    observe.quantities = ["w2_reference"]: w1_reference and w2_reference pair tokens in n^3 operations, and 9000 are too many; write tokens.count = 8192 or less, or write "sliced_w2_reference" instead
    observe.quantities = ["mmd_reference"]: the kernel e^{beta (<x, y> - 1)} of mmd_reference is one of unit vectors, and grows without bound off the sphere; write "sinkhorn_reference" or "sliced_w2_reference" instead
    observe.quantities = ["sliced_w2_reference"]: of a gaussian limit mean and covariance are known, and no points; write "moments_reference" instead, or reference.kind = "particles"
    observe.quantities = ["overlap_reference"]: overlap_reference is the overlap of the equiangular reference; write reference.kind = "equiangular", or leave it out
    observe.quantities = ["w1_copies"]: w1_copies compares replicas 2k and 2k + 1, and one replica has no other; write tokens.replicas = 2
    observe.quantities = ["w1_copies"]: w1_copies pair tokens in n^3 operations, and 9000 are too many; write tokens.count = 8192 or less, or leave it out
    observe.kernel-beta = 2.0: is a number of the quantity "mmd_reference", which is not measured; add "mmd_reference" to observe.quantities, or leave it out
    observe.projections = 8: is a number of the quantity "sliced_w2_reference", which is not measured; add "sliced_w2_reference" to observe.quantities, or leave it out
    observe.kernel-beta = 0: must be finite and greater than 0; write e.g. observe.kernel-beta = 4.0
    observe.projections = 1: must be at least 2; write e.g. observe.projections = 256
    "#);
}
