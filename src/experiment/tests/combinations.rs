//! Which terms go together.

use std::collections::BTreeSet;

use super::super::{tests::GOOD, *};

/// The good experiment with these overrides, which have the last word in its default quantities.
fn experiment(overrides: &[&str]) -> Result<Experiment, ExperimentError> {
    let overrides = overrides.iter().map(|text| text.parse().unwrap()).collect();
    let source = Source { name: "experiment".into(), folder: PathBuf::new(), overrides, arrays: Arrays::default() };
    Experiment::from_text(GOOD, source)
}

fn message(overrides: &[&str]) -> String {
    match experiment(overrides).and_then(|experiment| experiment.resolve()) {
        Ok(_) => panic!("{overrides:?} is accepted"),
        Err(error) => error.to_string(),
    }
}

const SINKHORN: &str =
    "attention={ beta = 1, normalization = \"sinkhorn\", sinkhorn = { iterations = 2, tolerance = 1e-3 } }";
const NOISE: &str = "noise={ field = \"independent\", intensity = 0.1, calculus = \"ito\" }";
const FACTORS: &str = "attention.head=[{ query = [[1, 0, 0]], key = [[1, 0, 0]], query-bias = [1] }]";

/// One breach of each rule, in their order.
const BREACHES: &[&[&str]] = &[
    &[SINKHORN, "attention.mask=causal"],
    &[SINKHORN, "attention.window=2"],
    &["attention.position={ alibi = 1 }"],
    &["attention.head=[{ alibi = 1 }]"],
    &["attention.position={ alibi = 1 }", "attention.normalization=hardmax", "attention.mask=causal"],
    &["attention.position={ alibi = 1 }", "attention.normalization=relu", "attention.mask=causal"],
    &["attention.mask=others"],
    &["attention.window=1", "attention.mask=strictly-causal"],
    &["tokens.geometry=peri-norm", "attention.mask=strictly-causal"],
    &["attention.normalization=hardmax", "attention.beta=0"],
    &["tokens.geometry=rescaled", "attention.head=[{}, {}]"],
    &["tokens.geometry=rescaled", FACTORS],
    &["tokens.geometry=rescaled", "attention.head=[{ value = { ensemble = \"goe\", variance = 1, every = 1 } }]"],
    &["tokens.geometry=rescaled", "tokens.frozen=1"],
    &["tokens.geometry=rescaled", "perceptron={ inner = [[1, 0, 0]], outer = [[1, 0, 0]], activation = \"relu\" }"],
    &["tokens.geometry=rescaled", "attention.normalization=unnormalized"],
    &["tokens.geometry=rescaled", "attention.position={ rotary = 10 }"],
    &["attention.position={ rotary = 10 }", "attention.head=[{ query-key = { diagonal = [1, 2, 3] } }]"],
    &["attention.position={ rotary = 10 }"],
    &["tokens.geometry=pre-norm", "time.scheme=layer"],
    &["tokens.geometry=layer-norm", "layer-norm={ epsilon = 0 }"],
    &["tokens.geometry=pre-norm", NOISE, "time.scheme=euler"],
    &[NOISE],
    &[NOISE, "noise.calculus=stratonovich", "time.scheme=euler"],
    &["tokens.initial={ law = \"gaussian\", scale = 1 }"],
];

#[test]
fn every_rule_is_breached_by_what_it_is_about() {
    assert_eq!(BREACHES.len(), rules::RULES.len());
    for (breach, rule) in BREACHES.iter().zip(rules::RULES) {
        let message = message(breach);
        for part in [rule.key, rule.problem, rule.remedy] {
            assert!(message.contains(part), "{breach:?} gives {message}, without {part}");
        }
    }
}

#[test]
fn what_is_refused_quotes_what_was_typed() {
    let refusals = [BREACHES[0], BREACHES[4], BREACHES[10], BREACHES[19], BREACHES[22]].map(message);
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    experiment with --set attention.mask=causal: attention.mask = "causal": hides sources, and sinkhorn makes rows and columns of all pairs stochastic; write attention.mask = "none"
    experiment with --set attention.position={ alibi = 1 }: attention.position = { alibi = 1.0 }: alibi adds finite terms to scores, which hardmax multiplies by infinity; leave it out, or write attention.normalization = "softmax"
    experiment with --set attention.head=[{}, {}]: attention.head = [{ query-key = "identity", value = "identity" }, { query-key..: tokens e^{-tV} x belong to the V of one head; write one head, or tokens.geometry = "euclidean"
    experiment with --set time.scheme=layer: time.scheme = "layer": a layer adds its outputs to the tokens and normalizes them, which is not what this tokens.geometry does; write time.scheme = "euler", or tokens.geometry = "sphere", "euclidean" or "layer-norm"
    experiment with --set noise={ field = "independent", intensity = 0.1, calculus = "ito" }: noise.calculus = "ito": Ito's integral is the limit of the scheme of Euler and Maruyama; write time.scheme = "euler"
    "#);
}

/// Every normalization, mask and geometry with a scheme that suits it: the geometries in which the pair is accepted.
#[test]
fn normalizations_masks_and_geometries_go_together_where_they_make_sense() {
    let mut table = String::new();
    for (normalization, _) in attention::NORMALIZATIONS {
        for (mask, _) in attention::MASKS {
            let mut refused = BTreeSet::new();
            for (geometry, _) in geometry::GEOMETRIES {
                let numbers = match *geometry {
                    "ngpt" => "tokens.alpha=1",
                    "mix-norm" => "tokens.switch=1",
                    "layer-norm" => "layer-norm={ epsilon = 1e-12 }",
                    _ => "name=plain",
                };
                let scheme = if *geometry == "layer-norm" { "layer" } else { "euler" };
                let normalization = match *normalization {
                    "sinkhorn" => SINKHORN.to_owned(),
                    other => format!("attention.normalization={other}"),
                };
                let typed = [
                    normalization,
                    format!("attention.mask={mask}"),
                    format!("tokens.geometry={geometry}"),
                    format!("time.scheme={scheme}"),
                    numbers.to_owned(),
                ];
                let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
                if experiment(&typed).unwrap().resolve().is_err() {
                    refused.insert(*geometry);
                }
            }
            let refused = match refused.len() {
                0 => "all".to_owned(),
                all if all == geometry::GEOMETRIES.len() => "none".to_owned(),
                _ => format!("all but {}", refused.into_iter().collect::<Vec<_>>().join(", ")),
            };
            table.push_str(&format!("{normalization}, {mask}: {refused}\n"));
        }
    }
    insta::assert_snapshot!(table, @r#"
    softmax, none: all
    softmax, causal: all
    softmax, strictly-causal: all but ngpt, peri-norm
    softmax, others: none
    unnormalized, none: all but rescaled
    unnormalized, causal: all but rescaled
    unnormalized, strictly-causal: all but ngpt, peri-norm, rescaled
    unnormalized, others: none
    shifted, none: all but rescaled
    shifted, causal: all but rescaled
    shifted, strictly-causal: all but ngpt, peri-norm, rescaled
    shifted, others: none
    hardmax, none: all but rescaled
    hardmax, causal: all but rescaled
    hardmax, strictly-causal: all but ngpt, peri-norm, rescaled
    hardmax, others: all but rescaled
    sinkhorn, none: all but rescaled
    sinkhorn, causal: none
    sinkhorn, strictly-causal: none
    sinkhorn, others: none
    relu, none: all but rescaled
    relu, causal: all but rescaled
    relu, strictly-causal: all but ngpt, peri-norm, rescaled
    relu, others: none
    sigmoid, none: all but rescaled
    sigmoid, causal: all but rescaled
    sigmoid, strictly-causal: all but ngpt, peri-norm, rescaled
    sigmoid, others: none
    "#);
}

#[test]
fn what_can_be_measured_depends_on_the_equation() {
    let quantities = |overrides: &[&str]| -> Vec<String> {
        let text = experiment(overrides).unwrap().to_toml().unwrap();
        let table: toml::Table = toml::from_str(&text).unwrap();
        table["observe"]["quantities"].as_array().unwrap().iter().map(|q| q.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(quantities(&[]), ["moments", "energy", "w2_dirac"]);
    assert_eq!(quantities(&["tokens.geometry=euclidean"]), ["moments", "energy"]);
    assert_eq!(quantities(&["tokens.geometry=mix-norm", "tokens.switch=1"]), ["moments", "energy"]);
    assert_eq!(quantities(&["attention.normalization=hardmax"]), ["moments", "w2_dirac"]);
    assert_eq!(quantities(&["attention.normalization=relu"]), ["moments", "w2_dirac"]);
    assert_eq!(quantities(&["attention.head=[{ beta = 0 }]"]), ["moments", "w2_dirac"]);
    assert_eq!(quantities(&["attention.head=[{ beta = 1 }]", "attention.beta=0"]), ["moments", "energy", "w2_dirac"]);
    let ramp = "attention.beta={ times = [0, 1], values = [0, 1] }";
    assert_eq!(quantities(&[ramp]), ["moments", "w2_dirac"]);
    let refusals = [
        message(&["attention.normalization=hardmax", "observe={ quantities = [\"energy\"] }"]),
        message(&["attention.normalization=sigmoid", "observe={ quantities = [\"energy\"] }"]),
        message(&["tokens.geometry=pre-norm", "observe={ quantities = [\"overlap\"] }"]),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    experiment with --set observe={ quantities = ["energy"] }: observe.quantities = ["energy"]: the energy (1 / 2 beta) sum_ij .. is infinite for hardmax, which is beta = infinity; leave "energy" out
    experiment with --set observe={ quantities = ["energy"] }: observe.quantities = ["energy"]: the energy (1 / 2 beta) sum_ij .. has exponentials, and relu and sigmoid do not; leave "energy" out
    experiment with --set observe={ quantities = ["overlap"] }: observe.quantities = ["overlap"]: w2_dirac and overlap compare tokens with a direction, and those of this tokens.geometry have a length; leave them out
    "#);
}

/// Copies are heads that are typed as often, so that each draws matrices of its own.
#[test]
fn copies_of_a_head_are_heads() {
    let random = "query-key = { ensemble = \"goe\", variance = 1 }, value = { query-key = -2 }, weight = 0.25";
    let of = |heads: &str| experiment(&[&format!("attention.head=[{heads}]")]).unwrap().resolve().unwrap();
    let (copies, typed) = (
        of(&format!("{{}}, {{ {random}, copies = 3 }}")),
        of(&format!("{{}}, {{ {random} }}, {{ {random} }}, {{ {random} }}")),
    );
    assert_eq!(copies.model, typed.model);
    assert_eq!(copies.model_schedule, typed.model_schedule);
    let heads = copies.model_schedule.at(&copies.model, 0, 0.0).attention.heads.clone();
    assert_eq!(heads.len(), 4);
    assert!(heads[1].query_key != heads[2].query_key && heads[2].query_key != heads[3].query_key);
    let refused = message(&["attention.head=[{ copies = 0 }]"]);
    assert!(refused.contains("attention.head.0.copies = 0"), "{refused}");
}
