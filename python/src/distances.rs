//! Distances between clouds of points.

use pyo3::{exceptions::PyValueError, prelude::*};
use tokenfield::{
    cancel::Cancel,
    transport::{Masses, Measure, Order, TransportError, assignment, circle, kernel, sinkhorn, sliced},
};

use crate::{
    arrays::{Input, shape_text, whole},
    interrupt::interruptible,
    machines::require_same_process,
};

/// Pairs of points that are compared in less time than a thread takes to start.
const FEW_PAIRS: usize = 1 << 14;

/// Points and their masses, and which arguments of a call they were.
struct Cloud {
    name: &'static str,
    mass_name: &'static str,
    points: Input,
    masses: Option<Vec<f64>>,
}

/// An argument that is a cloud, and that of its masses.
type Given<'a, 'py> = (&'a Bound<'py, PyAny>, Option<&'a Bound<'py, PyAny>>);

impl Cloud {
    fn of(name: &'static str, mass_name: &'static str, (points, masses): Given<'_, '_>) -> PyResult<Self> {
        let points = Input::of(name, points)?;
        let &[count, _] = &points.shape[..] else {
            let found = shape_text(&points.shape);
            return Err(PyValueError::new_err(format!("{name}: expected shape (n, d), got {found}")));
        };
        if points.values.is_empty() {
            let found = shape_text(&points.shape);
            return Err(PyValueError::new_err(format!(
                "{name}: expected shape (n, d), both at least 1, got {found}"
            )));
        }
        let masses = masses.map(|masses| Input::of(mass_name, masses)).transpose()?;
        if let Some(found) = masses.as_ref().filter(|masses| masses.shape != [count]) {
            let found = shape_text(&found.shape);
            return Err(PyValueError::new_err(format!("{mass_name}: expected shape ({count},), got {found}")));
        }
        let cloud = Self { name, mass_name, points, masses: masses.map(|masses| masses.values) };
        cloud.measure().map_err(|error| cloud.named(&error))?;
        Ok(cloud)
    }

    fn measure(&self) -> Result<Measure<'_>, TransportError> {
        let masses = self.masses.as_deref().map_or(Masses::Equal, Masses::Each);
        Measure::new(&self.points.values, self.points.shape[1], masses)
    }

    /// An error of this measure, with the names of the arguments.
    fn named(&self, error: &TransportError) -> PyErr {
        let text = error.to_string();
        let named = |word, name| text.strip_prefix(word).map(|rest| format!("{name}{rest}"));
        let text =
            named("coordinates", self.name).or_else(|| named("weights", self.mass_name)).unwrap_or(text.clone());
        PyValueError::new_err(text)
    }
}

/// What `distance` makes of two clouds, with the interpreter free for other threads.
fn compare<T: Send + 'static>(
    py: Python<'_>,
    (x, a): Given<'_, '_>,
    (y, b): Given<'_, '_>,
    distance: impl Fn(&Measure<'_>, &Measure<'_>) -> Result<T, TransportError> + Send + 'static,
) -> PyResult<T> {
    require_same_process()?;
    let (x, y) = (Cloud::of("x", "a", (x, a))?, Cloud::of("y", "b", (y, b))?);
    let [(of_x, dim_x), (of_y, dim_y)] = [&x, &y].map(|cloud| (cloud.points.shape[0], cloud.points.shape[1]));
    if dim_x != dim_y {
        return Err(PyValueError::new_err(format!("y: expected shape (m, {dim_x}) as x has, got ({of_y}, {dim_y})")));
    }
    let cancel = Cancel::default();
    let shared = cancel.clone();
    let work = move || distance(&x.measure()?.ending_with(&shared), &y.measure()?.ending_with(&shared));
    let compared = match of_x.saturating_mul(of_y) <= FEW_PAIRS {
        true => py.detach(work),
        false => interruptible(py, || cancel.request(), |_| Ok(()), move |_| work())?,
    };
    compared.map_err(|error| PyValueError::new_err(error.to_string()))
}

fn order(p: &Bound<'_, PyAny>) -> PyResult<Order> {
    match whole("p", p, 1, 2)? {
        1 => Ok(Order::One),
        _ => Ok(Order::Two),
    }
}

/// By "circle" or "assignment".
#[pyfunction]
pub(crate) fn wasserstein(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    p: &Bound<'_, PyAny>,
    a: Option<&Bound<'_, PyAny>>,
    b: Option<&Bound<'_, PyAny>>,
    method: &str,
) -> PyResult<f64> {
    let order = order(p)?;
    match method {
        "circle" => compare(py, (x, a), (y, b), move |x, y| circle::wasserstein(order, x, y)),
        "assignment" => compare(py, (x, a), (y, b), move |x, y| assignment::wasserstein(order, x, y)),
        other => {
            let problem = format!("method: expected \"auto\", \"circle\" or \"assignment\", got \"{other}\"");
            Err(PyValueError::new_err(problem))
        }
    }
}

/// The distance, and one standard deviation of it over draws of the directions.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "one for each argument of the function in Python")]
pub(crate) fn sliced_wasserstein(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    p: &Bound<'_, PyAny>,
    a: Option<&Bound<'_, PyAny>>,
    b: Option<&Bound<'_, PyAny>>,
    n_projections: &Bound<'_, PyAny>,
    seed: &Bound<'_, PyAny>,
) -> PyResult<(f64, f64)> {
    let order = order(p)?;
    let n_projections = whole("n_projections", n_projections, 2, u64::from(u32::MAX))? as u32;
    let seed = whole("seed", seed, 0, u64::MAX)?;
    let distance = move |x: &Measure<'_>, y: &Measure<'_>| sliced::wasserstein(order, x, y, n_projections, seed);
    let found = compare(py, (x, a), (y, b), distance)?;
    Ok((found.distance, found.standard_error))
}

#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "one for each argument of the function in Python")]
pub(crate) fn sinkhorn_divergence(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    a: Option<&Bound<'_, PyAny>>,
    b: Option<&Bound<'_, PyAny>>,
    epsilon: f64,
    tolerance: f64,
    max_iterations: &Bound<'_, PyAny>,
) -> PyResult<f64> {
    let iterations = whole("max_iterations", max_iterations, 1, u64::from(u32::MAX))? as u32;
    let settings = sinkhorn::Sinkhorn { epsilon, tolerance, iterations };
    Ok(compare(py, (x, a), (y, b), move |x, y| sinkhorn::divergence(x, y, settings))?.value)
}

#[pyfunction]
pub(crate) fn mmd(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    a: Option<&Bound<'_, PyAny>>,
    b: Option<&Bound<'_, PyAny>>,
    beta: f64,
) -> PyResult<f64> {
    let distance = compare(py, (x, a), (y, b), move |x, y| kernel::mmd(x, y, beta))?;
    match distance.is_finite() {
        true => Ok(distance),
        false => Err(PyValueError::new_err(format!(
            "beta: the kernel e^{{beta (<x, y> - 1)}} overflows at beta = {beta} for points this long; pass a smaller beta, or points of length 1"
        ))),
    }
}

#[pyfunction]
pub(crate) fn energy_distance(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    a: Option<&Bound<'_, PyAny>>,
    b: Option<&Bound<'_, PyAny>>,
) -> PyResult<f64> {
    compare(py, (x, a), (y, b), kernel::energy_distance)
}
