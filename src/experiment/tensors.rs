//! The weights of an encoder with the tensor names of BERT, read from a `.safetensors` file.
//!
//! With h the number of a head and rows of W_q, W_k, W_v and columns of W_o cut into as many pieces as there are heads:
//! scores <W_q^h x + b_q^h, W_k^h y + b_k^h> / sqrt(d_k), values W_v^h y + b_v^h, output W_o^h (..), and b_o once.

use std::{cell::RefCell, collections::BTreeSet};

use half::{bf16, f16};
use safetensors::{SafeTensors, tensor::Dtype};

use super::head::transposed;
use crate::{
    initial::npy::shape_text,
    model::{Activation, Biases, Head, LayerNorm, Matrix, Perceptron},
};

/// Why a file gives no layer, and what to do about it.
#[derive(Debug)]
pub(crate) struct TensorError {
    pub problem: String,
    pub remedy: String,
}

/// Before the names of tensors of a model that has more than an encoder.
const PREFIX: &str = "bert.";

/// A file of named arrays.
pub(crate) struct Tensors<'a> {
    tensors: SafeTensors<'a>,
    /// The names of those that were read.
    read: RefCell<BTreeSet<String>>,
}

impl<'a> Tensors<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Tensors<'a>, TensorError> {
        let damaged = |error| TensorError {
            problem: format!("is no .safetensors file: {error}"),
            remedy: "write the model with save_file of the safetensors library".into(),
        };
        Ok(Tensors { tensors: SafeTensors::deserialize(bytes).map_err(damaged)?, read: RefCell::default() })
    }

    /// The array of this name, alone or under `bert.`, in f64 and row-major order; of this shape, where 0 stands for any.
    fn array(&self, name: &str, shape: &[usize]) -> Result<Vec<f64>, TensorError> {
        let prefixed = format!("{PREFIX}{name}");
        let own = [name, &prefixed].into_iter().find_map(|name| Some((name, self.tensors.tensor(name).ok()?)));
        let Some((own, view)) = own else {
            return Err(TensorError {
                problem: format!("has no tensor {name}"),
                remedy: "write attention.layers that the file has; tensors are named as those of BERT".into(),
            });
        };
        self.read.borrow_mut().insert(own.to_owned());
        let fits = view.shape().len() == shape.len()
            && view.shape().iter().zip(shape).all(|(found, expected)| *expected == 0 || found == expected);
        if !fits {
            let expected = shape_text(shape).replace('0', "any");
            return Err(TensorError {
                problem: format!("the tensor {name} has the shape {}", shape_text(view.shape())),
                remedy: format!("take tokens of the width of the model; expected {expected}"),
            });
        }
        let bytes = view.data();
        let values: Vec<f64> = match view.dtype() {
            Dtype::F16 => bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f64()).collect(),
            Dtype::BF16 => bytes.chunks_exact(2).map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f64()).collect(),
            Dtype::F32 => {
                bytes.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect()
            }
            other => {
                return Err(TensorError {
                    problem: format!("the tensor {name} holds {other:?}"),
                    remedy: "save it as F16, BF16 or F32".into(),
                });
            }
        };
        match values.iter().find(|value| !value.is_finite()) {
            None => Ok(values),
            Some(value) => Err(TensorError {
                problem: format!("the tensor {name} has {value} in it"),
                remedy: "write finite numbers".into(),
            }),
        }
    }
}

impl Tensors<'_> {
    /// Refuses a part of the encoder that is no layer, such as biases that all layers share.
    pub fn require_only_layers(&self) -> Result<(), TensorError> {
        let is_shared = |name: &str| {
            let inside = name.strip_prefix(PREFIX).unwrap_or(name).strip_prefix("encoder.");
            inside.is_some_and(|inside| !inside.starts_with("layer."))
        };
        self.refuse(is_shared, "no part of the layers of BERT")
    }

    /// Refuses what was not read of a layer.
    fn require_read(&self, layer: &str) -> Result<(), TensorError> {
        let read = self.read.borrow();
        let is_left =
            |name: &str| name.strip_prefix(PREFIX).unwrap_or(name).starts_with(layer) && !read.contains(name);
        self.refuse(is_left, "not used")
    }

    fn refuse(&self, is_refused: impl Fn(&str) -> bool, why: &str) -> Result<(), TensorError> {
        let mut names: Vec<&str> = self.tensors.names().into_iter().filter(|name| is_refused(name)).collect();
        names.sort_unstable();
        match names[..] {
            [] => Ok(()),
            [first, ..] => Err(TensorError {
                problem: format!("has the tensor {first}, which is {why}, and {} like it", names.len() - 1),
                remedy: "take a model whose layers are those of BERT, or save it without what they do not need"
                    .into(),
            }),
        }
    }
}

/// What the tensors of an encoder do not say themselves.
pub(crate) struct Encoder {
    pub dim: usize,
    pub heads: usize,
    pub epsilon: f64,
    pub activation: Activation,
    /// Units of the perceptron, if that is known.
    pub inner: Option<u64>,
}

impl Encoder {
    /// The heads and the perceptron of one layer, and the layer norms after each.
    pub fn layer(
        &self,
        tensors: &Tensors,
        layer: u64,
    ) -> Result<(Vec<Head>, Perceptron, [LayerNorm; 2]), TensorError> {
        let name = |tail: &str| format!("encoder.layer.{layer}.{tail}");
        let norm = |place: &str| -> Result<LayerNorm, TensorError> {
            Ok(LayerNorm {
                gain: tensors.array(&name(&format!("{place}.LayerNorm.weight")), &[self.dim])?,
                bias: tensors.array(&name(&format!("{place}.LayerNorm.bias")), &[self.dim])?,
                epsilon: self.epsilon,
            })
        };
        let heads = self.heads(tensors, &name("attention"))?;
        let d = self.dim;
        let inner = tensors.array(&name("intermediate.dense.weight"), &[0, d])?;
        let width = inner.len() / d;
        if let Some(units) = self.inner.filter(|units| *units != width as u64) {
            return Err(TensorError {
                problem: format!("has perceptrons of {width} units, and its config.json says {units}"),
                remedy: "take the config.json of this model".into(),
            });
        }
        let outer = tensors.array(&name("output.dense.weight"), &[d, width])?;
        let perceptron = Perceptron {
            inner,
            outer: transposed(&outer, width),
            bias: tensors.array(&name("intermediate.dense.bias"), &[width])?,
            output_bias: tensors.array(&name("output.dense.bias"), &[d])?,
            activation: self.activation,
        };
        let norms = [norm("attention.output")?, norm("output")?];
        tensors.require_read(&name(""))?;
        Ok((heads, perceptron, norms))
    }

    fn heads(&self, tensors: &Tensors, name: &str) -> Result<Vec<Head>, TensorError> {
        let (d, width) = (self.dim, self.dim / self.heads);
        let both = |place: &str| -> Result<(Vec<f64>, Vec<f64>), TensorError> {
            let weight = tensors.array(&format!("{name}.{place}.weight"), &[d, d])?;
            Ok((weight, tensors.array(&format!("{name}.{place}.bias"), &[d])?))
        };
        let (query, key, value) = (both("self.query")?, both("self.key")?, both("self.value")?);
        let (output, output_bias) = both("output.dense")?;
        let output = transposed(&output, d);
        let head = |h: usize| {
            let rows = |entries: &[f64]| entries[h * width * d..][..width * d].to_vec();
            let part = |entries: &[f64]| entries[h * width..][..width].to_vec();
            Head {
                query_key: Matrix::Product { left: rows(&query.0), right: rows(&key.0) },
                value: Matrix::Product { left: rows(&output), right: rows(&value.0) },
                biases: Biases {
                    query: part(&query.1),
                    key: part(&key.1),
                    value: part(&value.1),
                    // Heads add up, and the sum has one bias.
                    output: if h == 0 { output_bias.clone() } else { Vec::new() },
                },
                beta: Some(1.0 / (width as f64).sqrt()),
                decay: None,
                weight: 1.0,
            }
        };
        Ok((0..self.heads).map(head).collect())
    }
}
