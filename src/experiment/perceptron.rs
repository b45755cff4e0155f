//! The perceptron, as layers or in gradient form.

use serde::Serialize;

use super::{
    array::Extent,
    error::ExperimentError,
    number::{self, FINITE, NumberTyped, ResolvedNumber},
    section::{Section, Word},
    shared::Shared,
    source::Source,
    stack::{ListStackTyped, RowsStackTyped, Stack},
};
use crate::{
    model::{Activation, Part, Perceptron, PerceptronSchedule},
    problem::Schedule,
};

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
    pub weight: Option<NumberTyped>,
    #[serde(flatten)]
    pub form: FormTyped,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged, rename_all_fields = "kebab-case")]
pub(crate) enum FormTyped {
    /// sum_k outer_k sigma(<inner_k, x> + bias_k) + output_bias.
    Layers {
        inner: RowsStackTyped,
        outer: RowsStackTyped,
        #[serde(skip_serializing_if = "Option::is_none")]
        bias: Option<ListStackTyped>,
        #[serde(skip_serializing_if = "Option::is_none")]
        output_bias: Option<ListStackTyped>,
    },
    /// sum_k omega_k sigma(<a_k, x>) a_k, the gradient of a potential.
    Gradient { gradient: GradientTyped },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct GradientTyped {
    pub directions: RowsStackTyped,
    pub weights: ListStackTyped,
}

pub(super) fn read(section: &Section) -> Result<PerceptronTyped, ExperimentError> {
    let activation = section.required("activation", "\"relu\"")?.word(ACTIVATIONS)?;
    let weight = section.read("weight", "1.0", |entry| number::read(entry, FINITE))?;
    let Some(entry) = section.optional("gradient", "{ directions = [[1.0, 0.0]], weights = [1.0] }") else {
        let form = FormTyped::Layers {
            inner: RowsStackTyped::read(&section.required("inner", "[[1.0, 0.0, 0.0]]")?)?,
            outer: RowsStackTyped::read(&section.required("outer", "[[0.0, 1.0, 0.0]]")?)?,
            bias: section.read("bias", "[0.0]", ListStackTyped::read)?,
            output_bias: section.read("output-bias", "[0.0, 0.0, 0.0]", ListStackTyped::read)?,
        };
        return Ok(PerceptronTyped { activation, weight, form });
    };
    let remedy = "write inner and outer, or gradient";
    section.forbid(&["inner", "outer", "bias", "output-bias"], "stands beside gradient", remedy)?;
    let gradient = entry.section(GRADIENT)?;
    let directions = RowsStackTyped::read(&gradient.required("directions", "[[1.0, 0.0, 0.0]]")?)?;
    let weights = ListStackTyped::read(&gradient.required("weights", "[1.0]")?)?;
    Ok(PerceptronTyped {
        activation,
        weight,
        form: FormTyped::Gradient { gradient: GradientTyped { directions, weights } },
    })
}

/// The arrays of a perceptron, of all layers.
struct Arrays {
    inner: Stack,
    outer: Stack,
    bias: Stack,
    output_bias: Stack,
}

impl PerceptronTyped {
    /// The perceptron at time zero; if it changes it becomes a part of the model schedule.
    pub fn resolve(
        &self,
        dim: usize,
        schedule: &Schedule,
        shared: &Shared,
        parts: &mut Vec<Part>,
    ) -> Result<Perceptron, ExperimentError> {
        let Arrays { inner, outer, bias, output_bias } = self.arrays(dim, schedule.steps, shared.source)?;
        let weight = self.weight.as_ref();
        let weight = weight.map(|weight| weight.resolve("perceptron.weight", schedule, shared)).transpose()?;
        let (factor, weight) = match weight {
            None => (1.0, None),
            Some(ResolvedNumber::Constant(factor)) => (factor, None),
            Some(ResolvedNumber::Changing(weight)) => (1.0, Some(weight)),
        };
        let layer = |layer| {
            let of = |stack: &Stack| stack.of(layer).to_vec();
            let activation = self.activation.meaning;
            let perceptron = Perceptron {
                inner: of(&inner),
                outer: of(&outer),
                bias: of(&bias),
                output_bias: of(&output_bias),
                activation,
            };
            perceptron.times(factor)
        };
        let changes = [&inner, &outer, &bias, &output_bias].iter().any(|stack| stack.layers().is_some());
        let first = layer(0);
        if changes || weight.is_some() {
            let count = if changes { schedule.steps.max(1) as usize } else { 1 };
            parts.push(Part::Perceptron(PerceptronSchedule { layers: (0..count).map(layer).collect(), weight }));
        }
        Ok(first)
    }

    fn arrays(&self, dim: usize, steps: u64, source: &Source) -> Result<Arrays, ExperimentError> {
        let enough = |key: &str, stack: Stack| match stack.layers() {
            Some(layers) if layers == 0 || (layers as u64) < steps => {
                let problem = format!("has {layers} arrays, and there are {steps} steps");
                let remedy = "write one array a step, or a smaller time.end";
                Err(source.error(format!("{key}.layers"), "", problem, remedy))
            }
            _ => Ok(stack),
        };
        let rows = |key: &str, rows: &RowsStackTyped| enough(key, rows.resolve(key, dim, source)?);
        let list = |key: &str, list: &ListStackTyped, of: Extent<'_>| enough(key, list.resolve(key, of, source)?);
        match &self.form {
            FormTyped::Layers { inner, outer, bias, output_bias } => {
                let inner = rows("perceptron.inner", inner)?;
                let units = Extent { length: inner.of(0).len() / dim, of: "inner" };
                let outer = outer.resolve_rows("perceptron.outer", units, dim, source)?;
                let biases = |key: &str, typed: &Option<ListStackTyped>, of: Extent<'_>| match typed {
                    None => Ok(Stack::Same(vec![0.0; of.length])),
                    Some(typed) => list(key, typed, of),
                };
                Ok(Arrays {
                    bias: biases("perceptron.bias", bias, units)?,
                    output_bias: biases(
                        "perceptron.output-bias",
                        output_bias,
                        Extent { length: dim, of: "a token" },
                    )?,
                    outer: enough("perceptron.outer", outer)?,
                    inner,
                })
            }
            FormTyped::Gradient { gradient: GradientTyped { directions, weights } } => {
                let inner = rows("perceptron.gradient.directions", directions)?;
                let width = inner.of(0).len() / dim;
                let units = Extent { length: width, of: "directions" };
                let weights = list("perceptron.gradient.weights", weights, units)?;
                let (bias, output_bias) = (Stack::Same(vec![0.0; width]), Stack::Same(vec![0.0; dim]));
                let scaled = |layer| {
                    let directions = inner.of(layer).chunks_exact(dim).zip(weights.of(layer));
                    directions.flat_map(|(a, omega)| a.iter().map(move |a| omega * a)).collect::<Vec<f64>>()
                };
                let outer = match inner.layers().max(weights.layers()) {
                    None => Stack::Same(scaled(0)),
                    Some(_) => Stack::Layers((0..steps.max(1) as usize).map(scaled).collect()),
                };
                Ok(Arrays { inner, outer, bias, output_bias })
            }
        }
    }
}
