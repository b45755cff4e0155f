//! Experiments of the page: TOML and arrays.

use tokenfield::{
    experiment::{Arrays as Named, Experiment},
    problem::Problem,
};
use wasm_bindgen::prelude::*;

use crate::failure::error;

/// Arrays in the memory of the page, by the names under which an experiment uses them where it may write the path of a `.npy` file.
#[wasm_bindgen]
#[derive(Clone, Default)]
pub struct Arrays(Named);

#[wasm_bindgen]
impl Arrays {
    /// None yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an array of this shape, row-major, under a name of letters, digits, - and _.
    pub fn insert(&mut self, name: &str, shape: Vec<usize>, values: Vec<f64>) -> Result<(), JsValue> {
        self.0.insert(name, &shape, values).map_err(error)
    }
}

/// What is wrong with an experiment: a sentence that names key, value and remedy, or nothing.
#[wasm_bindgen]
pub fn check(toml: &str, arrays: &Arrays) -> Option<String> {
    problem_of(toml, arrays).err()
}

/// The problem of an experiment, if the page can run it.
pub fn problem_of(toml: &str, arrays: &Arrays) -> Result<Problem, String> {
    let experiment = Experiment::parse_with(toml, arrays.0.clone(), &[]).map_err(|error| error.to_string())?;
    if experiment.reference().is_some() {
        return Err(
            "[reference]: the page has no limit beside the tokens; leave it out, or use `tokenfield run`".into()
        );
    }
    let problem = experiment.resolve().map_err(|error| error.to_string())?;
    if problem.schedule.control.is_some() {
        return Err("time.step.tolerance: the page takes steps of given lengths; write time.step = 0.1".into());
    }
    Ok(problem)
}
