//! The papers whose laws can be shown. To add one, write its file in `assets/papers` and its line here.

use super::{error::PapersError, file::Paper};

macro_rules! papers {
    ($($slug:literal)*) => {
        &[$(($slug, include_str!(concat!("../../assets/papers/", $slug, ".toml")))),*]
    };
}

/// (slug, text), in the order in which they are shown.
const FILES: &[(&str, &str)] = papers! {
    "mean-field-dynamics"
    "emergence-of-clusters"
    "homogenized-transformers"
    "perceptrons-localization"
    "quantitative-clustering"
    "critical-scaling"
    "synchronization-by-noise"
    "spectral-selection"
    "multi-head-gradient-flow"
    "reachability-gaussian-transformer"
    "lost-in-the-middle"
    "sequence-interpolation"
    "contextual-flow-maps"
    "time-dependent-gradient-flows"
    "mathematical-perspective"
    "dynamic-metastability"
    "emergence-of-metastable-clustering"
    "causal-clustering"
    "normalization-in-attention-dynamics"
    "sinkformers"
    "noisy-transformer"
    "deep-stochastic-transformers"
    "dynamics-of-deep-transformers"
    "attention-and-frank-wolfe"
    "random-quadratic-form"
    "low-temperature"
    "multiscale-moderate-interaction"
    "long-context-limits"
};

/// All papers.
pub fn catalogue() -> Result<Vec<Paper>, PapersError> {
    FILES.iter().map(|(slug, text)| Paper::parse(slug, text)).collect()
}
