//! Configurations as they are published, and what in them would be another equation.

use super::*;

fn of(text: &str) -> Result<Config, String> {
    let keys: Map<String, Value> = serde_json::from_str(text).expect("JSON");
    read(&keys, 384, Mask::None).map_err(|fault| fault.problem)
}

/// Keys as the files of published models have them, at another width where that is needed.
const PUBLISHED: [&str; 5] = [
    // bert-base-uncased, of two generations of the library.
    r#"{ "architectures": ["BertForMaskedLM"], "attention_probs_dropout_prob": 0.1, "gradient_checkpointing": false,
        "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 384, "initializer_range": 0.02,
        "intermediate_size": 1536, "layer_norm_eps": 1e-12, "max_position_embeddings": 512, "model_type": "bert",
        "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 0, "position_embedding_type": "absolute",
        "transformers_version": "4.6.0.dev0", "type_vocab_size": 2, "use_cache": true, "vocab_size": 30522 }"#,
    // A multilingual BERT and its pooler.
    r#"{ "attention_probs_dropout_prob": 0.1, "classifier_dropout": null, "directionality": "bidi", "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1, "hidden_size": 384, "initializer_range": 0.02, "intermediate_size": 1536,
        "layer_norm_eps": 1e-12, "max_position_embeddings": 512, "num_attention_heads": 12, "num_hidden_layers": 12,
        "pooler_fc_size": 768, "pooler_num_attention_heads": 12, "pooler_num_fc_layers": 3, "pooler_size_per_head": 128,
        "pooler_type": "first_token_transform", "type_vocab_size": 2, "vocab_size": 119547 }"#,
    // RoBERTa.
    r#"{ "architectures": ["RobertaForMaskedLM"], "attention_probs_dropout_prob": 0.1, "bos_token_id": 0,
        "eos_token_id": 2, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 384,
        "initializer_range": 0.02, "intermediate_size": 1536, "layer_norm_eps": 1e-05, "max_position_embeddings": 514,
        "model_type": "roberta", "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 1,
        "type_vocab_size": 1, "vocab_size": 50265, "torch_dtype": "float32", "output_past": true }"#,
    // MiniLM of sentence-transformers.
    r#"{ "_name_or_path": "nreimers/MiniLM-L6-H384-uncased", "architectures": ["BertModel"],
        "attention_probs_dropout_prob": 0.1, "gradient_checkpointing": false, "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1, "hidden_size": 384, "initializer_range": 0.02, "intermediate_size": 1536,
        "layer_norm_eps": 1e-12, "max_position_embeddings": 512, "model_type": "bert", "num_attention_heads": 12,
        "num_hidden_layers": 6, "pad_token_id": 0, "position_embedding_type": "absolute",
        "transformers_version": "4.8.2", "type_vocab_size": 2, "use_cache": true, "vocab_size": 30522,
        "id2label": { "0": "LABEL_0" }, "label2id": { "LABEL_0": 0 }, "problem_type": null }"#,
    // ELECTRA.
    r#"{ "architectures": ["ElectraForPreTraining"], "attention_probs_dropout_prob": 0.1, "embedding_size": 128,
        "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 384, "initializer_range": 0.02,
        "intermediate_size": 1024, "layer_norm_eps": 1e-12, "max_position_embeddings": 512, "model_type": "electra",
        "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 0, "summary_activation": "gelu",
        "summary_last_dropout": 0.1, "summary_type": "first", "summary_use_proj": true, "type_vocab_size": 2,
        "vocab_size": 30522 }"#,
];

#[test]
fn published_configurations_are_understood() {
    for text in PUBLISHED {
        let config = of(text).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!((config.heads, config.activation), (Some(12), Some(Activation::Gelu)));
        assert!(config.layer_norm_eps.is_some() && config.inner.is_some());
    }
    let own =
        of(r#"{ "heads": 12, "head_dim": 32, "hidden": 384, "layers": 2, "activation": "relu", "tokens": 512 }"#);
    assert_eq!(own.expect("a configuration").activation, Some(Activation::Relu));
}

/// Each in turn, in a configuration that is fine without it.
#[test]
fn what_changes_the_equation_is_refused_by_name_and_value() {
    let faults = [
        (r#""position_embedding_type": "relative_key""#, "scores would depend on distances"),
        (r#""position_embedding_type": "relative_key_query""#, "scores would depend on distances"),
        (r#""add_cross_attention": true"#, "another sequence"),
        (r#""is_decoder": true"#, "attention.mask = \"causal\""),
        (r#""pruned_heads": { "0": [1] }"#, "missing"),
        (r#""quantization_config": { "bits": 4 }"#, "codes"),
        (r#""model_type": "mpnet""#, "the models that are known are bert"),
        (r#""hidden_act": "gelu_new""#, "known are relu, gelu and tanh"),
        (r#""activation": "relu""#, "activation says otherwise"),
        (r#""hidden_size": 768"#, "tokens have 384 components"),
        (r#""head_dim": 64"#, "12 heads"),
        (r#""heads": 6"#, "heads says otherwise"),
        (r#""layer_norm_eps": "small""#, "must be a number"),
        (r#""norm_first": true"#, "nobody here knows this key"),
        (r#""auto_map": { "AutoModel": "modeling.Model" }"#, "a program that comes with the model"),
    ];
    for (fault, says) in faults {
        let base = r#"{ "hidden_act": "gelu", "num_attention_heads": 12, "#;
        let problem = of(&format!("{base}{fault} }}")).expect_err(fault);
        // Of two names for one number the second is blamed.
        let (key, value) = fault.split_once(": ").expect("a key");
        let blamed = matches!(key, "\"heads\"" | "\"activation\"") || {
            let value = serde_json::from_str::<Value>(value).expect("JSON");
            problem.starts_with(&format!("says {} = {value}: ", key.trim_matches('"')))
        };
        assert!(blamed && problem.contains(says), "{fault}: {problem}");
    }
    let decoder: Map<String, Value> = serde_json::from_str(r#"{ "is_decoder": true }"#).expect("JSON");
    read(&decoder, 384, Mask::Causal).expect("a decoder under a causal mask");
    of(r#"{ "is_decoder": false, "add_cross_attention": false, "pruned_heads": {}, "unheard_of": null }"#)
        .expect("off");
}
