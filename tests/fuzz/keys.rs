//! Every key of an experiment file and what is written there: values as they are meant, extremes, and what is of another type.

use std::str::FromStr;

use rand::Rng;
use tokenfield::random::Stream;
use toml::{Table, Value};

const NUMBERS: &[&str] =
    &["0.0", "1.0", "0.5", "2", "-1.0", "1e300", "1e-300", "5e-324", "1e17", "-1e300", "inf", "nan"];
const CHANGING: &[&str] =
    &["1.0", "nan", "{ times = [0.0, 1e-300], values = [1e300, -1e300] }", "{ layers = [1.0, 2.0] }"];
const STEPS: &[&str] =
    &["0.05", "0", "1e-300", "1e18", "-1.0", "inf", "[0.1, 0.2]", "[]", "[1e300, 1e300]", "{ tolerance = 1e-300 }"];
const WHOLE: &[&str] = &["0", "1", "2", "3", "8", "4294967295", "9223372036854775807", "-1"];
const SIZES: &[&str] = &["1", "2", "3", "5", "17", "0", "4000000000", "4294967295", "9223372036854775807", "-3"];
const TIMES: &[&str] = &["0.1", "0.05", "1.0", "0", "1e-300", "1e300", "1e18", "5e-324", "-1.0", "inf"];
const LISTS: &[&str] =
    &["[0.0, 0.0, 1.0]", "[1.0, 2.0]", "[1e300, 1.0, 1e-300]", "[]", "[nan]", "[0.0, 0.0, 0.0, 1.0]"];
const BOUNDS: &[&str] =
    &["-1.0", "1.0", "-1e308", "1e308", "nan", "[0.0, 0.0, 0.0]", "[1.0, 1e-300, 2.0, 3.0]", "[inf, 1.0]", "[]"];
const ROWS: &[&str] = &[
    "[[1.0, 0.0, 0.0, 0.0]]",
    "[[1.0, 0.5], [0.5, 1.0]]",
    "[[1e300, 1e300], [1e300, -1e300]]",
    "[[1e-300, 0.0, 0.0], [0.0, 1e200, 0.0], [3.0, 0.0, 1e300]]",
    "[[]]",
    "[]",
];
const FORMULAS: &[&str] = &[
    "\"mean_0\"",
    "\"1 / mean_norm > 1e300\"",
    "\"ln(0 - time)\"",
    "\"((((1\"",
    "\"\"",
    "\"bessel_i(1e300, 1e300)\"",
    "\"1e999\"",
];
const FILES: &[&str] = &["\"x.npy\"", "\".\"", "\"/dev/null\"", "\"\"", "\"case.toml\""];
const MATRICES: &[&str] = &[
    "\"identity\"",
    "{ scale = 1e300 }",
    "{ scale = 0.0 }",
    "{ ensemble = \"goe\", variance = 1e300 }",
    "{ ensemble = \"psd\", variance = 1.0, every = 1 }",
    "{ base = \"identity\", amplitude = { scale = 1e300 }, frequency = 1e300 }",
    "{ ornstein-uhlenbeck = { mean = \"identity\", rate = 1e-300, intensity = 1e300 } }",
    "{ query-key = -1.0 }",
];
const WRONG: &[&str] = &["true", "\"word\"", "[1, [2]]", "{ a = 1 }", "1979-05-27", "{}", "[{}]"];

/// The last names of keys, of the tables that come before them, and their values.
const VALUES: &[(&str, &[&str])] = &[
    ("name", &["\"a\"", "\"..\"", "\"a/b\"", "\"\""]),
    ("algorithm", &["\"auto\"", "\"direct\"", "\"harmonic\""]),
    ("tolerance", &["1e-6", "1e-300", "0.999", "1e-15", "0", "1"]),
    ("count", SIZES),
    ("dim", &["2", "3", "4", "7", "2", "3", "1", "50000000", "4294967295"]),
    ("tokens.replicas", SIZES),
    ("noise.replicas", &["\"shared\"", "\"independent\""]),
    ("beta.replicas", LISTS),
    ("seed", WHOLE),
    ("passive", WHOLE),
    ("frozen", WHOLE),
    ("of", &["\"sources\"", "\"passive\"", "\"all\""]),
    (
        "geometry",
        &["\"sphere\"", "\"euclidean\"", "\"rescaled\"", "\"pre-norm\"", "\"peri-norm\"", "\"mix-norm\"", "\"ngpt\""],
    ),
    ("alpha", CHANGING),
    ("switch", TIMES),
    (
        "initial",
        &[
            "{ law = \"uniform\" }",
            "{ law = \"von-mises-fisher\", concentration = 1e300, axis = [0.0, 0.0, 1.0] }",
            "{ law = \"cap\", axis = [0.0, 1.0], angle = 1e-300 }",
            "{ law = \"simplex\" }",
            "{ law = \"fourier\", amplitudes = [0.0, 0.5], quiet = true }",
            "{ law = \"points\", rows = [[1.0, 0.0], [0.0, 1.0]] }",
            "{ law = \"gaussian\", scale = 1e300 }",
            "{ law = \"box\", low = -1e300, high = 1e300 }",
            "{ law = \"mixture\", laws = [{ law = \"uniform\" }, { law = \"cap\", axis = [0.0, 0.0, 1.0], angle = 1e-300 }] }",
            "{ law = \"two-clusters\", overlap = 0.5, fraction = 0.5, concentration = 1e10 }",
        ],
    ),
    ("law", &["\"uniform\"", "\"cap\"", "\"simplex\"", "\"orthonormal\"", "\"gaussian\"", "\"box\"", "\"mixture\""]),
    ("amplitudes", LISTS),
    ("quiet", &["true", "false", "1"]),
    ("concentration", NUMBERS),
    ("axis", LISTS),
    ("angle", NUMBERS),
    ("overlap", NUMBERS),
    ("fraction", NUMBERS),
    ("scale", NUMBERS),
    ("mean", LISTS),
    ("covariance", ROWS),
    ("low", BOUNDS),
    ("high", BOUNDS),
    ("path", FILES),
    ("perturbation", &["1e-6", "1e300", "1e-300", "0.0"]),
    ("weights", &["{ path = \"w.npy\" }"]),
    ("gradient.weights", LISTS),
    ("initial.weights", &["[0.25, 0.75]", "[1.0]", "[0.5, 0.5, 0.0]", "[1e-300, 1.0]", "[nan, 1.0]", "[]"]),
    (
        "laws",
        &["[]", "[{ law = \"uniform\" }]", "[{ law = \"points\", rows = [[1.0, 0.0]] }, { law = \"uniform\" }]"],
    ),
    ("layer-norm", &["{ epsilon = 1e-12 }", "{ epsilon = 1e300 }"]),
    ("epsilon", &["0.05", "1e-300", "1e300", "1.0", "0"]),
    ("layer-norm.attention", &["{ gain = [1.0] }"]),
    ("perceptron", &["{ inner = [[1e300, 0.0, 0.0]], outer = [[1.0, 0.0, 0.0]], activation = \"gelu\" }"]),
    ("gain", LISTS),
    ("bias", LISTS),
    ("attention", &["{ beta = 1e17, normalization = \"softmax\" }"]),
    (
        "beta",
        &["4.0", "1e14", "1e17", "1e300", "0.0", "1e-300", "1000.0", "{ times = [0.0, 1.0], values = [1.0, 1e300] }"],
    ),
    ("times", LISTS),
    ("values", LISTS),
    (
        "normalization",
        &["\"softmax\"", "\"unnormalized\"", "\"shifted\"", "\"hardmax\"", "\"sinkhorn\"", "\"relu\"", "\"sigmoid\""],
    ),
    ("sinkhorn", &["{ iterations = 20, tolerance = 0.0 }", "{ iterations = 4294967295, tolerance = 0.0 }"]),
    ("iterations", WHOLE),
    ("mask", &["\"none\"", "\"causal\"", "\"strictly-causal\"", "\"others\""]),
    ("window", WHOLE),
    ("position", &["{ alibi = 1e300 }", "{ rotary = 1e-300 }", "{ rotary = 1e300 }"]),
    ("alibi", NUMBERS),
    ("rotary", NUMBERS),
    ("additive", ROWS),
    ("position.values", &["true", "false", "1"]),
    ("model", FILES),
    ("layers", &["[0, 1]", "[4294967295]", "[]", "\"x.npy\"", "[[[1.0, 0.0], [0.0, 1.0]]]"]),
    ("heads", WHOLE),
    ("head", &["[]", "[{}]", "[{}, {}]", "[{ query-key = { scale = 1e300 } }]"]),
    ("copies", SIZES),
    ("query-key", MATRICES),
    ("value", MATRICES),
    ("amplitude", MATRICES),
    ("base", MATRICES),
    ("start", &["\"mean\"", "\"stationary\"", "\"end\""]),
    ("symmetric", &["true", "false", "1"]),
    ("ornstein-uhlenbeck", &["{ mean = \"identity\", rate = 1e300, intensity = 1.0 }"]),
    ("diagonal", LISTS),
    ("rows", ROWS),
    ("observe.rows", SIZES),
    ("ensemble", &["\"gaussian\"", "\"goe\"", "\"wigner\"", "\"psd\"", "\"gaussian-product\""]),
    ("variance", NUMBERS),
    ("draws", &["\"shared\"", "\"replicas\"", "\"pairs\""]),
    ("every", TIMES),
    ("log", &["{ from = 0.01, per-decade = 10 }", "{ from = 5e-324, per-decade = 1000 }"]),
    ("per-decade", WHOLE),
    ("frequency", NUMBERS),
    ("rate", NUMBERS),
    ("intensity", NUMBERS),
    ("weight", CHANGING),
    ("weight.layers", LISTS),
    ("alpha.layers", LISTS),
    ("beta.layers", LISTS),
    ("bias.layers", ROWS),
    ("query", ROWS),
    ("key", ROWS),
    ("output", ROWS),
    ("query-bias", LISTS),
    ("key-bias", LISTS),
    ("value-bias", LISTS),
    ("output-bias", LISTS),
    ("inner", ROWS),
    ("outer", ROWS),
    ("activation", &["\"relu\"", "\"gelu\"", "\"tanh\"", "\"identity\""]),
    ("gradient", &["{ directions = [[1e300, 0.0, 0.0, 0.0]], weights = [1e300] }"]),
    ("directions", ROWS),
    ("noise", &["{ field = \"common-matrix\", intensity = 1e300, calculus = \"stratonovich\" }"]),
    ("field", &["\"independent\"", "\"common-additive\"", "\"common-matrix\"", "\"common-perceptron\""]),
    ("width", &["1", "64", "1048576", "4294967295"]),
    ("calculus", &["\"ito\"", "\"stratonovich\""]),
    ("tokens", &["{}"]),
    ("time", &["{ scheme = \"rk4\", step = 1e300, end = 1e300 }"]),
    ("scheme", &["\"euler\"", "\"bogacki-shampine\"", "\"heun\"", "\"rk4\"", "\"layer\""]),
    ("step", STEPS),
    ("first", TIMES),
    ("factor", NUMBERS),
    ("most", TIMES),
    ("end", TIMES),
    ("stop", &["\"mean_norm > 0.5\"", "\"time >= 0.1 or mean_0 < 1e300\"", "\"time\"", "\"((((1\""]),
    (
        "observe.tokens",
        &["{}", "{ every = 1e-300 }", "{ sample = 4294967295 }", "{ every = 0.1, sample = 1, format = \"zarr\" }"],
    ),
    ("tokens.every", TIMES),
    ("tokens.sample", SIZES),
    ("tokens.format", &["\"npy\"", "\"zarr\"", "\"hdf5\""]),
    ("observe", &["{ quantities = [] }", "{ quantities = [\"energy\", \"tokens\", \"clusters\"] }"]),
    (
        "quantities",
        &[
            "[\"moments\", \"energy\", \"w2_dirac\", \"overlap\"]",
            "[\"clusters\", \"overlap_histogram\", \"effective_rank\", \"tokens\", \"attention_matrix\", \"attention_spectrum\"]",
            "[\"coupling_error\", \"mmd_reference\", \"moments_reference\", \"sliced_w2_reference\", \"sinkhorn_reference\", \"w2_reference\"]",
            "[\"modes\", \"attention\", \"gap_counts\", \"dissipation\", \"velocity\"]",
            "[\"w1_copies\", \"head_energies\"]",
            "[\"energy\", \"dissipation\", \"energy_drift\", \"potential_energy\"]",
            "[\"limit_attention\", \"limit_energy\"]",
            "[\"limit_moments\", \"limit_pair_overlap\", \"limit_energy\", \"limit_modes\"]",
            "[\"norm_moments\", \"effective_rank\", \"overlap_share\", \"overlap_histogram\"]",
        ],
    ),
    ("result", &["[]", "[{ name = \"a\", slope = \"ln(mean_norm)\" }]", "[{ name = \"pi\", last = \"time\" }]"]),
    ("result.name", &["\"a\"", "\"mean_0\"", "\"time\"", "\"and\"", "\"a b\"", "\"\""]),
    ("last", FORMULAS),
    ("change", FORMULAS),
    ("result.of", FORMULAS),
    ("result.largest", FORMULAS),
    ("smallest", FORMULAS),
    ("integral", FORMULAS),
    ("result.mean", FORMULAS),
    ("slope", FORMULAS),
    ("first-time", FORMULAS),
    ("from", TIMES),
    ("to", TIMES),
    ("threshold", NUMBERS),
    ("largest", WHOLE),
    ("bins", WHOLE),
    ("pairs", WHOLE),
    ("above", NUMBERS),
    ("gap", NUMBERS),
    ("observe.heads", WHOLE),
    ("rank-threshold", NUMBERS),
    ("singular-values", WHOLE),
    ("degree", &["1", "16", "1000", "4294967295"]),
    ("order", &["1", "16", "1000", "4294967295"]),
    ("separation", NUMBERS),
    ("places", SIZES),
    ("projections", &["2", "32", "1000000", "4000000000"]),
    ("kernel-beta", &["1.0", "1e300", "1e-300", "1e14"]),
    (
        "reference",
        &[
            "{ kind = \"quadrature\" }",
            "{ kind = \"zonal\" }",
            "{ kind = \"zonal\", steps = \"tokens\" }",
            "{ kind = \"gaussian\" }",
            "{ kind = \"equiangular\" }",
            "{ kind = \"equiangular\", count = 1000000000000000, overlap = 0.0 }",
            "{ kind = \"particles\", count = 4 }",
            "{ kind = \"particles\", count = 4294967295 }",
        ],
    ),
    ("kind", &["\"quadrature\"", "\"zonal\"", "\"gaussian\"", "\"equiangular\"", "\"particles\""]),
    ("steps", &["\"own\"", "\"tokens\""]),
];

/// Edits of the page on which the program once panicked, aborted or did not end.
pub const FOUND: &[&[&str]] = &[
    &["attention.beta = 1e14"],
    &["attention.beta = 1e17", "tokens.dim = 3"],
    &["attention.beta = 1e300", "tokens.dim = 2"],
    &["attention.beta = 1e300", "tokens.dim = 3", "attention.head = [{ query-key = { scale = 1e300 } }]"],
    &[
        "tokens.dim = 3",
        "attention.head = [{ query-key = { rows = [[1e300, 1e300, 1], [1, 2, 3], [1e300, 1, 1]] } }]",
    ],
    &[
        "tokens.dim = 3",
        "reference = { kind = \"zonal\" }",
        "observe = { quantities = [\"mmd_reference\"], kernel-beta = 1e300 }",
    ],
];

pub fn below(random: &mut Stream, most: usize) -> usize {
    (random.next_u64() % most as u64) as usize
}

fn one<'a, T: ?Sized>(random: &mut Stream, list: &[&'a T]) -> &'a T {
    list[below(random, list.len())]
}

/// The values of a dotted key: those of the longest ending that has some.
fn values(key: &str) -> Option<&'static [&'static str]> {
    let ends = |ending: &str| key == ending || key.ends_with(&format!(".{ending}"));
    let fitting = VALUES.iter().filter(|(ending, _)| ends(ending));
    fitting.max_by_key(|(ending, _)| ending.len()).map(|(_, values)| *values)
}

pub fn is_generated(key: &str) -> bool {
    values(key).is_some()
}

fn parsed(text: &str) -> Value {
    Value::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What is written at a dotted key; nothing takes it away.
#[derive(Clone, Debug)]
pub struct Edit {
    path: Vec<String>,
    value: Option<Value>,
}

impl Edit {
    pub fn parse(text: &str) -> Self {
        let (key, value) = text.split_once(" = ").expect("KEY = VALUE");
        Self { path: key.split('.').map(str::to_owned).collect(), value: Some(parsed(value)) }
    }

    pub fn apply(&self, table: &mut Table) {
        let Some((last, before)) = self.path.split_last() else { return };
        let mut place = table;
        for name in before.iter().filter(|name| name.parse::<usize>().is_err()) {
            let entry = place.entry(name.clone()).or_insert(Value::Table(Table::new()));
            // Of a list of tables the first; what is no table becomes one.
            let is_list = entry.as_array().is_some_and(|list| list.first().is_some_and(Value::is_table));
            if !is_list && !entry.is_table() {
                *entry = Value::Table(Table::new());
            }
            place = match entry {
                Value::Table(table) => table,
                Value::Array(list) => list[0].as_table_mut().expect("a table"),
                _ => unreachable!("made one"),
            };
        }
        match &self.value {
            Some(value) => place.insert(last.clone(), value.clone()),
            None => place.remove(last),
        };
    }
}

/// A key of the page with a value, most often of its own; sometimes none, or a key that nobody knows.
pub fn edit(keys: &[String], random: &mut Stream) -> Edit {
    let key = keys[below(random, keys.len())].clone();
    let mut path: Vec<String> = key.split('.').map(str::to_owned).collect();
    let value = match below(random, 20) {
        0 => None,
        1 | 2 => Some(parsed(one(random, WRONG))),
        3 => {
            path.push("unknown".into());
            Some(Value::Integer(1))
        }
        _ => values(&key).map(|values| parsed(one(random, values))),
    };
    Edit { path, value }
}
