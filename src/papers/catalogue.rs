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
};

/// All papers.
pub fn catalogue() -> Result<Vec<Paper>, PapersError> {
    FILES.iter().map(|(slug, text)| Paper::parse(slug, text)).collect()
}
