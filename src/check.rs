//! Is this machine computing the right numbers? Every backend against the literal f64 reference.

use crate::{
    backend::{Backend, BackendError, Precision, advance, reference},
    experiment::{Experiment, ExperimentError},
    observables::Quantity,
    observe::Statistics,
    problem::{Problem, Schedule},
};

/// A small problem that exercises one path of the arithmetic.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Case {
    /// What it exercises.
    pub name: &'static str,
    /// Of one step of length one.
    pub problem: Problem,
}

/// How far a backend was from the reference on one case.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Errors {
    /// The largest difference of a coordinate of N(x + v).
    pub velocity: f64,
    /// The difference of the logarithm of the energy.
    pub log_energy: f64,
    /// What both must stay below; a score of size beta is rounded to beta times the precision.
    pub tolerance: f64,
}

impl Errors {
    /// False also where something is not a number.
    pub fn acceptable(&self) -> bool {
        self.velocity <= self.tolerance && self.log_energy <= self.tolerance
    }
}

/// The cases of `tokenfield check`: narrow and wide tokens, one tile and more, both normalizations, general matrices,
/// passive tokens, a mask and scores too large for a careless softmax.
pub fn cases() -> Result<Vec<Case>, ExperimentError> {
    let case = |name, tokens: &str, attention: &str| {
        let text = format!(
            "[tokens]\n{tokens}\nseed = 1\n[attention]\n{attention}\n[time]\nscheme = 'euler'\nstep = 1.0\nend = 1.0"
        );
        Ok(Case { name, problem: Experiment::parse(&text)?.resolve()? })
    };
    let cap = |axis: &str| format!("initial = {{ law = 'von-mises-fisher', concentration = 1.0, axis = {axis} }}");
    let softmax = "beta = 4.0\nnormalization = 'softmax'";
    Ok(vec![
        case("circle", &format!("count = 257\ndim = 2\n{}", cap("[1, 0]")), softmax)?,
        case("sphere", &format!("count = 1000\ndim = 3\n{}", cap("[0, 0, 1]")), softmax)?,
        case("many small systems", &format!("count = 32\ndim = 3\nreplicas = 40\n{}", cap("[0, 0, 1]")), softmax)?,
        case(
            "unnormalized",
            &format!("count = 300\ndim = 3\nreplicas = 2\n{}", cap("[0, 0, 1]")),
            "beta = 1.0\nnormalization = 'unnormalized'",
        )?,
        case(
            "matrices, passive tokens",
            "count = 200\ndim = 5\npassive = 7\ninitial = { law = 'uniform' }",
            "beta = 2.0\nnormalization = 'softmax'\n[[attention.head]]\n\
             query-key = { diagonal = [1.0, -0.5, 0.3, 0.0, 2.0] }\nvalue = { scale = -0.7 }",
        )?,
        case(
            "causal mask",
            &format!("count = 300\ndim = 3\n{}", cap("[0, 0, 1]")),
            "beta = 4.0\nnormalization = 'softmax'\nmask = 'causal'",
        )?,
        case(
            "beta = 1000",
            "count = 150\ndim = 3\ninitial = { law = 'uniform' }",
            "beta = 1000.0\nnormalization = 'softmax'",
        )?,
        case("wide tokens", "count = 130\ndim = 64\ninitial = { law = 'uniform' }", softmax)?,
        case("wider tokens", "count = 70\ndim = 384\ninitial = { law = 'uniform' }", softmax)?,
    ])
}

/// One step of `backend`, which holds the tokens of `problem`, against the reference.
pub async fn compare(problem: &Problem, backend: &mut dyn Backend) -> Result<Errors, BackendError> {
    let statistics = backend.observe(&[Quantity::Energy]).await?;
    advance(problem, backend, 0, 1)?;
    let found = backend.tokens().await?;
    let schedule = Schedule::even(1, problem.schedule.step(0), 1);
    let expected = reference::evolve(&Problem { schedule, ..problem.clone() });
    let log_energy = |(replica, found): (usize, &Statistics)| {
        (found.log_energy - reference::log_energy(&problem.tokens, &problem.model, replica)).abs()
    };
    let epsilon = match backend.identity().precision {
        Precision::Half | Precision::Single => 1e-6,
        Precision::Double => 1e-13,
    };
    Ok(Errors {
        velocity: largest(found.iter().zip(&expected).map(|(found, expected)| (found - expected).abs())),
        log_energy: largest(statistics.iter().enumerate().map(log_energy)),
        tolerance: epsilon * problem.model.attention.beta.max(2.0),
    })
}

/// The largest of some numbers, or NaN if one of them is.
fn largest(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.fold(0.0, |largest, number| if number.is_nan() || number > largest { number } else { largest })
}
