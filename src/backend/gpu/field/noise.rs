//! The noise: numbers of single tokens are drawn on the device, and those that a replica has in common on the host.

use super::{
    motion::InputRows,
    perceptron::Perceptron,
    project::{Affine, Linear, Projection, Rows, Sum},
};
use crate::backend::gpu::{
    engine::{
        allocation::AllocationScope,
        device::Device,
        pipelines::{BoundKernel, Pipeline},
        recorder::Recorder,
    },
    kernels::{constants::Constants, declared, params},
    layout::{
        points::POINTS,
        token_buffers::{SegmentBuffers, TokenBuffers},
    },
};
use crate::{
    backend::{BackendError, Point},
    diffusion::{Diffusion, Motion, Projective, Turn},
    model::{self, NoiseField},
    problem::Problem,
    random::{Purpose, normals},
    tokens::Shape,
};

pub struct Noise {
    device: Device,
    model: model::Noise,
    shape: Shape,
    /// Leading tokens of a replica that stay.
    frozen: usize,
    /// What draws are multiplied by.
    intensity: f64,
    field: Drawn,
    /// Where tokens turn in the direction of their draws; by segment.
    turns: Vec<BoundKernel<params::Turn>>,
}

/// What is left to do after noise has been recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diffused {
    Moved,
    /// Displacements are in the first rows of the velocities, to be added.
    Displaced,
}

/// The numbers of a draw that one replica has.
#[derive(Clone, Copy)]
enum Draw<'a> {
    /// Those of a step.
    Step(u64),
    /// All parts of a motion together, from that one on.
    Parts(&'a Diffusion, u64),
}

/// A perceptron whose numbers are drawn.
struct Form {
    width: u32,
    activation: model::Activation,
    intensity: f64,
}

/// How the draws reach the tokens.
enum Drawn {
    /// A vector for each token or, uploaded, for each replica; by segment.
    Vectors { common: wgpu::Buffer, segments: Vec<BoundKernel<params::Fluctuate>> },
    /// A matrix of one replica at a time; by point and segment.
    Matrix { matrix: Linear, passes: [Vec<Projection>; 2] },
    /// A perceptron of one replica at a time.
    Perceptron(Perceptron),
}

impl Noise {
    pub fn new(
        scope: &AllocationScope,
        problem: &Problem,
        model: &model::Noise,
        constants: &Constants,
        buffers: &TokenBuffers,
        recorder: &Recorder,
    ) -> Result<Noise, BackendError> {
        let device = scope.device();
        let shape = problem.tokens.shape;
        // On the sphere draws are turned into motions, whose length is none of theirs.
        let intensity = if problem.fluctuates() { model.intensity } else { 1.0 };
        let field = match (model.field, problem.fluctuates()) {
            (NoiseField::CommonMatrix, _) | (NoiseField::CommonAdditive, false) => {
                let matrix = Linear::new(scope, "noise", &Affine::new(shape.dim, shape.dim, |_, _| 0.0, &[]));
                let pass = |segment_buffers: &SegmentBuffers, point| {
                    let buffers = [segment_buffers.tokens(point), &segment_buffers.velocities];
                    Projection::new(device, recorder, constants, &matrix, buffers)
                };
                let passes = POINTS.map(|point| {
                    buffers.segments.iter().map(|segment_buffers| pass(segment_buffers, point)).collect()
                });
                Drawn::Matrix { matrix, passes }
            }
            (NoiseField::Independent, _) | (NoiseField::CommonAdditive, true) => {
                let numbers = shape.replicas * 4 * constants.width() as usize;
                let common = scope.upload("common noise", &vec![0.0; numbers]);
                let pipeline = Pipeline::<declared::Fluctuate>::new(device, constants);
                let bind = |segment_buffers: &SegmentBuffers| {
                    pipeline.bind(device, recorder.uniforms(), [&common, &segment_buffers.velocities])
                };
                Drawn::Vectors { segments: buffers.segments.iter().map(bind).collect(), common }
            }
            (NoiseField::CommonPerceptron { width, activation }, _) => {
                let first = perceptron(model, shape, Form { width, activation, intensity }, 0, 0);
                let perceptron = Perceptron::new(scope, &first, constants, buffers, recorder, InputRows::Tokens);
                Drawn::Perceptron(perceptron?)
            }
        };
        let turn = Pipeline::<declared::Turn>::new(device, constants);
        let bind = |segment_buffers: &SegmentBuffers| {
            turn.bind(device, recorder.uniforms(), [&segment_buffers.state, &segment_buffers.velocities])
        };
        let turns = if problem.fluctuates() { Vec::new() } else { buffers.segments.iter().map(bind).collect() };
        Ok(Noise {
            device: device.clone(),
            model: model.clone(),
            shape,
            frozen: problem.model.frozen,
            intensity,
            field,
            turns,
        })
    }

    /// Whether this is the noise of another model too.
    pub fn is_of(&self, model: &model::Noise) -> bool {
        self.model == *model
    }

    /// Records k_stage <- intensity * G(x_i) xi_i, with the draws of `step`.
    pub fn record(
        &mut self,
        recorder: &mut Recorder,
        buffers: &TokenBuffers,
        point: Point,
        step: u64,
        stage: usize,
    ) -> Result<(), BackendError> {
        match &self.field {
            Drawn::Vectors { common, segments } => {
                if self.model.field == NoiseField::CommonAdditive {
                    // What is recorded comes before what is written.
                    recorder.submit()?;
                    self.device.queue.write_buffer(common, 0, bytemuck::cast_slice(&self.vectors(step)));
                }
                for (bound, segment_buffers) in segments.iter().zip(&buffers.segments) {
                    let rows = segment_buffers.rows();
                    let params = self.params(segment_buffers, step, stage);
                    let work = (rows * self.shape.dim * 32) as f64;
                    recorder.record_rows(bound, &params, rows, work)?;
                }
            }
            Drawn::Matrix { .. } | Drawn::Perceptron(_) => {
                self.by_replica(recorder, buffers, Draw::Step(step), point, stage)?;
            }
        }
        Ok(())
    }

    /// Records all parts of `diffusion`, whose first draw is `first`.
    pub fn diffuse(
        &mut self,
        recorder: &mut Recorder,
        buffers: &TokenBuffers,
        diffusion: &Diffusion,
        first: u64,
    ) -> Result<Diffused, BackendError> {
        let turn = match diffusion.motion {
            Motion::Turn(turn) => turn,
            Motion::Boosts { .. } | Motion::Shears { .. } => {
                self.by_replica(recorder, buffers, Draw::Parts(diffusion, first), Point::State, 0)?;
                return Ok(Diffused::Displaced);
            }
        };
        for part in 0..diffusion.parts {
            self.record(recorder, buffers, Point::State, first.wrapping_add(part), 0)?;
            self.turn(recorder, buffers, &turn)?;
        }
        Ok(Diffused::Moved)
    }

    /// Records the turn of all tokens in the direction of their draws.
    fn turn(&self, recorder: &mut Recorder, buffers: &TokenBuffers, turn: &Turn) -> Result<(), BackendError> {
        for (bound, segment_buffers) in self.turns.iter().zip(&buffers.segments) {
            let rows = segment_buffers.rows();
            let (half_rate, root_share) = ((0.5 * turn.rate) as f32, turn.share.sqrt() as f32);
            let params = params::Turn {
                rows: rows as u32,
                tokens: segment_buffers.segment.tokens as u32,
                frozen: segment_buffers.segment.leading(self.frozen) as u32,
                half_rate,
                root_share,
            };
            let work = (rows * self.shape.dim * 16) as f64;
            recorder.record_rows(bound, &params, rows, work)?;
        }
        Ok(())
    }

    /// Records the displacements by one matrix or perceptron after the other, each for the tokens of its replica, or one for all.
    fn by_replica(
        &mut self,
        recorder: &mut Recorder,
        buffers: &TokenBuffers,
        drawn: Draw,
        point: Point,
        stage: usize,
    ) -> Result<(), BackendError> {
        let draws = if self.model.is_shared { 1 } else { self.shape.replicas };
        for draw in 0..draws {
            recorder.submit()?;
            match (&mut self.field, self.model.field, drawn) {
                (Drawn::Matrix { matrix: own, .. }, ..) => {
                    let fits = own.write(&self.device, &matrix(&self.model, self.shape, drawn, draw));
                    debug_assert!(fits, "every draw has d * d numbers");
                }
                (Drawn::Perceptron(own), NoiseField::CommonPerceptron { width, activation }, Draw::Step(step)) => {
                    let form = Form { width, activation, intensity: self.intensity };
                    let drawn = perceptron(&self.model, self.shape, form, step, draw);
                    let fits = own.write(&self.device, &drawn, self.shape.dim);
                    debug_assert!(fits, "every draw has as many units");
                }
                (Drawn::Vectors { .. } | Drawn::Perceptron(_), ..) => {}
            }
            for (segment, segment_buffers) in buffers.segments.iter().enumerate() {
                let own = segment_buffers.segment;
                let first = draw.wrapping_sub(own.first_replica);
                let rows = match self.model.is_shared {
                    true => 0..own.rows(),
                    false if first < own.replicas => first * own.tokens..(first + 1) * own.tokens,
                    false => continue,
                };
                let first_output = stage * own.rows() + rows.start;
                match &self.field {
                    Drawn::Matrix { passes, .. } => {
                        let block = Rows { first_input: rows.start, first_output, ..Rows::first(rows.len()) };
                        passes[point as usize][segment].record(recorder, block)?;
                    }
                    Drawn::Perceptron(own) => {
                        own.record(recorder, point, segment, rows, first_output, Sum::Fresh)?;
                    }
                    Drawn::Vectors { .. } => {}
                }
            }
        }
        Ok(())
    }

    /// The draws of every replica, padded like tokens.
    fn vectors(&self, step: u64) -> Vec<f32> {
        let padded = self.shape.dim.next_multiple_of(4);
        let mut vectors = vec![0.0; self.shape.replicas * padded];
        for (replica, to) in vectors.chunks_exact_mut(padded).enumerate() {
            let drawn = common(&self.model, step, replica, self.shape.dim);
            to.iter_mut().zip(drawn).for_each(|(to, from)| *to = from as f32);
        }
        vectors
    }

    fn params(&self, segment_buffers: &SegmentBuffers, step: u64, stage: usize) -> params::Fluctuate {
        let (segment, seed) = (&segment_buffers.segment, self.model.seed);
        params::Fluctuate {
            rows: segment.rows() as u32,
            first_row: (stage * segment.rows()) as u32,
            tokens: segment.tokens as u32,
            first_token: segment.first_token as u32,
            first_replica: segment.first_replica as u32,
            step: step as u32,
            key_0: seed as u32,
            key_1: (seed >> 32) as u32,
            purpose: Purpose::Noise as u32,
            is_common: u32::from(self.model.field == NoiseField::CommonAdditive),
            intensity: self.intensity as f32,
        }
    }
}

/// Draws that the tokens of a replica have in common.
fn common(model: &model::Noise, step: u64, replica: usize, count: usize) -> Vec<f64> {
    let replica = if model.is_shared { 0 } else { replica as u32 };
    normals(model.seed, step, replica, 0, Purpose::CommonNoise, count)
}

/// intensity * W, or by what a motion displaces tokens.
fn matrix(model: &model::Noise, shape: Shape, drawn: Draw, replica: usize) -> Affine {
    let dim = shape.dim;
    match drawn {
        Draw::Step(step) => {
            let drawn = common(model, step, replica, dim * dim);
            Affine::new(dim, dim, |k, l| model.intensity * drawn[k * dim + l], &[])
        }
        Draw::Parts(diffusion, first) => {
            let map = Projective::new(diffusion, model, dim, replica as u32, first);
            let identity = |k: usize, l: usize| if k == l { 1.0 } else { 0.0 };
            let entry = |k: usize, l: usize| map.as_ref().map_or(0.0, |map| map.matrix[k * dim + l] - identity(k, l));
            Affine::new(dim, dim, entry, map.as_ref().map_or(&[], |map| &map.shift))
        }
    }
}

/// x -> intensity * m^{-1/2} sum_k sigma(<a_k, x>) u_k.
fn perceptron(
    model: &model::Noise,
    shape: Shape,
    Form { width, activation, intensity }: Form,
    step: u64,
    replica: usize,
) -> model::Perceptron {
    let (units, dim) = (width as usize, shape.dim);
    let mut inner = common(model, step, replica, 2 * units * dim);
    let scale = intensity / (units as f64).sqrt();
    let outer = inner.split_off(units * dim).iter().map(|u| scale * u).collect();
    model::Perceptron { inner, outer, bias: vec![0.0; units], output_bias: vec![0.0; dim], activation }
}
