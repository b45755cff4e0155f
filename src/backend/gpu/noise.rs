//! The noise: what moves each token is drawn on the device, and what moves all tokens of a replica on the host.

use super::{
    cloud::{Cloud, Tract},
    device::Device,
    ledger::Ledger,
    motion::{Look, Motion},
    params,
    perceptron::Perceptron,
    pipelines::{Bound, Pipeline},
    project::{Affine, Linear, Projection, Rows, Sum},
    recorder::Recorder,
    shaders::{Constants, Kernel, THREADS},
    velocity::POINTS,
};
use crate::{
    backend::{BackendError, Point},
    model::{self, NoiseField},
    random::{Purpose, normals},
    tokens::Shape,
};

pub(super) struct Noise {
    device: Device,
    model: model::Noise,
    shape: Shape,
    field: Drawn,
}

/// What carries the draws to the tokens.
enum Drawn {
    /// A vector for each token or, uploaded, for each replica; by segment.
    Vectors { common: wgpu::Buffer, segments: Vec<Bound> },
    /// A matrix of one replica at a time; by point and segment.
    Matrix { matrix: Linear, passes: [Vec<Projection>; 2] },
    /// A perceptron of one replica at a time.
    Perceptron(Perceptron),
}

impl Noise {
    pub fn new(
        ledger: &Ledger,
        model: &model::Noise,
        shape: Shape,
        constants: &Constants,
        cloud: &Cloud,
        recorder: &Recorder,
    ) -> Result<Noise, BackendError> {
        let device = ledger.device();
        let field = match model.field {
            NoiseField::Independent | NoiseField::CommonAdditive => {
                let numbers = shape.replicas * 4 * constants.width() as usize;
                let common = ledger.upload("common noise", &vec![0.0; numbers]);
                let pipeline = Pipeline::new(device, Kernel::Fluctuate, constants);
                let bind = |tract: &Tract| pipeline.bind(device, recorder.uniforms(), &[&common, &tract.slopes]);
                Drawn::Vectors { segments: cloud.tracts.iter().map(bind).collect(), common }
            }
            NoiseField::CommonMatrix => {
                let matrix = Linear::new(ledger, "noise", &matrix(model, shape, 0, 0));
                let pass = |tract: &Tract, point| {
                    let buffers = [tract.tokens(point), &tract.slopes];
                    Projection::new(device, recorder, constants, &matrix, buffers)
                };
                let passes = POINTS.map(|point| cloud.tracts.iter().map(|tract| pass(tract, point)).collect());
                Drawn::Matrix { matrix, passes }
            }
            NoiseField::CommonPerceptron { width, activation } => {
                let first = perceptron(model, shape, (width, activation), 0, 0);
                let perceptron = Perceptron::new(ledger, &first, constants, cloud, recorder, Look::Plain);
                Drawn::Perceptron(perceptron?)
            }
        };
        Ok(Noise { device: device.clone(), model: model.clone(), shape, field })
    }

    /// Whether this is the noise of another model too.
    pub fn is_of(&self, model: &model::Noise) -> bool {
        self.model == *model
    }

    /// Records k_stage <- intensity * G(x_i) xi_i, with the draws of `step`.
    pub fn record(
        &mut self,
        recorder: &mut Recorder,
        cloud: &Cloud,
        motion: &Motion,
        (point, step, stage): (Point, u64, usize),
    ) -> Result<(), BackendError> {
        match &self.field {
            Drawn::Vectors { common, segments } => {
                if self.model.field == NoiseField::CommonAdditive {
                    // What is recorded comes before what is written.
                    recorder.submit()?;
                    self.device.queue.write_buffer(common, 0, bytemuck::cast_slice(&self.vectors(step)));
                }
                for (bound, tract) in segments.iter().zip(&cloud.tracts) {
                    let rows = tract.segment.rows();
                    let params = self.params(tract, step, stage);
                    let work = (rows * self.shape.dim * 32) as f64;
                    recorder.record(bound, &params, rows.div_ceil(THREADS as usize) as u64, work)?;
                }
            }
            Drawn::Matrix { .. } | Drawn::Perceptron(_) => self.by_replica(recorder, cloud, (point, step, stage))?,
        }
        if motion.is_spherical() {
            for (segment, tract) in cloud.tracts.iter().enumerate() {
                let rows = tract.segment.rows();
                motion.finish(recorder, (point, segment, rows), stage * rows)?;
            }
        }
        Ok(())
    }

    /// Records what one matrix or perceptron after the other does to the tokens of its replica, or one to all.
    fn by_replica(
        &mut self,
        recorder: &mut Recorder,
        cloud: &Cloud,
        (point, step, stage): (Point, u64, usize),
    ) -> Result<(), BackendError> {
        let draws = if self.model.is_shared { 1 } else { self.shape.replicas };
        for draw in 0..draws {
            recorder.submit()?;
            match (&mut self.field, self.model.field) {
                (Drawn::Matrix { matrix: own, .. }, _) => {
                    let fits = own.write(&self.device, &matrix(&self.model, self.shape, step, draw));
                    debug_assert!(fits, "every draw has d * d numbers");
                }
                (Drawn::Perceptron(own), NoiseField::CommonPerceptron { width, activation }) => {
                    let drawn = perceptron(&self.model, self.shape, (width, activation), step, draw);
                    let fits = own.write(&self.device, &drawn, self.shape.dim);
                    debug_assert!(fits, "every draw has as many units");
                }
                _ => {}
            }
            for (segment, tract) in cloud.tracts.iter().enumerate() {
                let own = tract.segment;
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
                        own.record(recorder, (point, segment, rows), first_output, Sum::Fresh)?;
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

    fn params(&self, tract: &Tract, step: u64, stage: usize) -> params::Fluctuate {
        let (segment, seed) = (&tract.segment, self.model.seed);
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
            intensity: self.model.intensity as f32,
        }
    }
}

/// Draws that the tokens of a replica have in common.
fn common(model: &model::Noise, step: u64, replica: usize, count: usize) -> Vec<f64> {
    let replica = if model.is_shared { 0 } else { replica as u32 };
    normals(model.seed, step, replica, 0, Purpose::CommonNoise, count)
}

/// intensity * W.
fn matrix(model: &model::Noise, shape: Shape, step: u64, replica: usize) -> Affine {
    let dim = shape.dim;
    let drawn = common(model, step, replica, dim * dim);
    Affine::new(dim, dim, |k, l| model.intensity * drawn[k * dim + l], &[])
}

/// x -> intensity * m^{-1/2} sum_k sigma(<a_k, x>) u_k.
fn perceptron(
    model: &model::Noise,
    shape: Shape,
    (width, activation): (u32, model::Activation),
    step: u64,
    replica: usize,
) -> model::Perceptron {
    let (units, dim) = (width as usize, shape.dim);
    let mut inner = common(model, step, replica, 2 * units * dim);
    let scale = model.intensity / (units as f64).sqrt();
    let outer = inner.split_off(units * dim).iter().map(|u| scale * u).collect();
    model::Perceptron { inner, outer, bias: vec![0.0; units], output_bias: vec![0.0; dim], activation }
}
