//! The layers of a trained encoder as the equation: `model = "model.safetensors"`, `layers = [0, 1]`, `heads = 12`.

use serde::Serialize;

use super::{error::ExperimentError, file_path::FilePath, section::Section};

const KEYS: &[&str] = &["layers", "heads"];

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct TrainedTyped {
    pub model: FilePath,
    pub layers: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heads: Option<u64>,
}

pub(super) fn read(section: &Section) -> Result<Option<TrainedTyped>, ExperimentError> {
    let Some(model) = section.optional("model", "\"model.safetensors\"") else {
        section.forbid(KEYS, "is about a trained model", "write model = \"model.safetensors\", or leave it out")?;
        return Ok(None);
    };
    let problem = "stands beside a trained model, which has its own";
    section.forbid(&["head", "beta"], problem, "leave it out, or attention.model")?;
    let layers = section.required("layers", "[0, 1]")?;
    let typed = TrainedTyped {
        model: model.file()?,
        layers: layers
            .list("0")?
            .iter()
            .map(|entry| entry.whole(0..=u64::from(u32::MAX)))
            .collect::<Result<_, _>>()?,
        heads: section.read("heads", "12", |entry| entry.whole(1..=u64::from(u32::MAX)))?,
    };
    if typed.layers.is_empty() {
        return Err(layers.error("must name one or more layers"));
    }
    Ok(Some(typed))
}
