//! An experiment before its first step: its tokens can be drawn while the kernels are compiled.

use tokenfield::problem::Problem;
use wasm_bindgen::prelude::*;
use web_sys::OffscreenCanvas;

use crate::{
    axes::axes,
    colours::{Rgba, by_start},
    engine::Machine,
    experiments::{Arrays, problem_of},
    failure::{error, failure},
    painter::{Look, Painter, Scene},
    session::Session,
};

/// An experiment that is about to be laid out on a machine.
#[wasm_bindgen]
pub struct Opening {
    pub(crate) arrays: Arrays,
    pub(crate) machine: Machine,
    pub(crate) problem: Problem,
    /// The tokens of the first replica, row-major (token, component).
    pub(crate) start: Vec<f64>,
    pub(crate) colours: Vec<Rgba>,
    pub(crate) axes: Vec<f64>,
    pub(crate) painter: Option<Painter>,
    pub(crate) scene: Option<Scene>,
}

#[wasm_bindgen]
impl Opening {
    /// The experiment `toml` on "auto", "gpu", "cpu" or "cpu-double", drawn on `canvas` where there is one and the device draws.
    pub async fn begin(
        toml: String,
        device: String,
        canvas: Option<OffscreenCanvas>,
        arrays: Arrays,
    ) -> Result<Opening, JsValue> {
        let problem = problem_of(&toml, &arrays).map_err(error)?;
        let machine = Machine::open(&device).await.map_err(error)?;
        let painter = match (&machine, canvas) {
            (Machine::Gpu(device), Some(canvas)) => Some(Painter::new(device, canvas).map_err(error)?),
            _ => None,
        };
        let shape = problem.tokens.shape;
        let start = problem.tokens.coordinates[..shape.count * shape.dim].to_vec();
        let axes = axes(&start, shape.dim, &[]);
        let colours = by_start(&start, shape.dim, &axes);
        let scene = painter.as_ref().map(|painter| painter.scene_of(&start, shape.dim, &colours, &axes));
        Ok(Opening { arrays, machine, problem, start, colours, axes, painter, scene })
    }

    /// Whether it draws on the canvas.
    #[wasm_bindgen(getter)]
    pub fn draws(&self) -> bool {
        self.painter.is_some()
    }

    /// From now on the picture has so many pixels.
    pub fn resize(&mut self, width: u32, height: u32) {
        self.painter.iter_mut().for_each(|painter| painter.resize(width, height));
    }

    /// Draws the tokens of the first replica: `matrix` leads from the drawn space to clip space, column by column; a token is a disc of
    /// `radius` pixels; `background` is red, green, blue, from 0 to 1; unless the picture is `flat`, what is behind the centre fades into
    /// it.
    pub fn draw(&self, matrix: &[f32], radius: f32, background: &[f32], flat: bool) -> Result<(), JsValue> {
        let (Machine::Gpu(device), Some(painter), Some(scene)) = (&self.machine, &self.painter, &self.scene) else {
            return Ok(());
        };
        device.check().map_err(failure)?;
        let matrix = matrix.try_into().map_err(|_| error("matrix: it has 16 numbers"))?;
        let background = background.try_into().map_err(|_| error("background: it has 3 numbers"))?;
        painter.draw(scene, Look { matrix, radius, background, flat }).map_err(error)
    }

    /// Comes back when what was drawn so far is done.
    pub async fn drawn(&self) {
        if let Some(painter) = &self.painter {
            painter.done().await;
        }
    }

    /// Lays the tokens out where they are to move.
    pub async fn finish(self) -> Result<Session, JsValue> {
        let engine = self.machine.engine(&self.problem).await.map_err(failure)?;
        Ok(Session::new(self, engine))
    }
}
