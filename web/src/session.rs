//! The tokens of an experiment on their way, as the page calls them.

use js_sys::{Float32Array, Float64Array, Uint8Array};
use tokenfield::{
    backend::{Method, Point},
    model::Field,
    observables::columns,
    problem::Schedule,
    simulate::Simulation,
};
use wasm_bindgen::prelude::*;

use crate::{
    axes::axes,
    colours::{By, by_cluster, by_place, by_speed, by_start},
    engine::Engine,
    experiments::problem_of,
    failure::{error, failure},
    opening::Opening,
};

/// The first step at which this time is reached, or the last one.
fn step_at(schedule: &Schedule, time: f64) -> u64 {
    let (mut first, mut last) = (0, schedule.steps);
    while first < last {
        let middle = first + (last - first) / 2;
        match schedule.time(middle) < time * (1.0 - 1e-12) {
            true => first = middle + 1,
            false => last = middle,
        }
    }
    first
}

/// The tokens of an experiment, on their way.
#[wasm_bindgen]
pub struct Session {
    /// What it was opened with; the problem is that of now.
    opening: Opening,
    engine: Engine,
    steps: u64,
    /// Whether the condition of `time.stop` held at the last sample.
    stopped: bool,
}

#[wasm_bindgen]
impl Session {
    /// The tokens of `opening` on `engine`, at layer-time zero.
    pub(crate) fn new(opening: Opening, engine: Engine) -> Self {
        let mut session = Session { opening, engine, steps: 0, stopped: false };
        session.set_scene();
        session
    }

    /// Who computes.
    #[wasm_bindgen(getter)]
    pub fn machine(&self) -> String {
        self.opening.machine.name()
    }

    /// Whether it draws on the canvas.
    #[wasm_bindgen(getter)]
    pub fn draws(&self) -> bool {
        self.opening.painter.is_some()
    }

    /// Tokens of a replica.
    #[wasm_bindgen(getter)]
    pub fn count(&self) -> usize {
        self.opening.problem.tokens.shape.count
    }

    /// Independent systems.
    #[wasm_bindgen(getter)]
    pub fn replicas(&self) -> usize {
        self.opening.problem.tokens.shape.replicas
    }

    /// Components of a token.
    #[wasm_bindgen(getter)]
    pub fn dim(&self) -> usize {
        self.opening.problem.tokens.shape.dim
    }

    /// Steps that are done.
    #[wasm_bindgen(getter)]
    pub fn steps(&self) -> f64 {
        self.steps as f64
    }

    /// Steps of the schedule.
    #[wasm_bindgen(getter)]
    pub fn total_steps(&self) -> f64 {
        self.opening.problem.schedule.steps as f64
    }

    /// The layer-time.
    #[wasm_bindgen(getter)]
    pub fn time(&self) -> f64 {
        self.opening.problem.schedule.time(self.steps)
    }

    /// Whether the schedule has come to its end, or `time.stop` has ended it at the last sample.
    #[wasm_bindgen(getter)]
    pub fn ended(&self) -> bool {
        self.stopped || self.steps >= self.opening.problem.schedule.steps
    }

    /// How sums over pairs are taken.
    #[wasm_bindgen(getter)]
    pub fn method(&mut self) -> String {
        match self.engine.backend().method() {
            Method::Direct => "direct".into(),
            Method::Harmonic { degree, error, .. } => format!("harmonic, degree {degree}, error {error:.1e}"),
            _ => "another".into(),
        }
    }

    /// The columns of `samples.csv` after replica and time.
    #[wasm_bindgen(getter)]
    pub fn columns(&self) -> Vec<String> {
        columns(&self.opening.problem.quantities, self.opening.problem.tokens.shape.dim)
    }

    /// Whether there is a sample at this step.
    #[wasm_bindgen(getter)]
    pub fn is_sampled(&self) -> bool {
        self.opening.problem.schedule.observes(self.steps)
    }

    /// Takes at most so many steps, up to the next sample or the end; returns how many.
    pub async fn advance(&mut self, most: u32) -> Result<f64, JsValue> {
        let until = self.opening.problem.until_looked_at(self.steps).min(u64::from(most));
        let mut simulation = Simulation::resumed(&self.opening.problem, self.engine.backend(), self.steps);
        let taken = if until == 0 { 0 } else { simulation.step(until).await.map_err(failure)? };
        self.engine.backend().wait().await.map_err(failure)?;
        self.steps += taken;
        Ok(taken as f64)
    }

    /// The sample of now: values in the order of the columns, replica after replica.
    pub async fn observe(&mut self) -> Result<Float64Array, JsValue> {
        let mut simulation = Simulation::resumed(&self.opening.problem, self.engine.backend(), self.steps);
        let samples = simulation.observe().await.map_err(failure)?;
        self.stopped = simulation.stops(&samples);
        let values: Vec<f64> = samples.into_iter().flat_map(|sample| sample.values).collect();
        Ok(Float64Array::from(values.as_slice()))
    }

    /// The tokens of the first replica, row-major (token, component).
    pub async fn tokens(&mut self) -> Result<Float32Array, JsValue> {
        let tokens = self.engine.first_replica(&self.opening.problem).await.map_err(failure)?;
        let tokens: Vec<f32> = tokens.into_iter().map(|x| x as f32).collect();
        Ok(Float32Array::from(tokens.as_slice()))
    }

    /// Goes on from the tokens as they are with another equation, schedule or list of observables. The layer-time stays as near as steps
    /// allow. Tokens and their number must be those that were opened.
    pub async fn change(&mut self, toml: String) -> Result<(), JsValue> {
        let problem = problem_of(&toml, &self.opening.arrays).map_err(error)?;
        if problem.tokens.shape != self.opening.problem.tokens.shape {
            return Err(error(
                "tokens.count, tokens.dim and tokens.replicas cannot change on the way; open the experiment again",
            ));
        }
        if problem.schedule.time(problem.schedule.steps) < self.time() * (1.0 - 1e-12) {
            return Err(error(format!(
                "time.end: it is before the layer-time of the tokens, {}; restart, or write a later one",
                self.time()
            )));
        }
        let tokens = self.engine.backend().tokens().await.map_err(failure)?;
        let engine = self.opening.machine.engine(&problem.at(tokens)).await.map_err(failure)?;
        (self.steps, self.stopped) = (step_at(&problem.schedule, self.time()), false);
        (self.opening.problem, self.engine) = (problem, engine);
        self.set_scene();
        Ok(())
    }

    /// Colours tokens by "start", "cluster", "speed" or "place".
    pub async fn colour(&mut self, by: String) -> Result<(), JsValue> {
        let dim = self.dim();
        let by = By::named(&by)
            .ok_or_else(|| error(format!("\"{by}\" is none of \"start\", \"cluster\", \"speed\" and \"place\"")))?;
        self.opening.colours = match by {
            By::Start => by_start(&self.opening.start, dim, &axes(&self.opening.start, dim, &[])),
            By::Place => by_place(self.count()),
            By::Cluster => by_cluster(&self.engine.first_replica(&self.opening.problem).await.map_err(failure)?, dim),
            By::Speed => {
                let backend = self.engine.backend();
                backend.evaluate(Point::State, Field::Tangent, 0).map_err(failure)?;
                let velocities = backend.velocity(0).await.map_err(failure)?;
                by_speed(&velocities[..self.opening.start.len()], dim)
            }
        };
        self.set_scene();
        Ok(())
    }

    /// RGBA of the tokens of the first replica.
    pub fn colours(&self) -> Uint8Array {
        Uint8Array::from(self.opening.colours.as_flattened())
    }

    /// The directions that are drawn from now on, row-major (3, dim).
    pub async fn axes(&mut self) -> Result<Float32Array, JsValue> {
        if self.dim() > 3 {
            let tokens = self.engine.first_replica(&self.opening.problem).await.map_err(failure)?;
            self.opening.axes = axes(&tokens, self.dim(), &self.opening.axes);
            self.set_scene();
        }
        let directions: Vec<f32> = self.opening.axes.iter().map(|x| *x as f32).collect();
        Ok(Float32Array::from(directions.as_slice()))
    }

    /// From now on the picture has so many pixels.
    pub fn resize(&mut self, width: u32, height: u32) {
        self.opening.painter.iter_mut().for_each(|painter| painter.resize(width, height));
    }

    /// Draws the tokens of the first replica, seen as [`Opening::draw`] says.
    pub fn draw(&self, matrix: &[f32], radius: f32, background: &[f32], flat: bool) -> Result<(), JsValue> {
        self.opening.draw(matrix, radius, background, flat)
    }

    fn set_scene(&mut self) {
        let Opening { painter, colours, axes, scene, .. } = &mut self.opening;
        *scene = match (painter, &self.engine) {
            (Some(painter), Engine::Gpu(gpu)) => {
                Some(painter.scene(gpu.first_replica(), gpu.vectors(), colours, axes))
            }
            _ => None,
        };
    }
}
