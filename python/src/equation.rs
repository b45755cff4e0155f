//! The equation at given tokens: fields, attention and observables, without steps.

use numpy::{IntoPyArray, PyArrayMethods};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyDict};
use tokenfield::{
    backend::{BackendError, Point, Precision, machine::Machine},
    cancel::Cancel,
    observables::{View, attention_rows, columns},
    problem::{Algorithm, Problem, Schedule},
    simulate::{SimulateError, Simulation},
    tokens::{Shape, Tokens, Weights},
};

use crate::{
    arrays::{Input, output, shape_text, whole},
    errors::Raised,
    interrupt::interruptible,
    machines::{machine, require_same_process},
    problem,
};

/// Weights of attention that are computed before somebody may interrupt.
const WEIGHTS: usize = 1 << 22;
/// Numbers that are read for all pairs, n^2 d, in less time than a thread takes to start.
const FEW_NUMBERS: u64 = 1 << 20;

/// An equation and what is measured, read once and used for any tokens of its dimension.
#[pyclass(frozen, module = "tokenfield._native")]
pub(crate) struct Equation {
    problem: Problem,
    columns: Vec<String>,
}

/// Tokens of an equation, and who computes.
struct Evaluation {
    problem: Problem,
    /// That of the array that came in.
    shape: Vec<usize>,
    precision: Precision,
    machine: Machine,
}

#[pymethods]
impl Equation {
    /// Of a dictionary, whose own tokens only say how many components there are.
    #[new]
    fn new(problem: &Bound<'_, PyDict>, set: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let experiment = problem::experiment(problem.as_any(), set)?;
        if experiment.reference().is_some() {
            return Err(PyValueError::new_err(
                "set: reference: there is no limit beside tokens that do not move; call simulate",
            ));
        }
        let problem = experiment.resolve().map_err(Raised::raised)?;
        if problem.tokens.weights != Weights::Equal {
            return Err(PyValueError::new_err("set: tokens.weights: pass the weights as the argument weights"));
        }
        let schedule = Schedule::even(0, problem.schedule.step(0), 1);
        let columns = columns(&problem.quantities, problem.tokens.shape.dim);
        // Whoever asks has tokens of his own.
        let tokens = Tokens { coordinates: Vec::new(), weights: Weights::Equal, ..problem.tokens };
        let algorithm = if problem.observes_pairs() || problem.quantities.is_empty() {
            problem.algorithm
        } else {
            Algorithm::Direct
        };
        Ok(Self { problem: Problem { schedule, tokens, algorithm, ..problem }, columns })
    }

    /// The names of what `observe` measures.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.columns.clone()
    }

    /// dx/dt at tokens x, in their shape and precision.
    fn velocity<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        weights: Option<&Bound<'py, PyAny>>,
        device: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Evaluation { problem, shape, precision, machine } = self.at(x, weights, device)?;
        let field = problem.scheme.field();
        let evaluate = move |cancel: &Cancel| {
            pollster::block_on(async {
                let mut backend = machine.backend(&problem).await?;
                backend.end_with(cancel);
                backend.evaluate(Point::State, field, 0)?;
                backend.velocity(0).await
            })
        };
        let velocity: Result<Vec<f64>, BackendError> = self.evaluated(py, &shape, evaluate)?;
        let velocity = velocity.map_err(Raised::raised)?;
        if !velocity.iter().all(|component| component.is_finite()) {
            return Err(PyValueError::new_err(
                "beta: weights e^{beta <x_i, A x_j>} overflow; pass a smaller beta, or a normalization that divides by their sum",
            ));
        }
        output(py, velocity, &shape, precision)
    }

    /// The values of all columns, of shape (replicas, columns).
    fn observe<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        weights: Option<&Bound<'py, PyAny>>,
        device: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Evaluation { problem, shape, precision: _, machine } = self.at(x, weights, device)?;
        let measured = [problem.tokens.shape.replicas, self.columns.len()];
        let observe = move |cancel: &Cancel| {
            pollster::block_on(async {
                let mut backend = machine.backend(&problem).await?;
                backend.end_with(cancel);
                let samples = Simulation::new(&problem, backend.as_mut(), None).observe().await?;
                Ok(samples.into_iter().flat_map(|sample| sample.values).collect())
            })
        };
        let rows: Result<Vec<f64>, SimulateError> = self.evaluated(py, &shape, observe)?;
        Ok(rows.map_err(Raised::raised)?.into_pyarray(py).reshape(measured)?.into_any())
    }

    /// Rows of the first head's matrix of attention, of shape (replicas, rows, n).
    fn attention_rows<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        rows: Vec<Bound<'py, PyAny>>,
        weights: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Evaluation { problem, shape, .. } = self.at(x, weights, "cpu")?;
        problem.check().map_err(|error| Raised::raised(BackendError::from(error)))?;
        let Shape { replicas, count, .. } = problem.tokens.shape;
        let row = |row: &Bound<'_, PyAny>| Ok(whole("rows", row, 0, count as u64 - 1)? as usize);
        let rows: Vec<usize> = rows.iter().map(row).collect::<PyResult<_>>()?;
        let measured = [replicas, rows.len(), problem.tokens.shape.sources()];
        let evaluate = move |cancel: &Cancel| {
            let view = View {
                equation: problem.equation(),
                model: &problem.model,
                time: 0.0,
                tokens: &problem.tokens.coordinates,
                velocities: &[],
                limit: None,
                centres: &[],
            };
            let mut weights = Vec::with_capacity(measured.iter().product());
            for replica in 0..replicas {
                for rows in rows.chunks((WEIGHTS / count).max(16)) {
                    if cancel.is_requested() {
                        return Some(weights);
                    }
                    weights.extend(attention_rows(&view, replica, 0, rows)?);
                }
            }
            Some(weights)
        };
        match self.evaluated(py, &shape, evaluate)? {
            Some(weights) => Ok(weights.into_pyarray(py).reshape(measured)?.into_any()),
            None => Err(PyValueError::new_err(
                "normalization: rows of hardmax and sinkhorn are not weighed each by itself; pass another normalization",
            )),
        }
    }
}

impl Equation {
    /// What `evaluate` comes to, while other Python threads go on; where that takes long, on a thread that can be interrupted.
    fn evaluated<T: Send + 'static>(
        &self,
        py: Python<'_>,
        shape: &[usize],
        evaluate: impl FnOnce(&Cancel) -> T + Send + 'static,
    ) -> PyResult<T> {
        let cancel = Cancel::default();
        let count = shape[shape.len() - 2] as u64;
        let numbers = shape.iter().map(|size| *size as u64).product::<u64>();
        if numbers.saturating_mul(count) <= FEW_NUMBERS {
            return Ok(py.detach(|| evaluate(&cancel)));
        }
        let shared = cancel.clone();
        interruptible(py, || cancel.request(), |_| Ok(()), move |_| evaluate(&shared))
    }

    /// The problem of these tokens.
    fn at(&self, x: &Bound<'_, PyAny>, weights: Option<&Bound<'_, PyAny>>, device: &str) -> PyResult<Evaluation> {
        require_same_process()?;
        let x = Input::of("x", x)?;
        let own = self.problem.tokens.shape;
        let shape = Shape { passive: own.passive, ..x.cloud("x")? };
        x.require_finite("x")?;
        if self.problem.model.geometry.is_unit() {
            x.require_unit_rows("x", shape.dim)?;
        }
        let weights = match weights {
            None => Weights::Equal,
            Some(weights) => Weights::Each(self::weights(&Input::of("weights", weights)?, shape)?),
        };
        let machine = machine(device, x.precision)?;
        let tokens = Tokens { shape, coordinates: x.values, weights };
        let problem = Problem { tokens, ..self.problem.clone() };
        Ok(Evaluation { problem, shape: x.shape, precision: x.precision, machine })
    }
}

fn weights(weights: &Input, shape: Shape) -> PyResult<Vec<f64>> {
    weights.require_finite("weights")?;
    let each = match weights.shape[..] {
        [count] if count == shape.count => weights.values.repeat(shape.replicas),
        [replicas, count] if (replicas, count) == (shape.replicas, shape.count) => weights.values.clone(),
        _ => {
            let (Shape { replicas, count, .. }, found) = (shape, shape_text(&weights.shape));
            let expected = if replicas == 1 { String::new() } else { format!(" or ({replicas}, {count})") };
            return Err(PyValueError::new_err(format!("weights: expected shape ({count},){expected}, got {found}")));
        }
    };
    for of_replica in each.chunks_exact(shape.count) {
        let sum: f64 = of_replica.iter().sum();
        if let Some(at) = of_replica.iter().position(|weight| *weight < 0.0) {
            let weight = of_replica[at];
            let problem =
                format!("weights: that of token {at} is {weight}; pass numbers of at least 0 that sum to 1");
            return Err(PyValueError::new_err(problem));
        }
        if (sum - 1.0).abs() > 1e-6 {
            return Err(PyValueError::new_err(format!(
                "weights: expected numbers of at least 0 that sum to 1, and their sum is {sum}; divide them by their sum"
            )));
        }
    }
    Ok(each)
}
