//! Sliced Wasserstein distances of tokens from a law: projections are made, sorted and compared on the device.
//!
//! Every replica has a list of keys for each direction, padded to a power of two. A bitonic network sorts all lists of a batch at
//! once; its passes do not depend on the tokens. Of equal weights the ends of masses then are known: the i-th of n numbers owns
//! [i / n, (i + 1) / n). Other weights are left to the host, and so is what single precision cannot hold: numbers
//! beyond 1e38, and squares of distances beyond that.
//!
//! Projections are rounded to about 1e-7 of the longest token, and each W_2 is off by as much, and by 1e-6 of itself. Ends of
//! masses are whole numbers and fractions of 1 / n, so that a million tokens lose nothing by them.

use rayon::prelude::*;

use crate::backend::gpu::{
    engine::{
        allocation::AllocationScope,
        device::Device,
        pipelines::{BoundKernel, Pipeline},
        readback::Readback,
        recorder::Recorder,
    },
    kernels::{
        constants::Constants,
        declared, params,
        sizes::{PROJECTED_DIRECTIONS, SORT_KEYS, THREADS, TRANSPORT_STEPS},
    },
    layout::token_buffers::{SegmentBuffers, TokenBuffers},
};
use crate::{
    backend::{BackendError, SlicedTargets, SortedProjection},
    tokens::{Shape, Tokens, Weights},
};

/// Bytes of the lists, and of the laws, that are on the device at once, unless one is more.
const BATCH_BYTES: u64 = 64 << 20;
/// Ends of masses that a workgroup of `transport` walks over.
const CHUNK: usize = (THREADS * TRANSPORT_STEPS) as usize;

/// The lists of keys of a problem, laid out for the directions that were requested last.
pub struct SortedProjections {
    shape: Shape,
    is_served: bool,
    laid_out: Option<Layout>,
}

struct Layout {
    shape: Shape,
    /// Vectors of a token.
    width: usize,
    /// The directions and the number of values of the laws for which it was made.
    directions: Vec<f64>,
    values: usize,
    /// Keys of a list, and chunks into which its merged ends of masses are cut.
    length: usize,
    chunks: usize,
    /// The largest numbers of directions and replicas of a batch.
    most_directions: usize,
    most_replicas: usize,
    numbers: wgpu::Buffer,
    ends: wgpu::Buffer,
    costs: wgpu::Buffer,
    /// One a segment.
    projections: Vec<BoundKernel<params::ProjectSources>>,
    sort: BoundKernel<params::Sort>,
    exchange: BoundKernel<params::Exchange>,
    transport: BoundKernel<params::Transport>,
}

/// The lists that are on the device: those of some replicas along some directions.
#[derive(Clone, Copy)]
struct Batch {
    first_replica: usize,
    replicas: usize,
    first_direction: usize,
    directions: usize,
}

impl Batch {
    fn lists(&self) -> usize {
        self.replicas * self.directions
    }
}

impl SortedProjections {
    pub fn new(tokens: &Tokens) -> SortedProjections {
        SortedProjections { shape: tokens.shape, is_served: are_alike(tokens), laid_out: None }
    }

    /// See [`sliced_costs`](crate::backend::Backend::sliced_costs); none if weights differ, if a list or a law does not fit the device, or if
    /// a number leaves single precision.
    pub async fn costs(
        &mut self,
        device: &Device,
        constants: &Constants,
        buffers: &TokenBuffers,
        recorder: &mut Recorder,
        readback: &Readback,
        targets: &SlicedTargets<'_>,
    ) -> Result<Option<Vec<f64>>, BackendError> {
        if !self.is_served {
            return Ok(None);
        }
        if !self.laid_out.as_ref().is_some_and(|layout| layout.serves(targets)) {
            // What was laid out before makes room.
            self.laid_out = None;
            let lay_out =
                |scope: &AllocationScope| Ok(Layout::new(scope, self.shape, constants, buffers, recorder, targets));
            self.laid_out = AllocationScope::afford(device, lay_out).await?.flatten();
        }
        let Some(layout) = &self.laid_out else { return Ok(None) };
        layout.costs(device, buffers, recorder, readback, targets).await
    }
}

impl Layout {
    /// None if a list or a law does not fit a binding.
    fn new(
        scope: &AllocationScope,
        shape: Shape,
        constants: &Constants,
        buffers: &TokenBuffers,
        recorder: &Recorder,
        targets: &SlicedTargets<'_>,
    ) -> Option<Layout> {
        let device = scope.device();
        // Kernels count the words of a buffer in words.
        let most = device.segment_bytes().min(u32::MAX.into());
        let room = |bytes: u64| if bytes > most { 0 } else { (most.min(BATCH_BYTES) / bytes).max(1) as usize };
        let (width, count) = (constants.width() as usize, targets.directions.len() / shape.dim);
        let length = shape.sources().next_power_of_two();
        let chunks = (shape.sources() + targets.values).div_ceil(CHUNK);
        let lists = room(4 * length as u64).min(room(8 * chunks as u64));
        let most_directions = count.min(lists).min(room(8 * targets.values as u64));
        let fits = most_directions > 0 && (16 * width * count) as u64 <= most;
        if !fits {
            return None;
        }
        let most_replicas = shape.replicas.min(lists / most_directions);
        let (lists, laws) = (most_replicas * most_directions, most_directions * targets.values);
        let [keys, costs] = [("keys", 4 * length), ("costs", 8 * chunks)]
            .map(|(label, bytes)| scope.buffer(label, (lists * bytes) as u64));
        let [numbers, ends] =
            [("numbers", 4), ("ends", 8)].map(|(label, bytes)| scope.buffer(label, (laws * bytes) as u64));
        let mut padded = vec![0.0f32; 4 * width * count];
        for (to, from) in padded.chunks_exact_mut(4 * width).zip(targets.directions.chunks_exact(shape.dim)) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from as f32);
        }
        let directions = scope.upload("directions", &padded);
        let uniforms = recorder.uniforms();
        let project_sources = Pipeline::<declared::ProjectSources>::new(device, constants);
        let project_sources = |segment_buffers: &SegmentBuffers| {
            project_sources.bind(device, uniforms, [&segment_buffers.state, &directions, &keys])
        };
        let transport = Pipeline::<declared::Transport>::new(device, constants);
        Some(Layout {
            shape,
            width,
            directions: targets.directions.to_vec(),
            values: targets.values,
            length,
            chunks,
            most_directions,
            most_replicas,
            projections: buffers.segments.iter().map(project_sources).collect(),
            sort: Pipeline::<declared::Sort>::new(device, constants).bind(device, uniforms, [&keys]),
            exchange: Pipeline::<declared::Exchange>::new(device, constants).bind(device, uniforms, [&keys]),
            transport: transport.bind(device, uniforms, [&keys, &numbers, &ends, &costs]),
            numbers,
            ends,
            costs,
        })
    }

    fn serves(&self, targets: &SlicedTargets<'_>) -> bool {
        self.values == targets.values && self.directions == targets.directions
    }

    async fn costs(
        &self,
        device: &Device,
        buffers: &TokenBuffers,
        recorder: &mut Recorder,
        readback: &Readback,
        targets: &SlicedTargets<'_>,
    ) -> Result<Option<Vec<f64>>, BackendError> {
        let count = self.directions.len() / self.shape.dim;
        let mut all = vec![0.0; self.shape.replicas * count];
        for first_direction in (0..count).step_by(self.most_directions) {
            let directions = self.most_directions.min(count - first_direction);
            if !self.write(device, targets, first_direction, directions) {
                return Ok(None);
            }
            for first_replica in (0..self.shape.replicas).step_by(self.most_replicas) {
                let replicas = self.most_replicas.min(self.shape.replicas - first_replica);
                let batch = Batch { first_replica, replicas, first_direction, directions };
                self.project_sources(recorder, buffers, batch)?;
                self.sort(recorder, batch)?;
                self.transport(recorder, batch)?;
                // The next laws and lists take the place of these, which therefore are read before.
                let Some(costs) = self.read(recorder, readback, batch).await? else { return Ok(None) };
                for (replica, costs) in costs.chunks_exact(directions).enumerate() {
                    all[(first_replica + replica) * count + first_direction..][..directions].copy_from_slice(costs);
                }
            }
        }
        Ok(Some(all))
    }

    /// Uploads the law along some directions, unless single precision cannot hold it.
    fn write(&self, device: &Device, targets: &SlicedTargets<'_>, first: usize, directions: usize) -> bool {
        let sources = self.shape.sources();
        let law = |direction| single(&(targets.law)(direction), sources);
        let laws: Vec<(Vec<f32>, Vec<[u32; 2]>)> = (first..first + directions).into_par_iter().map(law).collect();
        if laws.iter().any(|(numbers, _)| numbers.iter().any(|number| !number.is_finite())) {
            return false;
        }
        for (index, (numbers, ends)) in laws.iter().enumerate() {
            let at = (index * self.values) as u64;
            device.queue.write_buffer(&self.numbers, 4 * at, bytemuck::cast_slice(numbers));
            device.queue.write_buffer(&self.ends, 8 * at, bytemuck::cast_slice(ends));
        }
        true
    }

    /// Records the projections, as keys in the order of the tokens.
    fn project_sources(
        &self,
        recorder: &mut Recorder,
        buffers: &TokenBuffers,
        batch: Batch,
    ) -> Result<(), BackendError> {
        for (bound, segment_buffers) in self.projections.iter().zip(&buffers.segments) {
            let segment = &segment_buffers.segment;
            let first = segment.first_replica.max(batch.first_replica);
            let end = (segment.first_replica + segment.replicas).min(batch.first_replica + batch.replicas);
            if first >= end || segment.sources == 0 {
                continue;
            }
            let has_last = segment.first_token + segment.sources == self.shape.sources();
            let places = if has_last { self.length - segment.first_token } else { segment.sources };
            let blocks = places.div_ceil(THREADS as usize);
            let groups = ((end - first) * batch.directions.div_ceil(PROJECTED_DIRECTIONS as usize) * blocks) as u64;
            let work =
                groups as f64 * f64::from(THREADS) * (PROJECTED_DIRECTIONS as usize * (4 * self.width + 4)) as f64;
            recorder.record_parts(bound, groups, work, |part| params::ProjectSources {
                first_group: part.start,
                end_group: part.end,
                blocks: blocks as u32,
                places: places as u32,
                sources: segment.sources as u32,
                tokens: segment.tokens as u32,
                first_row: ((first - segment.first_replica) * segment.tokens) as u32,
                first_list: ((first - batch.first_replica) * batch.directions) as u32,
                length: self.length as u32,
                first_place: segment.first_token as u32,
                first_direction: batch.first_direction as u32,
                directions: batch.directions as u32,
            })?;
        }
        Ok(())
    }

    /// Records the passes of the network. Each reads what the one before has written, so that they are dispatches of
    /// their own where keys come from different workgroups.
    fn sort(&self, recorder: &mut Recorder, batch: Batch) -> Result<(), BackendError> {
        let own = SORT_KEYS as usize;
        self.sort_near(recorder, batch, 2, self.length.min(own))?;
        let mut size = 2 * own;
        while size <= self.length {
            let mut stride = size / 2;
            while stride >= own {
                self.exchange(recorder, batch, size, stride)?;
                stride /= 2;
            }
            self.sort_near(recorder, batch, size, size)?;
            size *= 2;
        }
        Ok(())
    }

    /// The passes of sizes `first` to `last` whose partners a workgroup has in its memory.
    fn sort_near(
        &self,
        recorder: &mut Recorder,
        batch: Batch,
        first: usize,
        last: usize,
    ) -> Result<(), BackendError> {
        let keys = batch.lists() * self.length;
        let groups = keys.div_ceil(SORT_KEYS as usize) as u64;
        let depth = f64::from(last.min(SORT_KEYS as usize).ilog2());
        // A pass is about four multiply-adds a key.
        let passes = if first < last { depth * (depth + 1.0) / 2.0 } else { depth };
        let work = groups as f64 * f64::from(SORT_KEYS) * (4.0 * passes + 4.0);
        recorder.record_parts(&self.sort, groups, work, |part| params::Sort {
            first_group: part.start,
            end_group: part.end,
            keys: keys as u32,
            length: self.length as u32,
            first: first as u32,
            last: last as u32,
        })
    }

    /// The pass of one size and stride.
    fn exchange(
        &self,
        recorder: &mut Recorder,
        batch: Batch,
        size: usize,
        stride: usize,
    ) -> Result<(), BackendError> {
        let pairs = batch.lists() * self.length / 2;
        let groups = pairs.div_ceil(THREADS as usize) as u64;
        let work = 16.0 * pairs as f64;
        recorder.record_parts(&self.exchange, groups, work, |part| params::Exchange {
            first_group: part.start,
            end_group: part.end,
            pairs: pairs as u32,
            length: self.length as u32,
            size: size as u32,
            stride: stride as u32,
        })
    }

    fn transport(&self, recorder: &mut Recorder, batch: Batch) -> Result<(), BackendError> {
        let groups = (batch.lists() * self.chunks) as u64;
        let work = groups as f64 * CHUNK as f64 * 16.0;
        recorder.record_parts(&self.transport, groups, work, |part| params::Transport {
            first_group: part.start,
            end_group: part.end,
            chunks: self.chunks as u32,
            tokens: self.shape.sources() as u32,
            length: self.length as u32,
            numbers: self.values as u32,
            directions: batch.directions as u32,
        })
    }

    /// Reads W_2^2 of every list of the batch, unless one of them left single precision.
    async fn read(
        &self,
        recorder: &mut Recorder,
        readback: &Readback,
        batch: Batch,
    ) -> Result<Option<Vec<f64>>, BackendError> {
        let words = 2 * self.chunks;
        let parts = readback.numbers(recorder, &self.costs, 0, words * batch.lists()).await?;
        let list = |parts: &[f32]| {
            let sum: f64 = parts.chunks_exact(2).map(|part| f64::from(part[0])).sum();
            let lost = parts.chunks_exact(2).any(|part| part[1] > 0.0);
            (!lost && sum.is_finite()).then(|| sum / self.shape.sources() as f64)
        };
        Ok(parts.chunks_exact(words).map(list).collect())
    }
}

/// The values of a law, and their ends in units of one token among so many: a whole number, and the bits of a fraction, which
/// rounding may complete.
fn single(line: &SortedProjection, tokens: usize) -> (Vec<f32>, Vec<[u32; 2]>) {
    let units = |end: &f64| {
        let mass = end * tokens as f64;
        [mass.floor() as u32, (mass.fract() as f32).to_bits()]
    };
    (line.values.iter().map(|value| *value as f32).collect(), line.ends.iter().map(units).collect())
}

/// Whether all sources of all replicas have the same weight.
fn are_alike(tokens: &Tokens) -> bool {
    let (count, sources) = (tokens.shape.count, tokens.shape.sources());
    let Weights::Each(weights) = &tokens.weights else { return true };
    weights.chunks_exact(count).all(|replica| replica[..sources].iter().all(|weight| *weight == replica[0]))
}
