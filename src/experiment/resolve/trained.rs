//! The equation of the layers of a trained encoder.

use super::super::{
    Experiment,
    config::Config,
    error::ExperimentError,
    geometry::GeometryWord,
    step::StepTyped,
    tensors::{Encoder, Tensors},
    trained::TrainedTyped,
};
use crate::{
    initial::npy::unreadable_because,
    model::{Activation, Geometry, Mask, Model, ModelSchedule},
    scheme::Scheme,
    tokens::Shape,
};

impl Experiment {
    /// A layer a step: x <- N(x + attention(x)), x <- N(x + perceptron(x)).
    pub(crate) fn trained(
        &self,
        typed: &TrainedTyped,
        shape: Shape,
    ) -> Result<(Model, ModelSchedule), ExperimentError> {
        self.require_layers(typed)?;
        let mask = self.typed.attention.mask.map_or(Mask::None, |word| word.meaning);
        let config = Config::beside(&typed.model, shape.dim, mask, &self.source)?;
        let encoder = Encoder {
            dim: shape.dim,
            heads: self.heads_of(typed, &config, shape.dim)?,
            epsilon: self.epsilon(&config)?,
            // As the configuration says, else that of BERT.
            activation: config.activation.unwrap_or(Activation::Gelu),
            inner: config.inner,
        };
        let bytes = std::fs::read(typed.model.path()).map_err(|error| {
            let remedy = "write the path of a .safetensors file, relative to the folder of the experiment file";
            self.source.error("attention.model", typed.model.quoted(), unreadable_because(&error), remedy)
        })?;
        let refused = |problem: String, remedy: String| {
            self.source.error("attention.model", typed.model.quoted(), problem, remedy)
        };
        let tensors = Tensors::read(&bytes).map_err(|error| refused(error.problem, error.remedy))?;
        tensors.require_only_layers().map_err(|error| refused(error.problem, error.remedy))?;
        let around = self.typed.attention.around(shape, &self.shared())?;
        let mut layers = Vec::new();
        for layer in &typed.layers {
            let (heads, perceptron, [after_attention, after_perceptron]) =
                encoder.layer(&tensors, *layer).map_err(|error| refused(error.problem, error.remedy))?;
            let mut attention = around.clone();
            attention.heads = heads;
            let geometry = Geometry::LayerNorm { attention: after_attention, perceptron: after_perceptron };
            layers.push(Model {
                geometry,
                attention,
                perceptron: Some(perceptron),
                noise: None,
                frozen: self.frozen(),
            });
        }
        let model_schedule =
            if layers.len() == 1 { ModelSchedule::Constant } else { ModelSchedule::Layers(layers.clone()) };
        Ok((layers.swap_remove(0), model_schedule))
    }

    /// A trained model says where its tokens live and how they move: nothing else may.
    fn require_layers(&self, typed: &TrainedTyped) -> Result<(), ExperimentError> {
        let (time, layers) = (&self.typed.time, typed.layers.len());
        let refused = |key: &str, problem: &str, remedy: &str| {
            Err(self.source.error(key, self.quoted(key), format!("{problem} of attention.model"), remedy))
        };
        if self.geometry() != GeometryWord::LayerNorm {
            return refused(
                "tokens.geometry",
                "is not that",
                "write tokens.geometry = \"layer-norm\", or leave it out",
            );
        }
        if self.typed.perceptron.is_some() {
            return refused("perceptron", "stands beside that", "leave the table out");
        }
        if time.scheme.meaning != Scheme::Layer {
            return refused("time.scheme", "is not the scheme", "write time.scheme = \"layer\"");
        }
        if time.step != StepTyped::Even(1.0) {
            return refused("time.step", "is not the step", "write time.step = 1");
        }
        if time.end != layers as f64 {
            let remedy = format!("write time.end = {layers}, the number of attention.layers");
            return refused("time.end", "is not the number of layers", &remedy);
        }
        if let Some(norms) = &self.typed.layer_norm
            && (norms.attention != Default::default() || norms.perceptron != Default::default())
        {
            return refused("layer-norm", "has gains and biases beside those", "leave all but epsilon out");
        }
        Ok(())
    }

    fn heads_of(&self, typed: &TrainedTyped, config: &Config, dim: usize) -> Result<usize, ExperimentError> {
        let Some(heads) = typed.heads.or(config.heads) else {
            let problem = "missing, and no config.json beside the model has it";
            return Err(self.source.error("attention.heads", "", problem, "write e.g. attention.heads = 12"));
        };
        if heads == 0 || !(dim as u64).is_multiple_of(heads) {
            let problem = format!("does not divide tokens of {dim} components");
            return Err(self.source.error(
                "attention.heads",
                heads,
                problem,
                "write the number of heads of the model",
            ));
        }
        Ok(heads as usize)
    }

    fn epsilon(&self, config: &Config) -> Result<f64, ExperimentError> {
        self.typed.layer_norm.as_ref().map(|norms| norms.epsilon).or(config.layer_norm_eps).ok_or_else(|| {
            let problem = "missing, and no config.json beside the model has layer_norm_eps";
            self.source.error("layer-norm.epsilon", "", problem, "write e.g. layer-norm.epsilon = 1e-12")
        })
    }
}
