//! What is measured: the numbers of quantities, and what is refused.

use super::super::{tests::GOOD, *};
use crate::{
    observables::{self, Clusters, Modes, NormMoments, OverlapHistogram, OverlapShare, Quantity, RenyiCentres},
    problem::Problem,
    tokens::Shape,
};

fn experiment(overrides: &[&str]) -> Result<Experiment, ExperimentError> {
    let overrides = overrides.iter().map(|text| text.parse().unwrap()).collect();
    let source = Source { name: "experiment".into(), folder: PathBuf::new(), overrides, arrays: Arrays::default() };
    Experiment::from_text(GOOD, source)
}

fn problem(overrides: &[&str]) -> Problem {
    experiment(overrides).and_then(|experiment| experiment.resolve()).unwrap_or_else(|error| panic!("{error}"))
}

/// Problem and remedy.
fn refusal(overrides: &[&str]) -> String {
    match experiment(overrides).and_then(|experiment| experiment.resolve()) {
        Ok(_) => panic!("{overrides:?} is accepted"),
        Err(error) => {
            let text = error.to_string();
            text.split_once(": observe")
                .or(text.split_once(": tokens"))
                .map_or(text.clone(), |(_, end)| end.to_owned())
        }
    }
}

#[test]
fn numbers_stand_beside_their_quantities() {
    let list =
        "observe.quantities=[\"clusters\", \"overlap_histogram\", \"modes\", \"effective_rank\", \"attention\"]";
    let defaults = [
        Quantity::Clusters(Clusters { threshold: 0.99, largest: 3 }),
        Quantity::OverlapHistogram(OverlapHistogram { bins: 32, pairs: 1_000_000, seed: 7 }),
        Quantity::Modes(Modes { degree: 8 }),
        Quantity::EffectiveRank,
        Quantity::Attention(observables::Attention { rows: 256, of: observables::Among::Sources, seed: 7 }),
    ];
    assert_eq!(problem(&[list]).quantities, defaults);
    let set =
        ["observe.threshold=-0.5", "observe.largest=0", "observe.bins=9", "observe.pairs=11", "observe.degree=2"];
    let typed = [list, "observe.rows=5", "tokens.seed=9"].into_iter().chain(set).collect::<Vec<_>>();
    let changed = [
        Quantity::Clusters(Clusters { threshold: -0.5, largest: 0 }),
        Quantity::OverlapHistogram(OverlapHistogram { bins: 9, pairs: 11, seed: 9 }),
        Quantity::Modes(Modes { degree: 2 }),
        Quantity::EffectiveRank,
        Quantity::Attention(observables::Attention { rows: 5, of: observables::Among::Sources, seed: 9 }),
    ];
    assert_eq!(problem(&typed).quantities, changed);
    let written = experiment(&[list]).unwrap().to_toml().unwrap();
    let numbers =
        "threshold = 0.99\nlargest = 3\nbins = 32\npairs = 1000000\ndegree = 8\nrows = 256\nof = \"sources\"\n";
    assert!(written.ends_with(numbers), "{written}");
    let others =
        ["observe.quantities=[\"norm_moments\", \"renyi_centres\"]", "observe.order=2", "observe.separation=1"];
    let geometry = ["tokens.geometry=pre-norm", "attention.mask=causal"];
    let found = problem(&[others.as_slice(), &geometry].concat()).quantities;
    assert_eq!(
        found,
        [Quantity::NormMoments(NormMoments { order: 2 }), Quantity::RenyiCentres(RenyiCentres { separation: 1.0 })]
    );
}

#[test]
fn a_separation_is_at_most_that_of_opposite_tokens() {
    let of = |separation: &str| {
        let number = format!("observe.separation={separation}");
        experiment(&["attention.mask=causal", "observe.quantities=[\"renyi_centres\"]", &number])
    };
    let quantities = of("3.141592653589793").unwrap().resolve().unwrap().quantities;
    assert_eq!(quantities, [Quantity::RenyiCentres(RenyiCentres { separation: std::f64::consts::PI })]);
    for other in ["3.1415926535897936", "0.0", "-0.5"] {
        let error = of(other).expect_err(other).to_string();
        assert!(error.contains("an angle greater than 0 and at most pi"), "{other}: {error}");
    }
}

#[test]
fn quantities_share_a_number() {
    let list = "observe.quantities=[\"overlap_share\", \"overlap_histogram\"]";
    let typed = [list, "observe.above=0.5", "observe.pairs=11"];
    let share = Quantity::OverlapShare(OverlapShare { above: 0.5, pairs: 11, seed: 7 });
    let histogram = Quantity::OverlapHistogram(OverlapHistogram { bins: 32, pairs: 11, seed: 7 });
    assert_eq!(problem(&typed).quantities, [share, histogram]);
    let written = experiment(&typed).unwrap().to_toml().unwrap();
    assert!(written.ends_with("bins = 32\npairs = 11\nabove = 0.5\n"), "{written}");
}

#[test]
fn what_means_nothing_is_refused() {
    let causal = "attention.mask=causal";
    let of = |quantity: &str| format!("observe={{ quantities = [\"{quantity}\"] }}");
    let refused = |quantity: &str, others: &[&str]| refusal(&[&[of(quantity).as_str()], others].concat());
    let common = "noise={ field = \"common-matrix\", intensity = 0.1, calculus = \"ito\" }";
    let pairs = ["tokens.replicas=2", "tokens.perturbation=0.1"];
    let (gradient, plain) = (
        "perceptron={ gradient = { directions = [[1, 0, 0]], weights = [1] }, activation = \"tanh\" }",
        "attention.normalization=unnormalized",
    );
    let oscillating = |base: &str, amplitude: &str| {
        format!("attention.head=[{{ query-key = {{ base = {base}, amplitude = {amplitude}, frequency = 1 }} }}]")
    };
    let sinkhorn = "attention.sinkhorn={ iterations = 20, tolerance = 1e-6 }";
    let refusals = [
        refusal(&["observe.threshold=0.9"]),
        refusal(&["observe={ quantities = [\"clusters\"], bins = 9 }"]),
        refusal(&["observe={ quantities = [\"clusters\"], pairs = 9 }"]),
        refusal(&["observe={ quantities = [\"clusters\"], threshold = 1 }"]),
        refusal(&["observe={ quantities = [\"overlap_share\"], above = 1 }"]),
        refused("clusters", &["tokens.geometry=euclidean"]),
        refused("overlap_histogram", &["tokens.passive=5"]),
        refused("overlap_share", &["tokens.passive=5"]),
        refused("modes", &["tokens.dim=4"]),
        refused("head_energies", &["attention.head=[{}, { beta = 0.5 }]"]),
        refused("head_energies", &["attention.normalization=hardmax"]),
        refused("limit_modes", &["tokens.dim=4", "reference={ kind = \"zonal\" }"]),
        refused("limit_modes", &["tokens.geometry=euclidean", "reference={ kind = \"particles\" }"]),
        refused("limit_moments", &[]),
        refused("limit_energy", &["attention.beta=0", "reference={ kind = \"zonal\" }"]),
        refused("limit_energy", &["attention.normalization=relu", "reference={ kind = \"zonal\" }"]),
        refused("norm_moments", &[]),
        refused("attention", &["attention.normalization=hardmax"]),
        refused("attention_matrix", &["attention.normalization=hardmax"]),
        refused("attention_matrix", &["attention.normalization=sinkhorn", sinkhorn]),
        refused("attention_matrix", &["tokens.count=1025"]),
        refused("attention_spectrum", &["attention.normalization=hardmax"]),
        refused("attention_spectrum", &["tokens.count=3000"]),
        refused("renyi_centres", &[]),
        refused("dissipation", &[causal]),
        refused("dissipation", &["attention.head=[{ query-key = { rows = [[1, 2, 0], [0, 1, 0], [0, 0, 1]] } }]"]),
        refused("dissipation", &["attention.head=[{ weight = { layers = [1, 2] } }]", "time.end=0.1"]),
        refused("dissipation", &[&oscillating("{ scale = 1 }", "{ rows = [[0, 1, 0], [0, 0, 0], [0, 0, 0]] }")]),
        refused("energy_drift", &["attention.beta={ layers = [1, 2] }", "time.end=0.1"]),
        refused(
            "energy_drift",
            &["attention.head=[{ query-key = { ensemble = \"goe\", variance = 1, every = 1 } }]"],
        ),
        refused(
            "energy_drift",
            &[
                "attention.head=[{ value = { ornstein-uhlenbeck = { mean = \"identity\", rate = 1, intensity = 1 } } }]",
            ],
        ),
        refused(
            "energy_drift",
            &["attention.head=[{ query-key = { layers = [[[1, 0, 0], [0, 1, 0], [0, 0, 1]]] } }]", "time.end=0.05"],
        ),
        refused("energy_drift", &["attention.beta={ times = [0, 1], values = [0, 1] }"]),
        refused("energy_drift", &["attention.normalization=hardmax"]),
        refused("energy_drift", &["attention.normalization=relu"]),
        refused("energy_drift", &[causal]),
        refused("dissipation", &["attention.beta=0"]),
        refused("potential_energy", &[gradient]),
        refused("potential_energy", &[plain]),
        refused(
            "potential_energy",
            &[plain, "perceptron={ inner = [[1, 0, 0]], outer = [[0, 1, 0]], activation = \"tanh\" }"],
        ),
        refused("potential_energy", &[plain, gradient, "perceptron.weight={ times = [0, 1], values = [1, 2] }"]),
        refused("potential_energy", &[plain, gradient, "attention.head=[{ value = { scale = 2 } }]"]),
        refused("potential_energy", &[plain, gradient, causal]),
        refused("potential_energy", &[plain, gradient, "attention.beta=0"]),
        refused("velocity", &["tokens.geometry=layer-norm", "layer-norm={ epsilon = 1e-12 }", "time.scheme=layer"]),
        refusal(&["observe={ quantities = [\"attention\"], of = \"passive\" }"]),
        refusal(&["observe={ quantities = [\"velocity\"], of = \"all\" }"]),
        refusal(&["observe.of=passive"]),
        refused("lyapunov", &[]),
        refused("lyapunov", &[pairs.as_slice(), &[common, "time.scheme=euler"]].concat()),
        refusal(&["tokens.replicas=3", "tokens.perturbation=0.1"]),
        refusal(&["tokens.replicas=2", "tokens.perturbation=0"]),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    .threshold = 0.9: is a number of the quantity "clusters", which is not measured; add "clusters" to observe.quantities, or leave it out
    .bins = 9: is a number of the quantity "overlap_histogram", which is not measured; add "overlap_histogram" to observe.quantities, or leave it out
    .pairs = 9: is a number of "overlap_histogram" and "overlap_share", none of which is measured; add one of "overlap_histogram", "overlap_share" to observe.quantities, or leave it out
    .threshold = 1: must be greater than -1 and less than 1; write e.g. observe.threshold = 0.99
    .above = 1: must be at least -1 and less than 1; write e.g. observe.above = 0.99
    .quantities = ["clusters"]: clusters, limit_modes, modes, overlap_histogram, overlap_share and renyi_centres are of directions, and tokens of one direction may be far apart in R^d; leave them out
    .quantities = ["overlap_histogram"]: overlap_histogram is of pairs of tokens of positive weight, and a replica has less than two of those; leave it out
    .quantities = ["overlap_share"]: overlap_share is of pairs of tokens of positive weight, and a replica has less than two of those; leave it out
    .quantities = ["modes"]: modes are those of Fourier and of spherical harmonics, for tokens.dim = 2 and 3; leave "modes" out; overlap_histogram is for any tokens.dim
    .quantities = ["head_energies"]: attention has 2 heads, and head_energies a column for each of observe.heads = 1; write observe.heads = 2
    .quantities = ["head_energies"]: the energy (1 / 2 beta) sum_ij .. is infinite for hardmax, which is beta = infinity; leave "head_energies" out
    .quantities = ["limit_modes"]: limit_modes are those of Fourier and of spherical harmonics, for tokens.dim = 2 and 3; leave "limit_modes" out; overlap_histogram is for any tokens.dim
    .quantities = ["limit_modes"]: clusters, limit_modes, modes, overlap_histogram, overlap_share and renyi_centres are of directions, and tokens of one direction may be far apart in R^d; leave them out
    .quantities = ["limit_moments"]: "limit_moments" is of the limit, and there is none; write a table [reference], or leave "limit_moments" out
    .quantities = ["limit_energy"]: the energy (1 / 2 beta) sum_ij .. is undefined for attention.beta = 0; leave "limit_energy" out, or write attention.beta = 1e-3
    .quantities = ["limit_energy"]: the energy (1 / 2 beta) sum_ij .. has exponentials, and relu and sigmoid do not; leave "limit_energy" out
    .quantities = ["norm_moments"]: norm_moments are of lengths, and all tokens of this tokens.geometry have length 1; leave them out
    .quantities = ["attention"]: attention is of rows with a second largest weight, each by itself, and those of hardmax and sinkhorn are not; leave "attention" out
    .quantities = ["attention_matrix"]: attention_matrix has rows that are weighed each by itself, and those of hardmax and sinkhorn are not; leave "attention_matrix" out
    .quantities = ["attention_matrix"]: attention_matrix has rows that are weighed each by itself, and those of hardmax and sinkhorn are not; leave "attention_matrix" out
    .quantities = ["attention_matrix"]: attention_matrix is a file of n^2 numbers for each head and sample, and 1025 tokens are too many; write tokens.count = 1024 or less, or leave "attention_matrix" out; "attention" is for any number
    .quantities = ["attention_spectrum"]: attention_spectrum is of rows that are weighed each by itself, and those of hardmax and sinkhorn are not; leave "attention_spectrum" out
    .quantities = ["attention_spectrum"]: singular values take n^3 operations, and 3000 tokens are too many; write tokens.count = 2048 or less, or leave "attention_spectrum" out
    .quantities = ["renyi_centres"]: renyi_centres are tokens that none before them moves, and here all see all; write attention.mask = "causal" or "strictly-causal", or leave it out
    .quantities = ["dissipation"]: dissipation is that of softmax, unnormalized or shifted attention to all, on the sphere or in R^d, with A symmetric at all times, and nothing else; leave "dissipation" out
    .quantities = ["dissipation"]: dissipation is that of softmax, unnormalized or shifted attention to all, on the sphere or in R^d, with A symmetric at all times, and nothing else; leave "dissipation" out
    .quantities = ["dissipation"]: dissipation is that of heads that change smoothly, and attention.head.0.weight by layers does not; write a ramp or an oscillating matrix, or leave "dissipation" out
    .quantities = ["dissipation"]: dissipation is that of softmax, unnormalized or shifted attention to all, on the sphere or in R^d, with A symmetric at all times, and nothing else; leave "dissipation" out
    .quantities = ["energy_drift"]: attention.beta by layers has no derivative in layer-time, and energy_drift is one; write a ramp or an oscillating matrix, or leave "energy_drift" out
    .quantities = ["energy_drift"]: attention.head.0.query-key, which is drawn anew, has no derivative in layer-time, and energy_drift is one; write a ramp or an oscillating matrix, or leave "energy_drift" out
    .quantities = ["energy_drift"]: attention.head.0.value, an Ornstein-Uhlenbeck process, has no derivative in layer-time, and energy_drift is one; write a ramp or an oscillating matrix, or leave "energy_drift" out
    .quantities = ["energy_drift"]: attention.head.0.query-key by layers has no derivative in layer-time, and energy_drift is one; write a ramp or an oscillating matrix, or leave "energy_drift" out
    .quantities = ["energy_drift"]: the energy (1 / 2 beta) sum_ij .. is undefined for attention.beta = 0; leave "energy_drift" out, or write attention.beta = 1e-3
    .quantities = ["energy_drift"]: the energy (1 / 2 beta) sum_ij .. is infinite for hardmax, which is beta = infinity; leave "energy_drift" out
    .quantities = ["energy_drift"]: the energy (1 / 2 beta) sum_ij .. has exponentials, and relu and sigmoid do not; leave "energy_drift" out
    .quantities = ["energy_drift"]: energy_drift is that of softmax, unnormalized or shifted attention to all, on the sphere or in R^d; leave "energy_drift" out
    .quantities = ["dissipation"]: the energy (1 / 2 beta) sum_ij .. is undefined for attention.beta = 0; leave "dissipation" out, or write attention.beta = 1e-3
    .quantities = ["potential_energy"]: potential_energy is beside an energy that unnormalized attention is the gradient of; write attention.normalization = "unnormalized", or leave "potential_energy" out
    .quantities = ["potential_energy"]: potential_energy is that of a perceptron which is the gradient of a potential, and there is none; write perceptron.gradient, or leave "potential_energy" out
    .quantities = ["potential_energy"]: potential_energy is that of a perceptron which is the gradient of a potential, and there is none; write perceptron.gradient, or leave "potential_energy" out
    .quantities = ["potential_energy"]: potential_energy is beside the energy of attention to all with V_h = A_h symmetric, on the sphere or in R^d, of an equation that does not change, without noise and frozen tokens; leave "potential_energy" out
    .quantities = ["potential_energy"]: potential_energy is beside the energy of attention to all with V_h = A_h symmetric, on the sphere or in R^d, of an equation that does not change, without noise and frozen tokens; leave "potential_energy" out
    .quantities = ["potential_energy"]: potential_energy is beside the energy of attention to all with V_h = A_h symmetric, on the sphere or in R^d, of an equation that does not change, without noise and frozen tokens; leave "potential_energy" out
    .quantities = ["potential_energy"]: the energy (1 / 2 beta) sum_ij .. is undefined for attention.beta = 0; leave "potential_energy" out, or write attention.beta = 1e-3
    .quantities = ["velocity"]: velocity is that of tokens in continuous time, and layer norms move them at once; leave "velocity" out, or write another tokens.geometry
    .quantities = ["attention"]: observe.of = "passive" is of passive tokens, and there are none; write tokens.passive = 1 or more, or observe.of = "sources"
    .of = "all": not supported; accepted: "sources", "passive"
    .of = "passive": is a word of "attention" and "gap_counts" and "velocity", none of which is measured; add one of "attention", "gap_counts", "velocity" to observe.quantities, or leave it out
    .quantities = ["lyapunov"]: lyapunov compares pairs of replicas that start next to each other; write tokens.perturbation = 1e-6 and an even tokens.replicas
    .quantities = ["lyapunov"]: lyapunov compares replicas under the same noise, and here each has its own; write a common noise.field and noise.replicas = "shared"
    .replicas = 3: every second replica is the one before it perturbed, and their number is odd; write tokens.replicas = 4
    .perturbation = 0: must be finite and greater than 0; write e.g. tokens.perturbation = 1e-6
    "#);
}

/// Displacements of d components of the given standard deviation, of which the sphere keeps d - 1, to 5 standard errors.
#[test]
fn every_second_replica_starts_next_to_the_first() {
    let set = ["tokens.replicas=4", "tokens.perturbation=1e-3", "tokens.count=4000"];
    for (geometry, freedom) in [("sphere", 2.0), ("euclidean", 3.0)] {
        let quantities =
            ["observe={ quantities = [\"lyapunov\"] }".to_owned(), format!("tokens.geometry={geometry}")];
        let all: Vec<&str> = set.into_iter().chain(quantities.iter().map(String::as_str)).collect();
        let tokens = problem(&all).tokens;
        let Shape { count, dim, .. } = tokens.shape;
        let square = |a: usize, b: usize| -> f64 {
            let pairs = tokens.replica(a).iter().zip(tokens.replica(b));
            pairs.map(|(x, y)| (x - y) * (x - y)).sum::<f64>() / count as f64
        };
        for first in [0, 2] {
            let found = square(first, first + 1) / 1e-6;
            assert!((found - freedom).abs() < 5.0 * (2.0 * freedom / count as f64).sqrt(), "{geometry}: {found}");
            let mut lengths = tokens.replica(first + 1).chunks(dim).map(crate::vector::norm);
            assert_eq!(lengths.all(|length| (length - 1.0).abs() < 1e-14), geometry == "sphere");
        }
        assert!(square(0, 2) > 1.0, "pairs are independent of each other");
        let differs = (0..count * dim).any(|k| {
            let moved = |pair: usize| tokens.replica(2 * pair + 1)[k] - tokens.replica(2 * pair)[k];
            (moved(0) - moved(1)).abs() > 1e-4
        });
        assert!(differs, "each pair has draws of its own");
    }
}
