//! What the `config.json` beside a trained model says of its equation.
//!
//! Every key is one of three kinds: used, with all the values that are understood; harmless, because the key is about training,
//! tokenizers, heads of tasks or embeddings, which a run from hidden states does not have; or refused. So is a key that nobody
//! knows, since it may be the one that changes the equation.

use serde_json::{Map, Value};

use super::{error::ExperimentError, file_path::FilePath, perceptron::ACTIVATIONS, source::Source};
use crate::{
    initial::npy::unreadable_because,
    model::{Activation, Mask},
};

/// Under the second name in the configurations of the `transformers` library.
const HEADS: [&str; 2] = ["heads", "num_attention_heads"];
const WIDTH: [&str; 2] = ["hidden", "hidden_size"];
const ACTIVATION: [&str; 2] = ["activation", "hidden_act"];
const EPSILON: [&str; 2] = ["layer_norm_eps", "layer_norm_epsilon"];
const LAYERS: [&str; 2] = ["layers", "num_hidden_layers"];
const INNER: [&str; 2] = ["inner", "intermediate_size"];

/// Models whose layers are those of BERT, tensor names included.
const TYPES: &[&str] = &["bert", "roberta", "xlm-roberta", "camembert", "electra"];

/// Keys that must have a value which changes nothing; what else they say is no equation of this program.
const NEUTRAL: &[(&str, &[&str], &str)] = &[
    ("position_embedding_type", &["absolute"], "scores would depend on distances, which is not implemented"),
    ("add_cross_attention", &["false"], "layers would attend to another sequence too"),
    ("is_encoder_decoder", &["false"], "layers would attend to another sequence too"),
    ("pruned_heads", &["{}"], "heads would be missing from some layers"),
    ("hidden_act_params", &[], "the activation would have parameters"),
    ("quantization_config", &[], "tensors would be codes of numbers"),
    ("auto_map", &[], "the layers would be those of a program that comes with the model"),
];

/// Keys that change no hidden state of an encoder that is run from hidden states, with the dropout of training left out.
const HARMLESS: &[&str] = &[
    "adapters",
    "architectures",
    "attention_dropout",
    "attention_probs_dropout_prob",
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "chunk_size_feed_forward",
    "classifier_dropout",
    "classifier_dropout_prob",
    "cls_token_id",
    "cross_attention_hidden_size",
    "decoder_start_token_id",
    "directionality",
    "diversity_penalty",
    "do_sample",
    "dropout",
    "dtype",
    "early_stopping",
    "embedding_size",
    "encoder_no_repeat_ngram_size",
    "eos_token_id",
    "exponential_decay_length_penalty",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "gradient_checkpointing",
    "hidden_dropout_prob",
    "id2label",
    "initializer_factor",
    "initializer_range",
    "label2id",
    "language",
    "length_penalty",
    "mask_token_id",
    "max_length",
    "max_position_embeddings",
    "max_seq_length",
    "min_length",
    "model_max_length",
    "name",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_labels",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_past",
    "output_scores",
    "pad_token_id",
    "pooler_fc_size",
    "pooler_num_attention_heads",
    "pooler_num_fc_layers",
    "pooler_size_per_head",
    "pooler_type",
    "prefix",
    "problem_type",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict",
    "return_dict_in_generate",
    "sentence_transformers",
    "sep_token_id",
    "seq_classif_dropout",
    "summary_activation",
    "summary_first_dropout",
    "summary_last_dropout",
    "summary_proj_to_labels",
    "summary_type",
    "summary_use_proj",
    "suppress_tokens",
    "task_specific_params",
    "temperature",
    "tf_legacy_loss",
    "tie_encoder_decoder",
    "tie_word_embeddings",
    "tokenizer_class",
    "tokens",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers_version",
    "type_vocab_size",
    "typical_p",
    "unk_token_id",
    "use_bfloat16",
    "use_cache",
    "vocab_size",
];

const UNKNOWN: &str = "nobody here knows this key, and it may change the equation";

/// What a configuration says; nothing without one.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Config {
    pub heads: Option<u64>,
    pub layer_norm_eps: Option<f64>,
    pub activation: Option<Activation>,
    pub inner: Option<u64>,
}

/// A key, its value if it has one, and what is wrong with it.
#[derive(Debug, PartialEq)]
struct Fault {
    key: String,
    problem: String,
}

impl Fault {
    fn new(key: &str, value: &Value, problem: &str) -> Self {
        Self { key: key.to_owned(), problem: format!("says {key} = {value}: {problem}") }
    }
}

impl Config {
    /// What stands beside the model, for tokens of `dim` components under `mask`; nothing if there is no such file.
    pub(super) fn beside(
        model: &FilePath,
        dim: usize,
        mask: Mask,
        source: &Source,
    ) -> Result<Config, ExperimentError> {
        let path = model.path().with_file_name("config.json");
        let refused = |problem: String, remedy: &str| {
            let problem = format!("{} beside it {problem}", path.display());
            source.error("attention.model", model.quoted(), problem, remedy)
        };
        let unusable = |problem: String| {
            refused(
                problem,
                "write valid JSON, or take the file away and write attention.heads and layer-norm.epsilon",
            )
        };
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Config::default()),
            Err(error) => return Err(unusable(unreadable_because(&error))),
        };
        let keys: Map<String, Value> =
            serde_json::from_slice(&bytes).map_err(|error| unusable(format!("is unfit: {error}")))?;
        read(&keys, dim, mask).map_err(|Fault { key, problem }| {
            let remedy = match problem.ends_with(UNKNOWN) {
                true => format!(
                    "take a model whose layers are those of BERT, or delete {key} if it changes nothing in them"
                ),
                false => "take a model whose layers are those of BERT".to_owned(),
            };
            refused(problem, &remedy)
        })
    }
}

fn read(keys: &Map<String, Value>, dim: usize, mask: Mask) -> Result<Config, Fault> {
    // A key that is null is one that was left out.
    let given = || keys.iter().filter(|(_, value)| !value.is_null());
    for (key, value) in given() {
        if let Some(problem) = objection(key, value, mask) {
            return Err(Fault::new(key, value, &problem));
        }
    }
    let heads = whole(keys, HEADS)?;
    if let Some((key, value, width)) = number(keys, WIDTH, Value::as_u64, "must be a whole number")?
        && width != dim as u64
    {
        return Err(Fault::new(key, value, &format!("tokens have {dim} components")));
    }
    if let (Some(heads), Some(value)) = (heads, keys.get("head_dim").filter(|value| !value.is_null()))
        && value.as_u64().and_then(|width| width.checked_mul(heads)) != Some(dim as u64)
    {
        return Err(Fault::new(
            "head_dim",
            value,
            &format!("{heads} heads of a model of {dim} components have others"),
        ));
    }
    whole(keys, LAYERS)?;
    let activation = match number(keys, ACTIVATION, |value| value.as_str().map(str::to_owned), "must be a name")? {
        None => None,
        Some((key, value, name)) => match ACTIVATIONS.iter().find(|(word, _)| *word == name) {
            Some((_, meaning)) => Some(*meaning),
            None => return Err(Fault::new(key, value, "the activations that are known are relu, gelu and tanh")),
        },
    };
    let positive = |value: &Value| value.as_f64().filter(|epsilon| epsilon.is_finite() && *epsilon >= 0.0);
    let epsilon = number(keys, EPSILON, positive, "must be a number, at least 0")?;
    Ok(Config {
        heads,
        layer_norm_eps: epsilon.map(|(_, _, epsilon)| epsilon),
        activation,
        inner: whole(keys, INNER)?,
    })
}

/// Why a key that is given changes the equation into one that is not known.
fn objection(key: &str, value: &Value, mask: Mask) -> Option<String> {
    let used = [HEADS, WIDTH, ACTIVATION, EPSILON, LAYERS, INNER].concat();
    // Names of the machine that wrote the file, and how it was told to compute, start with an underscore.
    if used.contains(&key) || HARMLESS.contains(&key) || key == "head_dim" || key.starts_with('_') {
        return None;
    }
    if let Some((_, neutral, problem)) = NEUTRAL.iter().find(|(name, ..)| *name == key) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return (!neutral.contains(&text.as_str())).then(|| (*problem).to_owned());
    }
    match (key, value) {
        ("is_decoder", Value::Bool(false)) => None,
        ("is_decoder", Value::Bool(true)) if mask == Mask::Causal => None,
        ("is_decoder", _) => Some("a decoder sees no token behind it; write attention.mask = \"causal\"".to_owned()),
        ("model_type", Value::String(name)) if TYPES.contains(&name.as_str()) => None,
        ("model_type", _) => Some(format!("the models that are known are {}", TYPES.join(", "))),
        _ => Some(UNKNOWN.to_owned()),
    }
}

fn whole(keys: &Map<String, Value>, names: [&str; 2]) -> Result<Option<u64>, Fault> {
    Ok(number(keys, names, Value::as_u64, "must be a whole number")?.map(|(_, _, number)| number))
}

/// What is given under either name, and the name; both say the same.
fn number<'a, T: PartialEq>(
    keys: &'a Map<String, Value>,
    names: [&'a str; 2],
    meaning: impl Fn(&Value) -> Option<T>,
    must: &str,
) -> Result<Option<(&'a str, &'a Value, T)>, Fault> {
    let mut found = None;
    for name in names {
        let Some(value) = keys.get(name).filter(|value| !value.is_null()) else { continue };
        let Some(number) = meaning(value) else { return Err(Fault::new(name, value, must)) };
        match &found {
            Some((other, _, before)) if *before != number => {
                return Err(Fault::new(name, value, &format!("{other} says otherwise")));
            }
            Some(_) => {}
            None => found = Some((name, value, number)),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
