//! The perceptron, as layers or in gradient form.

use serde::Serialize;

use super::{
    array::{Extent, ListTyped, RowsTyped},
    error::ExperimentError,
    section::{Section, Word},
    shared::Shared,
};
use crate::model::{Activation, Perceptron};

pub(super) const PERCEPTRON: &[&str] = &["inner", "outer", "bias", "output-bias", "gradient", "activation", "weight"];
pub(super) const GRADIENT: &[&str] = &["directions", "weights"];
pub(super) const ACTIVATIONS: &[(&str, Activation)] = &[
    ("relu", Activation::Relu),
    ("gelu", Activation::Gelu),
    ("tanh", Activation::Tanh),
    ("identity", Activation::Identity),
];

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct PerceptronTyped {
    pub activation: Word<Activation>,
    /// What its output is multiplied by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    #[serde(flatten)]
    pub form: FormTyped,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged, rename_all_fields = "kebab-case")]
pub(crate) enum FormTyped {
    /// sum_k outer_k sigma(<inner_k, x> + bias_k) + output_bias.
    Layers {
        inner: RowsTyped,
        outer: RowsTyped,
        #[serde(skip_serializing_if = "Option::is_none")]
        bias: Option<ListTyped>,
        #[serde(skip_serializing_if = "Option::is_none")]
        output_bias: Option<ListTyped>,
    },
    /// sum_k omega_k sigma(<a_k, x>) a_k, the gradient of a potential.
    Gradient { gradient: GradientTyped },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct GradientTyped {
    pub directions: RowsTyped,
    pub weights: ListTyped,
}

pub(super) fn read(section: &Section) -> Result<PerceptronTyped, ExperimentError> {
    let activation = section.required("activation", "\"relu\"")?.word(ACTIVATIONS)?;
    let weight = section.read("weight", "1.0", |entry| entry.number("finite", |_| true))?;
    let Some(entry) = section.optional("gradient", "{ directions = [[1.0, 0.0]], weights = [1.0] }") else {
        let form = FormTyped::Layers {
            inner: RowsTyped::read(&section.required("inner", "[[1.0, 0.0, 0.0]]")?)?,
            outer: RowsTyped::read(&section.required("outer", "[[0.0, 1.0, 0.0]]")?)?,
            bias: section.read("bias", "[0.0]", ListTyped::read)?,
            output_bias: section.read("output-bias", "[0.0, 0.0, 0.0]", ListTyped::read)?,
        };
        return Ok(PerceptronTyped { activation, weight, form });
    };
    let remedy = "write inner and outer, or gradient";
    section.forbid(&["inner", "outer", "bias", "output-bias"], "stands beside gradient", remedy)?;
    let gradient = entry.section(GRADIENT)?;
    let directions = RowsTyped::read(&gradient.required("directions", "[[1.0, 0.0, 0.0]]")?)?;
    let weights = ListTyped::read(&gradient.required("weights", "[1.0]")?)?;
    Ok(PerceptronTyped {
        activation,
        weight,
        form: FormTyped::Gradient { gradient: GradientTyped { directions, weights } },
    })
}

impl PerceptronTyped {
    pub fn resolve(&self, dim: usize, shared: &Shared) -> Result<Perceptron, ExperimentError> {
        let mut perceptron = self.unweighted(dim, shared)?;
        if let Some(weight) = self.weight {
            // The output is linear in these.
            let Perceptron { inner: _, outer, bias: _, output_bias, activation: _ } = &mut perceptron;
            outer.iter_mut().chain(output_bias).for_each(|entry| *entry *= weight);
        }
        Ok(perceptron)
    }

    fn unweighted(&self, dim: usize, shared: &Shared) -> Result<Perceptron, ExperimentError> {
        let source = shared.source;
        let activation = self.activation.meaning;
        match &self.form {
            FormTyped::Layers { inner, outer, bias, output_bias } => {
                let inner = inner.resolve("perceptron.inner", dim, source)?;
                let width = inner.len() / dim;
                let outer =
                    outer.resolve_rows("perceptron.outer", Extent { length: width, of: "inner" }, dim, source)?;
                let list = |key, list: &Option<ListTyped>, of: Extent<'_>| {
                    list.as_ref().map_or(Ok(vec![0.0; of.length]), |list| list.resolve(key, of, source))
                };
                let bias = list("perceptron.bias", bias, Extent { length: width, of: "inner" })?;
                let output_bias = list("perceptron.output-bias", output_bias, Extent { length: dim, of: "a token" })?;
                Ok(Perceptron { inner, outer, bias, output_bias, activation })
            }
            FormTyped::Gradient { gradient: GradientTyped { directions, weights } } => {
                let inner = directions.resolve("perceptron.gradient.directions", dim, source)?;
                let width = inner.len() / dim;
                let weights = weights.resolve(
                    "perceptron.gradient.weights",
                    Extent { length: width, of: "directions" },
                    source,
                )?;
                let scaled = |(a, omega): (&[f64], &f64)| a.iter().map(|a| omega * a).collect::<Vec<f64>>();
                let outer = inner.chunks_exact(dim).zip(&weights).flat_map(scaled).collect();
                let (bias, output_bias) = (vec![0.0; width], vec![0.0; dim]);
                Ok(Perceptron { inner, outer, bias, output_bias, activation })
            }
        }
    }
}
