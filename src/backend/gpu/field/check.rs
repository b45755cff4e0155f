//! Whether harmonics are exact enough: a sample of tokens, whose velocities are computed pair by pair as well.
//!
//! It is the sample of the CPU's check, drawn from the same stream; with more than 256 replicas one token of each.

use rand::RngExt;

use super::velocity::{QueriesAndKeys, Velocity};
use crate::backend::gpu::{
    engine::{
        allocation::AllocationScope,
        device::Device,
        pipelines::{BoundKernel, Pipeline},
        readback::Readback,
        recorder::Recorder,
    },
    harmonic::harmonics::Harmonics,
    kernels::{constants::Constants, declared, params},
    layout::{
        segments::Segment,
        token_buffers::{Scratch, SegmentBuffers, TokenBuffers},
        tune,
    },
};
use crate::{
    backend::{BackendError, Point},
    model::Field,
    problem::Problem,
    random::{Purpose, Stream},
    tokens::Shape,
};

/// Tokens in a sample at least.
const SAMPLE: usize = 256;
/// Keys of a slice at most. One query block would get all keys in one dispatch, and Mesa's software driver leaves every
/// loop of a thread after 65535 iterations together, without a word; the reduction takes four keys in one.
const MOST_KEYS: usize = 1 << 16;
/// Bytes of a token, a velocity, or one part of a partial.
const VECTOR: u64 = 16;
/// The stages that hold the two velocities of the sample.
const HARMONIC: usize = 0;
const DIRECT: usize = 1;

/// Where the sample of one segment is copied from.
struct Site {
    /// The segments of the keys, and of the sample.
    from: usize,
    to: usize,
    gather: BoundKernel<params::Gather>,
}

pub struct Check {
    shape: Shape,
    /// Tokens of each replica.
    each: usize,
    sample: TokenBuffers,
    draws: wgpu::Buffer,
    sites: Vec<Site>,
    by_harmonics: Velocity,
    by_pairs: Velocity,
    /// Which field the scheme follows.
    followed: Field,
    /// Samples that were drawn so far.
    pub checks: u32,
}

impl Check {
    pub fn new(
        scope: &AllocationScope,
        problem: &Problem,
        constants: Constants,
        scratch: Scratch,
        harmonics: &Harmonics,
        keys: &TokenBuffers,
        recorder: &Recorder,
    ) -> Check {
        let device = scope.device();
        let shape = problem.tokens.shape;
        let each = SAMPLE.div_ceil(shape.replicas);
        let sample = sample(scope, &constants, scratch, keys, each);
        let draws = scope.buffer("draws", (4 * shape.replicas * each) as u64);
        let gather = Pipeline::<declared::Gather>::new(device, &constants);
        let site = |(to, from): (usize, usize)| {
            let buffers = [&draws, &keys.segments[from].state, &sample.segments[to].state];
            Site { from, to, gather: gather.bind(device, recorder.uniforms(), buffers) }
        };
        let pair = QueriesAndKeys { queries: &sample, keys };
        let velocity = || Velocity::new(scope, problem, constants, pair, recorder);
        let mut by_harmonics = velocity();
        by_harmonics.series = Some(harmonics.series(device, problem, &constants, &sample, recorder));
        Check {
            shape,
            each,
            sites: sources(&sample, keys).map(site).collect(),
            by_harmonics,
            by_pairs: velocity(),
            sample,
            draws,
            followed: problem.scheme.field(),
            checks: 0,
        }
    }

    /// The largest |v - v_direct| over a new sample of the state of `keys`, whose coefficients are recorded, in units of
    /// the largest velocity among them if that exceeds one. Velocities that are no numbers do not count: the
    /// tokens will show them.
    pub async fn error(
        &mut self,
        device: &Device,
        recorder: &mut Recorder,
        readback: &Readback,
        keys: &TokenBuffers,
    ) -> Result<f64, BackendError> {
        self.draw(device, recorder)?;
        self.gather(recorder, keys)?;
        let pair = QueriesAndKeys { queries: &self.sample, keys };
        self.by_harmonics.evaluate(recorder, pair, Point::State, self.followed, HARMONIC)?;
        self.by_pairs.evaluate(recorder, pair, Point::State, self.followed, DIRECT)?;
        let (mut error, mut largest) = (0.0f64, 1.0f64);
        for segment_buffers in &self.sample.segments {
            let count = segment_buffers.rows() * VECTOR as usize / 4;
            let velocities = readback.numbers(recorder, &segment_buffers.velocities, 0, 2 * count).await?;
            let (found, direct) = velocities.split_at(DIRECT * count);
            for (found, direct) in found.chunks_exact(4).zip(direct.chunks_exact(4)) {
                let difference = found.iter().zip(direct).map(|(a, b)| f64::from(a - b));
                error = error.max(norm(difference));
                largest = largest.max(norm(direct.iter().copied().map(f64::from)));
            }
        }
        Ok(error / largest)
    }

    /// Draws the tokens of every replica.
    fn draw(&mut self, device: &Device, recorder: &mut Recorder) -> Result<(), BackendError> {
        let mut draws: Vec<u32> = Vec::with_capacity(self.shape.replicas * self.each);
        for replica in 0..self.shape.replicas {
            let mut random = Stream::new(0, replica as u32, self.checks, Purpose::Check);
            draws.extend((0..self.each).map(|_| random.random_range(0..self.shape.count) as u32));
        }
        self.checks += 1;
        // What is recorded comes before what is written.
        recorder.submit()?;
        device.queue.write_buffer(&self.draws, 0, bytemuck::cast_slice(&draws));
        Ok(())
    }

    /// Records the copies of the drawn tokens.
    fn gather(&self, recorder: &mut Recorder, keys: &TokenBuffers) -> Result<(), BackendError> {
        for site in &self.sites {
            let (from, to) = (&keys.segments[site.from].segment, &self.sample.segments[site.to].segment);
            let params = params::Gather {
                rows: to.rows() as u32,
                each: self.each as u32,
                tokens: from.tokens as u32,
                first_token: from.first_token as u32,
                first_draw: (to.first_replica * self.each) as u32,
            };
            recorder.record_rows(&site.gather, &params, to.rows(), to.rows() as f64)?;
        }
        Ok(())
    }
}

/// Pairs of a segment of the sample and a segment of the tokens it is drawn from.
fn sources(sample: &TokenBuffers, keys: &TokenBuffers) -> impl Iterator<Item = (usize, usize)> {
    let first = |buffers: &TokenBuffers| {
        buffers.segments.iter().map(|segment_buffers| segment_buffers.segment.first_replica).collect::<Vec<_>>()
    };
    let (sample, keys) = (first(sample), first(keys));
    let pairs = keys.into_iter().enumerate();
    pairs.filter_map(move |(from, replica)| Some((sample.iter().position(|other| *other == replica)?, from)))
}

/// Room for `each` tokens of every replica of `keys`, in segments of the same replicas.
fn sample(
    scope: &AllocationScope,
    constants: &Constants,
    scratch: Scratch,
    keys: &TokenBuffers,
    each: usize,
) -> TokenBuffers {
    let device = scope.device();
    let whole = keys
        .segments
        .iter()
        .map(|segment_buffers| segment_buffers.segment)
        .filter(|segment| segment.first_token == 0);
    let segments: Vec<Segment> = whole.map(|segment| Segment { tokens: each, sources: 0, ..segment }).collect();
    let most = segments.iter().map(Segment::rows).max().unwrap_or(0) as u64;
    let sources = keys.segments.iter().map(|segment_buffers| segment_buffers.segment.sources).max().unwrap_or(1);
    let replicas = segments.iter().map(|segment| segment.replicas).sum();
    let tuned = || tune::slices_for(each, replicas, sources, device.kind(), constants);
    let wanted = device.bounds.slices.unwrap_or_else(tuned).max(sources.div_ceil(MOST_KEYS));
    let slices = sources.div_ceil(tune::slice_keys(sources, wanted, constants));
    let rows = |label, vectors: usize| scope.buffer(label, VECTOR * (most * vectors as u64).max(1));
    let segment_buffers = |segment: Segment| {
        let bytes = VECTOR * segment.rows() as u64;
        let state = scope.buffer("sample", bytes);
        SegmentBuffers {
            segment,
            stage: state.clone(),
            normalized: None,
            is_in_values: false,
            positioned: None,
            decays: Vec::new(),
            weights: state.clone(),
            state,
            velocities: scope.buffer("sample velocities", 2 * bytes),
        }
    };
    TokenBuffers {
        segments: segments.into_iter().map(segment_buffers).collect(),
        partials: scope.buffer("sample partials", 2 * VECTOR * most * slices as u64),
        operands: rows("sample operands", scratch.operands),
        keys: rows("sample keys", scratch.keys),
        values: rows("sample values", scratch.values),
        extremes: rows("sample extremes", 0),
        outputs: rows("sample outputs", scratch.outputs),
        slices,
    }
}

fn norm(vector: impl Iterator<Item = f64>) -> f64 {
    vector.map(|c| c * c).sum::<f64>().sqrt()
}
