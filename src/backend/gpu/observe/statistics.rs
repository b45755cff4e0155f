//! Observables: reduced on the device to a few numbers a chunk, finished on the host in double precision.

use std::f64::consts::LN_2;

use crate::backend::gpu::{
    engine::{
        allocation::AllocationScope,
        pipelines::{BoundKernel, Pipeline},
        readback::Readback,
        recorder::Recorder,
    },
    kernels::{
        constants::Constants,
        declared, params,
        sizes::{STATISTICS_ROWS, THREADS},
    },
    layout::token_buffers::TokenBuffers,
};
use crate::{
    backend::BackendError,
    model::{Attention, Normalization},
    observables::{
        Quantity,
        dissipation::{flow_slope, times_exponential},
    },
    observe::{Statistics, has_direction},
    problem::Problem,
    tokens::Shape,
};

/// Numbers in one vector of `samples`.
const VECTOR: usize = 4;

/// The chunks of one segment.
struct Site {
    /// Chunks of each replica.
    chunks: usize,
    first_chunk: usize,
    mean: BoundKernel<params::Statistics>,
    spread: BoundKernel<params::Statistics>,
    energy: BoundKernel<params::Statistics>,
    dissipation: BoundKernel<params::Statistics>,
}

/// Where each observable starts in `samples`, counted in vectors.
struct Places {
    directions: usize,
    spreads: usize,
    energies: usize,
    dissipations: usize,
    end: usize,
}

pub struct ChunkStatistics {
    sites: Vec<Site>,
    samples: wgpu::Buffer,
    direction: BoundKernel<params::Statistics>,
    /// Chunks of all segments, and those of one replica.
    pub chunks: usize,
    pub replica_chunks: usize,
    shape: Shape,
    width: usize,
    /// beta of every head in every replica.
    replica_betas: Vec<Vec<f64>>,
    /// That of every head.
    head_weights: Vec<f64>,
}

/// What is requested beside the mean.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub spread: bool,
    pub energy: bool,
    pub flow: Option<Flow>,
}

/// One head of a gradient flow: v_i = c Z_i P g_i / s_i, where Z_i g_i is the gradient of the energy by w_i.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// c.
    pub slope: f64,
    pub normalizer: Normalizer,
}

/// s_i.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalizer {
    /// Z_i, of softmax.
    Sum,
    /// 1, of attention that is not normalized.
    One,
    /// e^beta, of shifted attention.
    Peak,
}

impl Flow {
    /// That of `problem`, if it is one that moves.
    pub fn of(problem: &Problem) -> Option<Flow> {
        let attention = &problem.model.attention;
        let slope = flow_slope(&problem.equation()).filter(|slope| *slope != 0.0)?;
        let normalizer = match attention.normalization {
            Normalization::Unnormalized => Normalizer::One,
            Normalization::Shifted => Normalizer::Peak,
            Normalization::Softmax => Normalizer::Sum,
            // The energy has no such rate.
            Normalization::Hardmax
            | Normalization::Sinkhorn { .. }
            | Normalization::Relu
            | Normalization::Sigmoid => return None,
        };
        Some(Flow { slope, normalizer })
    }
}

impl ChunkStatistics {
    pub fn new(
        scope: &AllocationScope,
        problem: &Problem,
        constants: &Constants,
        buffers: &TokenBuffers,
        recorder: &Recorder,
    ) -> Result<ChunkStatistics, BackendError> {
        let (shape, attention) = (problem.tokens.shape, &problem.model.attention);
        let replica_betas = replica_betas(attention, shape.replicas);
        let heads = replica_betas.len();
        let chunks_of = |tokens: usize| tokens.div_ceil(STATISTICS_ROWS as usize);
        let chunks: usize = buffers
            .segments
            .iter()
            .map(|segment_buffers| segment_buffers.segment.replicas * chunks_of(segment_buffers.segment.tokens))
            .sum();
        let width = constants.width() as usize;
        let bytes = (Places::new(chunks, shape.replicas, width, heads).end * VECTOR * 4) as u64;
        let device = scope.device();
        let limits = device.device.limits();
        device.within("max_storage_buffer_binding_size", bytes, limits.max_storage_buffer_binding_size)?;
        let samples = scope.buffer("samples", bytes);
        let uniforms = recorder.uniforms();
        let mean = Pipeline::<declared::Mean>::new(device, constants);
        let spread = Pipeline::<declared::Spread>::new(device, constants);
        let energy = Pipeline::<declared::Energy>::new(device, constants);
        let dissipation = Pipeline::<declared::Dissipation>::new(device, constants);
        let mut first_chunk = 0;
        let mut sites = Vec::new();
        for segment_buffers in &buffers.segments {
            let chunks = chunks_of(segment_buffers.segment.tokens);
            let of = |rows| [rows, &segment_buffers.weights, &samples];
            let rated = [&buffers.partials, &segment_buffers.weights, &samples, &segment_buffers.velocities];
            sites.push(Site {
                chunks,
                first_chunk,
                mean: mean.bind(device, uniforms, of(&segment_buffers.state)),
                spread: spread.bind(device, uniforms, of(&segment_buffers.state)),
                energy: energy.bind(device, uniforms, of(&buffers.partials)),
                dissipation: dissipation.bind(device, uniforms, rated),
            });
            first_chunk += segment_buffers.segment.replicas * chunks;
        }
        let direction = Pipeline::<declared::Direction>::new(device, constants).bind(device, uniforms, [&samples]);
        let replica_chunks = chunks / shape.replicas;
        Ok(ChunkStatistics {
            sites,
            samples,
            direction,
            chunks,
            replica_chunks,
            shape,
            width,
            replica_betas,
            head_weights: head_weights(attention),
        })
    }

    /// Bytes of one reading.
    pub fn bytes(&self) -> u64 {
        self.samples.size()
    }

    /// Records the first moments of the state.
    pub fn means(&self, recorder: &mut Recorder, buffers: &TokenBuffers) -> Result<(), BackendError> {
        for (segment, site) in self.sites.iter().enumerate() {
            let params = self.params(buffers, segment, 0);
            recorder.record(&site.mean, &params, params.groups.into(), self.work(buffers, segment))?;
        }
        Ok(())
    }

    /// Records how far tokens are from the direction of their mean, after [`means`](Self::means).
    pub fn spreads(&self, recorder: &mut Recorder, buffers: &TokenBuffers) -> Result<(), BackendError> {
        let params = params::Statistics {
            groups: self.shape.replicas as u32,
            chunks: self.replica_chunks as u32,
            directions_at: self.places().directions as u32,
            rows: 0,
            first_chunk: 0,
            first_replica: 0,
            at: 0,
            slices: 0,
            segment_rows: 0,
            stride: 0,
            times_z: 0,
        };
        recorder.record(&self.direction, &params, self.shape.replicas as u64, (self.chunks * self.width) as f64)?;
        for (segment, site) in self.sites.iter().enumerate() {
            let params = self.params(buffers, segment, self.places().spreads);
            recorder.record(&site.spread, &params, params.groups.into(), self.work(buffers, segment))?;
        }
        Ok(())
    }

    /// Follows another model.
    pub fn write(&mut self, attention: &Attention) {
        self.replica_betas = replica_betas(attention, self.shape.replicas);
        self.head_weights = head_weights(attention);
    }

    /// Records the energy of one segment under one head, whose partials of `stride` vectors have just been recorded.
    pub fn energy(
        &self,
        recorder: &mut Recorder,
        buffers: &TokenBuffers,
        segment: usize,
        head: usize,
        stride: usize,
    ) -> Result<(), BackendError> {
        let at = self.places().energies + head * self.chunks;
        let params = params::Statistics { stride: stride as u32, ..self.params(buffers, segment, at) };
        recorder.record(&self.sites[segment].energy, &params, params.groups.into(), self.work(buffers, segment))
    }

    /// Records the dissipation of one segment, whose partials of `stride` vectors, and whose velocities of the first stage, have
    /// just been recorded.
    pub fn dissipation(
        &self,
        recorder: &mut Recorder,
        buffers: &TokenBuffers,
        segment: usize,
        normalizer: Normalizer,
        stride: usize,
    ) -> Result<(), BackendError> {
        let times_z = u32::from(normalizer == Normalizer::Sum);
        let at = self.places().dissipations;
        let params = params::Statistics { stride: stride as u32, times_z, ..self.params(buffers, segment, at) };
        recorder.record(&self.sites[segment].dissipation, &params, params.groups.into(), self.work(buffers, segment))
    }

    /// Reads what was recorded and finishes it. Weights are relative to 1 / sources on the device.
    pub async fn read(
        &self,
        recorder: &mut Recorder,
        readback: &Readback,
        asked: Asked,
    ) -> Result<Vec<Statistics>, BackendError> {
        let shape = self.shape;
        let unit = self.unit();
        let places = self.places();
        // What was not asked for lies at the end and is not read.
        let end = match asked {
            Asked { flow: Some(_), .. } => places.end,
            Asked { energy: true, .. } => places.dissipations,
            _ => places.energies,
        };
        let samples = readback.numbers(recorder, &self.samples, 0, end * VECTOR).await?;
        let vectors = |at: usize, count: usize| &samples[at * VECTOR..][..count * VECTOR];
        let statistics = |replica: usize| {
            let chunks = replica * self.replica_chunks;
            let mut statistics = Statistics::default();
            let rows = vectors(chunks * self.width, self.replica_chunks * self.width);
            statistics.mean = (0..shape.dim)
                .map(|k| unit * rows.chunks(self.width * VECTOR).map(|row| f64::from(row[k])).sum::<f64>())
                .collect();
            if asked.spread {
                let parts = vectors(places.spreads + chunks, self.replica_chunks).chunks(VECTOR);
                statistics.square_distance = unit * parts.clone().map(|part| f64::from(part[0])).sum::<f64>();
                statistics.overlap_min = parts.map(|part| f64::from(part[1])).fold(f64::INFINITY, f64::min);
                if !has_direction(&statistics.mean, self.rounding()) {
                    (statistics.square_distance, statistics.overlap_min) = (f64::NAN, f64::NAN);
                }
            }
            // Of heads that count as much as their weights.
            let log_energy = |weights: &[f64]| {
                let of_head = |head| vectors(places.energies + head * self.chunks + chunks, self.replica_chunks);
                let parts = |(head, (replica_betas, weight)): (usize, (&Vec<f64>, &f64))| {
                    pairs(of_head(head), VECTOR, weight * (0.5 / replica_betas[replica]))
                };
                let parts: Vec<_> = self.replica_betas.iter().zip(weights).enumerate().flat_map(parts).collect();
                let log_energy = log_sum(&parts) + (unit * unit).ln();
                // That of a sum that is not positive is not a number.
                if log_energy == f64::NEG_INFINITY { f64::NAN } else { log_energy }
            };
            if asked.energy {
                statistics.log_energy = log_energy(&self.head_weights);
            }
            if let Some(Flow { slope, normalizer }) = asked.flow {
                let parts = vectors(places.dissipations + chunks, self.replica_chunks);
                let log_normalizer = match normalizer {
                    Normalizer::Sum => unit.ln(),
                    Normalizer::One => 0.0,
                    Normalizer::Peak => self.replica_betas[0][replica],
                };
                let log_rate = log_sum(&pairs(parts, VECTOR, unit)) + log_normalizer - log_energy(&[1.0]);
                statistics
                    .measured
                    .push((Quantity::Dissipation.key(), vec![times_exponential(1.0 / slope, log_rate)]));
            }
            statistics
        };
        Ok((0..self.shape.replicas).map(statistics).collect())
    }

    /// How far the mean of unit vectors, which the device takes for the direction, may be from that of the tokens that they stand
    /// for: by rounding of the tokens, and of the additions in a row of one thread in a chunk and over chunks, and between threads.
    fn rounding(&self) -> f64 {
        let in_a_row = |terms: usize| terms.div_ceil(THREADS as usize);
        let additions =
            in_a_row(STATISTICS_ROWS as usize) + in_a_row(self.replica_chunks) + 2 * THREADS.ilog2() as usize;
        f64::from(f32::EPSILON) * (1.0 + 0.5 * additions as f64)
    }

    /// What weights of one are on the device, where they are relative to their mean.
    pub fn unit(&self) -> f64 {
        1.0 / self.shape.sources() as f64
    }

    /// The parameters of a kernel over the chunks of a segment.
    pub fn params(&self, buffers: &TokenBuffers, segment: usize, at: usize) -> params::Statistics {
        let (site, segment) = (&self.sites[segment], &buffers.segments[segment].segment);
        params::Statistics {
            groups: (segment.replicas * site.chunks) as u32,
            chunks: site.chunks as u32,
            rows: segment.tokens as u32,
            first_chunk: site.first_chunk as u32,
            first_replica: segment.first_replica as u32,
            at: at as u32,
            directions_at: self.places().directions as u32,
            slices: buffers.slices as u32,
            segment_rows: segment.rows() as u32,
            stride: 0,
            times_z: 0,
        }
    }

    /// Multiply-adds that take as long as reading the tokens of a segment.
    pub fn work(&self, buffers: &TokenBuffers, segment: usize) -> f64 {
        (buffers.segments[segment].rows() * self.width * 16) as f64
    }

    fn places(&self) -> Places {
        Places::new(self.chunks, self.shape.replicas, self.width, self.replica_betas.len())
    }
}

impl Places {
    fn new(chunks: usize, replicas: usize, width: usize, heads: usize) -> Places {
        let directions = chunks * width;
        let spreads = directions + replicas * width;
        let energies = spreads + chunks;
        let dissipations = energies + heads * chunks;
        Places { directions, spreads, energies, dissipations, end: dissipations + chunks }
    }
}

/// beta of every head in every replica.
fn replica_betas(attention: &Attention, replicas: usize) -> Vec<Vec<f64>> {
    let of_head = |head| (0..replicas).map(|replica| attention.beta_in(head, replica)).collect();
    attention.heads.iter().map(of_head).collect()
}

fn head_weights(attention: &Attention) -> Vec<f64> {
    attention.heads.iter().map(|head| head.weight).collect()
}

/// Pairs (shift, z), one in every `stride` numbers, with z multiplied by `factor`.
pub fn pairs(parts: &[f32], stride: usize, factor: f64) -> Vec<(f64, f64)> {
    parts.chunks(stride).map(|part| (f64::from(part[0]), f64::from(part[1]) * factor)).collect()
}

/// ln sum_k z_k 2^shift_k, of pairs (shift, z).
fn log_sum(parts: &[(f64, f64)]) -> f64 {
    let highest = parts.iter().map(|(shift, _)| *shift).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = parts.iter().map(|(shift, z)| (shift - highest).exp2() * z).sum();
    sum.ln() + highest * LN_2
}
