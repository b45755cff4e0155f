//! One attention head: its matrices whole, or as the factors and biases of a trained model.

use serde::Serialize;

use super::{
    array::{Extent, ListTyped, RowsTyped},
    error::ExperimentError,
    matrix_schedule::{self, MatrixScheduleTyped, Resolved},
    number::{self, FINITE, NumberTyped, ResolvedNumber},
    section::{Entry, Section},
    shared::Shared,
};
use crate::{
    model::{Biases, Head, Matrix, Operand, Part},
    problem::Schedule,
};

pub(super) const HEAD: &[&str] = &[
    "query-key",
    "query",
    "key",
    "query-bias",
    "key-bias",
    "value",
    "output",
    "value-bias",
    "output-bias",
    "beta",
    "alibi",
    "copies",
    "weight",
];

const MOST_COPIES: u64 = 4096;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct HeadTyped {
    #[serde(flatten)]
    pub scores: ScoresTyped,
    #[serde(flatten)]
    pub values: ValuesTyped,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alibi: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<NumberTyped>,
}

/// A = Q^T K, or Q and K.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged, rename_all_fields = "kebab-case")]
pub(crate) enum ScoresTyped {
    Whole {
        query_key: MatrixScheduleTyped,
    },
    Factors {
        query: RowsTyped,
        key: RowsTyped,
        #[serde(skip_serializing_if = "Option::is_none")]
        query_bias: Option<ListTyped>,
        #[serde(skip_serializing_if = "Option::is_none")]
        key_bias: Option<ListTyped>,
    },
}

/// V, or W_o and W_v.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged, rename_all_fields = "kebab-case")]
pub(crate) enum ValuesTyped {
    Whole {
        value: MatrixScheduleTyped,
    },
    Factors {
        value: RowsTyped,
        output: RowsTyped,
        #[serde(skip_serializing_if = "Option::is_none")]
        value_bias: Option<ListTyped>,
        #[serde(skip_serializing_if = "Option::is_none")]
        output_bias: Option<ListTyped>,
    },
}

impl Default for HeadTyped {
    fn default() -> Self {
        let scores = ScoresTyped::Whole { query_key: matrix_schedule::IDENTITY };
        Self {
            scores,
            values: ValuesTyped::Whole { value: matrix_schedule::IDENTITY },
            beta: None,
            alibi: None,
            copies: None,
            weight: None,
        }
    }
}

pub(super) fn read(entry: &Entry) -> Result<HeadTyped, ExperimentError> {
    let section = entry.section(HEAD)?;
    Ok(HeadTyped {
        scores: scores(&section)?,
        values: values(&section)?,
        beta: section.read("beta", "4.0", |entry| entry.number("finite and at least 0", |beta| beta >= 0.0))?,
        alibi: section.read("alibi", "1.0", |entry| entry.number("finite and at least 0", |decay| decay >= 0.0))?,
        copies: section.read("copies", "8", |entry| entry.whole(1..=MOST_COPIES))?,
        weight: section.read("weight", "0.5", |entry| number::read(entry, FINITE))?,
    })
}

fn scores(section: &Section) -> Result<ScoresTyped, ExperimentError> {
    if section.has("query") || section.has("key") {
        section.forbid(&["query-key"], "stands beside its factors", "write query-key, or query and key")?;
        return Ok(ScoresTyped::Factors {
            query: RowsTyped::read(&section.required("query", "{ path = \"Q.npy\" }")?)?,
            key: RowsTyped::read(&section.required("key", "{ path = \"K.npy\" }")?)?,
            query_bias: section.read("query-bias", "[0.0]", ListTyped::read)?,
            key_bias: section.read("key-bias", "[0.0]", ListTyped::read)?,
        });
    }
    let remedy = "write query and key, the factors of query-key, or leave the bias out";
    section.forbid(&["query-bias", "key-bias"], "is a bias of factors", remedy)?;
    let query_key = section.read("query-key", "\"identity\"", |entry| matrix_schedule::read(entry, &[]))?;
    Ok(ScoresTyped::Whole { query_key: query_key.unwrap_or(matrix_schedule::IDENTITY) })
}

fn values(section: &Section) -> Result<ValuesTyped, ExperimentError> {
    if section.has("output") {
        return Ok(ValuesTyped::Factors {
            value: RowsTyped::read(&section.required("value", "{ path = \"V.npy\" }")?)?,
            output: RowsTyped::read(&section.required("output", "{ path = \"O.npy\" }")?)?,
            value_bias: section.read("value-bias", "[0.0]", ListTyped::read)?,
            output_bias: section.read("output-bias", "[0.0]", ListTyped::read)?,
        });
    }
    let remedy = "write output beside value, the factors of the whole, or leave the bias out";
    section.forbid(&["value-bias", "output-bias"], "is a bias of factors", remedy)?;
    let value = section.read("value", "\"identity\"", |entry| matrix_schedule::read(entry, &["query-key"]))?;
    Ok(ValuesTyped::Whole { value: value.unwrap_or(matrix_schedule::IDENTITY) })
}

impl HeadTyped {
    /// As many as there are of it.
    pub fn copies(&self) -> usize {
        self.copies.unwrap_or(1) as usize
    }

    /// The head of number `number`, typed at `index` of the list; what of it changes becomes a part of the model schedule, and draws
    /// matrices by its number.
    pub fn resolve(
        &self,
        [index, number]: [usize; 2],
        dim: usize,
        schedule: &Schedule,
        shared: &Shared,
        parts: &mut Vec<Part>,
    ) -> Result<Head, ExperimentError> {
        let keys = Keys { index, dim, shared };
        let mut head = Head { beta: self.beta, decay: self.alibi, ..Head::default() };
        if let Some(weight) = &self.weight {
            match weight.resolve(&keys.dotted("weight"), schedule, shared)? {
                ResolvedNumber::Constant(weight) => head.weight = weight,
                ResolvedNumber::Changing(schedule) => parts.push(Part::Weight { head: number, schedule }),
            }
        }
        let mut whole = |operand, key: &str, typed: &MatrixScheduleTyped| {
            Ok(match typed.resolve(&keys.dotted(key), dim, schedule, shared)? {
                Resolved::Constant(matrix) => matrix,
                Resolved::Changing(schedule) => {
                    parts.push(Part::Matrix { head: number, operand, schedule });
                    Matrix::Identity
                }
            })
        };
        head.query_key = match &self.scores {
            ScoresTyped::Whole { query_key } => whole(Operand::QueryKey, "query-key", query_key)?,
            ScoresTyped::Factors { query, key, query_bias, key_bias } => {
                keys.query_key(query, key, query_bias, key_bias, &mut head.biases)?
            }
        };
        head.value = match &self.values {
            ValuesTyped::Whole { value } => whole(Operand::Value, "value", value)?,
            ValuesTyped::Factors { value, output, value_bias, output_bias } => {
                keys.value(value, output, value_bias, output_bias, &mut head.biases)?
            }
        };
        Ok(head)
    }
}

/// The keys of one head.
struct Keys<'a> {
    index: usize,
    dim: usize,
    shared: &'a Shared<'a>,
}

impl Keys<'_> {
    fn dotted(&self, key: &str) -> String {
        format!("attention.head.{}.{key}", self.index)
    }

    fn bias(&self, key: &str, typed: &Option<ListTyped>, of: Extent<'_>) -> Result<Vec<f64>, ExperimentError> {
        let resolve = |list: &ListTyped| list.resolve(&self.dotted(key), of, self.shared.source);
        typed.as_ref().map_or(Ok(Vec::new()), resolve)
    }

    /// Q^T K.
    fn query_key(
        &self,
        query: &RowsTyped,
        key: &RowsTyped,
        query_bias: &Option<ListTyped>,
        key_bias: &Option<ListTyped>,
        biases: &mut Biases,
    ) -> Result<Matrix, ExperimentError> {
        let (dim, source) = (self.dim, self.shared.source);
        let left = query.resolve(&self.dotted("query"), dim, source)?;
        let of = Extent { length: left.len() / dim, of: "query" };
        let right = key.resolve_rows(&self.dotted("key"), of, dim, source)?;
        biases.query = self.bias("query-bias", query_bias, of)?;
        biases.key = self.bias("key-bias", key_bias, of)?;
        Ok(Matrix::Product { left, right })
    }

    /// W_o W_v, which is L^T R with L = W_o^T.
    fn value(
        &self,
        value: &RowsTyped,
        output: &RowsTyped,
        value_bias: &Option<ListTyped>,
        output_bias: &Option<ListTyped>,
        biases: &mut Biases,
    ) -> Result<Matrix, ExperimentError> {
        let (dim, source) = (self.dim, self.shared.source);
        let right = value.resolve(&self.dotted("value"), dim, source)?;
        let width = right.len() / dim;
        let of_token = Extent { length: dim, of: "a token" };
        let output = output.resolve_rows(&self.dotted("output"), of_token, width, source)?;
        biases.value = self.bias("value-bias", value_bias, Extent { length: width, of: "value" })?;
        biases.output = self.bias("output-bias", output_bias, of_token)?;
        Ok(Matrix::Product { left: transposed(&output, width), right })
    }
}

/// The transpose of a matrix of rows of `width` numbers.
pub(super) fn transposed(entries: &[f64], width: usize) -> Vec<f64> {
    let rows = entries.len() / width;
    (0..entries.len()).map(|index| entries[index % rows * width + index / rows]).collect()
}
