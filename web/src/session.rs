//! What the page calls.

use js_sys::{Float32Array, Float64Array, Uint8Array};
use tokenfield::{
    backend::{Method, Point},
    experiment::{Arrays as Named, Experiment},
    model::Field,
    observables::columns,
    problem::{Problem, Schedule},
    simulate::Simulation,
};
use wasm_bindgen::prelude::*;
use web_sys::OffscreenCanvas;

use crate::{
    axes::axes,
    colours::{By, Rgba, by_cluster, by_place, by_speed, by_start},
    engine::{Engine, Machine},
    painter::{Painter, Scene},
};

/// Whatever ends a call: a sentence for the user.
fn error(sentence: impl ToString) -> JsError {
    JsError::new(&sentence.to_string())
}

/// Has the browser's console say where a fault of the program is.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| web_sys::console::error_1(&panic.to_string().into())));
}

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
    pub fn insert(&mut self, name: &str, shape: Vec<usize>, values: Vec<f64>) -> Result<(), JsError> {
        self.0.insert(name, &shape, values).map_err(error)
    }
}

/// What is wrong with an experiment: a sentence that names key, value and remedy, or nothing.
#[wasm_bindgen]
pub fn check(toml: &str) -> Option<String> {
    check_with(toml, &Arrays::default())
}

/// The same of an experiment that names arrays.
#[wasm_bindgen]
pub fn check_with(toml: &str, arrays: &Arrays) -> Option<String> {
    problem_of(toml, arrays).err()
}

/// The whole of an experiment, with what was left out.
#[wasm_bindgen]
pub fn written(toml: &str) -> Result<String, JsError> {
    Experiment::parse(toml).and_then(|experiment| experiment.to_toml()).map_err(error)
}

fn problem_of(toml: &str, arrays: &Arrays) -> Result<Problem, String> {
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
    arrays: Arrays,
    machine: Machine,
    problem: Problem,
    engine: Engine,
    steps: u64,
    start: Vec<f64>,
    colours: Vec<Rgba>,
    axes: Vec<f64>,
    painter: Option<Painter>,
    scene: Option<Scene>,
}

#[wasm_bindgen]
impl Session {
    /// The experiment `toml` at layer-time zero on "auto", "gpu" or "cpu", drawn on `canvas` where there is one and the device draws.
    pub async fn open(toml: String, device: String, canvas: Option<OffscreenCanvas>) -> Result<Session, JsError> {
        Self::open_with(toml, device, canvas, Arrays::default()).await
    }

    /// The same of an experiment that names arrays.
    pub async fn open_with(
        toml: String,
        device: String,
        canvas: Option<OffscreenCanvas>,
        arrays: Arrays,
    ) -> Result<Session, JsError> {
        let problem = problem_of(&toml, &arrays).map_err(error)?;
        let machine = Machine::open(&device).await.map_err(error)?;
        let engine = machine.engine(&problem).await.map_err(error)?;
        let shape = problem.tokens.shape;
        let start = problem.tokens.coordinates[..shape.count * shape.dim].to_vec();
        let painter = match (&machine, canvas) {
            (Machine::Gpu(device), Some(canvas)) => Some(Painter::new(device, canvas).map_err(error)?),
            _ => None,
        };
        let axes = axes(&start, shape.dim);
        let colours = by_start(&start, shape.dim, &axes);
        let mut session =
            Session { arrays, machine, problem, engine, steps: 0, start, colours, axes, painter, scene: None };
        session.set_scene();
        Ok(session)
    }

    /// Who computes.
    #[wasm_bindgen(getter)]
    pub fn machine(&self) -> String {
        self.machine.name()
    }

    /// Whether it draws on the canvas.
    #[wasm_bindgen(getter)]
    pub fn draws(&self) -> bool {
        self.painter.is_some()
    }

    /// Tokens of a replica.
    #[wasm_bindgen(getter)]
    pub fn count(&self) -> usize {
        self.problem.tokens.shape.count
    }

    /// Independent systems.
    #[wasm_bindgen(getter)]
    pub fn replicas(&self) -> usize {
        self.problem.tokens.shape.replicas
    }

    /// Components of a token.
    #[wasm_bindgen(getter)]
    pub fn dim(&self) -> usize {
        self.problem.tokens.shape.dim
    }

    /// Steps that are done.
    #[wasm_bindgen(getter)]
    pub fn steps(&self) -> f64 {
        self.steps as f64
    }

    /// Steps of the schedule.
    #[wasm_bindgen(getter)]
    pub fn total_steps(&self) -> f64 {
        self.problem.schedule.steps as f64
    }

    /// The layer-time.
    #[wasm_bindgen(getter)]
    pub fn time(&self) -> f64 {
        self.problem.schedule.time(self.steps)
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
        columns(&self.problem.quantities, self.problem.tokens.shape.dim)
    }

    /// Whether there is a sample at this step.
    #[wasm_bindgen(getter)]
    pub fn is_sampled(&self) -> bool {
        self.problem.schedule.observes(self.steps)
    }

    /// Takes at most so many steps, up to the next sample or the end; returns how many.
    pub async fn advance(&mut self, most: u32) -> Result<f64, JsError> {
        let until = self.problem.until_looked_at(self.steps).min(u64::from(most));
        let mut simulation = Simulation::resumed(&self.problem, self.engine.backend(), self.steps);
        let taken = if until == 0 { 0 } else { simulation.step(until).await.map_err(error)? };
        self.engine.backend().wait().await.map_err(error)?;
        self.steps += taken;
        Ok(taken as f64)
    }

    /// The sample of now: values in the order of the columns, replica after replica.
    pub async fn observe(&mut self) -> Result<Float64Array, JsError> {
        let mut simulation = Simulation::resumed(&self.problem, self.engine.backend(), self.steps);
        let samples = simulation.observe().await.map_err(error)?;
        let values: Vec<f64> = samples.into_iter().flat_map(|sample| sample.values).collect();
        Ok(Float64Array::from(values.as_slice()))
    }

    /// The tokens of the first replica, row-major (token, component).
    pub async fn tokens(&mut self) -> Result<Float32Array, JsError> {
        let tokens = self.engine.first_replica(&self.problem).await.map_err(error)?;
        let tokens: Vec<f32> = tokens.into_iter().map(|x| x as f32).collect();
        Ok(Float32Array::from(tokens.as_slice()))
    }

    /// Goes on from the tokens as they are with another equation, schedule or list of observables. The layer-time stays as near as steps
    /// allow. Tokens and their number must be those that were opened.
    pub async fn change(&mut self, toml: String) -> Result<(), JsError> {
        let problem = problem_of(&toml, &self.arrays).map_err(error)?;
        if problem.tokens.shape != self.problem.tokens.shape {
            return Err(error(
                "tokens.count, tokens.dim and tokens.replicas cannot change on the way; open the experiment again",
            ));
        }
        let tokens = self.engine.backend().tokens().await.map_err(error)?;
        let engine = self.machine.engine(&problem.at(tokens)).await.map_err(error)?;
        self.steps = step_at(&problem.schedule, self.time());
        (self.problem, self.engine) = (problem, engine);
        self.set_scene();
        Ok(())
    }

    /// Colours tokens by "start", "cluster", "speed" or "place".
    pub async fn colour(&mut self, by: String) -> Result<(), JsError> {
        let dim = self.dim();
        let by = By::named(&by)
            .ok_or_else(|| error(format!("\"{by}\" is none of \"start\", \"cluster\", \"speed\" and \"place\"")))?;
        self.colours = match by {
            By::Start => by_start(&self.start, dim, &axes(&self.start, dim)),
            By::Place => by_place(self.count()),
            By::Cluster => by_cluster(&self.engine.first_replica(&self.problem).await.map_err(error)?, dim),
            By::Speed => {
                let backend = self.engine.backend();
                backend.evaluate(Point::State, Field::Tangent, 0).map_err(error)?;
                let velocities = backend.velocity(0).await.map_err(error)?;
                by_speed(&velocities[..self.start.len()], dim)
            }
        };
        self.set_scene();
        Ok(())
    }

    /// RGBA of the tokens of the first replica.
    pub fn colours(&self) -> Uint8Array {
        Uint8Array::from(self.colours.as_flattened())
    }

    /// The directions that are drawn from now on, row-major (3, dim).
    pub async fn axes(&mut self) -> Result<Float32Array, JsError> {
        if self.dim() > 3 {
            let tokens = self.engine.first_replica(&self.problem).await.map_err(error)?;
            self.axes = axes(&tokens, self.dim());
            self.set_scene();
        }
        let directions: Vec<f32> = self.axes.iter().map(|x| *x as f32).collect();
        Ok(Float32Array::from(directions.as_slice()))
    }

    /// From now on the picture has so many pixels.
    pub fn resize(&mut self, width: u32, height: u32) {
        self.painter.iter_mut().for_each(|painter| painter.resize(width, height));
    }

    /// Draws the tokens of the first replica: `matrix` leads from the drawn space to clip space, column by column; a token is a disc of
    /// `radius` pixels; `background` is red, green, blue, from 0 to 1.
    pub fn draw(&self, matrix: &[f32], radius: f32, background: &[f32]) -> Result<(), JsError> {
        let (Some(painter), Some(scene)) = (&self.painter, &self.scene) else { return Ok(()) };
        let matrix = matrix.try_into().map_err(|_| error("matrix: it has 16 numbers"))?;
        let background = background.try_into().map_err(|_| error("background: it has 3 numbers"))?;
        painter.draw(scene, matrix, radius, background).map_err(error)
    }

    fn set_scene(&mut self) {
        self.scene = match (&self.painter, &self.engine) {
            (Some(painter), Engine::Gpu(gpu)) => Some(painter.scene(gpu, &self.colours, &self.axes)),
            _ => None,
        };
    }
}
