//! What an experiment means: files are read, keys compared with each other, and every question answered.

use super::{
    Experiment,
    error::ExperimentError,
    typed::{HeadTyped, MatrixTyped},
};
use crate::{
    initial::{Cloud, Law, LawError, draw, npy},
    model::{Attention, Head, Matrix, Model},
    observe::Quantity,
    problem::{Problem, Schedule},
    tokens::{Shape, Tokens, Weights},
};

impl Experiment {
    /// Answers every question the experiment leaves open, and draws the initial tokens.
    pub fn resolve(&self) -> Result<Problem, ExperimentError> {
        let shape = self.shape()?;
        let model = self.model(shape.dim)?;
        let schedule = self.schedule()?;
        let quantities = self.quantities()?;
        let weights = self.weights(shape)?;
        let coordinates =
            draw(&self.typed.tokens.initial, shape, self.seed()).map_err(|error| self.law_error(error))?;
        let tokens = Tokens { shape, coordinates, weights };
        Ok(Problem { tokens, model, scheme: self.typed.time.scheme.meaning, schedule, quantities })
    }

    /// How many tokens there are: as typed, else as in the file they come from.
    pub(super) fn shape(&self) -> Result<Shape, ExperimentError> {
        let typed = &self.typed.tokens;
        let (mut replicas, mut count, mut dim) = (typed.replicas.unwrap_or(1), typed.count, typed.dim);
        if let Law::File { path } = &typed.initial {
            let cloud = Cloud::read(path).map_err(|error| self.law_error(error))?;
            replicas = typed.replicas.unwrap_or(cloud.replicas.unwrap_or(1) as u64);
            count = count.or(Some(cloud.count as u64));
            dim = dim.or(Some(cloud.dim as u64));
        }
        let (Some(count), Some(dim)) = (count, dim) else {
            return Err(self.source.error("tokens.count", "", "missing", "write tokens.count and tokens.dim"));
        };
        if dim < 2 {
            return Err(self.source.error(
                "tokens.dim",
                dim,
                "must be at least 2",
                "save tokens of two or more components",
            ));
        }
        // Vectors hold at most isize::MAX bytes.
        let bytes = u128::from(replicas) * u128::from(count) * u128::from(dim) * 8;
        if bytes > isize::MAX as u128 {
            let problem = format!("{replicas} replicas of {count} tokens of {dim} components do not fit into memory");
            return Err(self.source.error(
                "tokens.count",
                count,
                problem,
                "take fewer tokens, replicas or components",
            ));
        }
        let passive = typed.passive.unwrap_or(0);
        if passive >= count {
            let problem = format!("of {count} tokens at least one must carry weight");
            let remedy = format!("write tokens.passive = {} or less", count - 1);
            return Err(self.source.error("tokens.passive", passive, problem, remedy));
        }
        let [replicas, count, dim, passive] = [replicas, count, dim, passive].map(|size| size as usize);
        Ok(Shape { replicas, count, dim, passive })
    }

    fn law_error(&self, LawError { key, problem, remedy }: LawError) -> ExperimentError {
        let value = toml::Value::try_from(&self.typed.tokens.initial).ok();
        let value = value.as_ref().and_then(|law| law.get(key)).map_or(String::new(), toml::Value::to_string);
        self.source.error(format!("tokens.initial.{key}"), value, problem, remedy)
    }

    fn weights(&self, shape: Shape) -> Result<Weights, ExperimentError> {
        let Some(weights) = &self.typed.tokens.weights else { return Ok(Weights::Equal) };
        let error = |problem: String, remedy: String| {
            let quoted = toml::Value::from(weights.path.to_string_lossy().as_ref());
            self.source.error("tokens.weights.path", quoted, problem, remedy)
        };
        let array = npy::read(&weights.path).map_err(|npy::NpyError { problem, remedy }| error(problem, remedy))?;
        let Shape { replicas, count, .. } = shape;
        let each = match array.shape[..] {
            [n] if n == count => array.values.repeat(replicas),
            [r, n] if r == replicas && n == count => array.values,
            _ => {
                let found = npy::shape_text(&array.shape);
                let problem =
                    format!("the weights have the shape {found}, of {count} tokens and {replicas} replicas");
                return Err(error(problem, format!("save an array of shape ({count},) or ({replicas}, {count})")));
            }
        };
        for (replica, weights) in each.chunks_exact(count).enumerate() {
            if let Some(token) = weights.iter().position(|weight| *weight < 0.0) {
                let problem = format!("token {token} of replica {replica} has the weight {}", weights[token]);
                return Err(error(problem, "write weights of at least 0".into()));
            }
            let tail = &weights[count - shape.passive..];
            if let Some(token) = tail.iter().position(|weight| *weight != 0.0) {
                let (weight, token) = (tail[token], count - shape.passive + token);
                let problem = format!("token {token} of replica {replica} is passive and has the weight {weight}");
                return Err(error(problem, "write weight 0 for passive tokens, or a smaller tokens.passive".into()));
            }
            let sum: f64 = weights.iter().sum();
            if (sum - 1.0).abs() > 1e-6 {
                let problem = format!("the weights of replica {replica} sum to {sum}, not to 1");
                return Err(error(problem, format!("divide them by {sum}")));
            }
        }
        Ok(Weights::Each(each))
    }

    fn model(&self, dim: usize) -> Result<Model, ExperimentError> {
        let typed = &self.typed.attention;
        let mut heads = Vec::new();
        for (index, HeadTyped { query_key, value }) in typed.head.iter().enumerate() {
            let matrix = |key: &str, matrix| self.matrix(&format!("attention.head.{index}.{key}"), matrix, dim);
            heads.push(Head { query_key: matrix("query-key", query_key)?, value: matrix("value", value)? });
        }
        if heads.is_empty() {
            heads.push(Head { query_key: Matrix::Identity, value: Matrix::Identity });
        }
        Ok(Model { attention: Attention { beta: typed.beta, normalization: typed.normalization.meaning, heads } })
    }

    fn matrix(&self, key: &str, typed: &MatrixTyped, dim: usize) -> Result<Matrix, ExperimentError> {
        let error = |problem: String, remedy: String| {
            let quoted = toml::Value::try_from(typed).map_or(String::new(), |value| value.to_string());
            self.source.error(key, quoted, problem, remedy)
        };
        match typed {
            MatrixTyped::Identity => Ok(Matrix::Identity),
            MatrixTyped::Scale(factor) => Ok(Matrix::Scale(*factor)),
            MatrixTyped::Diagonal(entries) if entries.len() == dim => Ok(Matrix::Diagonal(entries.clone())),
            MatrixTyped::Diagonal(entries) => Err(error(
                format!("the diagonal has {} entries and tokens have {dim} components", entries.len()),
                format!("write {dim} numbers"),
            )),
            MatrixTyped::Rows(rows) => {
                let remedy = || format!("write {dim} rows of {dim} numbers");
                if rows.len() != dim {
                    return Err(error(
                        format!("there are {} rows and tokens have {dim} components", rows.len()),
                        remedy(),
                    ));
                }
                if let Some(row) = rows.iter().position(|row| row.len() != dim) {
                    let width = rows[row].len();
                    return Err(error(
                        format!("row {row}, counted from 0, has {width} numbers, not {dim}"),
                        remedy(),
                    ));
                }
                Ok(Matrix::Dense(rows.concat()))
            }
            MatrixTyped::Path(path) => {
                let array = npy::read(path).map_err(|npy::NpyError { problem, remedy }| error(problem, remedy))?;
                if array.shape == [dim, dim] {
                    return Ok(Matrix::Dense(array.values));
                }
                let problem = format!("the matrix has the shape {}", npy::shape_text(&array.shape));
                Err(error(problem, format!("save an array of shape ({dim}, {dim})")))
            }
        }
    }

    pub(super) fn schedule(&self) -> Result<Schedule, ExperimentError> {
        let time = &self.typed.time;
        let steps = multiples(time.end, time.step).map_err(|nearest| {
            let problem = format!("is not a whole number of steps of {}", time.step);
            self.source.error("time.end", time.end, problem, format!("write time.end = {nearest}"))
        })?;
        let observe_every = match self.typed.observe.every {
            None => Ok(steps.max(1)),
            Some(every) => multiples(every, time.step).map_err(|nearest| {
                let problem = format!("is not a whole multiple of time.step = {}", time.step);
                self.source.error("observe.every", every, problem, format!("write observe.every = {nearest}"))
            }),
        }?;
        Ok(Schedule { steps, end: time.end, observe_every })
    }

    /// What is measured: as typed, else moments, energy (unless beta = 0 leaves it undefined) and w2_dirac.
    pub(super) fn quantities(&self) -> Result<Vec<Quantity>, ExperimentError> {
        let has_energy = self.typed.attention.beta > 0.0;
        let Some(typed) = &self.typed.observe.quantities else {
            let mut quantities = vec![Quantity::Moments, Quantity::Energy, Quantity::W2Dirac];
            quantities.retain(|quantity| has_energy || *quantity != Quantity::Energy);
            return Ok(quantities);
        };
        let quantities: Vec<Quantity> = typed.iter().map(|word| word.meaning).collect();
        if !has_energy && quantities.contains(&Quantity::Energy) {
            let quoted = toml::Value::try_from(typed).map_or(String::new(), |value| value.to_string());
            let problem = "the energy (1 / 2 beta) sum_ij .. is undefined for attention.beta = 0";
            let remedy = "leave \"energy\" out, or write attention.beta = 1e-3";
            return Err(self.source.error("observe.quantities", quoted, problem, remedy));
        }
        Ok(quantities)
    }
}

/// How often `step` goes into `time`, or the nearest times into which it does.
fn multiples(time: f64, step: f64) -> Result<u64, String> {
    let ratio = time / step;
    let whole = ratio.round();
    // Above 2^53 steps a double cannot count them. Typed decimals are off by rounding alone: 1e-9 forgives that.
    if whole <= (1u64 << 53) as f64 && (ratio - whole).abs() <= 1e-9 * whole.max(1.0) && (whole > 0.0 || time == 0.0)
    {
        return Ok(whole as u64);
    }
    // Twelve digits, because the rounding of the product is nobody's wish.
    let nearest =
        |count: f64| format!("{:.11e}", count * step).parse::<f64>().map_or(String::new(), |t| format!("{t:?}"));
    let (below, above) = (ratio.floor(), ratio.ceil().max(1.0));
    Err(if below > 0.0 { format!("{} or {}", nearest(below), nearest(above)) } else { nearest(above) })
}
