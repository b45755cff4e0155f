//! Trained encoders.

use std::{collections::BTreeMap, path::Path};

use half::{bf16, f16};
use safetensors::{
    serialize,
    tensor::{Dtype, TensorView},
};

use super::super::*;
use crate::{
    model::{Activation, Geometry, Matrix},
    problem::Problem,
    scheme::Scheme,
};

const EXPERIMENT: &str = r#"
[tokens]
count = 3
dim = 4
seed = 1
initial = { law = "gaussian", scale = 1.0 }
[attention]
model = "encoder.safetensors"
layers = [0, 1]
heads = 2
[layer-norm]
epsilon = 1e-6
[time]
scheme = "layer"
step = 1
end = 2
[observe]
every = 1
"#;

/// The tensors of two layers of width 4 with perceptrons of width 3; entry k of a tensor is its number in the file plus
/// k / 16, which half precision holds.
fn tensors() -> BTreeMap<String, (Vec<usize>, Vec<f64>)> {
    let mut tensors = BTreeMap::new();
    for layer in 0..2 {
        for (index, (name, shape)) in [
            ("attention.self.query.weight", vec![4, 4]),
            ("attention.self.query.bias", vec![4]),
            ("attention.self.key.weight", vec![4, 4]),
            ("attention.self.key.bias", vec![4]),
            ("attention.self.value.weight", vec![4, 4]),
            ("attention.self.value.bias", vec![4]),
            ("attention.output.dense.weight", vec![4, 4]),
            ("attention.output.dense.bias", vec![4]),
            ("attention.output.LayerNorm.weight", vec![4]),
            ("attention.output.LayerNorm.bias", vec![4]),
            ("intermediate.dense.weight", vec![3, 4]),
            ("intermediate.dense.bias", vec![3]),
            ("output.dense.weight", vec![4, 3]),
            ("output.dense.bias", vec![4]),
            ("output.LayerNorm.weight", vec![4]),
            ("output.LayerNorm.bias", vec![4]),
        ]
        .into_iter()
        .enumerate()
        {
            let length: usize = shape.iter().product();
            let values = (0..length).map(|k| (16 * layer + index) as f64 + k as f64 / 16.0).collect();
            tensors.insert(format!("encoder.layer.{layer}.{name}"), (shape, values));
        }
    }
    tensors
}

fn write(folder: &Path, tensors: &BTreeMap<String, (Vec<usize>, Vec<f64>)>, prefix: &str, dtype: Dtype) {
    let bytes = |values: &[f64]| -> Vec<u8> {
        match dtype {
            Dtype::F16 => values.iter().flat_map(|value| f16::from_f64(*value).to_le_bytes()).collect(),
            Dtype::BF16 => values.iter().flat_map(|value| bf16::from_f64(*value).to_le_bytes()).collect(),
            Dtype::F32 => values.iter().flat_map(|value| (*value as f32).to_le_bytes()).collect(),
            _ => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    };
    let data: Vec<_> = tensors
        .iter()
        .map(|(name, (shape, values))| (format!("{prefix}{name}"), shape.clone(), bytes(values)))
        .collect();
    let views = data.iter().map(|(name, shape, bytes)| (name, TensorView::new(dtype, shape.clone(), bytes).unwrap()));
    std::fs::write(folder.join("encoder.safetensors"), serialize(views, None).unwrap()).unwrap();
}

fn read(folder: &Path, overrides: &[&str]) -> Result<Experiment, ExperimentError> {
    let file = folder.join("encoder.toml");
    std::fs::write(&file, EXPERIMENT).unwrap();
    let overrides: Vec<Override> = overrides.iter().map(|text| text.parse().unwrap()).collect();
    Experiment::read(&file, &overrides)
}

fn problem(folder: &Path, overrides: &[&str]) -> Problem {
    read(folder, overrides).and_then(|experiment| experiment.resolve()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_layer_is_cut_into_heads() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &tensors(), "", Dtype::F16);
    let problem = problem(folder.path(), &[]);
    assert_eq!((problem.scheme, problem.schedule.steps), (Scheme::Layer, 2));
    assert_eq!(*problem.model_schedule.at(&problem.model, 0, 0.0), problem.model);
    let second = problem.model_schedule.at(&problem.model, 1, 1.0).into_owned();
    let numbers =
        |first: f64, range: std::ops::Range<usize>| range.map(|k| first + k as f64 / 16.0).collect::<Vec<_>>();
    let head = &second.attention.heads[1];
    assert_eq!(second.attention.heads.len(), 2);
    assert_eq!(head.query_key, Matrix::Product { left: numbers(16.0, 8..16), right: numbers(18.0, 8..16) });
    // Columns 2 and 3 of the output.
    let output = [2, 6, 10, 14, 3, 7, 11, 15].map(|k| 22.0 + f64::from(k) / 16.0).to_vec();
    assert_eq!(head.value, Matrix::Product { left: output, right: numbers(20.0, 8..16) });
    assert_eq!((&head.biases.query, &head.biases.key), (&numbers(17.0, 2..4), &numbers(19.0, 2..4)));
    assert_eq!((&head.biases.value, &head.biases.output), (&numbers(21.0, 2..4), &Vec::new()));
    assert_eq!(second.attention.heads[0].biases.output, numbers(23.0, 0..4));
    assert_eq!((head.beta, head.weight), (Some(1.0 / 2f64.sqrt()), 1.0));
    let perceptron = second.perceptron.unwrap();
    assert_eq!((&perceptron.inner, &perceptron.bias), (&numbers(26.0, 0..12), &numbers(27.0, 0..3)));
    let outer = [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11].map(|k| 28.0 + f64::from(k) / 16.0);
    assert_eq!((&perceptron.outer[..], &perceptron.output_bias), (&outer[..], &numbers(29.0, 0..4)));
    assert_eq!(perceptron.activation, Activation::Gelu);
    let Geometry::LayerNorm { attention, perceptron } = second.geometry else { panic!("no layer norm") };
    assert_eq!((attention.gain, attention.bias), (numbers(24.0, 0..4), numbers(25.0, 0..4)));
    assert_eq!((perceptron.gain, perceptron.bias), (numbers(30.0, 0..4), numbers(31.0, 0..4)));
    assert_eq!((attention.epsilon, perceptron.epsilon), (1e-6, 1e-6));
}

#[test]
fn formats_and_prefixes_make_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    // Eight bits of mantissa hold no sixteenths beyond 16.
    let coarse = tensors()
        .into_iter()
        .map(|(name, (shape, values))| (name, (shape, values.iter().map(|v| v.floor()).collect())));
    let coarse = coarse.collect();
    let problems = [("", Dtype::F16), ("bert.", Dtype::BF16), ("", Dtype::F32)].map(|(prefix, dtype)| {
        write(folder.path(), &coarse, prefix, dtype);
        problem(folder.path(), &[])
    });
    assert!(problems[0] == problems[1] && problems[0] == problems[2]);
}

#[test]
fn a_configuration_beside_the_model_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &tensors(), "", Dtype::F32);
    let plain = problem(folder.path(), &[]);
    let config = r#"{ "num_attention_heads": 2, "layer_norm_eps": 1e-6, "hidden_act": "relu", "vocab_size": 9 }"#;
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    let text = EXPERIMENT.replace("heads = 2\n", "").replace("[layer-norm]\nepsilon = 1e-6\n", "");
    let file = folder.path().join("asking.toml");
    std::fs::write(&file, text).unwrap();
    let experiment = Experiment::read(&file, &[]).unwrap();
    let asked = experiment.resolve().unwrap();
    assert_eq!(asked.model.attention, plain.model.attention);
    assert_eq!(asked.model.geometry, plain.model.geometry);
    assert_eq!(asked.model.perceptron.as_ref().unwrap().activation, Activation::Relu);
    let again = Experiment::parse(&experiment.to_toml().unwrap()).unwrap();
    assert!(again.resolve().unwrap() == asked, "the resolved file finds the model and what is beside it");
}

#[test]
fn what_does_not_fit_a_trained_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &tensors(), "", Dtype::F32);
    let refused = |overrides: &[&str]| {
        let error = read(folder.path(), overrides).and_then(|experiment| experiment.resolve()).err();
        let error = error.unwrap_or_else(|| panic!("{overrides:?} is accepted")).to_string();
        let error = error.replace(&format!("{}", folder.path().display()), "FOLDER");
        error.split_once(": ").unwrap().1.to_owned()
    };
    let mut refusals = vec![
        refused(&["attention.model=absent.safetensors"]),
        refused(&["attention.model=encoder.toml"]),
        refused(&["attention.layers=[0, 2]"]),
        refused(&["attention.layers=[]"]),
        refused(&["attention.heads=3"]),
        refused(&["tokens.dim=6"]),
        refused(&["attention.beta=1"]),
        refused(&["attention.head=[{ value = \"identity\" }]"]),
        refused(&["perceptron={ inner = [[1, 0, 0, 0]], outer = [[1, 0, 0, 0]], activation = \"relu\" }"]),
        refused(&["tokens.geometry=euclidean"]),
        refused(&["layer-norm.attention={ gain = [1, 1, 1, 1] }"]),
        refused(&["time.scheme=euler"]),
        refused(&["time.step=0.5"]),
        refused(&["time.end=3"]),
        refused(&["attention.position={ alibi = 1 }"]),
    ];
    let mut broken = tensors();
    broken.get_mut("encoder.layer.1.output.dense.bias").unwrap().1[2] = f64::NAN;
    write(folder.path(), &broken, "", Dtype::F32);
    refusals.push(refused(&[]));
    write(folder.path(), &tensors(), "", Dtype::F64);
    refusals.push(refused(&[]));
    std::fs::write(folder.path().join("config.json"), r#"{ "hidden_act": "gelu_new" }"#).unwrap();
    refusals.push(refused(&[]));
    let relative = r#"{ "num_attention_heads": 2, "position_embedding_type": "relative_key" }"#;
    std::fs::write(folder.path().join("config.json"), relative).unwrap();
    refusals.push(refused(&[]));
    std::fs::write(folder.path().join("config.json"), "heads = 2").unwrap();
    refusals.push(refused(&[]));
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    attention.model = "FOLDER/absent.safetensors": there is no such file; write the path of a .safetensors file, relative to the folder of the experiment file
    attention.model = "FOLDER/encoder.toml": is no .safetensors file: header too large; write the model with save_file of the safetensors library
    attention.model = "FOLDER/encoder.safetensors": has no tensor encoder.layer.2.attention.self.query.weight; write attention.layers that the file has; tensors are named as those of BERT
    attention.layers = []: must name one or more layers; write e.g. attention.layers = [0, 1]
    attention.heads = 3: does not divide tokens of 4 components; write the number of heads of the model
    attention.model = "FOLDER/encoder.safetensors": the tensor encoder.layer.0.attention.self.query.weight has the shape (4, 4); take tokens of the width of the model; expected (6, 6)
    attention.beta = 1: stands beside a trained model, which has its own; leave it out, or attention.model
    attention.head = [{ value = "identity" }]: stands beside a trained model, which has its own; leave it out, or attention.model
    perceptron = { activation = "relu", inner = [[1.0, 0.0, 0.0, 0.0]], outer..: stands beside that of attention.model; leave the table out
    tokens.geometry = "euclidean": is not that of attention.model; write tokens.geometry = "layer-norm", or leave it out
    layer-norm = { attention = { gain = [1.0, 1.0, 1.0, 1.0] }, epsilon = 0.0..: has gains and biases beside those of attention.model; leave all but epsilon out
    time.scheme = "euler": is not the scheme of attention.model; write time.scheme = "layer"
    time.step = 0.5: is not the step of attention.model; write time.step = 1
    time.end = 3.0: is not the number of layers of attention.model; write time.end = 2, the number of attention.layers
    attention.position = { alibi = 1.0 }: alibi decays with i - j, which is negative for sources behind the token; write attention.mask = "causal" or "strictly-causal"
    attention.model = "FOLDER/encoder.safetensors": the tensor encoder.layer.1.output.dense.bias has NaN in it; write finite numbers
    attention.model = "FOLDER/encoder.safetensors": the tensor encoder.layer.0.attention.self.query.weight holds F64; save it as F16, BF16 or F32
    attention.model = "FOLDER/encoder.safetensors": FOLDER/config.json beside it says hidden_act = "gelu_new": the activations that are known are relu, gelu and tanh; take a model whose layers are those of BERT
    attention.model = "FOLDER/encoder.safetensors": FOLDER/config.json beside it says position_embedding_type = "relative_key": scores would depend on distances, which is not implemented; take a model whose layers are those of BERT
    attention.model = "FOLDER/encoder.safetensors": FOLDER/config.json beside it is unfit: expected value at line 1 column 1; write valid JSON, or take the file away and write attention.heads and layer-norm.epsilon
    "#);
}

/// Whatever the configuration says: one of the layers that are read, under either prefix, or of the encoder as a whole.
#[test]
fn a_tensor_that_is_not_used_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (more, embedding) = (vec![4], "attention.self.distance_embedding.weight");
    for (prefix, name, is_refused) in [
        ("", format!("encoder.layer.1.{embedding}"), true),
        ("bert.", format!("encoder.layer.0.{embedding}"), true),
        ("bert.", "encoder.relative_attention_bias.weight".into(), true),
        ("", "encoder.layer.0.crossattention.self.query.weight".into(), true),
        ("", "bert.encoder.layer.0.output.dense.bias".into(), true),
        ("", format!("encoder.layer.2.{embedding}"), false),
        ("", "embeddings.word_embeddings.weight".into(), false),
        ("bert.", "pooler.dense.weight".into(), false),
    ] {
        let mut all = tensors();
        all.insert(name.clone(), (more.clone(), vec![1.0; 4]));
        write(folder.path(), &all, prefix, Dtype::F32);
        let outcome = read(folder.path(), &[]).and_then(|experiment| experiment.resolve());
        match outcome {
            Ok(_) => assert!(!is_refused, "{name} is passed over"),
            Err(error) => {
                let text = error.to_string();
                assert!(
                    is_refused && text.contains(&format!("has the tensor {prefix}{name}, which is no")),
                    "{text}"
                );
            }
        }
    }
}
