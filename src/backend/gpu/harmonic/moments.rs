//! The moments of the keys, and the modes of tokens: sums of spans of each replica, then the sum of those.

use crate::backend::gpu::{
    engine::{
        adapter::Kind,
        allocation::AllocationScope,
        device::Device,
        pipelines::{BoundKernel, Pipeline},
        recorder::Recorder,
    },
    kernels::{
        constants::Constants,
        declared, params,
        sizes::{EDGE, HARMONICS, MOMENT_KEYS, THREADS},
    },
    layout::{points::POINTS, segments::Segment, token_buffers::TokenBuffers},
};
use crate::{
    backend::{BackendError, Point},
    harmonic::{Triangle, gamma},
};

/// Keys that a workgroup sums before it adds them to the sum of its span.
const TILE: usize = (THREADS * MOMENT_KEYS) as usize;
/// Tiles of a span at most: as many terms as stay exact.
const MOST_TILES: usize = 64;
/// Harmonics of all tiles of a span at most, on a processor: Mesa's software driver leaves every loop of a thread after
/// 65535 iterations together, without a word.
const MOST_ITERATIONS: usize = 1 << 13;
/// Workgroups that keep a large adapter busy.
const BUSY_GROUPS: usize = 2048;

/// What is summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The harmonics of a series, of unit tokens as they stand.
    Harmonics,
    /// Modes, of the directions of tokens.
    Modes,
}

/// The keys of one segment.
struct Site {
    segment: usize,
    /// Spans of each replica, and where they start among all of the replica.
    spans: usize,
    first_sum: usize,
    /// By point.
    bound: [BoundKernel<params::Moments>; 2],
}

pub struct Moments {
    pub dim: usize,
    pub degree: usize,
    pub replicas: usize,
    /// Harmonics of one replica, filled up to a multiple of `HARMONICS`.
    pub harmonics: usize,
    /// (real, imaginary) part, ordered (replica, harmonic).
    pub values: wgpu::Buffer,
    sites: Vec<Site>,
    /// Keys of a span, and spans of a replica.
    span_keys: usize,
    sums: usize,
    collect: BoundKernel<params::Collect>,
}

impl Moments {
    /// Moments in `basis` up to `degree` of the keys of `buffers`. Fails with `BelowLimit` if they exceed a binding.
    pub fn new(
        scope: &AllocationScope,
        constants: &Constants,
        buffers: &TokenBuffers,
        recorder: &Recorder,
        basis: Basis,
        degree: usize,
    ) -> Result<Moments, BackendError> {
        let (device, dim) = (scope.device(), constants.dim as usize);
        let count = if dim == 2 { degree + 1 } else { Triangle { degree }.pairs() };
        let harmonics = count.next_multiple_of(HARMONICS as usize);
        let span_keys = span_keys(buffers, device.kind(), harmonics);
        let spans = |segment: &Segment| segment.sources.div_ceil(span_keys);
        let segments = || buffers.segments.iter().map(|segment_buffers| &segment_buffers.segment);
        let first = |replica| segments().filter(move |segment| segment.first_replica == replica);
        let sums: usize = first(0).map(spans).sum();
        let replicas = segments().map(|segment| segment.first_replica + segment.replicas).max().unwrap_or(0);
        let bytes = (8 * replicas * harmonics) as u64;
        let most = device.device.limits().max_storage_buffer_binding_size;
        device.within("max_storage_buffer_binding_size", bytes * sums as u64, most)?;
        let partial_sums = scope.buffer("sums", bytes * sums as u64);
        let values = scope.buffer("moments", bytes);
        let steps = (dim == 3).then(|| scope.upload("steps", &recurrence(basis, degree, harmonics)));
        let (pipeline, uniforms) = (Summation::new(device, constants, basis, steps), recorder.uniforms());
        let mut sites = Vec::new();
        for (segment, segment_buffers) in buffers.segments.iter().enumerate() {
            let before = segments().take(segment);
            let first_sum =
                before.filter(|other| other.first_replica == segment_buffers.segment.first_replica).map(spans).sum();
            let bound = POINTS.map(|point| {
                pipeline.bind(
                    device,
                    uniforms,
                    [segment_buffers.tokens(point), &segment_buffers.weights, &partial_sums],
                )
            });
            sites.push(Site { segment, spans: spans(&segment_buffers.segment), first_sum, bound });
        }
        let collect =
            Pipeline::<declared::Collect>::new(device, constants).bind(device, uniforms, [&partial_sums, &values]);
        Ok(Moments { dim, degree, replicas, harmonics, values, sites, span_keys, sums, collect })
    }

    /// Records the moments of `buffers` at `point`.
    pub fn record(&self, recorder: &mut Recorder, buffers: &TokenBuffers, point: Point) -> Result<(), BackendError> {
        for site in self.sites.iter().filter(|site| site.spans > 0) {
            let segment = &buffers.segments[site.segment].segment;
            let groups = (segment.replicas * site.spans) as u64;
            // Two multiply-adds for the sum and about as much for the recurrence.
            let work = (segment.replicas * segment.sources.next_multiple_of(TILE) * self.harmonics * 4) as f64;
            recorder.record_parts(&site.bound[point as usize], groups, work, |part| params::Moments {
                first_group: part.start,
                end_group: part.end,
                spans: site.spans as u32,
                sums: self.sums as u32,
                first_sum: site.first_sum as u32,
                first_replica: segment.first_replica as u32,
                tokens: segment.tokens as u32,
                sources: segment.sources as u32,
                span_keys: self.span_keys as u32,
                harmonics: self.harmonics as u32,
            })?;
        }
        self.collect(recorder)
    }

    fn collect(&self, recorder: &mut Recorder) -> Result<(), BackendError> {
        let groups = (self.replicas * self.harmonics.div_ceil(EDGE as usize)) as u64;
        let work = (self.replicas * self.harmonics * self.sums * 8) as f64;
        recorder.record_parts(&self.collect, groups, work, |part| params::Collect {
            first_group: part.start,
            end_group: part.end,
            sums: self.sums as u32,
            harmonics: self.harmonics as u32,
        })
    }
}

/// The kernel that sums spans, with the steps of its recurrence where it has one.
enum Summation {
    MomentsCircle(Pipeline<declared::MomentsCircle>),
    MomentsSphere(Pipeline<declared::MomentsSphere>, wgpu::Buffer),
    ModesCircle(Pipeline<declared::ModesCircle>),
    ModesSphere(Pipeline<declared::ModesSphere>, wgpu::Buffer),
}

impl Summation {
    /// On the sphere there are steps, and on the circle none.
    fn new(device: &Device, constants: &Constants, basis: Basis, steps: Option<wgpu::Buffer>) -> Summation {
        match (basis, steps) {
            (Basis::Harmonics, None) => Summation::MomentsCircle(Pipeline::new(device, constants)),
            (Basis::Harmonics, Some(steps)) => Summation::MomentsSphere(Pipeline::new(device, constants), steps),
            (Basis::Modes, None) => Summation::ModesCircle(Pipeline::new(device, constants)),
            (Basis::Modes, Some(steps)) => Summation::ModesSphere(Pipeline::new(device, constants), steps),
        }
    }

    fn bind(
        &self,
        device: &Device,
        uniforms: &wgpu::Buffer,
        [tokens, weights, sums]: [&wgpu::Buffer; 3],
    ) -> BoundKernel<params::Moments> {
        match self {
            Summation::MomentsCircle(kernel) => kernel.bind(device, uniforms, [tokens, weights, sums]),
            Summation::MomentsSphere(kernel, steps) => kernel.bind(device, uniforms, [tokens, weights, sums, steps]),
            Summation::ModesCircle(kernel) => kernel.bind(device, uniforms, [tokens, weights, sums]),
            Summation::ModesSphere(kernel, steps) => kernel.bind(device, uniforms, [tokens, weights, sums, steps]),
        }
    }
}

/// Keys of a span: whole tiles, few enough for exact sums, and otherwise as many as leave the adapter busy.
fn span_keys(buffers: &TokenBuffers, kind: Kind, harmonics: usize) -> usize {
    let most = match kind {
        Kind::Software => (MOST_ITERATIONS / harmonics).clamp(1, MOST_TILES),
        _ => MOST_TILES,
    };
    let tiles: usize = buffers
        .segments
        .iter()
        .map(|segment_buffers| segment_buffers.segment.replicas * segment_buffers.segment.sources.div_ceil(TILE))
        .sum();
    TILE * tiles.div_ceil(BUSY_GROUPS).clamp(1, most)
}

/// For every harmonic of the sphere gamma_lm or, of modes, (l - m) / (l + m + 1), and one where an order m > 0 begins.
fn recurrence(basis: Basis, degree: usize, harmonics: usize) -> Vec<[f32; 2]> {
    let factor = |l, m| match basis {
        Basis::Harmonics => gamma(l, m),
        Basis::Modes => (l - m) as f64 / (l + m + 1) as f64,
    };
    let mut steps = Triangle { degree }.each(|l, m| [factor(l, m) as f32, if m > 0 && l == m { 1.0 } else { 0.0 }]);
    steps.resize(harmonics, [0.0; 2]);
    steps
}
