//! Experiments that are wrong, and the whole text of what the user is told.

use std::path::Path;

use ndarray::{Array1, Array2, Array3, arr1, arr2};
use ndarray_npy::write_npy;

use super::super::{tests::GOOD, *};
use crate::observables::Quantity;

/// The error of the good experiment with `from` replaced by `to`.
fn refusal(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from} is not in the good experiment");
    error_of(Experiment::parse(&GOOD.replace(from, to)))
}

fn error_of(experiment: Result<Experiment, ExperimentError>) -> String {
    match experiment.and_then(|experiment| experiment.resolve()) {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn keys_and_types() {
    let refusals = [
        refusal("beta = 4.0", "betta = 4.0"),
        refusal("[time]", "[perceptrons]\ninner = [[1.0]]\n[time]"),
        refusal("{ law = \"uniform\" }", "{ law = \"uniform\", axis = [0, 0, 1] }"),
        refusal("beta = 4.0", ""),
        refusal("count = 6", ""),
        refusal("[time]\n", "[times]\n"),
        refusal("step = 0.05", "step = \"small\""),
        refusal("count = 6", "count = 6.0"),
        refusal("beta = 4.0", "beta = [4.0"),
        refusal("beta = 4.0", "beta = 4.0\nbeta = 5.0"),
        refusal("name = \"clusters\"", "name = \"runs/clusters\""),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    experiment: attention.betta: unknown key; did you mean attention.beta? known here: beta, normalization, sinkhorn, mask, window, position, model, layers, heads, head
    experiment: perceptrons: unknown key; did you mean perceptron? known here: name, algorithm, tolerance, tokens, layer-norm, attention, perceptron, noise, time, observe, reference, result
    experiment: tokens.initial.axis: unknown key; known here: law
    experiment: attention.beta: missing; write e.g. attention.beta = 4.0
    experiment: tokens.count: missing; write e.g. tokens.count = 4096
    experiment: times: unknown key; did you mean time? times belongs in [attention.beta] or [observe]; known here: name, algorithm, tolerance, tokens, layer-norm, attention, perceptron, noise, time, observe, reference, result
    experiment: time.step = "small": must be a number, and is text; write e.g. time.step = 0.05
    experiment: tokens.count = 6.0: must be a whole number, and is a decimal number; write e.g. tokens.count = 4096
    experiment: line 10, column 1: missing comma between array elements, expected `,`; write valid TOML, see https://toml.io
    experiment: line 10, column 1: duplicate key; write valid TOML, see https://toml.io
    experiment: name = "runs/clusters": must be fit for the name of a folder; write e.g. name = "clusters"
    "#);
}

/// A refusal without the memory that is left on this machine.
fn without_machine(refusal: &str) -> String {
    let (before, rest) = refusal.split_once(", and ").unwrap();
    let (_, after) = rest.split_once(" are available").unwrap();
    format!("{before}, and [..] are available{after}")
}

#[test]
fn numbers() {
    let energy = "end = 10.0\n[observe]\nquantities = [\"moments\", \"energy\"]";
    let refusals = [
        refusal("beta = 4.0", "beta = -1"),
        refusal("beta = 4.0", "beta = nan"),
        refusal("beta = 4.0", "beta = inf"),
        refusal("dim = 3", "dim = 1"),
        refusal("count = 6", "count = 0"),
        refusal("count = 6", "count = 5_000_000_000"),
        without_machine(&refusal("count = 6\ndim = 3", "count = 4_000_000_000\ndim = 4_000_000_000")),
        refusal("count = 6", "count = 6\nreplicas = 0"),
        refusal("seed = 7", "seed = -7"),
        refusal("count = 6", "count = 6\npassive = 6"),
        refusal("count = 6", "count = 6\nfrozen = 7"),
        refusal("step = 0.05", "step = 0.0"),
        refusal("end = 10.0", "end = 0.17"),
        refusal("end = 10.0", "end = 0.01"),
        refusal("end = 10.0", "end = 10.0\n[observe]\nevery = 0.12"),
        refusal("end = 10.0", "end = 1e300"),
        error_of(Experiment::parse(&GOOD.replace("beta = 4.0", "beta = 0").replace("end = 10.0", energy))),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    experiment: attention.beta = -1: must be finite and at least 0; write e.g. attention.beta = 4.0
    experiment: attention.beta = nan: must be finite and at least 0; write e.g. attention.beta = 4.0
    experiment: attention.beta = inf: must be finite and at least 0; write e.g. attention.beta = 4.0
    experiment: tokens.dim = 1: must be at least 2, because tokens of one component have no directions, which this tokens.geometry needs; take tokens of two or more components, or write tokens.geometry = "euclidean"
    experiment: tokens.count = 0: must be at least 1; write e.g. tokens.count = 4096
    experiment: tokens.count = 5000000000: must be at most 4294967295; write e.g. tokens.count = 4096
    experiment: tokens.dim = 4000000000: needs 1.3e8 EB of memory (1.3e8 EB of it for sums of second moments), and [..] are available; write less than tokens.dim = 4000000000
    experiment: tokens.replicas = 0: must be at least 1; write e.g. tokens.replicas = 1
    experiment: tokens.seed = -7: must be at least 0; write e.g. tokens.seed = 7
    experiment: tokens.passive = 6: of 6 tokens at least one must carry weight; write tokens.passive = 5 or less
    experiment: tokens.frozen = 7: there are only 6 tokens; write tokens.frozen = 6 or less
    experiment: time.step = 0.0: must be finite and greater than 0; write e.g. time.step = 0.05
    experiment: time.end = 0.17: is no whole number of steps of time.step = 0.05; write time.end = 0.15 or 0.2
    experiment: time.end = 0.01: is no whole number of steps of time.step = 0.05; write time.end = 0.05
    experiment: observe.every = 0.12: is no whole number of steps of time.step = 0.05; write observe.every = 0.1 or 0.15
    experiment: time.end = 100000000000000000000000000000000000000000000000000000000000..: is more than 2^53 steps of time.step = 0.05; write a smaller time.end or a larger time.step
    experiment: observe.quantities = ["moments", "energy"]: the energy (1 / 2 beta) sum_ij .. is undefined for attention.beta = 0; leave "energy" out, or write attention.beta = 1e-3
    "#);
}

#[test]
fn words() {
    let quantities = |list: &str| refusal("end = 10.0", &format!("end = 10.0\n[observe]\nquantities = {list}"));
    let refusals = [
        refusal("\"uniform\"", "\"normal\""),
        refusal("beta = 4.0", "beta = 4.0\nmask = \"diagonal\""),
        refusal("\"softmax\"", "\"sparsemax\""),
        refusal("seed = 7", "seed = 7\ngeometry = \"hyperbolic\""),
        refusal("[tokens]", "algorithm = \"fourier\"\n[tokens]"),
        refusal("\"heun\"", "\"rk5\""),
        quantities("[\"moments\", \"cluster\"]"),
        quantities("[\"moments\", \"moments\"]"),
    ];
    let quantities: Vec<String> = Quantity::ALL.iter().map(|quantity| format!("\"{}\"", quantity.word())).collect();
    let refusals = refusals.join("\n").replace(&quantities.join(", "), "all quantities");
    insta::assert_snapshot!(refusals, @r#"
    experiment: tokens.initial.law = "normal": not supported; accepted: "uniform", "von-mises-fisher", "cap", "fourier", "simplex", "orthonormal", "points", "two-clusters", "gaussian", "box", "mixture", "file"
    experiment: attention.mask = "diagonal": not supported; accepted: "none", "causal", "strictly-causal", "others"
    experiment: attention.normalization = "sparsemax": not supported; accepted: "softmax", "unnormalized", "shifted", "hardmax", "sinkhorn", "relu", "sigmoid"
    experiment: tokens.geometry = "hyperbolic": not supported; accepted: "sphere", "post-norm", "euclidean", "rescaled", "pre-norm", "peri-norm", "mix-norm", "ngpt", "layer-norm"
    experiment: algorithm = "fourier": not supported; accepted: "auto", "direct", "harmonic"
    experiment: time.scheme = "rk5": not supported; accepted: "euler", "heun", "bogacki-shampine", "rk4", "layer"
    experiment: observe.quantities.1 = "cluster": not supported; accepted: all quantities
    experiment: observe.quantities.1 = "moments": is listed twice; write every quantity once
    "#);
}

#[test]
fn laws() {
    let law = |law: &str| refusal("{ law = \"uniform\" }", law);
    let refusals = [
        law("\"uniform\""),
        law("{ concentration = 2.0 }"),
        law("{ law = \"simplex\" }"),
        law("{ law = \"simplex\", overlap = -0.3 }"),
        law("{ law = \"simplex\", overlap = 2 }"),
        law("{ law = \"orthonormal\" }"),
        law("{ law = \"von-mises-fisher\", axis = [0, 0, 1], concentration = -2 }"),
        law("{ law = \"von-mises-fisher\", axis = [0, 1], concentration = 2 }"),
        law("{ law = \"von-mises-fisher\", axis = [0, 0, 0], concentration = 2 }"),
        law("{ law = \"von-mises-fisher\", axis = [0, nan, 0], concentration = 2 }"),
        law("{ law = \"cap\", axis = [0, 0, 1], angle = 4 }"),
        law("{ law = \"two-clusters\", overlap = 0.5 }"),
        law("{ law = \"two-clusters\", overlap = 0.5, fraction = 0.4 }"),
        law("{ law = \"two-clusters\", overlap = 0.5, fraction = 1.5 }"),
        law("{ law = \"mixture\" }"),
        law("{ law = \"mixture\", laws = [{ law = \"uniform\" }, { law = \"cap\", axis = [0, 0, 1], angle = 4 }] }"),
        law("{ law = \"mixture\", laws = [{ law = \"uniform\" }, { law = \"cap\", axis = [0, 0, 1], radius = 4 }] }"),
        law("{ law = \"mixture\", laws = [{ law = \"mixture\", laws = [{ law = \"gaussian\", scale = 1 }] }] }"),
        law("{ law = \"mixture\", weights = [1], laws = [{ law = \"uniform\" }, { law = \"uniform\" }] }"),
        law("{ law = \"mixture\", laws = [{ law = \"simplex\" }] }"),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    experiment: tokens.initial = "uniform": must be a table, and is text; write e.g. tokens.initial = { law = "uniform" }
    experiment: tokens.initial.law: missing; write e.g. tokens.initial.law = "uniform"
    experiment: tokens.initial.law = "simplex": 6 tokens of overlap -0.2 do not fit into dim = 3; write tokens.count = 4 or less, or tokens.dim = 5 or more
    experiment: tokens.initial.overlap = -0.3: 6 equiangular tokens need an overlap in [-0.2, 1); write an overlap in this interval, or none for the regular simplex
    experiment: tokens.initial.overlap = 2.0: must be from -1 to 1; write e.g. overlap = 0.5
    experiment: tokens.initial.law = "orthonormal": 6 tokens cannot be orthonormal in dim = 3; write tokens.count = 3 or less, or tokens.dim = 6 or more
    experiment: tokens.initial.concentration = -2.0: must be at least 0, or inf; write e.g. concentration = 2.0
    experiment: tokens.initial.axis = [0.0, 1.0]: has 2 components and tokens have 3; write 3 numbers, not all zero, e.g. axis = [0, 0, 1]
    experiment: tokens.initial.axis = [0.0, 0.0, 0.0]: is no direction; write 3 numbers, not all zero, e.g. axis = [0, 0, 1]
    experiment: tokens.initial.axis = [0, nan, 0]: must be finite, and has NaN in it; write e.g. tokens.initial.axis = [0.0, 0.0, 1.0]
    experiment: tokens.initial.angle = 4.0: must be an angle in radians, greater than 0 and at most pi; write e.g. angle = 0.5
    experiment: tokens.initial.fraction: missing; write e.g. tokens.initial.fraction = 0.5
    experiment: tokens.initial.fraction = 0.4: 0.4 of 6 tokens is not a whole number of tokens; write fraction = 0.3333333333333333 or fraction = 0.5
    experiment: tokens.initial.fraction = 1.5: must be from 0 to 1; write e.g. fraction = 0.5
    experiment: tokens.initial.laws: missing; write e.g. tokens.initial.laws = [{ law = "uniform" }]
    experiment: tokens.initial.laws.1.angle = 4.0: must be an angle in radians, greater than 0 and at most pi; write e.g. angle = 0.5
    experiment: tokens.initial.laws.1.radius: unknown key; did you mean tokens.initial.laws.1.axis? known here: law, axis, angle
    experiment: tokens.initial.laws.0.laws.0.law = "gaussian": is a law in R^d, and tokens of this tokens.geometry have length one; write tokens.geometry = "euclidean", or a law on the sphere
    experiment: tokens.initial.weights = [1.0]: has 1 numbers, and there are 2 laws; write 2 numbers, or leave it out for equal weights
    experiment: tokens.initial.laws.0.law = "simplex": places tokens by their number, and the law of a token of a mixture is chosen by chance; take uniform, von-mises-fisher, cap, gaussian, box, a mixture, or fourier without quiet
    "#);
}

#[test]
fn matrices() {
    let value = |form: &str| {
        refusal("[time]", &format!("[[attention.head]]\nquery-key = \"identity\"\nvalue = {form}\n[time]"))
    };
    let refusals = [
        value("\"random\""),
        value("2.0"),
        value("{ scale = inf }"),
        value("{ scale = 2.0, diagonal = [1, 2, 3] }"),
        value("{ diagonal = [1, 2] }"),
        value("{ rows = [[1, 0, 0], [0, 1]] }"),
        value("{ rows = [[1, 0, 0], [0, 1], [0, 0, 1]] }"),
        value("{ rows = [[1, 0, 0], [0, nan, 1], [0, 0, 1]] }"),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    experiment: attention.head.0.value = "random": not supported; accepted: "identity", { scale = .. }, { diagonal = .. }, { rows = .. }, { path = .. }, { layers = .. }, { ensemble = .. }, { base = .. }, { ornstein-uhlenbeck = .. }, { query-key = .. }
    experiment: attention.head.0.value = 2.0: must be a table, and is a decimal number; write e.g. attention.head.0.value = "identity"
    experiment: attention.head.0.value.scale = inf: must be finite; write e.g. attention.head.0.value.scale = 2.0
    experiment: attention.head.0.value = { diagonal = [1, 2, 3], scale = 2.0 }: must have exactly one key; write { scale = .. }, { diagonal = .. }, { rows = .. }, { path = .. }, { layers = .. }, { ensemble = .. }, { base = .. }, { ornstein-uhlenbeck = .. }, { query-key = .. }
    experiment: attention.head.0.value.diagonal = [1.0, 2.0]: has 2 entries and tokens have 3 components; write 3 numbers
    experiment: attention.head.0.value.rows = [[1.0, 0.0, 0.0], [0.0, 1.0]]: has 2 rows and tokens have 3 components; write 3 rows of 3 numbers
    experiment: attention.head.0.value.rows = [[1.0, 0.0, 0.0], [0.0, 1.0], [0.0, 0.0, 1.0]]: has 2 numbers in row 1, counted from 0; write 3 rows of 3 numbers
    experiment: attention.head.0.value.rows.1 = [0, nan, 1]: must be finite, and has NaN in it; write e.g. attention.head.0.value.rows.1 = [1.0, 0.0]
    "#);
}

/// The error of a file in a new folder, with the folder called FOLDER.
fn refusal_in(folder: &Path, from: &str, to: &str) -> String {
    let file = folder.join("clusters.toml");
    std::fs::write(&file, GOOD.replace(from, to)).unwrap();
    error_of(Experiment::read(&file, &[])).replace(&format!("{}", folder.display()), "FOLDER")
}

#[test]
fn files_of_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let law = |file: &str| {
        refusal_in(folder.path(), "{ law = \"uniform\" }", &format!("{{ law = \"file\", path = \"{file}\" }}"))
    };
    let mut rows = Array2::<f64>::zeros((6, 3));
    rows.column_mut(0).fill(1.0);
    write_npy(at("five.npy"), &rows.slice(ndarray::s![..5, ..])).unwrap();
    write_npy(at("wide.npy"), &arr2(&[[1.0, 0.0]; 6])).unwrap();
    write_npy(at("flat.npy"), &Array1::<f64>::zeros(18)).unwrap();
    let mut replicas = Array3::<f32>::zeros((2, 6, 3));
    replicas.fill(1.0 / 3f32.sqrt());
    write_npy(at("replicas.npy"), &replicas).unwrap();
    replicas[[1, 2, 0]] = 0.0;
    write_npy(at("short-in-replica.npy"), &replicas).unwrap();
    rows[[4, 0]] = 1.5;
    write_npy(at("long.npy"), &rows).unwrap();
    rows[[4, 2]] = f64::NAN;
    write_npy(at("nan.npy"), &rows).unwrap();
    write_npy(at("integers.npy"), &arr2(&[[1i32, 0, 0]; 6])).unwrap();
    std::fs::write(at("text.npy"), "1 0 0").unwrap();
    let whole = std::fs::read(at("five.npy")).unwrap();
    std::fs::write(at("cut.npy"), &whole[..whole.len() - 8]).unwrap();
    let refusals = [
        "missing.npy",
        "five.npy",
        "wide.npy",
        "flat.npy",
        "short-in-replica.npy",
        "long.npy",
        "nan.npy",
        "integers.npy",
        "text.npy",
        "cut.npy",
    ]
    .map(law);
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    FOLDER/clusters.toml: tokens.initial.path = "FOLDER/missing.npy": there is no such file; write the path of a .npy file, relative to the folder of the experiment file
    FOLDER/clusters.toml: tokens.initial.path = "FOLDER/five.npy": holds count = 5 and tokens.count = 6; write tokens.count = 5, or leave tokens.count out
    FOLDER/clusters.toml: tokens.initial.path = "FOLDER/wide.npy": holds dim = 2 and tokens.dim = 3; write tokens.dim = 2, or leave tokens.dim out
    FOLDER/clusters.toml: tokens.initial.path = "FOLDER/flat.npy": has the shape (18,); save an array of shape (count, dim) or (replicas, count, dim)
    FOLDER/clusters.toml: tokens.initial.path = "FOLDER/short-in-replica.npy": has a token of length 0.8164965662730563 in row 2 of replica 1, counted from 0; divide every token by its length; tokens live on the unit sphere
    FOLDER/clusters.toml: tokens.initial.path = "FOLDER/long.npy": has a token of length 1.5 in row 4, counted from 0; divide every token by its length; tokens live on the unit sphere
    FOLDER/clusters.toml: tokens.initial.path = "FOLDER/nan.npy": has NaN at [4, 2], counted from 0; write finite numbers
    FOLDER/clusters.toml: tokens.initial.path = "FOLDER/integers.npy": holds entries of type '<i4'; save it as float32 or float64, e.g. array.astype(numpy.float64)
    FOLDER/clusters.toml: tokens.initial.path = "FOLDER/text.npy": is no .npy file: I/O error: failed to fill whole buffer; write the array with numpy.save
    FOLDER/clusters.toml: tokens.initial.path = "FOLDER/cut.npy": is no .npy file: 112 bytes do not hold the shape (5, 3); write the array with numpy.save
    "#);
}

#[test]
fn files_of_weights_and_matrices() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let weights = |extra: &str, file: &str| {
        refusal_in(folder.path(), "seed = 7", &format!("seed = 7\n{extra}weights = {{ path = \"{file}\" }}"))
    };
    write_npy(at("unit.npy"), &Array1::<f64>::ones(6)).unwrap();
    write_npy(at("five.npy"), &arr1(&[0.2; 5])).unwrap();
    write_npy(at("negative.npy"), &arr1(&[0.5, 0.7, -0.2, 0.0, 0.0, 0.0])).unwrap();
    write_npy(at("tail.npy"), &arr1(&[0.5, 0.3, 0.0, 0.0, 0.2, 0.0])).unwrap();
    write_npy(at("matrix.npy"), &Array2::<f64>::eye(2)).unwrap();
    let head = "[[attention.head]]\nquery-key = { path = \"matrix.npy\" }\nvalue = \"identity\"\n[time]";
    let refusals = [
        weights("", "unit.npy"),
        weights("", "five.npy"),
        weights("", "negative.npy"),
        weights("passive = 2\n", "tail.npy"),
        refusal_in(folder.path(), "[time]", head),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    FOLDER/clusters.toml: tokens.weights.path = "FOLDER/unit.npy": the weights of replica 0 sum to 6, not to 1; divide them by 6
    FOLDER/clusters.toml: tokens.weights.path = "FOLDER/five.npy": has the shape (5,); save an array of shape (6,) or (1, 6)
    FOLDER/clusters.toml: tokens.weights.path = "FOLDER/negative.npy": token 2 of replica 0 has the weight -0.2; write weights of at least 0
    FOLDER/clusters.toml: tokens.weights.path = "FOLDER/tail.npy": token 4 of replica 0 is passive and has the weight 0.2; write weight 0 for passive tokens, or a smaller tokens.passive
    FOLDER/clusters.toml: attention.head.0.query-key.path = "FOLDER/matrix.npy": has the shape (2, 2); save an array of shape (3, 3)
    "#);
}

#[test]
fn a_missing_experiment() {
    let error = Experiment::read(Path::new("nowhere/clusters.toml"), &[]).unwrap_err();
    insta::assert_snapshot!(error, @r#"nowhere/clusters.toml: there is no such file; write the path of an experiment file"#);
    assert_eq!(error.key(), None);
}

#[test]
fn overrides() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clusters.toml");
    std::fs::write(&file, GOOD).unwrap();
    let malformed = |text: &str| text.parse::<Override>().unwrap_err().to_string();
    let refused = |text: &str| {
        let change = text.parse().unwrap();
        error_of(Experiment::read(&file, &[change])).replace(&format!("{}", folder.path().display()), "FOLDER")
    };
    let refusals = [
        malformed("attention.beta"),
        malformed("attention..beta=2"),
        malformed("attention.beta="),
        malformed("initial={ law = "),
        refused("attention.betta=2.0"),
        refused("attention.beta=cold"),
        refused("attention.beta.unit=2"),
        refused("attention.head.1.value=\"identity\""),
        refused("tokens.initial={ law = \"cap\", axis = [0, 0, 1], angle = 9 }"),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    --set attention.beta: has no =; write --set KEY=VALUE, e.g. --set attention.beta=2.0
    --set attention..beta=2: the key is not made of names between dots; write --set KEY=VALUE, e.g. --set attention.beta=2.0
    --set attention.beta=: has no value; write --set KEY=VALUE, e.g. --set attention.beta=2.0
    --set initial={ law = : the value is not TOML: unclosed inline table, expected `}`; write --set KEY=VALUE, e.g. --set attention.beta=2.0
    FOLDER/clusters.toml with --set attention.betta=2.0: attention.betta: unknown key; did you mean attention.beta? known here: beta, normalization, sinkhorn, mask, window, position, model, layers, heads, head
    FOLDER/clusters.toml with --set attention.beta=cold: attention.beta = "cold": must be a number, and is text; write e.g. attention.beta = 4.0
    FOLDER/clusters.toml with --set attention.beta.unit=2: attention.beta.unit: attention.beta is a value and has no keys; write --set attention.beta=VALUE
    FOLDER/clusters.toml with --set attention.head.1.value="identity": attention.head.1.value: attention.head is a list of 0 and has no element 1; write an index from 0 to 0
    FOLDER/clusters.toml with --set tokens.initial={ law = "cap", axis = [0, 0, 1], angle = 9 }: tokens.initial.angle = 9.0: must be an angle in radians, greater than 0 and at most pi; write e.g. angle = 0.5
    "#);
}

#[test]
fn tokens_that_are_kept() {
    let of = |quantities: &str, tokens: &str| {
        let table = format!("end = 10.0\n[observe]\nquantities = [{quantities}]\ntokens = {tokens}");
        refusal("end = 10.0", &table)
    };
    let refusals = [
        of("\"energy\"", "{ every = 0.5 }"),
        of("\"tokens\"", "{ every = 0.12 }"),
        of("\"tokens\"", "{ every = 0 }"),
        of("\"tokens\"", "{ sample = 0 }"),
        of("\"tokens\"", "{ sample = 7 }"),
        of("\"tokens\"", "{ samples = 3 }"),
        of("\"tokens\"", "{ format = \"hdf5\" }"),
        of("\"tokens\"", "3"),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    experiment: observe.tokens = { every = 0.5 }: is about the quantity "tokens", which is not kept; add "tokens" to observe.quantities, or leave it out
    experiment: observe.tokens.every = 0.12: is no whole number of steps of time.step = 0.05; write observe.tokens.every = 0.1 or 0.15
    experiment: observe.tokens.every = 0: must be finite and greater than 0; write e.g. observe.tokens.every = 1.0
    experiment: observe.tokens.sample = 0: must be at least 1; write e.g. observe.tokens.sample = 1000
    experiment: observe.tokens.sample = 7: each replica has 6 tokens; write observe.tokens.sample = 6 or less, or leave it out to keep all
    experiment: observe.tokens.samples: unknown key; did you mean observe.tokens.sample? known here: every, sample, format
    experiment: observe.tokens.format = "hdf5": not supported; accepted: "npy", "zarr"
    experiment: observe.tokens = 3: must be a table, and is a whole number; write e.g. observe.tokens = { every = 1.0, sample = 1000 }
    "#);
}
